//! With a control plane and an agent: stale plans, lost processes, wrong tokens.

use std::{
    fs,
    path::PathBuf,
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use serde_json::Value;

use crate::support::{
    cluster::{Audited, Cluster},
    platform::Platform,
    process::{run, starform},
    project::Project,
    wait_for,
};

/// An agent that is killed keeps its lease where it restarts in the same place; elsewhere it waits
/// until the lease has run out (60 s).
const LEASE: Duration = Duration::from_secs(120);

const IMAGE: &str =
    "ghcr.io/acme/api@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

fn project(name: &str, services: &[(&str, u32)]) -> String {
    let services: String = services
        .iter()
        .map(|(name, replicas)| {
            format!("  web {name} {{\n    image \"{IMAGE}\"\n    port 8080\n    scale {replicas}\n  }}\n")
        })
        .collect();
    format!("project {name} {{\n  environment production branch=main\n{services}}}\n")
}

#[test]
fn plans_tokens_and_lost_processes() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let mut platform = Platform::start(&cluster);
    wrong_tokens(&platform);
    stale_and_unrelated_plans(&platform);
    included_files_and_a_preview(&cluster, &platform);
    the_agent_is_killed_in_the_middle(&cluster, &mut platform);
    the_control_plane_is_killed_between_accept_and_report(&cluster, &mut platform);
    signing_keys_change_without_a_gap(&mut platform);
    a_store_that_went_back_is_refused_until_the_operator_says_so(&cluster, &mut platform);
}

/// "After a restore" of `docs/operating.md`.
fn a_store_that_went_back_is_refused_until_the_operator_says_so(
    cluster: &Cluster,
    platform: &mut Platform,
) {
    let back = Project::new(&project("back", &[("api", 1)]));
    platform.create_project("back");
    platform.apply(&back).expect(0);
    platform.kill_server();
    let kept = store(platform);
    platform.restart_server();
    back.write(&project("back", &[("api", 2)]));
    platform.apply(&back).expect(0);
    let replicas = || deployments(cluster, "sf-back-")[0].1["spec"]["replicas"].clone();
    assert_eq!(replicas(), 2);

    platform.kill_server();
    for (path, _) in store(platform) {
        fs::remove_file(path).unwrap();
    }
    for (path, content) in kept {
        fs::write(path, content).unwrap();
    }
    let mark = cluster.audit_mark();
    platform.restart_server();
    let list = || platform.operate(&["list"]).expect(0).stdout;
    wait_for("the refusal to be told", LEASE, || {
        list().contains("AGENT REFUSES: went-back").then_some(())
    });
    assert_eq!(replicas(), 2);
    let in_projects = |request: &Audited| request.namespace.starts_with("sf-");
    let written: Vec<_> = writes(cluster, mark)
        .into_iter()
        .filter(in_projects)
        .collect();
    assert!(written.is_empty(), "{written:#?}");

    platform.operate(&["reset-generation", "test"]).expect(1);
    platform
        .operate(&["reset-generation", "test", "--confirm"])
        .expect(0);
    wait_for("what the store holds", LEASE, || {
        (replicas() == 1).then_some(())
    });
    wait_for("the refusal to end", LEASE, || {
        (!list().contains("REFUSES")).then_some(())
    });
    back.write(&project("back", &[("api", 3)]));
    platform.apply(&back).expect(0);
    assert_eq!(replicas(), 3);
    platform.starform(&back, &["plan", "--exit-code"]).expect(0);
}

