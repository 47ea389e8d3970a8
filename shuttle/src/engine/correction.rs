//! What is put right of what others did to an object, and what is left as it is.
//!
//! Pure. Always holds: additions are seized before the object is written, for an apply neither takes them
//! out nor, at times, goes through beside them; what is held costs no request. Read on in `drift.rs` for the
//! policy by manager, in `ownership.rs` for the sets of fields.

use starform_contract::{ObjectKey, report::DriftKind, state::DriftPolicy};

use super::{
    Engine,
    desired::State,
    drift::{self, Cause},
    flight::Task,
    io::{Failure, Foreign, Millis, Observed, Request},
    unit::{Intent, Need},
};

/// Why what others did to an object stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// A person has it left alone for a while.
    BreakGlass,
    /// The environment says `drift report`.
    Reported,
    /// The same manager keeps taking it back; until then.
    Contested(Millis),
}

/// What went over to us and is taken out by the next write.
#[derive(Debug, Clone)]
pub(super) struct Seized {
    pub(super) from: Vec<Foreign>,
    /// Why it was to be written.
    cause: Cause,
}

impl Engine {
    /// Nobody took a field of ours; somebody may have added others.
    pub(super) fn need_of_clean(&self, state: &State, key: &ObjectKey) -> Need {
        let wanted = &state.objects[key];
        let live = self.live.get(key);
        let ours = live.is_some_and(|live| live.stamps.digest.as_ref() == Some(&wanted.digest));
        if !ours || self.has_run(wanted) || self.superseding(key).is_some() {
            return Need::Nothing;
        }
        let additions = self.additions(state, key);
        if additions.is_empty() {
            return Need::Nothing;
        }
        if let Some(hold) = self.hold(state, key) {
            return Need::Held(hold);
        }
        let contested = additions
            .iter()
            .map(|addition| self.contested(state, key, Some(&addition.manager)));
        match contested.min().flatten() {
            Some(until) => Need::Held(Hold::Contested(until)),
            None => Need::Restore(Cause::Drift(DriftKind::Added, None)),
        }
    }

    /// Somebody took or removed fields of ours.
    pub(super) fn need_of_moved(&self, state: &State, key: &ObjectKey) -> Need {
        if let Some(hold) = self.hold(state, key) {
            return Need::Held(hold);
        }
        let object = state.object(&state.objects[key]);
        let seized = self.progress.get(key);
        if let Some(seized) = seized.and_then(|progress| progress.seized.as_ref()) {
            let taker = drift::taker(self.live.get(key), object);
            let changed = taker.map(|by| Cause::Drift(DriftKind::Changed, Some(by)));
            return Need::Restore(changed.unwrap_or_else(|| seized.cause.clone()));
        }
        let by = drift::suspect(self.live.get(key), object);
        let manager = by.as_ref().map(|foreign| foreign.manager.as_str());
        match self.contested(state, key, manager) {
            // What people add meanwhile is not left with it.
            Some(until) if self.seizable(state, key).is_empty() => {
                Need::Held(Hold::Contested(until))
            }
            Some(_) | None => Need::Restore(Cause::Drift(DriftKind::Changed, by)),
        }
    }

    /// What was written last is not known; what was changed since is not either.
    pub(super) fn need_of_unrecorded(&self, key: &ObjectKey) -> Need {
        match self.suspended_until(key) {
            Some(_) => Need::Held(Hold::BreakGlass),
            None => Need::Restore(Cause::Record),
        }
    }

    /// Writes the object, once nothing that others added is in the way.
    pub(super) fn correct(&self, state: &State, key: &ObjectKey, cause: Cause) -> Intent {
        let seizable = self.seizable(state, key);
        if seizable.is_empty() {
            return Intent::Apply(key.clone(), cause);
        }
        Intent::Seize(key.clone(), seizable, cause)
    }

    /// What keeps new content from being written whole.
    pub(super) fn clear(&self, state: &State, key: &ObjectKey) -> Option<Intent> {
        let seizable = self.seizable(state, key);
        (!seizable.is_empty()).then(|| Intent::Seize(key.clone(), seizable, Cause::Fresh))
    }

    /// Additions that are not left.
    pub(super) fn seizable(&self, state: &State, key: &ObjectKey) -> Vec<Foreign> {
        let owned = self.live.get(key).is_some_and(|live| live.own.is_some());
        if !owned || self.hold(state, key).is_some() {
            return Vec::new();
        }
        let mut additions = self.additions(state, key);
        additions.retain(|addition| {
            let manager = Some(addition.manager.as_str());
            self.contested(state, key, manager).is_none()
        });
        additions
    }

    pub(super) fn additions(&self, state: &State, key: &ObjectKey) -> Vec<Foreign> {
        let object = state.object(&state.objects[key]);
        let live = self.live.get(key);
        live.map(|live| drift::additions(live, object))
            .unwrap_or_default()
    }

    /// Whatever others did to the object, and whoever they are.
    fn hold(&self, state: &State, key: &ObjectKey) -> Option<Hold> {
        if self.suspended_until(key).is_some() {
            return Some(Hold::BreakGlass);
        }
        match state.drift_policy(&state.objects[key].unit) {
            DriftPolicy::Report => Some(Hold::Reported),
            DriftPolicy::Correct => None,
        }
    }

    fn contested(&self, state: &State, key: &ObjectKey, manager: Option<&str>) -> Option<Millis> {
        let people = &state.index.people;
        let takes = &self.progress.get(key)?.takes;
        takes.contested_until(manager, people, self.now)
    }

    pub(super) fn seize(&mut self, key: ObjectKey, from: Vec<Foreign>, cause: Cause) {
        let request = Request::Seize {
            key: key.clone(),
            from: from.clone(),
        };
        self.send(Task::Seize { key, from, cause }, request);
    }

    /// The object is written next; that tells what was added.
    pub(super) fn seized(
        &mut self,
        key: &ObjectKey,
        from: Vec<Foreign>,
        cause: Cause,
        result: Result<Observed, Failure>,
    ) {
        match result {
            Ok(object) => {
                self.observe(object);
                let progress = self.progress.entry(key.clone()).or_default();
                progress.trouble = None;
                progress.seized = Some(Seized { from, cause });
            }
            Err(failure) => self.failed(key, &failure, true),
        }
    }

    /// What the write that is through has put right.
    pub(super) fn corrected(&mut self, key: &ObjectKey, cause: &Cause) {
        let now = self.now;
        let progress = self.progress.entry(key.clone()).or_default();
        let seized = progress.seized.take();
        let added = seized.into_iter().flat_map(|seized| seized.from);
        let mut told: Vec<(DriftKind, Option<Foreign>)> = match cause {
            Cause::Drift(DriftKind::Added, _) | Cause::Fresh | Cause::Record => Vec::new(),
            Cause::Drift(kind @ (DriftKind::Changed | DriftKind::Deleted), by) => {
                vec![(*kind, by.clone())]
            }
        };
        told.extend(added.map(|foreign| (DriftKind::Added, Some(foreign))));
        let takes = told.iter().filter(|(kind, _)| match kind {
            DriftKind::Changed | DriftKind::Added => true,
            DriftKind::Deleted => false,
        });
        let mut managers: Vec<Option<&str>> = takes
            .map(|(_, by)| by.as_ref().map(|by| by.manager.as_str()))
            .collect();
        managers.dedup();
        for manager in managers {
            progress.takes.count(manager, now);
        }
        let Some(unit) = self.unit_of(key) else {
            return;
        };
        for (kind, by) in told {
            let drift = drift::corrected(key, kind, by.as_ref());
            self.reporting.drift(&unit, &drift);
        }
    }
}
