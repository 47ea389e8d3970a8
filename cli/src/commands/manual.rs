//! `starform completions` and `starform man`: the command line, for shells and as manual pages.
//!
//! Effects: prints; writes files. Always holds: both are made from the command line itself, so they say what it
//! says.

use std::{fs, path::Path};

use anyhow::Context;
use clap::CommandFactory as _;
use clap_complete::Shell;

use super::print;
use crate::{args::Cli, exit::Exit};

pub(super) fn completions(shell: Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "starform", &mut script);
    print(&String::from_utf8_lossy(&script));
    Exit::Success
}

/// `starform.1`, `starform-plan.1`, …
pub(super) fn pages(folder: &Path) -> anyhow::Result<Exit> {
    let place = || format!("cannot write manual pages to `{}`", folder.display());
    fs::create_dir_all(folder).with_context(place)?;
    let mut command = Cli::command();
    command.build();
    write(&command, "starform", folder).with_context(place)?;
    Ok(Exit::Success)
}

fn write(command: &clap::Command, name: &str, folder: &Path) -> std::io::Result<()> {
    let page = clap_mangen::Man::new(command.clone()).title(name);
    let mut text = Vec::new();
    page.render(&mut text)?;
    fs::write(folder.join(format!("{name}.1")), text)?;
    let below = command.get_subcommands();
    for inner in below.filter(|inner| !inner.is_hide_set() && inner.get_name() != "help") {
        write(inner, &format!("{name}-{}", inner.get_name()), folder)?;
    }
    Ok(())
}
