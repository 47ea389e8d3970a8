//! What holds whatever happens: the engine is lost at every request, and it converges to the same state
//! and the same inventory without a wrong deletion.
//!
//! Pure. Situations: `engine_situations`. Random histories: `engine_histories`.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::ObjectKey;
use starform_shuttle::engine::io::{InventoryEntry, Millis};

use crate::{
    engine_accepted::key,
    engine_same::{State, content, difference, inventory},
    engine_situations::{SCENARIOS, Situation, situations},
    engine_world::World,
};

/// Before what the process is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    /// Nothing that is under way arrives.
    Request,
    /// The first that is under way is performed, and nobody hears of it.
    Answer,
    /// All that is under way is performed, the last first.
    EveryAnswer,
}

const LOST: [Lost; 3] = [Lost::Request, Lost::Answer, Lost::EveryAnswer];

/// Where a situation ends without a crash.
struct Expected {
    content: State,
    inventory: BTreeMap<ObjectKey, InventoryEntry>,
    deleted: BTreeSet<ObjectKey>,
}

/// One situation, from what the API server was asked before it.
struct Loop<'s> {
    situation: &'s Situation,
    before: usize,
    expected: Expected,
    crashes: usize,
}

#[test]
fn there_is_a_situation_of_every_scenario() {
    let names: BTreeSet<&str> = situations().iter().map(|s| s.name).collect();
    let missing: Vec<_> = SCENARIOS.iter().filter(|s| !names.contains(*s)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(names.len(), situations().len(), "each has its own name");
}

#[test]
fn an_engine_lost_at_any_request_converges_without_a_wrong_deletion() {
    let crashes = lost_everywhere(1);
    assert!(crashes > 400, "only {crashes} places to be lost at");
}

/// And the one that takes over is lost at each of its own requests too.
#[test]
#[ignore = "thousands of runs: `cargo xtask soak agent`"]
fn soak_an_engine_lost_twice_converges_without_a_wrong_deletion() {
    let crashes = lost_everywhere(2);
    assert!(crashes > 5_000, "only {crashes} places to be lost at");
}

/// Loses so many engines, one after the other, in each situation; how often.
fn lost_everywhere(times: u32) -> usize {
    let situations = situations();
    let each = situations.iter().map(|situation| {
        let crashes = Loop::run(situation, times);
        println!("{}: lost at {crashes} places", situation.name);
        assert!(crashes >= LOST.len(), "{}", situation.name);
        crashes
    });
    each.sum()
}

impl<'s> Loop<'s> {
    fn run(situation: &'s Situation, times: u32) -> usize {
        let mut world = situation.world.clone();
        let before = world.cluster.deleted.len();
        world.cluster.fewest.clear();
        world.want(situation.desired.clone());
        let mut whole = world.clone();
        whole.settle();
        let expected = Expected {
            content: content(&whole.cluster),
            inventory: inventory(&whole.cluster),
            deleted: whole.cluster.deleted[before..].iter().cloned().collect(),
        };
        assert!(expected.deleted.is_subset(&situation.may_go));
        let mut own = Self {
            situation,
            before,
            expected,
            crashes: 0,
        };
        own.lose_at_each_request(world, times, situation.name);
        own.crashes
    }

    /// Goes on to the end, and loses a copy of the world before and after each request.
    fn lose_at_each_request(&mut self, mut world: World, times: u32, place: &str) {
        loop {
            for lost in LOST.iter().filter(|_| times > 0 && !world.queue.is_empty()) {
                self.crashes += 1;
                let place = format!("{place}, request {}, {lost:?}", world.performed);
                let again = self.lose(&world, *lost);
                self.lose_at_each_request(again, times - 1, &place);
            }
            assert!(world.performed < 1_000, "{place} never ends");
            if world.turn() {
                continue;
            }
            if world.engine.settled() {
                return self.check(&world, place);
            }
            assert!(world.pass(Millis::from_secs(600)), "{place} is stuck");
        }
    }

    /// The process that takes over after this one was lost here.
    fn lose(&self, world: &World, lost: Lost) -> World {
        let mut cluster = world.cluster.clone();
        let performed = match lost {
            Lost::Request => 0,
            Lost::Answer => 1,
            Lost::EveryAnswer => world.queue.len(),
        };
        for (_, request) in world.queue.iter().take(performed).rev() {
            let _ = cluster.perform(request, world.now);
        }
        World::start(cluster, world.now, Some(self.situation.desired.clone()))
    }

    fn check(&self, again: &World, place: &str) {
        let Self {
            situation,
            expected,
            ..
        } = self;
        let difference = difference(&content(&again.cluster), &expected.content);
        assert!(difference.is_empty(), "{place}: {difference:#?}");
        assert_eq!(inventory(&again.cluster), expected.inventory, "{place}");
        let deleted = again.cluster.deleted[self.before..].iter().cloned();
        let deleted: BTreeSet<ObjectKey> = deleted.collect();
        assert_eq!(deleted, expected.deleted, "{place}");
        let counts = again.engine.counts();
        assert_eq!(counts.clean, counts.wanted, "{place}");
        let begun = &again.cluster.begun;
        assert!(
            begun.values().all(|times| *times == 1),
            "{place}: {begun:?}"
        );
        let web = key("Deployment", "web--production");
        let fewest = again.cluster.fewest.get(&web).copied();
        let fewest = fewest.unwrap_or(situation.fewest);
        assert!(fewest >= situation.fewest, "{place}: {fewest}");
    }
}