/// The store's files; the server is not running.
fn store(platform: &Platform) -> Vec<(PathBuf, Vec<u8>)> {
    ["store.db", "store.db-wal", "store.db-shm"]
        .map(|name| platform.folder().join(name))
        .into_iter()
        .filter(|path| path.exists())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

/// Every step of `docs/operating.md`: add, trust, sign with the new one; and what happens where the
/// middle one is left out.
fn signing_keys_change_without_a_gap(platform: &mut Platform) {
    let keys = Project::new(&project("keys", &[("api", 1)]));
    platform.create_project("keys");
    platform.apply(&keys).expect(0);
    let file = platform.signing_keys();
    let old = fs::read_to_string(&file).unwrap();
    let new = "next:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\n";
    let sign_with = |platform: &mut Platform, keys: &[&str]| {
        fs::write(&file, keys.concat()).unwrap();
        platform.server.kill();
        platform.restart_server();
    };
    // Signed with a key that nobody trusts: nothing is written, and the operator is told why.
    sign_with(platform, &[new]);
    keys.write(&project("keys", &[("api", 2)]));
    let mut command = platform.command(&keys);
    let ran = run(command.args(["apply", "--auto-approve", "--wait", "3s"]));
    ran.expect(6);
    wait_for("the refusal to be told", Duration::from_secs(30), || {
        let list = platform.operate(&["list"]).expect(0).stdout;
        list.contains("AGENT REFUSES: unknown-key").then_some(())
    });
    // In order: the new one is trusted while the old one signs.
    sign_with(platform, &[&old, new]);
    let agent_file = platform.agent_file();
    let told = platform
        .operate(&["trust", "--agent-file", agent_file.to_str().unwrap()])
        .expect(0);
    assert!(told.stderr.contains("next"), "{}", told.stderr);
    assert!(!told.stderr.contains("AgICAg") && told.stdout.is_empty());
    platform.apply(&keys).expect(0);
    sign_with(platform, &[new, &old]);
    keys.write(&project("keys", &[("api", 3)]));
    platform.apply(&keys).expect(0);
    let list = platform.operate(&["list"]).expect(0).stdout;
    assert!(
        !list.contains("REFUSES") && list.contains("agent at"),
        "{list}"
    );
}

fn wrong_tokens(platform: &Platform) {
    let hello = Project::example("hello");
    for token in ["", "sf_admin_nobody_nothing", &platform.agent_token()] {
        let mut command = starform();
        command
            .env("STARFORM_TOKEN", token)
            .current_dir(hello.path());
        let ran = run(command.args(["plan", "--server", &platform.url()])).expect(1);
        assert!(
            ran.stderr.contains("token") || ran.stderr.contains("not found"),
            "{}",
            ran.stderr
        );
        assert!(
            !ran.stderr.contains(token) || token.is_empty(),
            "the token is told in an error"
        );
    }
}

fn stale_and_unrelated_plans(platform: &Platform) {
    let race = Project::new(&project("race", &[("left", 1), ("right", 1)]));
    platform.create_project("race");
    platform.apply(&race).expect(0);
    let plan_of = |services: &[(&str, u32)]| {
        race.write(&project("race", services));
        let plans = platform
            .starform(&race, &["plan", "--format", "json"])
            .expect(0)
            .json();
        plans["plans"][0]["plan_id"].as_str().unwrap().to_owned()
    };
    let two = plan_of(&[("left", 2), ("right", 1)]);
    let other = plan_of(&[("left", 1), ("right", 3)]);
    let shown = platform.starform(&race, &["show", &two]).expect(0);
    assert!(shown.stdout.contains("left"), "{}", shown.stdout);
    race.write(&project("race", &[("left", 4), ("right", 1)]));
    platform.apply(&race).expect(0);

    let refused = platform
        .starform(&race, &["apply", "--auto-approve", &two])
        .expect(3);
    assert!(
        refused.stderr.contains("left") && refused.stderr.contains("scale"),
        "{}",
        refused.stderr
    );
    platform
        .starform(&race, &["apply", "--auto-approve", &other])
        .expect(0);
    // A plan is used once.
    platform
        .starform(&race, &["apply", "--auto-approve", &other])
        .expect(1);
}

/// All files travel with a plan, and a preview is planned only where it is asked for by name.
fn included_files_and_a_preview(cluster: &Cluster, platform: &Platform) {
    let parts = Project::new(
        "project parts {\n  environment staging branch=main\n  preview from=staging on=pull-request expire=\"3d\"\n  include \"services/*.kdl\"\n}\n",
    );
    let services = parts.path().join("services");
    fs::create_dir(&services).unwrap();
    let write = |in_preview: u32| {
        let api = format!(
            "web api {{\n  image \"{IMAGE}\"\n  port 8080\n  scale 3\n  in preview {{ scale {in_preview}; }}\n}}\n"
        );
        fs::write(services.join("api.kdl"), api).unwrap();
    };
    write(1);
    let jobs = format!("worker jobs {{\n  image \"{IMAGE}\"\n  not-in preview\n}}\n");
    fs::write(services.join("jobs.kdl"), jobs).unwrap();
    platform.create_project("parts");
    platform.apply(&parts).expect(0);
    let all = ["api--staging", "jobs--staging"].map(str::to_owned);
    let names = |found: Vec<(String, Value)>| found.into_iter().map(|(name, _)| name);
    assert!(names(deployments(cluster, "sf-parts-")).eq(all.clone()));

    let preview = ["--env", "pr-7"];
    let plan = platform
        .starform(&parts, &[&["plan"][..], &preview].concat())
        .expect(0)
        .stdout;
    assert!(plan.starts_with("parts/pr-7"), "{plan}");
    assert!(plan.contains("services/api.kdl:1:5"), "{plan}");
    assert!(!plan.contains("jobs"), "{plan}");
    let apply = [&["apply", "--auto-approve"][..], &preview].concat();
    platform.starform(&parts, &apply).expect(0);
    let found = deployments(cluster, "sf-parts-");
    let (name, api) = &found[0];
    assert_eq!((name.as_str(), found.len()), ("api--pr-7", 3));
    assert_eq!(api["metadata"]["labels"]["starform.io/ephemeral"], "true");
    assert_eq!(api["spec"]["replicas"], 1);
    assert!(names(found).skip(1).eq(all));

    // What changes only in previews is nobody's business but theirs.
    write(2);
    let exit_code = ["plan", "--exit-code"];
    platform.starform(&parts, &exit_code).expect(0);
    let of_preview = [&exit_code[..], &preview].concat();
    let plan = platform.starform(&parts, &of_preview).expect(2).stdout;
    assert!(plan.contains("services/api.kdl:5:"), "{plan}");
    platform.starform(&parts, &apply).expect(0);
    platform.starform(&parts, &of_preview).expect(0);
    let replicas =
        |index: usize| deployments(cluster, "sf-parts-")[index].1["spec"]["replicas"].clone();
    assert_eq!((replicas(0), replicas(1)), (2.into(), 3.into()));
}

/// By name, those of the namespace that begins so.
fn deployments(cluster: &Cluster, namespace: &str) -> Vec<(String, Value)> {
    let name_of = |object: &Value| object["metadata"]["name"].as_str().unwrap().to_owned();
    let namespaces = cluster.list("/api/v1/namespaces");
    let mut names = namespaces.iter().map(name_of);
    let found = names.find(|name| name.starts_with(namespace)).unwrap();
    let path = format!("/apis/apps/v1/namespaces/{found}/deployments");
    let mut all: Vec<(String, Value)> = cluster
        .list(&path)
        .into_iter()
        .map(|object| (name_of(&object), object))
        .collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    all
}

fn the_agent_is_killed_in_the_middle(cluster: &Cluster, platform: &mut Platform) {
    let names: Vec<String> = (0..40).map(|n| format!("s{n}")).collect();
    let services: Vec<(&str, u32)> = names.iter().map(|name| (name.as_str(), 1)).collect();
    let many = Project::new(&project("many", &services));
    platform.create_project("many");
    let mark = cluster.audit_mark();
    let applied = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (command, applied) = (platform.command(&many), &applied);
        let apply = scope.spawn(move || {
            let mut command = command;
            let ran = run(command
                .args(["apply", "--auto-approve"])
                .stdout(Stdio::piped()));
            applied.store(true, Ordering::Relaxed);
            ran
        });
        let mut kills = 0;
        for limit in [30, 120] {
            wait_for("writes of the agent", LEASE, || {
                let enough = writes(cluster, mark).len() > limit || applied.load(Ordering::Relaxed);
                enough.then_some(())
            });
            if !applied.load(Ordering::Relaxed) {
                platform.restart_agent();
                kills += 1;
            }
        }
        assert!(
            kills > 0,
            "the apply ended before the agent could be killed"
        );
        apply.join().unwrap().expect(0);
    });
    let deleted: Vec<_> = writes(cluster, mark)
        .into_iter()
        .filter(|request| request.verb == "delete" && request.namespace != "starform-system")
        .collect();
    assert!(deleted.is_empty(), "{deleted:#?}");
    platform.starform(&many, &["plan", "--exit-code"]).expect(0);
}

