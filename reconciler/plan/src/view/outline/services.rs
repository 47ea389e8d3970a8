//! The services of a plan, in the language's words, each change with the place that made it.
//!
//! Pure. Always holds: every service of the plan appears by name; services with the very same change
//! are told together; a new service is told by what matters first, the rest is counted.

use std::collections::BTreeMap;

use starform_contract::{EnvironmentName, ServiceKind, ServiceName};

use crate::{
    document::{Action, Effect, ModelChange, Plan, Risk, ServiceAction, ServiceChange},
    view::{
        fold::{self, Same},
        outline::{
            Form, Notes, Row, excerpt,
            objects::{self, Own},
            rows,
        },
        values,
    },
};

/// One service, or several with the very same change.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) sign: Action,
    pub(crate) names: Vec<String>,
    pub(crate) was: Option<String>,
    pub(crate) kind: &'static str,
    /// What happens to what runs; of a new service also how much of it there will be.
    pub(crate) effect: String,
    pub(crate) at: Option<String>,
    /// What a reviewer asks of a new service first, where not every value is told.
    pub(crate) facts: Vec<Fact>,
    pub(crate) rows: Vec<Row>,
    pub(crate) own: Own,
    /// New, and not told in full: a line or a few.
    pub(crate) is_brief: bool,
}

/// What is said of a new service in a line.
#[derive(Debug)]
pub(crate) struct Fact {
    pub(crate) path: String,
    pub(crate) value: String,
    pub(crate) at: Option<String>,
    /// How many of the service's values it says.
    pub(crate) values: usize,
    /// Only the beginning of one of them.
    is_long: bool,
}

/// Services whose change is the same as in an environment that was told before.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    pub(crate) sign: Action,
    pub(crate) names: Vec<String>,
    pub(crate) effect: String,
    pub(crate) environment: String,
}

/// What is said of a new service in its title.
const TITLED: [&str; 4] = ["scale.min", "scale.max", "size.cpu", "size.memory"];
/// What is said of it in a line each: what runs and when, what runs before it, who alone may connect.
const LINED: [&str; 5] = [
    "image",
    "run",
    "schedule",
    "release.run",
    "allow-from.services",
];

/// Whether the short form says it of a new service.
pub(crate) fn is_told_of_new(path: &str) -> bool {
    TITLED.contains(&path) || LINED.contains(&path) || volume(path).is_some()
}

/// `volumes.data` and `size` of `volumes.data.size`: all of a volume stands in one line.
fn volume(path: &str) -> Option<(&str, &str)> {
    let named = path.starts_with("volumes.");
    path.rsplit_once('.').filter(|_| named)
}

/// Whether the service's own words changed; otherwise its objects are told as the platform's.
pub(super) fn speaks(service: &ServiceChange) -> bool {
    match service.action {
        ServiceAction::Update => {
            !service.changes.is_empty() || service.objects.is_empty() || service.was.is_some()
        }
        ServiceAction::Create | ServiceAction::Delete => true,
        ServiceAction::None => false,
    }
}

pub(super) fn told(notes: &mut Notes<'_>) -> (Vec<Service>, Vec<Elsewhere>) {
    let services = notes.plan.services.iter();
    let speaking: Vec<&ServiceChange> = services.filter(|service| speaks(service)).collect();
    let (fresh, known) = sort_out(&speaking, notes);
    let alone = |service| fold::services(&[service]);
    let groups: Vec<Same<'_, ServiceChange>> = if notes.is_full() {
        fresh.into_iter().flat_map(alone).collect()
    } else {
        let places: BTreeMap<&ServiceName, usize> = fresh
            .iter()
            .zip(0..)
            .map(|(service, place)| (&service.name, place))
            .collect();
        let (plain, other): (Vec<_>, Vec<_>) = fresh
            .iter()
            .copied()
            .partition(|service| only_updates(service, notes));
        let mut groups = fold::services(&plain);
        groups.extend(other.into_iter().flat_map(alone));
        groups.sort_by_key(|group| places[&group.all[0].name]);
        groups
    };
    let told = groups.iter().map(|group| service(group, notes)).collect();
    let known = known
        .into_iter()
        .filter_map(|((environment, _), services)| elsewhere(&environment, &services, notes))
        .collect();
    (told, known)
}

