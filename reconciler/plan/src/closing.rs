//! What a plan takes out of service without deleting it: hosts that nothing of it answers any more, and services
//! whose last pod goes.
//!
//! Pure. Reads only the document. Always holds: a host that another route of the same plan takes over is not closed.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::document::{Action, Effect, ObjectChange, Op, Opening, Owner, Plan, ServiceChange};

/// Hosts that end, each with the object that answered them.
pub(crate) fn hosts(plan: &Plan) -> Vec<(&ObjectChange, String)> {
    let opened = plan.objects.iter().flat_map(|change| &change.opens);
    let opened: BTreeSet<&str> = opened
        .filter_map(|opening| match opening {
            Opening::Host(host) => Some(host.as_str()),
            Opening::Path(_) | Opening::Traffic | Opening::Right(_) | Opening::Subject(_) => None,
        })
        .collect();
    let routes = plan.objects.iter();
    // What is kept goes on answering.
    let stays = |change: &ObjectChange| matches!(change.action, Action::Retain | Action::Forget);
    let routes = routes.filter(|change| change.key.kind == "HTTPRoute" && !stays(change));
    routes
        .flat_map(|change| {
            let ended = ended(change).into_iter();
            ended.map(move |host| (change, host))
        })
        .filter(|(_, host)| !opened.contains(host.as_str()))
        .collect()
}

/// Services that stay and stop.
pub(crate) fn stopped(plan: &Plan) -> impl Iterator<Item = &ServiceChange> {
    let services = plan.services.iter();
    services.filter(|service| service.effect == Effect::Stop && service.action != Action::Delete)
}

/// Who answered the host.
pub(crate) fn owner(change: &ObjectChange) -> &str {
    match &change.owner {
        Owner::Service(name) => name.as_str(),
        Owner::Environment | Owner::Project | Owner::Platform => change.key.name.as_str(),
    }
}

fn ended(change: &ObjectChange) -> BTreeSet<String> {
    let mut before = BTreeSet::new();
    let mut after = BTreeSet::new();
    let fields = change.fields.iter().filter(|field| field.op != Op::Move);
    for field in fields {
        let (was, is) = (field.before.as_ref(), field.after.as_ref());
        let of = |value: Option<&Value>| match field.path.as_str() {
            "/spec" => texts(value.and_then(|spec| spec.get("hostnames"))),
            path if path.starts_with("/spec/hostnames") => texts(value),
            _ => BTreeSet::new(),
        };
        before.extend(of(was));
        after.extend(of(is));
    }
    before.difference(&after).cloned().collect()
}

fn texts(value: Option<&Value>) -> BTreeSet<String> {
    match value {
        Some(Value::String(text)) => BTreeSet::from([text.clone()]),
        Some(Value::Array(items)) => {
            let texts = items.iter().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
            BTreeSet::new()
        }
    }
}
