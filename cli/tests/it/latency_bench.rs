//! How long after a plan is accepted its first write begins: `cargo xtask bench latency`.
//!
//! Effects: a cluster, a control plane and an agent of its own; prints a figure a line, as `bench --json` does. Always
//! holds: it is counted from when the control plane was asked to accept, so that accepting is part of it, until the API
//! server had the first request that changes an object of the project; both by the clock of one machine.

use std::{
    fs,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::runtime::Runtime;

use crate::{
    drift_bench::{print, quantile},
    support::{
        cluster::{Audited, Cluster},
        platform::Platform,
        project::{GOOD, Project},
        wait_for,
    },
};

const SAMPLES: usize = 60;
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
#[ignore = "two minutes: cargo xtask bench latency"]
fn bench_a_generation_is_acted_upon_soon() {
    let times = measure(SAMPLES);
    let Some((kept, written)) = times else {
        return;
    };
    print(
        "latency/accept to kept in the cluster p95",
        &kept,
        0.95,
        "ms",
    );
    print("latency/accept to first write p50", &written, 0.5, "ms");
    print("latency/accept to first write p95", &written, 0.95, "ms");
    let p95 = quantile(&written, 0.95);
    assert!(
        p95 < 500.0,
        "p95 from accepted to the first write: {p95} ms"
    );
}

/// Milliseconds, sorted: until the agent wrote for itself, until it wrote for the project.
fn measure(samples: usize) -> Option<(Vec<f64>, Vec<f64>)> {
    let cluster = Cluster::start()?;
    let platform = Platform::start(&cluster);
    platform.create_project("hello");
    let project = Project::new(GOOD);
    platform.apply(&project).expect(0);
    let namespace = cluster.namespace("hello").unwrap();
    let (runtime, http) = (Runtime::new().unwrap(), reqwest::Client::new());
    let token = fs::read_to_string(platform.folder().join("admin-token")).unwrap();
    let (mut kept, mut written) = (Vec::new(), Vec::new());
    for number in 0..samples {
        let image = format!("api=registry.test/api:{number}");
        let words = ["plan", "--format", "json", "--verify-wait", "0", "--image"];
        let plans = platform.starform(&project, &[&words[..], &[&image]].concat());
        let plans = plans.expect(0).json();
        let plan = plans["plans"][0]["plan_id"].as_str().unwrap().to_owned();
        let accept = http
            .post(format!("{}/v1/plans/{plan}/apply", platform.url()))
            .bearer_auth(token.trim())
            .header("content-type", "application/json")
            .body("{}");
        let mark = cluster.audit_mark();
        let asked = micros_now();
        let answer = runtime.block_on(accept.send()).unwrap();
        assert_eq!(answer.status(), 202);
        let wrote = wait_for("the first write", PATIENCE, || {
            let mut wrote = cluster.audited(mark, "starform-shuttle");
            wrote.retain(Audited::wrote);
            let own = wrote.iter().find(|write| write.namespace == namespace);
            own.is_some().then_some(wrote)
        });
        let first = |here: &str| {
            let mine = wrote.iter().filter(|write| write.namespace == here);
            let received = mine.map(|write| write.received).min();
            (received.unwrap() - asked) as f64 / 1e3
        };
        kept.push(first("starform-system"));
        written.push(first(&namespace));
    }
    kept.sort_by(f64::total_cmp);
    written.sort_by(f64::total_cmp);
    Some((kept, written))
}

fn micros_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_micros()).unwrap()
}
