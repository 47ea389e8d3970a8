//! A project that needs exactly what its tier has: it is taken and rolls out, with a release; with one less of
//! anything, a plan blocks it. Pods of the simulated nodes end at once, so nothing here waits for them.
//!
//! Effects: a cluster. Read on in `reconciler/plan/src/quota`, which says what a project needs.

use std::fs;

use serde_json::{Value, json};

use crate::support::{cluster::Cluster, embedded::starform_in, process::Ran, project::Project};

/// At its most: four pods of api, one of a rollout and one of a release; one of db.
const SNUG: &str = r#"project snug {
  environment production branch=main
  web api {
    image "registry.test/api:1"
    release "bin/migrate"
    port 8080
    scale 4
    size cpu="100m" memory="128Mi"
  }
  private db {
    image "registry.test/db:1"
    port 5432 protocol=tcp
    volume data mount="/data" size="1Gi"
    size cpu="100m" memory="128Mi"
  }
}
"#;

#[test]
fn what_fits_exactly_rolls_out() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let snug = Project::new(SNUG);
    let exact =
        json!({ "cpu": "700m", "memory": "896Mi", "pods": 7, "storage": "1Gi", "volumes": 1 });
    one_less_of_anything_is_too_little(&cluster, &snug, &exact);
    has(&snug, &exact);
    with_profile(&cluster, &snug, &["apply", "--auto-approve"]).expect(0);
    let namespace = cluster.namespace("snug").unwrap();
    the_cluster_holds_it_to_that(&cluster, &namespace);
    snug.replace("api:1", "api:2");
    with_profile(&cluster, &snug, &["apply", "--auto-approve"]).expect(0);
    runs_only(&cluster, &namespace, "registry.test/api:2");
}

fn has(snug: &Project, quota: &Value) {
    let profile = json!({ "tiers": { "standard": { "quota": quota } } });
    fs::write(snug.path().join("cluster.json"), profile.to_string()).unwrap();
}

fn with_profile(cluster: &Cluster, snug: &Project, words: &[&str]) -> Ran {
    starform_in(
        cluster,
        snug,
        &[words, &["--profile", "cluster.json"]].concat(),
    )
}

fn one_less_of_anything_is_too_little(cluster: &Cluster, snug: &Project, exact: &Value) {
    for (name, less) in [
        ("cpu", json!("699m")),
        ("memory", json!("895Mi")),
        ("pods", json!(6)),
        ("storage", json!("1023Mi")),
    ] {
        let mut quota = exact.clone();
        quota[name] = less;
        has(snug, &quota);
        let plan = with_profile(cluster, snug, &["plan"]).expect(0);
        assert!(plan.stdout.contains("SF6106"), "{name}: {}", plan.stdout);
    }
}

fn the_cluster_holds_it_to_that(cluster: &Cluster, namespace: &str) {
    let path = format!("/api/v1/namespaces/{namespace}/resourcequotas/starform-quota");
    let hard = cluster.get(&path).unwrap()["spec"]["hard"].clone();
    assert_eq!(
        (&hard["pods"], &hard["requests.cpu"]),
        (&json!("7"), &json!("700m"))
    );
}

fn available(deployment: &Value) -> u64 {
    deployment["status"]["availableReplicas"]
        .as_u64()
        .unwrap_or(0)
}

fn runs_only(cluster: &Cluster, namespace: &str, image: &str) {
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/api--production");
    let live = cluster.get(&path).unwrap();
    assert_eq!(
        live["spec"]["template"]["spec"]["containers"][0]["image"],
        image
    );
    assert_eq!(
        (available(&live), &live["status"]["replicas"]),
        (4, &json!(4)),
        "{live:#}"
    );
}
