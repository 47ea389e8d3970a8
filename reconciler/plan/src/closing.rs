//! What a plan ends without deleting it: hosts that nothing of it answers any more, services whose last pod goes,
//! and what guards the environment.
//!
//! Pure. Reads only the document. Always holds: a host that another route of the same plan takes over is not closed.

use std::collections::BTreeSet;

use serde_json::Value;
use starform_contract::state::DriftPolicy;

use crate::document::{
    Action, Effect, ObjectChange, Op, Opening, Owner, Plan, ServiceAction, ServiceChange,
};

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
    let stays = |change: &ObjectChange| match change.action {
        Action::Retain | Action::Forget => true,
        Action::Create
        | Action::Update
        | Action::Replace
        | Action::Delete
        | Action::Adopt
        | Action::None => false,
    };
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
    services
        .filter(|service| service.effect == Effect::Stop && service.action != ServiceAction::Delete)
}

/// What keeps an environment as it was agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    Protect,
    Drift,
}

impl Guard {
    pub(crate) const fn end(self) -> &'static str {
        match self {
            Self::Protect => "protect is taken away, so nothing needs an approval any more",
            Self::Drift => "drift is reported and not corrected any more",
        }
    }
}

/// The guards that the plan takes away.
pub(crate) fn guards(plan: &Plan) -> impl Iterator<Item = Guard> {
    let drift = |policy: DriftPolicy| serde_json::to_value(policy).expect("a word is JSON");
    let goes = move |path: &str, from: &Value, to: &Value| {
        let mut settings = plan.settings.iter();
        settings.any(|change| {
            change.path == path
                && change.before.as_ref() == Some(from)
                && change.after.as_ref() == Some(to)
        })
    };
    let protect = goes("protect", &Value::Bool(true), &Value::Bool(false));
    let corrected = goes(
        "drift",
        &drift(DriftPolicy::Correct),
        &drift(DriftPolicy::Report),
    );
    let protect = protect.then_some(Guard::Protect);
    let corrected = corrected.then_some(Guard::Drift);
    protect.into_iter().chain(corrected)
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
