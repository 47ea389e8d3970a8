//! Objects of ours that no bundle wants any more: deleted by consent, or left alone and reported.
//!
//! Pure. Always holds: a deletion names the uid of an object whose labels say it is ours, is listed by
//! an accepted plan that the index carries; a Namespace's stands in `ending.rs`; an inventory entry goes only
//! when its object's absence is confirmed. So an empty, truncated or lost state deletes nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use starform_contract::{ObjectKey, ProjectId};

use super::{
    Engine,
    agenda::Timer,
    backoff,
    desired::State,
    flight::Task,
    inventory::unit_of,
    io::{Command, Failure, Gone, Millis, Observed, Request},
    order::UnitKey,
    unit::Standing,
};

#[derive(Debug, Clone)]
pub(super) struct Leftover {
    /// Where it belongs; the unit itself may be wanted or not.
    pub(super) unit: UnitKey,
    /// An accepted plan lists its deletion.
    pub(super) consent: bool,
    /// The API server accepted our deletion of this uid.
    deleting: Option<String>,
    /// A GET showed that it lives on without our labels.
    disowned: bool,
    attempts: u32,
    retry_at: Millis,
    pub(super) reason: Option<String>,
    settled: bool,
    /// A Namespace with something in it that has to stay.
    retained: Option<Retained>,
}

/// What keeps a Namespace, and how often that was all there was to see.
#[derive(Debug, Clone)]
struct Retained {
    because: String,
    looks: u32,
}

/// A Namespace that stays is looked at after a minute, and then ever more seldom.
const FIRST_LOOK: Millis = Millis::from_secs(60);
const SELDOM: Millis = Millis::from_secs(3600);

/// Why an object stays although a plan lists it, and what a person does then.
pub(super) const NOT_OF_OURS: &str = "it has our labels and was made by somebody else, so it is not deleted; delete it by hand, or take the label app.kubernetes.io/managed-by off it";
const DISOWNED: &str = "its label app.kubernetes.io/managed-by=starform was taken off, so it is not deleted; put the label back, or delete it by hand";

impl Leftover {
    /// It is there no more as far as we are concerned: somebody took our labels off it.
    pub(super) fn is_disowned(&self) -> bool {
        self.disowned
    }

    /// Until it is looked at once more; later each time.
    pub(super) fn rest(&mut self, now: Millis) -> Millis {
        self.attempts += 1;
        self.retry_at = now.plus(Millis::from_secs(self.attempts.into()));
        self.retry_at
    }

    /// How often it was tried or looked at.
    pub(super) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// It has to stay for now; until when it is looked at once more.
    pub(super) fn retain(&mut self, because: String, now: Millis) -> Millis {
        let before = self.retained.take();
        let looks = before.filter(|before| before.because == because);
        let looks = looks.map_or(0, |before| before.looks + 1);
        let wait = FIRST_LOOK.0.saturating_mul(1 << looks.min(16));
        self.retained = Some(Retained { because, looks });
        self.retry_at = now.plus(Millis(wait).min(SELDOM));
        self.retry_at
    }

    /// What kept it may be gone: it is looked at as if for the first time.
    pub(super) fn release(&mut self) {
        if self.retained.take().is_some() {
            self.attempts = 0;
            self.retry_at = Millis::default();
        }
    }

    /// Why it has to stay for now.
    pub(super) fn retained(&self) -> Option<&str> {
        self.retained
            .as_ref()
            .map(|retained| retained.because.as_str())
    }

    /// Why it is still there although it should go, if waiting does not help.
    pub(super) fn settled_reason(&self) -> Option<String> {
        self.reason.clone().filter(|_| self.settled)
    }
}

impl Engine {
    /// Everything of ours that is not wanted, after what is wanted changed.
    pub(super) fn find_leftovers(&mut self, state: &State) {
        let is_gone = |unit: &UnitKey| {
            let project = UnitKey::Project(unit.project());
            state.units.contains_key(&project)
                && !state.units.contains_key(unit)
                && !is_frozen(state, unit)
        };
        self.inventory.forget_releases(is_gone, self.now);
        let live = self
            .live
            .iter()
            .filter_map(|live| Some((live.key.clone(), UnitKey::of_owner(&live.owner)?)));
        let listed = self
            .inventory
            .iter()
            .filter(|(_, entry)| !entry.is_memory())
            .filter_map(|(key, entry)| Some((key.clone(), unit_of(entry)?)));
        let found: Vec<(ObjectKey, UnitKey)> = listed
            .chain(live)
            .filter(|(key, _)| !state.objects.contains_key(key))
            .collect();
        self.leftovers.retain(|key, leftover| {
            !state.objects.contains_key(key)
                && !state.is_kept(key)
                && !is_frozen(state, &leftover.unit)
        });
        for (key, unit) in found {
            self.add_leftover(state, key, unit);
        }
        self.tell_unnamed(state);
    }

