//! What a person gets wrong: each a clear message with its place and the next step, exit 1, nothing
//! written.

use std::fs;

use crate::support::{
    process::{run, starform},
    project::{GOOD, Project},
};

#[test]
fn the_shortest_project_is_good() {
    let project = Project::new(GOOD);
    project.run(&["check"]).expect(0);
}

#[test]
fn mistakes_in_the_file_are_told_with_their_place() {
    let cases: [(&str, &str, &[&str]); 5] = [
        ("    port 8080", "    port 8080 {", &["starform.kdl:"]),
        (
            "    port 8080",
            "    prot 8080",
            &["starform.kdl:5:5", "prot", "port"],
        ),
        (
            "    port 8080",
            "    port 8080 protokol=http",
            &["starform.kdl:5:15", "protocol"],
        ),
        (
            "\n  }\n}",
            "\n  }\n  worker api {\n    image \"a/b@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0\"\n  }\n}",
            &["starform.kdl:7:10", "api"],
        ),
        (
            "    port 8080",
            "    port 8080\n    vars { CATALOG (ref)\"catalog.private-url\"; }",
            &["starform.kdl:6:", "catalog"],
        ),
    ];
    for (from, to, words) in cases {
        let project = Project::new(GOOD);
        project.replace(from, to);
        for command in [&["check"][..], &["plan"], &["apply", "--auto-approve"]] {
            let ran = project.run(command).expect(1);
            ran.says(words);
            ran.says(&["error[SF"]);
        }
        let left: Vec<_> = fs::read_dir(project.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "nothing is written beside starform.kdl");
    }
}

#[test]
fn all_mistakes_are_told_in_one_run() {
    let project = Project::new(GOOD);
    project.replace(
        "    port 8080",
        "    prot 8080\n    scael 3\n    size cpu=\"lots\"",
    );
    let ran = project.run(&["check"]).expect(1);
    ran.says(&["prot", "scael", "lots"]);
}

#[test]
fn an_unknown_environment_is_told_with_those_that_exist() {
    let project = Project::new(GOOD);
    project
        .run(&["plan", "--env", "prod"])
        .expect(1)
        .says(&["prod", "production"]);
}

#[test]
fn an_unreachable_server_is_told_with_the_next_step() {
    let project = Project::new(GOOD);
    let mut command = starform();
    command
        .env("STARFORM_TOKEN", "sf_user_x")
        .current_dir(project.path());
    let ran = run(command.args(["plan", "--server", "http://127.0.0.1:9"])).expect(1);
    ran.says(&[
        "cannot reach the control plane at http://127.0.0.1:9",
        "starform serve",
    ]);
}

#[test]
fn a_server_without_a_token_is_told_how_to_give_one() {
    let project = Project::new(GOOD);
    let ran = project
        .run(&["plan", "--server", "http://127.0.0.1:9"])
        .expect(1);
    ran.says(&["STARFORM_TOKEN", "--token-file"]);
}

#[test]
fn an_unreachable_cluster_stops_an_apply() {
    let project = Project::new(GOOD);
    let ran = project.run(&["apply", "--auto-approve"]).expect(1);
    ran.says(&["cluster", "kubeconfig"]);
}

#[test]
fn check_fixes_what_is_certain_and_tells_what_is_left() {
    let project = Project::new(GOOD);
    project.replace("port 8080", "port \"8080\"\n    prot 9090");
    let plain = project.run(&["check"]).expect(1);
    plain.says(&["1 can be fixed with `--fix`, 1 more with `--fix=all`"]);
    let safe = project.run(&["check", "--fix"]).expect(1);
    safe.says(&["fixed starform.kdl:5:10: remove the quotes (SF2008"]);
    safe.says(&["unknown node `prot`", "1 can be fixed with `--fix=all`"]);
    assert!(project.text().contains("    port 8080\n    prot 9090\n"));
    let again = project.text();
    project.run(&["check", "--fix"]).expect(1);
    assert_eq!(project.text(), again, "a fixed file is left alone");
    let left: Vec<_> = fs::read_dir(project.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing is written beside starform.kdl");
}

#[test]
fn check_fixes_all_that_a_person_would_decide_about() {
    let project = Project::new(GOOD);
    project.replace("port 8080", "prot 8080");
    let all = project.run(&["check", "--fix=all"]).expect(0);
    all.says(&["fixed starform.kdl:5:5: write `port` (SF2004"]);
    assert_eq!(project.text(), GOOD);
}

#[test]
fn check_reads_standard_input_and_prints_the_fixed_text() {
    let project = Project::new(GOOD);
    project.replace("port 8080", "port \"8080\"");
    let piped = |words: &[&str]| {
        let mut command = starform();
        command.stdin(fs::File::open(project.file()).unwrap());
        run(command.args(words))
    };
    piped(&["check", "-"]).expect(1).says(&["<stdin>:5:10"]);
    assert_eq!(piped(&["check", "-", "--fix"]).expect(0).stdout, GOOD);
    piped(&["check", "-", "--fix", "--format=json"])
        .expect(1)
        .says(&["leave out `--format`"]);
}

#[test]
fn check_answers_in_every_format() {
    let project = Project::new(GOOD);
    project.replace("port 8080", "prot 8080");
    let out = |format: &str| {
        let ran = project.run(&["check", "--format", format]).expect(1);
        assert_eq!(ran.stderr, "", "{format}");
        ran.stdout
    };
    let short = out("short");
    assert!(
        short.starts_with("starform.kdl:5:5: error[SF2004]: "),
        "{short}"
    );
    let json: serde_json::Value = serde_json::from_str(&out("json")).unwrap();
    assert_eq!(json["diagnostics"][0]["code"], "SF2004");
    let sarif: serde_json::Value = serde_json::from_str(&out("sarif")).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "SF2004");
    let github = out("github");
    assert!(
        github.starts_with("::error file=starform.kdl,line=5,endLine=5,col=5,endColumn=9,title="),
        "{github}"
    );
    let human = project.run(&["check"]).expect(1).stderr;
    assert!(
        human.ends_with("\nfor more: starform explain SF2004\n"),
        "{human}"
    );
    assert_eq!(human.matches("for more").count(), 1);
}

