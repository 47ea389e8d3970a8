//! `starform explain`: pages of codes and nodes in the width of the terminal, without files or a network; and values
//! of projects over several files, with `compile` and `check` beside it.
//!
//! Starts the binary.

use std::fs;

use crate::support::{
    process::{Ran, run, starform},
    project::Project,
};

fn explain(words: &[&str], columns: &str) -> Ran {
    let mut command = starform();
    command.env("COLUMNS", columns).arg("explain");
    run(command.args(words))
}

#[test]
fn a_code_is_explained_however_it_is_written() {
    let page = explain(&["SF2004"], "80").expect(0).stdout;
    assert!(page.starts_with("SF2004: unknown node\n\n"), "{page}");
    for spelling in ["sf2004", "2004"] {
        assert_eq!(explain(&[spelling], "80").expect(0).stdout, page);
    }
    let finding = explain(&["SF6101"], "80").expect(0).stdout;
    assert!(finding.contains("error[SF6101] "), "{finding}");
}

#[test]
fn an_unknown_code_is_told_what_is_near() {
    let ran = explain(&["SF2099"], "80").expect(1);
    assert!(ran.stderr.contains("; nearest: SF20"), "{}", ran.stderr);
    let ran = explain(&["SF20"], "80").expect(1);
    assert!(ran.stderr.contains("four digits"), "{}", ran.stderr);
}

#[test]
fn a_word_of_another_platform_is_told_by_what_it_is_here() {
    let broken =
        Project::new("project shop {\n  environment production branch=main\n  wbe x {}\n}\n");
    let ask = |word: &str| {
        let mut command = starform();
        run(command.current_dir(broken.path()).args(["explain", word]))
    };
    for (word, said) in [
        ("env", "`env` is written `vars`"),
        ("command", "`command` is written `run`"),
        ("redis", "use one that runs elsewhere"),
        ("depends_on", "all services start together"),
        ("ref", "`(ref)` stands before a value in `vars`"),
        ("generate", "32 random bytes"),
    ] {
        let answer = ask(word).expect(0).stdout;
        assert!(answer.contains(said), "{word}: {answer}");
    }
    let unknown = ask("zzz").expect(1).stderr;
    assert!(unknown.contains("there is no node `zzz`"), "{unknown}");
    assert_eq!(unknown.lines().count(), 1, "{unknown}");
}

#[test]
fn the_list_of_codes_fits_the_terminal() {
    for columns in [40, 80, 120] {
        let list = explain(&[], &columns.to_string()).expect(0).stdout;
        let wide = list.lines().find(|line| line.chars().count() > columns);
        assert_eq!(wide, None);
        assert!(list.contains("\n  SF9001  internal error\n"), "{list}");
        assert!(list.contains("\n  SF6105  "), "{list}");
    }
}

/// A project over several files, with a preview, a renamed service and something removed.
fn several_files() -> Project {
    let project = Project::new(
        r#"project shop {
  environment staging branch=main
  preview from=staging on=pull-request expire="3d"
  partial base { image "ghcr.io/acme/shop@sha256:1f0c4cb9d5b3f3f4b1f6a7c1f9a1f6b1f0c4cb9d5b3f3f4b1f6a7c1f9a1f6b10"; }
  include "services/*.kdl"
}
"#,
    );
    let services = project.path().join("services");
    fs::create_dir(&services).unwrap();
    let api =
        "web api was=backend like=base {\n  port 8080\n  scale 2\n  in preview { scale 1; }\n}\n";
    fs::write(services.join("api.kdl"), api).unwrap();
    let mailer = "worker mailer like=base { not-in preview; }\ninclude \"services/jobs/*.kdl\"\n";
    fs::write(services.join("mailer.kdl"), mailer).unwrap();
    fs::create_dir(services.join("jobs")).unwrap();
    let job = "cron sweep schedule=\"0 3 * * *\" like=base { in staging { retries 2; }; }\n";
    fs::write(services.join("jobs/sweep.kdl"), job).unwrap();
    project
}

#[test]
fn values_of_a_preview_are_explained_with_the_files_they_stand_in() {
    let project = several_files();
    let scale = project
        .run(&["explain", "api.scale", "--env", "pr-7"])
        .expect(0);
    assert_eq!(
        scale.stdout,
        "\
api.scale in pr-7: min=1 max=1
  holds       in preview          services/api.kdl:4:16  scale 1
  replaced    the service itself  services/api.kdl:3:3   scale 2
"
    );
    let retries = project
        .run(&["explain", "sweep.retries", "--env", "pr-7"])
        .expect(0);
    let said = "holds       in staging  services/jobs/sweep.kdl:1:58  retries 2";
    assert!(retries.stdout.contains(said), "{}", retries.stdout);
    let was = project.run(&["explain", "api.was"]).expect(0);
    let said = "holds       the service itself  services/api.kdl:1:9  was=backend";
    assert!(was.stdout.contains(said), "{}", was.stdout);
    let absent = project
        .run(&["explain", "mailer.scale", "--env", "pr-7"])
        .expect(0);
    assert!(
        absent.stdout.contains("services/mailer.kdl:1:"),
        "{}",
        absent.stdout
    );
    let none = project
        .run(&["explain", "api.scale", "--env", "pr-07"])
        .expect(1);
    assert!(
        none.stderr.contains("no environment `pr-07`"),
        "{}",
        none.stderr
    );
}

#[test]
fn a_preview_is_compiled_and_rendered_under_its_name() {
    let project = several_files();
    let bundle = project.run(&["compile", "--env", "pr-7"]).expect(0).json();
    assert_eq!(bundle["environment"], "pr-7");
    assert_eq!(bundle["ephemeral"], true);
    let services = bundle["services"].as_array().unwrap();
    let names: Vec<&str> = services
        .iter()
        .map(|s| s["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["api", "sweep"]);
    assert_eq!(services[0]["model"]["scale"]["max"], 1);
    let origins = project.run(&["compile", "--env", "pr-7", "--origins"]);
    let origins = origins.expect(0).json();
    assert_eq!(
        origins["api"]["scale.max"]["place"],
        "services/api.kdl:4:16"
    );
    let objects = project.run(&["render", "--env", "pr-7"]).expect(0);
    assert!(
        objects.stdout.contains("name: api--pr-7"),
        "{}",
        objects.stdout
    );
}

#[test]
fn what_is_removed_is_checked_and_explained() {
    let project = several_files();
    let gone = project.path().join("services/gone.kdl");
    fs::write(&gone, "removed web old data=keep\n").unwrap();
    let node = project.run(&["explain", "removed"]).expect(0).stdout;
    assert!(
        node.contains("removed KIND NAME data=keep|destroy"),
        "{node}"
    );
    let check = project.run(&["check", "--format", "short"]).expect(0);
    let said = format!("{}{}", check.stdout, check.stderr);
    assert!(!said.contains("gone.kdl"), "{said}");
    project.run(&["compile", "--env", "staging"]).expect(0);
    fs::write(&gone, "removed web api data=keep\n").unwrap();
    let check = project.run(&["check", "--format", "short"]).expect(1);
    let said = "services/gone.kdl:1:13: error[SF3015]: `api` is removed and declared";
    assert!(
        format!("{}{}", check.stdout, check.stderr).contains(said),
        "{check:?}"
    );
}
