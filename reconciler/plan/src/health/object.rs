//! How each kind of object tells that it is well.
//!
//! Pure. Sources: kstatus; the Gateway API's route conditions; the API reference of each kind.

use serde_json::Value;
use starform_contract::report::Health;

use super::{Assessment, condition, is, one_line, words};

pub(super) fn assess(object: &Value) -> Assessment {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let group = text("apiVersion")
        .rsplit_once('/')
        .map_or("", |(group, _)| group);
    match (group, text("kind")) {
        ("apps", "Deployment") => deployment(object),
        ("batch", "Job") => job(object),
        ("batch", "CronJob") => cron_job(object),
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaler(object),
        ("gateway.networking.k8s.io", "HTTPRoute") => route(object),
        ("", "Namespace") => namespace(object),
        ("", "PersistentVolumeClaim") => volume_claim(object),
        ("", "Service") => service(object),
        ("", "Secret" | "ConfigMap" | "ServiceAccount" | "ResourceQuota" | "LimitRange")
        | ("policy", "PodDisruptionBudget")
        | ("networking.k8s.io", "NetworkPolicy")
        | ("rbac.authorization.k8s.io", "Role" | "RoleBinding") => Assessment::CURRENT,
        (_, kind) => Assessment::new(
            Health::Unknown,
            format!("the health of the kind `{kind}` is not known here"),
        ),
    }
}

/// `Some` while the controller has not seen the newest spec.
pub(super) fn observed(object: &Value) -> Option<Assessment> {
    let generation = object.pointer("/metadata/generation")?.as_i64()?;
    let seen = object.pointer("/status/observedGeneration")?.as_i64()?;
    (seen < generation).then(not_taken_up)
}

fn not_taken_up() -> Assessment {
    Assessment::new(
        Health::InProgress,
        "its controller has not taken up the last change yet",
    )
}

fn deployment(object: &Value) -> Assessment {
    let (spec, status) = (&object["spec"], &object["status"]);
    if status.get("observedGeneration").is_none() {
        return not_taken_up();
    }
    let refused = condition(status, "ReplicaFailure")
        .filter(|condition| is(condition, "True"))
        .map(|condition| format!("its pods cannot be created: {}", words(condition)));
    let progressing = condition(status, "Progressing");
    if progressing.is_some_and(|condition| condition["reason"] == "ProgressDeadlineExceeded") {
        let deadline = spec["progressDeadlineSeconds"].as_u64().unwrap_or(600);
        let late = || format!("no new pod became available within {deadline} s");
        return Assessment::new(Health::Failed, refused.unwrap_or_else(late));
    }
    match rollout(spec, status) {
        None => Assessment::CURRENT,
        Some(waiting) => Assessment::new(Health::InProgress, refused.unwrap_or(waiting)),
    }
}

/// What a rollout waits for; `None` once every pod is of the newest revision and available.
fn rollout(spec: &Value, status: &Value) -> Option<String> {
    let count = |field: &str| status[field].as_u64().unwrap_or(0);
    let wanted = spec["replicas"].as_u64().unwrap_or(1);
    let (total, updated) = (count("replicas"), count("updatedReplicas"));
    let available = count("availableReplicas");
    let paused = if spec["paused"] == true {
        "; its rollout is paused"
    } else {
        ""
    };
    if updated < wanted {
        Some(format!("{updated} of {wanted} pods are updated{paused}"))
    } else if total > updated {
        Some(format!("{} old pods still run", total - updated))
    } else if total > wanted {
        Some(format!("{} pods too many still run", total - wanted))
    } else if available < wanted {
        Some(format!("{available} of {wanted} pods are available"))
    } else {
        None
    }
}

/// Services have no other Jobs than their releases.
fn job(object: &Value) -> Assessment {
    let status = &object["status"];
    let holds = |wanted: &str| condition(status, wanted).filter(|c| is(c, "True"));
    if let Some(failed) = holds("Failed") {
        return Assessment::new(Health::Failed, words(failed));
    }
    if holds("Complete").is_some() {
        return Assessment::CURRENT;
    }
    if holds("Suspended").is_some() {
        return Assessment::new(Health::InProgress, "it is suspended");
    }
    let failures = status["failed"].as_u64().unwrap_or(0);
    let text = match failures {
        0 => "its release is running".to_owned(),
        n => format!("its release is running; {n} of its pods failed"),
    };
    Assessment::new(Health::InProgress, text)
}

