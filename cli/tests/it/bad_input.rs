//! What a person gets wrong: each a clear message with its place and the next step, exit 1, nothing
//! written.

use std::{fs, os::unix::fs::symlink};

use crate::support::{
    process::{Ran, run, run_with, starform},
    project::Project,
};

const GOOD: &str = r#"project hello {
  environment production branch=main
  web api {
    image "ghcr.io/acme/api@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
    port 8080
  }
}
"#;

/// Runs in the project's folder, without a cluster.
fn in_project(project: &Project, words: &[&str]) -> Ran {
    let mut command = starform();
    command
        .env("KUBECONFIG", "/dev/null")
        .current_dir(project.path());
    run(command.args(words))
}

fn says(ran: &Ran, words: &[&str]) {
    let all = format!("{}{}", ran.stdout, ran.stderr);
    for word in words {
        assert!(all.contains(word), "`{word}` is not in:\n{all}");
    }
}

#[test]
fn the_shortest_project_is_good() {
    let project = Project::new(GOOD);
    in_project(&project, &["check"]).expect(0);
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
            let ran = in_project(&project, command).expect(1);
            says(&ran, words);
            says(&ran, &["error[SF"]);
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
    let ran = in_project(&project, &["check"]).expect(1);
    says(&ran, &["prot", "scael", "lots"]);
}

#[test]
fn a_file_of_two_megabytes_is_refused_by_its_size() {
    let project = Project::new(&format!("{GOOD}// {}\n", "x".repeat(2 << 20)));
    says(
        &in_project(&project, &["check"]).expect(1),
        &["starform.kdl:1:1", "SF5001", "1 MiB", "`include`"],
    );
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
        let ran = in_project(&project, &["check", "--format", format]).expect(1);
        assert!(ran.stdout.contains(wanted), "{format}: {}", ran.stdout);
    }
}

