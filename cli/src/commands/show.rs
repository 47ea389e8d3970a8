//! `starform show`: a stored plan by its id, or a plan file.
//!
//! Effects: reads a file or asks the control plane, prints.

use std::{fs, io, path::Path};

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
    refuse_short(&args.plan)?;
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

/// Digits of an id that name a plan.
const FEWEST: usize = 8;

/// A plan's id, rather than a file: whole, or at least its first hex digits, as plans show it.
pub(crate) fn is_id(text: &str) -> bool {
    text.starts_with("sha256:") || (text.len() >= FEWEST && is_digits(text))
}

/// Of the first digits of an id so few that they name nothing.
pub(crate) fn refuse_short(text: &str) -> anyhow::Result<()> {
    let digits = text.strip_prefix("sha256:");
    let is_short = match digits {
        Some(digits) => digits.len() < FEWEST,
        None => text.len() < FEWEST && is_digits(text),
    };
    if !is_short {
        return Ok(());
    }
    let message = format!(
        "`{text}` is too short to name a plan: give the twelve digits that the plan shows, at least {FEWEST}, or a plan file that is there"
    );
    Err(Failure::because(Exit::Error, message))
}

/// Hex digits, and no file.
fn is_digits(text: &str) -> bool {
    let hex = !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit());
    hex && !Path::new(text).exists()
}

/// Without what the file says about approvals: only who keeps them can say it.
pub(crate) fn read(file: &Path) -> anyhow::Result<Plans> {
    let text = fs::read(file).map_err(|error| unread(file, error))?;
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

fn unread(file: &Path, error: io::Error) -> anyhow::Error {
    let name = file.display();
    if error.kind() == io::ErrorKind::NotFound {
        let message = format!(
            "there is no plan file `{name}`; `starform plan --out FILE` writes one, and the twelve digits that a plan shows name it too"
        );
        return Failure::because(Exit::Error, message);
    }
    anyhow::Error::new(error).context(format!("cannot read the plan file `{name}`"))
}
