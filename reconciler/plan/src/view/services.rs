//! The services of a plan, in the language's words, each change with the place that made it.
//!
//! Pure. Always holds: every service of the plan appears by name; services with the very same change
//! are told together; a new service is told by what matters first, the rest is counted.

use std::collections::BTreeMap;

use starform_contract::{EnvironmentName, ServiceKind};

use crate::{
    document::{Action, Effect, ModelChange, Plan, Risk, ServiceChange},
    view::{
        objects::{self, Notes},
        page::{Page, Paint, Text},
        rows::{self, Row},
        values,
    },
};

/// Columns before a service's own lines.
const INDENT: usize = 6;
/// A longer name does not move the others' kinds.
const WIDEST_NAME: usize = 28;

/// Whether the service's own words changed; otherwise its objects are told as the platform's.
pub(crate) fn speaks(service: &ServiceChange) -> bool {
    match service.action {
        Action::Update => !service.changes.is_empty() || service.objects.is_empty(),
        Action::Create
        | Action::Delete
        | Action::Replace
        | Action::Retain
        | Action::Forget
        | Action::Adopt => true,
        Action::None => false,
    }
}

pub(crate) fn print(page: &mut Page, plan: &Plan, notes: &mut Notes<'_>) {
    let speaking: Vec<&ServiceChange> = plan.services.iter().filter(|s| speaks(s)).collect();
    let names = speaking.iter().map(|service| service.name.as_str().len());
    let column = names.filter(|length| *length <= WIDEST_NAME).max();
    let (fresh, known) = sort_out(plan, &speaking, notes);
    let mut airy = true;
    for group in &fresh {
        let is_new = group
            .first()
            .is_some_and(|service| service.action == Action::Create);
        let group_is_airy = !is_new || notes.full;
        if airy || group_is_airy {
            page.blank();
        }
        airy = group_is_airy;
        block(page, group, column.unwrap_or(0), notes);
    }
    for ((environment, _), services) in known {
        as_elsewhere(page, environment.as_str(), &services, notes);
    }
    held(page, plan);
}

/// Services that changed in the same way, and those told for an environment before.
type Groups<'a> = Vec<Vec<&'a ServiceChange>>;
type Known<'a> = BTreeMap<(EnvironmentName, Effect), Vec<&'a ServiceChange>>;

fn sort_out<'a>(
    plan: &Plan,
    services: &[&'a ServiceChange],
    notes: &mut Notes<'_>,
) -> (Groups<'a>, Known<'a>) {
    let (mut groups, mut known) = (Groups::new(), Known::new());
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for &service in services {
        let Some(print) = fingerprint(service).filter(|_| !notes.full) else {
            groups.push(vec![service]);
            continue;
        };
        let own = (service.name.clone(), print.clone());
        let elsewhere = notes.earlier.get(&own).cloned();
        if let Some(environment) = elsewhere.filter(|other| *other != plan.environment) {
            known
                .entry((environment, service.effect))
                .or_default()
                .push(service);
            continue;
        }
        notes.earlier.insert(own, plan.environment.clone());
        match places.get(&print) {
            Some(&place) => groups[place].push(service),
            None => {
                places.insert(print, groups.len());
                groups.push(vec![service]);
            }
        }
    }
    (groups, known)
}

/// What makes two changes the same; `None` where each must be seen by itself.
fn fingerprint(service: &ServiceChange) -> Option<String> {
    let foldable = service.action == Action::Update && service.risk < Risk::Widen;
    let words: Vec<_> = service
        .changes
        .iter()
        .map(|change| (&change.path, &change.before, &change.after))
        .collect();
    let told = (service.risk, service.effect, words);
    foldable.then(|| serde_json::to_string(&told).expect("a model always serialises"))
}

fn block(page: &mut Page, services: &[&ServiceChange], column: usize, notes: &mut Notes<'_>) {
    let Some(service) = services.first() else {
        return;
    };
    notes.seen.actions.insert(service.action);
    title(page, services, column);
    match service.action {
        Action::Create if !notes.full => new_service(page, service, notes),
        Action::Delete if !notes.full => notes.hidden.values += service.changes.len(),
        Action::Create
        | Action::Update
        | Action::Replace
        | Action::Delete
        | Action::Retain
        | Action::Forget
        | Action::Adopt
        | Action::None => {
            let shown = service
                .changes
                .iter()
                .filter(|change| !is_told(service, change));
            let rows: Vec<Row> = shown
                .map(|change| Row::of_model(&at_one_place(change, services)))
                .collect();
            rows::print(page, INDENT, &rows);
        }
    }
    for service in services {
        let own = notes.objects_of(service);
        if services.len() > 1 {
            notes.hide(&own);
        } else {
            objects::of_service(page, INDENT, &own, notes);
        }
    }
}

