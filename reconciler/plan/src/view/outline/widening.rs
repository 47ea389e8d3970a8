//! What would be reachable, or allowed, that was not: said in one line each, never folded.
//!
//! Pure. Reads only the document: a route's new hosts are among its changed fields.

use serde_json::Value;

use crate::{
    document::{FieldChange, ObjectChange, Op, Risk},
    view::values,
};

/// One line for each thing that widens; empty for a change that does not.
pub(crate) fn lines(change: &ObjectChange) -> Vec<String> {
    if change.risk != Risk::Widen {
        return Vec::new();
    }
    let (kind, name) = (&change.key.kind, values::visible(&change.key.name));
    match kind.as_str() {
        "HTTPRoute" => route(&change.fields),
        "NetworkPolicy" => vec![format!("admits more traffic by NetworkPolicy {name}")],
        _ => vec![format!(
            "may run as root or with more rights in {kind} {name}"
        )],
    }
}

/// A route's new hosts; of one without, the paths that it answers more.
fn route(fields: &[FieldChange]) -> Vec<String> {
    let hosts = hosts(fields);
    if hosts.is_empty() {
        return paths(fields)
            .into_iter()
            .map(|path| format!("opens the path {}", values::visible(&path)))
            .collect();
    }
    hosts
        .into_iter()
        .map(|host| format!("opens https://{}", values::visible(&host)))
        .collect()
}

/// What stands as a path to match in rules that come or change.
fn paths(fields: &[FieldChange]) -> Vec<String> {
    let mut paths: Vec<String> = fields
        .iter()
        .filter(|field| matches!(field.op, Op::Add | Op::Set))
        .filter(|field| field.path.starts_with("/spec/rules"))
        .filter_map(|field| Some((field.path.as_str(), field.after.as_ref()?)))
        .flat_map(|(at, after)| {
            let whole = after.pointer("/matches/0/path/value");
            texts(whole.or_else(|| at.ends_with("/path/value").then_some(after)))
        })
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

fn hosts(fields: &[FieldChange]) -> Vec<String> {
    let mut hosts: Vec<String> = fields
        .iter()
        .filter(|field| matches!(field.op, Op::Add | Op::Set))
        .flat_map(|field| {
            let after = field.after.as_ref();
            match field.path.as_str() {
                "/spec" => texts(after.and_then(|spec| spec.get("hostnames"))),
                path if path.starts_with("/spec/hostnames") => texts(after),
                _ => Vec::new(),
            }
        })
        .collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
            Vec::new()
        }
    }
}
