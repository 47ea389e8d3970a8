//! `protect` through the command line: with a control plane somebody else approves, without one a person
//! types the environment's name.

use std::fs;

use serde_json::{Value, json};

use crate::support::{
    cluster::Cluster,
    embedded::{command, starform_in},
    fast,
    platform::Platform,
    process::{Ran, run, typed},
    project::Project,
};

const SHOP: &str = r#"project shop contract=1 {
  environment production branch=main { protect; }
  worker web { image "ghcr.io/acme/web:1"; }
  worker mailer { image "ghcr.io/acme/mailer:1"; }
}
"#;
const MAILER: &str = "  worker mailer { image \"ghcr.io/acme/mailer:1\"; }\n";

/// What is accepted waits for an agent that never comes.
const ACCEPTED: i32 = 6;

struct Scene {
    platform: Platform,
    project: Project,
    ci: String,
    ada: String,
}

impl Scene {
    fn new() -> Self {
        let platform = Platform::start_alone();
        platform.create_project("shop");
        let ada = ["--kind", "user", "--person", "ada", "--role", "admin"];
        let scene = Self {
            ci: platform.token("shop", &[]),
            ada: platform.token("shop", &ada),
            platform,
            project: Project::new(SHOP),
        };
        scene.apply().expect(ACCEPTED);
        scene
    }

    fn ci(&self, words: &[&str]) -> Ran {
        self.platform.starform_as(&self.ci, &self.project, words)
    }

    fn ada(&self, words: &[&str]) -> Ran {
        self.platform.starform_as(&self.ada, &self.project, words)
    }

    fn apply(&self) -> Ran {
        self.ci(&["apply", "--auto-approve", "--wait", "1s"])
    }

    /// Refused; the id of the plan that is to be approved.
    fn refused(&self) -> String {
        let refused = self.apply().expect(4);
        refused.says(&["production is protected", "starform apply "]);
        let (_, rest) = refused.stderr.split_once("starform approve ").unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    }
}

#[test]
fn a_protected_environment_waits_for_somebody_elses_approval() {
    if fast() {
        return;
    }
    let scene = Scene::new();
    scene.project.replace(MAILER, "");
    let plan = scene.refused();

    // Who asked may not, nobody is asked without a terminal, another Admin may.
    scene.ci(&["approve", &plan, "--yes"]).expect(1);
    let own = scene.ada(&["plan", "--revision", "hers", "--format", "json"]);
    let own = own.expect(0).json()["plans"][0]["plan_id"].clone();
    let own = scene.ada(&["approve", own.as_str().unwrap(), "--yes"]);
    own.expect(1).says(&["another Admin"]);
    scene.ada(&["approve", &plan]).expect(1).says(&["--yes"]);
    let approved = scene.ada(&["approve", &plan, "--yes"]).expect(0);
    approved.says(&["approval[SF6121]", "approved by ada"]);
    scene.ada(&["approve", &plan, "--yes"]).expect(0);

    // An unrelated commit keeps it, and every view says so; a difference voids it.
    let words = ["plan", "--revision", "other", "--format"];
    for (format, said) in [
        ("json", "\"by\": \"ada\""),
        ("human", "approved by ada"),
        ("markdown", "approved by `ada`"),
        ("html", "approved by <bdi>ada</bdi>"),
        ("ndjson", "\"type\":\"approval\""),
    ] {
        scene
            .ci(&[&words[..], &[format]].concat())
            .expect(0)
            .says(&[said]);
    }
    scene.project.replace("web:1", "web:2");
    scene.refused();
    scene.project.replace("web:2", "web:1");
    scene.apply().expect(ACCEPTED);

    // It is used up: the same effect asks for another one.
    scene.project.write(SHOP);
    scene.apply().expect(ACCEPTED);
    scene.project.replace(MAILER, "");
    scene.refused();
}

