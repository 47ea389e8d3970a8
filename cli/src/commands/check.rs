//! `starform check`: every error of a project, with its place and the next step.
//!
//! Effects: reads files, prints.

use super::{human, print};
use crate::{
    args::{CheckArgs, CheckFormat},
    exit::Exit,
    sources,
    terminal::Terminal,
};
use starform_dsl::render;

pub(crate) fn run(args: &CheckArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let sources = sources::read(&args.path)?;
    let starform_dsl::Compiled {
        diagnostics,
        secrets,
        ..
    } = starform_dsl::compile(&sources);
    let render::Counts { errors, warnings } = render::counts(&diagnostics);
    match args.format {
        CheckFormat::Human => {
            eprint!(
                "{}",
                render::human(&sources, &diagnostics, human(terminal, &secrets))
            );
            if errors + warnings == 0 {
                eprintln!("{} is fine.", args.path.display());
            }
        }
        CheckFormat::Short => print(&render::short(&sources, &diagnostics)),
        CheckFormat::Json => print(&render::json(&sources, &diagnostics)),
    }
    let bad = errors > 0 || (args.deny_warnings && warnings > 0);
    Ok(if bad { Exit::Error } else { Exit::Success })
}