/// `  ~ storefront  rolls out as in staging`
fn as_elsewhere(
    page: &mut Page,
    environment: &str,
    services: &[&ServiceChange],
    notes: &mut Notes<'_>,
) {
    let Some(service) = services.first() else {
        return;
    };
    notes.seen.actions.insert(service.action);
    let names: Vec<&str> = services.iter().map(|s| s.name.as_str()).collect();
    let text = objects::symbol(service.action, service.risk)
        .and(Paint::Plain, " ")
        .and(Paint::Bold, names.join(", "))
        .and(Paint::Plain, format!("  {}", effect(service)))
        .and(Paint::Dim, format!("  the same as in {environment}, above"));
    page.blank();
    page.line(2, INDENT, &text);
    for service in services {
        notes.hidden.values += service.changes.len();
        let own = notes.objects_of(service);
        notes.hide(&own);
    }
}

/// `  ~ storefront  web      rolls out`
fn title(page: &mut Page, services: &[&ServiceChange], column: usize) {
    let service = services[0];
    let mark = objects::symbol(service.action, service.risk).and(Paint::Plain, " ");
    let text = if services.len() == 1 {
        mark.then(Text::new(Paint::Bold, service.name.as_str()).padded(column + 2))
            .then(Text::plain(service.kind.as_str()).padded("private  ".len()))
            .and(Paint::Plain, effect(service))
    } else {
        let names: Vec<&str> = services.iter().map(|s| s.name.as_str()).collect();
        let same = format!("  the same in {} services: ", services.len());
        mark.and(Paint::Bold, names.join(", "))
            .and(Paint::Dim, same)
            .and(Paint::Plain, effect(service))
    };
    let born = service
        .changes
        .iter()
        .find(|change| is_told(service, change));
    let place = born.and_then(|change| change.at.as_deref());
    page.placed(2, INDENT, &text, place);
}

/// What happens to what runs; of a new service also how much of it there will be.
fn effect(service: &ServiceChange) -> String {
    match service.effect {
        Effect::None => "nothing that runs changes".to_owned(),
        Effect::Configure if service.kind == ServiceKind::Cron => "from its next run on".to_owned(),
        Effect::Configure => "the pods stay".to_owned(),
        Effect::Rollout => "rolls out".to_owned(),
        Effect::Stop => "stops".to_owned(),
        Effect::Start => amount(service).unwrap_or_else(|| "starts".to_owned()),
    }
}

/// `3–12 × 250m CPU, 512Mi`; a cron job has no number.
fn amount(service: &ServiceChange) -> Option<String> {
    let plain = |path: &str| after(service, path).map(|v| values::inline(v).replace('"', ""));
    let number = match (plain("scale.min"), plain("scale.max")) {
        (Some(min), Some(max)) if min == max => format!("{min} × "),
        (Some(min), Some(max)) => format!("{min}–{max} × "),
        (Some(_), None) | (None, Some(_)) | (None, None) => String::new(),
    };
    let (cpu, memory) = plain("size.cpu").zip(plain("size.memory"))?;
    Some(format!("{number}{cpu} CPU, {memory}"))
}

fn after<'a>(service: &'a ServiceChange, path: &str) -> Option<&'a serde_json::Value> {
    let change = service.changes.iter().find(|change| change.path == path);
    change.and_then(|change| change.after.as_ref())
}

/// The kind of a service that comes or goes stands in its title.
fn is_told(service: &ServiceChange, change: &ModelChange) -> bool {
    change.path == "kind" && matches!(service.action, Action::Create | Action::Delete)
}

/// What a reviewer asks of a new service first: which image, how many of which size, when.
fn new_service(page: &mut Page, service: &ServiceChange, notes: &mut Notes<'_>) {
    for path in ["image", "run", "schedule"] {
        let Some(change) = service.changes.iter().find(|change| change.path == path) else {
            continue;
        };
        let value = change
            .after
            .as_ref()
            .map_or_else(String::new, values::inline);
        let text = Text::new(Paint::Dim, format!("{path} ")).and(Paint::Plain, value);
        page.line_beside(INDENT, INDENT + 2, &text, change.at.as_deref());
    }
    let told = [
        "image",
        "run",
        "schedule",
        "scale.min",
        "scale.max",
        "size.cpu",
        "size.memory",
    ];
    let hidden = service
        .changes
        .iter()
        .filter(|change| !told.contains(&change.path.as_str()) && !is_told(service, change));
    notes.hidden.values += hidden.count();
}

/// The place of a change, where all of the services have it from the same one.
fn at_one_place(change: &ModelChange, services: &[&ServiceChange]) -> ModelChange {
    let is_shared = services.iter().all(|service| {
        let own = service
            .changes
            .iter()
            .find(|other| other.path == change.path);
        own.is_some_and(|own| own.at == change.at)
    });
    ModelChange {
        at: change.at.clone().filter(|_| is_shared),
        ..change.clone()
    }
}

fn held(page: &mut Page, plan: &Plan) {
    let names: Vec<&str> = plan
        .services
        .iter()
        .filter(|service| service.held)
        .map(|service| service.name.as_str())
        .collect();
    if names.is_empty() {
        return;
    }
    page.blank();
    let text = Text::new(Paint::Dim, "held as accepted, though different: ")
        .and(Paint::Plain, names.join(", "));
    page.line(2, INDENT, &text);
}
