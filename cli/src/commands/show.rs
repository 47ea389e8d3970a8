//! `starform show`: a stored plan by its id, or a plan file.
//!
//! Effects: reads a file or asks the control plane, prints.

use std::{fs, io, path::Path};

use starform_contract::schema::{self, Unreadable};
use starform_plan::{
    document::Plans,
    standing::{Known, Standing},
};

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
    let mut plans = if is_id(&args.plan) {
        let backend = Backend::new(global, Path::new("."))?;
        let mut plans = backend.show(&args.plan).await?;
        if !backend.writes() {
            // Of a project that is gone by now nothing stands anywhere.
            let _ = backend.stand(None, &mut plans).await;
        }
        plans
    } else {
        as_made(Path::new(&args.plan))?
    };
    doubt(&mut plans);
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

/// That the cluster has what a plan without changes was made against is said only where somebody looked.
fn doubt(plans: &mut Plans) {
    for plan in plans.plans.iter().filter(|plan| plan.is_empty()) {
        let unasked = || {
            let why = "nothing says how it stood when the plan was made".to_owned();
            Standing::of(Known::Unread { why })
        };
        let known = plans.standings.entry(plan.plan_id.clone());
        known.or_insert_with(unasked);
    }
}

/// The plans of a file, to be applied: how the cluster stands is asked anew.
pub(crate) fn read(file: &Path) -> anyhow::Result<Plans> {
    let plans = as_made(file)?;
    Ok(Plans::new(plans.plans, plans.bundles))
}

/// With what stood beside them when they were made.
fn as_made(file: &Path) -> anyhow::Result<Plans> {
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
    let name = file.display();
    let refused = if plans.plans.is_empty() {
        format!("`{name}` holds no plan; `starform plan --out FILE` writes one that does")
    } else if !plans.ids_hold() {
        format!(
            "`{name}` was changed after it was made: its ids do not fit its content; make it again with `starform plan --out FILE`"
        )
    } else {
        return Ok(plans.without_approvals());
    };
    Err(Failure::because(Exit::Error, refused))
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
