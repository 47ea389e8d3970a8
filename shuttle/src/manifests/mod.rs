//! What an operator installs once, before an agent runs: its namespace, its identity, its rights, and
//! the policies around them.
//!
//! Pure. Always holds: nothing here is written by the agent, so it cannot loosen its own fence; the
//! rights name exactly the kinds of `kinds.rs`. See `docs/admission.md`.
//!
//! | module | what it makes |
//! |---|---|
//! | [`rights`] | RBAC of the agent and of a project's applier |
//! | [`policy`] | a ValidatingAdmissionPolicy and its binding |
//! | [`shape`] | what an object of a project may be |
//! | [`writers`] | who may write it |
//! | [`own`] | what RBAC cannot say about the agent |

mod own;
mod policy;
mod rights;
mod shape;
mod writers;

use serde_json::{Value, json};
use starform_contract::ClusterProfile;

use crate::persist::NAMESPACE;

pub use writers::BREAK_GLASS;

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
    let policies = shape::policies(profile)
        .into_iter()
        .chain(writers::policies(profile))
        .chain([own::policy()]);
    objects.extend(policies.flat_map(policy::Policy::objects));
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

#[cfg(test)]
mod tests;
