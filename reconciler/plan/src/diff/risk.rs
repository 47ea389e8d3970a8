//! What a change of an object may do to what runs, and which changes need a new object.
//!
//! Pure. Two tables and a few rules; when in doubt the higher risk. Sources: the API's validation
//! (fields it calls immutable); `docs/plans.md` says what counts as a widening.

use std::collections::BTreeSet;

use serde_json::Value;
use starform_contract::ObjectKey;

use crate::document::{Action, FieldChange, Op, Risk};

/// Fields that the API server refuses to change, for kinds that may be deleted and made anew. A
/// volume claim holds data and a route carries identity, so neither is ever replaced. A release Job
/// that would run something else has another name, and what else differs in it is no reason to run it
/// again.
const IMMUTABLE: [(&str, &str, &[&str]); 4] = [
    ("apps", "Deployment", &["/spec/selector"]),
    ("", "Service", &["/spec/clusterIP", "/spec/clusterIPs"]),
    ("", "Secret", &["/type"]),
    ("rbac.authorization.k8s.io", "RoleBinding", &["/roleRef"]),
];

/// Kinds that run pods, and the place of the pod template; a change there replaces the pods of the
/// first kind at once, of a CronJob with its next run.
const POD_TEMPLATES: [(&str, &str); 3] = [
    ("Deployment", "/spec/template"),
    ("CronJob", "/spec/jobTemplate/spec/template"),
    ("Job", "/spec/template"),
];

/// Whether the API server refuses one of the changes in place.
pub fn needs_replacement(key: &ObjectKey, fields: &[FieldChange]) -> bool {
    let row = IMMUTABLE
        .iter()
        .find(|(group, kind, _)| *group == key.group && *kind == key.kind);
    row.is_some_and(|(_, _, paths)| {
        fields
            .iter()
            .any(|field| paths.iter().any(|path| is_at_or_below(&field.path, path)))
    })
}

/// Whether the pods of a Deployment are replaced by the change.
pub fn rolls_out(key: &ObjectKey, action: Action, fields: &[FieldChange]) -> bool {
    key.kind == "Deployment"
        && match action {
            Action::Replace => true,
            Action::Update => fields
                .iter()
                .any(|field| is_at_or_below(&field.path, "/spec/template")),
            Action::Create
            | Action::Delete
            | Action::Retain
            | Action::Forget
            | Action::Adopt
            | Action::None => false,
        }
}

/// The risk of one object's change; manifests as they were and as they will be.
pub fn of(
    key: &ObjectKey,
    action: Action,
    fields: &[FieldChange],
    before: Option<&Value>,
    after: Option<&Value>,
) -> Risk {
    match action {
        Action::None => Risk::None,
        // A release that has run: the next one takes its place.
        Action::Delete if key.group == "batch" && key.kind == "Job" => Risk::Update,
        Action::Delete if key.group.is_empty() && key.kind == "PersistentVolumeClaim" => {
            Risk::Destroy
        }
        Action::Delete => Risk::Delete,
        Action::Replace => Risk::Replace,
        Action::Retain | Action::Forget => Risk::Update,
        Action::Create | Action::Adopt | Action::Update => {
            if widens(key, fields, before, after) {
                Risk::Widen
            } else if rolls_out(key, action, fields) {
                Risk::Rollout
            } else if action == Action::Create {
                Risk::Create
            } else {
                Risk::Update
            }
        }
    }
}

/// The host names of an HTTPRoute that were not routed before.
pub fn new_hosts(before: Option<&Value>, after: Option<&Value>) -> BTreeSet<String> {
    let hosts = |manifest: Option<&Value>| -> BTreeSet<String> {
        manifest
            .and_then(|manifest| manifest.pointer("/spec/hostnames")?.as_array())
            .into_iter()
            .flatten()
            .filter_map(|host| host.as_str().map(str::to_owned))
            .collect()
    };
    let old = hosts(before);
    hosts(after)
        .into_iter()
        .filter(|host| !old.contains(host))
        .collect()
}

