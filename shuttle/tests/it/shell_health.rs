//! What the program says of pods that crash, cannot be pulled, never get ready, find no node or are refused, and of
//! releases that end: the right word, and why, within five seconds of it.
//!
//! Effects: the real API server with simulated nodes (`testbed/misbehave.go`), processes of `starform-shuttle`.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use http::Method;
use kube::Client;
use serde_json::{Value, json};
use starform_contract::{Index, report::Health};
use starform_shuttle::call::{JSON, call, get, request};

use crate::{
    shell_faults::finished,
    shell_shop::{Shop, nothing_here},
    shell_support::{cluster, empty_system, eventually, rights},
    shell_thread::{Program, write},
};

/// From when something stands in the cluster to when it is told.
const TOLD_WITHIN: Duration = Duration::from_secs(5);
/// Longer than the deadlines of rollouts and releases here.
const ALL_WITHIN: Duration = Duration::from_secs(150);

/// A service, and what becomes of it.
struct Fate {
    service: &'static str,
    image: &'static str,
    fields: Value,
    /// Whether it has happened, as the service's own pods, Jobs and ReplicaSets say.
    happened: fn(&Value) -> bool,
    word: Health,
    /// Words of the reason.
    says: &'static [&'static str],
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_do_not_get_well_are_told_of_at_once() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    rights(&client).await;
    told_in_time(&client, pods()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_cluster_refuses_is_told_in_its_words() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    rights(&client).await;
    told_in_time(&client, refusals()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a progress deadline of two minutes: `cargo xtask soak agent-faults`"]
async fn soak_a_pod_that_is_never_ready_has_failed_at_its_deadline() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    rights(&client).await;
    let late = Fate {
        service: "late",
        image: "example.com/behave-neverready:1",
        fields: json!({"health": {"startup-within": "1s", "ready": ready()}}),
        happened: |found| {
            let deployment = &found["deployments"][0]["status"]["conditions"];
            deployment.to_string().contains("ProgressDeadlineExceeded")
        },
        word: Health::Failed,
        says: &["its readiness check (TCP on port 8080) does not pass"],
    };
    told_in_time(&client, vec![late]).await;
}

fn pods() -> Vec<Fate> {
    vec![
        Fate {
            service: "well",
            image: "a:1",
            fields: json!({}),
            happened: |found| found["deployments"][0]["status"]["availableReplicas"] == 1,
            word: Health::Current,
            says: &[],
        },
        Fate {
            service: "crash",
            image: "example.com/behave-crash:1",
            fields: json!({}),
            happened: |found| says(&found["pods"], "CrashLoopBackOff"),
            word: Health::Failed,
            says: &["the container crashes with exit code 1"],
        },
        Fate {
            service: "pull",
            image: "example.com/behave-pullfail:1",
            fields: json!({}),
            happened: |found| says(&found["pods"], "ImagePullBackOff"),
            word: Health::Failed,
            says: &["the image example.com/behave-pullfail:1 cannot be pulled"],
        },
        Fate {
            service: "unready",
            image: "example.com/behave-neverready:1",
            fields: json!({"health": {"startup-within": "60s", "ready": ready()}}),
            happened: |found| found["pods"][0]["status"]["phase"] == "Running",
            word: Health::InProgress,
            says: &["the container runs, but its readiness check (TCP on port 8080) does not pass"],
        },
        Fate {
            service: "homeless",
            image: "a:1",
            fields: json!({"volumes": {"data": {"mount": "/data", "size": "1Gi", "class": "none"}}}),
            happened: |found| says(&found["pods"], "Unschedulable"),
            word: Health::Failed,
            says: &["no node takes the pod", "PersistentVolumeClaim"],
        },
        Fate {
            service: "released",
            image: "a:1",
            fields: release("30s"),
            happened: |found| found["deployments"][0]["status"]["availableReplicas"] == 1,
            word: Health::Current,
            says: &[],
        },
        Fate {
            service: "unreleased",
            image: "example.com/behave-jobfail1:1",
            fields: release("30s"),
            happened: |found| says(&found["jobs"], "BackoffLimitExceeded"),
            word: Health::Failed,
            says: &["its release failed", "exit code 1"],
        },
        Fate {
            service: "endless",
            image: "example.com/behave-jobok60:1",
            fields: release("3s"),
            happened: |found| says(&found["jobs"], "DeadlineExceeded"),
            word: Health::Failed,
            says: &["its release failed: DeadlineExceeded"],
        },
    ]
}

/// With a quota for no further pod, and a policy against one image of pods and one of Deployments.
fn refusals() -> Vec<Fate> {
    vec![
        Fate {
            service: "quota",
            image: "a:1",
            fields: json!({}),
            happened: |found| says(&found["deployments"], "FailedCreate"),
            word: Health::InProgress,
            says: &["its pods cannot be created", "exceeded quota: none-left"],
        },
        Fate {
            service: "policy",
            image: "example.com/forbidden:1",
            fields: json!({}),
            happened: |found| found["deployments"] == json!([]),
            word: Health::Failed,
            says: &["images of example.com/forbidden stay outside"],
        },
    ]
}

fn ready() -> Value {
    json!({"kind": "tcp", "port": 8080, "every": "5s", "timeout": "1s", "failures": 3})
}

fn release(timeout: &str) -> Value {
    json!({"release": {"run": ["migrate"], "timeout": timeout}})
}

fn says(objects: &Value, reason: &str) -> bool {
    objects
        .to_string()
        .contains(&format!(r#""reason":"{reason}""#))
}

/// Applies them together; each is told of within the limit, whatever becomes of the others.
async fn told_in_time(client: &Client, fates: Vec<Fate>) {
    let mut shop = Shop::new("fates", &[("first", "a:1")]);
    let folder = tempfile::tempdir().unwrap();
    let mut index = nothing_here(client).await;
    let program = begin(client, &shop, &mut index, folder.path()).await;
    for fate in &fates {
        shop = shop
            .image(fate.service, fate.image)
            .with(fate.service, fate.fields.clone());
    }
    if fates.iter().any(|fate| fate.service == "quota") {
        refuse(client, &shop.namespace()).await;
    }
    write(folder.path(), &shop.after(&index));
    let began = Instant::now();
    let mut happened: BTreeMap<&str, Instant> = BTreeMap::new();
    let mut told: BTreeMap<&str, Duration> = BTreeMap::new();
    while told.len() < fates.len() {
        let log = program.log();
        let found = found(client, &shop.namespace()).await;
        for fate in &fates {
            // What became of it later is not asked.
            if told.contains_key(fate.service) {
                continue;
            }
            let Fate {
                service,
                word,
                says,
                ..
            } = fate;
            if (fate.happened)(&of_service(&found, service)) {
                happened.entry(service).or_insert_with(Instant::now);
            }
            let last = last_word(&log, service);
            let right = last.as_ref().is_some_and(|(told, why)| {
                *told == format!("{word:?}") && says.iter().all(|word| why.contains(word))
            });
            let late = happened
                .get(service)
                .is_some_and(|since| since.elapsed() > TOLD_WITHIN);
            assert!(
                right || !late,
                "{service}: {last:?}, {word:?} because {says:?} was to be told\n{log}"
            );
            if right && let Some(since) = happened.get(service) {
                told.entry(service).or_insert_with(|| since.elapsed());
            }
        }
        assert!(began.elapsed() < ALL_WITHIN, "{happened:?} {told:?}\n{log}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("{told:?}");
    program.terminate();
    let (code, log) = program.wait().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("ERROR"), "{log}");
}

async fn begin(client: &Client, shop: &Shop, index: &mut Index, folder: &Path) -> Program {
    *index = nothing_here(client).await;
    let desired = shop.after(index);
    *index = desired.index.clone();
    write(folder, &desired);
    let program = Program::start(folder, &["--log-json"]);
    finished(&program, index.generation).await;
    program
}

/// No further pod, and no Deployment of a certain image.
async fn refuse(client: &Client, namespace: &str) {
    let quota = json!({
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none-left"},
        "spec": {"hard": {"pods": "1"}},
    });
    let path = format!("/api/v1/namespaces/{namespace}/resourcequotas");
    call(client, request(Method::POST, &path, Some((JSON, &quota))))
        .await
        .unwrap();
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": namespace},
        "spec": {
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "resourceRules": [{
                    "apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"],
                    "operations": ["CREATE", "UPDATE"],
                }],
            },
            "validations": [{
                "expression": "!object.spec.template.spec.containers.exists(c, c.image.startsWith('example.com/forbidden'))",
                "message": "images of example.com/forbidden stay outside",
            }],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": namespace},
        "spec": {"policyName": namespace, "validationActions": ["Deny"]},
    });
    for (plural, object) in [("ies", policy), ("ybindings", binding)] {
        let path =
            format!("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic{plural}");
        call(client, request(Method::POST, &path, Some((JSON, &object))))
            .await
            .unwrap();
    }
    in_force(client, namespace).await;
}

/// The API server hears of a policy some time after it has stored it.
async fn in_force(client: &Client, namespace: &str) {
    let labels = json!({"app": "tried"});
    let forbidden = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "tried"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "tried", "image": "example.com/forbidden:1"}]},
            },
        },
    });
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments?dryRun=All");
    eventually("the policy to be in force", async || {
        let tried = call(
            client,
            request(Method::POST, &path, Some((JSON, &forbidden))),
        );
        tried.await.err()
    })
    .await;
}

