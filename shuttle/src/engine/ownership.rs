//! Sets of fields as `fieldsV1` of `managedFields` writes them, and how one manager's go over to another.
//!
//! Pure. A member of the set is an empty object, or one with the member `.`; the steps are `f:` a field,
//! `k:` an item of a list by its keys, `v:` a value of a set, `i:` a place. Always holds: no value of a field
//! is read, but for keys of list items; a field that somebody states inside another is stated with it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    fields::{other_manager, own_fields},
    io::Foreign,
};

/// More paths of one manager than this are of no use to a person.
const MOST_PATHS: usize = 20;

/// Not what an object is for: labels and annotations are everybody's, status a controller's.
const APART: [&str; 2] = ["f:metadata", "f:status"];

pub(super) fn is_empty(fields: &Value) -> bool {
    fields.as_object().is_none_or(Map::is_empty)
}

/// Without metadata and status.
pub(super) fn outside(fields: &Value) -> Value {
    let members = fields.as_object().into_iter().flatten();
    let outside = members.filter(|(name, _)| !APART.contains(&name.as_str()));
    Value::Object(
        outside
            .map(|(name, inner)| (name.clone(), inner.clone()))
            .collect(),
    )
}

/// What `fields` has and `other` has no part of.
pub(super) fn difference(fields: &Value, other: &Value) -> Value {
    let left = members(fields).filter_map(|(step, inner)| {
        let left = match other.get(step) {
            Some(known) => unless_empty(difference(inner, known))?,
            None => inner.clone(),
        };
        Some((step.clone(), left))
    });
    Value::Object(left.collect())
}

/// What `fields` has and the manifest says nothing about.
pub(super) fn unstated(fields: &Value, manifest: &Value) -> Value {
    let left = members(fields).filter_map(|(step, inner)| {
        let left = match member(manifest, step) {
            Some(stated) => unless_empty(unstated(inner, stated))?,
            None => inner.clone(),
        };
        Some((step.clone(), left))
    });
    Value::Object(left.collect())
}

/// What `fields` has and the manifest states too.
pub(super) fn stated(fields: &Value, manifest: &Value) -> Value {
    take(fields, &unstated(fields, manifest)).1
}

/// What `fields` has of `wanted`, and the rest.
pub(super) fn take(fields: &Value, wanted: &Value) -> (Value, Value) {
    let (mut taken, mut rest) = (Map::new(), Map::new());
    for (step, inner) in fields.as_object().into_iter().flatten() {
        let (of_it, left) = match wanted.get(step) {
            None => (None, Some(inner.clone())),
            Some(wanted) if is_empty(wanted) || wanted == inner => (Some(inner.clone()), None),
            Some(wanted) => {
                let (taken, rest) = take(inner, wanted);
                (unless_empty(taken), unless_empty(rest))
            }
        };
        taken.extend(of_it.map(|inner| (step.clone(), inner)));
        rest.extend(left.map(|inner| (step.clone(), inner)));
    }
    (Value::Object(taken), Value::Object(rest))
}

/// `fields` without what this path leads to.
pub(super) fn without(fields: Value, path: &[&str]) -> Value {
    let Value::Object(mut held) = fields else {
        return fields;
    };
    let Some((step, inner)) = path
        .first()
        .and_then(|step| Some((*step, held.remove(*step)?)))
    else {
        return Value::Object(held);
    };
    let left = match &path[1..] {
        [] => None,
        // Only what holds it is left of it: that is no field of its own.
        deeper => Some(without(inner, deeper)).filter(|left| members(left).next().is_some()),
    };
    held.extend(left.map(|left| (step.to_owned(), left)));
    Value::Object(held)
}

/// Both together.
pub(super) fn union(one: &Value, other: &Value) -> Value {
    let (Some(left), Some(right)) = (one.as_object(), other.as_object()) else {
        return one.clone();
    };
    let mut both = left.clone();
    for (step, inner) in right {
        let inner = match left.get(step) {
            Some(known) => union(known, inner),
            None => inner.clone(),
        };
        both.insert(step.clone(), inner);
    }
    if left.is_empty() != right.is_empty() {
        // One has the field itself, the other something in it.
        both.insert(".".to_owned(), Value::Object(Map::new()));
    }
    Value::Object(both)
}