#[test]
fn what_was_read_of_a_file_that_is_too_large_is_never_written() {
    let large = format!("{GOOD}// {}\n", "x".repeat(1 << 20));
    let project = Project::new(&large);
    for command in [&["check", "--fix"][..], &["fmt"]] {
        says(&in_project(&project, command).expect(1), &["1 MiB"]);
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
    says(
        &in_project(&project, &["plan"]).expect(1),
        &["there is no starform.kdl in `.`"],
    );
    says(
        &in_project(&project, &["check", "nowhere"]).expect(1),
        &["`nowhere` does not exist"],
    );
}

#[test]
fn an_unknown_environment_is_told_with_those_that_exist() {
    let project = Project::new(GOOD);
    says(
        &in_project(&project, &["plan", "--env", "prod"]).expect(1),
        &["prod", "production"],
    );
}

#[test]
fn an_unreachable_server_is_told_with_the_next_step() {
    let project = Project::new(GOOD);
    let mut command = starform();
    command
        .env("STARFORM_TOKEN", "sf_user_x")
        .current_dir(project.path());
    let ran = run(command.args(["plan", "--server", "http://127.0.0.1:9"])).expect(1);
    says(
        &ran,
        &[
            "cannot reach the control plane at http://127.0.0.1:9",
            "starform serve",
        ],
    );
}

#[test]
fn a_server_without_a_token_is_told_how_to_give_one() {
    let project = Project::new(GOOD);
    let ran = in_project(&project, &["plan", "--server", "http://127.0.0.1:9"]).expect(1);
    says(&ran, &["STARFORM_TOKEN", "--token-file"]);
}

#[test]
fn an_unreachable_cluster_stops_an_apply() {
    let project = Project::new(GOOD);
    let ran = in_project(&project, &["apply", "--auto-approve"]).expect(1);
    says(&ran, &["cluster", "kubeconfig"]);
}

#[test]
fn wrong_usage_exits_1() {
    let project = Project::new(GOOD);
    in_project(&project, &["plan", "--no-such-option"]).expect(1);
    in_project(&project, &["compile"]).expect(1);
    in_project(&project, &["--help"]).expect(0);
}

#[test]
fn check_fixes_what_is_certain_and_tells_what_is_left() {
    let project = Project::new(GOOD);
    project.replace("port 8080", "port \"8080\"\n    prot 9090");
    let plain = in_project(&project, &["check"]).expect(1);
    says(
        &plain,
        &["1 can be fixed with `--fix`, 1 more with `--fix=all`"],
    );
    let safe = in_project(&project, &["check", "--fix"]).expect(1);
    says(
        &safe,
        &["fixed starform.kdl:5:10: remove the quotes (SF2008"],
    );
    says(
        &safe,
        &["unknown node `prot`", "1 can be fixed with `--fix=all`"],
    );
    assert!(project.text().contains("    port 8080\n    prot 9090\n"));
    let again = project.text();
    in_project(&project, &["check", "--fix"]).expect(1);
    assert_eq!(project.text(), again, "a fixed file is left alone");
    let left: Vec<_> = fs::read_dir(project.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing is written beside starform.kdl");
}

#[test]
fn check_fixes_all_that_a_person_would_decide_about() {
    let project = Project::new(GOOD);
    project.replace("port 8080", "prot 8080");
    let all = in_project(&project, &["check", "--fix=all"]).expect(0);
    says(&all, &["fixed starform.kdl:5:5: write `port` (SF2004"]);
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
    says(&piped(&["check", "-"]).expect(1), &["<stdin>:5:10"]);
    assert_eq!(piped(&["check", "-", "--fix"]).expect(0).stdout, GOOD);
    says(
        &piped(&["check", "-", "--fix", "--format=json"]).expect(1),
        &["leave out `--format`"],
    );
}

#[test]
fn check_answers_in_every_format() {
    let project = Project::new(GOOD);
    project.replace("port 8080", "prot 8080");
    let out = |format: &str| {
        let ran = in_project(&project, &["check", "--format", format]).expect(1);
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
    let human = in_project(&project, &["check"]).expect(1).stderr;
    assert!(
        human.ends_with("\nfor more: starform explain SF2004\n"),
        "{human}"
    );
    assert_eq!(human.matches("for more").count(), 1);
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
    in_project(&project, &["check"]).expect(0);
    let compiled = in_project(&project, &["compile", "--env", "production"]);
    says(&compiled.expect(0), &["\"api\"", "\"more\""]);
    let elsewhere = run(starform().arg("check").arg(project.file()).current_dir("/"));
    elsewhere.expect(0);
}

#[test]
fn mistakes_in_included_files_are_told_with_their_place() {
    let project = including(&[("services/api.kdl", &API.replace("port", "prot"))]);
    let ran = in_project(&project, &["check"]).expect(1);
    says(&ran, &["services/api.kdl:3:3", "SF2004"]);
    let none = including(&[]);
    let ran = in_project(&none, &["check"]).expect(1);
    says(&ran, &["starform.kdl:3:11", "SF2021", "names no file"]);
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
    let ran = in_project(&project, &["check"]).expect(1);
    says(
        &ran,
        &["services/link.kdl", "leaves the folder of the project"],
    );
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("hunter2"));
    fs::remove_file(&link).unwrap();
    // A folder that is a link is not entered, so nothing below it is read, and no circle is followed.
    std::os::unix::fs::symlink(outside.path(), project.path().join("services/out")).unwrap();
    std::os::unix::fs::symlink(".", project.path().join("services/round")).unwrap();
    project.replace("services/*.kdl", "services/**/*.kdl");
    in_project(&project, &["check"]).expect(0);
}

#[test]
fn included_files_have_the_limits_of_every_file() {
    let big = format!("//{}", "x".repeat(1 << 20));
    let project = including(&[("services/api.kdl", &big)]);
    let ran = in_project(&project, &["check"]).expect(1);
    says(&ran, &["services/api.kdl:1:1", "SF5001", "1 MiB"]);
    let half = format!("//{}", "x".repeat((1 << 20) - 2));
    let names: Vec<String> = (0..8).map(|n| format!("services/{n}.kdl")).collect();
    let files: Vec<(&str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), half.as_str()))
        .collect();
    let project = including(&files);
    let ran = in_project(&project, &["check", "--format", "short"]).expect(1);
    says(&ran, &["SF5030", "8 MiB"]);
    let ran = in_project(&project, &["fmt"]).expect(1);
    says(&ran, &["8 MiB"]);
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
    let ran = in_project(&project, &words).expect(1);
    says(
        &ran,
        &["cannot read the kubeconfig nowhere", "--kubeconfig"],
    );
    assert!(ran.stdout.is_empty(), "{}", ran.stdout);
    fs::write(project.path().join("broken"), "{ no yaml").unwrap();
    says(
        &in_project(&project, &["plan", "--kubeconfig", "broken"]).expect(1),
        &["broken"],
    );
}

