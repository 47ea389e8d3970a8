//! Secrets end to end, through the control plane and the agent, on a real API server: a value goes from
//! standard input into one Secret of the cluster, and is in nothing else. Read on in `embedded`.

mod embedded;
mod scan;

use std::{fs, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::support::{
    canary,
    cluster::Cluster,
    platform::Platform,
    process::{Ran, run, run_with, starform},
    project::Project,
    wait_for,
};
use scan::Scan;

const IMAGE: &str =
    "ghcr.io/acme/api@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
/// With what JSON, URLs and shells write otherwise.
const FIRST: &str = "canary-Yq7!one \"quoted\" \\ &?=/+ä";
const SECOND: &str = "canary-Zk2-two%20<second>|~";
/// What images are pulled with; its successor.
const PULL: &str = "canary-Rg4-pull'word%/";
const PULL_NEXT: &str = "canary-Wb9+pull&next=";
const SHARED: &str = "canary-Xp5-shared://user:pa$$@db/";

fn shop() -> Project {
    Project::new(&format!(
        "project shop {{
  environment production branch=main
  var-group payments {{ DSN (secret)shared-dsn; MODE live; }}
  web api {{ image \"{IMAGE}\"; port 8080; use payments; vars {{ KEY (secret)stripe-api-key; COOKIE (generate)bytes32; }}; }}
  worker mailer {{ image \"{IMAGE}\"; use payments; }}
  worker plain {{ image \"{IMAGE}\"; vars {{ MODE live; }}; }}
}}
"
    ))
}

struct Scene<'a> {
    cluster: &'a Cluster,
    platform: Platform,
    shop: Project,
    /// Everything that commands printed.
    said: String,
}

impl Scene<'_> {
    fn starform(&mut self, words: &[&str]) -> Ran {
        let ran = self.platform.starform(&self.shop, words);
        self.said += &format!("{}\n{}\n", ran.stdout, ran.stderr);
        ran
    }

    fn set(&mut self, name: &str, value: &str) {
        let mut command = self.platform.command(&self.shop);
        command.args(["secret", "set", name, "--env", "production"]);
        let ran = run_with(&mut command, format!("{value}\n")).expect(0);
        self.said += &format!("{}\n{}\n", ran.stdout, ran.stderr);
    }

    fn set_registry(&mut self, password: &str) -> Ran {
        let mut command = self.platform.command(&self.shop);
        command.args(["secret", "set", "registry", "--cluster", "test"]);
        let ran = run_with(&mut command, docker_config(password));
        self.said += &format!("{}\n{}\n", ran.stdout, ran.stderr);
        ran
    }

    fn namespace(&mut self) -> String {
        let status = self
            .starform(&["status", "--format", "json"])
            .expect(0)
            .json();
        status["environments"][0]["namespace"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn value(&self, namespace: &str, secret: &str, key: &str) -> Option<String> {
        value(self.cluster, namespace, secret, key)
    }

    fn checksum(&self, namespace: &str, service: &str) -> String {
        let path =
            format!("/apis/apps/v1/namespaces/{namespace}/deployments/{service}--production");
        let live = self.cluster.get(&path).unwrap();
        let annotations = &live["spec"]["template"]["metadata"]["annotations"];
        annotations["starform.io/config-checksum"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

/// As `kubectl create secret docker-registry` makes it.
fn docker_config(password: &str) -> String {
    json!({ "auths": { "registry.test": { "username": "robot", "password": password } } })
        .to_string()
}

/// Images are pulled with what `password` stands in, and pods find it through their ServiceAccount.
fn is_pulled_with(cluster: &Cluster, namespace: &str, password: &str) {
    let path = format!("/api/v1/namespaces/{namespace}/secrets/starform-registry");
    let secret = cluster.get(&path).unwrap();
    assert_eq!(secret["type"], "kubernetes.io/dockerconfigjson");
    let text = value(cluster, namespace, "starform-registry", ".dockerconfigjson");
    assert_eq!(text.unwrap(), docker_config(password));
    let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/api--production");
    let account = cluster.get(&path).unwrap();
    let named = json!([{ "name": "starform-registry" }]);
    assert_eq!(account["imagePullSecrets"], named);
}

/// The text of a key of a Secret.
fn value(cluster: &Cluster, namespace: &str, secret: &str, key: &str) -> Option<String> {
    let path = format!("/api/v1/namespaces/{namespace}/secrets/{secret}");
    let live = cluster.get(&path)?;
    let bytes = STANDARD.decode(live["data"][key].as_str()?).unwrap();
    Some(String::from_utf8(bytes).unwrap())
}

#[test]
fn values_reach_the_cluster_and_nothing_else() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let platform = Platform::start(&cluster);
    platform.create_project("shop");
    let mut scene = Scene {
        cluster: &cluster,
        platform,
        shop: shop(),
        said: String::new(),
    };
    images_are_pulled_with_a_secret(&scene);
    nothing_is_applied_without_values(&mut scene);
    let set = scene.set_registry(PULL).expect(0);
    assert!(
        set.stderr.contains("version 1 in cluster test"),
        "{}",
        set.stderr
    );
    scene.set("stripe-api-key", FIRST);
    scene.set("shared-dsn", SHARED);
    scene.starform(&["apply", "--auto-approve"]).expect(0);
    let namespace = scene.namespace();
    let generated = the_values_are_there(&scene, &namespace, FIRST);
    what_somebody_changed_is_healed(&scene, &namespace);
    it_is_healed_with_the_control_plane_away(&mut scene, &namespace);
    a_new_version_rolls_what_uses_it(&mut scene, &namespace, &generated);
    a_new_pull_secret_rolls_nothing(&mut scene, &namespace);
    what_is_used_is_not_removed(&mut scene);
    canaries_are_nowhere_else(&mut scene, &namespace, &generated);
}

fn images_are_pulled_with_a_secret(scene: &Scene<'_>) {
    let profile = scene.platform.folder().join("cluster.json");
    let text = json!({ "registry_secret": { "name": "registry" } }).to_string();
    fs::write(&profile, text).unwrap();
    let file = profile.to_str().unwrap();
    scene
        .platform
        .operate(&["set", "test", "--profile", file])
        .expect(0);
}

fn nothing_is_applied_without_values(scene: &mut Scene<'_>) {
    let plan = scene.starform(&["plan"]).expect(0);
    assert!(plan.stdout.contains("SF6108"), "{}", plan.stdout);
    // As it is without the wrap of the page.
    let words = plan.stdout.split_whitespace().filter(|word| *word != "↳");
    let said: String = words.collect::<Vec<_>>().join(" ");
    for next in [
        "`starform secret set stripe-api-key --env production`",
        "`starform secret set registry --cluster`",
    ] {
        assert!(said.contains(next), "{said}");
    }
    scene.starform(&["apply", "--auto-approve"]).expect(4);
    let listed = scene
        .starform(&["secret", "list", "--env", "production"])
        .expect(0);
    assert_eq!(listed.stdout, "");
}

/// The generated value.
fn the_values_are_there(scene: &Scene<'_>, namespace: &str, key: &str) -> String {
    assert_eq!(
        scene.value(namespace, "api--production", "KEY").unwrap(),
        key
    );
    let group = "starform-vg-payments--production";
    assert_eq!(scene.value(namespace, group, "DSN").unwrap(), SHARED);
    assert_eq!(scene.value(namespace, group, "MODE").unwrap(), "live");
    let generated = scene.value(namespace, "api--production", "COOKIE").unwrap();
    assert_eq!(generated.len(), 43, "32 bytes as base64url");
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/api--production");
    let env = scene.cluster.get(&path).unwrap()["spec"]["template"]["spec"]["containers"][0]["env"]
        .clone();
    let named = |name: &str| {
        let found = env
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["name"] == name);
        found.unwrap()["valueFrom"]["secretKeyRef"].clone()
    };
    assert_eq!(
        named("KEY"),
        json!({"name": "api--production", "key": "KEY"})
    );
    assert_eq!(named("DSN"), json!({"name": group, "key": "DSN"}));
    generated
}

fn what_somebody_changed_is_healed(scene: &Scene<'_>, namespace: &str) {
    let path = format!("/api/v1/namespaces/{namespace}/secrets/api--production");
    scene
        .cluster
        .patch(&path, &json!({"data": {"KEY": STANDARD.encode("wrong")}}));
    wait_for(
        "the changed value to be back",
        Duration::from_secs(10),
        || (scene.value(namespace, "api--production", "KEY")? == FIRST).then_some(()),
    );
    scene.cluster.delete(&path);
    wait_for(
        "the deleted Secret to be back",
        Duration::from_secs(10),
        || (scene.value(namespace, "api--production", "KEY")? == FIRST).then_some(()),
    );
}

/// Also by an agent that was started since and has never spoken to it.
fn it_is_healed_with_the_control_plane_away(scene: &mut Scene<'_>, namespace: &str) {
    scene.platform.kill_server();
    scene.platform.restart_agent();
    let path = format!("/api/v1/namespaces/{namespace}/secrets/api--production");
    scene.cluster.delete(&path);
    wait_for(
        "the Secret to be back without the control plane",
        Duration::from_secs(30),
        || (scene.value(namespace, "api--production", "KEY")? == FIRST).then_some(()),
    );
    scene.platform.restart_server();
}

fn a_new_version_rolls_what_uses_it(scene: &mut Scene<'_>, namespace: &str, generated: &str) {
    let services = ["api", "mailer", "plain"];
    let before = services.map(|service| scene.checksum(namespace, service));
    scene.set("stripe-api-key", SECOND);
    let plan = scene.starform(&["plan"]).expect(0).stdout;
    assert!(
        plan.contains("version 1") && plan.contains("version 2"),
        "{plan}"
    );
    assert!(
        !plan.contains("mailer") && !plan.contains("plain"),
        "{plan}"
    );
    scene.starform(&["apply", "--auto-approve"]).expect(0);
    let after = services.map(|service| scene.checksum(namespace, service));
    assert_ne!(before[0], after[0]);
    assert_eq!(before[1..], after[1..]);
    assert_eq!(the_values_are_there(scene, namespace, SECOND), generated);
    scene.starform(&["plan", "--exit-code"]).expect(0);
}

/// Not even the Deployment is written anew.
fn a_new_pull_secret_rolls_nothing(scene: &mut Scene<'_>, namespace: &str) {
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/api--production");
    let version = |cluster: &Cluster| cluster.get(&path).unwrap()["metadata"]["generation"].clone();
    is_pulled_with(scene.cluster, namespace, PULL);
    let before = version(scene.cluster);
    scene.set_registry(PULL_NEXT).expect(0);
    let plan = scene.starform(&["plan"]).expect(0).stdout;
    assert!(plan.contains("0 rollouts"), "{plan}");
    scene.starform(&["apply", "--auto-approve"]).expect(0);
    is_pulled_with(scene.cluster, namespace, PULL_NEXT);
    assert_eq!(version(scene.cluster), before);
    let rm = ["secret", "rm", "registry", "--cluster", "test"];
    let refused = scene.starform(&rm).expect(1);
    assert!(refused.stderr.contains("in use"), "{}", refused.stderr);
}

fn what_is_used_is_not_removed(scene: &mut Scene<'_>) {
    let rm = ["secret", "rm", "stripe-api-key", "--env", "production"];
    let refused = scene.starform(&rm).expect(1);
    assert!(refused.stderr.contains("in use"), "{}", refused.stderr);
    let text = scene.shop.text();
    scene.shop.replace("KEY (secret)stripe-api-key; ", "");
    scene.starform(&["apply", "--auto-approve"]).expect(0);
    scene.starform(&rm).expect(0);
    // Back in the file, it has no value, and the next one is a new version.
    scene.shop.write(&text);
    let plan = scene.starform(&["plan"]).expect(0).stdout;
    assert!(plan.contains("SF6108"), "{plan}");
    scene.set("stripe-api-key", SECOND);
    let listed = scene
        .starform(&["secret", "list", "--env", "production"])
        .expect(0);
    assert!(
        listed.stdout.contains("stripe-api-key  version 3"),
        "{}",
        listed.stdout
    );
    scene.starform(&["apply", "--auto-approve"]).expect(0);
}

fn canaries_are_nowhere_else(scene: &mut Scene<'_>, namespace: &str, generated: &str) {
    let status = scene.starform(&["status", "--format", "json"]).expect(0);
    let values = [FIRST, PULL, SECOND, SHARED, PULL_NEXT, generated];
    let mut scan = Scan::of(values);
    scan.look("what commands print", scene.said.as_bytes());
    scan.look("the status", status.stdout.as_bytes());
    for folder in [scene.platform.folder(), scene.shop.path()] {
        scan.look_through(folder);
    }
    let secrets = format!("/api/v1/namespaces/{namespace}/secrets");
    scan.look_at(scene.cluster, |path| path.starts_with(&secrets));
    let audit = fs::read(scene.cluster.path().join("audit.log")).unwrap();
    scan.look("the audit log", &audit);
    scan.found_nothing(scene.cluster, "stripe-api-key", SECOND);
    the_scan_finds_what_is_there(scene, &secrets, &values.map(canary::Canary::new));
}

/// The same scan sees each value where it must be.
fn the_scan_finds_what_is_there(scene: &Scene<'_>, secrets: &str, canaries: &[canary::Canary]) {
    let text = Value::from(scene.cluster.list(secrets)).to_string();
    let seen = canaries
        .iter()
        .filter(|canary| canary.in_bytes(text.as_bytes()).is_some());
    // All but the first two, which others have replaced.
    assert_eq!(seen.count(), canaries.len() - 2);
}

#[test]
fn a_value_on_the_command_line_is_refused_without_being_repeated() {
    let shop = shop();
    let mut command = starform();
    command.current_dir(shop.path());
    command.args([
        "secret",
        "set",
        "stripe-api-key",
        "--env",
        "production",
        FIRST,
    ]);
    let refused = run(&mut command).expect(1);
    assert!(
        refused.stderr.contains("never an argument"),
        "{}",
        refused.stderr
    );
    assert!(
        !refused.stderr.contains("canary") && refused.stdout.is_empty(),
        "{}",
        refused.stderr
    );
}