/// What a file says of itself opens nothing: neither other words under a plan's id nor an approval.
#[test]
fn a_plan_file_is_applied_as_the_control_plane_keeps_it() {
    if fast() {
        return;
    }
    let scene = Scene::new();
    scene.project.replace(MAILER, "");
    let file = scene.project.path().join("plan.json");
    let name = file.to_str().unwrap();
    scene.ci(&["plan", "--out", name]).expect(0);
    let made: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let apply = ["apply", name, "--auto-approve", "--wait", "1s"];

    let mut harmless = made.clone();
    let plan = &mut harmless["plans"][0];
    plan["findings"] = json!([]);
    plan["services"][0]["changes"] = json!([]);
    fs::write(&file, harmless.to_string()).unwrap();
    let refused = scene.ci(&apply).expect(1);
    refused.says(&["is not the plan that the control plane keeps"]);

    let mut approved = made.clone();
    let effect = made["plans"][0]["effect_id"].as_str().unwrap();
    approved["approvals"][effect] = json!({"by": "ada", "at": "2026-01-01T00:00:00Z"});
    fs::write(&file, approved.to_string()).unwrap();
    let shown = scene.ci(&["show", name]).expect(0);
    assert!(!shown.stdout.contains("approved by"), "{}", shown.stdout);
    scene.ci(&apply).expect(4).says(&["starform approve"]);

    fs::write(&file, made.to_string()).unwrap();
    let id = made["plans"][0]["plan_id"].as_str().unwrap();
    scene.ada(&["approve", id, "--yes"]).expect(0);
    scene.ci(&apply).expect(ACCEPTED);
}

/// Nothing moves and nobody reports: what a log of CI has is lines, the last heartbeat after 10 s among them.
#[test]
fn who_waits_hears_so_after_ten_seconds_and_what_is_not_done() {
    if fast() {
        return;
    }
    let platform = Platform::start_alone();
    platform.create_project("shop");
    let project = Project::new(SHOP);
    let ada = ["--kind", "user", "--person", "ada", "--role", "admin"];
    let ada = platform.token("shop", &ada);
    let mut command = platform.command_as(&ada, &project);
    command.env("CI", "true");
    let ran = run(command.args(["apply", "--auto-approve", "--wait", "11s"]));
    let ran = ran.expect(ACCEPTED);
    ran.says(&[
        "accepted as generation 1",
        "\n  production still waiting for the agent (10 s)\n",
        "the wait of 11 s ended first; the apply goes on",
        "done: none\nfailed: none\nnot done: mailer, web\n",
    ]);
    assert_eq!(ran.stderr.matches("still waiting").count(), 1);
    let all = format!("{}{}", ran.stderr, ran.stdout);
    assert!(!all.contains(['\r', '\u{1b}']), "{all}");
    // What goes on is told in the same words, and nobody takes the older report for the newer state.
    let again = ["apply", "--auto-approve", "--wait", "1s"];
    let again = platform.starform(&project, &again).expect(ACCEPTED);
    again.says(&["not done: mailer, web\n"]);
    let drift = ["drift", "--env", "production"];
    let drift = platform.starform(&project, &drift).expect(1);
    drift.says(&["the agent has reported nothing about production yet"]);
    let history = platform.starform(&project, &["history", "--env", "production"]);
    history.expect(0).says(&["  ada  ", "not begun"]);
}

#[test]
fn taking_protect_away_and_deleting_go_through_the_same_gate() {
    if fast() {
        return;
    }
    let scene = Scene::new();
    scene.project.replace(" { protect; }", "");
    scene.refused();
    let admin = &["project", "delete", "shop", "--auto-approve"];
    let refused = scene.platform.starform(&scene.project, admin).expect(4);
    refused.says(&[
        "production is protected and the plan deletes",
        "starform approve",
    ]);
}

#[test]
fn without_a_control_plane_nobody_else_could_approve() {
    let project = Project::new(SHOP);
    let refused = project.run(&["approve", "171bbb3c4331", "--yes"]).expect(1);
    refused.says(&["--server", "starform apply"]);
}

fn at_a_terminal(cluster: &Cluster, project: &Project, answers: &str) -> Ran {
    typed(command(cluster, project).arg("apply"), answers)
}

#[test]
fn without_a_control_plane_the_environments_name_is_typed() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let project = Project::new(&SHOP.replace("project shop", "project typed"));
    let apply = ["apply", "--auto-approve"];
    starform_in(&cluster, &project, &apply).expect(0);
    project.replace(MAILER, "");
    for words in [&apply[..], &["apply"]] {
        let refused = starform_in(&cluster, &project, words).expect(4);
        refused.says(&["production is protected", "on a terminal"]);
    }
    let other = at_a_terminal(&cluster, &project, "yes\n").expect(8);
    other.says(&[
        "Type the name of the environment (production)",
        "nothing was applied",
    ]);
    at_a_terminal(&cluster, &project, "production\n").expect(0);
    let status = starform_in(&cluster, &project, &["status"]).expect(0);
    assert!(!status.stdout.contains("mailer"), "{}", status.stdout);
}