/// What only a plan refuses looks as what `check` says: with its line and the next step.
#[test]
fn what_only_a_plan_refuses_is_told_like_everything_else() {
    let project = Project::new(GOOD);
    let image = GOOD.lines().find(|line| line.contains("image"));
    project.replace(image.expect("it has one"), "    build");
    in_project(&project, &["check"]).expect(0);
    let commands: [&[&str]; 4] = [
        &["plan"],
        &["render", "--env", "production"],
        &["compile", "--env", "production"],
        &["compile", "--env", "production", "--origins"],
    ];
    for command in commands {
        let ran = in_project(&project, command).expect(1);
        let words = [
            "error[SF6005]: `api` is built",
            "starform.kdl:4:5",
            "4 │     build",
            "  help: ",
            "for more: starform explain SF6005",
        ];
        says(&ran, &words);
        assert_eq!(ran.stderr.matches("error[SF6005]").count(), 1);
    }
}

/// The commands that a tip names exist, and so do the options it names with them.
fn tips_name_what_there_is(said: &str) {
    for named in said.split('`').skip(1).step_by(2) {
        let mut words = named.split(' ');
        let (Some("starform"), Some(command)) = (words.next(), words.next()) else {
            continue;
        };
        if command.starts_with("--") {
            continue;
        }
        let help = run(starform().args([command, "--help"])).expect(0);
        for option in words.filter(|word| word.starts_with("--")) {
            assert!(help.stdout.contains(option), "{named}: {}", help.stdout);
        }
    }
}

#[test]
fn commands_of_other_tools_lead_to_those_of_this_one() {
    let cases = [
        ("validate", "starform check"),
        ("up", "starform apply"),
        ("deploy", "starform apply"),
        ("diff", "starform plan"),
        ("template", "starform render"),
        ("format", "starform fmt"),
        ("get", "starform status"),
        ("init", "starform explain project"),
        ("destroy", "starform apply"),
        ("rollback", "starform apply"),
        ("login", "STARFORM_TOKEN"),
        ("server", "starform serve"),
        ("docs", "starform explain"),
        ("version", "starform --version"),
    ];
    for (word, wanted) in cases {
        let ran = run(starform().arg(word)).expect(1);
        let tip = ran.stderr.lines().find(|line| line.starts_with("  tip: "));
        let tip = tip.unwrap_or_else(|| panic!("{word}: {}", ran.stderr));
        assert!(tip.contains(wanted), "{word}: {tip}");
        tips_name_what_there_is(&ran.stderr);
    }
    let near = run(starform().arg("chek")).expect(1);
    says(&near, &["similar subcommands exist: 'schema', 'check'"]);
}

