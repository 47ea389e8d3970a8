//! What comes out of a path: the emitted model's value, in the words of the language.
//! Pure. Only looks up; that a credential is not shown is the caller's to see to.
//! Read on in `starform_contract::model` for the model.

use serde_json::Value as Json;
use starform_contract::{GroupName, model::Variable};

use super::At;
use super::everywhere::Here;
use super::field::{Field, field};
use crate::secrets::HIDDEN;
use crate::table::{self, Place, PropSpec};
use crate::vars::credential;

/// Whether a host is known to be the project's own is said by whoever plans.
const NOT_OF_THE_FILE: &str = "verified";

/// A child of a service or something inside it, or a property of the service's own node; defaults filled in.
/// `None` where the model does not have it.
pub(super) fn of_child(here: &Here<'_>, name: &str, inner: &[&str]) -> Option<String> {
    let model = here.model.as_ref()?;
    let found = match field(name)? {
        Field::One(name) | Field::List(name) => at_path(model.get(name)?, inner)?,
        Field::ByName(name) => match inner {
            [] => model.get(name)?.clone(),
            inner => of_each(model.get(name)?.as_object()?.values(), inner)?,
        },
        Field::Spent => return None,
    };
    let order = table::find(Place::Service, name).map_or(&[][..], |spec| spec.props);
    Some(shown(&found, order))
}

pub(super) fn of_variable(here: &Here<'_>, key: &str) -> Option<String> {
    let value = here.state?.model.vars.get(key)?;
    Some(variable(key, value))
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

/// Down through objects; a list gives what each of its items has.
fn at_path(value: &Json, path: &[&str]) -> Option<Json> {
    let [first, rest @ ..] = path else {
        return Some(value.clone());
    };
    match value {
        Json::Array(items) => of_each(items.iter(), path),
        Json::Object(fields) => at_path(fields.get(*first)?, rest),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
    }
}

fn of_each<'v>(values: impl Iterator<Item = &'v Json>, path: &[&str]) -> Option<Json> {
    let found: Vec<Json> = values.filter_map(|value| at_path(value, path)).collect();
    (!found.is_empty()).then_some(Json::Array(found))
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
