//! The engine: from what is wanted and what was seen to the next requests.
//!
//! Pure: no client, no clock, no task; time comes in with each event. Always holds: the same events
//! give the same commands; an engine that is lost at any point is rebuilt from the desired state, the
//! inventory and a LIST, and goes on without a wrong deletion; an empty dirty set asks for nothing.
//!
//! | module | what it holds |
//! |---|---|
//! | [`io`] | events and commands |
//! | [`fields`] | how a live object is read |
//! | [`order`] | units, what waits for what |
//! | `desired` | what is wanted, by object and unit |
//! | `live` | what was seen |
//! | `inventory` | what we wrote, written ahead |
//! | `unit` | what one unit needs, and whether it has passed |
//! | `apply` | requests of a unit and what their answers mean |
//! | `answer` | to whom an answer goes |
//! | `handoff` | the replica count between us and an autoscaler |
//! | `drift`, `ownership` | whether an object is as we left it, and who holds its fields |
//! | `correction`, [`break_glass`] | what of it is put right, and what is left alone for a while |
//! | `leftover` | what is not wanted any more |
//! | `ending` | the Namespace of a deleted project, which goes last |
//! | `health` | gates that take time |
//! | `report` | what is told, and when |
//! | `counts` | how many objects are as they should be |
//! | `agenda`, `flight`, `pace`, `backoff` | what is due, what is under way, how much may be, when to try again |

mod agenda;
mod answer;
mod apply;
mod backoff;
pub mod break_glass;
mod correction;
mod counts;
mod desired;
pub mod drift;
mod ending;
pub mod fields;
mod flight;
mod handoff;
mod health;
mod inventory;
pub mod io;
mod leftover;
mod live;
pub mod order;
pub(crate) mod ownership;
mod pace;
mod report;
mod unit;

pub use counts::Counts;
pub use desired::stamped;
pub(crate) use live::is_older;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use starform_contract::{ClusterId, Generation, ObjectKey};

use self::{
    agenda::{Agenda, Timer},
    correction::Hold,
    desired::State,
    drift::Condition,
    flight::{Flight, Task},
    health::Rollout,
    inventory::Inventory,
    io::{Command, Desired, Done, Event, Gone, Input, InventoryEntry, Millis, Observed, Request},
    leftover::Leftover,
    live::{Live, News},
    order::UnitKey,
    report::Reporting,
    unit::{Need, Progress, Standing},
};

/// What an engine is told once.
#[derive(Debug, Clone)]
pub struct Config {
    /// Of this cluster; a desired state for another one is refused.
    pub cluster: ClusterId,
    /// Reports count up from here. Higher than any that an earlier engine of this instance gave:
    /// whoever takes reports drops a repeated one. Below 2^53.
    pub sequence: u64,
}

/// All that Shuttle knows while it runs; nothing in it outlives the process.
#[derive(Debug, Clone)]
pub struct Engine {
    config: Config,
    now: Millis,
    clock: Millis,
    desired: Option<Arc<State>>,
    live: Live,
    inventory: Inventory,
    /// The stored inventory is here.
    loaded: bool,
    /// Everything needed to act was here once.
    started: bool,
    progress: BTreeMap<ObjectKey, Progress>,
    rollouts: BTreeMap<ObjectKey, Rollout>,
    standings: BTreeMap<UnitKey, Standing>,
    /// Services that had live objects when the desired state came.
    running: BTreeSet<UnitKey>,
    /// The newest generation that was seen to have written what this one wants otherwise.
    superseded: Option<Generation>,
    leftovers: BTreeMap<ObjectKey, Leftover>,
    agenda: Agenda,
    flight: Flight,
    reporting: Reporting,
    out: Vec<Command>,
}

/// Takes one event; gives the engine after it and what to do now, in this order.
pub fn step(mut engine: Engine, event: Event) -> (Engine, Vec<Command>) {
    let Event { now, clock, input } = event;
    engine.now = engine.now.max(now);
    engine.clock = clock;
    engine.absorb(input);
    engine.start();
    if engine.started {
        engine.settle();
    }
    let commands = std::mem::take(&mut engine.out);
    (engine, commands)
}

