//! From any state to any other: it ends where the way from nothing ends, and then asks for nothing.
//!
//! Pure: every walk follows from its seed. Some plans come while the one before is still being applied.

use std::collections::BTreeMap;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use starform_contract::{Consent, ObjectKey};
use starform_shuttle::engine::io::{Input, Millis};

use crate::{
    engine_accepted::{Accepting, Service, key},
    engine_same::{State, content, difference},
    engine_world::World,
    model_cluster::ModelCluster,
};

/// The time between two polls.
const TICK: Millis = Millis::from_secs(30);

#[test]
fn random_transitions_end_as_from_nothing_and_cost_nothing_then() {
    walk(1, 60);
}

#[test]
#[ignore = "ten thousand plans: `cargo xtask soak agent`"]
fn soak_random_transitions_end_as_from_nothing_and_cost_nothing_then() {
    for seed in 1..=4 {
        walk(seed, 2_500);
    }
}

struct Walk {
    dice: StdRng,
    world: World,
    accepting: Accepting,
    /// Where the way from nothing ends, by what is wanted.
    ends: BTreeMap<String, State>,
}

fn walk(seed: u64, steps: usize) {
    let mut walk = Walk {
        dice: StdRng::seed_from_u64(seed),
        world: World::start(ModelCluster::default(), Millis(0), None),
        accepting: Accepting::new(),
        ends: BTreeMap::new(),
    };
    let mut overtaken = 0;
    for step in 0..steps {
        let services = services(&mut walk.dice);
        let place = format!("seed {seed}, step {step}, {services:?}");
        walk.accept(&services);
        if walk.dice.random_bool(0.2) {
            overtaken += 1;
            for _ in 0..walk.dice.random_range(0..20) {
                walk.world.turn();
            }
            continue;
        }
        walk.world.settle();
        walk.check(&services, &place);
        walk.accepting.finish();
        walk.world.cluster.forget_past();
    }
    let states = walk.ends.len();
    println!("seed {seed}: {steps} plans, {overtaken} overtaken, {states} states");
    assert!(states * 3 > steps, "the walk goes in circles");
}

impl Walk {
    /// A plan as the control plane makes it: all that it drops goes, and what cannot be changed is replaced.
    fn accept(&mut self, services: &[Service]) {
        let dropped = self.accepting.dropped(services).into_iter();
        let (claims, others) = dropped.partition(is_claim);
        let consent = Consent {
            delete: others,
            destroy: claims,
            replace: [key("Deployment", "jobs--production")].into(),
            ..Consent::default()
        };
        let desired = self.accepting.accept(services, consent);
        self.world.want(desired);
    }

    fn check(&mut self, services: &[Service], place: &str) {
        let expected = self.ends.entry(format!("{services:?}"));
        let expected = expected.or_insert_with(|| from_nothing(services));
        let world = &mut self.world;
        let difference = difference(&lasting(&world.cluster), expected);
        assert!(difference.is_empty(), "{place}: {difference:#?}");
        let counts = world.engine.counts();
        assert_eq!(
            (counts.clean, counts.orphans),
            (counts.wanted, 0),
            "{place}"
        );
        let asked = world.cluster.log.len();
        for _ in 0..2 {
            world.now = world.now.plus(TICK);
            world.tell(Input::Tick);
            world.settle();
        }
        assert_eq!(world.cluster.log.len(), asked, "{place}");
    }
}

fn is_claim(key: &ObjectKey) -> bool {
    key.kind == "PersistentVolumeClaim"
}

fn from_nothing(services: &[Service]) -> State {
    let desired = Accepting::new().accept(services, Consent::default());
    let mut world = World::start(ModelCluster::default(), Millis(0), Some(desired));
    world.settle();
    lasting(&world.cluster)
}

/// Without the Jobs of releases: what ran on the way here is not run again.
fn lasting(cluster: &ModelCluster) -> State {
    let mut state = content(cluster);
    state.retain(|key, _| !key.starts_with("batch/Job/"));
    state
}

/// Any of three services, each in any of its shapes.
fn services(dice: &mut StdRng) -> Vec<Service> {
    let names = [
        ("web", "web"),
        ("web", "shop"),
        ("api", "api"),
        ("jobs", "jobs"),
    ];
    let mut chosen: Vec<Service> = Vec::new();
    for (first, name) in names {
        // A service has one name at a time.
        let taken = chosen
            .iter()
            .any(|service| service.object_name().starts_with(first));
        if !taken && dice.random_bool(0.6) {
            chosen.push(shape(dice, first, name));
        }
    }
    chosen
}

fn shape(dice: &mut StdRng, first: &'static str, name: &'static str) -> Service {
    let mut any = |among: usize| dice.random_range(0..among);
    Service {
        name,
        image: ["app:1", "app:2", "app:3"][any(3)],
        replicas: [None, Some(1), Some(3)][any(3)],
        routed: any(2) == 0,
        incarnation: if name == "jobs" { [0, 1][any(2)] } else { 0 },
        release: if name == "jobs" {
            None
        } else {
            [None, Some("one"), Some("two")][any(3)]
        },
        disk: any(3) == 0,
        port: [None, Some(8080)][any(2)],
        was: (first != name).then_some(first),
        secret: [None, Some(1), Some(2)][any(3)],
    }
}
