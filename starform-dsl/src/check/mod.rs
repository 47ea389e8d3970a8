//! Rules over the whole project: names that must exist, and what must hold of a service in each environment.
//! Pure. What holds for several environments alike is said once, with a note where it is not all of them.
//! Read on in `names` (what refers to what), `service` (one service in one environment), `hosts` and `limits`.

mod former;
mod hosts;
mod image;
mod limits;
mod names;
mod routes;
mod service;
mod vars;
mod volumes;

pub(crate) use limits::{MOST_ENVIRONMENTS, MOST_PLACES, MOST_SERVICES};

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::EnvironmentName;

use crate::diag::{Code, Diagnostic};
use crate::lower::Known;
use crate::project::{Model, Service, Spanned};
use crate::resolve;
use crate::source::Span;

/// Every mistake that only the whole shows.
pub(crate) fn run(model: &Model, known: &Known) -> Vec<Diagnostic> {
    let mut findings = Findings::default();
    if !limits::check(model, &mut findings) {
        return findings.finish(model);
    }
    names::check(model, known, &mut findings);
    former::check(model, &mut findings);
    image::check_effect(model, &mut findings);
    let mut hosts = hosts::Hosts::default();
    let scopes = model.scopes();
    for environment in &scopes {
        let doors = doors(model, environment);
        for service in model.services_in(environment) {
            let resolved = resolve::service(model, service, environment);
            let mut at = At {
                model,
                environment,
                doors: &doors,
                findings: &mut findings,
            };
            image::check(&mut at, &resolved);
            service::check(&mut at, &resolved);
            volumes::check(&mut at, &resolved);
            routes::check(&mut at, &resolved);
            vars::check(&mut at, &resolved);
            hosts.add(&mut at, &resolved);
        }
    }
    findings.finish(model)
}

/// A service of one environment, and where to say what is wrong with it.
struct At<'m, 'f> {
    model: &'m Model,
    environment: &'m EnvironmentName,
    doors: &'f Doors<'m>,
    findings: &'f mut Findings,
}

/// Whom the services of one environment let in, where they say it.
type Doors<'m> = BTreeMap<&'m str, BTreeSet<&'m str>>;

fn doors<'m>(model: &'m Model, environment: &'m EnvironmentName) -> Doors<'m> {
    model
        .services_in(environment)
        .filter_map(|service| {
            let names = resolve::let_in(model, service, environment)?;
            // Of a list with a name that nothing has nobody knows whom it means.
            let known = |name: &Spanned<String>| model.service(&name.value).is_some();
            names.iter().all(known).then_some(())?;
            let names = names.iter().map(|name| name.value.as_str()).collect();
            Some((service.name.value.as_str(), names))
        })
        .collect()
}

impl At<'_, '_> {
    fn report(&mut self, service: &Service, diagnostic: Diagnostic) {
        self.findings
            .add(service.path(), diagnostic, Some(self.environment));
    }
}

/// Diagnostics by what they say, with the environments they hold in; none named: everywhere.
#[derive(Default)]
struct Findings(BTreeMap<(Span, Code, String), (Diagnostic, Vec<EnvironmentName>)>);

impl Findings {
    fn add(&mut self, path: String, diagnostic: Diagnostic, environment: Option<&EnvironmentName>) {
        let key = (
            diagnostic.primary.span,
            diagnostic.code,
            diagnostic.title.clone(),
        );
        let entry = self
            .0
            .entry(key)
            .or_insert_with(|| (diagnostic.node_path(path), Vec::new()));
        match environment {
            Some(name) if !entry.1.contains(name) => entry.1.push(name.clone()),
            Some(_) | None => {}
        }
    }

    fn finish(self, model: &Model) -> Vec<Diagnostic> {
        let all = model.scopes().len();
        self.0
            .into_values()
            .map(|(diagnostic, environments)| {
                if environments.is_empty() || environments.len() == all {
                    return diagnostic;
                }
                let named =
                    |name: &EnvironmentName| diagnostic.title.contains(&format!("`{name}`"));
                if environments.iter().all(named) {
                    return diagnostic;
                }
                let names: Vec<String> = environments
                    .iter()
                    .map(|name| format!("`{name}`"))
                    .collect();
                diagnostic.note(format!("in {}", names.join(", ")))
            })
            .collect()
    }
}