impl Engine {
    pub fn new(config: Config) -> Self {
        Self {
            reporting: Reporting::from(config.sequence),
            config,
            now: Millis::default(),
            clock: Millis::default(),
            desired: None,
            live: Live::default(),
            inventory: Inventory::default(),
            loaded: false,
            started: false,
            progress: BTreeMap::new(),
            rollouts: BTreeMap::new(),
            standings: BTreeMap::new(),
            running: BTreeSet::new(),
            superseded: None,
            leftovers: BTreeMap::new(),
            agenda: Agenda::default(),
            flight: Flight::default(),
            out: Vec::new(),
        }
    }

    /// When the next [`Input::Tick`] is due at the latest; `None`: nothing waits for time.
    pub fn wake_at(&self) -> Option<Millis> {
        self.agenda.wake_at()
    }

    /// Nothing in flight or due: every environment is finished and reported, the inventory is stored.
    pub fn settled(&self) -> bool {
        self.started
            && self.agenda.is_empty()
            && self.flight.is_empty()
            && self.inventory.is_stored()
            && self.reporting.is_settled()
    }

    /// Every object that is wanted, or that is ours as far as is remembered. `None` where more may be: as
    /// long as no desired state is in force, and while one of its bundles is refused.
    pub fn known(&self) -> Option<BTreeSet<ObjectKey>> {
        let state = self.desired.as_deref().filter(|_| self.loaded)?;
        let wanted = state.objects.keys();
        let ours = self.inventory.iter().map(|(key, _)| key);
        let known = wanted.chain(ours).cloned().collect();
        state.refused.is_empty().then_some(known)
    }

    /// The newer generation that another engine acts on, as what it wrote shows.
    pub fn superseded(&self) -> Option<Generation> {
        self.superseded
    }

    fn absorb(&mut self, input: Input) {
        match input {
            Input::Tick => {}
            Input::Desired(desired) => self.take_desired(desired),
            Input::Inventory(stored) => {
                if !self.loaded {
                    self.inventory = Inventory::load(stored);
                    self.loaded = true;
                }
            }
            Input::Syncing(collection) => self.live.begin_list(collection),
            Input::Synced(collection) => {
                for gone in self.live.end_list(collection.clone()) {
                    self.gone(&gone);
                }
                let live = &self.live;
                let missing = |key: &ObjectKey| collection.covers(key) && live.get(key).is_none();
                self.flight.doubt(missing);
            }
            Input::Barred(collection) => self.live.give_up_list(collection),
            Input::Observed(object) => {
                self.flight.shown(&object.key, &object.uid);
                self.observe(object);
            }
            Input::Gone(gone) => {
                if self.live.forget(&gone) {
                    self.gone(&gone);
                }
            }
            Input::Response { id, result } => self.respond(id, result),
        }
    }

    fn take_desired(&mut self, desired: Desired) {
        let before = self.desired.clone();
        match State::take(desired, self.config.cluster, before.as_deref()) {
            Ok(None) => {}
            Ok(Some(state)) => {
                self.desired = Some(Arc::new(state));
                if self.started {
                    self.turn(before.as_deref());
                }
            }
            Err(refusal) => self.out.push(Command::Refused {
                reason: refusal.to_string(),
            }),
        }
    }

    fn start(&mut self) {
        if self.started {
            return;
        }
        let Some(state) = &self.desired else {
            return;
        };
        let projects = state.index.projects.values();
        let namespaces = projects.map(|entry| entry.namespace.as_str());
        if self.loaded && self.live.is_complete(namespaces) {
            self.started = true;
            self.turn(None);
        }
    }

