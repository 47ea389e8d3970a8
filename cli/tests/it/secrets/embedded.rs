//! Secrets without a control plane: the cluster itself keeps the values, and nothing else has them.

use std::{fs, path::Path};

use serde_json::json;

use super::{
    FIRST, PULL, PULL_NEXT, SECOND, SHARED, docker_config, each_file, is_pulled_with, shop, value,
};
use crate::support::{
    canary,
    cluster::Cluster,
    embedded,
    process::{Ran, run_with},
    project::Project,
};

/// Without a control plane the cluster itself keeps the values.
#[test]
fn embedded_values_are_kept_in_the_cluster() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let shop = shop();
    let run_here = |words: &[&str]| embedded::starform_in(&cluster, &shop, words);
    let plan = run_here(&["plan"]).expect(0);
    assert!(plan.stdout.contains("SF6108"), "{}", plan.stdout);
    run_here(&["apply", "--auto-approve"]).expect(4);
    let mut said = String::new();
    said += &images_are_pulled_with_a_secret(&cluster, &shop);
    for (name, value) in [("stripe-api-key", FIRST), ("shared-dsn", SHARED)] {
        let place = [name, "--env", "production"];
        let ran = set(&cluster, &shop, &place, value.to_owned()).expect(0);
        said += &format!("{}{}", ran.stdout, ran.stderr);
    }
    let with_profile = ["apply", "--auto-approve", "--profile", "cluster.json"];
    said += &run_here(&with_profile).expect(0).stderr;
    said += &run_here(&["secret", "list", "--cluster"]).expect(0).stdout;
    said += &run_here(&["secret", "list", "--env", "production"])
        .expect(0)
        .stdout;
    for line in [
        "registry  version 1",
        "stripe-api-key  version 1",
        "generated.api.COOKIE  version 1",
    ] {
        assert!(said.contains(line), "{said}");
    }
    let status = run_here(&["status", "--format", "json"]).expect(0).json();
    let namespace = status["environments"][0]["namespace"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        value(&cluster, &namespace, "api--production", "KEY").unwrap(),
        FIRST
    );
    is_pulled_with(&cluster, &namespace, PULL);
    let generated = value(&cluster, &namespace, "api--production", "COOKIE").unwrap();
    set(&cluster, &shop, &REGISTRY, docker_config(PULL_NEXT)).expect(0);
    let place = ["stripe-api-key", "--env", "production"];
    set(&cluster, &shop, &place, SECOND.to_owned()).expect(0);
    run_here(&["plan", "--exit-code"]).expect(2);
    said += &run_here(&["apply", "--auto-approve"]).expect(0).stderr;
    assert_eq!(
        value(&cluster, &namespace, "api--production", "KEY").unwrap(),
        SECOND
    );
    assert_eq!(
        value(&cluster, &namespace, "api--production", "COOKIE").unwrap(),
        generated
    );
    is_pulled_with(&cluster, &namespace, PULL_NEXT);
    run_here(&["plan", "--exit-code"]).expect(0);
    for place in [
        &["registry", "--cluster"][..],
        &["stripe-api-key", "--env", "production"],
    ] {
        let refused = run_here(&[&["secret", "rm"], place].concat()).expect(1);
        assert!(refused.stderr.contains("in use"), "{}", refused.stderr);
    }
    embedded_canaries_are_nowhere_else(&cluster, shop.path(), &said, &generated);
}

const REGISTRY: [&str; 2] = ["registry", "--cluster"];

fn set(cluster: &Cluster, shop: &Project, place: &[&str], value: String) -> Ran {
    let mut command = embedded::command(cluster, shop);
    run_with(command.args(["secret", "set"]).args(place), value)
}

/// What was printed.
fn images_are_pulled_with_a_secret(cluster: &Cluster, shop: &Project) -> String {
    let profile = json!({ "registry_secret": { "name": "registry" } });
    fs::write(shop.path().join("cluster.json"), profile.to_string()).unwrap();
    let wrong = set(cluster, shop, &REGISTRY, PULL.to_owned()).expect(1);
    assert!(wrong.stderr.contains("config.json"), "{}", wrong.stderr);
    let taken = set(cluster, shop, &REGISTRY, docker_config(PULL)).expect(0);
    wrong.stderr + &taken.stderr
}

fn embedded_canaries_are_nowhere_else(
    cluster: &Cluster,
    folder: &Path,
    said: &str,
    generated: &str,
) {
    let canaries = [FIRST, PULL, SECOND, SHARED, PULL_NEXT, generated].map(canary::Canary::new);
    let mut found = Vec::new();
    each_file(folder, &mut |path, bytes| {
        let seen = canaries.iter().find_map(|canary| canary.in_bytes(bytes));
        found.extend(seen.map(|form| format!("{form} in {}", path.display())));
    });
    for (path, object) in cluster.everything() {
        // Those of the project, and where its values are kept.
        let secrets = path.contains("/secrets/");
        let seen = canaries
            .iter()
            .find_map(|canary| canary.in_bytes(object.to_string().as_bytes()));
        found.extend(
            seen.filter(|_| !secrets)
                .map(|form| format!("{form} in {path}")),
        );
    }
    assert!(found.is_empty(), "{found:#?}");
    assert!(
        canaries
            .iter()
            .all(|canary| canary.in_bytes(said.as_bytes()).is_none()),
        "{said}"
    );
}
