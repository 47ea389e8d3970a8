//! What looks like a credential is in nothing that a command prints about a project, whether the project is sound or not.
//!
//! Starts the binary. What is written back to files is whole: nothing is covered there.

use std::fs;

use crate::support::{
    process::{Ran, run, run_with, starform},
    project::Project,
};

/// It has the form of a token, so it is one wherever it stands.
const TOKEN: &str = "ghp_CANARY0123456789abcdefghijABCDEFGHIJ";

/// Sound, but for how it looks; on long lines, since snippets show lines whole.
fn sound() -> Project {
    Project::new(&format!(
        "project shop {{\n  environment staging branch=main\n  environment production branch=main\n  \
         worker mailer {{ image \"a/b:{TOKEN}\"; scale   2; in production {{ image \"a/c:{TOKEN}\"; }}; }}\n}}\n"
    ))
}

/// Mistakes around a value whose name says what it is: some with a safe fix, some with none.
fn broken() -> Project {
    let project = Project::new(
        "project shop {\n  environment production branch=main\n  include \"more/*.kdl\"\n  \
         web api { image \"a/b:1\"; prot 8080; vars { API_TOKEN \"CANARY-1\"; DB_PASSWORD CANARY/2; OTHER_TOKEN 'CANARY-3'; COLOR 'red'; }; }\n}\n",
    );
    fs::create_dir(project.path().join("more")).unwrap();
    fs::write(
        project.path().join("more/job.kdl"),
        "cron sweep schedule=\"@daily\" { image \"a/b:1\"; vars { STRIPE_SECRET=\"CANARY-4\"; API_KEY: \"CANARY-5\"; }; size cpu=250m; }\n",
    )
    .unwrap();
    project
}

/// What is printed, without a canary in it.
#[track_caller]
fn printed(project: &Project, code: i32, words: &[&str]) -> String {
    let ran = run(starform().current_dir(project.path()).args(words)).expect(code);
    let printed = format!("{}{}", ran.stdout, ran.stderr);
    assert!(!printed.contains("CANARY"), "{words:?} shows:\n{printed}");
    printed
}

#[test]
fn a_sound_project_is_explained_with_its_credentials_covered() {
    let project = sound();
    for path in ["mailer", "mailer.image", "worker.image"] {
        let text = printed(&project, 0, &["explain", path]);
        assert!(text.contains("…"), "{text}");
        let json = printed(&project, 0, &["explain", path, "--format", "json"]);
        assert!(json.contains("…"), "{json}");
    }
    let one = ["explain", "mailer.image", "--env", "production"];
    assert!(printed(&project, 0, &one).contains("in production"));
    let origins = ["compile", "--env", "production", "--origins"];
    assert!(printed(&project, 0, &origins).contains("\"image\": {"));
    let unknown = ["explain", "mailer.imag"];
    assert!(printed(&project, 1, &unknown).contains("did you mean `image`?"));
}

/// What only a deployment refuses is shown in its line, and a credential stands in the same one.
#[test]
fn what_a_deployment_refuses_is_shown_with_its_line_covered() {
    let project = sound();
    project.replace("scale   2;", "}; worker made { build;");
    for words in [
        &["compile", "--env", "staging", "--origins"][..],
        &["compile", "--env", "staging"],
        &["render", "--env", "staging"],
    ] {
        let said = printed(&project, 1, words);
        assert!(said.contains("error[SF6005]: `made` is built"), "{said}");
        assert!(said.contains("╭─[starform.kdl:4:90]"), "{said}");
        assert!(said.contains("*****; }; worker made { build;"), "{said}");
    }
    let explained = printed(&project, 0, &["explain", "mailer.image"]);
    assert!(explained.contains("…"), "{explained}");
}

#[test]
fn formatting_shows_a_difference_and_no_credential() {
    let diff = printed(&sound(), 1, &["fmt", "--diff"]);
    assert!(
        diff.contains("\n-") && diff.contains("\n+") && diff.contains("image …"),
        "{diff}"
    );
    let diff = printed(&broken(), 1, &["fmt", "--diff"]);
    assert!(diff.contains("more/job.kdl"), "{diff}");
    let project = sound();
    assert!(printed(&project, 0, &["fmt"]).contains("starform.kdl"));
    assert_eq!(
        project.text().matches(TOKEN).count(),
        2,
        "the file keeps both"
    );
}

#[test]
fn the_form_of_a_file_with_credentials_is_not_printed() {
    for project in [sound(), broken()] {
        let said = printed(&project, 1, &["schema", "document", "starform.kdl"]);
        assert!(
            said.contains("starform") && !said.contains("\"args\""),
            "{said}"
        );
        let text = project.text();
        let Ran {
            code,
            stdout,
            stderr,
        } = run_with(starform().args(["schema", "document", "-"]), &text);
        assert_eq!((code, stdout.as_str()), (1, ""));
        assert!(!stderr.contains("CANARY"), "{stderr}");
    }
}

#[test]
fn repairs_are_told_without_the_credentials_beside_them() {
    for format in ["human", "short", "json", "sarif", "github"] {
        let said = printed(&broken(), 1, &["check", "--format", format]);
        assert!(said.contains("more/job.kdl"), "{said}");
    }
    // Safe ones keep every value where it is; the others put the name of a secret in its place.
    for (level, kept) in [("--fix=safe", 5), ("--fix=all", 3)] {
        let project = broken();
        let said = printed(&project, 1, &["check", level]);
        assert!(said.contains("fixed starform.kdl:4:"), "{said}");
        assert!(said.contains("fixed more/job.kdl:1:"), "{said}");
        let job = fs::read_to_string(project.path().join("more/job.kdl")).unwrap();
        let all = project.text() + &job;
        assert_eq!(all.matches("CANARY").count(), kept, "{level}:\n{all}");
    }
    for words in [
        &["explain", "api.scale"][..],
        &["compile", "--env", "production"],
    ] {
        assert!(printed(&broken(), 1, words).contains("SF"));
    }
}
