//! `starform fmt`: what is written, what is printed, and how it exits.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
};

use crate::support::{
    process::{Ran, run, run_with, starform},
    project::Project,
    root,
};

const UGLY: &str = "project  hello {\n environment production branch = main // the only one\n\n\n\n   web api { image \"a/b@sha256:0f1e\"; port 0x1F90; }\n}";
const FORMATTED: &str = "project hello contract=1 {\n  environment production branch=main // the only one\n\n  web api { image \"a/b@sha256:0f1e\"; port 0x1F90; }\n}\n";
const BROKEN: &str = "project hello contract=1 {\n web   api {\n  port   80a\n  use    x\n }\n}\n";
const HALF_FORMATTED: &str =
    "project hello contract=1 {\n  web api {\n  port   80a\n    use x\n  }\n}\n";

fn fmt(project: &Project, words: &[&str]) -> Ran {
    let mut command = starform();
    command.current_dir(project.path()).arg("fmt");
    run(command.args(words))
}

fn piped(text: &str, words: &[&str]) -> Ran {
    let mut command = starform();
    command.args(["fmt", "-"]).args(words);
    run_with(&mut command, text)
}

#[test]
fn a_file_is_written_once_and_named() {
    let project = Project::new(UGLY);
    let ran = fmt(&project, &[]).expect(0);
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str()),
        ("starform.kdl\n", "")
    );
    assert_eq!(project.text(), FORMATTED);
    let ran = fmt(&project, &["."]).expect(0);
    assert_eq!(ran.stdout, "", "nothing is left to do");
    assert_eq!(
        fs::read_dir(project.path()).unwrap().count(),
        1,
        "nothing lies about"
    );
}