pub(super) fn held(plan: &Plan) -> Vec<String> {
    let held = plan.services.iter().filter(|service| service.held);
    held.map(|service| service.name.to_string()).collect()
}

/// None of its objects comes or goes, not even a release's Job, so that nothing is lost where several are
/// told as one.
fn only_updates(service: &ServiceChange, notes: &Notes<'_>) -> bool {
    let own = notes.objects_of(service);
    own.iter().all(|object| object.action == Action::Update)
}

/// Services told of an environment before, by that and by what happens to what runs.
type Known<'a> = BTreeMap<(EnvironmentName, Effect), Vec<&'a ServiceChange>>;

fn sort_out<'a>(
    services: &[&'a ServiceChange],
    notes: &mut Notes<'_>,
) -> (Vec<&'a ServiceChange>, Known<'a>) {
    let (mut fresh, mut known) = (Vec::new(), Known::new());
    for &service in services {
        let may = !notes.is_full() && only_updates(service, notes);
        let Some(print) = fold::print_of_service(service).filter(|_| may) else {
            fresh.push(service);
            continue;
        };
        let own = (service.name.clone(), print);
        let elsewhere = notes.earlier.get(&own).cloned();
        match elsewhere.filter(|other| *other != notes.plan.environment) {
            Some(environment) => known
                .entry((environment, service.effect))
                .or_default()
                .push(service),
            None => {
                notes.earlier.insert(own, notes.plan.environment.clone());
                fresh.push(service);
            }
        }
    }
    (fresh, known)
}

fn service(group: &Same<'_, ServiceChange>, notes: &mut Notes<'_>) -> Service {
    let told = group.told.as_ref();
    notes.seen.actions.insert(told.action.into());
    let is_brief = told.action == ServiceAction::Create && !notes.is_full();
    let (facts, rows) = match told.action {
        ServiceAction::Create if !notes.is_full() => (new_service(told, notes), Vec::new()),
        ServiceAction::Delete if !notes.is_full() => {
            notes.hidden.values += told.changes.len();
            (Vec::new(), Vec::new())
        }
        ServiceAction::Create
        | ServiceAction::Update
        | ServiceAction::Delete
        | ServiceAction::None => {
            let shown = told.changes.iter().filter(|change| !is_told(told, change));
            let rows = shown.map(|change| Row::of_model(change, notes.form));
            (Vec::new(), rows.collect())
        }
    };
    notes.shorten(&rows);
    notes.hidden.texts += facts.iter().filter(|fact| fact.is_long).count();
    let own = match group.all.as_slice() {
        [service] => objects::of_service(&notes.objects_of(service), notes),
        several => {
            for service in several {
                let own = notes.objects_of(service);
                notes.hide(&own);
            }
            Own::default()
        }
    };
    let born = told.changes.iter().find(|change| is_told(told, change));
    Service {
        sign: sign(told),
        names: group.all.iter().map(|s| s.name.to_string()).collect(),
        was: told.was.as_ref().map(ToString::to_string),
        kind: told.kind.as_str(),
        effect: effect(told, notes),
        at: born.and_then(|change| change.at.clone()),
        facts,
        rows,
        own,
        is_brief,
    }
}

fn elsewhere(
    environment: &EnvironmentName,
    services: &[&ServiceChange],
    notes: &mut Notes<'_>,
) -> Option<Elsewhere> {
    let first = services.first()?;
    notes.seen.actions.insert(first.action.into());
    for service in services {
        notes.hidden.values += service.changes.len();
        let own = notes.objects_of(service);
        notes.hide(&own);
    }
    Some(Elsewhere {
        sign: sign(first),
        names: services.iter().map(|s| s.name.to_string()).collect(),
        effect: effect(first, notes),
        environment: environment.to_string(),
    })
}

