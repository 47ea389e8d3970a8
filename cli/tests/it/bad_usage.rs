//! Words, options and commands that do not exist: exit 1, and the way to those that do.

use crate::support::{
    process::{run, starform},
    project::{GOOD, Project},
};

#[test]
fn wrong_usage_exits_1() {
    let project = Project::new(GOOD);
    project.run(&["plan", "--no-such-option"]).expect(1);
    project.run(&["compile"]).expect(1);
    project.run(&["--help"]).expect(0);
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
        ("preview", "starform plan"),
        ("template", "starform render"),
        ("format", "starform fmt"),
        ("get", "starform status"),
        ("init", "starform explain project"),
        ("destroy", "starform apply"),
        ("undo", "starform rollback"),
        ("log", "starform history"),
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
    near.says(&["similar subcommands exist: 'schema', 'check'"]);
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
        ran.says(&["  tip: ", wanted]);
        assert!(!ran.stderr.contains("as a value"), "{}", ran.stderr);
        tips_name_what_there_is(&ran.stderr);
    }
}

#[test]
fn fmt_says_beforehand_that_it_writes_the_contract() {
    let help = run(starform().args(["fmt", "--help"])).expect(0);
    help.says(&["contract=1"]);
}
