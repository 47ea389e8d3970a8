//! Rights: few of the agent's own, and those that it has as a project's applier.
//!
//! Pure. Always holds: the agent itself can write a Namespace, the one RoleBinding of a project, and
//! what it keeps for itself; everything else it can do only as the applier of a namespace in which that
//! RoleBinding stands. No right of its own reaches a Secret of a project. What RBAC cannot say, such as
//! whose Namespaces, is said by admission policies.

use serde_json::{Value, json};
use starform_contract::{ClusterProfile, name::APPLIER};

use super::{AGENT, object};
use crate::{
    kinds::{KINDS, Kind, Watch, Writer, watched_everywhere},
    persist::{AGENT_KEY, NAMESPACE},
};

const RBAC: &str = "rbac.authorization.k8s.io";
const VERSION: &str = "rbac.authorization.k8s.io/v1";

pub(super) fn rights(profile: &ClusterProfile) -> Vec<Value> {
    let mut objects = vec![
        cluster_role(APPLIER, appliers()),
        cluster_role(AGENT, agents()),
        binding("ClusterRoleBinding", None, "ClusterRole"),
    ];
    objects.extend(in_namespace(NAMESPACE, own_namespace()));
    let gateway = &profile.gateway;
    if let Some(balancer) = &gateway.load_balancer {
        let rules = vec![annotated(&balancer.service)];
        objects.extend(in_namespace(&gateway.namespace, rules));
    }
    objects
}

/// What is done as a project's applier, in its namespace.
fn appliers() -> Vec<Value> {
    let written = KINDS
        .iter()
        .filter(|kind| kind.writer == Writer::Applier && kind.watch != Watch::Off);
    let mut rules: Vec<Value> = written
        .map(|kind| {
            let mut verbs = vec!["get", "create", "patch", "delete"];
            if kind.watch == Watch::MetadataPerNamespace {
                verbs.extend(["list", "watch"]);
            }
            rule(kind, &verbs)
        })
        .collect();
    // A project's end looks for what is not ours.
    rules.push(json!({ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"] }));
    // They say why a rollout does not move.
    rules.push(json!({ "apiGroups": [""], "resources": ["pods"], "verbs": ["list"] }));
    rules
}

/// What the agent does as itself, everywhere.
fn agents() -> Vec<Value> {
    let mut rules = vec![
        json!({
            "apiGroups": [""],
            "resources": ["namespaces"],
            "verbs": ["get", "list", "watch", "create", "patch", "delete"],
        }),
        json!({
            "apiGroups": [RBAC],
            "resources": ["rolebindings"],
            "resourceNames": [APPLIER],
            "verbs": ["get", "create", "patch", "delete"],
        }),
        json!({
            "apiGroups": [RBAC],
            "resources": ["clusterroles"],
            "resourceNames": [APPLIER],
            "verbs": ["bind"],
        }),
        json!({
            "apiGroups": [""],
            "resources": ["serviceaccounts"],
            "resourceNames": [APPLIER],
            "verbs": ["impersonate"],
        }),
    ];
    let watched = watched_everywhere().filter(|kind| kind.kind != "Namespace");
    rules.extend(watched.map(|kind| rule(kind, &["list", "watch"])));
    rules
}

/// Accepted state and inventory, and the key that secrets are sealed to; RBAC cannot say which Secret
/// may be created, so what else stands there cannot be read or changed.
fn own_namespace() -> Vec<Value> {
    vec![
        json!({
            "apiGroups": [""],
            "resources": ["configmaps"],
            "verbs": ["get", "list", "watch", "create", "update", "patch", "delete"],
        }),
        json!({ "apiGroups": [""], "resources": ["secrets"], "verbs": ["create"] }),
        json!({
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": [AGENT_KEY],
            "verbs": ["get"],
        }),
    ]
}

/// The Service before the Gateway, of which annotations are set, if it exists.
fn annotated(service: &str) -> Value {
    json!({
        "apiGroups": [""],
        "resources": ["services"],
        "resourceNames": [service],
        "verbs": ["get", "watch", "patch"],
    })
}

fn rule(kind: &Kind, verbs: &[&str]) -> Value {
    json!({ "apiGroups": [kind.group], "resources": [kind.plural], "verbs": verbs })
}

fn cluster_role(name: &str, rules: Vec<Value>) -> Value {
    object(
        VERSION,
        "ClusterRole",
        None,
        name,
        json!({ "rules": rules }),
    )
}

fn in_namespace(namespace: &str, rules: Vec<Value>) -> [Value; 2] {
    let body = json!({ "rules": rules });
    [
        object(VERSION, "Role", Some(namespace), AGENT, body),
        binding("RoleBinding", Some(namespace), "Role"),
    ]
}

/// Gives the agent the role that is called as it is.
fn binding(kind: &str, namespace: Option<&str>, role: &str) -> Value {
    let body = json!({
        "roleRef": { "apiGroup": RBAC, "kind": role, "name": AGENT },
        "subjects": [{ "kind": "ServiceAccount", "name": AGENT, "namespace": NAMESPACE }],
    });
    object(VERSION, kind, namespace, AGENT, body)
}
