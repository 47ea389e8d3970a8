//! Who holds a Deployment's replica count: us or an autoscaler, and how it goes from one to the other.
//!
//! Pure. Always holds: the count is never without a holder, because the API server resets a field
//! whose sole server-side-apply owner drops it (3 replicas would become 1). Towards the autoscaler the
//! live count is first written under a second manager; back, the autoscaler is deleted first.

use serde_json::{Value, json};
use starform_contract::ObjectKey;

use super::{io::Observed, order::is};

pub(super) fn is_deployment(key: &ObjectKey) -> bool {
    is(key, "apps", "Deployment")
}

pub(super) fn is_autoscaler(key: &ObjectKey) -> bool {
    is(key, "autoscaling", "HorizontalPodAutoscaler")
}

pub(super) fn states_replicas(manifest: &Value) -> bool {
    manifest.pointer("/spec/replicas").is_some()
}

/// The manifest that holds the live count while ours lets it go; `None` when nothing has to be held.
pub(super) fn hold(key: &ObjectKey, manifest: &Value, live: Option<&Observed>) -> Option<Value> {
    let live = live.filter(|_| is_deployment(key) && !states_replicas(manifest))?;
    // Where both hold the count it is one: a different one would have taken it.
    live.own.as_ref().filter(|own| own.replicas && !own.held)?;
    let replicas = live.body.as_deref()?.pointer("/spec/replicas")?;
    Some(json!({
        "apiVersion": manifest.get("apiVersion")?,
        "kind": key.kind,
        "metadata": {"name": key.name, "namespace": key.namespace},
        "spec": {"replicas": replicas},
    }))
}