#[test]
fn a_file_keeps_its_permissions_and_links() {
    let project = Project::new(UGLY);
    fs::set_permissions(project.file(), fs::Permissions::from_mode(0o640)).unwrap();
    let link = project.path().join("link.kdl");
    symlink("starform.kdl", &link).unwrap();
    let ran = fmt(&project, &["link.kdl"]).expect(0);
    assert_eq!(ran.stdout, "link.kdl\n");
    assert_eq!(project.text(), FORMATTED);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    let mode = fs::metadata(project.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn check_lists_and_diff_shows_and_neither_writes() {
    let project = Project::new(UGLY);
    let ran = fmt(&project, &["--check"]).expect(1);
    assert_eq!(ran.stdout, "starform.kdl\n");
    let ran = fmt(&project, &["--diff"]).expect(1);
    assert!(
        ran.stdout
            .starts_with("--- starform.kdl\n+++ starform.kdl (formatted)\n@@ -1,"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("\n-project  hello {\n"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("\n+project hello contract=1 {\n"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("\n\\ No newline at end of file\n"),
        "{}",
        ran.stdout
    );
    let colored = fmt(&project, &["--diff", "--color=always"]).expect(1);
    assert!(
        colored.stdout.contains("\u{1b}[31m-project"),
        "{}",
        colored.stdout
    );
    assert_eq!(project.text(), UGLY);
    project.write(FORMATTED);
    assert_eq!(fmt(&project, &["--check"]).expect(0).stdout, "");
    assert_eq!(fmt(&project, &["--diff"]).expect(0).stdout, "");
    fmt(&project, &["--diff", "--check"]).expect(1);
}

#[test]
fn a_difference_shows_no_credential() {
    let secret = "AKIAIOSFODNN7EXAMPLE";
    let project = Project::new(&format!(
        "project p {{\n   var-group g {{ API_TOKEN   \"{secret}\"; }}\n}}\n"
    ));
    let ran = fmt(&project, &["--diff"]).expect(1);
    assert!(ran.stdout.contains("API_TOKEN"), "{}", ran.stdout);
    assert!(!ran.stdout.contains(secret), "{}", ran.stdout);
    fmt(&project, &[]).expect(0);
    assert!(project.text().contains(secret), "the file keeps it");
}

#[test]
fn what_is_sound_in_a_broken_file_is_formatted() {
    let project = Project::new(BROKEN);
    let ran = fmt(&project, &[]).expect(1);
    assert_eq!(project.text(), HALF_FORMATTED);
    assert!(
        ran.stderr.contains("error[SF1003]") && ran.stderr.contains("starform.kdl:3:10"),
        "{}",
        ran.stderr
    );
    let ran = fmt(&project, &["--check"]).expect(1);
    assert_eq!(ran.stdout, "", "it would not change");
    let unclosed = "project   hello {\n";
    project.write(unclosed);
    let ran = fmt(&project, &[]).expect(1);
    assert!(ran.stderr.contains("error[SF1019]"), "{}", ran.stderr);
    assert_eq!(project.text(), unclosed);
}

#[test]
fn a_file_of_version_1_is_converted_when_asked() {
    let v1 = "/- kdl-version 1\nproject \"hello\" {\n  domain \"a\" redirect=true // true\n  run r\"C:\\x\"\n}\n";
    let v2 = "/- kdl-version 2\nproject \"hello\" contract=1 {\n  domain \"a\" redirect=#true // true\n  run #\"C:\\x\"#\n}\n";
    let project = Project::new(v1);
    let ran = fmt(&project, &[]).expect(1);
    assert!(ran.stderr.contains("error[SF1027]"), "{}", ran.stderr);
    assert_eq!(project.text(), v1, "nobody asked");
    fmt(&project, &["--migrate", "--check"]).expect(1);
    fmt(&project, &["--migrate"]).expect(0);
    assert_eq!(project.text(), v2);
    assert_eq!(fmt(&project, &["--migrate"]).expect(0).stdout, "");
}

#[test]
fn a_file_of_two_versions_is_not_migrated_and_says_where_it_is_no_version_1() {
    let text = "project hello {\n  environment \"production\" branch=main\n  hold true\n}\n";
    let project = Project::new(text);
    for words in [&["--migrate", "--check"][..], &["--migrate"]] {
        let ran = fmt(&project, words).expect(1);
        let said = "starform.kdl was not migrated, since it is no KDL v1 at starform.kdl:1:9\n";
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
        assert!(
            ran.stderr.contains("`starform check --fix`"),
            "{}",
            ran.stderr
        );
    }
    let ran = piped(text, &["--migrate"]).expect(1);
    let said = "<stdin> was not migrated, since it is no KDL v1 at <stdin>:1:9\n";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    let sound = fmt(&Project::new(FORMATTED), &["--migrate"]).expect(0);
    assert_eq!(sound.stderr, "");
}

#[test]
fn standard_input_goes_to_standard_output() {
    assert_eq!(piped(UGLY, &[]).expect(0).stdout, FORMATTED);
    assert_eq!(piped(FORMATTED, &[]).expect(0).stdout, FORMATTED);
    assert_eq!(piped(UGLY, &["--check"]).expect(1).stdout, "<stdin>\n");
    let ran = piped(BROKEN, &[]).expect(1);
    assert_eq!(ran.stdout, HALF_FORMATTED);
    assert!(ran.stderr.contains("<stdin>:3:10"), "{}", ran.stderr);
}

#[test]
fn several_paths_are_formatted_in_one_run() {
    let (one, two) = (Project::new(UGLY), Project::new(UGLY));
    let paths = [
        one.path().to_str().unwrap(),
        two.file().to_str().unwrap().to_owned().leak(),
    ];
    let ran = fmt(&one, &paths).expect(0);
    assert_eq!(
        ran.stdout,
        format!("{0}/starform.kdl\n{1}\n", paths[0], paths[1])
    );
    assert_eq!(
        (one.text(), two.text()),
        (FORMATTED.to_owned(), FORMATTED.to_owned())
    );
    let ran = fmt(&one, &["nowhere.kdl"]).expect(1);
    assert!(
        ran.stderr.contains("`nowhere.kdl` does not exist"),
        "{}",
        ran.stderr
    );
}

const ROOT: &str = "project shop contract=1 {\n  environment production branch=main\n  include \"services/*.kdl\"\n}\n";
const UGLY_PART: &str = "web  api {\n image \"a/b@sha256:0f1e\"\n}";
const PART: &str = "web api {\n  image \"a/b@sha256:0f1e\"\n}\n";

/// A project with these files under `services`, which it includes.
fn spread(files: &[(&str, &[u8])]) -> Project {
    let project = Project::new(ROOT);
    fs::create_dir(project.path().join("services")).unwrap();
    for (name, bytes) in files {
        fs::write(project.path().join("services").join(name), bytes).unwrap();
    }
    project
}

fn part(project: &Project, name: &str) -> String {
    fs::read_to_string(project.path().join("services").join(name)).unwrap()
}

#[test]
fn a_folder_stands_for_all_files_of_its_project() {
    let ugly = UGLY_PART.as_bytes();
    let project = spread(&[("a.kdl", ugly), ("b.kdl", PART.as_bytes()), ("c.kdl", ugly)]);
    let both = "services/a.kdl\nservices/c.kdl\n";
    assert_eq!(fmt(&project, &["--check"]).expect(1).stdout, both);
    let ran = fmt(&project, &["--diff", "."]).expect(1);
    let heads: Vec<&str> = ran
        .stdout
        .lines()
        .filter(|line| line.starts_with("--- "))
        .collect();
    assert_eq!(heads, ["--- services/a.kdl", "--- services/c.kdl"]);
    assert_eq!(part(&project, "a.kdl"), UGLY_PART);
    // A file that is named stands for itself.
    let ran = fmt(&project, &["starform.kdl"]).expect(0);
    assert_eq!(
        (ran.stdout.as_str(), part(&project, "a.kdl").as_str()),
        ("", UGLY_PART)
    );
    assert_eq!(
        fmt(&project, &["services/c.kdl"]).expect(0).stdout,
        "services/c.kdl\n"
    );
    assert_eq!(fmt(&project, &[]).expect(0).stdout, "services/a.kdl\n");
    assert_eq!(
        (part(&project, "a.kdl"), part(&project, "c.kdl")),
        (PART.into(), PART.into())
    );
}

#[test]
fn a_file_that_cannot_be_formatted_is_named_and_the_others_are_formatted() {
    let ugly = UGLY_PART.as_bytes();
    let project = spread(&[
        ("a.kdl", ugly),
        ("latin.kdl", b"web api // \xe9\n"),
        ("mistaken.kdl", b"web   api {\n   port 80a\n}\n"),
        ("unclosed.kdl", b"web   api {\n"),
        ("locked.kdl", ugly),
        ("z.kdl", ugly),
    ]);
    let folder = project.path().join("services");
    let locked = fs::Permissions::from_mode(0o444);
    fs::set_permissions(folder.join("locked.kdl"), locked).unwrap();
    symlink("nowhere", folder.join("dangling.kdl")).unwrap();
    let elsewhere = Project::new("a   1");
    symlink(elsewhere.file(), folder.join("outside.kdl")).unwrap();
    let ran = fmt(&project, &[]).expect(1);
    let changed = "services/a.kdl\nservices/mistaken.kdl\nservices/z.kdl\n";
    assert_eq!(ran.stdout, changed);
    for said in [
        "services/dangling.kdl`: No such file",
        "services/latin.kdl` is not UTF-8 text (first bad byte at offset 11)",
        "`services/locked.kdl` is read-only",
        "services/mistaken.kdl:2:9",
        "services/outside.kdl` is a symbolic link that leaves the folder",
        "services/unclosed.kdl:1:11",
    ] {
        assert!(ran.stderr.contains(said), "{said} is not in {}", ran.stderr);
    }
    assert_eq!(
        (part(&project, "a.kdl"), part(&project, "z.kdl")),
        (PART.into(), PART.into())
    );
    let sound = "web api {\n   port 80a\n}\n";
    assert_eq!(part(&project, "mistaken.kdl"), sound);
    assert_eq!(part(&project, "locked.kdl"), UGLY_PART);
    assert_eq!(elsewhere.text(), "a   1");
    assert_eq!(
        fs::read(folder.join("latin.kdl")).unwrap(),
        b"web api // \xe9\n"
    );
    let left = fs::read_dir(&folder).unwrap().count();
    assert_eq!(left, 8, "nothing lies about");
}

#[test]
fn files_of_every_kind_are_formatted_or_named() {
    for (before, after) in [
        ("", ""),
        ("\n\n", ""),
        ("// only a comment", "// only a comment\n"),
        ("a   1", "a 1\n"),
        ("\u{feff}a   1\n", "\u{feff}a 1\n"),
        ("a   1\r\nb {\r\nc\r\n}\r\n", "a 1\r\nb {\r\n  c\r\n}\r\n"),
        ("a   1\r\nb\n", "a 1\nb\n"),
    ] {
        let project = Project::new(before);
        let ran = fmt(&project, &[]).expect(0);
        let named = if before == after {
            ""
        } else {
            "starform.kdl\n"
        };
        assert_eq!(
            (ran.stdout.as_str(), project.text().as_str()),
            (named, after),
            "{before:?}"
        );
    }
    let project = Project::new("");
    fs::write(project.file(), [0xff, 0xfe, b'a', 0]).unwrap();
    let ran = fmt(&project, &[]).expect(1);
    assert!(
        ran.stderr.contains("starform.kdl` is not UTF-8 text"),
        "{}",
        ran.stderr
    );
    fs::create_dir(project.path().join("empty")).unwrap();
    let ran = fmt(&project, &["empty"]).expect(1);
    assert!(
        ran.stderr.contains("there is no starform.kdl in `empty`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_path_that_is_wrong_leaves_the_others() {
    let (one, two) = (Project::new(UGLY), Project::new(UGLY));
    let other = two.path().to_str().unwrap();
    let ran = fmt(&one, &["nowhere.kdl", ".", other]).expect(1);
    assert!(
        ran.stderr.contains("`nowhere.kdl` does not exist"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.stdout, format!("starform.kdl\n{other}/starform.kdl\n"));
    assert_eq!(
        (one.text(), two.text()),
        (FORMATTED.into(), FORMATTED.into())
    );
}

#[test]
fn the_examples_are_formatted() {
    for example in fs::read_dir(root().join("examples")).unwrap() {
        let folder = example.unwrap().path();
        let ran = run(starform().args(["fmt", "--diff"]).arg(&folder));
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (0, ""),
            "{}",
            folder.display()
        );
    }
}
