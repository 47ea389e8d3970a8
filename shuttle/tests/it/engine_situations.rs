//! Situations that the engine must come through wherever it is lost: a world that runs, what happens to
//! it, and what is wanted then.
//!
//! Pure. Read on in `engine_laws`.

use std::collections::BTreeSet;

use serde_json::json;
use starform_contract::{Consent, ObjectKey};
use starform_shuttle::engine::io::{Desired, Millis};

use crate::{
    engine_accepted::{Accepting, Service, deleting, key, two},
    engine_world::World,
    model_cluster::ModelCluster,
};

pub(crate) struct Situation {
    pub(crate) name: &'static str,
    /// Settled before it happens, its engine alive.
    pub(crate) world: World,
    pub(crate) desired: Desired,
    /// What the plan lists to go or to be made anew.
    pub(crate) may_go: BTreeSet<ObjectKey>,
    /// The fewest replicas that the Deployment of `web` may have meanwhile.
    pub(crate) fewest: i64,
}

/// What every plan can ask for: there is a situation of each.
pub(crate) const SCENARIOS: [&str; 12] = [
    "create",
    "update",
    "replace",
    "rename",
    "prune",
    "project deletion",
    "adopt",
    "release job",
    "secret change",
    "rollback",
    "autoscaler hand-off",
    "two services at once",
];

pub(crate) fn situations() -> Vec<Situation> {
    let mut all = plain();
    all.extend(taking_over());
    all.extend(releases());
    all.extend(autoscaling());
    all.extend(with_data());
    all.extend(by_hand());
    all
}

/// Services where one thing is otherwise with `web`.
fn with(change: impl FnOnce(&mut Service)) -> Vec<Service> {
    vec![Service::new("web").with(change), Service::new("api")]
}

/// A world that came through these plans, one after the other; each lets go of what it drops.
fn past(plans: &[&[Service]]) -> (World, Accepting) {
    let mut accepting = Accepting::new();
    let mut world = World::start(ModelCluster::default(), Millis(0), None);
    for services in plans {
        let consent = deleting(&accepting.dropped(services));
        world.want(accepting.accept(services, consent));
        world.settle();
    }
    (world, accepting)
}

/// After these plans another one, which lets go of all that it drops.
fn after(name: &'static str, plans: &[&[Service]], services: &[Service]) -> Situation {
    let (world, mut accepting) = past(plans);
    let consent = deleting(&accepting.dropped(services));
    told(
        name,
        world,
        accepting.accept(services, consent.clone()),
        &consent,
    )
}

fn told(name: &'static str, world: World, desired: Desired, consent: &Consent) -> Situation {
    let may_go = consent.delete.union(&consent.replace);
    let may_go = may_go.chain(&consent.destroy).cloned().collect();
    Situation {
        name,
        world,
        desired,
        may_go,
        fewest: 1,
    }
}

fn plain() -> Vec<Situation> {
    let two = two();
    let at_once = vec![
        Service::new("web").with(|web| {
            web.image = "app:2";
            web.secret = Some(1);
            web.release = Some("one");
        }),
        Service::new("api").with(|api| {
            api.image = "app:2";
            api.replicas = None;
            api.disk = true;
        }),
    ];
    let renamed = vec![
        Service::new("shop").with(|web| web.was = Some("web")),
        Service::new("api"),
    ];
    let (world, mut accepting) = past(&[&two]);
    let keys: Vec<ObjectKey> = accepting.wanted().into_iter().collect();
    let ending = deleting(&keys);
    vec![
        after("create", &[], &two),
        after("update", &[&two], &with(|web| web.image = "app:2")),
        after("rename", &[&two], &renamed),
        after("prune", &[&two], &two[..1]),
        told(
            "project deletion",
            world,
            accepting.end(ending.clone()),
            &ending,
        ),
        after(
            "secret change",
            &[&with(|web| web.secret = Some(1))],
            &with(|web| web.secret = Some(2)),
        ),
        after("two services at once", &[&two], &at_once),
    ]
}