fn cron_job(object: &Value) -> Assessment {
    if object["spec"]["suspend"] == true {
        return Assessment::new(Health::Current, "it is suspended: no run will start");
    }
    Assessment::CURRENT
}

/// Without metrics the number of pods stays between its bounds, so a deploy need not wait for them.
fn autoscaler(object: &Value) -> Assessment {
    let status = &object["status"];
    ["AbleToScale", "ScalingActive"]
        .into_iter()
        .filter_map(|wanted| condition(status, wanted))
        .find(|condition| is(condition, "False"))
        .map_or(Assessment::CURRENT, |condition| {
            let reason = format!("it does not scale: {}", words(condition));
            Assessment::new(Health::Current, reason)
        })
}

/// Each parent of a route has a status of its own. A route that no controller takes up is complete
/// all the same: a cluster may have no Gateway yet.
fn route(object: &Value) -> Assessment {
    let generation = object.pointer("/metadata/generation");
    let generation = generation.and_then(Value::as_i64).unwrap_or(0);
    let parents = object
        .pointer("/status/parents")
        .and_then(Value::as_array)
        .filter(|parents| !parents.is_empty());
    let Some(parents) = parents else {
        let gateway = gateway(&object["spec"]["parentRefs"][0]);
        let reason = format!("no controller has taken it up; is there a Gateway {gateway}?");
        return Assessment::new(Health::Current, reason);
    };
    let mut waiting = None;
    for parent in parents {
        for wanted in ["Accepted", "ResolvedRefs"] {
            let assessment = parent_condition(parent, wanted, generation);
            match assessment.health {
                Health::Failed => return assessment,
                Health::Current => {}
                Health::InProgress | Health::Terminating | Health::NotFound | Health::Unknown => {
                    waiting = Some(assessment)
                }
            }
        }
    }
    waiting.unwrap_or(Assessment::CURRENT)
}

fn parent_condition(parent: &Value, wanted: &str, generation: i64) -> Assessment {
    let gateway = gateway(&parent["parentRef"]);
    let Some(found) = condition(parent, wanted) else {
        let reason = format!("the Gateway {gateway} has not judged it yet");
        return Assessment::new(Health::InProgress, reason);
    };
    if found["observedGeneration"].as_i64().unwrap_or(generation) < generation {
        return not_taken_up();
    }
    let reason = format!("the Gateway {gateway} refuses it: {}", words(found));
    match found["status"].as_str() {
        Some("True") => Assessment::CURRENT,
        Some("False") if found["reason"] != "Pending" => Assessment::new(Health::Failed, reason),
        _ => Assessment::new(
            Health::InProgress,
            format!("the Gateway {gateway} has not judged it yet"),
        ),
    }
}

/// `namespace/name` of a parent reference.
fn gateway(parent: &Value) -> String {
    let text = |field: &str| parent[field].as_str().unwrap_or("?");
    format!("{}/{}", text("namespace"), text("name"))
}

fn namespace(object: &Value) -> Assessment {
    if object["status"]["phase"] == "Terminating" {
        return Assessment {
            health: Health::Terminating,
            reason: None,
        };
    }
    Assessment::CURRENT
}

fn volume_claim(object: &Value) -> Assessment {
    match object["status"]["phase"].as_str() {
        Some("Bound") => Assessment::CURRENT,
        Some("Lost") => Assessment::new(Health::Failed, "its volume is lost"),
        Some(_) | None => Assessment::new(Health::InProgress, "no volume is bound to it yet"),
    }
}

fn service(object: &Value) -> Assessment {
    let waits = object["spec"]["type"] == "LoadBalancer"
        && object.pointer("/status/loadBalancer/ingress").is_none();
    if waits {
        let problem = condition(&object["status"], "LoadBalancerPorts").map(words);
        let reason = problem.unwrap_or_else(|| "its load balancer has no address yet".to_owned());
        return Assessment::new(Health::InProgress, one_line(&reason));
    }
    Assessment::CURRENT
}
