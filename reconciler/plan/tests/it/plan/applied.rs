//! A plan's fields applied to a manifest, as a reader of the document would.
//!
//! Pure. Written from the document's description alone, so that it says when the description is not
//! enough. Content of Secrets is left out on both sides.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use starform_contract::ObjectKey;
use starform_plan::document::{FieldChange, Op};

/// What happens at one place and below it.
#[derive(Default)]
struct Node<'a> {
    here: Option<&'a FieldChange>,
    removed: BTreeMap<String, &'a FieldChange>,
    below: BTreeMap<String, Node<'a>>,
}

pub(crate) fn apply(key: &ObjectKey, manifest: Value, fields: &[FieldChange]) -> Value {
    let mut root = Node::default();
    let about_manifest = fields.iter().filter(|field| field.path.starts_with('/'));
    for field in about_manifest.filter(|field| field.secret.is_none()) {
        let steps: Vec<String> = field.path[1..]
            .split('/')
            .map(|step| step.replace("~1", "/").replace("~0", "~"))
            .collect();
        let (last, above) = steps.split_last().unwrap();
        let mut node = &mut root;
        for step in above {
            node = node.below.entry(step.clone()).or_default();
        }
        if field.op == Op::Remove {
            node.removed.insert(last.clone(), field);
        } else {
            let node = node.below.entry(last.clone()).or_default();
            assert!(node.here.is_none(), "{key}: two changes at {}", field.path);
            node.here = Some(field);
        }
    }
    let manifest = if manifest.is_null() {
        Value::Object(Map::new())
    } else {
        manifest
    };
    veil(walk(key, manifest, &root))
}

/// Without the content of a Secret.
pub(crate) fn veil(mut manifest: Value) -> Value {
    if manifest["kind"] == "Secret" {
        let manifest = manifest.as_object_mut().unwrap();
        manifest.remove("data");
        manifest.remove("stringData");
    }
    manifest
}

fn walk(key: &ObjectKey, value: Value, node: &Node<'_>) -> Value {
    let value = match node.here.map(|field| (field.op, field)) {
        Some((Op::Add | Op::Set, field)) => {
            assert_eq!(
                field.before.clone().unwrap_or(value.clone()),
                value,
                "{key}"
            );
            return field.after.clone().unwrap();
        }
        Some((Op::Move, field)) => return moved(key, value, field, node),
        Some((Op::Remove, _)) => unreachable!("kept apart"),
        None => value,
    };
    match value {
        Value::Object(mut fields) => {
            for (step, field) in &node.removed {
                assert_eq!(fields.remove(step), field.before, "{key} {step}");
            }
            for (step, inner) in &node.below {
                let value = fields.remove(step).unwrap_or(Value::Null);
                fields.insert(step.clone(), walk(key, value, inner));
            }
            Value::Object(fields)
        }
        Value::Array(items) => list(key, without_removed(key, items, node), node),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            assert!(
                node.removed.is_empty() && node.below.is_empty(),
                "{key}: {other}"
            );
            other
        }
    }
}

/// Brings what stayed into its new order; elements are found by any field that holds their name.
fn moved(key: &ObjectKey, value: Value, field: &FieldChange, node: &Node<'_>) -> Value {
    let items = without_removed(key, value.as_array().unwrap().clone(), node);
    let order = field.after.as_ref().unwrap().as_array().unwrap();
    let was = field.before.as_ref().unwrap().as_array().unwrap();
    assert_eq!(was.len(), items.len(), "{key} {}", field.path);
    let places: Vec<usize> = order
        .iter()
        .map(|name| was.iter().position(|other| other == name).unwrap())
        .collect();
    let items = places.into_iter().map(|at| items[at].clone()).collect();
    list(key, items, node)
}

fn without_removed(key: &ObjectKey, items: Vec<Value>, node: &Node<'_>) -> Vec<Value> {
    for (step, field) in &node.removed {
        let at: usize = step.parse().unwrap();
        assert_eq!(Some(&items[at]), field.before.as_ref(), "{key} {step}");
    }
    let kept = items.into_iter().enumerate();
    kept.filter(|(at, _)| !node.removed.contains_key(&at.to_string()))
        .map(|(_, item)| item)
        .collect()
}

/// Puts added elements at their places, then changes what stands at its place after the change.
fn list(key: &ObjectKey, mut items: Vec<Value>, node: &Node<'_>) -> Value {
    let mut places: Vec<(usize, &Node<'_>)> = node
        .below
        .iter()
        .map(|(step, inner)| (step.parse().unwrap(), inner))
        .collect();
    places.sort_by_key(|(at, _)| *at);
    for (at, inner) in places {
        match inner.here {
            Some(field) if field.op == Op::Add => items.insert(at, field.after.clone().unwrap()),
            Some(_) | None => {
                let item = items[at].clone();
                items[at] = walk(key, item, inner);
            }
        }
    }
    Value::Array(items)
}
