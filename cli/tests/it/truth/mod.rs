//! What a plan lists is what is written: any edits of a project, each planned and applied by the binary, judged by
//! the API server's audit log and by what it holds before and after.
//!
//! Effects: a testbed. Always holds: every write within the project's Namespace belongs to exactly the objects that
//! the plan names, and the plan's fields make of each object before what it is after. Read on in `edits.rs` for the
//! edits, and in `objects.rs` for how objects are compared.

mod edits;
mod objects;

use std::{collections::BTreeSet, env, fs};

use starform_plan::document::{Action, Plan, Plans};

use crate::support::{
    cluster::Cluster,
    embedded::{command, starform_in},
    process::run,
    project::Project,
};
use edits::{Dice, Shop};
use objects::{Live, is_as_planned};

const ENVIRONMENTS: [&str; 2] = ["staging", "production"];

#[test]
fn what_is_planned_is_what_is_written() {
    rounds(4, 11);
}

/// As `cargo xtask soak truth` runs it.
#[test]
#[ignore = "half an hour: cargo xtask soak truth"]
fn soak_what_is_planned_is_what_is_written() {
    let seed = env::var("TRUTH_SEED").map_or(2026, |seed| seed.parse().unwrap());
    rounds(200, seed);
}

fn rounds(count: usize, seed: u64) {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let mut dice = Dice::new(seed);
    let mut shop = Shop::new(&mut dice);
    let project = Project::new(&shop.text());
    let mut written = 0;
    for round in 0..=count {
        let edit = match round {
            0 => "from nothing".to_owned(),
            _ => shop.edit(&mut dice),
        };
        project.write(&shop.text());
        for environment in ENVIRONMENTS {
            let of_this = check(&cluster, &project, environment, &edit);
            println!("{round:3} {environment:10} {of_this:3} writes: {edit}");
            written += of_this;
        }
    }
    println!("seed {seed}: {count} edits, {written} objects written, all as planned");
    assert!(written > count, "most edits write something");
}

/// Plans and applies one environment; how many objects were written: none where the plan is blocked, such as by a
/// held service that still refers to one that goes.
fn check(cluster: &Cluster, project: &Project, environment: &str, edit: &str) -> usize {
    let file = project.path().join("plan.json");
    let words = ["plan", "--env", environment, "--out", "plan.json"];
    starform_in(cluster, project, &words).expect(0);
    let plans: Plans = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let plan = &plans.plans[0];
    let before = Live::of(cluster);
    let mark = cluster.audit_mark();
    let mut apply = command(cluster, project);
    let is_blocked = plan.blocking_findings().next().is_some();
    let ran = run(apply.args(["apply", "plan.json", "--auto-approve"]));
    ran.expect(if is_blocked { 4 } else { 0 });
    let after = Live::of(cluster);
    if is_blocked {
        println!("    blocked: {edit}, {environment}");
        assert_eq!(written(cluster, mark), BTreeSet::new(), "{edit}");
        return 0;
    }

    let planned = planned(plan);
    let seen = written(cluster, mark);
    let about = format!("{edit}, {environment}\n{}", project.text());
    assert_eq!(seen, planned, "{about}");
    for change in &plan.objects {
        is_as_planned(change, &before, &after, &about);
    }
    before.stands_but_for(&after, plan, &about);
    seen.len()
}

/// (resource, name, whether it is deleted)
type Write = (String, String, bool);

fn planned(plan: &Plan) -> BTreeSet<Write> {
    let mut writes = BTreeSet::new();
    for change in &plan.objects {
        let key = &change.key;
        let write = |deleted| (objects::plural(key).to_owned(), key.name.clone(), deleted);
        match change.action {
            Action::Create | Action::Update | Action::Adopt => {
                writes.insert(write(false));
            }
            Action::Replace => {
                writes.insert(write(true));
                writes.insert(write(false));
            }
            Action::Delete => {
                writes.insert(write(true));
            }
            Action::Retain | Action::Forget | Action::None => {}
        }
    }
    writes
}

/// What took effect outside the agent's own bookkeeping.
fn written(cluster: &Cluster, mark: u64) -> BTreeSet<Write> {
    let requests = cluster.audited(mark, "starform").into_iter();
    requests
        .filter(|request| request.wrote() && objects::is_of_shop(&request.namespace, &request.name))
        .map(|request| (request.resource, request.name, request.verb == "delete"))
        .collect()
}
