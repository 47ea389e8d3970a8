//! The terminal's view of plans: services first, in the language's words, then objects, then one line.
//!
//! Pure. Always holds: what is deleted, replaced or widened is printed one by one; what is not printed
//! is counted, with the command that prints it; the last line of a plan is its summary.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{EnvironmentName, ServiceName};

use crate::{
    document::{Action, Finding, FindingSeverity, Plan},
    view::{
        objects::{self, Notes},
        page::{Page, Paint, Text},
        rows::{self, Row},
        services, values,
    },
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextOptions {
    /// Columns; at least 40 are taken.
    pub width: usize,
    pub color: bool,
    /// Every value and every field.
    pub full: bool,
}

/// What was left out; counted, so that the reader knows.
#[derive(Debug, Default)]
pub(crate) struct Hidden {
    pub(crate) values: usize,
    pub(crate) objects: usize,
    pub(crate) fields: usize,
}

/// What occurs, for the legend.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) actions: BTreeSet<Action>,
    pub(crate) widens: bool,
}

/// By service and change, the environment that it was told for.
pub(crate) type Earlier = BTreeMap<(ServiceName, String), EnvironmentName>;

/// Several plans under each other. Ends with a line break.
pub fn text(plans: &[Plan], options: &TextOptions) -> String {
    let mut page = Page::new(options.width, options.color);
    let mut earlier = Earlier::new();
    for plan in plans {
        if !page.is_empty() {
            page.blank();
        }
        one(&mut page, plan, options.full, &mut earlier);
    }
    page.finish()
}

/// The last line of a plan.
pub fn summary(plan: &Plan) -> String {
    if plan.is_empty() {
        return format!("No changes. {}/{} matches.", plan.project, plan.environment);
    }
    let objects = &plan.summary.objects;
    let mut parts = vec![
        format!("{} to create", objects.create),
        format!("{} to update", objects.update),
        format!("{} to replace", objects.replace),
        format!("{} to delete", objects.delete),
    ];
    for (number, verb) in [(objects.retain, "to retain"), (objects.adopt, "to adopt")] {
        if number > 0 {
            parts.push(format!("{number} {verb}"));
        }
    }
    let rollouts = usize::try_from(plan.summary.rollouts).unwrap_or(usize::MAX);
    format!(
        "Plan: {} · {}",
        parts.join(", "),
        values::count(rollouts, "rollout")
    )
}

fn one(page: &mut Page, plan: &Plan, full: bool, earlier: &mut Earlier) {
    let is_quiet = plan.is_empty() && plan.findings.is_empty();
    if is_quiet && plan.services.is_empty() {
        page.unbroken(Paint::Green, &summary(plan));
        return;
    }
    let mut notes = Notes {
        full,
        hidden: Hidden::default(),
        seen: Seen::default(),
        objects: plan
            .objects
            .iter()
            .map(|change| (&change.key, change))
            .collect(),
        earlier,
    };
    header(page, plan);
    settings(page, plan, &mut notes);
    services::print(page, plan, &mut notes);
    objects::others(page, plan, &mut notes);
    findings(page, &plan.findings);
    page.blank();
    legend(page, &notes.seen);
    left_out(page, plan, &notes.hidden);
    page.unbroken(Paint::Bold, &summary(plan));
}

fn header(page: &mut Page, plan: &Plan) {
    let name = format!("{}/{}", plan.project, plan.environment);
    let mut parts = Vec::new();
    if let Some(revision) = &plan.source.revision {
        parts.push(format!("at {}", values::visible(&short(revision))));
    }
    parts.push(match plan.source.base {
        Some(_) => format!("against generation {}", plan.source.parent_generation),
        None => "nothing is accepted yet".to_owned(),
    });
    parts.push(format!("plan {}", plan_name(plan)));
    let text = Text::new(Paint::Bold, name).and(Paint::Dim, format!("  {}", parts.join(" · ")));
    page.line(0, 2, &text);
}

fn settings(page: &mut Page, plan: &Plan, notes: &mut Notes<'_>) {
    let is_new = plan.source.base.is_none();
    let shown: Vec<Row> = plan
        .settings
        .iter()
        .filter(|change| notes.full || !is_new || is_remarkable(change.after.as_ref()))
        .map(Row::of_model)
        .collect();
    notes.hidden.values += plan.settings.len() - shown.len();
    if shown.is_empty() {
        return;
    }
    page.blank();
    rows::print(page, 4, &shown);
}

/// `true` is what a person set; the names of a new environment stand in its header.
fn is_remarkable(value: Option<&serde_json::Value>) -> bool {
    value.is_some_and(|value| value == true || value == "report")
}

fn findings(page: &mut Page, findings: &[Finding]) {
    if !findings.is_empty() {
        page.blank();
    }
    for finding in findings {
        let (paint, word) = match finding.severity {
            FindingSeverity::Blocking => (Paint::Red, "error"),
            FindingSeverity::Warning => (Paint::Yellow, "warning"),
        };
        let text = Text::new(paint, format!("{word}[{}]", finding.code)).and(
            Paint::Plain,
            format!(" {}", values::visible(&finding.title)),
        );
        page.placed(2, 4, &text, finding.at.as_deref());
    }
}

fn legend(page: &mut Page, seen: &Seen) {
    let mut entries: Vec<(Text, &str)> = seen
        .actions
        .iter()
        .filter_map(|action| {
            let meaning = match action {
                Action::Create => "create",
                Action::Update => "update",
                Action::Replace => "replace",
                Action::Delete => "delete",
                Action::Retain | Action::Forget => "keep",
                Action::Adopt => "adopt",
                Action::None => return None,
            };
            Some((objects::mark(*action), meaning))
        })
        .collect();
    entries.dedup_by_key(|(_, meaning)| *meaning);
    if seen.widens {
        entries.push((Text::new(Paint::Magenta, "!"), "opens to more"));
    }
    let mut text = Text::default();
    for (mark, meaning) in entries {
        text = text.then(mark).and(Paint::Dim, format!(" {meaning}   "));
    }
    if text.width() > 0 {
        page.line(0, 2, &text);
    }
}

fn left_out(page: &mut Page, plan: &Plan, hidden: &Hidden) {
    let mut parts = Vec::new();
    if hidden.values > 0 {
        parts.push(values::count(hidden.values, "value"));
    }
    if hidden.objects > 0 {
        parts.push(format!(
            "{} of {}",
            values::count(hidden.fields, "field"),
            values::count(hidden.objects, "object")
        ));
    }
    if parts.is_empty() {
        return;
    }
    let what = format!("Not shown: {}", parts.join(", "));
    let command = format!("starform show {} --full", plan_name(plan));
    let both = Text::new(Paint::Dim, format!("{what}: {command}"));
    if both.width() <= page.width() {
        page.line(0, 2, &both);
    } else {
        page.line(0, 2, &Text::new(Paint::Dim, format!("{what}:")));
        page.line(2, 4, &Text::new(Paint::Dim, command));
    }
}

/// The first twelve hex digits: enough to name a plan to the commands.
fn plan_name(plan: &Plan) -> String {
    plan.plan_id.digest().hex().chars().take(12).collect()
}

fn short(revision: &str) -> String {
    let is_hash = revision.len() >= 40 && revision.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hash {
        revision.chars().take(12).collect()
    } else {
        revision.to_owned()
    }
}