/// A service with an object that is replaced is marked so.
fn sign(service: &ServiceChange) -> Action {
    match service.risk {
        Risk::Replace => Action::Replace,
        Risk::None
        | Risk::Create
        | Risk::Update
        | Risk::Rollout
        | Risk::Widen
        | Risk::Delete
        | Risk::Destroy => service.action.into(),
    }
}

fn effect(service: &ServiceChange, notes: &Notes<'_>) -> String {
    match service.effect {
        Effect::None => "nothing that runs changes".to_owned(),
        Effect::Configure if service.kind == ServiceKind::Cron => "from its next run on".to_owned(),
        Effect::Configure if runs_its_release(service, notes) => "runs its release".to_owned(),
        Effect::Configure if fewer(service) => "fewer pods".to_owned(),
        Effect::Configure => "the pods stay".to_owned(),
        Effect::Rollout => "rolls out".to_owned(),
        Effect::Stop => "stops".to_owned(),
        Effect::Start => amount(service).unwrap_or_else(|| "starts".to_owned()),
    }
}

/// Pods go, though not all.
fn fewer(service: &ServiceChange) -> bool {
    let mut scales = service.changes.iter();
    scales.any(|change| {
        let number = |value: &Option<serde_json::Value>| value.as_ref()?.as_u64();
        let sides = number(&change.before).zip(number(&change.after));
        change.path == "scale.min" && sides.is_some_and(|(before, after)| after < before)
    })
}

fn runs_its_release(service: &ServiceChange, notes: &Notes<'_>) -> bool {
    let objects = notes.objects_of(service).into_iter();
    let mut jobs = objects.filter(|object| object.key.kind == "Job");
    jobs.any(|job| match job.action {
        Action::Create | Action::Replace => true,
        Action::Update
        | Action::Delete
        | Action::Retain
        | Action::Forget
        | Action::Adopt
        | Action::None => false,
    })
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
    change.path == "kind"
        && match service.action {
            ServiceAction::Create | ServiceAction::Delete => true,
            ServiceAction::Update | ServiceAction::None => false,
        }
}

/// Which image, when, what before it, for whom, with which data.
fn new_service(service: &ServiceChange, notes: &mut Notes<'_>) -> Vec<Fact> {
    let lines = LINED.into_iter().filter_map(|path| {
        let change = service.changes.iter().find(|change| change.path == path)?;
        Some(Fact {
            path: path.to_owned(),
            value: value(change),
            at: change.at.clone(),
            values: 1,
            is_long: is_long(change),
        })
    });
    let mut facts: Vec<Fact> = lines.collect();
    facts.extend(volumes(service));
    let hidden = service
        .changes
        .iter()
        .filter(|change| !is_told_of_new(&change.path) && !is_told(service, change));
    notes.hidden.values += hidden.count();
    facts
}

/// A line for each volume: `class "fast", mount "/data", size "1Gi"`.
fn volumes(service: &ServiceChange) -> Vec<Fact> {
    let mut facts: Vec<Fact> = Vec::new();
    for change in &service.changes {
        let Some((path, field)) = volume(&change.path) else {
            continue;
        };
        let path = values::visible(path);
        let said = format!("{} {}", values::visible(field), value(change));
        match facts.last_mut().filter(|last| last.path == path) {
            Some(last) => {
                last.value.push_str(&format!(", {said}"));
                last.values += 1;
                last.is_long |= is_long(change);
            }
            None => facts.push(Fact {
                path,
                value: said,
                at: change.at.clone(),
                values: 1,
                is_long: is_long(change),
            }),
        }
    }
    facts
}

fn value(change: &ModelChange) -> String {
    let value = change.after.as_ref();
    let told = value.map(|value| rows::inline(value, Form::Short));
    told.unwrap_or_default()
}

fn is_long(change: &ModelChange) -> bool {
    change.after.as_ref().is_some_and(excerpt::is_long_value)
}
