//! A service in every environment that is asked about: resolved once in each, its model read once.
//! Pure. Whatever is asked of a service is asked of this, so a question costs no more than its answer.
//! Read on in `service` for the questions and in `value` for what a model answers.

use serde_json::Value as Json;
use starform_contract::ServiceState;

use super::{Answer, At, Explained, Role, grouped, said};
use crate::project::{Presence, Service};
use crate::resolve::{self, LayerName, Resolved};

pub(super) struct Everywhere<'a> {
    pub(super) service: &'a Service,
    /// In the order of the file.
    pub(super) each: Vec<Here<'a>>,
}

/// A service in one environment.
pub(super) struct Here<'a> {
    pub(super) at: &'a At<'a>,
    /// `None`: it is not there.
    pub(super) resolved: Option<Resolved<'a>>,
    /// `None`: it is not there, or this version cannot deploy the environment.
    pub(super) state: Option<&'a ServiceState>,
    /// The model of `state` as its JSON.
    pub(super) model: Option<Json>,
}

impl<'a> Everywhere<'a> {
    pub(super) fn new(at: &'a [At<'a>], service: &'a Service) -> Self {
        let each = at.iter().map(|at| Here::new(at, service)).collect();
        Self { service, each }
    }

    /// Where the service is.
    pub(super) fn resolved(&self) -> impl Iterator<Item = (&'a At<'a>, &Resolved<'a>)> {
        self.each
            .iter()
            .filter_map(|here| Some((here.at, here.resolved.as_ref()?)))
    }

    /// One answer an environment; where the service does not exist, that is the answer.
    pub(super) fn answers(
        &self,
        path: &[&str],
        answer: impl Fn(&Here<'a>, &Resolved<'a>) -> Answer,
    ) -> Explained {
        let each = self.each.iter().map(|here| {
            let answer = match &here.resolved {
                Some(resolved) => answer(here, resolved),
                None => absent(here.at, self.service),
            };
            (here.at.environment, answer)
        });
        let name = self.service.name.value.as_str();
        Explained {
            path: [&[name], path].concat().join("."),
            answers: grouped(each),
        }
    }
}

impl<'a> Here<'a> {
    fn new(at: &'a At<'a>, service: &'a Service) -> Self {
        let resolved = service
            .presence
            .includes(at.environment)
            .then(|| resolve::service(&at.project.model, service, at.environment));
        let named = |state: &&ServiceState| state.name == service.name.value;
        let services = at.state.as_ref().map(|state| &state.services);
        let state = services.and_then(|services| services.iter().find(named));
        Self {
            at,
            resolved,
            state,
            model: state.map(model),
        }
    }
}

fn model(state: &ServiceState) -> Json {
    serde_json::to_value(&state.model).expect("models have string keys")
}

/// What keeps the service out of an environment.
fn absent(at: &At<'_>, service: &Service) -> Answer {
    let names = match &service.presence {
        Presence::Everywhere => None,
        Presence::Only(names) | Presence::NotIn(names) => names.list.first(),
    };
    let said = names.map(|name| {
        let text = at.written.text(name.span);
        said(at, Role::Absent, LayerName::Own, name.span, text)
    });
    Answer::new(None, said.into_iter().collect())
}
