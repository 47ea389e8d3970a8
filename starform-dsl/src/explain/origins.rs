//! Where every value of an environment's model comes from: its layer and place, or that it is a default.
//! Pure. Asks the same questions as [`super::explain`], one for each value that comes out.
//! Read on in `crate::emit::origins` for the places that a plan shows.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;
use starform_contract::{EnvironmentName, ServiceName};

use super::everywhere::Everywhere;
use super::field::said_by;
use super::{At, Explained, Role, service, written::Written};
use crate::diag::Diagnostic;
use crate::emit::{Bindings, emit};
use crate::project::Project;
use crate::source::Span;

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
        state: Some(state),
        written: &written,
    }];
    let declared = project.model.services.values();
    let all = declared.filter_map(|service| {
        let everywhere = Everywhere::new(&at, service);
        let mut paths = Vec::new();
        let model = everywhere.each.first()?.model.as_ref()?;
        leaves(model, &mut Vec::new(), &mut paths);
        let found = paths
            .into_iter()
            .map(|path| (path.join("."), of(&everywhere, &path)))
            .collect();
        Some((service.name.value.clone(), found))
    });
    Ok(all.collect())
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

fn of(everywhere: &Everywhere<'_>, path: &[String]) -> Origin {
    let service = everywhere.service;
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    let explained = match parts[..] {
        ["vars", key] => Some(service::variable(everywhere, key)),
        [name, ref inner @ ..] => match said_by(name) {
            Some(name) if service::head_row(service).prop(name).is_some() => {
                Some(service::head(everywhere, name))
            }
            // A part that the language has no name for comes with the whole.
            Some(name) => service::child(everywhere, name, inner)
                .or_else(|_| service::child(everywhere, name, &inner[..inner.len().min(1)]))
                .or_else(|_| service::child(everywhere, name, &[]))
                .ok(),
            None => None,
        },
        [] => None,
    };
    match explained.as_ref().and_then(holder) {
        Some(origin) => origin,
        None if parts == ["kind"] || parts == ["refs"] => {
            let place = everywhere.each[0].at.written.place(service.name.span);
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

fn holder(explained: &Explained) -> Option<Origin> {
    let said = &explained.answers.first()?.said;
    let holds = said.iter().find(|said| said.role == Role::Holds)?;
    Some(Origin {
        layer: holds.layer.clone(),
        place: holds.place.as_ref().map(ToString::to_string),
    })
}
