//! What an operator sets about a cluster, from the command line to the object in the cluster.

use std::{fs, path::Path, time::Duration};

use serde_json::{Value, json};

use crate::support::{cluster::Cluster, platform::Platform, project::Project, wait_for};

const SERVICES: &str = "/api/v1/namespaces/envoy-gateway-system/services";
const SIZE: &str = "service.beta.kubernetes.io/do-loadbalancer-size-unit";
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_clusters_settings_reach_the_cluster() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let mut platform = Platform::start(&cluster);
    what_does_not_fit_is_refused(&platform);
    let gateway = json!({
        "name": "starform",
        "namespace": "envoy-gateway-system",
        "load_balancer": { "service": "proxies" },
    });
    let profile = cluster.path().join("cluster.json");
    fs::write(&profile, json!({ "gateway": gateway }).to_string()).unwrap();
    cluster.create("/api/v1/namespaces", &named("envoy-gateway-system"));
    cluster.install_manifests_of(&profile);
    let file = profile.to_str().unwrap();
    platform
        .operate(&["set", "test", "--profile", file, "--lb-size-units", "2"])
        .expect(0);
    says(&platform, "load balancer of 2 units: absent");
    assert!(cluster.list(SERVICES).is_empty(), "nothing is made");

    let mut service = named("proxies");
    service["spec"] = json!({ "ports": [{ "port": 443 }] });
    cluster.create(SERVICES, &service);
    has(&cluster, "2");
    says(&platform, "load balancer of 2 units: set");
    // Drift, and a restart of the agent.
    let path = format!("{SERVICES}/proxies");
    cluster.patch(
        &path,
        &json!({ "metadata": { "annotations": { SIZE: "9" } } }),
    );
    has(&cluster, "2");
    platform.agent = None;
    cluster.patch(
        &path,
        &json!({ "metadata": { "annotations": { SIZE: null } } }),
    );
    platform.restart_agent();
    has(&cluster, "2");
    platform
        .operate(&["set", "test", "--lb-size-units", "3"])
        .expect(0);
    has(&cluster, "3");
    the_profile_is_shown(&platform);
    // A project on the cluster goes on from the generations that the settings made.
    let hello = Project::example("hello");
    platform.create_project("hello");
    platform.apply(&hello).expect(0);
    has(&cluster, "3");
    without_a_load_balancer_the_size_is_not_kept(&platform, &profile);
    has(&cluster, "3");
    platform.agent.as_mut().unwrap().assert_running();
}

/// And it is, as soon as the profile names one again.
fn without_a_load_balancer_the_size_is_not_kept(platform: &Platform, profile: &Path) {
    let bare = profile.with_file_name("bare.json");
    fs::write(&bare, "{}").unwrap();
    for (profile, words) in [
        (bare.as_path(), "of 3 units: not kept, the profile names no"),
        (profile, "of 3 units: set"),
    ] {
        let file = profile.to_str().unwrap();
        let ran = platform
            .operate(&["set", "test", "--profile", file])
            .expect(0);
        assert_eq!(
            ran.stderr.contains("not kept"),
            words.contains("not kept"),
            "{}",
            ran.stderr
        );
        says(platform, words);
    }
}

fn what_does_not_fit_is_refused(platform: &Platform) {
    let ran = platform.operate(&["set", "test", "--lb-size-units", "2"]);
    assert_ne!(ran.code, 0);
    assert!(
        ran.stderr.contains("names no load balancer"),
        "{}",
        ran.stderr
    );
    let ran = platform.operate(&["set", "test"]);
    assert_ne!(ran.code, 0);
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("wrong.json");
    fs::write(&wrong, r#"{"tiers":{"free":{"quota":{"pods":0}}}}"#).unwrap();
    let ran = platform.operate(&["set", "test", "--profile", wrong.to_str().unwrap()]);
    assert_ne!(ran.code, 0);
    assert!(
        ran.stderr.contains("tiers.free.quota.pods: nothing fits"),
        "{}",
        ran.stderr
    );
}

fn the_profile_is_shown(platform: &Platform) {
    let shown = platform.operate(&["show", "test"]).expect(0).stdout;
    assert!(shown.contains("load balancer of 3 units"), "{shown}");
    assert!(shown.contains("\"service\": \"proxies\""), "{shown}");
    let shown = platform
        .operate(&["show", "test", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(shown["lb_size_units"], 3);
    assert_eq!(
        shown["profile"]["gateway"]["load_balancer"]["service"],
        "proxies"
    );
}

fn named(name: &str) -> Value {
    json!({ "metadata": { "name": name } })
}

fn says(platform: &Platform, words: &str) {
    wait_for(words, PATIENCE, || {
        let listed = platform.operate(&["list"]).expect(0).stdout;
        listed.contains(words).then_some(())
    });
}

fn has(cluster: &Cluster, units: &str) {
    wait_for("the annotation", PATIENCE, || {
        let live = cluster.get(&format!("{SERVICES}/proxies")).unwrap();
        live["metadata"]["annotations"][SIZE]
            .as_str()
            .filter(|found| *found == units)
            .map(drop)
    });
}
