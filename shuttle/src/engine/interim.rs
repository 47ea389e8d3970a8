//! Until `starform_plan::health` is there.
#![allow(missing_docs)]
use serde_json::Value;
use starform_contract::report::Health;
pub(super) struct Assessment {
    pub(super) health: Health,
    pub(super) reason: Option<String>,
}
pub(super) fn assess(object: &Value) -> Assessment {
    let number = |path: &str| object.pointer(path).and_then(Value::as_i64).unwrap_or(0);
    let condition = |kind: &str| {
        object
            .pointer("/status/conditions")?
            .as_array()?
            .iter()
            .find(|c| c["type"] == kind)
            .cloned()
    };
    let of = |health, reason: Option<&str>| Assessment {
        health,
        reason: reason.map(str::to_owned),
    };
    match object["kind"].as_str() {
        Some("Deployment") => {
            let replicas = object
                .pointer("/spec/replicas")
                .and_then(Value::as_i64)
                .unwrap_or(1);
            if number("/status/observedGeneration") < number("/metadata/generation") {
                return of(Health::InProgress, Some("not observed yet"));
            }
            if condition("Progressing").is_some_and(|c| c["reason"] == "ProgressDeadlineExceeded") {
                return of(Health::Failed, Some("progress deadline exceeded"));
            }
            if number("/status/updatedReplicas") < replicas
                || number("/status/availableReplicas") < replicas
                || number("/status/replicas") > replicas
            {
                return of(Health::InProgress, Some("rolling out"));
            }
            of(Health::Current, None)
        }
        _ => of(Health::Current, None),
    }
}
pub(super) fn explain_pods(pods: &[Value]) -> Option<String> {
    pods.iter().find_map(|pod| {
        let reason = pod.pointer("/status/containerStatuses/0/state/waiting/reason")?;
        reason.as_str().map(str::to_owned)
    })
}
