//! What a path names: `SERVICE.CHILD.PROPERTY`, `SERVICE.vars.KEY`, `GROUP.KEY`, `ENVIRONMENT.CHILD`, `removed.KIND.NAME`.
//! Pure. A kind may stand before a name (`web.api.scale`), or for it where there is one service of the kind (`web.scale`).
//! Read on in `service`, `outer` and `removed` for the rest of the path.

use starform_contract::{GroupName, ServiceKind};

use super::removed;
use super::written::Written;
use crate::project::{Environment, Model, Project, Removed, Service};
use crate::table::{self, closest, foreign_node};

/// Whom a path speaks of, and what follows the name.
pub(super) enum Subject<'p> {
    Service(&'p Service, Vec<String>),
    Group(&'p GroupName, Vec<String>),
    Environment(&'p Environment, Vec<String>),
    Removed(&'p Removed, Vec<String>),
}

/// A path that leads nowhere, and the next step.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no {what} `{name}`; {next}")]
pub struct NoSuchPath {
    /// `service`, `environment`, …
    what: &'static str,
    name: String,
    next: String,
}

impl NoSuchPath {
    /// With the nearest of the names that there are, else with all of them if they are few.
    pub(super) fn new<'n>(
        what: &'static str,
        name: &str,
        known: impl Iterator<Item = &'n str>,
    ) -> Self {
        let known: Vec<&str> = known.collect();
        let near = closest(name, known.iter().copied())
            .or_else(|| foreign_node(name, known.iter().copied()));
        let next = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "there are none".to_owned(),
            None => format!("there {}", listed(&known)),
        };
        Self::with(what, name, next)
    }

    pub(super) fn with(what: &'static str, name: &str, next: impl Into<String>) -> Self {
        Self {
            what,
            name: name.to_owned(),
            next: next.into(),
        }
    }
}

const SHOWN: usize = 12;

fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("are {}{more}", shown.join(", "))
}

pub(super) fn subject<'p>(
    project: &'p Project,
    written: &Written<'_>,
    path: &str,
) -> Result<Subject<'p>, NoSuchPath> {
    let segments: Vec<&str> = path.split('.').collect();
    let rest = |from: usize| -> Vec<String> {
        segments[from..]
            .iter()
            .map(|segment| (*segment).to_owned())
            .collect()
    };
    let model = &project.model;
    if let [kind, name, ..] = segments[..]
        && let Some(subject) = qualified(model, kind, name, rest(2))
    {
        return Ok(subject);
    }
    let first = segments[0];
    if first == "removed"
        && let Some((line, taken)) = removed::find(model, &segments[1..])
    {
        return Ok(Subject::Removed(line, rest(1 + taken)));
    }
    if let Some(service) = model.service(first) {
        return Ok(Subject::Service(service, rest(1)));
    }
    if let Some(environment) = environment(model, first) {
        return Ok(Subject::Environment(environment, rest(1)));
    }
    if let Some((name, _)) = model.group(first) {
        return Ok(Subject::Group(name, rest(1)));
    }
    if first == "removed" {
        return Err(removed::no_such_line(model, &segments[1..]));
    }
    match removed::former(written, model, first) {
        Some(was) => Err(was),
        None => only_of_kind(model, first, rest(1)),
    }
}

/// `web.api…`, `environment.production…`, `var-group.shared…`.
fn qualified<'p>(
    model: &'p Model,
    kind: &str,
    name: &str,
    rest: Vec<String>,
) -> Option<Subject<'p>> {
    match kind {
        "environment" => {
            environment(model, name).map(|environment| Subject::Environment(environment, rest))
        }
        "var-group" => model
            .group(name)
            .map(|(name, _)| Subject::Group(name, rest)),
        word => model
            .service(name)
            .filter(|service| service.kind.kind().as_str() == word)
            .map(|service| Subject::Service(service, rest)),
    }
}

fn environment<'p>(model: &'p Model, name: &str) -> Option<&'p Environment> {
    model
        .environments
        .iter()
        .find(|environment| environment.name.as_str() == name)
}

/// The service of a kind that the project has once.
fn only_of_kind<'p>(
    model: &'p Model,
    word: &str,
    rest: Vec<String>,
) -> Result<Subject<'p>, NoSuchPath> {
    let kind = table::ALL_KINDS
        .iter()
        .find(|kind| kind.as_str() == word)
        .copied();
    let of_kind = |kind: ServiceKind| {
        model
            .services
            .values()
            .filter(move |service| service.kind.kind() == kind)
    };
    let Some(kind) = kind else {
        let services = model.services.keys().map(|name| name.as_str());
        let groups = model.groups.keys().map(|name| name.as_str());
        let environments = model.environments.iter().map(|found| found.name.as_str());
        let known = services.chain(groups).chain(environments);
        return Err(NoSuchPath::new(
            "service, var-group or environment",
            word,
            known,
        ));
    };
    let mut services = of_kind(kind);
    match (services.next(), services.next()) {
        (Some(only), None) => Ok(Subject::Service(only, rest)),
        (None, _) => Err(NoSuchPath::with(
            "service",
            word,
            format!("and the project has no {word} service"),
        )),
        (Some(_), Some(_)) => {
            let names: Vec<&str> = of_kind(kind)
                .map(|service| service.name.value.as_str())
                .collect();
            let next = format!("name one of the {word} services: there {}", listed(&names));
            Err(NoSuchPath::with("service", word, next))
        }
    }
}
