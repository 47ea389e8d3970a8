//! Where every value of an environment's model comes from: its layer and place, or that it is a default.
//! Pure. Asks the same questions as [`super::explain`], one for each value that comes out.
//! Read on in `crate::emit::origins` for the places that a plan shows.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;
use starform_contract::{EnvironmentName, ServiceName};

use super::{At, Explained, Role, service, written::Written};
use crate::diag::Diagnostic;
use crate::emit::{Bindings, emit};
use crate::project::{Project, Service};
use crate::source::Span;
use crate::table::{self, Place};

/// Who says a value, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// `in production`, `partial small`, …; `default`, `platform`.
    pub layer: String,
    /// `FILE:LINE:COLUMN`; `None` where it stands nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// By service, then by path in the service's model (`scale.max`, `vars.KEY`). Errors: those of `emit`.
pub fn origins(
    project: &Project,
    environment: &EnvironmentName,
    bindings: &Bindings,
    secrets: &[Span],
) -> Result<BTreeMap<ServiceName, BTreeMap<String, Origin>>, Vec<Diagnostic>> {
    let state = emit(project, environment, bindings)?.state;
    let written = Written::new(project, secrets);
    let at = [At {
        project,
        environment,
        state: Some(state.clone()),
        written: &written,
    }];
    let mut all = BTreeMap::new();
    for emitted in &state.services {
        let model = serde_json::to_value(&emitted.model).expect("models have string keys");
        let mut paths = Vec::new();
        leaves(&model, &mut Vec::new(), &mut paths);
        let Some(declared) = project.model.services.get(&emitted.name) else {
            continue;
        };
        let found = paths
            .into_iter()
            .map(|path| (path.join("."), of(&at, declared, &path)))
            .collect();
        all.insert(emitted.name.clone(), found);
    }
    Ok(all)
}

/// Paths of everything that is no object; lists are whole.
fn leaves(value: &Json, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    match value {
        Json::Object(fields) => {
            for (name, value) in fields {
                path.push(name.clone());
                leaves(value, path, found);
                path.pop();
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
            found.push(path.clone());
        }
    }
}

fn of(at: &[At<'_>], service: &Service, path: &[String]) -> Origin {
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    let explained = match parts[..] {
        ["vars", key] => service::variable(at, service, key).ok(),
        [name] if service::head_row(service).prop(name).is_some() => {
            Some(service::head(at, service, name))
        }
        [name, ref inner @ ..] => match node_of(name) {
            // A part that the language has no name for comes with the whole.
            Some(node) => service::child(at, service, node, inner)
                .or_else(|_| service::child(at, service, node, &inner[..inner.len().min(1)]))
                .or_else(|_| service::child(at, service, node, &[]))
                .ok(),
            None => None,
        },
        [] => None,
    };
    match explained.as_ref().and_then(holder) {
        Some(origin) => origin,
        None if parts == ["kind"] || parts == ["refs"] => {
            let place = at[0].written.place(service.name.span);
            Origin {
                layer: "the service itself".to_owned(),
                place: Some(place.to_string()),
            }
        }
        None => Origin {
            layer: "platform".to_owned(),
            place: None,
        },
    }
}

/// The node of the language whose field of the model has a name: `ports` is made of `port`.
fn node_of(field: &str) -> Option<&'static str> {
    let named = |name: &str| table::find(Place::Service, name).map(|row| row.name);
    named(field).or_else(|| named(field.strip_suffix('s')?))
}

fn holder(explained: &Explained) -> Option<Origin> {
    let said = &explained.answers.first()?.said;
    let holds = said.iter().find(|said| said.role == Role::Holds)?;
    Some(Origin {
        layer: holds.layer.clone(),
        place: holds.place.as_ref().map(ToString::to_string),
    })
}
