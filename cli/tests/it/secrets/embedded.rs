//! Secrets without a control plane: the cluster itself keeps the values, and nothing else has them.

use std::fs;

use serde_json::json;

use super::{
    FIRST, PULL, PULL_NEXT, SECOND, SHARED, docker_config, is_pulled_with, scan::Scan, shop, value,
};
use crate::support::{
    cluster::Cluster,
    embedded,
    process::{Ran, run_with},
    project::Project,
};

struct Scene<'a> {
    cluster: &'a Cluster,
    shop: Project,
    /// Everything that commands printed.
    said: String,
}

impl Scene<'_> {
    fn starform(&mut self, words: &[&str]) -> Ran {
        let ran = embedded::starform_in(self.cluster, &self.shop, words);
        self.said += &format!("{}\n{}\n", ran.stdout, ran.stderr);
        ran
    }

    fn set(&mut self, place: &[&str], value: String) -> Ran {
        let mut command = embedded::command(self.cluster, &self.shop);
        let ran = run_with(command.args(["secret", "set"]).args(place), value);
        self.said += &format!("{}\n{}\n", ran.stdout, ran.stderr);
        ran
    }

    fn value(&self, namespace: &str, key: &str) -> String {
        value(self.cluster, namespace, "api--production", key).unwrap()
    }
}

/// Without a control plane the cluster itself keeps the values.
#[test]
fn embedded_values_are_kept_in_the_cluster() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let mut scene = Scene {
        cluster: &cluster,
        shop: shop(),
        said: String::new(),
    };
    let plan = scene.starform(&["plan"]).expect(0);
    assert!(plan.stdout.contains("SF6108"), "{}", plan.stdout);
    scene.starform(&["apply", "--auto-approve"]).expect(4);
    images_are_pulled_with_a_secret(&mut scene);
    for (place, value) in [(KEY, FIRST), (DSN, SHARED)] {
        scene.set(&place, value.to_owned()).expect(0);
    }
    let with_profile = ["apply", "--auto-approve", "--profile", "cluster.json"];
    scene.starform(&with_profile).expect(0);
    scene.starform(&["secret", "list", "--cluster"]).expect(0);
    let list = ["secret", "list", "--env", "production"];
    scene.starform(&list).expect(0);
    for line in [
        "registry  version 1",
        "stripe-api-key  version 1",
        "generated.api.COOKIE  version 1",
    ] {
        assert!(scene.said.contains(line), "{}", scene.said);
    }
    let status = ["status", "--format", "json"];
    let status = scene.starform(&status).expect(0).json();
    let namespace = &status["environments"][0]["namespace"];
    let namespace = namespace.as_str().unwrap();
    assert_eq!(scene.value(namespace, "KEY"), FIRST);
    is_pulled_with(&cluster, namespace, PULL);
    let generated = scene.value(namespace, "COOKIE");
    new_values_replace_the_old(&mut scene, namespace);
    assert_eq!(scene.value(namespace, "COOKIE"), generated);
    for place in [&REGISTRY[..], &KEY] {
        let remove = [&["secret", "rm"], place].concat();
        let refused = scene.starform(&remove).expect(1);
        assert!(refused.stderr.contains("in use"), "{}", refused.stderr);
    }
    canaries_are_nowhere_else(&scene, &generated);
}

const REGISTRY: [&str; 2] = ["registry", "--cluster"];
const KEY: [&str; 3] = ["stripe-api-key", "--env", "production"];
const DSN: [&str; 3] = ["shared-dsn", "--env", "production"];

fn images_are_pulled_with_a_secret(scene: &mut Scene<'_>) {
    let profile = json!({ "registry_secret": { "name": "registry" } });
    fs::write(scene.shop.path().join("cluster.json"), profile.to_string()).unwrap();
    let wrong = scene.set(&REGISTRY, PULL.to_owned()).expect(1);
    assert!(wrong.stderr.contains("config.json"), "{}", wrong.stderr);
    scene.set(&REGISTRY, docker_config(PULL)).expect(0);
}

fn new_values_replace_the_old(scene: &mut Scene<'_>, namespace: &str) {
    scene.set(&REGISTRY, docker_config(PULL_NEXT)).expect(0);
    scene.set(&KEY, SECOND.to_owned()).expect(0);
    scene.starform(&["plan", "--exit-code"]).expect(2);
    scene.starform(&["apply", "--auto-approve"]).expect(0);
    assert_eq!(scene.value(namespace, "KEY"), SECOND);
    is_pulled_with(scene.cluster, namespace, PULL_NEXT);
    scene.starform(&["plan", "--exit-code"]).expect(0);
}

fn canaries_are_nowhere_else(scene: &Scene<'_>, generated: &str) {
    // Plans and progress are among it.
    for told in [
        "+ (secret stripe-api-key, version 2)",
        "accepted as generation 2",
    ] {
        assert!(scene.said.contains(told), "{told}: {}", scene.said);
    }
    let mut scan = Scan::of([FIRST, PULL, SECOND, SHARED, PULL_NEXT, generated]);
    scan.look("what commands print", scene.said.as_bytes());
    scan.look_through(scene.shop.path());
    // Those of the project, and where its values are kept.
    scan.look_at(scene.cluster, |path| path.contains("/secrets/"));
    let audit = fs::read(scene.cluster.path().join("audit.log")).unwrap();
    scan.look("the audit log", &audit);
    scan.found_nothing(scene.cluster, "stripe-api-key", SECOND);
}