fn widens(
    key: &ObjectKey,
    fields: &[FieldChange],
    before: Option<&Value>,
    after: Option<&Value>,
) -> bool {
    match key.kind.as_str() {
        "HTTPRoute" => !new_hosts(before, after).is_empty() || answers_more(before, after),
        "NetworkPolicy" => before.is_some() && fields.iter().any(|field| admits_more(field, after)),
        _ => privileged(key, after) && !privileged(key, before),
    }
}

/// Whether a route leads to a service from a path that no path of before covered.
fn answers_more(before: Option<&Value>, after: Option<&Value>) -> bool {
    let old = answered_paths(before);
    answered_paths(after)
        .iter()
        .any(|path| !old.iter().any(|old| covers(old, path)))
}

/// The paths of the rules that have a backend, which redirects have not.
fn answered_paths(manifest: Option<&Value>) -> Vec<&str> {
    manifest
        .and_then(|manifest| manifest.pointer("/spec/rules")?.as_array())
        .into_iter()
        .flatten()
        .filter(|rule| rule.get("backendRefs").is_some())
        .filter_map(|rule| rule.get("matches")?.as_array())
        .flatten()
        .filter_map(|matching| matching.pointer("/path/value")?.as_str())
        .collect()
}

fn covers(prefix: &str, path: &str) -> bool {
    prefix == "/" || is_at_or_below(path, prefix)
}

/// Anything in a policy's `spec` but a rule, peer or port that goes, or an exception that comes.
fn admits_more(field: &FieldChange, after: Option<&Value>) -> bool {
    if !is_at_or_below(&field.path, "/spec") {
        return false;
    }
    let excepts = field.path.contains("/except");
    match field.op {
        Op::Move => false,
        Op::Add => !excepts,
        Op::Remove => excepts || !leaves_a_restriction(&field.path, after),
        Op::Set => true,
    }
}

/// Whether what was removed is one of several peers or ports, or a rule: a list of peers or ports
/// without elements admits everyone; no rules admit nobody, as long as the policy has their type.
fn leaves_a_restriction(path: &str, after: Option<&Value>) -> bool {
    let types = after.and_then(|manifest| manifest.pointer("/spec/policyTypes")?.as_array());
    let is_stated = |name: &str| types.is_some_and(|types| types.iter().any(|t| t == name));
    match path {
        "/spec/ingress" => return is_stated("Ingress"),
        "/spec/egress" => return is_stated("Egress"),
        _ => {}
    }
    let Some((list, position)) = path.rsplit_once('/') else {
        return false;
    };
    let is_element = !position.is_empty() && position.bytes().all(|b| b.is_ascii_digit());
    let left = after.and_then(|manifest| manifest.pointer(list)?.as_array());
    match list.rsplit('/').next() {
        Some("ingress" | "egress") => is_element,
        Some("from" | "to" | "ports") => is_element && left.is_some_and(|left| !left.is_empty()),
        Some(_) | None => false,
    }
}

/// Whether a pod of the object may run as root or with more than a restricted pod's rights.
fn privileged(key: &ObjectKey, manifest: Option<&Value>) -> bool {
    let template = POD_TEMPLATES.iter().find(|(kind, _)| *kind == key.kind);
    let pod = template.and_then(|(_, path)| manifest?.pointer(path)?.get("spec"));
    let Some(pod) = pod else { return false };
    let containers = ["containers", "initContainers"]
        .into_iter()
        .filter_map(|list| pod.get(list)?.as_array())
        .flatten();
    let shares_host = ["hostNetwork", "hostPID", "hostIPC"]
        .iter()
        .any(|field| pod.get(field) == Some(&Value::Bool(true)));
    shares_host
        || containers
            .chain([pod])
            .filter_map(|part| part.get("securityContext"))
            .any(elevated)
}

fn elevated(context: &Value) -> bool {
    let is = |field: &str, flag: bool| context.get(field) == Some(&Value::Bool(flag));
    let capabilities = context
        .pointer("/capabilities/add")
        .and_then(Value::as_array);
    context.get("runAsUser").and_then(Value::as_i64) == Some(0)
        || is("runAsNonRoot", false)
        || is("privileged", true)
        || is("allowPrivilegeEscalation", true)
        || capabilities.is_some_and(|added| !added.is_empty())
}

fn is_at_or_below(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
