//! What an operator installs once, before an agent runs: its namespace, its identity, its rights.
//!
//! Pure. Always holds: nothing here is written by the agent, so it cannot loosen its own fence; the
//! rights name exactly the kinds of `kinds.rs`. Read on in `rights.rs`, and in `docs/admission.md`.

mod rights;

use serde_json::{Value, json};
use starform_contract::ClusterProfile;

use crate::persist::NAMESPACE;

/// The agent's ServiceAccount, and what its own rights are called.
pub const AGENT: &str = "starform-shuttle";

/// Who the agent is to the API server.
pub fn agent_user() -> String {
    format!("system:serviceaccount:{NAMESPACE}:{AGENT}")
}

/// Every object, in an order in which they can be created.
pub fn manifests(profile: &ClusterProfile) -> Vec<Value> {
    let mut objects = vec![namespace(), account()];
    objects.extend(rights::rights(profile));
    objects
}

/// One object of the cluster, or of the agent's namespace.
fn object(version: &str, kind: &str, namespace: Option<&str>, name: &str, body: Value) -> Value {
    let mut object = body;
    object["apiVersion"] = json!(version);
    object["kind"] = json!(kind);
    object["metadata"]["name"] = json!(name);
    object["metadata"]["labels"]["app.kubernetes.io/managed-by"] = json!("starform-shuttle");
    if let Some(namespace) = namespace {
        object["metadata"]["namespace"] = json!(namespace);
    }
    object
}

fn namespace() -> Value {
    let labels = json!({
        "pod-security.kubernetes.io/enforce": "restricted",
        "starform.io/stores": "namespace",
    });
    let body = json!({ "metadata": { "labels": labels } });
    object("v1", "Namespace", None, NAMESPACE, body)
}

fn account() -> Value {
    object("v1", "ServiceAccount", Some(NAMESPACE), AGENT, json!({}))
}
