//! How long what somebody edits stays, and what putting it back costs: `cargo xtask bench drift`.
//!
//! Effects: a cluster, a control plane and an agent of its own; prints a figure a line, as `bench --json` does. Always
//! holds: every edit is put back by the agent, and the audit log says how often it wrote for that.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    cluster::{Audited, Cluster},
    platform::Platform,
    project::{GOOD, Project},
    wait_for,
};

/// Of fields that Starform states.
const EDITS: usize = 200;
/// And so many additions, which are seized first.
const ADDITIONS: usize = 20;

/// One thing that somebody does to an object.
struct Edit {
    path: String,
    patch: Value,
    /// A pointer into the object, and what stands there before and after.
    field: &'static str,
}

#[test]
#[ignore = "a minute: cargo xtask bench drift"]
fn bench_edits_are_put_back() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let platform = Platform::start(&cluster);
    platform.create_project("hello");
    let project = Project::new(&GOOD.replace("8080", "8080\n    scale 1"));
    platform.apply(&project).expect(0);
    let namespace = cluster.namespace("hello").unwrap();
    let edits = edits(&namespace);
    let changed = measure(&cluster, &edits, EDITS);
    print("drift/changed p50", &changed.times, 0.5, "ms");
    print("drift/changed p95", &changed.times, 0.95, "ms");
    println!(
        "{}",
        figure("drift/writes an edit", changed.writes, "writes", EDITS)
    );
    let added = measure(&cluster, &[addition(&namespace)], ADDITIONS);
    print("drift/added p95", &added.times, 0.95, "ms");
    println!(
        "{}",
        figure(
            "drift/writes an addition",
            added.writes,
            "writes",
            ADDITIONS
        )
    );
    let p95 = quantile(&changed.times, 0.95);
    assert!(p95 < 1000.0, "p95 from edit to corrected: {p95} ms");
    assert!(changed.writes <= 1.0, "{} writes an edit", changed.writes);
}

struct Measured {
    /// Milliseconds, sorted.
    times: Vec<f64>,
    /// Of the agent, for each edit.
    writes: f64,
}

fn measure(cluster: &Cluster, edits: &[Edit], count: usize) -> Measured {
    let mark = cluster.audit_mark();
    let mut times = Vec::with_capacity(count);
    for edit in edits.iter().cycle().take(count) {
        let before = cluster.get(&edit.path).unwrap();
        let expected = before.pointer(edit.field).cloned();
        cluster.patch(&edit.path, &edit.patch);
        let edited = Instant::now();
        let deadline = edited + Duration::from_secs(30);
        loop {
            let live = cluster.get(&edit.path).unwrap();
            if live.pointer(edit.field).cloned() == expected {
                break;
            }
            assert!(Instant::now() < deadline, "{} is not put back", edit.path);
            std::thread::sleep(Duration::from_millis(2));
        }
        times.push(edited.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    let writes = wait_for("the audit log", Duration::from_secs(30), || {
        let agents = cluster.audited(mark, "starform-shuttle");
        let writes = agents.iter().filter(|request| is_correction(request));
        Some(writes.count()).filter(|writes| *writes >= count)
    });
    Measured {
        times,
        writes: writes as f64 / count as f64,
    }
}

/// Not what the agent writes down for itself, which a correction does not change.
fn is_correction(request: &Audited) -> bool {
    request.wrote() && request.namespace != "starform-system"
}

fn edits(namespace: &str) -> Vec<Edit> {
    let deployment = format!("/apis/apps/v1/namespaces/{namespace}/deployments/api--production");
    let service = format!("/api/v1/namespaces/{namespace}/services/api--production");
    let account = format!("/api/v1/namespaces/{namespace}/serviceaccounts/api--production");
    let policy = format!(
        "/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies/starform-default-deny"
    );
    let edit = |path: &str, field, patch| Edit {
        path: path.to_owned(),
        patch,
        field,
    };
    vec![
        edit(
            &deployment,
            "/spec/replicas",
            json!({"spec": {"replicas": 3}}),
        ),
        edit(
            &service,
            "/spec/selector",
            json!({"spec": {"selector": {"starform.io/role": "mine"}}}),
        ),
        edit(
            &account,
            "/automountServiceAccountToken",
            json!({"automountServiceAccountToken": true}),
        ),
        edit(
            &policy,
            "/spec/policyTypes",
            json!({"spec": {"policyTypes": ["Ingress"]}}),
        ),
    ]
}

fn addition(namespace: &str) -> Edit {
    Edit {
        path: format!("/apis/apps/v1/namespaces/{namespace}/deployments/api--production"),
        patch: json!({"spec": {"paused": true}}),
        field: "/spec/paused",
    }
}

pub(crate) fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = (sorted.len() as f64 * part).ceil() as usize;
    sorted[place.clamp(1, sorted.len()) - 1]
}

pub(crate) fn print(name: &str, times: &[f64], part: f64, unit: &str) {
    println!("{}", figure(name, quantile(times, part), unit, times.len()));
}

fn figure(name: &str, ours: f64, unit: &str, n: usize) -> Value {
    json!({"name": name, "ours": ours, "floor": null, "ratio": null, "unit": unit, "n": n})
}
