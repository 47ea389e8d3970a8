//! `starform drift`: what in the cluster is not as it was accepted, over the fields that are Starform's.
//!
//! Effects: reads a file for the project's name, asks a control plane or a cluster, prints. Always holds: exit 5
//! where something differs now or the newest report is older than what is accepted; what was put right already is told and is no difference.

use starform_contract::{EnvironmentName, ProjectName, report::DriftKind};
use starform_plan::{document::FieldChange, view::values};
use starform_reconciler::api::body::{EnvironmentDrift, Found};

use super::{history, print, print_json};
use crate::{
    args::{Global, PlanFormat, TellArgs},
    backend::Backend,
    exit::Exit,
    progress::{object, what_happened},
    sources,
    terminal::Terminal,
};

pub(crate) async fn run(
    args: &TellArgs,
    global: &Global,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let backend = Backend::new(global, &sources::folder(&args.path))?;
    let name = match &args.place.project {
        Some(name) => name.clone(),
        None => history::read(&args.path, terminal)?.name().clone(),
    };
    let drift = backend.drift(&name, &args.place.env).await?;
    let now = drift.found.iter().filter(|found| !found.drift.corrected);
    let now = now.count() + drift.remains.len();
    match args.format {
        PlanFormat::Json => print_json(&drift),
        PlanFormat::Human => print(&text(&drift, now, &name, &args.place.env)),
    }
    Ok(if now == 0 && !is_behind(&drift) {
        Exit::Success
    } else {
        Exit::Partial
    })
}

fn text(
    drift: &EnvironmentDrift,
    now: usize,
    name: &ProjectName,
    environment: &EnvironmentName,
) -> String {
    let mut text = String::new();
    let has_any = now > 0 || !drift.found.is_empty() || !drift.break_glass.is_empty();
    if has_any {
        text.push_str(&format!(
            "{name}/{environment}  against generation {}\n\n",
            drift.generation
        ));
    }
    for found in &drift.found {
        text.push_str(&line(found));
        for field in &found.fields {
            text.push_str(&format!("      {}\n", value(field)));
        }
    }
    for key in &drift.remains {
        let what = "it is still there, and an accepted plan deletes it";
        text.push_str(&format!("  - {}: {what}\n", object(key)));
    }
    for glass in &drift.break_glass {
        text.push_str(&format!(
            "  ! {}: {}\n",
            object(&glass.key),
            glass.suspension
        ));
    }
    if has_any {
        text.push('\n');
    }
    text.push_str(&summary(drift, now, name, environment));
    text.push('\n');
    text
}

/// With the mark of what restoring it does.
fn line(found: &Found) -> String {
    let mark = match found.drift.kind {
        DriftKind::Changed => '~',
        DriftKind::Added => '-',
        DriftKind::Deleted => '+',
    };
    let put_right = found.drift.corrected.then_some(found.seen_at).flatten();
    let put_right = match (found.drift.corrected, put_right) {
        (true, Some(at)) => format!("; restored {}", history::moment(at)),
        (true, None) => "; restored".to_owned(),
        (false, _) => String::new(),
    };
    let what = values::visible(&what_happened(&found.drift));
    format!("  {mark} {}: {what}{put_right}\n", object(&found.drift.key))
}

/// What restoring it does to one field.
fn value(field: &FieldChange) -> String {
    let path = values::path(field);
    if let Some(secret) = field.secret {
        return format!("{path}  {}", values::secret(secret));
    }
    let side = |value: &Option<serde_json::Value>| {
        value
            .as_ref()
            .map_or_else(|| "nothing".to_owned(), values::inline)
    };
    format!("{path}  {} → {}", side(&field.before), side(&field.after))
}

/// What was accepted since, nobody knows yet.
fn is_behind(drift: &EnvironmentDrift) -> bool {
    let accepted = drift.accepted;
    accepted.is_some_and(|accepted| accepted > drift.generation)
}

fn behind(
    drift: &EnvironmentDrift,
    now: usize,
    name: &ProjectName,
    environment: &EnvironmentName,
) -> String {
    let accepted = drift.accepted.unwrap_or(drift.generation);
    let of = match drift.reported_at {
        Some(at) => format!(", of {}", history::moment(at)),
        None => String::new(),
    };
    let then = match now {
        0 => "nothing differed then".to_owned(),
        some => format!("{some} not as accepted then"),
    };
    format!(
        "Not known. Generation {accepted} of {name}/{environment} is accepted and not reported on; the newest report{of}, is of generation {}: {then}.",
        drift.generation
    )
}

fn summary(
    drift: &EnvironmentDrift,
    now: usize,
    name: &ProjectName,
    environment: &EnvironmentName,
) -> String {
    let restored = drift.found.iter().filter(|found| found.drift.corrected);
    let restored = restored.count();
    let before = match restored {
        0 => String::new(),
        some => format!(" {some} restored already."),
    };
    if is_behind(drift) {
        return format!("{}{before}", behind(drift, now, name, environment));
    }
    if now == 0 {
        return format!("No drift. {name}/{environment} is as it was accepted.{before}");
    }
    let next = match drift.reported_at {
        None => format!("; `starform apply --env {environment}` puts it right"),
        Some(_) => "; the agent leaves it: the environment only reports drift, others keep taking it back, or break-glass holds".to_owned(),
    };
    format!("Drift: {now} not as accepted{next}.{before}")
}
