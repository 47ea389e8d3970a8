//! What goes without asking again, and what stays whatever was lost or done by others: one table.
//!
//! Pure; against the model cluster. The way out of each condition: docs/operating.md, "What stays".

use std::collections::BTreeSet;

use serde_json::{Value, json};
use starform_contract::{Consent, ObjectKey, report::Outcome};
use starform_shuttle::engine::io::{Desired, Millis};

use crate::{
    engine_accepted::{Accepting, Service, deleting, key},
    engine_world::{World, running},
};

/// The one condition that is told.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    /// Orphans of this service.
    Orphans(&'static str),
    /// An outcome of an object, with a reason that says this.
    Object(ObjectKey, Outcome, &'static str),
    /// So many objects of projects that are not named.
    Unnamed(usize),
    /// The state was not taken, and this is why.
    Refused(&'static str),
}

struct Row {
    name: &'static str,
    /// Given three services that run: what happens, and the plan that comes then.
    happens: fn(&mut World, &mut Accepting) -> Desired,
    gone: fn(&Accepting) -> BTreeSet<ObjectKey>,
    told: fn(&Accepting) -> Told,
}

fn three() -> Vec<Service> {
    ["web", "api", "jobs"].map(Service::new).into()
}

fn web() -> ObjectKey {
    key("Deployment", "web--production")
}

fn of(accepting: &Accepting, name: &str) -> BTreeSet<ObjectKey> {
    let prefix = format!("{name}--");
    let wanted = accepting.wanted().into_iter();
    wanted.filter(|key| key.name.starts_with(&prefix)).collect()
}

/// Accepts the plan that removes `web`.
fn without_web(accepting: &mut Accepting) -> Desired {
    let gone: Vec<ObjectKey> = of(accepting, "web").into_iter().collect();
    accepting.accept(&three()[1..], deleting(&gone))
}

fn all_but_web(accepting: &Accepting) -> BTreeSet<ObjectKey> {
    let mut gone = of(accepting, "web");
    gone.remove(&web());
    gone
}

fn none(_: &Accepting) -> BTreeSet<ObjectKey> {
    BTreeSet::new()
}

const ROWS: [Row; 11] = [
    Row {
        name: "one of three services",
        happens: |_, accepting| without_web(accepting),
        gone: |accepting| of(accepting, "web"),
        told: |_| Told::Nothing,
    },
    Row {
        name: "a whole environment, as of a preview",
        happens: |_, accepting| {
            let gone: Vec<ObjectKey> = of_environment(accepting).into_iter().collect();
            accepting.without_environment(deleting(&gone))
        },
        gone: of_environment,
        told: |_| Told::Nothing,
    },
    Row {
        name: "a whole project",
        happens: |_, accepting| {
            let gone: Vec<ObjectKey> = accepting.wanted().into_iter().collect();
            accepting.end(deleting(&gone))
        },
        // The rights go with the Namespace.
        gone: |accepting| {
            let mut gone = accepting.wanted();
            gone.retain(|key| !key.is_rights());
            gone
        },
        told: |_| Told::Nothing,
    },
    Row {
        name: "an empty state",
        happens: |_, accepting| accepting.lose_all(),
        gone: none,
        told: |accepting| Told::Unnamed(accepting.wanted().len()),
    },
    Row {
        name: "a truncated state",
        happens: |_, accepting| {
            let mut desired = without_web(accepting);
            desired.bundles.pop_last();
            desired
        },
        gone: none,
        told: |_| Told::Refused("of the desired state is missing"),
    },
    Row {
        name: "objects missing without consent",
        happens: |_, accepting| accepting.accept(&three()[1..], Consent::default()),
        gone: none,
        told: |_| Told::Orphans("web"),
    },
    Row {
        name: "a foreign object of the same name",
        happens: |world, accepting| {
            world.cluster.remove(&web());
            world
                .cluster
                .foreign(&made_by_hand(&json!({})), "kubectl-create");
            without_web(accepting)
        },
        gone: all_but_web,
        // Ours is gone; of theirs there is nothing to tell.
        told: |_| Told::Nothing,
    },
    Row {
        name: "somebody else's, with our labels",
        happens: |world, accepting| {
            let labels = labels_of(world, &web());
            world.cluster.remove(&web());
            world
                .cluster
                .foreign(&made_by_hand(&labels), "kubectl-create");
            without_web(accepting)
        },
        gone: all_but_web,
        told: |_| Told::Object(web(), Outcome::Failed, "made by somebody else"),
    },
    Row {
        name: "somebody else's, with our labels, to be replaced",
        happens: |world, accepting| {
            let labels = labels_of(world, &web());
            world.cluster.remove(&web());
            world
                .cluster
                .foreign(&made_by_hand(&labels), "kubectl-create");
            let consent = Consent {
                replace: [web()].into(),
                ..Consent::default()
            };
            accepting.accept(&three(), consent)
        },
        gone: none,
        told: |_| Told::Object(web(), Outcome::Failed, "made by somebody else"),
    },
    Row {
        name: "a label that was taken off",
        happens: |world, accepting| {
            // While it is wanted, the label is put back.
            let gone: Vec<ObjectKey> = of(accepting, "web").into_iter().collect();
            world.want(accepting.accept(&three()[1..], Consent::default()));
            world.settle();
            let label = "metadata|labels|app.kubernetes.io/managed-by";
            let cluster = &mut world.cluster;
            cluster.edit(&web(), "kubectl-label", label, json!("me"));
            world.settle();
            accepting.accept(&three()[1..], deleting(&gone))
        },
        gone: all_but_web,
        told: |_| Told::Object(web(), Outcome::Failed, "put the label back"),
    },
    Row {
        name: "a Namespace with a volume that is kept",
        happens: |world, accepting| {
            let mut services = three();
            services[0].disk = true;
            world.want(accepting.accept(&services, Consent::default()));
            world.settle();
            let gone: Vec<ObjectKey> = accepting.wanted().into_iter().collect();
            // A deletion of it is consented to, not the destruction of its data.
            accepting.end(deleting(&gone))
        },
        gone: |accepting| {
            let mut gone = accepting.wanted();
            gone.retain(|key| !key.is_namespace() && !key.is_rights());
            gone
        },
        told: |_| {
            let namespace = ObjectKey::new("", "Namespace", None, "sf-shop");
            Told::Object(
                namespace,
                Outcome::Retained,
                "PersistentVolumeClaim web--production--data",
            )
        },
    },
];

fn of_environment(accepting: &Accepting) -> BTreeSet<ObjectKey> {
    let mut gone = accepting.wanted();
    gone.retain(|key| key.name.ends_with("--production"));
    gone
}

fn made_by_hand(labels: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web--production", "namespace": "sf-shop", "labels": labels},
        "spec": {"selector": {"matchLabels": {"starform.io/service-id": "mine"}}}})
}

