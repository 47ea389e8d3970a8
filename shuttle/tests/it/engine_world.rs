//! The loop between engine and model.
//!
//! Pure. Read on in `engine_accepted` for the desired states, in `model_cluster` for the model.

use std::collections::{BTreeSet, VecDeque};

use starform_contract::{Consent, ObjectKey, Report};
use starform_shuttle::engine::{
    Config, Engine,
    io::{Command, Desired, Event, Failure, Input, Millis, Request, RequestId, Response},
    step,
};

use crate::{
    engine_accepted::{Accepting, Service, cluster},
    model_cluster::ModelCluster,
};

/// When every world begins: 2026-01-01T00:00:00Z.
pub(crate) const CLOCK: Millis = Millis(1_767_225_600_000);

/// Engine and model, and what is under way between them.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) cluster: ModelCluster,
    pub(crate) now: Millis,
    pub(crate) queue: VecDeque<(RequestId, Request)>,
    pub(crate) refused: Vec<String>,
    /// Objects that were told to be of a project which is not named.
    pub(crate) unnamed: usize,
    pub(crate) most_in_flight: usize,
    /// Requests performed since the world began, to name one for a crash.
    pub(crate) performed: usize,
}

impl World {
    /// A process that begins with what the cluster stores.
    pub(crate) fn start(cluster: ModelCluster, now: Millis, desired: Option<Desired>) -> Self {
        let list = cluster.list();
        Self::start_with(cluster, now, desired, list)
    }

    /// As [`Self::start`], with the LISTs that it is answered.
    pub(crate) fn start_with(
        cluster: ModelCluster,
        now: Millis,
        desired: Option<Desired>,
        list: Vec<Input>,
    ) -> Self {
        let mut world = Self {
            engine: Engine::new(config(now)),
            cluster,
            now,
            queue: VecDeque::new(),
            refused: Vec::new(),
            unnamed: 0,
            most_in_flight: 0,
            performed: 0,
        };
        if let Some(desired) = desired {
            world.tell(Input::Desired(desired));
        }
        let shards = world.cluster.shards.values().cloned().collect();
        world.tell(Input::Inventory(shards));
        world.cluster.watch.clear();
        for event in list {
            world.tell(event);
        }
        world
    }

    /// Another state is accepted while the process runs.
    pub(crate) fn want(&mut self, desired: Desired) {
        self.tell(Input::Desired(desired));
    }

    pub(crate) fn tell(&mut self, input: Input) -> usize {
        let event = Event {
            now: self.now,
            clock: CLOCK.plus(self.now),
            input,
        };
        let engine = std::mem::replace(&mut self.engine, Engine::new(config(self.now)));
        let (engine, commands) = step(engine, event);
        self.engine = engine;
        let count = commands.len();
        for command in commands {
            match command {
                Command::Send { id, request } => self.queue.push_back((id, request)),
                Command::Refused { reason } => self.refused.push(reason),
                Command::Unnamed { objects, .. } => self.unnamed = objects,
            }
        }
        let objects = self
            .queue
            .iter()
            .filter(|(_, request)| is_about_objects(request));
        self.most_in_flight = self.most_in_flight.max(objects.count());
        count
    }

    pub(crate) fn answer(&mut self, id: RequestId, result: Result<Response, Failure>) {
        self.tell(Input::Response { id, result });
    }

    /// Performs the request at this place of the queue and answers it.
    pub(crate) fn perform(&mut self, place: usize) {
        let (id, request) = self.queue.remove(place).unwrap();
        self.performed += 1;
        let result = self.cluster.perform(&request, self.now);
        self.answer(id, result);
    }

    /// One thing that can happen next; whether anything could.
    pub(crate) fn turn(&mut self) -> bool {
        if !self.queue.is_empty() {
            self.perform(0);
            return true;
        }
        if let Some(event) = self.cluster.watch.pop_front() {
            self.tell(event);
            return true;
        }
        self.cluster.control(self.now)
    }

    /// Lets time pass until the engine wants it, by at most `limit`.
    pub(crate) fn pass(&mut self, limit: Millis) -> bool {
        match self.engine.wake_at() {
            Some(at) if at <= self.now.plus(limit) => {
                self.now = self.now.max(at);
                self.tell(Input::Tick);
                true
            }
            Some(_) | None => false,
        }
    }

    /// Until nothing is left to do; fails when that takes too long.
    pub(crate) fn settle(&mut self) {
        let until = self.now.plus(Millis::from_secs(3600));
        for _ in 0..20_000 {
            if self.turn() {
                continue;
            }
            if self.engine.settled() {
                return;
            }
            assert!(
                self.pass(Millis::from_secs(600)),
                "stuck: {:#?}",
                self.last_report()
            );
            assert!(
                self.now < until,
                "an hour passed: {:#?}",
                self.last_report()
            );
        }
        panic!("it never settles: {:#?}", self.last_report());
    }

    pub(crate) fn last_report(&self) -> Option<&Report> {
        self.cluster.reports.last()
    }

    /// Requests about objects since the log had this length.
    pub(crate) fn since(&self, length: usize) -> Vec<String> {
        self.cluster.log[length..]
            .iter()
            .filter(|request| is_about_objects(request))
            .map(short)
            .collect()
    }

    pub(crate) fn mark(&self) -> usize {
        self.cluster.log.len()
    }

    pub(crate) fn deleted(&self) -> BTreeSet<ObjectKey> {
        self.cluster.deleted.iter().cloned().collect()
    }
}

pub(crate) fn is_about_objects(request: &Request) -> bool {
    match request {
        Request::Apply(_)
        | Request::Seize { .. }
        | Request::Delete { .. }
        | Request::Get { .. }
        | Request::ListPods { .. }
        | Request::Survey { .. } => true,
        Request::PutInventory(_) | Request::Report(_) => false,
    }
}

/// `apply Deployment/web--production`.
pub(crate) fn short(request: &Request) -> String {
    let name = |key: &ObjectKey| format!("{}/{}", key.kind, key.name);
    match request {
        Request::Apply(apply) if apply.dry_run => format!("dry-run {}", name(&apply.key)),
        Request::Apply(apply) if apply.manager.name() != "starform-shuttle" => {
            format!("hold {}", name(&apply.key))
        }
        Request::Apply(apply) => format!("apply {}", name(&apply.key)),
        Request::Seize { key, .. } => format!("seize {}", name(key)),
        Request::Delete { key, .. } => format!("delete {}", name(key)),
        Request::Get { key } => format!("get {}", name(key)),
        Request::ListPods { .. } => "pods".to_owned(),
        Request::Survey { namespace } => format!("survey {namespace}"),
        Request::PutInventory(shard) => format!("inventory {}", shard.number),
        Request::Report(report) => format!("report {}", report.finished),
    }
}

/// A world where these services run.
pub(crate) fn running(services: &[Service]) -> (World, Accepting) {
    let mut accepting = Accepting::new();
    let desired = accepting.accept(services, Consent::default());
    let mut world = World::start(ModelCluster::default(), Millis(0), Some(desired));
    world.settle();
    let report = world.last_report().unwrap();
    assert!(report.finished, "{report:#?}");
    (world, accepting)
}

/// As the shell makes it when it starts now.
fn config(now: Millis) -> Config {
    Config {
        cluster: cluster(),
        sequence: now.0,
    }
}
