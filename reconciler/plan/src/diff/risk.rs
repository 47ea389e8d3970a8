//! What a change of an object may do to what runs, and which changes need a new object.
//!
//! Pure. Two tables and a few rules; when in doubt the higher risk. Always holds: what widens says what it
//! opens. Sources: the API's validation
//! (fields it calls immutable); `docs/plans.md` says what counts as a widening.

use std::collections::BTreeSet;

use serde_json::Value;
use starform_contract::ObjectKey;

use crate::document::{Action, FieldChange, Op, Opening, Risk};

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

/// The risk of one object's change, which opens so much.
pub fn of(key: &ObjectKey, action: Action, fields: &[FieldChange], opens: &[Opening]) -> Risk {
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
            if !opens.is_empty() {
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

/// What a change opens that was closed before; manifests as they were and as they will be.
pub fn opens(
    key: &ObjectKey,
    fields: &[FieldChange],
    before: Option<&Value>,
    after: Option<&Value>,
) -> Vec<Opening> {
    if after.is_none() {
        return Vec::new();
    }
    match key.kind.as_str() {
        "HTTPRoute" => routed(before, after),
        "NetworkPolicy" => {
            let more = before.is_some() && fields.iter().any(|field| admits_more(field, after));
            more.then_some(Opening::Traffic).into_iter().collect()
        }
        "RoleBinding" => {
            let (old, new) = (subjects(before), subjects(after));
            let granted = new.difference(&old).filter(|_| before.is_some());
            granted.cloned().map(Opening::Subject).collect()
        }
        _ => {
            let (old, new) = (rights(key, before), rights(key, after));
            let gained = new.difference(&old).map(|(_, right)| right.clone());
            let gained: BTreeSet<String> = gained.collect();
            let is_capability = |right: &String| right.starts_with(|c: char| c.is_uppercase());
            let (capabilities, gravest): (Vec<_>, Vec<_>) =
                gained.into_iter().partition(is_capability);
            let gained = gravest.into_iter().chain(capabilities);
            gained.map(Opening::Right).collect()
        }
    }
}

/// Hosts that were not routed, and paths that no path of before covered. A new route's paths are those
/// of its hosts, so they are not said beside them.
fn routed(before: Option<&Value>, after: Option<&Value>) -> Vec<Opening> {
    let (old_hosts, new_hosts) = (hosts(before), hosts(after));
    let new_hosts = new_hosts.difference(&old_hosts);
    let mut opens: Vec<Opening> = new_hosts
        .map(|host| Opening::Host((*host).to_owned()))
        .collect();
    if before.is_some() || opens.is_empty() {
        let old = answered_paths(before);
        let is_new = |path: &&str| !old.iter().any(|old| covers(old, path));
        let paths = answered_paths(after).into_iter().filter(is_new);
        opens.extend(paths.map(|path| Opening::Path(path.to_owned())));
    }
    opens
}

fn hosts(manifest: Option<&Value>) -> BTreeSet<&str> {
    manifest
        .and_then(|manifest| manifest.pointer("/spec/hostnames")?.as_array())
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// The paths of the rules that have a backend, which redirects have not.
fn answered_paths(manifest: Option<&Value>) -> BTreeSet<&str> {
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

/// Whom a RoleBinding gives its role to: `ServiceAccount NAMESPACE/NAME`.
fn subjects(manifest: Option<&Value>) -> BTreeSet<String> {
    let all = manifest.and_then(|manifest| manifest.get("subjects")?.as_array());
    let text = |subject: &Value, field: &str| {
        let text = subject.get(field).and_then(Value::as_str);
        text.map(str::to_owned)
    };
    all.into_iter()
        .flatten()
        .map(|subject| {
            let kind = text(subject, "kind").unwrap_or_default();
            let name = text(subject, "name").unwrap_or_default();
            match text(subject, "namespace") {
                Some(namespace) => format!("{kind} {namespace}/{name}"),
                None => format!("{kind} {name}"),
            }
        })
        .collect()
}

/// Anything in a policy's `spec` but a rule, peer or port that goes, or an exception that comes.
fn admits_more(field: &FieldChange, after: Option<&Value>) -> bool {
    if !is_at_or_below(&field.path, "/spec") {
        return false;
    }
    let excepts = field.path.contains("/except");
    let selects = selects_peers(&field.path);
    match field.op {
        Op::Move => false,
        Op::Add => !excepts && !selects,
        Op::Remove => excepts || selects || !leaves_a_restriction(&field.path, after),
        Op::Set => true,
    }
}

/// A label that a peer has to have: with one more, fewer pods are meant. Of the policy's own pods it is the other
/// way.
fn selects_peers(path: &str) -> bool {
    let of_peer = is_at_or_below(path, "/spec/ingress") || is_at_or_below(path, "/spec/egress");
    of_peer && path.contains("Selector/matchLabels")
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

/// What a pod of the object may do beyond a restricted pod, each with the container that may; the
/// pod's own name is empty.
fn rights(key: &ObjectKey, manifest: Option<&Value>) -> BTreeSet<(String, String)> {
    let template = POD_TEMPLATES.iter().find(|(kind, _)| *kind == key.kind);
    let pod = template.and_then(|(_, path)| manifest?.pointer(path)?.get("spec"));
    let Some(pod) = pod else {
        return BTreeSet::new();
    };
    let containers = ["containers", "initContainers"]
        .into_iter()
        .filter_map(|list| pod.get(list)?.as_array())
        .flatten();
    let named = containers.map(|container| {
        let name = container.get("name").and_then(Value::as_str);
        (name.unwrap_or_default(), container)
    });
    let mut rights: BTreeSet<(String, String)> = named
        .chain([("", pod)])
        .filter_map(|(name, part)| Some((name, part.get("securityContext")?)))
        .flat_map(|(name, context)| {
            let rights = elevated(context).into_iter();
            rights.map(move |right| (name.to_owned(), right))
        })
        .collect();
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        if pod.get(field) == Some(&Value::Bool(true)) {
            rights.insert((String::new(), field.to_owned()));
        }
    }
    rights
}

fn elevated(context: &Value) -> Vec<String> {
    let is = |field: &str, flag: bool| context.get(field) == Some(&Value::Bool(flag));
    let root =
        context.get("runAsUser").and_then(Value::as_i64) == Some(0) || is("runAsNonRoot", false);
    let flags = [
        (root, "root"),
        (is("privileged", true), "privileged"),
        (
            is("allowPrivilegeEscalation", true),
            "allowPrivilegeEscalation",
        ),
    ];
    let flags = flags.into_iter().filter(|(is_set, _)| *is_set);
    let added = context.pointer("/capabilities/add");
    let added = added.and_then(Value::as_array).into_iter().flatten();
    let added = added.filter_map(Value::as_str);
    flags
        .map(|(_, right)| right)
        .chain(added)
        .map(str::to_owned)
        .collect()
}

fn is_at_or_below(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
