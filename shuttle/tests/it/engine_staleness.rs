//! Watch events come late, twice, never or in another order, and LISTs show what was: nothing goes that may
//! not, and three ticks after the truth is told again all is as wanted.
//!
//! Pure: every history follows from its seed, which a failure prints.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;
use starform_contract::ObjectKey;
use starform_shuttle::engine::io::{Failure, Input, Millis, Request, RequestId, Response};

use crate::{
    engine_accepted::{Accepting, deleting},
    engine_histories::wishes,
    engine_same::{State, content, difference},
    engine_world::World,
    model_cluster::ModelCluster,
};

/// How often a desired state is polled for. A tick here is that time and all that comes to be due in it.
/// The first one begins with a true LIST: a dropped event is unknown to everybody until a LIST shows what
/// it would have told, which an expired watch, a restart or the safety net brings.
const TICK: Millis = Millis::from_secs(30);
const TICKS: usize = 3;
/// Of the wishes, those that every service can come to stand with.
const SOUND: usize = 5;

/// What is under way between a cluster and an agent, and goes wrong there.
struct Wire {
    seed: u64,
    dice: StdRng,
    world: World,
    accepting: Accepting,
    answers: Vec<(RequestId, Result<Response, Failure>)>,
    /// Watch events that are not told yet.
    late: Vec<Input>,
    /// LISTs as they were at some time.
    lists: Vec<Vec<Input>>,
    /// The latest request that was looked at.
    looked: Option<RequestId>,
}

#[test]
fn no_staleness_deletes_wrongly_or_outlives_three_ticks() {
    hold(0..40);
}

#[test]
#[ignore = "thousands of histories: `cargo xtask soak agent`"]
fn soak_no_staleness_deletes_wrongly_or_outlives_three_ticks() {
    hold(0..5_000);
}

fn hold(seeds: std::ops::Range<u64>) {
    let ends: Vec<State> = (0..SOUND).map(quiet_end).collect();
    let mut deletions = 0;
    for seed in seeds.clone() {
        deletions += history(seed, &ends);
    }
    println!("{seeds:?}: {deletions} deletions, each of them listed");
    assert!(deletions > seeds.count(), "only {deletions} deletions");
}

/// Where a world comes to that wants this from the beginning.
fn quiet_end(wish: usize) -> State {
    let desired = Accepting::new().accept(&wishes()[wish], starform_contract::Consent::default());
    let mut world = World::start(ModelCluster::default(), Millis(0), Some(desired));
    world.settle();
    bare(&world.cluster)
}

/// Without what people put there and nobody takes away.
fn bare(cluster: &ModelCluster) -> State {
    let note = ["metadata", "annotations", "example.test/note"].map(str::to_owned);
    let mut state = content(cluster);
    for fields in state.values_mut() {
        fields.remove(&note.to_vec());
    }
    state
}

/// How many deletions the API server was asked for.
fn history(seed: u64, ends: &[State]) -> usize {
    let mut wire = Wire::new(seed);
    wire.want(0);
    for _ in 0..wire.dice.random_range(100..600) {
        wire.happen();
        wire.look();
    }
    let wish = wire.dice.random_range(0..SOUND);
    wire.want(wish);
    wire.tell_the_truth();
    for _ in 0..TICKS {
        wire.tick();
    }
    let world = &wire.world;
    let difference = difference(&bare(&world.cluster), &ends[wish]);
    assert!(difference.is_empty(), "seed {seed}: {difference:#?}");
    let counts = world.engine.counts();
    assert_eq!(counts.clean, counts.wanted, "seed {seed}");
    assert_eq!(counts.orphans, 0, "seed {seed}");
    let asked = world.cluster.log.len();
    wire.tick();
    let after = wire.world.since(asked);
    assert!(after.is_empty(), "seed {seed}: {after:#?}");
    let log = &wire.world.cluster.log;
    let deletions = log.iter().filter(|r| matches!(r, Request::Delete { .. }));
    deletions.count()
}

