//! `starform show`: a stored plan by its id, or a plan file.
//!
//! Effects: reads a file or asks the control plane, prints.

use std::{fs, path::Path};

use anyhow::Context;
use starform_contract::schema::{self, Unreadable};
use starform_plan::document::Plans;

use crate::{
    args::{Global, ShowArgs},
    backend::Backend,
    exit::{Exit, Failure},
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
    super::plan::show(&plans, &args.view, "", terminal)?;
    Ok(Exit::Success)
}

/// A plan's id, rather than a file: whole, or at least its first eight hex digits, as plans show it.
pub(crate) fn is_id(text: &str) -> bool {
    let hex = text.len() >= 8 && text.bytes().all(|b| b.is_ascii_hexdigit());
    text.starts_with("sha256:") || (hex && !Path::new(text).exists())
}

/// Without what the file says about approvals: only who keeps them can say it.
pub(crate) fn read(file: &Path) -> anyhow::Result<Plans> {
    let text = fs::read(file)
        .with_context(|| format!("cannot read the plan file `{}`", file.display()))?;
    let plans: Plans = schema::read(&text).map_err(|why| {
        let name = file.display();
        let message = match why {
            Unreadable::Newer { .. } => format!("cannot read the plan file `{name}`: {why}"),
            Unreadable::Other { .. } | Unreadable::None { .. } | Unreadable::Shape(_) => {
                format!("`{name}` is no plan file: {why}; `starform plan --out FILE` writes one")
            }
        };
        Failure::because(Exit::Error, message)
    })?;
    Ok(Plans::new(plans.plans, plans.bundles))
}