    /// Everything is looked at anew: another desired state, or the first one.
    fn turn(&mut self, before: Option<&State>) {
        let state = self.state();
        self.reporting.restart(before, &state);
        self.superseded = None;
        self.progress
            .retain(|key, _| state.objects.contains_key(key));
        self.rollouts
            .retain(|key, _| state.objects.contains_key(key));
        self.standings
            .retain(|unit, _| state.units.contains_key(unit));
        for (key, wanted) in &state.objects {
            let entry = InventoryEntry {
                project: wanted.unit.project(),
                environment: wanted.unit.environment().map(ToString::to_string),
                service: match &wanted.unit {
                    UnitKey::Service(_, _, service) => Some(*service),
                    UnitKey::Project(_) | UnitKey::Environment(..) => None,
                },
                uid: None,
                fields: None,
                done: None,
            };
            self.inventory.add(key, entry, self.now);
            let progress = self.progress.entry(key.clone()).or_default();
            let project = wanted.unit.project();
            let entry = |state: &State| state.index.projects.get(&project).cloned();
            if before.is_none_or(|before| entry(before) != entry(&state)) {
                // Other content, or other consent: what failed before may go through now.
                progress.trouble = None;
            }
            let same = before
                .and_then(|before| before.objects.get(key))
                .is_some_and(|before| before.digest == wanted.digest);
            progress.written &= same;
            // What was refused was other content.
            progress.replace &= same;
            self.see(key);
        }
        self.running = self.running_services(&state);
        for unit in state.units.keys() {
            self.standings.insert(unit.clone(), Standing::Waiting);
            self.agenda.unit(unit.clone());
        }
        self.find_leftovers(&state);
        for (project, environment) in state.environments() {
            self.touch(&UnitKey::Environment(project, environment));
        }
    }

    fn running_services(&self, state: &State) -> BTreeSet<UnitKey> {
        let is_service = |unit: &UnitKey| match unit {
            UnitKey::Project(_) | UnitKey::Environment(..) => false,
            UnitKey::Service(..) => true,
        };
        let runs = |keys: &Vec<ObjectKey>| keys.iter().any(|key| self.live.get(key).is_some());
        let units = state.units.iter();
        units
            .filter(|(unit, keys)| is_service(unit) && runs(keys))
            .map(|(unit, _)| unit.clone())
            .collect()
    }

    /// A live object as an answer or a watch tells it.
    fn observe(&mut self, object: Observed) {
        let key = object.key.clone();
        match self.live.observe(object) {
            News::Nothing => {}
            News::Disowned(uid) => self.gone(&Gone { key, uid }),
            News::Changed => self.changed(&key),
        }
    }

    fn changed(&mut self, key: &ObjectKey) {
        if !self.started {
            return;
        }
        self.see(key);
        let state = self.state();
        if let Some(wanted) = state.objects.get(key) {
            self.touch(&wanted.unit);
            self.agenda.unit(wanted.unit.clone());
        } else if let Some(live) = self.live.get(key)
            && let Some(unit) = UnitKey::of_owner(&live.owner)
        {
            self.touch(&unit);
            self.add_leftover(&state, key.clone(), unit);
        }
    }

    /// Follows what a wanted live object tells about its content and its rollout.
    fn see(&mut self, key: &ObjectKey) {
        let state = self.state();
        let (Some(wanted), Some(live)) = (state.objects.get(key), self.live.get(key)) else {
            return;
        };
        let progress = self.progress.entry(key.clone()).or_default();
        if progress.applied.is_none() {
            progress.applied.clone_from(&live.stamps.digest);
            progress.provenance = live.stamps.provenance.clone();
        }
        if let Condition::Superseded(generation) = self.condition(key, wanted) {
            self.superseded = self.superseded.max(Some(generation));
        }
        let before = self.rollouts.remove(key);
        if let Some(rollout) = health::follow(before, live, self.now) {
            self.agenda.at(rollout.look_at, Timer::Pods(key.clone()));
            self.rollouts.insert(key.clone(), rollout);
        } else if let Some(runs) = &wanted.release
            && health::is_complete(live)
        {
            let done = Done {
                runs: runs.clone(),
                generation: state.index.generation,
            };
            self.inventory.complete(key, done, self.now);
        }
        self.catch_up(key);
        self.await_end_of_suspension(key);
    }

