//! What somebody changed by hand: told by `drift`, put right by `apply` in so many words; how an apply is followed
//! by a program, and how it is stopped.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use starform_reconciler::time::Timestamp;

use crate::support::{
    cluster::Cluster,
    embedded,
    platform::Platform,
    process::{Ran, interrupted, interrupted_after},
    project::{GOOD, Project},
    wait_for,
};

const DRIFT: [&str; 3] = ["drift", "--env", "production"];

fn project() -> Project {
    Project::new(&GOOD.replace("8080", "8080\n    scale 1"))
}

#[test]
fn without_a_control_plane() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let project = project();
    let ran = |words: &[&str]| embedded::starform_in(&cluster, &project, words);
    ran(&DRIFT)
        .expect(1)
        .says(&["nothing is accepted for hello/production"]);
    follows_as_a_program(&ran);
    ran(&DRIFT)
        .expect(0)
        .says(&["No drift. hello/production is as it was accepted."]);
    ran(&["status"]).expect(0).says(&[
        "nobody watches the cluster between applies",
        "starform drift",
    ]);
    changed_by_hand(&cluster, &ran);
    added_credentials(&cluster, &ran);
    stopped(&cluster, &project);
    stopped_at_once(&cluster);
}

/// Events and nothing else on standard output.
fn follows_as_a_program(ran: &impl Fn(&[&str]) -> Ran) {
    ran(&["apply", "--format", "ndjson"])
        .expect(1)
        .says(&["--auto-approve"]);
    let apply = ran(&["apply", "--format", "ndjson", "--auto-approve"]).expect(0);
    let events: Vec<Value> = apply
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for (event, seq) in events.iter().zip(1..) {
        assert_eq!(event["schema"], "starform.apply-event/v1");
        assert_eq!(event["seq"], seq);
        assert_eq!(event["plan_id"], events[0]["plan_id"]);
    }
    let types: Vec<&str> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(types[..2], ["begin", "accepted"]);
    assert!(types.contains(&"service"), "{types:?}");
    let end = events.last().unwrap();
    assert_eq!(
        (&end["type"], &end["exit"], &end["done"]),
        (&json!("end"), &json!(0), &json!(["api"]))
    );
}

fn changed_by_hand(cluster: &Cluster, ran: &impl Fn(&[&str]) -> Ran) {
    let namespace = cluster.namespace("hello").unwrap();
    let api = format!("/apis/apps/v1/namespaces/{namespace}/deployments/api--production");
    cluster.patch(&api, &json!({"spec": {"replicas": 3}}));
    cluster.delete(&format!(
        "/api/v1/namespaces/{namespace}/services/api--production"
    ));
    let drift = ran(&DRIFT).expect(5);
    drift.says(&[
        "~ Deployment api--production: it was changed by kubectl-edit",
        "spec.replicas  3 → 1",
        "+ Service api--production: it is not there",
        "Drift: 2 not as accepted; `starform apply --env production` puts it right",
    ]);
    let json = ran(&[&DRIFT[..], &["--format", "json"]].concat())
        .expect(5)
        .json();
    assert_eq!(json["found"][1]["manager"], "kubectl-edit", "{json}");
    // The plan compares what is accepted with the file; what `apply` does beside it stands beside it.
    let plan = ran(&["plan", "--exit-code"]).expect(2);
    let stands = [
        "not in the cluster as accepted: 2 objects; `apply` writes 2",
        "~ Deployment api--production  spec.replicas, by kubectl-edit",
        "+ Service api--production  is not there",
        "No changes. hello/production is accepted so, but the cluster differs.",
    ];
    plan.says(&stands);
    let json = ran(&["plan", "--format", "json"]).expect(0).json();
    let standing = json["standings"].as_object().unwrap().values().next();
    assert_eq!(standing.unwrap()["differs"][1]["kind"], "changed", "{json}");
    ran(&["status"])
        .expect(0)
        .says(&["! not in the cluster as accepted: 2 objects; `apply` writes 2"]);
    // Nobody is there to ask, and something would be written.
    ran(&["apply"]).expect(1).says(&["nobody is there to ask"]);
    assert_eq!(cluster.get(&api).unwrap()["spec"]["replicas"], 3);
    let apply = ran(&["apply", "--auto-approve"]).expect(0);
    apply.says(&stands);
    apply.says(&[
        "restored Deployment api--production: spec.replicas was changed by kubectl-edit",
        "wrote Service api--production: it was not there",
    ]);
    assert_eq!(cluster.get(&api).unwrap()["spec"]["replicas"], 1);
    ran(&DRIFT).expect(0);
    let again = ran(&["apply", "--auto-approve"]).expect(0);
    assert!(
        !again.stderr.contains("restored") && !again.stderr.contains("wrote"),
        "{}",
        again.stderr
    );
}

