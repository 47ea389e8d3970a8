//! Without a control plane: plan and apply against a real API server; the cluster is the one home of
//! what is accepted.

use std::{
    fs,
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::{
    cluster::Cluster,
    embedded::{apply, command, starform_in},
    project::Project,
    wait_for,
};

const IMAGE: &str =
    "ghcr.io/acme/api@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

fn versions(cluster: &Cluster, namespace: &str) -> Vec<(String, String)> {
    let paths = [
        format!("/apis/apps/v1/namespaces/{namespace}/deployments"),
        format!("/api/v1/namespaces/{namespace}/services"),
        format!("/api/v1/namespaces/{namespace}/serviceaccounts"),
        format!("/api/v1/namespaces/{namespace}/secrets"),
        format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"),
        format!("/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/httproutes"),
        format!("/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"),
        format!("/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"),
        format!("/apis/batch/v1/namespaces/{namespace}/cronjobs"),
    ];
    let objects = paths
        .iter()
        .flat_map(|path| cluster.list(path).into_iter().map(move |o| (path, o)));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut versions: Vec<_> = objects
        .map(|(path, object)| {
            let metadata = &object["metadata"];
            // A Deployment's status moves its resourceVersion; its spec moves its generation.
            let version = match metadata["generation"].as_u64() {
                Some(generation) => generation.to_string(),
                None => text(&metadata["resourceVersion"]),
            };
            (format!("{path}/{}", text(&metadata["name"])), version)
        })
        .collect();
    versions.sort();
    versions
}

/// One cluster, one story: a cluster costs seconds to start.
#[test]
fn the_shop_from_nothing_to_changed_to_removed() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let shop = Project::example("shop");

    from_nothing(&cluster, &shop);
    a_fresh_clone_plans_no_changes(&cluster, &shop);
    one_image_changes_one_deployment(&cluster, &shop);
    a_removed_service_goes_alone(&cluster, &shop);
    a_stale_plan_is_refused_and_an_unrelated_one_goes_through(&cluster);
    autoscaling_takes_over_without_a_dip(&cluster);
    a_held_service_is_left_until_it_is_named(&cluster);
    one_bad_service_fails_alone(&cluster);
    two_projects_do_not_share_a_host(&cluster);
    the_boutique_takes_one_write_an_object(&cluster);
}

/// Both plans are made from nothing, so both create the Namespace; they are applied one by one.
fn from_nothing(cluster: &Cluster, shop: &Project) {
    let planned = starform_in(
        cluster,
        shop,
        &["plan", "--exit-code", "--out", "both.json"],
    )
    .expect(2);
    assert!(planned.stdout.contains("to create"), "{}", planned.stdout);
    let one = |environment| ["apply", "both.json", "--auto-approve", "--env", environment];
    starform_in(cluster, shop, &one("production")).expect(0);
    let applied = starform_in(cluster, shop, &one("staging")).expect(0);
    let refused = starform_in(cluster, shop, &one("nowhere")).expect(1);
    assert!(
        refused.stderr.contains("staging, production"),
        "{}",
        refused.stderr
    );
    assert!(applied.stdout.contains("done: "), "{}", applied.stdout);
    let namespace = cluster.namespace("shop").unwrap();
    for deployment in cluster.list(&format!("/apis/apps/v1/namespaces/{namespace}/deployments")) {
        let wanted = deployment["spec"]["replicas"].as_u64().unwrap();
        assert_eq!(
            deployment["status"]["availableReplicas"].as_u64(),
            Some(wanted),
            "{deployment:#}"
        );
    }
    let again = starform_in(cluster, shop, &["plan", "--exit-code"]).expect(0);
    assert!(again.stdout.contains("No changes."), "{}", again.stdout);
}

fn a_fresh_clone_plans_no_changes(cluster: &Cluster, shop: &Project) {
    let clone = Project::new(&shop.text());
    let planned = starform_in(cluster, &clone, &["plan", "--exit-code"]).expect(0);
    assert!(planned.stdout.contains("No changes."), "{}", planned.stdout);
}