    /// An engine that was lost before the answer to its write left an object under a uid that no record
    /// names, with all fields as they were recorded; or a Job that has completed since.
    fn catch_up(&mut self, key: &ObjectKey) {
        let state = self.state();
        let (Some(wanted), Some(live)) = (state.objects.get(key), self.live.get(key)) else {
            return;
        };
        let recorded = self.inventory.get(key).and_then(|entry| entry.uid.as_ref());
        if let Some(own) = &live.own
            && recorded != Some(&live.uid)
            && self.condition(key, wanted) == Condition::Clean
        {
            self.inventory.record(key, &live.uid, &own.fields, self.now);
        }
    }

    /// An object of ours is not shown any more.
    fn gone(&mut self, gone: &Gone) {
        self.flight.lose(&gone.key, &gone.uid);
        self.rollouts.remove(&gone.key);
        if !self.started {
            return;
        }
        let state = self.state();
        if let Some(wanted) = state.objects.get(&gone.key) {
            // What the API server refused about the object that was says nothing about a new one.
            if let Some(progress) = self.progress.get_mut(&gone.key) {
                progress.trouble = None;
            }
            self.touch(&wanted.unit);
            self.agenda.unit(wanted.unit.clone());
        } else {
            self.leftover_vanished(&state, gone);
        }
    }

    /// Does everything that can be done now.
    fn settle(&mut self) {
        while let Some(timer) = self.agenda.next_due(self.now) {
            match timer {
                Timer::Unit(unit) => self.agenda.unit(unit),
                Timer::Leftover(key) => self.agenda.leftover(key),
                Timer::Pods(key) => self.look_at_pods(&key),
                Timer::BreakGlass(key) => self.end_suspension(&key),
                Timer::Inventory | Timer::Reports | Timer::Resume => {}
            }
        }
        while self.flight.has_slot(self.now) {
            if let Some(unit) = self.agenda.next_unit() {
                self.advance(&unit);
            } else if let Some(key) = self.agenda.next_leftover() {
                self.advance_leftover(&key);
            } else {
                break;
            }
        }
        let quiet = self.flight.is_quiet();
        while let Some(shard) = self.inventory.due(self.now, quiet) {
            let task = Task::Inventory {
                shard: shard.number,
            };
            self.send(task, Request::PutInventory(shard));
        }
        if let Some(due) = self.inventory.due_at(quiet) {
            self.agenda.at(due, Timer::Inventory);
        }
        self.send_reports();
    }

    fn advance(&mut self, unit: &UnitKey) {
        let state = self.state();
        let Some(keys) = state.units.get(unit) else {
            return;
        };
        for intent in self.intents(&state, unit) {
            if !self.flight.has_slot(self.now) {
                self.agenda.unit(unit.clone());
                break;
            }
            self.perform(&state, intent);
        }
        for key in keys {
            if let Need::Held(Hold::Contested(until)) = self.need(&state, key) {
                self.agenda.at(until, Timer::Unit(unit.clone()));
            }
        }
        let standing = self.judge(&state, unit);
        let before = self.standings.insert(unit.clone(), standing.clone());
        if before.as_ref() != Some(&standing) {
            self.stands(&state, unit);
        }
    }

    /// Tells those whom the standing of a unit concerns.
    fn stands(&mut self, state: &State, unit: &UnitKey) {
        self.touch(unit);
        for (other, _) in unit.covered(&state.units) {
            if other != unit {
                self.agenda.unit(other.clone());
            }
        }
        self.wake_leftovers(unit);
    }

    fn send(&mut self, task: Task, request: Request) {
        let id = self.flight.begin(task, self.now);
        self.out.push(Command::Send { id, request });
    }

    /// The unit that wants the object.
    fn unit_of(&self, key: &ObjectKey) -> Option<UnitKey> {
        let state = self.desired.as_ref()?;
        state.objects.get(key).map(|wanted| wanted.unit.clone())
    }
}
