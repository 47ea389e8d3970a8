//! What a plan file holds, and what is said of one that somebody changed.
//!
//! Effects: runs `starform` without a cluster.

use std::fs;

use serde_json::{Value, json};

use crate::support::project::Project;

const HELLO: &str = r#"project hello {
  environment production branch=main
  worker api { image "registry.test/api:1"; }
  worker mailer { image "registry.test/mailer:1"; }
}
"#;

const UNKNOWN: &str = "made against nothing";

#[test]
fn what_stood_beside_a_plan_is_told_by_its_file_and_by_its_id() {
    let project = Project::new(HELLO);
    let made = project.run(&["plan", "--out", "plan.json"]).expect(0);
    assert!(made.stdout.contains(UNKNOWN), "{}", made.stdout);
    let file = fs::read_to_string(project.path().join("plan.json")).unwrap();
    let file: Value = serde_json::from_str(&file).unwrap();
    let id = file["plans"][0]["plan_id"].as_str().unwrap();
    for format in ["human", "markdown", "github"] {
        for plan in ["plan.json", id] {
            let shown = project.run(&["show", plan, "--format", format]).expect(0);
            assert!(shown.stdout.contains(UNKNOWN), "{plan}: {}", shown.stdout);
        }
    }
}

#[test]
fn a_plan_file_that_was_changed_is_refused() {
    let project = Project::new(HELLO);
    project.run(&["plan", "--out", "plan.json"]).expect(0);
    let path = project.path().join("plan.json");
    let good = fs::read_to_string(&path).unwrap();
    let without = |pointer: &str| {
        let mut file: Value = serde_json::from_str(&good).unwrap();
        *file.pointer_mut(pointer).unwrap() = json!([]);
        file.to_string()
    };
    let changed = "`plan.json` was changed after it was made";
    let cases = [
        (good.replace("api:1", "api:6"), changed),
        (without("/plans/0/services"), changed),
        (without("/plans/0/objects"), changed),
        (without("/plans"), "`plan.json` holds no plan"),
    ];
    for (text, told) in cases {
        fs::write(&path, text).unwrap();
        for command in [&["show", "plan.json"][..], &["apply", "plan.json"]] {
            let ran = project.run(command).expect(1);
            assert!(ran.stderr.contains(told), "{}", ran.stderr);
        }
    }
}

#[test]
fn a_plan_is_written_over_no_other_file() {
    let project = Project::new(HELLO);
    fs::write(project.path().join("empty"), "").unwrap();
    fs::write(project.path().join("notes.json"), "{}").unwrap();
    for (name, code) in [
        ("starform.kdl", 1),
        ("notes.json", 1),
        ("empty", 0),
        ("empty", 0),
    ] {
        let ran = project.run(&["plan", "--out", name]).expect(code);
        let refused = format!("`{name}` is no plan file");
        assert_eq!(ran.stderr.contains(&refused), code == 1, "{}", ran.stderr);
    }
    let kept = fs::read_to_string(project.path().join("starform.kdl")).unwrap();
    assert_eq!(kept, HELLO);
}
