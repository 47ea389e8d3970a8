//! Gives each answer to what asked for it.
//!
//! Pure. Always holds: an answer frees its slot and its object first; a disappearance that a watch told
//! while the request was under way is believed after the answer.

use starform_contract::ObjectKey;

use super::{
    Engine,
    agenda::Timer,
    backoff,
    flight::{Ended, Lost, Task},
    health,
    io::{Failure, Gone, Millis, Observed, Request, RequestId, Response},
    order::UnitKey,
};

impl Engine {
    pub(super) fn respond(&mut self, id: RequestId, result: Result<Response, Failure>) {
        let Some(ended) = self.flight.end(id, result.as_ref().err(), self.now) else {
            return;
        };
        let Ended { task, lost, pause } = ended;
        if let Some(until) = pause {
            self.agenda.at(until, Timer::Resume);
        }
        let key = self.settle_task(task, result);
        let Some(key) = key else { return };
        let uid = match lost {
            Some(Lost::Uid(uid)) => Some(uid),
            Some(Lost::Any) => {
                // Perhaps nothing went: it is written once more, which is no drift.
                if let Some(progress) = self.progress.get_mut(&key) {
                    progress.applied = None;
                }
                self.live.get(&key).map(|live| live.uid.clone())
            }
            None => None,
        };
        if let Some(uid) = uid {
            // A watch was faster than the answer: the object went after it was written.
            let gone = Gone {
                key: key.clone(),
                uid,
            };
            self.live.forget(&gone);
            self.gone(&gone);
        }
        if let Some(unit) = self.unit_of(&key) {
            self.touch(&unit);
            self.agenda.unit(unit);
        } else {
            // A Deployment may wait until nothing is under way about its former autoscaler.
            let unit = self.leftovers.get(&key).map(|left| left.unit.clone());
            let state = self.desired.as_deref();
            let wanted = |unit: &UnitKey| state.is_some_and(|s| s.units.contains_key(unit));
            if let Some(unit) = unit.filter(wanted) {
                self.agenda.unit(unit);
            }
            self.agenda.leftover(key);
        }
    }

    /// Gives the object that the task was about.
    fn settle_task(&mut self, task: Task, result: Result<Response, Failure>) -> Option<ObjectKey> {
        let now = self.now;
        match task {
            Task::DryRun(write) => {
                let key = write.key.clone();
                self.dry_ran(write, result.map(|_| ()));
                Some(key)
            }
            Task::Apply(write) => {
                let key = write.key.clone();
                self.applied(write, object(result));
                Some(key)
            }
            Task::Handoff { key } => {
                self.handed_off(&key, object(result));
                Some(key)
            }
            Task::Seize { key, from, cause } => {
                self.seized(&key, from, cause, object(result));
                Some(key)
            }
            Task::Replace { key, uid } => {
                self.replaced(&key, &uid, result.map(|_| ()));
                Some(key)
            }
            Task::Prune { key, uid } => {
                self.pruned(&key, &uid, result.map(|_| ()));
                Some(key)
            }
            Task::Confirm { key } => {
                self.looked_for(&key, object(result));
                Some(key)
            }
            Task::Recognize { key, failure } => {
                self.recognized(&key, &failure, object(result));
                Some(key)
            }
            Task::Survey { key } => {
                self.surveyed(&key, result);
                Some(key)
            }
            Task::Pods { key } => {
                self.looked_at_pods(&key, result);
                Some(key)
            }
            Task::Inventory { shard } => {
                match result {
                    Ok(_) => self.stored(shard),
                    Err(failure) => self.inventory.not_stored(shard, now, |attempt| {
                        backoff::delay(&format!("inventory {shard}"), attempt, &failure)
                    }),
                }
                None
            }
            Task::Report(project, environment) => {
                self.reported((project, environment), result.map(|_| ()));
                None
            }
        }
    }

    /// New keys may be written now, and completed releases may go.
    fn stored(&mut self, shard: u16) {
        if self.inventory.stored(shard) {
            for unit in self.state().units.keys() {
                self.agenda.unit(unit.clone());
            }
            for key in self.leftovers.keys() {
                self.agenda.leftover(key.clone());
            }
        }
    }

    fn looked_at_pods(&mut self, key: &ObjectKey, result: Result<Response, Failure>) {
        let now = self.now;
        let Some(rollout) = self.rollouts.get_mut(key) else {
            return;
        };
        match (result, self.live.get(key)) {
            (Ok(Response::Pods(pods)), Some(live)) => rollout.looked(&pods, live, now),
            (Ok(_) | Err(_), live) => rollout.rest(live, now),
        }
        let look_at = rollout.look_at;
        self.agenda.at(look_at, Timer::Pods(key.clone()));
    }

    /// Asks for the pods of a rollout that does not move.
    pub(super) fn look_at_pods(&mut self, key: &ObjectKey) {
        let due = self
            .rollouts
            .get(key)
            .is_some_and(|rollout| !rollout.looking && rollout.look_at <= self.now);
        let look = self.live.get(key).filter(|_| due).and_then(health::look);
        let Some(look) = look else { return };
        if !self.flight.has_slot(self.now) {
            self.agenda
                .at(self.now.plus(Millis(100)), Timer::Pods(key.clone()));
            return;
        }
        if let Some(rollout) = self.rollouts.get_mut(key) {
            rollout.looking = true;
        }
        let request = Request::ListPods {
            namespace: look.namespace,
            selector: look.selector,
        };
        self.send(Task::Pods { key: key.clone() }, request);
    }
}

/// An answer of another shape is the shell's mistake; it counts as none.
fn object(result: Result<Response, Failure>) -> Result<Observed, Failure> {
    match result? {
        Response::Object(object) => Ok(*object),
        Response::Deleted
        | Response::Pods(_)
        | Response::Found(_)
        | Response::Stored
        | Response::Reported => Err(Failure {
            message: "the answer holds no object".to_owned(),
            ..Failure::default()
        }),
    }
}