fn writes(cluster: &Cluster, mark: u64) -> Vec<Audited> {
    cluster
        .audited(mark, "starform-shuttle")
        .into_iter()
        .filter(Audited::wrote)
        .collect()
}

fn the_control_plane_is_killed_between_accept_and_report(
    cluster: &Cluster,
    platform: &mut Platform,
) {
    let late = Project::new(&project("late", &[("api", 2)]));
    platform.create_project("late");
    let status = platform.starform(&late, &["status"]).expect(0);
    status.says(&["late/production: nothing is accepted; `starform plan"]);
    // Without an agent nothing is reported, so the kill falls between accept and report for sure.
    platform.agent = None;
    let waited = platform
        .starform(&late, &["apply", "--auto-approve", "--wait", "1s"])
        .expect(6);
    assert!(waited.stderr.contains("goes on"), "{}", waited.stderr);
    platform.kill_server();
    platform.restart_server();
    platform.restart_agent();
    wait_for("the apply to converge", LEASE, || {
        let status = platform
            .starform(&late, &["status", "--format", "json"])
            .expect(0)
            .json();
        let environment = &status["environments"][0];
        let done = environment["reported"]["finished"] == true
            && environment["services"][0]["health"] == "Current";
        done.then_some(())
    });
    let namespaces = cluster.list("/api/v1/namespaces");
    assert!(namespaces.iter().any(|ns| {
        ns["metadata"]["name"]
            .as_str()
            .unwrap()
            .starts_with("sf-late-")
    }));
    platform.starform(&late, &["plan", "--exit-code"]).expect(0);
}