#[test]
fn options_that_another_command_has_are_told_of() {
    let cases = [
        (["check", "--env"], "starform plan --env ENV"),
        (["fmt", "--fix"], "starform check --fix"),
        (["fmt", "--write"], "`--check`"),
        (["plan", "--auto-approve"], "starform apply"),
        (["apply", "--yes"], "--auto-approve"),
        (["apply", "--dry-run"], "starform plan"),
    ];
    for (words, wanted) in cases {
        let ran = run(starform().args(words)).expect(1);
        says(&ran, &["  tip: ", wanted]);
        assert!(!ran.stderr.contains("as a value"), "{}", ran.stderr);
        tips_name_what_there_is(&ran.stderr);
    }
}

#[test]
fn fmt_says_beforehand_that_it_writes_the_contract() {
    let help = run(starform().args(["fmt", "--help"])).expect(0);
    says(&help, &["contract=1"]);
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
    let ran = in_project(&project, &["check", "--format", "json"]).expect(1);
    let latin = "parts/latin.kdl:2:7 SF2028 `./parts/latin.kdl` is not UTF-8 text (first bad byte at offset 13); save it as UTF-8";
    let out = "parts/out.kdl:1:1 SF2028 `./parts/out.kdl` is a symbolic link that leaves the folder of the project; put the file itself there";
    assert_eq!(rows(&ran), [latin, out]);
    for (format, wanted) in [
        ("short", "parts/latin.kdl:2:7: error[SF2028]: "),
        ("sarif", "\"uri\": \"parts/latin.kdl\""),
        ("github", "::error file=parts/latin.kdl,line=2,"),
    ] {
        let ran = in_project(&project, &["check", "--format", format]).expect(1);
        says(&ran, &[wanted]);
    }
    let human = in_project(&project, &["check"]).expect(1);
    says(
        &human,
        &[
            "error: `./parts/latin.kdl` is not",
            "error: `./parts/out.kdl` is a",
        ],
    );
}

#[test]
fn a_project_that_is_not_there_is_a_diagnostic_too() {
    let project = Project::new(GOOD);
    fs::create_dir_all(project.path().join("empty")).unwrap();
    fs::create_dir_all(project.path().join("odd/starform.kdl")).unwrap();
    let found = |path: &str| {
        rows(&in_project(&project, &["check", path, "--format", "json"]).expect(1)).join("\n")
    };
    assert!(
        found("empty")
            .starts_with("empty/starform.kdl:1:1 SF2001 there is no starform.kdl in `empty`; ")
    );
    assert!(found("no.kdl").starts_with("no.kdl:1:1 SF2001 `no.kdl` does not exist; "));
    let folder = "odd/starform.kdl:1:1 SF2028 `odd/starform.kdl` is a folder; the project is a file of this name";
    assert_eq!(found("odd"), folder);
    assert_eq!(found("odd/starform.kdl"), folder);
    let plan = in_project(&project, &["plan", "odd"]).expect(1);
    says(&plan, &["error: `odd/starform.kdl` is a folder; "]);
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
            let said = in_project(&project, &["check", given, "--format", format]).expect(1);
            let all = format!("{}{}", said.stdout, said.stderr);
            assert!(
                all.contains("apps/shop/starform.kdl:1:1"),
                "{given} {format}: {all}"
            );
        }
    }
    fs::write(project.path().join("starform.kdl"), "projekt p {}\n").unwrap();
    let here = in_project(&project, &["check", "--format", "short"]).expect(1);
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
    says(&piped(&["fmt", "-"], b"project p {"), &["<stdin>:1:11"]);
    says(&piped(&["fmt", "-"], b"\xff"), &["`<stdin>` is not UTF-8"]);
    let bad = piped(&["check", "-", "--format", "json"], b"a\n\xff");
    assert!(rows(&bad)[0].starts_with("<stdin>:2:1 SF2028 `<stdin>` is not UTF-8"));
    let sarif = piped(&["check", "-", "--format", "sarif"], b"project p {");
    says(&sarif, &["\"uri\": \"%3Cstdin%3E\""]);
    says(
        &piped(&["schema", "document", "-"], b"project p {"),
        &["<stdin>:1:11"],
    );
}