/// What no apply takes out by itself, and a port beside which none goes through.
fn added_by_hand(cluster: &Cluster, platform: &Platform, project: &Project, namespace: &str) {
    let api = format!("/apis/apps/v1/namespaces/{namespace}/deployments/api--production");
    let service = format!("/api/v1/namespaces/{namespace}/services/api--production");
    let before = cluster.get(&service).unwrap()["spec"].clone();
    cluster.patch(&api, &json!({"spec": {"paused": true}}));
    let mut port = before["ports"][0].clone();
    port["port"] = json!(9998);
    cluster.patch(&service, &json!({"spec": {"ports": [port]}}));
    wait_for(
        "the agent to take them out",
        Duration::from_secs(30),
        || {
            let paused = cluster.get(&api)?["spec"].get("paused").is_some();
            let ports = cluster.get(&service)?["spec"]["ports"] == before["ports"];
            (!paused && ports).then_some(())
        },
    );
    wait_for("the agent to tell", Duration::from_secs(30), || {
        let told = platform.starform(project, &DRIFT).expect(0).stdout;
        told.contains(
            "- Deployment api--production: spec.paused was added by kubectl-edit; restored",
        )
        .then_some(())
    });
}

fn left_alone(cluster: &Cluster, platform: &Platform, project: &Project, api: &str) {
    let annotate = |until: Value| {
        let annotations = json!({"starform.io/break-glass-until": until});
        cluster.patch(api, &json!({"metadata": {"annotations": annotations}}));
    };
    let shows = |words: &[&str], text: &str| {
        wait_for(text, Duration::from_secs(30), || {
            let ran = platform.starform(project, words);
            ran.stdout.contains(text).then_some(())
        });
    };
    annotate(json!("in an hour"));
    shows(&["status"], "it is no RFC 3339 time");
    let until = Timestamp::now().plus(Duration::from_secs(3600)).to_string();
    annotate(json!(until));
    shows(
        &["status"],
        "! Deployment api--production: left as it is until",
    );
    cluster.patch(api, &json!({"spec": {"replicas": 4}}));
    let drift = wait_for(
        "the agent to leave it and tell",
        Duration::from_secs(30),
        || {
            let ran = platform.starform(project, &DRIFT);
            (ran.code == 5).then_some(ran)
        },
    );
    drift.says(&[
        "~ Deployment api--production: spec.replicas was changed by kubectl-edit\n",
        "left as it is until",
        "break-glass holds",
    ]);
    assert_eq!(cluster.get(api).unwrap()["spec"]["replicas"], 4);
    annotate(Value::Null);
    wait_for("the end of it", Duration::from_secs(30), || {
        (cluster.get(api)?["spec"]["replicas"] == 1).then_some(())
    });
}

/// A rollout that cannot end is stopped: what is being written ends, the three lists say how it stands.
fn stopped(cluster: &Cluster, project: &Project) {
    project.replace("scale 1", "scale 2");
    let text = project
        .text()
        .replace("ghcr.io/acme/api@", "ghcr.io/acme/api-next@");
    project.write(&text);
    let mut command = embedded::command(cluster, project);
    command.args(["apply", "--auto-approve", "--wait", "5m"]);
    let ran = interrupted(&mut command, &["is rolling out"]).expect(8);
    ran.says(&[
        "stopping; once more to stop at once",
        "stopped; `starform apply` goes on where this stopped",
    ]);
    three_lists(&ran);
    embedded::apply(cluster, project).expect(0);
}

