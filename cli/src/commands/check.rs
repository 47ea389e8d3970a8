//! `starform check`: every error of a project, with its place and the next step.
//!
//! Effects: reads files, prints.

use super::print;
use crate::{
    args::{CheckArgs, CheckFormat},
    exit::Exit,
    sources,
    terminal::Terminal,
};
use starform_dsl::{diag::Severity, render};

pub(crate) fn run(args: &CheckArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let sources = sources::read(&args.path)?;
    let diagnostics = starform_dsl::compile(&sources).diagnostics;
    let count = |severity| diagnostics.iter().filter(|d| d.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    match args.format {
        CheckFormat::Human => {
            eprint!("{}", render::human(&diagnostics, &sources, terminal.width, terminal.color));
            if errors + warnings == 0 {
                eprintln!("{} is fine.", args.path.display());
            } else {
                eprintln!("{}, {}", counted(errors, "error"), counted(warnings, "warning"));
            }
        }
        CheckFormat::Short => print(&render::short(&diagnostics, &sources)),
        CheckFormat::Json => super::print_json(&render::json(&diagnostics, &sources)),
    }
    let bad = errors > 0 || (args.deny_warnings && warnings > 0);
    Ok(if bad { Exit::Error } else { Exit::Success })
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
