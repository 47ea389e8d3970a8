//! Any history of answers and watch events, late, twice and in any order, of crashes and of edits by
//! hand, ends where a quiet one does.
//!
//! Pure. The random histories print their seed when they fail.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;
use starform_contract::ObjectKey;
use starform_shuttle::engine::io::{Input, Millis, Request, RequestId, Response};

use crate::{
    engine_accepted::{Accepting, Service, deleting},
    engine_same::{content, difference},
    engine_world::World,
    model_cluster::ModelCluster,
};

/// One thing that happens in a random history.
#[derive(Debug, Clone)]
enum Happens {
    /// The API server performs a request; its answer is under way.
    Perform(usize),
    /// An answer arrives.
    Answer(usize),
    /// The next watch event arrives, perhaps twice.
    Watch {
        twice: bool,
    },
    Control,
    Pass(u16),
    Relist,
    Crash,
    Want(usize),
    Edit(usize),
    Remove(usize),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        30 => (0..8usize).prop_map(Happens::Perform),
        30 => (0..8usize).prop_map(Happens::Answer),
        30 => any::<bool>().prop_map(|twice| Happens::Watch { twice }),
        5 => Just(Happens::Control),
        5 => (0..8000u16).prop_map(Happens::Pass),
        1 => Just(Happens::Relist),
        2 => Just(Happens::Crash),
        3 => (0..6usize).prop_map(Happens::Want),
        2 => (0..20usize).prop_map(Happens::Edit),
        2 => (0..20usize).prop_map(Happens::Remove),
    ]
}

/// Environments that one plan after the other makes.
pub(crate) fn wishes() -> Vec<Vec<Service>> {
    let service = Service::new;
    let with = |name, change: fn(&mut Service)| {
        let mut made = service(name);
        change(&mut made);
        made
    };
    vec![
        vec![service("web"), service("api")],
        vec![with("web", |web| web.image = "app:2"), service("api")],
        vec![service("web")],
        vec![with("web", |web| web.replicas = None), service("jobs")],
        vec![
            with("web", |web| web.routed = false),
            with("api", |api| api.replicas = Some(4)),
        ],
        vec![with("web", |web| web.image = "app:crash"), service("api")],
    ]
}

struct History {
    world: World,
    accepting: Accepting,
    answers: Vec<(
        RequestId,
        Result<Response, starform_shuttle::engine::io::Failure>,
    )>,
    /// Everything that any accepted plan let go.
    may_go: BTreeSet<ObjectKey>,
}

impl History {
    fn new() -> Self {
        let accepting = Accepting::new();
        Self {
            world: World::start(ModelCluster::default(), Millis(0), None),
            accepting,
            answers: Vec::new(),
            may_go: BTreeSet::new(),
        }
    }

    fn take(&mut self, happens: &Happens) {
        match happens {
            Happens::Perform(place) => self.perform(*place),
            Happens::Answer(place) => {
                if !self.answers.is_empty() {
                    let (id, result) = self.answers.remove(place % self.answers.len());
                    self.world.answer(id, result);
                }
            }
            Happens::Watch { twice } => {
                if let Some(event) = self.world.cluster.watch.pop_front() {
                    if *twice {
                        self.world.tell(event.clone());
                    }
                    self.world.tell(event);
                }
            }
            Happens::Control => {
                self.world.cluster.control(self.world.now);
            }
            Happens::Pass(millis) => {
                self.world.now = self.world.now.plus(Millis(u64::from(*millis)));
                self.world.tell(Input::Tick);
            }
            Happens::Relist => {
                self.world.cluster.watch.clear();
                for event in self.world.cluster.list() {
                    self.world.tell(event);
                }
            }
            Happens::Crash => self.crash(),
            Happens::Want(wish) => self.want(&wishes()[*wish]),
            Happens::Edit(place) => {
                if let Some(key) = self.place(*place) {
                    let cluster = &mut self.world.cluster;
                    cluster.edit(
                        &key,
                        "kubectl-edit",
                        "metadata|labels|starform.io/tier",
                        json!("x"),
                    );
                    if key.kind == "Deployment" {
                        cluster.edit(
                            &key,
                            "kubectl-edit",
                            "spec|progressDeadlineSeconds",
                            json!(1),
                        );
                    }
                }
            }
            Happens::Remove(place) => {
                if let Some(key) = self.place(*place).filter(|key| key.kind != "Namespace") {
                    self.world.cluster.remove(&key);
                }
            }
        }
    }

    fn place(&self, place: usize) -> Option<ObjectKey> {
        let keys: Vec<ObjectKey> = self
            .world
            .cluster
            .state()
            .keys()
            .map(|key| key.parse().unwrap())
            .collect();
        (!keys.is_empty()).then(|| keys[place % keys.len()].clone())
    }

    fn perform(&mut self, place: usize) {
        if self.world.queue.is_empty() {
            return;
        }
        let place = place % self.world.queue.len();
        let (id, request) = self.world.queue.remove(place).unwrap();
        if let Request::Delete { key, .. } = &request {
            assert!(self.may_go.contains(key), "{key} may not go");
        }
        let result = self.world.cluster.perform(&request, self.world.now);
        self.answers.push((id, result));
    }

    fn crash(&mut self) {
        self.answers.clear();
        let desired =
            (self.accepting.index.generation.number() > 0).then(|| self.accepting.desired());
        let cluster = std::mem::take(&mut self.world.cluster);
        self.world = World::start(cluster, self.world.now, desired);
    }

    /// Accepts a plan that makes the environment so, and lets go of all that it no longer holds.
    fn want(&mut self, services: &[Service]) {
        let gone = self.accepting.dropped(services);
        self.may_go.extend(gone.iter().cloned());
        let desired = self.accepting.accept(services, deleting(&gone));
        self.world.tell(Input::Desired(desired));
    }

    /// Everything under way arrives, and nothing else happens.
    fn end(&mut self) {
        for (id, result) in std::mem::take(&mut self.answers) {
            self.world.answer(id, result);
        }
        self.world.settle();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_ends_where_a_quiet_one_does(
        history in proptest::collection::vec(happens(), 0..250),
        wish in 0..5usize,
    ) {
        let mut random = History::new();
        random.want(&wishes()[0]);
        for happens in &history {
            random.take(happens);
        }
        random.want(&wishes()[wish]);
        random.end();
        let mut quiet = History::new();
        quiet.want(&wishes()[wish]);
        quiet.end();
        let strip = |cluster: &ModelCluster| {
            let mut state = content(cluster);
            for fields in state.values_mut() {
                fields.remove(&["metadata", "labels", "starform.io/tier"].map(str::to_owned).to_vec());
            }
            state
        };
        let difference = difference(&strip(&random.world.cluster), &strip(&quiet.world.cluster));
        prop_assert!(difference.is_empty(), "{difference:#?}");
        let counts = random.world.engine.counts();
        prop_assert_eq!(counts.clean, counts.wanted);
        prop_assert!(random.world.most_in_flight <= 8);
        // And then nothing more happens.
        let asked = random.world.cluster.log.len();
        for _ in 0..10 {
            random.world.now = random.world.now.plus(Millis::from_secs(30));
            prop_assert_eq!(random.world.tell(Input::Tick), 0);
        }
        prop_assert_eq!(random.world.cluster.log.len(), asked);
    }
}
