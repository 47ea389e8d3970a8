//! One unit (a service, or the own objects of an environment or project): what it needs next, and
//! whether it has passed.
//!
//! Pure. Always holds: a wave begins when the former one is through its gates; before the first write
//! of new content to a service that runs, the API server has accepted all of it in a dry-run; content
//! that the API server had before is restored without waiting for either.

use starform_contract::{
    Digest, Generation, ObjectKey,
    report::{DriftKind, Outcome},
};

use super::{
    Engine,
    backoff::PATIENCE,
    break_glass::Asked,
    correction::{Hold, Seized},
    desired::{State, Wanted},
    drift::{self, Cause, Condition, Takes},
    handoff,
    health::{self, Gate},
    io::{Foreign, Millis, Provenance},
    order::{GateKind, UnitKey, gate_kind},
};

/// Where a unit is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// For the unit above it.
    Waiting,
    Moving(String),
    Passed,
    Failed(String),
}

/// What is remembered about one wanted object.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    /// The content that the live object was last seen or written with.
    pub(super) applied: Option<Digest>,
    /// The content that a dry-run accepted.
    pub(super) verified: Option<Digest>,
    pub(super) provenance: Provenance,
    pub(super) trouble: Option<Trouble>,
    pub(super) takes: Takes,
    /// Written since the desired state of its environment changed.
    pub(super) written: bool,
    /// The API server refuses to change it and consent lists it: it is deleted, then made anew.
    pub(super) replace: bool,
    /// What others added is ours by now; the next write takes it out.
    pub(super) seized: Option<Seized>,
    /// The end of a suspension that is on the agenda.
    pub(super) awaited: Option<Asked>,
    /// No watch shows the object, but a GET has: it is the one that we wrote.
    pub(super) recognized: bool,
}

/// The last attempt to write an object failed.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub(super) attempts: u32,
    pub(super) retry_at: Millis,
    pub(super) outcome: Outcome,
    pub(super) passing: bool,
    pub(super) reason: String,
}

/// What one object needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Need {
    Nothing,
    /// Something else has to end first.
    Later,
    /// Somebody moved it, and it stays so.
    Held(Hold),
    /// It is as a newer generation wants it, and stays so until this engine hears of that one.
    Superseded(Generation),
    Restore(Cause),
    Fresh,
}

/// One request to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Intent {
    DryRun(ObjectKey),
    Apply(ObjectKey, Cause),
    Handoff(ObjectKey),
    /// What others added, ahead of a write for this cause.
    Seize(ObjectKey, Vec<Foreign>, Cause),
    Replace(ObjectKey),
    /// Delete an autoscaler ahead of the Deployment that takes its replicas back.
    Prune(ObjectKey),
}

impl Trouble {
    /// Waiting is not expected to help, or did not.
    pub(super) fn is_settled(&self) -> bool {
        !self.passing || self.attempts >= PATIENCE
    }
}

impl Engine {
    pub(super) fn condition(&self, key: &ObjectKey, wanted: &Wanted) -> Condition {
        if self.has_run(wanted) {
            return Condition::Clean;
        }
        let entry = self.inventory.get(key);
        let state = self.state();
        match drift::condition(self.live.get(key), entry, state.object(wanted)) {
            // A Job of this name runs what is wanted; what else differs in it cannot be changed.
            Condition::Outdated if wanted.release.is_some() => Condition::Clean,
            condition @ (Condition::Clean | Condition::Absent | Condition::Deleting) => condition,
            condition @ (Condition::Outdated
            | Condition::Unrecorded
            | Condition::Moved
            | Condition::Superseded(_)) => self
                .superseding(key)
                .filter(|_| !self.begins_anew(key, wanted))
                .map_or(condition, Condition::Superseded),
        }
    }

    /// A release that completed once, whichever Job it was.
    pub(super) fn has_run(&self, wanted: &Wanted) -> bool {
        let runs = wanted.release.as_ref();
        runs.is_some_and(|runs| self.inventory.has_run(&wanted.unit, runs))
    }

