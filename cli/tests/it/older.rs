//! The older generations of an environment: listed, compared, gone back to; and what there is without a
//! control plane.

use serde_json::Value;

use crate::support::{
    cluster::Cluster,
    platform::Platform,
    process::{Ran, starform},
    project::{GOOD, Project},
};

const PRODUCTION: [&str; 2] = ["--env", "production"];

fn with(words: &[&'static str], more: &[&'static str]) -> Vec<&'static str> {
    [words, &PRODUCTION, more].concat()
}

#[test]
fn generations_are_listed_compared_and_gone_back_to() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let platform = Platform::start(&cluster);
    platform.create_project("hello");
    let project = Project::new(&GOOD.replace("8080", "8080\n    scale 1"));
    let ran = |words: &[&str]| platform.starform(&project, words);
    ran(&with(&["history"], &[]))
        .expect(0)
        .says(&["hello/production: nothing is accepted"]);
    ran(&["history", "--env", "prodution"])
        .expect(1)
        .says(&["no environment `prodution`"]);
    ran(&["history", "--env", "x", "--project", "hello"]).expect(1);
    ran(&with(&["rollback"], &["--auto-approve"]))
        .expect(1)
        .says(&["no earlier generation"]);
    for (now, next) in [("scale 1", "scale 2"), ("scale 2", "scale 3")] {
        platform.apply(&project).expect(0);
        project.replace(now, next);
    }
    let long = &"a-branch-with-a-name-longer-than-any-line".repeat(2);
    ran(&["apply", "--auto-approve", "--revision", long]).expect(0);
    listed(&ran(&with(&["history"], &[])).expect(0), long);
    compared(&ran);
    gone_back_to(&ran, &cluster);
}

fn listed(history: &Ran, long: &str) {
    let lines: Vec<&str> = history.stdout.lines().collect();
    assert_eq!(lines[0], "hello/production");
    let numbers = lines[2..].iter().map(|line| line[..10].trim());
    let numbers: Vec<&str> = numbers.collect();
    assert_eq!(numbers, ["* 3", "", "2", "1"], "{}", history.stdout);
    for line in &lines {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(lines[2].contains("converged") && lines[2].contains("admin "));
    // It stands below, and is shortened where even a line of its own is too narrow.
    assert!(
        lines[3].ends_with('…') && !lines[3].contains(long),
        "{}",
        lines[3]
    );
}

fn compared(ran: &impl Fn(&[&str]) -> Ran) {
    let forth = ran(&with(&["diff"], &["1", "3"])).expect(0).stdout;
    assert!(
        forth.starts_with("hello/production  from generation 1 to 3\n"),
        "{forth}"
    );
    assert!(forth.contains("scale.max  1 → 3"), "{forth}");
    assert!(
        forth.ends_with("· 0 rollouts\n") && forth.contains("Difference: "),
        "{forth}"
    );
    let whole = ["diff", "--env", "production", "1", "3", "--full"];
    assert!(
        forth.contains(&format!("starform {}", whole.join(" "))),
        "{forth}"
    );
    let whole = ran(&whole).expect(0).stdout;
    assert!(
        whole.contains("spec.replicas") && !whole.contains("Not shown"),
        "{whole}"
    );
    let back = ran(&with(&["diff"], &["3", "1"])).expect(0).stdout;
    assert!(back.contains("scale.max  3 → 1"), "{back}");
    let same = ran(&with(&["diff"], &["2", "2"])).expect(0).stdout;
    assert_eq!(
        same,
        "No difference. hello/production is the same at generations 2 and 2.\n"
    );
    let json = ran(&with(&["diff"], &["1", "3", "--format", "json"]))
        .expect(0)
        .json();
    assert_eq!(json["plans"][0]["source"]["until"], 3);
    let formats = [
        ("markdown", "<!-- starform:diff v1 hello -->"),
        ("html", "Difference of hello/production"),
        ("sarif", "\"2.1.0\""),
        ("github", "::notice title=hello/production::Difference: "),
        ("ndjson", "\"until\":3"),
    ];
    for (format, word) in formats {
        let shown = ran(&["diff", "--env", "production", "1", "3", "--format", format]);
        shown.expect(0).says(&[word]);
    }
    ran(&with(&["diff"], &["1", "9"]))
        .expect(1)
        .says(&["at generation 9", "starform history --env production"]);
    ran(&with(&["diff"], &["one", "2"]))
        .expect(1)
        .says(&["a generation's number"]);
}

fn gone_back_to(ran: &impl Fn(&[&str]) -> Ran, cluster: &Cluster) {
    let rollback = |more: &[&'static str]| ran(&with(&["rollback"], more));
    // Nobody is there to be asked: the plan is shown, nothing is done.
    rollback(&["--to", "1"])
        .expect(1)
        .says(&["scale.max  3 → 1", "--auto-approve"]);
    rollback(&["--to", "3"])
        .expect(1)
        .says(&["production is accepted as it was at generation 3"]);
    rollback(&["--to", "9"])
        .expect(1)
        .says(&["at generation 9"]);
    let one = rollback(&["--to", "1", "--auto-approve"]).expect(0);
    one.says(&[
        "rollback to generation 1",
        "done: api",
        "its next plan goes forward again",
    ]);
    let namespace = cluster.namespace("hello").unwrap();
    let api = format!("/apis/apps/v1/namespaces/{namespace}/deployments/api--production");
    let replicas = || cluster.get(&api).unwrap()["spec"]["replicas"].clone();
    assert_eq!(replicas(), 1);
    // Without a number: where it was before that.
    rollback(&["--auto-approve"]).expect(0);
    assert_eq!(replicas(), 3);
    let history = ran(&with(&["history"], &[])).expect(0);
    history.says(&["rollback to generation 3", "rollback to generation 1"]);
    let history = ran(&with(&["history"], &["--format", "json"]))
        .expect(0)
        .json();
    let told: Vec<(u64, bool, &Value)> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            (
                item["generation"].as_u64().unwrap(),
                item["current"] == true,
                &item["revision"],
            )
        })
        .take(2)
        .collect();
    let revisions = ["rollback to generation 3", "rollback to generation 1"].map(Value::from);
    assert_eq!(told, [(5, true, &revisions[0]), (4, false, &revisions[1])]);
}

#[test]
fn without_a_control_plane_there_is_nothing_older() {
    let project = Project::new(GOOD);
    let commands = [
        (&["history"][..], "`starform status`"),
        (&["diff", "1", "2"], "`starform plan`"),
        (&["rollback", "--auto-approve"], "`starform apply`"),
    ];
    for (words, next) in commands {
        let ran = project.run(&with(words, &[])).expect(1);
        ran.says(&[
            "needs a control plane",
            "keeps only what is accepted now",
            next,
            "--server",
        ]);
        assert_eq!(ran.stdout, "");
    }
    let help = crate::support::process::run(starform().args(["rollback", "--help"])).expect(0);
    help.says(&["--to <GEN>", "--auto-approve"]);
}
