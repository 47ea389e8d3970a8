//! The loop around the engine: inputs in, commands out.
//!
//! Effects: network, clock, tasks. Always holds: every command that asks for an answer gets exactly
//! one; waiting for the next thing may be given up at any time without losing one; what is dropped
//! here is rebuilt from the cluster. Read on in `engine/` for the decisions, `run.rs` for the uses.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use starform_contract::{ClusterId, Generation, Report};
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    task::{AbortHandle, Id, JoinError, JoinSet},
};

use crate::{
    access::Access,
    call::CallError,
    cluster::{self, failure},
    engine::{
        Config, Counts, Engine,
        io::{
            Command, Desired, Event, Failure, Input, InventoryShard, Millis, Request, RequestId,
            Response,
        },
        step,
    },
    kinds::{watched_everywhere, watched_per_namespace},
    metrics::{Metrics, Operation},
    persist,
    pull::ControlPlane,
    values::{Filling, Values},
    watch,
};

/// Inputs that wait at most: a watch that is faster than the engine is held back.
const INPUTS: usize = 1024;
/// Between two ticks at least, whatever the engine asks.
const SHORTEST_TICK: Duration = Duration::from_millis(5);

/// One engine at work on one cluster.
pub struct Driver {
    access: Access,
    /// Absent only within a step.
    engine: Option<Engine>,
    began: Instant,
    inputs: Receiver<Input>,
    /// For watches that begin later.
    told: Sender<Input>,
    requests: JoinSet<Answer>,
    ids: BTreeMap<Id, RequestId>,
    /// They are aborted with the driver; the sweep of envelopes too.
    watches: JoinSet<()>,
    /// Of the namespaces that are watched for themselves.
    in_namespaces: BTreeMap<String, Vec<AbortHandle>>,
    plane: Option<ControlPlane>,
    values: Values,
    metrics: Metrics,
    /// What is kept of sealed values was compared with what is known.
    swept: bool,
    /// Nothing new begins.
    stopping: bool,
}

type Answer = (RequestId, Result<Response, Failure>);

/// What people and callers hear of.
#[derive(Debug, Clone)]
pub enum Surfaced {
    Report(Box<Report>),
    /// The desired state was not taken.
    Refused(String),
}

impl Driver {
    /// Reads the inventory and begins to watch. Reports go to `plane`; without one, they only surface.
    /// What Secrets hold comes from `values`.
    ///
    /// # Errors
    /// [`CallError`] when the inventory cannot be read: without it nothing may be acted on.
    pub async fn start(
        access: Access,
        cluster: ClusterId,
        plane: Option<ControlPlane>,
        values: Values,
        metrics: Metrics,
    ) -> Result<Self, CallError> {
        let inventory = persist::load_inventory(access.own()).await?;
        let (told, inputs) = mpsc::channel(INPUTS);
        let mut watches = JoinSet::new();
        for kind in watched_everywhere() {
            watches.spawn(watch::follow(access.clone(), kind, told.clone()));
        }
        let mut driver = Self {
            access,
            engine: Some(Engine::new(Config {
                cluster,
                sequence: since_1970(SystemTime::now()),
            })),
            began: Instant::now(),
            inputs,
            told,
            requests: JoinSet::new(),
            ids: BTreeMap::new(),
            watches,
            in_namespaces: BTreeMap::new(),
            plane,
            values,
            metrics,
            swept: false,
            stopping: false,
        };
        driver.input(Input::Inventory(inventory));
        Ok(driver)
    }

    /// Gives the engine a new desired state.
    pub fn desire(&mut self, desired: Desired) -> Vec<Surfaced> {
        for entry in desired.index.projects.values() {
            self.watch_namespace(&entry.namespace);
        }
        let surfaced = self.input(Input::Desired(desired));
        if !self.swept {
            self.sweep();
        }
        surfaced
    }

    /// Waits for one thing to happen and lets the engine act on it. May be dropped while it waits.
    pub async fn next(&mut self) -> Vec<Surfaced> {
        let tick = self.until_tick();
        let input = tokio::select! {
            Some(done) = self.requests.join_next_with_id() => self.answered(done),
            Some(input) = self.inputs.recv() => input,
            () = sleep(tick) => Input::Tick,
        };
        self.input(input)
    }

    /// Everything is finished, reported and stored.
    pub fn settled(&self) -> bool {
        self.requests.is_empty() && self.engine().settled()
    }