fn one_image_changes_one_deployment(cluster: &Cluster, shop: &Project) {
    let namespace = cluster.namespace("shop").unwrap();
    let before = versions(cluster, &namespace);
    let image = format!("catalog={IMAGE}");
    let words = ["--env", "staging", "--image", &image];
    let plan = starform_in(
        cluster,
        shop,
        &[&["plan", "--format", "json"], &words[..]].concat(),
    )
    .expect(0)
    .json();
    let changed = &plan["plans"][0]["objects"];
    assert_eq!(changed.as_array().unwrap().len(), 1, "{changed:#}");
    let mark = cluster.audit_mark();
    starform_in(
        cluster,
        shop,
        &[&["apply", "--auto-approve"], &words[..]].concat(),
    )
    .expect(0);
    let written: Vec<_> = cluster
        .audited(mark, "starform")
        .into_iter()
        .filter(|request| request.wrote() && request.namespace == namespace)
        .collect();
    assert_eq!(written.len(), 1, "{written:#?}");
    assert_eq!(written[0].name, "catalog--staging");
    // In production an autoscaler moves Deployments by itself.
    let after = versions(cluster, &namespace);
    let moved: Vec<_> = before
        .iter()
        .filter(|(path, _)| path.ends_with("-staging"))
        .filter(|version| !after.contains(version))
        .collect();
    assert_eq!(moved.len(), 1, "{moved:#?}");
    assert!(moved[0].0.ends_with("deployments/catalog--staging"));
}

fn a_removed_service_goes_alone(cluster: &Cluster, _: &Project) {
    let two = Project::new(&small("pair", &[service("left", 1), service("right", 1)]));
    apply(cluster, &two).expect(0);
    let namespace = cluster.namespace("pair").unwrap();
    two.write(&small("pair", &[service("left", 1)]));
    let plan = starform_in(cluster, &two, &["plan"]).expect(0);
    assert!(plan.stdout.contains("to delete"), "{}", plan.stdout);
    apply(cluster, &two).expect(0);
    let left = versions(cluster, &namespace);
    assert!(
        left.iter().all(|(path, _)| !path.contains("right--")),
        "{left:#?}"
    );
    assert!(
        left.iter()
            .any(|(path, _)| path.ends_with("deployments/left--production")),
        "{left:#?}"
    );
}

fn a_stale_plan_is_refused_and_an_unrelated_one_goes_through(cluster: &Cluster) {
    let project = Project::new(&small("race", &[service("left", 1), service("right", 1)]));
    apply(cluster, &project).expect(0);
    let base = project.text();

    project.write(&small("race", &[service("left", 2), service("right", 1)]));
    starform_in(cluster, &project, &["plan", "--out", "two.json"]).expect(0);
    project.write(&small("race", &[service("left", 1), service("right", 3)]));
    starform_in(cluster, &project, &["plan", "--out", "other.json"]).expect(0);
    project.write(&small("race", &[service("left", 4), service("right", 1)]));
    apply(cluster, &project).expect(0);

    let refused =
        starform_in(cluster, &project, &["apply", "--auto-approve", "two.json"]).expect(3);
    let told = format!("{}{}", refused.stdout, refused.stderr);
    assert!(told.contains("left") && told.contains("scale"), "{told}");
    starform_in(
        cluster,
        &project,
        &["apply", "--auto-approve", "other.json"],
    )
    .expect(0);
    let namespace = cluster.namespace("race").unwrap();
    let replicas = |name: &str| {
        let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}--production");
        cluster.get(&path).unwrap()["spec"]["replicas"].as_u64()
    };
    assert_eq!((replicas("left"), replicas("right")), (Some(4), Some(3)));
    drop(base);
}

fn autoscaling_takes_over_without_a_dip(cluster: &Cluster) {
    let project = Project::new(&small("scaling", &[service("api", 3)]));
    apply(cluster, &project).expect(0);
    let path = format!(
        "/apis/apps/v1/namespaces/{}/deployments/api--production",
        cluster.namespace("scaling").unwrap()
    );
    project.replace("scale 3", "scale min=2 max=6 cpu=70");
    assert_eq!(fewest_while_applying(cluster, &project, &path), 3);
    let hpa = path
        .replace("/apis/apps/v1/", "/apis/autoscaling/v2/")
        .replace("deployments", "horizontalpodautoscalers");
    assert!(cluster.get(&hpa).is_some());

    // And back: it goes before the count is ours again, and nothing dips.
    let mark = cluster.audit_mark();
    project.replace("scale min=2 max=6 cpu=70", "scale 3");
    assert_eq!(fewest_while_applying(cluster, &project, &path), 3);
    assert!(cluster.get(&hpa).is_none());
    let written: Vec<String> = cluster
        .audited(mark, "starform")
        .into_iter()
        .filter(|request| request.wrote() && request.name == "api--production")
        .map(|request| format!("{} {}", request.verb, request.resource))
        .collect();
    assert_eq!(
        written,
        ["delete horizontalpodautoscalers", "patch deployments"]
    );
    assert_eq!(cluster.get(&path).unwrap()["spec"]["replicas"], json!(3));
}