impl Wire {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            dice: StdRng::seed_from_u64(seed),
            world: World::start(ModelCluster::default(), Millis(0), None),
            accepting: Accepting::new(),
            answers: Vec::new(),
            late: Vec::new(),
            lists: Vec::new(),
            looked: None,
        }
    }

    fn want(&mut self, wish: usize) {
        let services = &wishes()[wish];
        let consent = deleting(&self.accepting.dropped(services));
        let desired = self.accepting.accept(services, consent);
        self.world.want(desired);
    }

    fn happen(&mut self) {
        self.late.extend(self.world.cluster.watch.drain(..));
        match self.dice.random_range(0..100) {
            0..25 => self.perform(),
            25..45 => self.answer(),
            45..65 => self.tell_something(),
            65..70 => {
                self.world.cluster.control(self.world.now);
            }
            70..78 => {
                let millis = self.dice.random_range(0..20_000);
                self.world.now = self.world.now.plus(Millis(millis));
                self.world.tell(Input::Tick);
            }
            78..82 => self.lists.push(self.world.cluster.list()),
            82..86 => self.tell_an_old_list(),
            86..89 => self.crash(),
            89..94 => {
                let wish = self.dice.random_range(0..wishes().len());
                self.want(wish);
            }
            94..98 => self.meddle(),
            _ => {
                // Events are lost when a connection is.
                self.late.clear();
            }
        }
    }

    /// The API server performs any request that is under way.
    fn perform(&mut self) {
        if self.world.queue.is_empty() {
            return;
        }
        let place = self.dice.random_range(0..self.world.queue.len());
        let (id, request) = self.world.queue.remove(place).unwrap();
        let result = self.world.cluster.perform(&request, self.world.now);
        self.answers.push((id, result));
    }

    /// What is asked for since the last look: only what nothing wants goes, and only where an accepted plan
    /// in force lists it.
    fn look(&mut self) {
        let mut fresh: Vec<&(RequestId, Request)> = self.world.queue.iter().collect();
        fresh.retain(|(id, _)| Some(*id) > self.looked);
        for (_, request) in &fresh {
            if let Request::Delete { key, .. } = request {
                let plans = self.accepting.index.projects.values();
                let mut plans = plans.flat_map(|project| &project.accepted);
                let listed = plans.any(|plan| plan.consent.delete.contains(key));
                let wanted = self.accepting.wanted().contains(key);
                assert!(listed && !wanted, "seed {}: {key} may not go", self.seed);
            }
        }
        let last = fresh.iter().map(|(id, _)| *id).max();
        self.looked = self.looked.max(last);
    }

    fn answer(&mut self) {
        if !self.answers.is_empty() {
            let place = self.dice.random_range(0..self.answers.len());
            let (id, result) = self.answers.remove(place);
            self.world.answer(id, result);
        }
    }

    /// Any event that is under way, which may come once more, or never.
    fn tell_something(&mut self) {
        if self.late.is_empty() {
            return;
        }
        let place = self.dice.random_range(0..self.late.len());
        match self.dice.random_range(0..10) {
            0 => drop(self.late.remove(place)),
            1..3 => {
                self.world.tell(self.late[place].clone());
            }
            _ => {
                let event = self.late.remove(place);
                self.world.tell(event);
            }
        }
    }

    /// An API server that lags behind answers a LIST, of all collections or of one.
    fn tell_an_old_list(&mut self) {
        let Some(list) = self.old_list() else { return };
        let all = self.dice.random_bool(0.3);
        let collections = list
            .iter()
            .filter(|input| matches!(input, Input::Syncing(_)));
        let chosen = self.dice.random_range(0..collections.count());
        let mut place = 0;
        for input in list {
            let here = all || place == chosen;
            place += usize::from(matches!(input, Input::Synced(_)));
            if here {
                self.world.tell(input);
                if self.dice.random_bool(0.1) {
                    self.tell_something();
                }
            }
        }
    }

    fn old_list(&mut self) -> Option<Vec<Input>> {
        let place = (!self.lists.is_empty()).then(|| self.dice.random_range(0..self.lists.len()));
        place.map(|place| self.lists[place].clone())
    }

    /// The process is lost; the next one may begin with an old LIST.
    fn crash(&mut self) {
        self.answers.clear();
        self.late.clear();
        let cluster = std::mem::take(&mut self.world.cluster);
        let list = match self.dice.random_bool(0.5) {
            true => self.old_list(),
            false => None,
        };
        let list = list.unwrap_or_else(|| cluster.list());
        let desired = Some(self.accepting.desired());
        self.looked = None;
        self.world = World::start_with(cluster, self.world.now, desired, list);
    }

    /// Somebody changes or deletes an object by hand.
    fn meddle(&mut self) {
        let keys: Vec<ObjectKey> = self.world.cluster.keys();
        let keys: Vec<ObjectKey> = keys.into_iter().filter(|key| !key.is_namespace()).collect();
        if keys.is_empty() {
            return;
        }
        let key = &keys[self.dice.random_range(0..keys.len())];
        let cluster = &mut self.world.cluster;
        match self.dice.random_range(0..3) {
            0 => cluster.remove(key),
            1 => cluster.edit(
                key,
                "kubectl-annotate",
                "metadata|annotations|example.test/note",
                json!("x"),
            ),
            _ => cluster.edit(
                key,
                "kubectl-edit",
                "metadata|labels|starform.io/workspace-id",
                json!("y"),
            ),
        }
    }

    /// What was under way arrives, in any order; then everything is listed as it is.
    fn tell_the_truth(&mut self) {
        self.late.extend(self.world.cluster.watch.drain(..));
        while !self.answers.is_empty() {
            self.answer();
        }
        while !self.late.is_empty() {
            let place = self.dice.random_range(0..self.late.len());
            let event = self.late.swap_remove(place);
            self.world.tell(event);
        }
        for input in self.world.cluster.list() {
            self.world.tell(input);
        }
    }

    /// All that happens until a tick's time is over, promptly and in order.
    fn tick(&mut self) {
        let end = self.world.now.plus(TICK);
        loop {
            self.look();
            let world = &mut self.world;
            if world.turn() {
                continue;
            }
            let left = end.since(world.now);
            if !world.pass(left) {
                break;
            }
        }
        self.world.now = end;
        self.world.tell(Input::Tick);
    }
}
