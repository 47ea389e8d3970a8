//! Every kind that is written, against the rules that kstatus publishes (sigs.k8s.io/cli-utils, `pkg/kstatus`:
//! README, `status/generic.go`, `status/core.go`), and HTTPRoutes against the Gateway API's route conditions.
//!
//! Pure. Always holds: where a word differs from kstatus's, the table says why.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use starform_contract::report::Health::{self, Current, Failed, InProgress, NotFound, Terminating};
use starform_plan::health::assess;
use starform_shuttle::kinds::{KINDS, Kind};

/// One rule on one object.
struct Case {
    kind: &'static str,
    /// Where kstatus decides so, and when.
    rule: &'static str,
    object: Value,
    kstatus: Health,
    ours: Ours,
}

enum Ours {
    Same,
    /// The word here, and why it is another one.
    Other(Health, &'static str),
}
use Ours::{Other, Same};

const COMPLETE: &str =
    "the Deployment controller itself calls a rollout complete by its counts and generation";
const RELEASE: &str = "whoever waits for a release waits for its end";
const ADDRESS: &str = "nobody reaches a load balancer without an address";
const ROUTE: &str =
    "kstatus has no rule for routes: each parent's Accepted and ResolvedRefs are asked";

#[test]
fn every_word_is_kstatuss_or_says_why_not() {
    for case in table() {
        let mut object = case.object;
        let row = KINDS.iter().find(|row| row.kind == case.kind).unwrap();
        object["apiVersion"] = json!(row.api_version());
        object["kind"] = json!(row.kind);
        let (word, why) = match case.ours {
            Same => (case.kstatus, "as kstatus"),
            Other(word, why) => {
                assert_ne!(
                    word, case.kstatus,
                    "{}: {} is no difference",
                    case.kind, case.rule
                );
                (word, why)
            }
        };
        let found = assess(&object);
        let place = format!("{}, {}: {why}\n{object:#}", case.kind, case.rule);
        assert_eq!(found.health, word, "{place}\n{found:?}");
        // Who reads that it is not well reads why.
        assert!(
            found.reason.is_some() || word == Current || word == Terminating,
            "{place}"
        );
    }
}

#[test]
fn every_kind_that_is_written_has_its_rules() {
    let rows: BTreeSet<&str> = KINDS.iter().map(|row| row.kind).collect();
    let covered: BTreeSet<&str> = table().iter().map(|case| case.kind).collect();
    assert_eq!(covered, rows);
    for row in &KINDS {
        let words: Vec<Health> = of_any_kind(row).iter().map(|case| case.kstatus).collect();
        assert!(words.contains(&Terminating), "{}", row.kind);
    }
}

#[test]
fn what_is_not_there_is_not_found() {
    assert_eq!(assess(&Value::Null).health, NotFound);
}

fn table() -> Vec<Case> {
    let mut cases: Vec<Case> = KINDS.iter().flat_map(of_any_kind).collect();
    cases.extend(always_ready());
    cases.extend(deployments());
    cases.extend(jobs());
    cases.extend(observed());
    cases.extend(claims_and_services());
    cases.extend(routes());
    cases
}

fn case(kind: &'static str, rule: &'static str, kstatus: Health, object: Value) -> Case {
    Case {
        kind,
        rule,
        object,
        kstatus,
        ours: Same,
    }
}

impl Case {
    fn but(self, word: Health, why: &'static str) -> Self {
        Self {
            ours: Other(word, why),
            ..self
        }
    }
}

/// generic.go, `checkGenericProperties`: before the rules of a kind.
fn of_any_kind(row: &Kind) -> Vec<Case> {
    let told = |kind: &str| {
        json!({"status": {"observedGeneration": 1, "conditions": [
            {"type": kind, "status": "True", "reason": "Busy", "message": "at work"},
        ]}, "metadata": {"generation": 1}})
    };
    vec![
        case(
            row.kind,
            "metadata.deletionTimestamp is set",
            Terminating,
            json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}),
        ),
        case(
            row.kind,
            "Reconciling is True",
            InProgress,
            told("Reconciling"),
        ),
        case(row.kind, "Stalled is True", Failed, told("Stalled")),
        case(
            row.kind,
            "observedGeneration is behind generation",
            InProgress,
            json!({"metadata": {"generation": 2}, "status": {"observedGeneration": 1}}),
        ),
    ]
}