/// The members, as people write them.
pub(super) fn paths(fields: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    for (step, inner) in fields.as_object().into_iter().flatten() {
        leaves(&step_name(step), inner, &mut paths);
    }
    paths
}

/// `managedFields` in which what others hold is ours; `None` where nothing of it is left to take, or where
/// we hold nothing to add it to.
pub(crate) fn seize(entries: &[Value], from: &[Foreign]) -> Option<Vec<Value>> {
    let mut seized = entries.iter().find_map(own_fields)?.clone();
    let mut after: Vec<Value> = Vec::with_capacity(entries.len());
    for entry in entries {
        let manager = other_manager(entry);
        let wanted = from.iter().find(|from| Some(&*from.manager) == manager);
        let Some((wanted, fields)) = wanted.zip(entry.get("fieldsV1")) else {
            after.push(entry.clone());
            continue;
        };
        let (taken, rest) = take(fields, &wanted.fields);
        if !is_empty(&taken) {
            seized = union(&seized, &taken);
        }
        if !is_empty(&rest) {
            let mut entry = entry.clone();
            entry["fieldsV1"] = rest;
            after.push(entry);
        }
    }
    let own = after.iter_mut().find(|entry| own_fields(entry).is_some())?;
    let before = std::mem::replace(&mut own["fieldsV1"], seized.clone());
    (before != seized).then_some(after)
}

/// Without the mark of the field itself: who has something in it has a part of it.
fn members(fields: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let members = fields.as_object().into_iter().flatten();
    members.filter(|(step, _)| *step != ".")
}

fn unless_empty(fields: Value) -> Option<Value> {
    (!is_empty(&fields)).then_some(fields)
}

/// What a manifest states at this step. Keys that it leaves out have the value that the API server gives.
fn member<'a>(manifest: &'a Value, step: &str) -> Option<&'a Value> {
    let (sort, name) = step.split_once(':')?;
    let read = || serde_json::from_str::<Value>(name).ok();
    match sort {
        "f" => manifest.get(name),
        "k" => {
            let keys = read()?;
            let fits = |item: &&Value| {
                let mut keys = keys.as_object().into_iter().flatten();
                keys.all(|(key, value)| item.get(key).is_none_or(|known| known == value))
            };
            manifest.as_array()?.iter().find(fits)
        }
        "v" => {
            let value = read()?;
            manifest.as_array()?.iter().find(|item| **item == value)
        }
        "i" => manifest.get(name.parse::<usize>().ok()?),
        _ => None,
    }
}

/// The leaves under `path`; `.` marks an item of a list that is owned itself.
fn leaves(path: &str, fields: &Value, paths: &mut Vec<String>) {
    if paths.len() >= MOST_PATHS {
        return;
    }
    let Some(members) = fields.as_object().filter(|members| !members.is_empty()) else {
        paths.push(path.to_owned());
        return;
    };
    if members.contains_key(".") {
        paths.push(path.to_owned());
        return;
    }
    for (name, inner) in members {
        let step = step_name(name);
        let joined = if step.starts_with('[') {
            format!("{path}{step}")
        } else {
            format!("{path}.{step}")
        };
        leaves(&joined, inner, paths);
    }
}

/// `f:name` is a field, `k:{"name":"x"}` an item by key; `v:` (a value in a set) is not told.
fn step_name(name: &str) -> String {
    if let Some(field) = name.strip_prefix("f:") {
        return field.to_owned();
    }
    let keys = name
        .strip_prefix("k:")
        .and_then(|keys| serde_json::from_str::<BTreeMap<String, Value>>(keys).ok());
    match keys {
        Some(keys) => {
            let pairs: Vec<String> = keys
                .into_iter()
                .map(|(key, value)| match value {
                    Value::String(text) => format!("{key}={text}"),
                    Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::Array(_)
                    | Value::Object(_) => {
                        format!("{key}={value}")
                    }
                })
                .collect();
            format!("[{}]", pairs.join(","))
        }
        None => "[]".to_owned(),
    }
}