    /// Of a project that the desired state does not name no report tells.
    fn tell_unnamed(&mut self, state: &State) {
        let mut unnamed: BTreeMap<ProjectId, usize> = BTreeMap::new();
        for leftover in self.leftovers.values() {
            let project = leftover.unit.project();
            if !state.index.projects.contains_key(&project) {
                *unnamed.entry(project).or_default() += 1;
            }
        }
        let notices = unnamed.into_iter();
        let notices = notices.map(|(project, objects)| Command::Unnamed { project, objects });
        self.out.extend(notices);
    }

    pub(super) fn add_leftover(&mut self, state: &State, key: ObjectKey, unit: UnitKey) {
        if is_frozen(state, &unit) || state.is_kept(&key) {
            return;
        }
        let consent = state.may_delete(unit.project(), &key);
        let leftover = self.leftovers.entry(key.clone()).or_insert(Leftover {
            unit: unit.clone(),
            consent,
            deleting: None,
            disowned: false,
            attempts: 0,
            retry_at: Millis::default(),
            reason: None,
            settled: false,
            retained: None,
        });
        leftover.unit = unit;
        leftover.consent = consent;
        if leftover.disowned && self.live.get(&key).is_some() {
            // Somebody put our labels back.
            leftover.disowned = false;
            leftover.reason = None;
            leftover.settled = false;
        }
        leftover.release();
        self.agenda.leftover(key);
    }

    /// Does what the leftover needs now, if anything.
    pub(super) fn advance_leftover(&mut self, key: &ObjectKey) {
        let Some(leftover) = self.leftovers.get(key) else {
            return;
        };
        let state = self.state();
        if state.objects.contains_key(key) {
            self.leftovers.remove(key);
            return;
        }
        match self.live.get(key) {
            Some(live) if live.deleting => {}
            Some(_) if self.leftover_is_free(key) && self.may_go(&state, key, leftover) => {
                if key.is_namespace() {
                    self.survey(key);
                } else {
                    self.prune(key);
                }
            }
            Some(_) => {}
            None if leftover.disowned => {}
            None if self.inventory.get(key).is_none() => {
                self.leftovers.remove(key);
            }
            None if self.leftover_is_free(key) => {
                let request = Request::Get { key: key.clone() };
                self.send(Task::Confirm { key: key.clone() }, request);
            }
            None => {}
        }
    }

    /// Whether a request about it may go now.
    pub(super) fn leftover_is_free(&self, key: &ObjectKey) -> bool {
        let rested = self
            .leftovers
            .get(key)
            .is_some_and(|leftover| leftover.retry_at <= self.now);
        rested && !self.flight.is_busy(key)
    }

    /// A removed service's objects go at once; what a living unit leaves behind goes when everything
    /// that may still use it has passed.
    fn may_go(&self, state: &State, key: &ObjectKey, leftover: &Leftover) -> bool {
        let free = leftover.consent && self.superseding(key).is_none();
        let hidden = has_refused(state, &leftover.unit);
        free && !hidden && !self.waits_for_others(key, leftover) && {
            let users = leftover.unit.covered(&state.units);
            users
                .iter()
                .all(|(unit, _)| self.standings.get(unit) == Some(&Standing::Passed))
        }
    }

    /// Nothing more will happen to it by waiting.
    pub(super) fn leftover_is_settled(&self, state: &State, key: &ObjectKey) -> bool {
        let Some(leftover) = self.leftovers.get(key) else {
            return true;
        };
        let users = leftover.unit.covered(&state.units);
        let failed = |unit| matches!(self.standings.get(unit), Some(Standing::Failed(_)));
        let blocked =
            has_refused(state, &leftover.unit) || users.iter().any(|(unit, _)| failed(unit));
        let superseded = self.superseding(key).is_some();
        let stays = leftover.disowned || leftover.retained.is_some() || leftover.settled;
        let stuck = self.waits_for_others(key, leftover) && self.others_are_settled(state, key);
        !leftover.consent || stays || blocked || superseded || stuck
    }

    /// Sends the deletion of a live object of ours.
    pub(super) fn prune(&mut self, key: &ObjectKey) {
        let (Some(leftover), Some(live)) = (self.leftovers.get(key), self.live.get(key)) else {
            return;
        };
        let foreign = live.owner.project != Some(leftover.unit.project()) || !live.owner.managed;
        if foreign || self.superseding(key).is_some() || !self.inventory.remembers(key) {
            return;
        }
        if !self.is_of_ours(live) {
            return self.leave(key, NOT_OF_OURS);
        }
        let (key, uid) = (key.clone(), live.uid.clone());
        let request = Request::Delete {
            key: key.clone(),
            uid: uid.clone(),
        };
        self.send(Task::Prune { key, uid }, request);
    }

    /// Labels may be copied. Of our making is what the inventory knows by its uid or, where the record of
    /// the write was lost, what our field manager has an entry in.
    pub(super) fn is_of_ours(&self, live: &Observed) -> bool {
        let entry = self.inventory.get(&live.key);
        let recorded = entry.and_then(|entry| entry.uid.as_ref());
        recorded == Some(&live.uid) || live.own.is_some()
    }