/// core.go, `alwaysReady`; and generic kinds without a status, of which the README says that they are assumed
/// to be reconciled.
fn always_ready() -> Vec<Case> {
    let rule = "it is there";
    let kinds = [
        "ConfigMap",
        "CronJob",
        "LimitRange",
        "Namespace",
        "NetworkPolicy",
        "ResourceQuota",
        "RoleBinding",
        "Secret",
        "Service",
        "ServiceAccount",
    ];
    let there = |kind| case(kind, rule, Current, json!({"metadata": {"name": "a"}}));
    kinds.map(there).into()
}

/// core.go, `deploymentConditions`: replicas, updated, ready and available, of so many that are wanted.
fn deployments() -> Vec<Case> {
    let fine = "NewReplicaSetAvailable";
    let moving = "ReplicaSetUpdated";
    let late = "ProgressDeadlineExceeded";
    let rows = [
        ("all counts hold", Current, 3, [3, 3, 3, 3], fine),
        ("none is wanted", Current, 0, [0, 0, 0, 0], fine),
        ("too few replicas", InProgress, 3, [2, 2, 2, 2], moving),
        ("too few are updated", InProgress, 3, [4, 1, 3, 3], moving),
        ("old ones still run", InProgress, 3, [4, 3, 4, 4], moving),
        ("more than wanted run", InProgress, 1, [3, 3, 3, 3], fine),
        ("too few are available", InProgress, 3, [3, 3, 3, 2], moving),
        ("too few are ready", InProgress, 3, [3, 3, 2, 2], moving),
        ("the deadline is over", Failed, 3, [4, 1, 3, 3], late),
    ];
    let case = |rule, word, object| case("Deployment", rule, word, object);
    let mut cases: Vec<Case> = rows
        .into_iter()
        .map(|(rule, word, wanted, counts, reason)| {
            case(rule, word, deployment(wanted, counts, reason, "True"))
        })
        .collect();
    let all = [3, 3, 3, 3];
    let unsettled = deployment(3, all, moving, "True");
    cases.push(case("not NewReplicaSetAvailable", InProgress, unsettled).but(Current, COMPLETE));
    let unavailable = deployment(3, all, fine, "False");
    cases.push(case("Available is False", InProgress, unavailable).but(Current, COMPLETE));
    let mut one = deployment(1, [0, 0, 0, 0], moving, "False");
    one["spec"].as_object_mut().unwrap().remove("replicas");
    cases.push(case(
        "one is wanted where none is named",
        InProgress,
        one.clone(),
    ));
    one.as_object_mut().unwrap().remove("status");
    cases.push(case("nothing is observed", InProgress, one));
    cases
}

fn deployment(wanted: u32, counts: [u32; 4], reason: &str, available: &str) -> Value {
    let [replicas, updated, ready, availables] = counts;
    let progressing = if reason == "ProgressDeadlineExceeded" {
        "False"
    } else {
        "True"
    };
    json!({
        "metadata": {"generation": 3},
        "spec": {"replicas": wanted, "progressDeadlineSeconds": 60},
        "status": {
            "observedGeneration": 3, "replicas": replicas, "updatedReplicas": updated,
            "readyReplicas": ready, "availableReplicas": availables,
            "conditions": [
                {"type": "Progressing", "status": progressing, "reason": reason},
                {"type": "Available", "status": available, "reason": "R"},
            ],
        },
    })
}

/// core.go, `jobConditions`.
fn jobs() -> Vec<Case> {
    let of = |kind: &str| json!({"status": {"startTime": "2026-01-01T00:00:00Z", "conditions": [{"type": kind, "status": "True", "reason": "R", "message": "m"}]}});
    let job = |rule, word, object| case("Job", rule, word, object);
    vec![
        job("it has not started", InProgress, json!({"spec": {}})),
        job("Complete is True", Current, of("Complete")),
        job("Failed is True", Failed, of("Failed")),
        job(
            "it runs",
            Current,
            json!({"status": {"startTime": "2026-01-01T00:00:00Z", "active": 1}}),
        )
        .but(InProgress, RELEASE),
        job("Suspended is True", Current, of("Suspended")).but(InProgress, RELEASE),
    ]
}

