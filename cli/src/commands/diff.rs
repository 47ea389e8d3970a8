//! `starform diff`: what lies between two generations of an environment.
//!
//! Effects: reads a file for the project's name, asks the control plane, prints as `plan` does.

use starform_plan::document::Plans;

use super::history;
use crate::{
    args::{DiffArgs, Global},
    exit::Exit,
    remote::failure,
    terminal::Terminal,
};

pub(crate) async fn run(
    args: &DiffArgs,
    global: &Global,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let next = "`starform plan` compares the file with that";
    let remote = history::remote(global, "diff", next)?;
    let place = history::find(&remote, &args.place, &args.path, terminal).await?;
    let route = place.route(&format!("diff?from={}&to={}", args.from, args.to));
    let plans: Plans = remote.get(&route).await.map_err(failure)?;
    super::plan::show(&plans, &args.view, "", terminal)?;
    Ok(Exit::Success)
}