/// Pods, Jobs and Deployments of a namespace.
async fn found(client: &Client, namespace: &str) -> BTreeMap<&'static str, Vec<Value>> {
    let kinds = [
        ("pods", "/api/v1"),
        ("jobs", "/apis/batch/v1"),
        ("deployments", "/apis/apps/v1"),
    ];
    let mut found = BTreeMap::new();
    for (plural, root) in kinds {
        let path = format!("{root}/namespaces/{namespace}/{plural}");
        let mut list = call(client, get(&path)).await.unwrap();
        found.insert(plural, list["items"].as_array_mut().unwrap().split_off(0));
    }
    found
}

fn of_service(found: &BTreeMap<&str, Vec<Value>>, service: &str) -> Value {
    let beginning = format!("{service}--");
    let own = |object: &&Value| {
        let name = object["metadata"]["name"].as_str().unwrap();
        name.starts_with(&beginning)
    };
    found
        .iter()
        .map(|(plural, objects)| {
            let own: Vec<&Value> = objects.iter().filter(own).collect();
            ((*plural).to_owned(), json!(own))
        })
        .collect()
}

/// Health and reason, as the log told them last.
fn last_word(log: &str, service: &str) -> Option<(String, String)> {
    let lines = log.lines().rev();
    let mut told = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let last = told.find(|line| {
        line["fields"]["message"] == "service" && line["fields"]["service"] == service
    })?;
    let text = |field: &str| {
        last["fields"][field]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    Some((text("health"), text("reason")))
}