    /// The generation that wrote the live object, when it is newer than what this engine wants.
    pub(super) fn superseding(&self, key: &ObjectKey) -> Option<Generation> {
        let stamped = &self.live.get(key)?.stamps.provenance.generation;
        let stamped = Generation::new(stamped.as_ref()?.parse().ok()?);
        let own = self.desired.as_ref()?.index.generation;
        (stamped > own).then_some(stamped)
    }

    /// Generations count from the beginning again where the accepted state was lost: an accepted
    /// adoption says that the object's former stamp means nothing, until we have written it.
    fn begins_anew(&self, key: &ObjectKey, wanted: &Wanted) -> bool {
        let written = self
            .progress
            .get(key)
            .is_some_and(|progress| progress.written);
        let state = self.desired.as_ref();
        !written && state.is_some_and(|state| state.may_adopt(wanted.unit.project(), key))
    }

    pub(super) fn need(&self, state: &State, key: &ObjectKey) -> Need {
        let wanted = &state.objects[key];
        let had = self
            .progress
            .get(key)
            .is_some_and(|progress| progress.applied.as_ref() == Some(&wanted.digest));
        match self.condition(key, wanted) {
            Condition::Clean => self.need_of_clean(state, key),
            Condition::Deleting => Need::Later,
            Condition::Superseded(generation) => Need::Superseded(generation),
            Condition::Unrecorded => self.need_of_unrecorded(key),
            // Whatever the policy: nothing else would tell it, after a restart, from what was never made.
            Condition::Absent if had => Need::Restore(Cause::Drift(DriftKind::Deleted, None)),
            Condition::Moved => self.need_of_moved(state, key),
            Condition::Outdated if had => self.need_of_moved(state, key),
            Condition::Absent | Condition::Outdated => Need::Fresh,
        }
    }

    /// The requests that the unit could make now, most urgent first.
    pub(super) fn intents(&self, state: &State, unit: &UnitKey) -> Vec<Intent> {
        let keys = &state.units[unit];
        let mut intents = Vec::new();
        let mut fresh = Vec::new();
        for key in keys {
            match self.need(state, key) {
                Need::Restore(_) if self.is_to_replace(state, key) => {
                    if self.is_free(state, key) {
                        intents.push(Intent::Replace(key.clone()));
                    }
                }
                Need::Restore(cause) if self.is_free(state, key) => {
                    intents.push(self.correct(state, key, cause));
                }
                Need::Fresh => fresh.push(key),
                Need::Nothing
                | Need::Later
                | Need::Held(_)
                | Need::Superseded(_)
                | Need::Restore(_) => {}
            }
        }
        if fresh.is_empty() || !self.parent_passed(unit) {
            return intents;
        }
        let in_the_way: Vec<Intent> = fresh
            .iter()
            .filter(|key| self.is_free(state, key))
            .filter_map(|key| self.clear(state, key))
            .collect();
        if !in_the_way.is_empty() {
            intents.extend(in_the_way);
            return intents;
        }
        let unverified = self.unverified(state, unit, &fresh);
        if !unverified.is_empty() {
            let free = unverified
                .into_iter()
                .filter(|key| self.is_free(state, key));
            intents.extend(free.cloned().map(Intent::DryRun));
            return intents;
        }
        let wave = keys
            .iter()
            .find(|key| !self.is_through(state, key))
            .map(|key| state.objects[key].wave);
        let current = fresh
            .into_iter()
            .filter(|key| Some(state.objects[*key].wave) == wave && self.is_free(state, key));
        intents.extend(current.filter_map(|key| self.write(state, unit, key)));
        intents
    }

    /// Whether a request about the object may go now.
    fn is_free(&self, state: &State, key: &ObjectKey) -> bool {
        let trouble = self
            .progress
            .get(key)
            .and_then(|progress| progress.trouble.as_ref());
        !self.flight.is_busy(key)
            && self.inventory.is_durable(key)
            && trouble.is_none_or(|trouble| trouble.retry_at <= self.now)
            && self.has_namespace(state, key)
    }

