//! Two agents act on one cluster at once, as when a lease is lost unseen, maybe one of them on a former generation
//! until it hears what the other one keeps: after three ticks neither writes any more.
//!
//! Pure: every history follows from its seed. Ten minutes are twenty ticks of the poll's interval.

use std::collections::VecDeque;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;
use starform_contract::Consent;
use starform_shuttle::engine::io::{Input, Millis, Request};

use crate::{
    engine_accepted::{Accepting, Service, deleting, key, two},
    engine_same::{content, difference},
    engine_world::{World, short},
    model_cluster::ModelCluster,
};

const TICK: Millis = Millis::from_secs(30);
const TICKS: usize = 20;
/// From here on nothing may move.
const QUIET_AFTER: usize = 3;

/// The cluster is lent to whoever acts; each hears of every event, in its own time.
struct Pair {
    dice: StdRng,
    cluster: ModelCluster,
    agents: [(World, VecDeque<Input>); 2],
    /// What the first one hears of once so many things have happened: the watch on the index tells it.
    word: Option<(usize, Input)>,
}

#[test]
fn two_agents_stop_writing_after_three_ticks() {
    for seed in 0..12 {
        ten_minutes(seed);
    }
}

#[test]
#[ignore = "hundreds of pairs: `cargo xtask soak agent`"]
fn soak_two_agents_stop_writing_after_three_ticks() {
    for seed in 0..500 {
        ten_minutes(seed);
    }
}

fn ten_minutes(seed: u64) {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut accepting = Accepting::new();
    let older = accepting.accept(&two(), Consent::default());
    let services = [
        Service::new("web").with(|web| web.image = "app:2"),
        Service::new("jobs"),
    ];
    let consent = deleting(&accepting.dropped(&services));
    let newer = accepting.accept(&services, consent);
    let behind = dice.random_bool(0.5);
    let word = (dice.random_range(0..400), Input::Desired(newer.clone()));
    let first = if behind { older } else { newer.clone() };
    let mut pair = Pair {
        dice,
        cluster: ModelCluster::default(),
        word: behind.then_some(word),
        agents: [first, newer].map(|desired| {
            let world = World::start(ModelCluster::default(), Millis(0), Some(desired));
            (world, VecDeque::new())
        }),
    };
    for tick in 1..=TICKS {
        if tick == 2 {
            pair.meddle();
        }
        let asked = pair.cluster.log.len();
        pair.tick();
        let written: Vec<String> = pair.cluster.log[asked..]
            .iter()
            .filter(writes)
            .map(short)
            .collect();
        assert!(
            tick <= QUIET_AFTER || written.is_empty(),
            "seed {seed}, tick {tick}: {written:#?}"
        );
    }
    let mut alone = World::start(
        ModelCluster::default(),
        Millis(0),
        Some(accepting.desired()),
    );
    alone.settle();
    let difference = difference(&content(&pair.cluster), &content(&alone.cluster));
    assert!(difference.is_empty(), "seed {seed}: {difference:#?}");
}

fn writes(request: &&Request) -> bool {
    match request {
        Request::Apply(apply) => !apply.dry_run,
        Request::Delete { .. } | Request::Seize { .. } => true,
        Request::Get { .. }
        | Request::ListPods { .. }
        | Request::Survey { .. }
        | Request::PutInventory(_)
        | Request::Report(_) => false,
    }
}

impl Pair {
    /// Somebody changes a field that both own.
    fn meddle(&mut self) {
        let web = key("Deployment", "web--production");
        if self.cluster.has(&web) {
            let cluster = &mut self.cluster;
            cluster.edit(
                &web,
                "kubectl-edit",
                "spec|progressDeadlineSeconds",
                json!(1),
            );
        }
    }

    /// Whatever can happen happens, in any order between the two, until the tick's time is over.
    fn tick(&mut self) {
        let end = self.agents[0].0.now.plus(TICK);
        loop {
            let ready = self.ready(end);
            if ready.is_empty() {
                let now = self.agents[0].0.now;
                if !self.cluster.control(now) && self.cluster.watch.is_empty() {
                    break;
                }
                continue;
            }
            let chosen = ready[self.dice.random_range(0..ready.len())];
            self.act(chosen);
        }
        for (world, _) in &mut self.agents {
            world.now = end;
            world.tell(Input::Tick);
        }
    }

    /// The agents that have something to do before `end`.
    fn ready(&mut self, end: Millis) -> Vec<usize> {
        let events: Vec<Input> = self.cluster.watch.drain(..).collect();
        for (_, inbox) in &mut self.agents {
            inbox.extend(events.iter().cloned());
        }
        let due = |world: &World| world.engine.wake_at().is_some_and(|at| at <= end);
        let busy = |(world, inbox): &(World, VecDeque<Input>)| {
            !world.queue.is_empty() || !inbox.is_empty() || due(world)
        };
        (0..2).filter(|agent| busy(&self.agents[*agent])).collect()
    }

    fn act(&mut self, agent: usize) {
        self.word = self.word.take().and_then(|(left, word)| match left {
            0 => {
                self.agents[0].1.push_back(word);
                None
            }
            left => Some((left - 1, word)),
        });
        let (world, inbox) = &mut self.agents[agent];
        let event = self.dice.random_bool(0.5);
        if !world.queue.is_empty() && (inbox.is_empty() || event) {
            std::mem::swap(&mut world.cluster, &mut self.cluster);
            world.perform(0);
            std::mem::swap(&mut world.cluster, &mut self.cluster);
        } else if let Some(event) = inbox.pop_front() {
            world.tell(event);
        } else {
            world.pass(TICK);
        }
    }
}
