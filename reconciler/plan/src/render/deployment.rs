//! Deployments: pods that keep running and are replaced without a gap, or, with a disk, one by one.
//!
//! Pure. Always holds: no `replicas` while an autoscaler owns the number.

use serde_json::{Value, json};
use starform_contract::Object;

use super::{
    ServiceScope, Serving,
    kind::Kind,
    labels::{self, Role},
    pod,
};

/// Beyond what a container may take to start: scheduling and pulling its image.
const PROGRESS_MARGIN_SECONDS: u32 = 120;

pub(super) fn deployment(scope: &ServiceScope<'_>, serving: Serving<'_>) -> Object {
    let (state, service) = (scope.scope.state, scope.service);
    let startup = serving.health.startup_within.as_secs();
    let mut spec = json!({
        "minReadySeconds": 5,
        "progressDeadlineSeconds": startup + PROGRESS_MARGIN_SECONDS,
        "revisionHistoryLimit": 3,
        "selector": { "matchLabels": labels::selector(state, service) },
        "strategy": strategy(serving),
        "template": pod::serving(scope, serving),
    });
    if serving.scale.is_fixed() {
        spec["replicas"] = json!(serving.scale.min);
    }
    let labels = json!(labels::workload(state, service, Role::Serve));
    scope.object(Kind::Deployment, labels, json!({ "spec": spec }))
}

/// A disk is attached to one pod at a time, so the old one ends before the new one starts.
fn strategy(serving: Serving<'_>) -> Value {
    if serving.running.volumes.is_empty() {
        // The server rounds the surge up, so it is at least one pod.
        json!({
            "type": "RollingUpdate",
            "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": 0 },
        })
    } else {
        json!({ "type": "Recreate" })
    }
}
