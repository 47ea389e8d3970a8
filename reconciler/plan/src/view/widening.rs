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
        "HTTPRoute" => hosts(&change.fields)
            .into_iter()
            .map(|host| format!("opens https://{}", values::visible(&host)))
            .collect(),
        "NetworkPolicy" => vec![format!("admits more traffic by NetworkPolicy {name}")],
        _ => vec![format!(
            "may run as root or with more rights in {kind} {name}"
        )],
    }
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