/// The smallest count that the Deployment was seen with.
fn fewest_while_applying(cluster: &Cluster, project: &Project, deployment: &str) -> u64 {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut fewest = u64::MAX;
            while !done.load(Ordering::Relaxed) {
                let live = cluster.get(deployment).unwrap();
                fewest = fewest.min(live["spec"]["replicas"].as_u64().unwrap());
            }
            fewest
        });
        let ran = apply(cluster, project);
        done.store(true, Ordering::Relaxed);
        ran.expect(0);
        watcher.join().unwrap()
    })
}

/// Not a field of what is held is written, whatever else is applied.
fn a_held_service_is_left_until_it_is_named(cluster: &Cluster) {
    let project = Project::new(
        "project held {\n  environment production branch=main\n  worker batch { image \"registry.test/batch:1\"; }\n  worker other { image \"registry.test/other:1\"; }\n}\n",
    );
    apply(cluster, &project).expect(0);
    let namespace = cluster.namespace("held").unwrap();
    let deployment = |service: &str| {
        let path =
            format!("/apis/apps/v1/namespaces/{namespace}/deployments/{service}--production");
        let live = cluster.get(&path).unwrap();
        let image = live["spec"]["template"]["spec"]["containers"][0]["image"].clone();
        (live["metadata"]["generation"].as_u64().unwrap(), image)
    };
    let before = deployment("batch");
    project.replace("batch:1\";", "batch:2\"; hold;");
    project.replace("other:1", "other:2");
    let held = "left as accepted, though different: batch";
    let plan = starform_in(cluster, &project, &["plan"]).expect(0);
    assert!(plan.stdout.contains(held), "{}", plan.stdout);
    apply(cluster, &project).expect(0);
    assert_eq!(deployment("batch"), before);
    assert_eq!(deployment("other").1, "registry.test/other:2");
    let named = ["apply", "--auto-approve", "--service", "batch"];
    starform_in(cluster, &project, &named).expect(0);
    let (generation, image) = deployment("batch");
    assert_eq!(image, "registry.test/batch:2");
    assert!(generation > before.0);
    starform_in(cluster, &project, &["plan", "--exit-code"]).expect(0);
}

fn one_bad_service_fails_alone(cluster: &Cluster) {
    let bad = "  web bad {\n    image \"registry.test/behave-pullfail:1@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0\"\n    port 8080\n  }\n";
    let project = Project::new(&small("mixed", &[service("good", 1), bad.to_owned()]));
    let ran = apply(cluster, &project).expect(5);
    let told = format!("{}{}", ran.stdout, ran.stderr);
    assert!(
        told.contains("bad") && told.contains("cannot be pulled"),
        "{told}"
    );
    let path = format!(
        "/apis/apps/v1/namespaces/{}/deployments/good--production",
        cluster.namespace("mixed").unwrap()
    );
    assert_eq!(
        cluster.get(&path).unwrap()["status"]["availableReplicas"],
        json!(1)
    );
    let status = starform_in(cluster, &project, &["status"]);
    assert!(status.stdout.contains("bad"), "{}", status.stdout);
}