    /// Everything that is needed to act is known.
    pub fn acts(&self) -> bool {
        self.engine().has_started()
    }

    /// How many objects are wanted, and how they stand.
    pub fn counts(&self) -> Counts {
        self.engine().counts()
    }

    /// The newer generation that somebody else is applying to the same cluster.
    pub fn superseded(&self) -> Option<Generation> {
        self.engine().superseded()
    }

    /// Lets what is under way end, within `limit`, and begins nothing new.
    pub async fn stop(&mut self, limit: Duration) -> Vec<Surfaced> {
        self.stopping = true;
        let mut surfaced = Vec::new();
        let deadline = Instant::now() + limit;
        while !self.requests.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            match tokio::time::timeout(left, self.requests.join_next_with_id()).await {
                Ok(Some(done)) => {
                    let input = self.answered(done);
                    surfaced.extend(self.input(input));
                }
                Ok(None) | Err(_) => break,
            }
        }
        surfaced
    }

    fn engine(&self) -> &Engine {
        self.engine
            .as_ref()
            .expect("the engine is back after each step")
    }

    fn now(&self) -> Millis {
        Millis(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn until_tick(&self) -> Option<Duration> {
        let wake = self.engine().wake_at()?;
        Some(Duration::from_millis(wake.since(self.now()).0).max(SHORTEST_TICK))
    }

    /// Reads and watches in a project's namespace, where nobody does so yet, or not any more since it
    /// was not there.
    fn watch_namespace(&mut self, namespace: &str) {
        let watches = self.in_namespaces.get(namespace);
        if watches.is_some_and(|watches| !watches.iter().any(AbortHandle::is_finished)) {
            return;
        }
        let begin = |kind| {
            let (access, told) = (self.access.clone(), self.told.clone());
            let following = watch::follow_in(access, kind, namespace.to_owned(), told);
            self.watches.spawn(following)
        };
        let watches = watched_per_namespace().map(begin).collect();
        self.in_namespaces.insert(namespace.to_owned(), watches);
    }

    /// Sealed values of objects that nobody knows any more go, once, when it is certain what is known.
    fn sweep(&mut self) {
        let Some(known) = self.engine().known() else {
            return;
        };
        self.swept = true;
        let client = self.access.own().clone();
        self.watches.spawn(async move {
            if let Err(error) = persist::sweep_envelopes(&client, &known).await {
                tracing::warn!(%error, "sealed values of objects that are gone are kept for now");
            }
        });
    }

    /// A namespace of ours that is there, or comes: also one that no desired state names any more.
    fn meet(&mut self, input: &Input) {
        let met = match input {
            Input::Observed(observed) => observed,
            Input::Response {
                result: Ok(Response::Object(observed)),
                ..
            } => &**observed,
            Input::Tick
            | Input::Desired(_)
            | Input::Inventory(_)
            | Input::Syncing(_)
            | Input::Synced(_)
            | Input::Barred(_)
            | Input::Gone(_)
            | Input::Response { .. } => return,
        };
        let namespace = met.key.group.is_empty() && met.key.kind == "Namespace";
        if namespace && met.owner.managed && !met.deleting {
            self.watch_namespace(&met.key.name);
        }
    }

    fn input(&mut self, input: Input) -> Vec<Surfaced> {
        self.meet(&input);
        let event = Event {
            now: self.now(),
            clock: Millis(since_1970(SystemTime::now())),
            input,
        };
        let engine = self
            .engine
            .take()
            .expect("the engine is back after each step");
        let (engine, commands) = step(engine, event);
        self.engine = Some(engine);
        commands
            .into_iter()
            .filter_map(|command| self.obey(command))
            .collect()
    }

    fn obey(&mut self, command: Command) -> Option<Surfaced> {
        match command {
            Command::Refused { reason } => Some(Surfaced::Refused(reason)),
            Command::Unnamed { project, objects } => {
                tracing::warn!(%project, objects, "objects of a project that the desired state does not name; left alone");
                None
            }
            Command::Send { id, request } => {
                let surfaced = match &request {
                    Request::Report(report) => Some(Surfaced::Report(report.clone())),
                    Request::Apply(_)
                    | Request::Seize { .. }
                    | Request::Delete { .. }
                    | Request::Get { .. }
                    | Request::ListPods { .. }
                    | Request::Survey { .. }
                    | Request::PutInventory(_) => None,
                };
                if !self.stopping || finishes(&request) {
                    self.begin(id, request);
                }
                surfaced
            }
        }
    }

    fn begin(&mut self, id: RequestId, request: Request) {
        let access = self.access.clone();
        let plane = self.plane.clone();
        let values = self.values.clone();
        let metrics = self.metrics.clone();
        let operation = operation(&request);
        let task = self.requests.spawn(async move {
            let result = perform(&access, plane.as_ref(), &values, request).await;
            if let Some(operation) = operation {
                metrics.applied(operation, &result);
            }
            (id, result)
        });
        self.ids.insert(task.id(), id);
    }

    fn answered(&mut self, done: Result<(Id, Answer), JoinError>) -> Input {
        let task = match &done {
            Ok((task, _)) => *task,
            Err(error) => error.id(),
        };
        let id = self
            .ids
            .remove(&task)
            .expect("every task of the set was entered when it began");
        let result = match done {
            Ok((_, (_, result))) => result,
            Err(error) => Err(Failure {
                reason: "Aborted".to_owned(),
                message: error.to_string(),
                ..Failure::default()
            }),
        };
        Input::Response { id, result }
    }
}

/// In milliseconds. Reports count from it: an engine that is started again under the same instance goes on
/// above its former numbers, since none tells more than one report each millisecond.
fn since_1970(now: SystemTime) -> u64 {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

/// What the request does to an object; `None` where it only looks, or is about no object.
fn operation(request: &Request) -> Option<Operation> {
    match request {
        Request::Apply(apply) => Some(Operation::of_apply(apply.manager, apply.dry_run)),
        Request::Seize { .. } => Some(Operation::Seize),
        Request::Delete { .. } => Some(Operation::Delete),
        Request::Get { .. }
        | Request::ListPods { .. }
        | Request::Survey { .. }
        | Request::PutInventory(_)
        | Request::Report(_) => None,
    }
}

/// Requests that only write down what was done: begun even while stopping.
fn finishes(request: &Request) -> bool {
    match request {
        Request::PutInventory(_) | Request::Report(_) => true,
        Request::Apply(_)
        | Request::Seize { .. }
        | Request::Delete { .. }
        | Request::Get { .. }
        | Request::ListPods { .. }
        | Request::Survey { .. } => false,
    }
}

async fn perform(
    access: &Access,
    plane: Option<&ControlPlane>,
    values: &Values,
    request: Request,
) -> Result<Response, Failure> {
    match request {
        Request::Apply(apply) => {
            let filling = match &apply.sealed {
                Some(sealed) => values.of(&apply.key, sealed).await?,
                None => Filling::default(),
            };
            cluster::apply(access, &apply, &filling).await
        }
        Request::Seize { key, from } => cluster::seize(access, &key, &from).await,
        Request::Delete { key, uid } => {
            let deleted = cluster::delete(access, &key, &uid).await;
            if deleted.is_ok() {
                values.forget(&key).await;
            }
            deleted
        }
        Request::Get { key } => cluster::get(access, &key).await,
        Request::ListPods {
            namespace,
            selector,
        } => cluster::list_pods(access, &namespace, &selector).await,
        Request::Survey { namespace } => cluster::survey(access, &namespace).await,
        Request::PutInventory(shard) => store(access, &shard).await,
        Request::Report(report) => post(plane, &report).await,
    }
}

async fn store(access: &Access, shard: &InventoryShard) -> Result<Response, Failure> {
    let key = persist::inventory_key(shard.number);
    persist::save_inventory(access.own(), shard)
        .await
        .map(|()| Response::Stored)
        .map_err(|error| failure(&error, &key))
}

async fn post(plane: Option<&ControlPlane>, report: &Report) -> Result<Response, Failure> {
    let Some(plane) = plane else {
        return Ok(Response::Reported);
    };
    plane
        .report(report)
        .await
        .map(|()| Response::Reported)
        .map_err(|error| Failure {
            reason: "ReportRefused".to_owned(),
            message: error.to_string(),
            retry_after: error
                .retry_after()
                .map(|wait| Millis::from_secs(wait.as_secs())),
            ..Failure::default()
        })
}

/// `None`: nothing waits for time.
async fn sleep(duration: Option<Duration>) {
    match duration {
        Some(duration) => tokio::time::sleep(duration).await,
        None => std::future::pending().await,
    }
}