/// core.go, `pdbConditions`; generic.go for the autoscaler.
fn observed() -> Vec<Case> {
    let seen = || json!({"metadata": {"generation": 2}, "status": {"observedGeneration": 2, "disruptionsAllowed": 0}});
    let blind = json!({"metadata": {"name": "a"}, "status": {"conditions": [
        {"type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric", "message": "no metrics"},
    ]}});
    vec![
        case(
            "PodDisruptionBudget",
            "the newest generation is observed",
            Current,
            seen(),
        ),
        case(
            "HorizontalPodAutoscaler",
            "the newest generation is observed",
            Current,
            seen(),
        ),
        // Not well, and nothing that a deploy waits for.
        case(
            "HorizontalPodAutoscaler",
            "its own conditions are no standard ones",
            Current,
            blind,
        ),
    ]
}

/// core.go, `pvcConditions` and `serviceConditions`.
fn claims_and_services() -> Vec<Case> {
    let phase = |phase: &str| json!({"status": {"phase": phase}});
    let balancer = |ip: &str, status: Value| json!({"spec": {"type": "LoadBalancer", "clusterIP": ip}, "status": {"loadBalancer": status}});
    let claim = |rule, word, object| case("PersistentVolumeClaim", rule, word, object);
    let service = |rule, word, object| case("Service", rule, word, object);
    vec![
        claim("phase Bound", Current, phase("Bound")),
        claim("phase Pending", InProgress, phase("Pending")),
        claim("no phase", InProgress, json!({"spec": {}})),
        claim("phase Lost", InProgress, phase("Lost"))
            .but(Failed, "a lost volume does not come back by waiting"),
        service(
            "a cluster IP",
            Current,
            json!({"spec": {"type": "ClusterIP", "clusterIP": "10.96.0.7"}}),
        ),
        service(
            "a load balancer without a cluster IP",
            InProgress,
            balancer("", json!({})),
        ),
        service(
            "a load balancer with a cluster IP",
            Current,
            balancer("10.96.0.7", json!({"ingress": [{"ip": "192.0.2.1"}]})),
        ),
        service(
            "a load balancer with a cluster IP alone",
            Current,
            balancer("10.96.0.7", json!({})),
        )
        .but(InProgress, ADDRESS),
    ]
}

/// Gateway API, `RouteStatus`: conditions by parent, each for the generation that it observed.
fn routes() -> Vec<Case> {
    let parent = || json!({"name": "starform", "namespace": "gateways"});
    let of = |conditions: Value| {
        json!({
            "metadata": {"generation": 2},
            "spec": {"parentRefs": [parent()]},
            "status": {"parents": [{"parentRef": parent(), "controllerName": "example.com/c", "conditions": conditions}]},
        })
    };
    let says = |kind: &str, status: &str, reason: &str, generation: u32| json!({"type": kind, "status": status, "reason": reason, "message": "m", "observedGeneration": generation});
    let accepted = |status: &str, reason: &str| says("Accepted", status, reason, 2);
    let resolved = |status: &str, reason: &str| says("ResolvedRefs", status, reason, 2);
    let fine = || resolved("True", "ResolvedRefs");
    let route = |rule, object| case("HTTPRoute", rule, Current, object);
    let mut cases = vec![
        route(
            "Accepted and ResolvedRefs are True",
            of(json!([accepted("True", "Accepted"), fine()])),
        ),
        // A cluster without a Gateway keeps its routes.
        route(
            "no parent has a status",
            json!({"metadata": {"generation": 1}, "spec": {"parentRefs": [parent()]}}),
        ),
    ];
    for reason in [
        "NotAllowedByListeners",
        "NoMatchingListenerHostname",
        "NoMatchingParent",
        "UnsupportedValue",
    ] {
        let refused = of(json!([accepted("False", reason), fine()]));
        cases.push(route("Accepted is False", refused).but(Failed, ROUTE));
    }
    for reason in ["BackendNotFound", "RefNotPermitted", "InvalidKind"] {
        let dangling = of(json!([
            accepted("True", "Accepted"),
            resolved("False", reason)
        ]));
        cases.push(route("ResolvedRefs is False", dangling).but(Failed, ROUTE));
    }
    let unsettled = [
        (
            "Accepted is Pending",
            json!([accepted("False", "Pending"), fine()]),
        ),
        (
            "Accepted is Unknown",
            json!([accepted("Unknown", "Pending"), fine()]),
        ),
        ("a parent without conditions", json!([])),
        (
            "an older generation was judged",
            json!([says("Accepted", "True", "Accepted", 1), fine()]),
        ),
    ];
    let waiting =
        unsettled.map(|(rule, conditions)| route(rule, of(conditions)).but(InProgress, ROUTE));
    cases.extend(waiting);
    cases
}