/// The API server answers nothing any more: the first Ctrl-C lets requests end, the second ends all the same.
fn stopped_at_once(cluster: &Cluster) {
    let services = (0..40).map(|n| format!("  worker s{n} {{ image \"registry.test/s:1\"; }}\n"));
    let services: String = services.collect();
    let many = Project::new(&format!(
        "project many contract=1 {{\n  environment production branch=main\n{services}}}\n"
    ));
    embedded::apply(cluster, &many).expect(0);
    let text = many.text();
    let (one, _) = text.split_once("  worker s1 ").unwrap();
    many.write(&format!("{one}}}\n"));
    let mut command = embedded::command(cluster, &many);
    command.args(["apply", "--auto-approve"]);
    let mut frozen = None;
    let began = Instant::now();
    let ran = interrupted_after(
        &mut command,
        &["accepted as generation", "once more to stop at once"],
        || {
            frozen.get_or_insert_with(|| cluster.freeze());
        },
    )
    .expect(8);
    // Requests would have had longer than that.
    assert!(began.elapsed() < Duration::from_secs(20), "{ran:?}");
    three_lists(&ran);
    drop(frozen);
    // What was to go and stays is named by whoever says that it is there.
    let ran = |words: &[&str]| embedded::starform_in(cluster, &many, words);
    let drift = ran(&DRIFT).expect(5);
    drift.says(&[": it is still there, and an accepted plan deletes it\n"]);
    let remains = ran(&[&DRIFT[..], &["--format", "json"]].concat());
    let remains = remains.expect(5).json()["remains"]
        .as_array()
        .unwrap()
        .len();
    let full = ran(&["plan", "--full"]).expect(0).stdout;
    assert_eq!(full.matches("  is still there").count(), remains, "{full}");
    embedded::apply(cluster, &many).expect(0);
    ran(&DRIFT).expect(0);
}

/// What somebody puts into an object is told by its name, without the value of what looks like a credential.
fn added_credentials(cluster: &Cluster, ran: &impl Fn(&[&str]) -> Ran) {
    let namespace = cluster.namespace("hello").unwrap();
    let api = format!("/apis/apps/v1/namespaces/{namespace}/deployments/api--production");
    let containers = "/spec/template/spec/containers/0";
    let live = cluster.get(&api).unwrap();
    let mut env = live.pointer(&format!("{containers}/env")).unwrap().clone();
    for name in ["DB_PASSWORD", "COLOUR"] {
        let value = format!("CANARY-{name}");
        let env = env.as_array_mut().unwrap();
        env.push(json!({"name": name, "value": value}));
    }
    let mut all = live
        .pointer("/spec/template/spec/containers")
        .unwrap()
        .clone();
    all[0]["env"] = env;
    all[0]["image"] = json!("registry.test/other:1");
    let template = json!({"spec": {"containers": all}});
    cluster.patch(&api, &json!({"spec": {"template": template}}));
    for words in [&DRIFT[..], &[&DRIFT[..], &["--format", "json"]].concat()] {
        let told = ran(words).expect(5);
        told.says(&["DB_PASSWORD", "COLOUR", "registry.test/other:1"]);
        let told = format!("{}{}", told.stdout, told.stderr);
        assert!(!told.contains("CANARY-DB_PASSWORD"), "{told}");
    }
    ran(&["apply", "--auto-approve"]).expect(0);
}

fn three_lists(ran: &Ran) {
    for list in ["done:", "failed:", "not done:"] {
        assert!(
            ran.stdout.lines().any(|line| line.starts_with(list)),
            "{list} in {}",
            ran.stdout
        );
    }
}

#[test]
fn with_a_control_plane() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let mut platform = Platform::start(&cluster);
    platform.create_project("hello");
    let project = project();
    let drift = |platform: &Platform| platform.starform(&project, &DRIFT);
    drift(&platform)
        .expect(1)
        .says(&["nothing is accepted for hello/production"]);
    platform.apply(&project).expect(0);
    drift(&platform).expect(0);
    let namespace = cluster.namespace("hello").unwrap();
    let api = format!("/apis/apps/v1/namespaces/{namespace}/deployments/api--production");
    cluster.patch(&api, &json!({"spec": {"replicas": 3}}));
    wait_for(
        "the agent to put it right and tell",
        Duration::from_secs(30),
        || {
            let told = drift(&platform).expect(0).stdout;
            told.contains(
                "~ Deployment api--production: spec.replicas was changed by kubectl-edit; restored",
            )
            .then_some(())
        },
    );
    assert_eq!(cluster.get(&api).unwrap()["spec"]["replicas"], 1);
    added_by_hand(&cluster, &platform, &project, &namespace);
    left_alone(&cluster, &platform, &project, &api);
    // Nobody carries it out, so it can be left; it goes on once there is an agent.
    platform.agent = None;
    project.replace("scale 1", "scale 2");
    let mut command = platform.command(&project);
    command.args(["apply", "--auto-approve"]);
    let ran = interrupted(&mut command, &["accepted as generation"]).expect(8);
    ran.says(&["detached; the apply goes on", "starform status"]);
    three_lists(&ran);
    platform.restart_agent();
    wait_for("the apply to go on", Duration::from_secs(90), || {
        (cluster.get(&api).unwrap()["spec"]["replicas"] == 2).then_some(())
    });
}
