//! The services of a plan, in the language's words, each change with the place that made it.
//!
//! Pure. Always holds: every service of the plan appears by name; services with the very same change
//! are told together; a new service is told by what matters first, the rest is counted.

use crate::{
    document::{Action, Effect, ModelChange, ObjectChange, Plan, Risk, ServiceChange},
    view::{
        objects::{self, Notes},
        page::{Page, Paint, Text},
        rows::{self, Row},
        values,
    },
};

/// Columns before a service's own lines.
const INDENT: usize = 8;
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
    let mut rest: Vec<&ServiceChange> = plan.services.iter().filter(|s| speaks(s)).collect();
    let names = rest.iter().map(|service| service.name.as_str().len());
    let column = names
        .filter(|length| *length <= WIDEST_NAME)
        .max()
        .unwrap_or(0);
    let mut airy = true;
    while let Some(first) = rest.first().copied() {
        let (same, other) = rest
            .into_iter()
            .partition(|service| is_same(first, service, notes.full));
        rest = other;
        let block_is_airy = first.action != Action::Create || notes.full;
        if airy || block_is_airy {
            page.blank();
        }
        airy = block_is_airy;
        block(page, plan, &same, column, notes);
    }
    held(page, plan);
}

fn block(
    page: &mut Page,
    plan: &Plan,
    services: &[&ServiceChange],
    column: usize,
    notes: &mut Notes<'_>,
) {
    let Some(service) = services.first() else {
        return;
    };
    notes.seen.actions.insert(service.action);
    title(page, services, column);
    let shown: Vec<&ModelChange> = if notes.full || service.action == Action::Update {
        service
            .changes
            .iter()
            .filter(|change| !is_told(service, change))
            .collect()
    } else {
        Vec::new()
    };
    if service.action == Action::Create && !notes.full {
        new_service(page, service, notes);
    } else if shown.is_empty() {
        notes.hidden.values += service.changes.len();
    }
    let rows: Vec<Row> = shown
        .into_iter()
        .map(|change| Row::of_model(&at_one_place(change, services)))
        .collect();
    rows::print(page, INDENT, &rows);
    for service in services {
        let own: Vec<&ObjectChange> = plan
            .objects
            .iter()
            .filter(|change| service.objects.contains(&change.key))
            .collect();
        if services.len() > 1 && !notes.full {
            notes.hidden.objects += own.len();
            notes.hidden.fields += own.iter().map(|change| change.fields.len()).sum::<usize>();
        } else {
            objects::of_service(page, INDENT, &own, notes);
        }
    }
}

/// `  ~ storefront  web      rolls out`
fn title(page: &mut Page, services: &[&ServiceChange], column: usize) {
    let service = services[0];
    let mark = objects::symbol(service.action, service.risk).and(Paint::Plain, " ");
    let what = match service.effect {
        Effect::None => "nothing that runs changes",
        Effect::Configure => "the pods stay",
        Effect::Rollout => "rolls out",
        Effect::Start => "starts",
        Effect::Stop => "stops",
    };
    let text = if services.len() == 1 {
        mark.then(Text::new(Paint::Bold, service.name.as_str()).padded(column + 2))
            .then(Text::plain(service.kind.as_str()).padded("private  ".len()))
            .and(Paint::Plain, what)
    } else {
        let names: Vec<&str> = services.iter().map(|s| s.name.as_str()).collect();
        mark.and(Paint::Bold, names.join(", "))
            .and(
                Paint::Dim,
                format!("  the same in {} services, ", services.len()),
            )
            .and(Paint::Plain, what)
    };
    let born = service
        .changes
        .iter()
        .find(|change| is_told(service, change));
    let place = born.and_then(|change| change.at.as_deref());
    page.placed(4, INDENT, &text, place);
}

/// The kind of a service that comes or goes stands in its title.
fn is_told(service: &ServiceChange, change: &ModelChange) -> bool {
    change.path == "kind" && matches!(service.action, Action::Create | Action::Delete)
}

/// What a reviewer asks of a new service first: which image, how many of which size, when.
fn new_service(page: &mut Page, service: &ServiceChange, notes: &mut Notes<'_>) {
    let value = |path: &str| {
        let change = service.changes.iter().find(|change| change.path == path);
        change.and_then(|change| change.after.as_ref())
    };
    let told = [
        "image",
        "scale.min",
        "scale.max",
        "size.cpu",
        "size.memory",
        "schedule",
        "run",
    ];
    let plain = |path: &str| value(path).map(|v| values::inline(v).replace('"', ""));
    let mut facts = Text::default();
    if let Some(image) = value("image") {
        facts = facts.and(Paint::Plain, values::inline(image));
    }
    let number = match (plain("scale.min"), plain("scale.max")) {
        (Some(min), Some(max)) if min == max => Some(format!("{min} ×")),
        (Some(min), Some(max)) => Some(format!("{min}–{max} ×")),
        (Some(_), None) | (None, Some(_)) | (None, None) => None,
    };
    let size = plain("size.cpu").zip(plain("size.memory"));
    let size = size.map(|(cpu, memory)| format!("{cpu} CPU, {memory}"));
    let amount: Vec<String> = [number, size].into_iter().flatten().collect();
    facts = facts.and(Paint::Dim, format!("  {}", amount.join(" ")));
    if let Some(schedule) = value("schedule") {
        facts = facts.and(Paint::Dim, format!("  at {}", values::inline(schedule)));
    }
    page.line(INDENT, INDENT + 2, &facts);
    if let Some(run) = value("run") {
        let text = Text::new(Paint::Dim, "run ").and(Paint::Plain, values::inline(run));
        page.line(INDENT, INDENT + 2, &text);
    }
    let hidden = service
        .changes
        .iter()
        .filter(|change| !told.contains(&change.path.as_str()) && !is_told(service, change));
    notes.hidden.values += hidden.count();
}

/// Told together only where nothing of it must be seen one by one.
fn is_same(a: &ServiceChange, b: &ServiceChange, full: bool) -> bool {
    let words = |service: &ServiceChange| -> Vec<_> {
        let changes = service.changes.iter();
        changes
            .map(|c| (c.path.clone(), c.before.clone(), c.after.clone()))
            .collect()
    };
    let foldable = !full && a.action == Action::Update && a.risk < Risk::Widen;
    a.name == b.name
        || foldable
            && b.action == Action::Update
            && a.risk == b.risk
            && a.effect == b.effect
            && words(a) == words(b)
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
    page.line(4, INDENT, &text);
}
