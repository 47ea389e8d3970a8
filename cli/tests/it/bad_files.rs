//! Files that are missing, unreadable, too large or out of bounds: told by their place, nothing written.

use std::{fs, os::unix::fs::symlink};

use crate::support::{
    process::{Ran, run, run_with, starform},
    project::{GOOD, Project},
};

#[test]
fn a_file_of_two_megabytes_is_refused_by_its_size() {
    let project = Project::new(&format!("{GOOD}// {}\n", "x".repeat(2 << 20)));
    project
        .run(&["check"])
        .expect(1)
        .says(&["starform.kdl:1:1", "SF5001", "1 MiB", "`include`"]);
    // What is read of it ends inside of a character.
    let before = "x".repeat((1 << 20) - 1);
    fs::write(project.file(), format!("// {before}{}", "€".repeat(9))).unwrap();
    for (format, wanted) in [
        (
            "short",
            "starform.kdl:1:1: error[SF5001]: file is larger than 1 MiB",
        ),
        ("json", "\"code\": \"SF5001\""),
        ("sarif", "\"ruleId\": \"SF5001\""),
    ] {
        let ran = project.run(&["check", "--format", format]).expect(1);
        assert!(ran.stdout.contains(wanted), "{format}: {}", ran.stdout);
    }
}

#[test]
fn what_was_read_of_a_file_that_is_too_large_is_never_written() {
    let large = format!("{GOOD}// {}\n", "x".repeat(1 << 20));
    let project = Project::new(&large);
    for command in [&["check", "--fix"][..], &["fmt"]] {
        project.run(command).expect(1).says(&["1 MiB"]);
        assert!(fs::read_to_string(project.file()).unwrap() == large);
    }
    for command in [&["check", "--fix", "-"][..], &["fmt", "-"]] {
        let ran = run_with(starform().args(command), &large).expect(1);
        assert_eq!(
            (ran.stdout.as_str(), ran.stderr.contains("1 MiB")),
            ("", true)
        );
    }
}

#[test]
fn a_missing_file_or_folder_is_named() {
    let project = Project::new(GOOD);
    fs::remove_file(project.file()).unwrap();
    project
        .run(&["plan"])
        .expect(1)
        .says(&["there is no starform.kdl in `.`"]);
    project
        .run(&["check", "nowhere"])
        .expect(1)
        .says(&["`nowhere` does not exist"]);
}

const INCLUDING: &str = r#"project hello {
  environment production branch=main
  include "services/*.kdl"
}
"#;

/// A project whose services lie in files of their own.
fn including(files: &[(&str, &str)]) -> Project {
    let project = Project::new(INCLUDING);
    for (path, text) in files {
        let path = project.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    project
}

const API: &str = "web api {
  image \"ghcr.io/acme/api@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0\"
  port 8080
}
";

#[test]
fn included_files_are_read_from_the_folder_of_the_project() {
    let nested = API.replace("web api", "web more");
    let chain = format!("{API}include \"deeper/**/*.kdl\"\n");
    let project = including(&[
        ("services/api.kdl", &chain),
        ("deeper/down/there/more.kdl", &nested),
        ("deeper/.hidden/other.kdl", "not even KDL {{{"),
        ("services/notes.txt", "not KDL {{{"),
    ]);
    project.run(&["check"]).expect(0);
    let compiled = project.run(&["compile", "--env", "production"]);
    compiled.expect(0).says(&["\"api\"", "\"more\""]);
    let elsewhere = run(starform().arg("check").arg(project.file()).current_dir("/"));
    elsewhere.expect(0);
}

#[test]
fn mistakes_in_included_files_are_told_with_their_place() {
    let project = including(&[("services/api.kdl", &API.replace("port", "prot"))]);
    let ran = project.run(&["check"]).expect(1);
    ran.says(&["services/api.kdl:3:3", "SF2004"]);
    let none = including(&[]);
    let ran = none.run(&["check"]).expect(1);
    ran.says(&["starform.kdl:3:11", "SF2021", "names no file"]);
}

#[cfg(unix)]
#[test]
fn links_that_leave_the_folder_are_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret.kdl");
    fs::write(&secret, "password hunter2 {{{").unwrap();
    let project = including(&[("services/api.kdl", API)]);
    let link = project.path().join("services/link.kdl");
    std::os::unix::fs::symlink(&secret, &link).unwrap();
    let ran = project.run(&["check"]).expect(1);
    ran.says(&["services/link.kdl", "leaves the folder of the project"]);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("hunter2"));
    fs::remove_file(&link).unwrap();
    // A folder that is a link is not entered, so nothing below it is read, and no circle is followed.
    std::os::unix::fs::symlink(outside.path(), project.path().join("services/out")).unwrap();
    std::os::unix::fs::symlink(".", project.path().join("services/round")).unwrap();
    project.replace("services/*.kdl", "services/**/*.kdl");
    project.run(&["check"]).expect(0);
}

#[test]
fn included_files_have_the_limits_of_every_file() {
    let big = format!("//{}", "x".repeat(1 << 20));
    let project = including(&[("services/api.kdl", &big)]);
    let ran = project.run(&["check"]).expect(1);
    ran.says(&["services/api.kdl:1:1", "SF5001", "1 MiB"]);
    let half = format!("//{}", "x".repeat((1 << 20) - 2));
    let names: Vec<String> = (0..8).map(|n| format!("services/{n}.kdl")).collect();
    let files: Vec<(&str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), half.as_str()))
        .collect();
    let project = including(&files);
    let ran = project.run(&["check", "--format", "short"]).expect(1);
    ran.says(&["SF5030", "8 MiB"]);
    let ran = project.run(&["fmt"]).expect(1);
    ran.says(&["8 MiB"]);
}

