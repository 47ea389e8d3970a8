//! `starform show`: a stored plan by its id, or a plan file.
//!
//! Effects: reads a file or asks the control plane, prints.

use std::{fs, path::Path};

use anyhow::Context;
use starform_plan::document::Plans;

use crate::{
    args::{Global, ShowArgs},
    backend::Backend,
    exit::Exit,
    terminal::Terminal,
};

pub(crate) async fn run(
    args: &ShowArgs,
    global: &Global,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let plans = if is_id(&args.plan) {
        Backend::new(global, Path::new("."))?
            .show(&args.plan)
            .await?
    } else {
        read(Path::new(&args.plan))?
    };
    super::plan::show(&plans, args.format, args.full, terminal);
    Ok(Exit::Success)
}

/// A plan's id, rather than a file: whole, or at least its first eight hex digits, as plans show it.
pub(crate) fn is_id(text: &str) -> bool {
    let hex = text.len() >= 8 && text.bytes().all(|b| b.is_ascii_hexdigit());
    text.starts_with("sha256:") || (hex && !Path::new(text).exists())
}

pub(crate) fn read(file: &Path) -> anyhow::Result<Plans> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("cannot read the plan file `{}`", file.display()))?;
    serde_json::from_str(&text).with_context(|| {
        format!(
            "`{}` is no plan file; `starform plan --out FILE` writes one",
            file.display()
        )
    })
}
