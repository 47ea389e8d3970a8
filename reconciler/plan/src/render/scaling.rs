//! How many pods: HorizontalPodAutoscaler and PodDisruptionBudget.
//!
//! Pure. CPU and memory only, which every cluster with metrics-server has.

use serde_json::{Value, json};
use starform_contract::{Object, model::Scale, quantity::Duration};

use super::{
    ServiceScope,
    kind::Kind,
    labels::{self, Role},
};

/// The language's own defaults, for a scale that leaves them open.
const CPU_PERCENT: u32 = 80;
const COOLDOWN: Duration = Duration::from_secs(300);

/// `None` for a fixed number of pods.
pub(super) fn autoscaler(scope: &ServiceScope<'_>, scale: &Scale) -> Option<Object> {
    if scale.is_fixed() {
        return None;
    }
    let spec = json!({
        "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": scope.name },
        // Zero needs a metric from outside the pods.
        "minReplicas": scale.min.max(1),
        "maxReplicas": scale.max,
        "metrics": metrics(scale),
        "behavior": behavior(scale.cooldown.unwrap_or(COOLDOWN)),
    });
    let labels = json!(labels::workload(
        scope.scope.state,
        scope.service,
        Role::Serve
    ));
    let kind = Kind::HorizontalPodAutoscaler;
    Some(scope.object(kind, labels, json!({ "spec": spec })))
}

/// `None` where a drain could never go on: a single pod.
pub(super) fn disruption_budget(scope: &ServiceScope<'_>, scale: &Scale) -> Option<Object> {
    if scale.min < 2 {
        return None;
    }
    let (state, service) = (scope.scope.state, scope.service);
    let spec = json!({
        "maxUnavailable": 1,
        "selector": { "matchLabels": labels::selector(state, service) },
        // Pods that are broken anyway must not stop a node's drain.
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    });
    let labels = json!(labels::workload(state, service, Role::Serve));
    Some(scope.object(Kind::PodDisruptionBudget, labels, json!({ "spec": spec })))
}

fn metrics(scale: &Scale) -> Vec<Value> {
    let open = scale.cpu.is_none() && scale.memory.is_none();
    let cpu = scale.cpu.or(open.then_some(CPU_PERCENT));
    [("cpu", cpu), ("memory", scale.memory)]
        .into_iter()
        .filter_map(|(resource, percent)| {
            let target = json!({ "type": "Utilization", "averageUtilization": percent? });
            let resource = json!({ "name": resource, "target": target });
            Some(json!({ "type": "Resource", "resource": resource }))
        })
        .collect()
}

/// Up at once, down after the cooldown; the policies are the server's own defaults.
fn behavior(cooldown: Duration) -> Value {
    json!({
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "selectPolicy": "Max",
            "policies": [
                { "type": "Pods", "value": 4, "periodSeconds": 15 },
                { "type": "Percent", "value": 100, "periodSeconds": 15 },
            ],
        },
        "scaleDown": {
            // The longest window that the API allows.
            "stabilizationWindowSeconds": cooldown.as_secs().min(3600),
            "selectPolicy": "Max",
            "policies": [{ "type": "Percent", "value": 100, "periodSeconds": 15 }],
        },
    })
}