/// The rows of `check --format json`: file, line, column, code, title, help.
fn rows(ran: &Ran) -> Vec<String> {
    let found = ran.json();
    let rows = found["diagnostics"].as_array().expect("a list").iter();
    rows.map(|row| {
        let word = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let place = format!("{}:{}:{}", word("file"), row["line"], row["column"]);
        format!(
            "{place} {} {}; {}",
            word("code"),
            word("title"),
            word("help")
        )
    })
    .collect()
}

#[test]
fn a_file_that_cannot_be_read_is_a_diagnostic_in_every_form() {
    let project = Project::new(GOOD);
    project.replace("  web api", "  include \"parts/*.kdl\"\n  web api");
    fs::create_dir(project.path().join("parts")).unwrap();
    fs::write(
        project.path().join("parts/latin.kdl"),
        b"// one\n// caf\xe9\n",
    )
    .unwrap();
    symlink("/etc/hostname", project.path().join("parts/out.kdl")).unwrap();
    let ran = project.run(&["check", "--format", "json"]).expect(1);
    let latin = "parts/latin.kdl:2:7 SF2028 `./parts/latin.kdl` is not UTF-8 text (first bad byte at offset 13); save it as UTF-8";
    let out = "parts/out.kdl:1:1 SF2028 `./parts/out.kdl` is a symbolic link that leaves the folder of the project; put the file itself there";
    assert_eq!(rows(&ran), [latin, out]);
    for (format, wanted) in [
        ("short", "parts/latin.kdl:2:7: error[SF2028]: "),
        ("sarif", "\"uri\": \"parts/latin.kdl\""),
        ("github", "::error file=parts/latin.kdl,line=2,"),
    ] {
        let ran = project.run(&["check", "--format", format]).expect(1);
        ran.says(&[wanted]);
    }
    let human = project.run(&["check"]).expect(1);
    human.says(&[
        "error: `./parts/latin.kdl` is not",
        "error: `./parts/out.kdl` is a",
    ]);
}

#[test]
fn a_project_that_is_not_there_is_a_diagnostic_too() {
    let project = Project::new(GOOD);
    fs::create_dir_all(project.path().join("empty")).unwrap();
    fs::create_dir_all(project.path().join("odd/starform.kdl")).unwrap();
    let found =
        |path: &str| rows(&project.run(&["check", path, "--format", "json"]).expect(1)).join("\n");
    assert!(
        found("empty")
            .starts_with("empty/starform.kdl:1:1 SF2001 there is no starform.kdl in `empty`; ")
    );
    assert!(found("no.kdl").starts_with("no.kdl:1:1 SF2001 `no.kdl` does not exist; "));
    let folder = "odd/starform.kdl:1:1 SF2028 `odd/starform.kdl` is a folder; the project is a file of this name";
    assert_eq!(found("odd"), folder);
    assert_eq!(found("odd/starform.kdl"), folder);
    let plan = project.run(&["plan", "odd"]).expect(1);
    plan.says(&["error: `odd/starform.kdl` is a folder; "]);
}

#[test]
fn places_open_from_where_the_command_ran() {
    let project = Project::new(GOOD);
    fs::create_dir_all(project.path().join("apps/shop")).unwrap();
    fs::write(
        project.path().join("apps/shop/starform.kdl"),
        "projekt p {}\n",
    )
    .unwrap();
    for given in ["apps/shop", "./apps/shop", "apps/shop/starform.kdl"] {
        for format in ["short", "human"] {
            let said = project.run(&["check", given, "--format", format]).expect(1);
            let all = format!("{}{}", said.stdout, said.stderr);
            assert!(
                all.contains("apps/shop/starform.kdl:1:1"),
                "{given} {format}: {all}"
            );
        }
    }
    fs::write(project.path().join("starform.kdl"), "projekt p {}\n").unwrap();
    let here = project.run(&["check", "--format", "short"]).expect(1);
    assert!(
        here.stdout.starts_with("starform.kdl:1:1"),
        "{}",
        here.stdout
    );
}

#[test]
fn standard_input_has_one_name() {
    let piped = |words: &[&str], text: &[u8]| run_with(starform().args(words), text).expect(1);
    let json = piped(&["check", "-", "--format", "json"], b"project p {");
    assert!(
        rows(&json)[0].starts_with("<stdin>:1:11 SF1019 "),
        "{}",
        json.stdout
    );
    piped(&["fmt", "-"], b"project p {").says(&["<stdin>:1:11"]);
    piped(&["fmt", "-"], b"\xff").says(&["`<stdin>` is not UTF-8"]);
    let bad = piped(&["check", "-", "--format", "json"], b"a\n\xff");
    assert!(rows(&bad)[0].starts_with("<stdin>:2:1 SF2028 `<stdin>` is not UTF-8"));
    let sarif = piped(&["check", "-", "--format", "sarif"], b"project p {");
    sarif.says(&["\"uri\": \"%3Cstdin%3E\""]);
    piped(&["schema", "document", "-"], b"project p {").says(&["<stdin>:1:11"]);
}
