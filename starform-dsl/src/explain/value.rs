//! What comes out of a path: the emitted model's value, in the words of the language.
//! Pure. Only looks up; that a credential is not shown is the caller's to see to.
//! Read on in `starform_contract::model` for the model.

use serde_json::Value as Json;
use starform_contract::{GroupName, ServiceState, model::Variable};

use super::At;
use super::written::HIDDEN;
use crate::project::Service;
use crate::table::{self, Place, PropSpec};
use crate::vars::credential;

/// Whether a host is known to be the project's own is said by whoever plans.
const NOT_OF_THE_FILE: &str = "verified";

/// A child of a service, or something inside it, defaults filled in. `None` where the model does
/// not have it under the child's name.
pub(super) fn of_child(
    at: &At<'_>,
    service: &Service,
    name: &str,
    inner: &[&str],
) -> Option<String> {
    let model = serde_json::to_value(&state(at, service)?.model).ok()?;
    let spec = table::find(Place::Service, name);
    let name = spec.map_or(name, |spec| spec.slot());
    let found = model.get(name).or_else(|| model.get(format!("{name}s")))?;
    let order = spec.map_or(&[][..], |spec| spec.props);
    at_path(found, inner).map(|value| shown(&value, order))
}

pub(super) fn of_variable(at: &At<'_>, service: &Service, key: &str) -> Option<String> {
    state(at, service)?
        .model
        .vars
        .get(key)
        .map(|value| variable(key, value))
}

/// `None` as well for a group that no service of the environment uses.
pub(super) fn of_group(at: &At<'_>, group: &GroupName, key: &str) -> Option<String> {
    let found = at.state.as_ref()?.groups.get(group)?.get(key)?;
    Some(variable(key, found))
}

fn variable(key: &str, value: &Variable) -> String {
    match value {
        Variable::Secret { secret, .. } => format!("the secret {secret}"),
        Variable::Literal(text) if credential::sign(key, text).is_some() => HIDDEN.to_owned(),
        Variable::Literal(text) => text.clone(),
    }
}

fn state<'a>(at: &'a At<'_>, service: &Service) -> Option<&'a ServiceState> {
    let services = &at.state.as_ref()?.services;
    services
        .iter()
        .find(|state| state.name == service.name.value)
}

/// Down through objects; a list gives what each of its items has.
fn at_path(value: &Json, path: &[&str]) -> Option<Json> {
    let [first, rest @ ..] = path else {
        return Some(value.clone());
    };
    match value {
        Json::Array(items) => {
            let found: Vec<Json> = items
                .iter()
                .filter_map(|item| at_path(item, path))
                .collect();
            (!found.is_empty()).then_some(Json::Array(found))
        }
        Json::Object(fields) => at_path(fields.get(*first)?, rest),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
    }
}

/// `min=3 max=12`: properties in the order of the table, then all others by name.
fn shown(value: &Json, order: &[PropSpec]) -> String {
    match value {
        Json::Null => "nothing".to_owned(),
        Json::Bool(flag) => flag.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.clone(),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| inner(item, order)).collect();
            items.join(" ")
        }
        Json::Object(fields) => {
            let place = |name: &str| {
                let known = order.iter().position(|prop| prop.name == name);
                known.unwrap_or(order.len())
            };
            let mut fields: Vec<(&String, &Json)> = fields
                .iter()
                .filter(|(name, _)| *name != NOT_OF_THE_FILE)
                .collect();
            fields.sort_by_key(|(name, _)| place(name));
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}={}", inner(value, order)))
                .collect();
            fields.join(" ")
        }
    }
}

fn inner(value: &Json, order: &[PropSpec]) -> String {
    match value {
        Json::Object(_) => format!("{{{}}}", shown(value, order)),
        Json::Array(_) => format!("[{}]", shown(value, order)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => shown(value, order),
    }
}