fn labels_of(world: &World, key: &ObjectKey) -> Value {
    let state = world.cluster.state();
    let fields = state[&key.to_string()].iter();
    fields
        .filter(|(path, _)| path.len() == 3 && path[1] == "labels")
        .map(|(path, value)| (path[2].clone(), value.clone()))
        .collect()
}

#[test]
fn what_a_plan_lists_goes_at_once_and_nothing_else_ever() {
    for row in ROWS {
        let (mut world, mut accepting) = running(&three());
        let before = accepting.clone();
        let (reports, refused) = (world.cluster.reports.len(), world.refused.len());
        let desired = (row.happens)(&mut world, &mut accepting);
        world.want(desired);
        world.settle();
        // Nor does it go later.
        for _ in 0..20 {
            world.now = world.now.plus(Millis::from_secs(600));
            world.tell(starform_shuttle::engine::io::Input::Tick);
            world.settle();
        }
        assert_eq!(world.deleted(), (row.gone)(&before), "{}", row.name);
        let told = told(&world, reports, refused);
        let expected = (row.told)(&before);
        assert_eq!(
            told.len(),
            usize::from(expected != Told::Nothing),
            "{}: {told:#?}",
            row.name
        );
        let fits = told.iter().all(|told| is(told, &expected));
        assert!(fits, "{}: {told:#?}, {expected:?}", row.name);
    }
}

#[test]
fn of_each_condition_the_way_out_is_documented() {
    let manual = include_str!("../../../docs/operating.md");
    let (_, table) = manual.split_once("\n## What stays\n").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    for row in ROWS.iter().skip(3) {
        let line = table.lines().find(|line| {
            let rest = line.strip_prefix(&format!("| {}", row.name));
            rest.is_some_and(|rest| rest.starts_with(':') || rest.starts_with(" |"))
        });
        let columns = line.map(|line| line.split(" | ").count());
        assert_eq!(columns, Some(3), "{}", row.name);
    }
}

/// Conditions that stand: one for each object, one for the orphans of a service.
#[derive(Debug)]
enum Condition {
    Object(ObjectKey, Outcome, String),
    Orphans(String),
    Unnamed(usize),
    Refused(String),
}

fn told(world: &World, reports: usize, refused: usize) -> Vec<Condition> {
    let report = world.cluster.reports[reports..].last();
    let objects = report.into_iter().flat_map(|report| &report.objects);
    let objects = objects.filter_map(|object| {
        let reason = object.reason.clone()?;
        let stands = !object.outcome.is_good() || object.outcome == Outcome::Retained;
        // The rights stay with the Namespace, for the same reason.
        let same = object.key.is_rights() && object.outcome == Outcome::Retained;
        (stands && !same).then(|| Condition::Object(object.key.clone(), object.outcome, reason))
    });
    let orphans = report.into_iter().flat_map(|report| &report.orphans);
    let services: BTreeSet<String> = orphans
        .map(|key| key.name.split("--").next().unwrap().to_owned())
        .collect();
    let unnamed = (world.unnamed > 0).then_some(Condition::Unnamed(world.unnamed));
    let refused = world.refused[refused..].iter().cloned();
    objects
        .chain(services.into_iter().map(Condition::Orphans))
        .chain(unnamed)
        .chain(refused.map(Condition::Refused))
        .collect()
}

fn is(told: &Condition, expected: &Told) -> bool {
    match (told, expected) {
        (Condition::Object(key, outcome, reason), Told::Object(of, how, why)) => {
            key == of && outcome == how && reason.contains(why)
        }
        (Condition::Orphans(service), Told::Orphans(of)) => service == of,
        (Condition::Unnamed(count), Told::Unnamed(of)) => count == of,
        (Condition::Refused(reason), Told::Refused(why)) => reason.contains(why),
        (
            Condition::Object(..)
            | Condition::Orphans(_)
            | Condition::Unnamed(_)
            | Condition::Refused(_),
            Told::Nothing
            | Told::Orphans(_)
            | Told::Object(..)
            | Told::Unnamed(_)
            | Told::Refused(_),
        ) => false,
    }
}
