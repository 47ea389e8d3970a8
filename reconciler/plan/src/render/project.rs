//! What a project has once, whatever its environments: Namespace, its applier's rights, quota, limits,
//! and with what its images are pulled.
//!
//! Pure. Always holds: the quota and the limits are those of the project's tier, so that a plan can
//! read from the accepted objects what the cluster will hold it to ([`crate::quota`]).

use serde_json::{Map, json};
use starform_contract::{Object, name, profile::Tier, quantity::Memory};

use super::{
    Scope,
    kind::{self, Kind},
    labels, network,
    pod::{EPHEMERAL_LIMIT, EPHEMERAL_REQUEST},
    secret,
};

/// Where the LimitRange says how much CPU a container may ask for: a maximum of its own would demand
/// a limit of every container, and CPU limits throttle.
pub(crate) const LARGEST_CPU: &str = "starform.io/largest-cpu";

/// Of a container that says nothing.
const UNSAID_MEMORY: Memory = Memory::from_bytes(128 << 20);

pub(super) fn objects(scope: &Scope<'_>) -> Vec<Object> {
    let mut objects = vec![
        namespace(scope),
        applier(scope),
        network::default_deny(scope),
    ];
    objects.extend(secret::registry(scope));
    // A tier that the profile does not know is refused before anything is rendered.
    if let Ok(tier) = scope.profile.tier(&scope.state.tier) {
        objects.push(quota(scope, tier));
        objects.push(limits(scope, tier));
    }
    objects
}

/// Pod Security Admission refuses what is dangerous and warns of what our own pods never do.
fn namespace(scope: &Scope<'_>) -> Object {
    let mut labels = labels::project(scope.state);
    labels.insert("pod-security.kubernetes.io/enforce", "baseline".to_owned());
    labels.insert("pod-security.kubernetes.io/warn", "restricted".to_owned());
    labels.insert("pod-security.kubernetes.io/audit", "restricted".to_owned());
    let annotations = json!({
        "starform.io/project-name": scope.state.project,
        "starform.io/workspace-name": scope.state.workspace,
    });
    kind::object(
        Kind::Namespace,
        None,
        &scope.namespace,
        json!(labels),
        json!({ "metadata": { "annotations": annotations } }),
    )
}

/// Everything that Starform writes into the namespace is written by the applier, with these rights.
fn applier(scope: &Scope<'_>) -> Object {
    let role = json!({
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": name::APPLIER,
    });
    let subject = json!({
        "kind": "ServiceAccount",
        "name": name::APPLIER,
        "namespace": scope.namespace,
    });
    scope.object(
        Kind::RoleBinding,
        name::APPLIER,
        json!(labels::project(scope.state)),
        json!({ "roleRef": role, "subjects": [subject] }),
    )
}

/// Over all environments. The platform's Gateway is the only way in, so no Service may open another.
fn quota(scope: &Scope<'_>, tier: &Tier) -> Object {
    let quota = &tier.quota;
    let mut hard = Map::new();
    hard.insert("services.loadbalancers".to_owned(), json!("0"));
    hard.insert("services.nodeports".to_owned(), json!("0"));
    let amounts = [
        ("requests.cpu", quota.cpu.map(String::from)),
        // Our containers' memory limit is their request.
        ("requests.memory", quota.memory.map(String::from)),
        ("limits.memory", quota.memory.map(String::from)),
        ("requests.storage", quota.storage.map(String::from)),
        ("pods", quota.pods.map(|pods| pods.to_string())),
        (
            "persistentvolumeclaims",
            quota.volumes.map(|volumes| volumes.to_string()),
        ),
    ];
    for (resource, amount) in amounts {
        if let Some(amount) = amount {
            hard.insert(resource.to_owned(), json!(amount));
        }
    }
    scope.object(
        Kind::ResourceQuota,
        &name::project_object("quota"),
        json!(labels::project(scope.state)),
        json!({ "spec": { "hard": hard } }),
    )
}

/// For pods that are not ours too, such as an ephemeral one made by hand: without requests and limits
/// the quota would refuse them.
fn limits(scope: &Scope<'_>, tier: &Tier) -> Object {
    let largest = &tier.largest;
    let memory = largest
        .memory
        .map_or(UNSAID_MEMORY, |largest| largest.min(UNSAID_MEMORY));
    let mut container = json!({
        "type": "Container",
        "default": { "ephemeral-storage": EPHEMERAL_LIMIT, "memory": memory },
        "defaultRequest": {
            "cpu": "50m",
            "ephemeral-storage": EPHEMERAL_REQUEST,
            "memory": memory,
        },
    });
    if let Some(memory) = largest.memory {
        container["max"] = json!({ "memory": memory });
    }
    let mut items = vec![container];
    if let Some(size) = largest.volume {
        items.push(json!({ "type": "PersistentVolumeClaim", "max": { "storage": size } }));
    }
    let mut body = json!({ "spec": { "limits": items } });
    if let Some(cpu) = largest.cpu {
        body["metadata"] = json!({ "annotations": { LARGEST_CPU: cpu } });
    }
    scope.object(
        Kind::LimitRange,
        &name::project_object("limits"),
        json!(labels::project(scope.state)),
        body,
    )
}
