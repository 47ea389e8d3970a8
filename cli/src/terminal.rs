//! What the terminal can show: width, colour, whether a person sits there.
//!
//! Effects: reads the environment and the terminal's size.

use std::{
    env,
    io::{IsTerminal, stderr, stdin, stdout},
};

use crate::args::ColorChoice;

/// Widest line that is still read well.
const WIDEST: usize = 120;
const DEFAULT: usize = 80;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    /// Columns.
    pub(crate) width: usize,
    pub(crate) color: bool,
    /// A person can be asked.
    pub(crate) interactive: bool,
}

impl Terminal {
    /// `--color` first, then NO_COLOR, CLICOLOR_FORCE (no-color.org, bixense.com/clicolors), then
    /// whether standard output is a terminal.
    pub(crate) fn detect(choice: ColorChoice) -> Self {
        let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let color = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if set("NO_COLOR") => false,
            ColorChoice::Auto if env::var("CLICOLOR_FORCE").is_ok_and(|v| v != "0") => true,
            ColorChoice::Auto => {
                stdout().is_terminal() && env::var("TERM").is_ok_and(|t| t != "dumb")
            }
        };
        Self {
            width: width(),
            color,
            interactive: stdin().is_terminal() && stderr().is_terminal() && !set("CI"),
        }
    }
}

fn width() -> usize {
    let columns = env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let columns =
        columns.or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)));
    columns.unwrap_or(DEFAULT).clamp(40, WIDEST)
}