#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    let project = Project::new(GOOD);
    for words in [
        &["render", "--env", "production"][..],
        &["compile", "--env", "production"],
        &["check", "--format", "json"],
        &["schema", "json-schema"],
        &["explain", "scale"],
    ] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let mut command = starform();
        command.args(words).current_dir(project.path()).stdout(full);
        let ran = command.output().unwrap();
        let told = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(1), "{words:?}: {told}");
        assert!(
            told.contains("could not be written whole"),
            "{words:?}: {told}"
        );
    }
}

#[test]
fn words_that_nobody_can_read_change_no_exit_code() {
    let project = Project::new(GOOD);
    for (words, code) in [(&["check"][..], 0), (&["explain", "nothing-known"], 1)] {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let mut command = starform();
        command.args(words).current_dir(project.path()).stderr(full);
        assert_eq!(
            command.output().unwrap().status.code(),
            Some(code),
            "{words:?}"
        );
    }
}

#[test]
fn a_kubeconfig_that_cannot_be_read_is_no_empty_cluster() {
    let project = Project::new(GOOD);
    let words = ["plan", "--kubeconfig", "nowhere"];
    let ran = project.run(&words).expect(1);
    ran.says(&["cannot read the kubeconfig nowhere", "--kubeconfig"]);
    assert!(ran.stdout.is_empty(), "{}", ran.stdout);
    fs::write(project.path().join("broken"), "{ no yaml").unwrap();
    project
        .run(&["plan", "--kubeconfig", "broken"])
        .expect(1)
        .says(&["broken"]);
}

#[test]
fn a_kubeconfig_that_is_named_and_not_there_is_a_mistake() {
    let project = Project::new(GOOD);
    let with = |list: &str, words: &[&str]| {
        let mut command = starform();
        command.env("KUBECONFIG", list).current_dir(project.path());
        run(command.args(words))
    };
    for words in [&["plan"][..], &["status"], &["apply", "--auto-approve"]] {
        let ran = with("nowhere", words).expect(1);
        ran.says(&[
            "cannot read the kubeconfig nowhere",
            "KUBECONFIG",
            "--kubeconfig",
        ]);
        assert!(ran.stdout.is_empty(), "{words:?}: {}", ran.stdout);
    }
    with("nowhere:neither", &["plan"])
        .expect(1)
        .says(&["nowhere"]);
    // Of a list some may be missing, and an empty one names nothing.
    for list in ["", "nowhere:/dev/null"] {
        with(list, &["plan"])
            .expect(0)
            .says(&["made against nothing"]);
    }
}

/// Nobody who asks how it goes asks what could be written better.
#[test]
fn short_commands_do_not_judge_the_file() {
    let project = Project::new(GOOD);
    project.replace("@sha256:", ":1\" // ");
    project.run(&["check"]).says(&["SF5023"]);
    let commands: [&[&str]; 3] = [
        &["status"],
        &["environment", "delete", "production", "--auto-approve"],
        &["secret", "list", "--env", "production"],
    ];
    for words in commands {
        let ran = project.run(words).expect(1);
        assert!(!ran.stderr.contains("SF5023"), "{words:?}: {}", ran.stderr);
        ran.says(&["kubeconfig"]);
    }
    project.replace("port", "prot");
    let ran = project.run(&["status"]).expect(1);
    ran.says(&["prot"]);
    assert!(!ran.stderr.contains("SF5023"), "{}", ran.stderr);
}

#[test]
fn a_misspelt_name_is_answered_with_the_one_that_is_like_it() {
    let project = Project::new(GOOD);
    let cases: [&[&str]; 2] = [
        &["plan", "--env", "prodution"],
        &["secret", "set", "key", "--env", "prodution"],
    ];
    for words in cases {
        let ran = project.run(words).expect(1);
        ran.says(&["no environment `prodution`", "did you mean `production`?"]);
    }
}

/// What only a plan refuses looks as what `check` says: with its line and the next step.
#[test]
fn what_only_a_plan_refuses_is_told_like_everything_else() {
    let project = Project::new(GOOD);
    let image = GOOD.lines().find(|line| line.contains("image"));
    project.replace(image.expect("it has one"), "    build");
    project.run(&["check"]).expect(0);
    let commands: [&[&str]; 4] = [
        &["plan"],
        &["render", "--env", "production"],
        &["compile", "--env", "production"],
        &["compile", "--env", "production", "--origins"],
    ];
    for command in commands {
        let ran = project.run(command).expect(1);
        let words = [
            "error[SF6005]: `api` is built",
            "starform.kdl:4:5",
            "4 │     build",
            "  help: ",
            "for more: starform explain SF6005",
        ];
        ran.says(&words);
        assert_eq!(ran.stderr.matches("error[SF6005]").count(), 1);
    }
}

#[test]
fn what_no_agent_takes_is_not_compiled() {
    let project = Project::new(GOOD);
    let long = "x".repeat(300 << 10);
    project.replace(
        "    port 8080",
        &format!("    port 8080\n    vars {{ LONG \"{long}\"; }}"),
    );
    for command in ["compile", "render"] {
        let ran = project.run(&[command, "--env", "production"]).expect(1);
        ran.says(&["starform.kdl:6:", "[SF6115]", "262144", "api--production"]);
        assert_eq!(ran.stdout, "");
    }
}