/// Where something else stands in the way of what is wanted.
fn taking_over() -> Vec<Situation> {
    let two = two();
    let (world, mut accepting) = past(&[&two]);
    let replace = Consent {
        replace: [key("Deployment", "web--production")].into(),
        ..Consent::default()
    };
    let desired = accepting.accept(&with(|web| web.incarnation = 1), replace.clone());
    let mut theirs = World::start(ModelCluster::default(), Millis(0), None);
    for (api, kind, name, spec) in [
        ("v1", "Namespace", "sf-shop", json!({})),
        (
            "v1",
            "Service",
            "web--production",
            json!({"clusterIP": "other"}),
        ),
        ("v1", "ServiceAccount", "web--production", json!({})),
    ] {
        let mut manifest =
            json!({"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": spec});
        if kind != "Namespace" {
            manifest["metadata"]["namespace"] = json!("sf-shop");
        }
        theirs.cluster.foreign(&manifest, "kubectl-create");
    }
    let adopt = Consent {
        adopt: [
            key("Service", "web--production"),
            key("ServiceAccount", "web--production"),
        ]
        .into(),
        ..Consent::default()
    };
    let adopted = Accepting::new().accept(&two, adopt.clone());
    vec![
        Situation {
            // For a moment there is none of it.
            fewest: 0,
            ..told("replace", world, desired, &replace)
        },
        told("adopt", theirs, adopted, &adopt),
    ]
}

fn releases() -> Vec<Situation> {
    let plain = two();
    let releasing = |release, image| {
        with(|web| {
            web.release = Some(release);
            web.image = image;
        })
    };
    let (one, two) = (releasing("one", "app:1"), releasing("two", "app:2"));
    vec![
        after("release job", &[&plain], &one),
        after("next release", &[&one], &two),
        after("rollback", &[&one, &two], &one),
    ]
}

fn autoscaling() -> Vec<Situation> {
    let three = with(|web| web.replicas = Some(3));
    let scaled = with(|web| web.replicas = None);
    let never_fewer = |situation| Situation {
        fewest: 3,
        ..situation
    };
    vec![
        never_fewer(after("autoscaler hand-off", &[&three], &scaled)),
        // It began with one, which no autoscaler of the model raises.
        after("autoscaling off", &[&scaled], &three),
    ]
}

/// Volumes stay until a plan says that they are destroyed.
fn with_data() -> Vec<Situation> {
    let claim = key("PersistentVolumeClaim", "web--production--data");
    let destroy = Consent {
        destroy: [claim].into(),
        ..Consent::default()
    };
    let without = |name, consent: Consent| {
        let (world, mut accepting) = past(&[&with(|web| web.disk = true)]);
        let desired = accepting.accept(&two(), consent.clone());
        let consent = Consent {
            // A deletion is consented to, not the destruction of what it holds.
            delete: BTreeSet::new(),
            ..consent
        };
        told(name, world, desired, &consent)
    };
    let deleted = deleting(&destroy.destroy.iter().cloned().collect::<Vec<_>>());
    vec![
        without("a claim left behind", Consent::default()),
        without("a claim deleted", deleted),
        without("a claim destroyed", destroy),
    ]
}

/// The state that was accepted last stays in force.
fn by_hand() -> Vec<Situation> {
    let web = key("Deployment", "web--production");
    let same = |name, happens: &dyn Fn(&mut ModelCluster)| {
        let (mut world, accepting) = past(&[&two()]);
        happens(&mut world.cluster);
        told(name, world, accepting.desired(), &Consent::default())
    };
    vec![
        Situation {
            fewest: 0,
            ..same("deleted by hand", &|cluster| cluster.remove(&web))
        },
        same("changed by hand", &|cluster| {
            cluster.edit(&web, "kubectl-edit", "spec|replicas", json!(5));
        }),
    ]
}