fn two_projects_do_not_share_a_host(cluster: &Cluster) {
    let on = |host: &str| format!("    domain \"{host}\"\n  }}\n");
    let web = |host: &str| service("front", 1).replace("  }\n", &on(host));
    let [one, other] =
        ["lemon", "walnut"].map(|name| Project::new(&small(name, &[web("app.example.org")])));
    // Made while the host was free, so the accept has to see it.
    starform_in(cluster, &other, &["plan", "--out", "early.json"]).expect(0);
    apply(cluster, &one).expect(0);
    let refused =
        starform_in(cluster, &other, &["apply", "--auto-approve", "early.json"]).expect(4);
    let said = "SF6114: the host app.example.org belongs to the project lemon";
    assert!(refused.stderr.contains(said), "{}", refused.stderr);
    let planned = starform_in(cluster, &other, &["plan"]).expect(0);
    assert!(
        planned.stdout.contains("error[SF6114]"),
        "{}",
        planned.stdout
    );
    assert!(
        planned.stdout.contains("starform.kdl:7:5"),
        "{}",
        planned.stdout
    );
    let refused = apply(cluster, &other).expect(4);
    let placed = format!("starform.kdl:7:5: {said}");
    assert!(refused.stderr.contains(&placed), "{}", refused.stderr);
    for host in ["*.example.org", "*.app.example.org"] {
        other.write(&small("walnut", &[web(host)]));
        apply(cluster, &other).expect(if host == "*.example.org" { 4 } else { 0 });
    }
    assert!(cluster.namespace("walnut").is_some());
    // And back: what the other has below it is not the first one's any more.
    one.write(&small("lemon", &[web("www.app.example.org")]));
    apply(cluster, &one).expect(4);
    one.write(&small("lemon", &[web("app.example.org")]));
    starform_in(cluster, &one, &["plan", "--exit-code"]).expect(0);
}

fn the_boutique_takes_one_write_an_object(cluster: &Cluster) {
    let boutique = Project::example("online-boutique");
    let plan = starform_in(cluster, &boutique, &["plan", "--format", "json"])
        .expect(0)
        .json();
    let objects = plan["plans"][0]["objects"].as_array().unwrap().len();
    let mark = cluster.audit_mark();
    apply(cluster, &boutique).expect(0);
    let namespace = cluster.namespace("online-boutique").unwrap();
    let written: Vec<_> = cluster
        .audited(mark, "starform")
        .into_iter()
        .filter(|request| {
            request.wrote() && (request.namespace == namespace || request.name == namespace)
        })
        .collect();
    assert_eq!(written.len(), objects, "{written:#?}");
    starform_in(cluster, &boutique, &["plan", "--exit-code"]).expect(0);
}

/// 200 objects and more, and the process killed in the middle: the next apply finishes the work.
#[test]
fn an_apply_that_is_killed_is_finished_by_the_next() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let services: Vec<String> = (0..50).map(|n| service(&format!("s{n}"), 1)).collect();
    let project = Project::new(&small("many", &services));
    let mark = cluster.audit_mark();
    let mut child = command(&cluster, &project)
        .args(["apply", "--auto-approve"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("60 writes", Duration::from_secs(60), || {
        let writes = cluster
            .audited(mark, "starform")
            .into_iter()
            .filter(|r| r.wrote())
            .count();
        (writes > 60).then_some(())
    });
    child.kill().unwrap();
    child.wait().unwrap();

    apply(&cluster, &project).expect(0);
    let namespace = cluster.namespace("many").unwrap();
    let deployments = cluster.list(&format!("/apis/apps/v1/namespaces/{namespace}/deployments"));
    assert_eq!(deployments.len(), 50);
    let deleted: Vec<_> = cluster
        .audited(mark, "starform")
        .into_iter()
        .filter(|r| r.verb == "delete")
        .collect();
    assert!(
        deleted.iter().all(|request| request.namespace != namespace),
        "{deleted:#?}"
    );
    starform_in(&cluster, &project, &["plan", "--exit-code"]).expect(0);
    assert!(fs::metadata(project.path().join(".starform")).is_ok());
    an_image_that_never_becomes_ready_fails_alone(&cluster);
}

/// Nothing is wrong that a pod could tell: only the rollout's deadline says so, 120 s after
/// `startup-within`.
fn an_image_that_never_becomes_ready_fails_alone(cluster: &Cluster) {
    let bad = "  web bad {\n    image \"registry.test/behave-neverready:1\"\n    port 8080\n    health startup-within=\"1s\"\n  }\n";
    let project = Project::new(&small("never", &[service("good", 1), bad.to_owned()]));
    let ran = apply(cluster, &project).expect(5);
    assert!(ran.stdout.contains("done: good"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("bad:") && ran.stdout.contains("ready"),
        "{}",
        ran.stdout
    );
}

fn small(name: &str, services: &[String]) -> String {
    format!(
        "project {name} {{\n  environment production branch=main\n{}}}\n",
        services.concat()
    )
}

fn service(name: &str, replicas: u32) -> String {
    format!("  web {name} {{\n    image \"{IMAGE}\"\n    port 8080\n    scale {replicas}\n  }}\n")
}
