//! Every exit code of every command, each reached by the binary: the rows of [`table`], walked in order in three
//! places, and held against what `docs/plans.md` says.
//!
//! Effects: starts `starform`, testbeds, a control plane with its agent. Always holds: what is said first in a refusal
//! is what the row says. Read on in `starform_cli`'s `exit.rs` for what the codes mean.

mod table;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

use serde_json::json;

use self::table::{Place, Row, SHOP, Way};
use crate::support::{
    cluster::Cluster,
    embedded,
    platform::Platform,
    process::{Ran, interrupted, run, starform, typed},
    project::Project,
    root,
};

/// Where the rows of one place are walked.
enum Scene {
    Alone,
    Embedded(Box<Cluster>),
    Served(Box<Platform>, String),
}

struct Walk {
    scene: Scene,
    project: Project,
    /// The plan that was told of last, for `{plan}` in a row.
    plan: RefCell<String>,
}

#[test]
fn without_a_cluster() {
    walk(Place::Alone, Scene::Alone);
}

#[test]
fn without_a_control_plane() {
    if let Some(cluster) = Cluster::start() {
        walk(Place::Embedded, Scene::Embedded(Box::new(cluster)));
    }
}

#[test]
fn with_a_control_plane() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let platform = Platform::start(&cluster);
    platform.create_project("exits");
    let admin = ["--kind", "user", "--person", "ada", "--role", "admin"];
    let ada = platform.token("exits", &admin);
    walk(Place::Served, Scene::Served(Box::new(platform), ada));
}

fn walk(place: Place, scene: Scene) {
    let walk = Walk {
        scene,
        project: Project::new(SHOP),
        plan: RefCell::default(),
    };
    let rows = table::rows().into_iter().filter(|row| row.place == place);
    // All of them: one deviation is often the reason of the next.
    let wrong: Vec<String> = rows.filter_map(|row| walk.step(&row).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

impl Walk {
    fn step(&self, row: &Row) -> Result<(), String> {
        self.project.write(&row.file);
        let mut command = self.command(row.way);
        let plan = self.plan.borrow().clone();
        let words = row.words.split(' ');
        command.args(words.map(|word| word.replace("{plan}", &plan)));
        if let Way::ByHand(replicas) = row.way {
            self.patch(replicas);
        }
        let ran = match row.way {
            Way::Plain | Way::Ada | Way::ByHand(_) => run(&mut command),
            Way::Typed(answer) => typed(&command, &format!("{answer}\n")),
            Way::Interrupted(word) => interrupted(&mut command, &[word]),
        };
        self.remember(&ran);
        held_against(row, &ran)
    }

    fn command(&self, way: Way) -> Command {
        match &self.scene {
            Scene::Alone => {
                let mut command = starform();
                command
                    .env("KUBECONFIG", "/dev/null")
                    .current_dir(self.project.path());
                command
            }
            Scene::Embedded(cluster) => embedded::command(cluster, &self.project),
            Scene::Served(platform, ada) => match way {
                Way::Plain | Way::Typed(_) | Way::Interrupted(_) | Way::ByHand(_) => {
                    platform.command(&self.project)
                }
                Way::Ada => platform.command_as(ada, &self.project),
            },
        }
    }

    /// Scales the Deployment of `api` as somebody with `kubectl` would.
    fn patch(&self, replicas: u32) {
        let Scene::Embedded(cluster) = &self.scene else {
            panic!("an agent would take it back")
        };
        let namespace = cluster.namespace("exits").unwrap();
        let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/api--production");
        cluster.patch(&path, &json!({"spec": {"replicas": replicas}}));
    }

    fn remember(&self, ran: &Ran) {
        for before in ["· plan ", "starform approve "] {
            let all = format!("{}{}", ran.stdout, ran.stderr);
            if let Some((_, rest)) = all.rsplit_once(before) {
                *self.plan.borrow_mut() = rest.chars().take(12).collect();
            }
        }
    }
}

/// Of an error the first line that tells of one, of everything else any line.
fn held_against(row: &Row, ran: &Ran) -> Result<(), String> {
    let Row {
        words,
        situation,
        says,
        code,
        ..
    } = row;
    let all = format!("{}{}", ran.stderr, ran.stdout);
    // What is typed ends the line of a question.
    let all = all.replace(" on: ", " on:\n");
    let mut errors = all.lines().filter(|line| line.starts_with("error"));
    let error = errors.next();
    let is_told = |wanted: &&str, first: bool| match error {
        Some(error) if first => error.starts_with(wanted),
        Some(_) | None => all.lines().any(|line| line.starts_with(wanted)),
    };
    let missing: Vec<&str> = says
        .iter()
        .enumerate()
        .filter(|(place, wanted)| !is_told(wanted, *place == 0))
        .map(|(_, wanted)| *wanted)
        .collect();
    if ran.code == *code && missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "--- `{words}` ({situation}) ended with {}, not {code}, or did not say {missing:?}:\n{all}",
        ran.code
    ))
}

/// The commands of the rows, as the table of the documentation names them, and the codes that they reach.
fn reached(place: Option<Place>) -> BTreeMap<String, BTreeSet<i32>> {
    let mut reached: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
    for row in table::rows() {
        if place.is_none_or(|place| place == row.place) {
            let command = row.words.split(' ').next().unwrap_or_default();
            let command = match row.words.split(' ').nth(1) {
                Some("delete") => format!("{command} delete"),
                Some(_) | None => command.to_owned(),
            };
            reached.entry(command).or_default().insert(row.code);
        }
    }
    reached
}

/// The rows of the table under "Exit codes": the commands in backquotes, and the codes.
fn documented() -> BTreeMap<String, BTreeSet<i32>> {
    let text = fs::read_to_string(root().join("docs/plans.md")).unwrap();
    let (_, section) = text.split_once("\n## Exit codes\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let mut documented = BTreeMap::new();
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').collect();
        let codes: BTreeSet<i32> = cells[2]
            .split([',', ' '])
            .filter_map(|word| word.parse().ok())
            .collect();
        let commands = cells[1].split('`').skip(1).step_by(2);
        documented.extend(commands.map(|command| (command.to_owned(), codes.clone())));
    }
    documented
}

#[test]
fn every_code_of_every_command_is_documented_and_reached() {
    let documented = documented();
    let reached = reached(None);
    let as_apply = BTreeSet::from([0, 1, 4, 8]);
    for (command, codes) in &documented {
        let codes = Some(codes).filter(|codes| !codes.is_empty());
        let wanted = codes.unwrap_or(&as_apply);
        assert_eq!(reached.get(command), Some(wanted), "{command}");
    }
    let plain = BTreeSet::from([0, 1]);
    for (command, codes) in &reached {
        let is_known = documented.contains_key(command) || codes.is_subset(&plain);
        assert!(is_known, "{command}: {codes:?}");
    }
    for command in commands() {
        let is_there = |name: &String| name.split(' ').next() == Some(&command);
        assert!(reached.keys().any(is_there), "no row runs {command}");
    }
    let all: BTreeSet<i32> = [0, 1, 3, 4, 5, 6, 8].into();
    for place in [Place::Embedded, Place::Served] {
        assert_eq!(self::reached(Some(place)).get("apply"), Some(&all));
    }
}

fn commands() -> Vec<String> {
    let help = run(starform().arg("--help")).expect(0).stdout;
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let list = list.take_while(|line| !line.is_empty());
    let names = list.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    let names = names.filter(|name| *name != "help").map(str::to_owned);
    names.collect()
}
