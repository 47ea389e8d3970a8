//! Tests of health: objects and pods as a real API server returned them, and the words about them.
//!
//! Pure.

use proptest::prelude::*;
use serde_json::{Value, json};
use starform_contract::{ClusterProfile, report::Health};
use starform_plan::{
    health::{Assessment, assess, explain, explain_pods, is_stuck},
    render::render,
};

use crate::arbitrary;

#[test]
fn deployments() {
    use Health::{Current, Failed, InProgress};
    let wanted = json!({ "replicas": 3, "progressDeadlineSeconds": 180 });
    let of = |status: Value| deployment(wanted.clone(), status);
    expect(
        &of(json!({})),
        InProgress,
        "its controller has not taken up the last change yet",
    );
    expect(
        &of(
            json!({ "observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3 }),
        ),
        InProgress,
        "its controller has not taken up the last change yet",
    );
    let seen = |replicas: u32, updated: u32, available: u32| {
        of(json!({
            "observedGeneration": 2,
            "replicas": replicas,
            "updatedReplicas": updated,
            "availableReplicas": available,
        }))
    };
    expect(&seen(3, 1, 3), InProgress, "1 of 3 pods are updated");
    expect(&seen(4, 3, 3), InProgress, "1 old pods still run");
    expect(&seen(3, 3, 2), InProgress, "2 of 3 pods are available");
    expect(&seen(3, 3, 3), Current, "");
    let mut late = seen(4, 1, 3);
    late["status"]["conditions"] = json!([{
        "type": "Progressing",
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "message": "ReplicaSet \"never-756fdcfb5f\" has timed out progressing.",
    }]);
    expect(&late, Failed, "no new pod became available within 180 s");
}

#[test]
fn a_deployment_that_may_not_have_pods_says_who_refuses() {
    let message = "pods \"none-b567f\" is forbidden: exceeded quota: q, requested: pods=1, used: \
                   pods=0, limited: pods=0";
    let mut object = deployment(
        json!({ "replicas": 1, "progressDeadlineSeconds": 180 }),
        json!({ "observedGeneration": 2, "unavailableReplicas": 1, "conditions": [
            { "type": "Progressing", "status": "True", "reason": "NewReplicaSetCreated" },
            { "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message },
        ] }),
    );
    let reason = format!("its pods cannot be created: FailedCreate: {message}");
    expect(&object, Health::InProgress, &reason);
    object["status"]["conditions"][0] = json!({
        "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
    });
    expect(&object, Health::Failed, &reason);
}

#[test]
fn a_deployment_of_no_pods_is_well() {
    let object = deployment(json!({ "replicas": 0 }), json!({ "observedGeneration": 2 }));
    expect(&object, Health::Current, "");
}

#[test]
fn jobs_are_well_when_they_are_complete() {
    use Health::{Current, Failed, InProgress};
    let of = |status: Value| json!({ "apiVersion": "batch/v1", "kind": "Job", "status": status });
    expect(&of(json!({})), InProgress, "its release is running");
    expect(
        &of(json!({ "active": 1, "failed": 2 })),
        InProgress,
        "its release is running; 2 of its pods failed",
    );
    let condition = |kind: &str, reason: &str, message: &str| {
        let found = json!({ "type": kind, "status": "True", "reason": reason, "message": message });
        of(json!({ "conditions": [found] }))
    };
    expect(
        &condition("Complete", "CompletionsReached", ""),
        Current,
        "",
    );
    let limit = "Job has reached the specified backoff limit";
    let reason = format!("BackoffLimitExceeded: {limit}");
    expect(
        &condition("Failed", "BackoffLimitExceeded", limit),
        Failed,
        &reason,
    );
}

#[test]
fn an_autoscaler_without_metrics_works_with_a_warning() {
    let of = |status: Value| {
        json!({
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "status": { "conditions": [
                { "type": "AbleToScale", "status": "True", "reason": "SucceededGetScale" },
                { "type": "ScalingActive", "status": status, "reason": "FailedGetResourceMetric",
                  "message": "failed to get cpu utilization" },
            ] },
        })
    };
    let reason = "it does not scale: FailedGetResourceMetric: failed to get cpu utilization";
    expect(&of(json!("False")), Health::Current, reason);
    expect(&of(json!("True")), Health::Current, "");
}

#[test]
fn routes_ask_their_gateway() {
    use Health::{Current, Failed, InProgress};
    let parent = json!({ "name": "starform", "namespace": "gateways" });
    let of = |accepted: Value, resolved: Value| {
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": { "generation": 2 },
            "spec": { "parentRefs": [parent] },
            "status": { "parents": [{ "parentRef": parent, "conditions": [accepted, resolved] }] },
        })
    };
    let accepted = |status: &str, reason: &str, generation: u32| json!({ "type": "Accepted", "status": status, "reason": reason, "observedGeneration": generation });
    let resolved = |status: &str, reason: &str| json!({ "type": "ResolvedRefs", "status": status, "reason": reason });
    let fine = resolved("True", "ResolvedRefs");
    expect(
        &of(accepted("True", "Accepted", 2), fine.clone()),
        Current,
        "",
    );
    let behind = "its controller has not taken up the last change yet";
    expect(
        &of(accepted("True", "Accepted", 1), fine.clone()),
        InProgress,
        behind,
    );
    let pending = "the Gateway gateways/starform has not judged it yet";
    expect(
        &of(accepted("Unknown", "Pending", 2), fine.clone()),
        InProgress,
        pending,
    );
    let refused = "the Gateway gateways/starform refuses it: NotAllowedByListeners";
    expect(
        &of(accepted("False", "NotAllowedByListeners", 2), fine),
        Failed,
        refused,
    );
    let lost = "the Gateway gateways/starform refuses it: BackendNotFound";
    let backend = resolved("False", "BackendNotFound");
    expect(&of(accepted("True", "Accepted", 2), backend), Failed, lost);
    let mut alone = of(json!({}), json!({}));
    alone["status"] = json!({ "parents": [] });
    let warning = "no controller has taken it up; is there a Gateway gateways/starform?";
    expect(&alone, Current, warning);
}

#[test]
fn other_kinds() {
    use Health::{Current, Failed, InProgress, NotFound, Terminating, Unknown};
    let of = |kind: &str, rest: Value| {
        let mut object = json!({ "apiVersion": "v1", "kind": kind });
        for (field, value) in rest.as_object().unwrap() {
            object[field] = value.clone();
        }
        object
    };
    expect(&Value::Null, NotFound, "the object does not exist");
    expect(&of("Secret", json!({})), Current, "");
    expect(
        &of("Namespace", json!({ "status": { "phase": "Active" } })),
        Current,
        "",
    );
    let deleted = json!({ "metadata": {
        "deletionTimestamp": "2026-01-02T03:04:05Z",
        "finalizers": ["kubernetes.io/pvc-protection"],
    } });
    let reason = "deletion waits for the finalizers kubernetes.io/pvc-protection";
    expect(&of("PersistentVolumeClaim", deleted), Terminating, reason);
    let phase = |phase: &str| {
        of(
            "PersistentVolumeClaim",
            json!({ "status": { "phase": phase } }),
        )
    };
    expect(&phase("Bound"), Current, "");
    expect(
        &phase("Pending"),
        InProgress,
        "no volume is bound to it yet",
    );
    expect(&phase("Lost"), Failed, "its volume is lost");
    expect(
        &of("Service", json!({ "spec": { "type": "ClusterIP" } })),
        Current,
        "",
    );
    let balancer = of("Service", json!({ "spec": { "type": "LoadBalancer" } }));
    expect(
        &balancer,
        InProgress,
        "its load balancer has no address yet",
    );
    expect(
        &of("Widget", json!({})),
        Unknown,
        "the health of the kind `Widget` is not known here",
    );
    let mut cron = of("CronJob", json!({ "spec": { "suspend": true } }));
    cron["apiVersion"] = json!("batch/v1");
    expect(&cron, Current, "it is suspended: no run will start");
}

#[test]
fn pods_say_what_keeps_them() {
    let waiting = |reason: &str, message: &str, rest: Value| {
        let mut status =
            json!({ "state": { "waiting": { "reason": reason, "message": message } } });
        for (field, value) in rest.as_object().unwrap() {
            status[field] = value.clone();
        }
        status
    };
    let crashed = |exit_code: u32, reason: &str| {
        json!({
            "restartCount": 3,
            "lastState": { "terminated": { "exitCode": exit_code, "reason": reason } },
        })
    };
    let back_off = "back-off 40s restarting failed container";
    let missing = "secret \"starform-vg-shared--production\" not found";
    let cases = [
        (
            waiting(
                "ImagePullBackOff",
                "Back-off pulling image \"x:v9\": not found",
                json!({}),
            ),
            "the image x:v9 cannot be pulled: Back-off pulling image \"x:v9\": not found",
            true,
        ),
        (
            waiting("CrashLoopBackOff", back_off, crashed(1, "Error")),
            "the container crashes with exit code 1, 3 restarts so far",
            true,
        ),
        (
            waiting("CrashLoopBackOff", back_off, crashed(137, "OOMKilled")),
            "the container runs out of memory, 3 restarts so far",
            true,
        ),
        (
            waiting("CrashLoopBackOff", back_off, crashed(0, "Completed")),
            "the container ends by itself with exit code 0, 3 restarts so far",
            true,
        ),
        (
            waiting("CreateContainerConfigError", missing, json!({})),
            "the container cannot be started: CreateContainerConfigError: secret \
             \"starform-vg-shared--production\" not found",
            true,
        ),
        (
            json!({ "started": true, "state": { "running": {} } }),
            "the container runs, but its readiness check (HTTP GET /readyz on port 8080) does not pass",
            false,
        ),
        (
            json!({ "started": false, "state": { "running": {} } }),
            "the container runs, but its startup check (TCP on port 8080) does not pass",
            false,
        ),
    ];
    for (status, reason, stuck) in cases {
        let pods = [pod("web-1", "new", 1, status)];
        assert_eq!(explain_pods(&pods).as_deref(), Some(reason));
        assert_eq!(is_stuck(&pods), stuck, "{reason}");
    }
    let young = waiting("ContainerCreating", "", json!({}));
    assert_eq!(explain_pods(&[pod("web-1", "new", 1, young)]), None);
}

#[test]
fn a_pod_without_a_node_says_what_the_scheduler_says() {
    let mut pending = pod("web-1", "new", 1, json!({}));
    let message = "0/3 nodes are available: 3 Insufficient cpu.\n preemption: not helpful.";
    pending["status"] = json!({ "phase": "Pending", "conditions": [{
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message,
    }] });
    let reason = "no node takes the pod: 0/3 nodes are available: 3 Insufficient cpu. \
                  preemption: not helpful.";
    assert_eq!(explain_pods(&[pending.clone()]).as_deref(), Some(reason));
    assert!(is_stuck(&[pending]));
}

#[test]
fn only_the_newest_revision_counts_and_the_gravest_problem_comes_first() {
    let running = || json!({ "started": true, "state": { "running": {} } });
    let crash = json!({
        "restartCount": 1,
        "state": { "waiting": { "reason": "CrashLoopBackOff" } },
        "lastState": { "terminated": { "exitCode": 2 } },
    });
    let mut leaving = pod("web-0", "new", 9, crash.clone());
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:04:05Z");
    let pods = [
        leaving,
        pod("web-1", "old", 1, crash.clone()),
        pod("web-2", "new", 2, running()),
        pod("web-3", "new", 3, crash),
        ready(pod("web-4", "new", 4, running())),
    ];
    let reason = "the container crashes with exit code 2, 1 restart so far (2 of 3 pods)";
    assert_eq!(explain_pods(&pods).as_deref(), Some(reason));
    let mut permuted = pods.clone();
    permuted.reverse();
    assert_eq!(explain_pods(&permuted).as_deref(), Some(reason));
}

#[test]
fn a_rollout_with_stuck_pods_has_failed() {
    let waits = Assessment {
        health: Health::InProgress,
        reason: Some("0 of 1 pods are available".to_owned()),
    };
    let running = pod(
        "web-1",
        "new",
        1,
        json!({ "started": true, "state": { "running": {} } }),
    );
    let told = explain(waits.clone(), &[running]);
    assert_eq!(told.health, Health::InProgress);
    assert!(told.reason.unwrap().contains("readiness check"));
    assert_eq!(explain(waits.clone(), &[]), waits);
    let waiting = json!({ "state": { "waiting": { "reason": "InvalidImageName" } } });
    let told = explain(waits, &[pod("web-1", "new", 1, waiting)]);
    assert_eq!(told.health, Health::Failed);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_kind_that_is_rendered_has_a_health(state in arbitrary::state()) {
        let rendered = render(&state, &ClusterProfile::default());
        let objects = rendered.project.objects.iter().chain(rendered.environment.all_objects());
        for object in objects {
            prop_assert_ne!(assess(&object.manifest).health, Health::Unknown);
        }
    }
}

/// `reason` is empty for none.
fn expect(object: &Value, health: Health, reason: &str) {
    let wanted = Assessment {
        health,
        reason: (!reason.is_empty()).then(|| reason.to_owned()),
    };
    assert_eq!(assess(object), wanted, "{object:#}");
}

/// Of generation 2.
fn deployment(spec: Value, status: Value) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "generation": 2 },
        "spec": spec,
        "status": status,
    })
}

fn pod(name: &str, revision: &str, second: u32, container: Value) -> Value {
    let mut status = container;
    status["name"] = json!("app");
    status["image"] = json!("x:v9");
    status["ready"] = json!(false);
    json!({
        "metadata": {
            "name": name,
            "creationTimestamp": format!("2026-01-02T03:04:{second:02}Z"),
            "labels": { "pod-template-hash": revision },
        },
        "spec": { "containers": [{
            "name": "app",
            "readinessProbe": { "httpGet": { "path": "/readyz", "port": 8080 } },
            "startupProbe": { "tcpSocket": { "port": 8080 } },
        }] },
        "status": {
            "phase": "Running",
            "conditions": [{ "type": "Ready", "status": "False", "reason": "ContainersNotReady" }],
            "containerStatuses": [status],
        },
    })
}

fn ready(mut pod: Value) -> Value {
    pod["status"]["conditions"][0]["status"] = json!("True");
    pod
}