    /// In a namespace that is missing or going, every write would fail.
    fn has_namespace(&self, state: &State, key: &ObjectKey) -> bool {
        let Some(namespace) = &key.namespace else {
            return true;
        };
        let namespace = ObjectKey::new("", "Namespace", None, namespace);
        !state.objects.contains_key(&namespace)
            || self.live.get(&namespace).is_some_and(|live| !live.deleting)
    }

    /// New content of a running service that no dry-run has accepted.
    fn unverified<'a>(
        &self,
        state: &State,
        unit: &UnitKey,
        fresh: &[&'a ObjectKey],
    ) -> Vec<&'a ObjectKey> {
        let runs = self.running.contains(unit);
        let accepted = |key: &ObjectKey| {
            let digest = &state.objects[key].digest;
            let verified = self
                .progress
                .get(key)
                .and_then(|known| known.verified.as_ref());
            verified == Some(digest) || state.is_verified(unit.project(), digest)
        };
        let fresh = fresh.iter().copied();
        fresh.filter(|key| runs && !accepted(key)).collect()
    }

    fn write(&self, state: &State, unit: &UnitKey, key: &ObjectKey) -> Option<Intent> {
        let manifest = state.manifest(&state.objects[key]);
        let live = self.live.get(key);
        if self.is_to_replace(state, key) {
            return Some(Intent::Replace(key.clone()));
        }
        if handoff::hold(key, manifest, live).is_some() {
            return Some(Intent::Handoff(key.clone()));
        }
        if handoff::is_deployment(key)
            && handoff::states_replicas(manifest)
            && let Some(autoscaler) = self.autoscaler_to_go(unit)
        {
            let free = self.leftover_is_free(autoscaler);
            let going = self.live.get(autoscaler).is_some_and(|live| live.deleting);
            return (free && !going).then(|| Intent::Prune(autoscaler.clone()));
        }
        if state.objects[key].release.is_some()
            && let Some(former) = self.release_to_end(unit)
        {
            let free = self.leftover_is_free(former);
            let going = self.live.get(former).is_some_and(|live| live.deleting);
            return (free && !going).then(|| Intent::Prune(former.clone()));
        }
        Some(Intent::Apply(key.clone(), Cause::Fresh))
    }

    /// The API server refused to change what lives, and an accepted plan lists it. Consent may have ended
    /// since the refusal.
    fn is_to_replace(&self, state: &State, key: &ObjectKey) -> bool {
        let refused = self.progress.get(key).is_some_and(|known| known.replace);
        let project = state.objects[key].unit.project();
        refused && state.may_replace(project, key) && self.live.get(key).is_some()
    }

    /// A release of the unit that still runs and that an accepted plan takes out: two at once would get
    /// into each other's way.
    fn release_to_end(&self, unit: &UnitKey) -> Option<&ObjectKey> {
        let leftovers = self.leftovers.iter();
        leftovers
            .filter(|(key, leftover)| is_job(key) && leftover.unit == *unit && leftover.consent)
            .map(|(key, _)| key)
            .find(|key| {
                self.live
                    .get(key)
                    .is_some_and(|live| !health::has_ended(live))
            })
    }

    /// A live autoscaler of the unit that an accepted plan deletes.
    pub(super) fn autoscaler_to_go(&self, unit: &UnitKey) -> Option<&ObjectKey> {
        self.leftovers
            .iter()
            .filter(|(key, leftover)| {
                handoff::is_autoscaler(key) && leftover.unit == *unit && leftover.consent
            })
            .map(|(key, _)| key)
            .find(|key| self.live.get(key).is_some())
    }

    fn parent_passed(&self, unit: &UnitKey) -> bool {
        unit.parent()
            .is_none_or(|parent| self.standings.get(&parent) == Some(&Standing::Passed))
    }

    fn gate(&self, key: &ObjectKey, wanted: &Wanted) -> Gate {
        if self.has_run(wanted) {
            return Gate::Open;
        }
        health::gate(key, self.live.get(key), self.rollouts.get(key))
    }

    /// Written and past its gate.
    fn is_through(&self, state: &State, key: &ObjectKey) -> bool {
        match self.need(state, key) {
            Need::Nothing | Need::Held(_) | Need::Superseded(_) => {
                self.gate(key, &state.objects[key]) == Gate::Open
            }
            Need::Later | Need::Restore(_) | Need::Fresh => false,
        }
    }

    pub(super) fn judge(&self, state: &State, unit: &UnitKey) -> Standing {
        let keys = &state.units[unit];
        let through = keys.iter().all(|key| self.is_through(state, key));
        if through {
            return Standing::Passed;
        }
        let parent = unit.parent().and_then(|parent| {
            let standing = self.standings.get(&parent).cloned();
            standing.map(|standing| (parent, standing))
        });
        match parent {
            Some((parent, Standing::Failed(reason))) => {
                return Standing::Failed(format!("waits for {}: {reason}", own_objects(&parent)));
            }
            Some((_, Standing::Waiting | Standing::Moving(_))) => return Standing::Waiting,
            Some((_, Standing::Passed)) | None => {}
        }
        keys.iter()
            .find_map(|key| self.failure(state, key))
            .map_or_else(|| self.motion(state, keys), Standing::Failed)
    }

    /// Why the object keeps its unit from passing, if waiting does not help.
    fn failure(&self, state: &State, key: &ObjectKey) -> Option<String> {
        let wanted = &state.objects[key];
        match self.need(state, key) {
            Need::Nothing | Need::Held(_) | Need::Superseded(_) => match self.gate(key, wanted) {
                Gate::Failed(reason) => Some(reason),
                Gate::Open | Gate::Waiting(_) => None,
            },
            Need::Later => None,
            Need::Restore(_) | Need::Fresh => {
                let blocked = handoff::is_deployment(key)
                    .then(|| self.autoscaler_to_go(&wanted.unit))
                    .flatten()
                    .and_then(|autoscaler| {
                        let reason = self.leftovers.get(autoscaler)?.settled_reason()?;
                        Some(describe(autoscaler, &reason))
                    });
                let progress = self.progress.get(key);
                progress
                    .and_then(|progress| progress.trouble.as_ref())
                    .filter(|trouble| trouble.is_settled())
                    .map(|trouble| describe(key, &trouble.reason))
                    .or(blocked)
            }
        }
    }

    /// What the unit waits for.
    fn motion(&self, state: &State, keys: &[ObjectKey]) -> Standing {
        let first = keys.iter().find(|key| !self.is_through(state, key));
        let Some(key) = first else {
            return Standing::Passed;
        };
        let trouble = self
            .progress
            .get(key)
            .and_then(|progress| progress.trouble.as_ref());
        Standing::Moving(match (self.need(state, key), trouble) {
            (Need::Nothing | Need::Held(_) | Need::Superseded(_), _) => {
                match self.gate(key, &state.objects[key]) {
                    Gate::Waiting(reason) | Gate::Failed(reason) => reason,
                    Gate::Open => String::new(),
                }
            }
            (Need::Later, _) => format!("waits until {} {} is gone", key.kind, key.name),
            (Need::Restore(_) | Need::Fresh, Some(trouble)) => describe(key, &trouble.reason),
            (Need::Restore(_) | Need::Fresh, None) => format!("writing {} {}", key.kind, key.name),
        })
    }
}

fn is_job(key: &ObjectKey) -> bool {
    gate_kind(key) == GateKind::Complete
}

/// `Deployment web--production: …`.
pub(super) fn describe(key: &ObjectKey, what: &str) -> String {
    format!("{} {}: {what}", key.kind, key.name)
}

fn own_objects(unit: &UnitKey) -> String {
    match unit {
        UnitKey::Project(_) => "the project's own objects".to_owned(),
        UnitKey::Environment(_, name) => format!("the own objects of environment {name}"),
        UnitKey::Service(..) => "the service".to_owned(),
    }
}