    /// It stays, whatever consent says, until somebody does something about it.
    fn leave(&mut self, key: &ObjectKey, because: &str) {
        let Some(leftover) = self.leftovers.get_mut(key) else {
            return;
        };
        leftover.reason = Some(because.to_owned());
        leftover.settled = true;
        let unit = leftover.unit.clone();
        self.touch(&unit);
        if self.state().units.contains_key(&unit) {
            self.agenda.unit(unit);
        }
    }

    pub(super) fn pruned(&mut self, key: &ObjectKey, uid: &str, result: Result<(), Failure>) {
        match result {
            Ok(()) => {
                self.live.going(key, uid);
                if let Some(leftover) = self.leftovers.get_mut(key) {
                    leftover.deleting = Some(uid.to_owned());
                    leftover.attempts = 0;
                    leftover.reason = None;
                    leftover.settled = false;
                }
            }
            Err(failure) if failure.code == Some(404) => {
                let gone = Gone {
                    key: key.clone(),
                    uid: uid.to_owned(),
                };
                self.live.forget(&gone);
                self.confirmed(key);
            }
            Err(failure) => self.leftover_failed(key, &failure),
        }
    }

    /// The answer of a GET about an entry whose object no watch shows.
    pub(super) fn looked_for(&mut self, key: &ObjectKey, result: Result<Observed, Failure>) {
        match result {
            Err(failure) if failure.code == Some(404) => self.confirmed(key),
            Err(failure) => self.leftover_failed(key, &failure),
            Ok(found) if found.owner.managed => self.observe(found),
            Ok(found) => {
                let uid = self.inventory.get(key).and_then(|entry| entry.uid.clone());
                if uid.is_some_and(|uid| uid != found.uid) {
                    self.confirmed(key);
                } else if let Some(leftover) = self.leftovers.get_mut(key) {
                    leftover.disowned = true;
                    self.leave(key, DISOWNED);
                }
            }
        }
    }

    /// A watch does not show the object any more.
    pub(super) fn leftover_vanished(&mut self, state: &State, gone: &Gone) {
        let deleted = self
            .leftovers
            .get(&gone.key)
            .is_some_and(|leftover| leftover.deleting.as_deref() == Some(&gone.uid));
        if deleted {
            self.confirmed(&gone.key);
        } else if let Some(unit) = self.inventory.get(&gone.key).and_then(unit_of) {
            self.add_leftover(state, gone.key.clone(), unit);
        } else if let Some(leftover) = self.leftovers.remove(&gone.key) {
            self.release_namespace(&leftover.unit);
        }
    }

    /// The object is gone for certain: now its entry may go.
    fn confirmed(&mut self, key: &ObjectKey) {
        let state = self.state();
        if state.objects.contains_key(key) {
            // Wanted again meanwhile: its entry is what lets it be written.
            self.leftovers.remove(key);
            return;
        }
        self.inventory.remove(key, self.now);
        let Some(leftover) = self.leftovers.remove(key) else {
            return;
        };
        if leftover.consent {
            self.reporting.deleted(&state, &leftover.unit, key);
        }
        self.release_namespace(&leftover.unit);
        self.touch(&leftover.unit);
        self.wake_leftovers(&leftover.unit);
        if state.units.contains_key(&leftover.unit) {
            self.agenda.unit(leftover.unit);
        }
    }

    pub(super) fn leftover_failed(&mut self, key: &ObjectKey, failure: &Failure) {
        let now = self.now;
        let Some(leftover) = self.leftovers.get_mut(key) else {
            return;
        };
        leftover.attempts += 1;
        leftover.retry_at = now.plus(backoff::delay(&key.to_string(), leftover.attempts, failure));
        leftover.reason = Some(failure.message.clone());
        leftover.settled = backoff::severity(failure) == backoff::Severity::Rejected
            || leftover.attempts >= backoff::PATIENCE;
        let (at, unit) = (leftover.retry_at, leftover.unit.clone());
        self.agenda.at(at, Timer::Leftover(key.clone()));
        self.touch(&unit);
        if self.state().units.contains_key(&unit) {
            self.agenda.unit(unit);
        }
    }

    /// Whatever waits for this unit or what it belongs to may go now.
    pub(super) fn wake_leftovers(&mut self, unit: &UnitKey) {
        let waiting: BTreeSet<ObjectKey> = self
            .leftovers
            .iter()
            .filter(|(_, leftover)| leftover.consent && leftover.unit.covers(unit))
            .map(|(key, _)| key.clone())
            .collect();
        for key in waiting {
            self.agenda.leftover(key);
        }
    }

    pub(super) fn state(&self) -> Arc<State> {
        Arc::clone(
            self.desired
                .as_ref()
                .expect("the engine acts only on a desired state"),
        )
    }
}

/// Some of those that may use what the unit leaves behind stand in a refused bundle.
fn has_refused(state: &State, unit: &UnitKey) -> bool {
    state.refused.keys().any(|refused| unit.covers(refused))
}

/// In a refused bundle nobody knows what is wanted.
fn is_frozen(state: &State, unit: &UnitKey) -> bool {
    let parents = [
        Some(unit.clone()),
        unit.parent(),
        Some(UnitKey::Project(unit.project())),
    ];
    parents
        .iter()
        .flatten()
        .any(|unit| state.refused.contains_key(unit))
}
