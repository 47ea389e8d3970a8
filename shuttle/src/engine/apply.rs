//! Turns what a unit needs into requests, and answers into what is known.
//!
//! Pure. Always holds: what a write left behind (uid, our fields) is recorded from its own answer; an
//! object that is not ours, by its labels or its uid, is not taken over unless an accepted plan adopts it.

use std::sync::Arc;

use starform_contract::{Digest, ObjectKey, report::Outcome};

use super::{
    Engine,
    agenda::Timer,
    backoff,
    desired::{self, State},
    drift::{self, Cause, Condition},
    flight::{Task, Write},
    handoff,
    io::{Apply, Failure, FieldManager, Gone, Observed, Provenance, Request},
    leftover, order,
    unit::{Intent, Trouble},
};

impl Engine {
    pub(super) fn perform(&mut self, state: &State, intent: Intent) {
        match intent {
            Intent::DryRun(key) => self.dry_run(state, key),
            Intent::Apply(key, cause) => self.apply(state, key, cause),
            Intent::Handoff(key) => self.hand_off(state, key),
            Intent::Seize(key, from, cause) => self.seize(key, from, cause),
            Intent::Replace(key) => self.delete_to_replace(key),
            Intent::Prune(key) => self.prune(&key),
        }
    }

    fn dry_run(&mut self, state: &State, key: ObjectKey) {
        let digest = state.objects[&key].digest.clone();
        let apply = self.request(state, &key, true);
        let write = Write {
            key,
            digest,
            cause: Cause::Fresh,
            forced: apply.force,
        };
        self.send(Task::DryRun(write), Request::Apply(apply));
    }

    fn apply(&mut self, state: &State, key: ObjectKey, cause: Cause) {
        let digest = state.objects[&key].digest.clone();
        let apply = self.request(state, &key, false);
        let write = Write {
            key,
            digest,
            cause,
            forced: apply.force,
        };
        self.send(Task::Apply(write), Request::Apply(apply));
    }

    fn request(&self, state: &State, key: &ObjectKey, dry_run: bool) -> Apply {
        let wanted = &state.objects[key];
        let provenance = self.provenance(state, key);
        Apply {
            key: key.clone(),
            manifest: Arc::new(desired::stamped(state.object(wanted), &provenance)),
            manager: FieldManager::Shuttle,
            force: self.is_ours(state, key),
            dry_run,
            sealed: state.sealed(wanted).map(Arc::new),
        }
    }

    /// The latest accepted plan, or where the object came from before all plans were finished.
    fn provenance(&self, state: &State, key: &ObjectKey) -> Provenance {
        state
            .provenance(&state.objects[key].unit)
            .or_else(|| Some(self.progress.get(key)?.provenance.clone()))
            .unwrap_or_default()
    }

    /// Without it an apply does not take over what another manager states. That an object of this name
    /// was written once is not enough: somebody may have made another one in its place.
    fn is_ours(&self, state: &State, key: &ObjectKey) -> bool {
        let Some(wanted) = state.objects.get(key) else {
            return false;
        };
        let project = wanted.unit.project();
        let labelled = self
            .live
            .get(key)
            .is_some_and(|live| live.owner.project == Some(project));
        let recognized = self
            .progress
            .get(key)
            .is_some_and(|progress| progress.recognized);
        labelled || recognized || state.may_adopt(project, key)
    }

    fn hand_off(&mut self, state: &State, key: ObjectKey) {
        let manifest = state.manifest(&state.objects[&key]);
        let Some(hold) = handoff::hold(&key, manifest, self.live.get(&key)) else {
            return;
        };
        let apply = Apply {
            key: key.clone(),
            manifest: Arc::new(hold),
            manager: FieldManager::Handoff,
            force: true,
            dry_run: false,
            sealed: None,
        };
        self.send(Task::Handoff { key }, Request::Apply(apply));
    }

    fn delete_to_replace(&mut self, key: ObjectKey) {
        let Some(live) = self.live.get(&key) else {
            return;
        };
        if !self.is_of_ours(live) {
            let failure = Failure {
                code: Some(403),
                message: leftover::NOT_OF_OURS.to_owned(),
                ..Failure::default()
            };
            return self.failed(&key, &failure, true);
        }
        let uid = live.uid.clone();
        let request = Request::Delete {
            key: key.clone(),
            uid: uid.clone(),
        };
        self.send(Task::Replace { key, uid }, request);
    }

    pub(super) fn dry_ran(&mut self, write: Write, result: Result<(), Failure>) {
        let Write {
            key,
            digest,
            cause: _,
            forced,
        } = write;
        let key = &key;
        match result {
            Ok(()) => {
                let progress = self.progress.entry(key.clone()).or_default();
                progress.verified = Some(digest);
                progress.trouble = None;
            }
            Err(failure) if self.must_replace(key, &failure) => {
                // It is deleted and made anew, which a dry-run of the change cannot show.
                let progress = self.progress.entry(key.clone()).or_default();
                progress.verified = Some(digest);
                progress.trouble = None;
            }
            Err(failure) => self.refused(key, failure, forced),
        }
    }

    pub(super) fn applied(&mut self, write: Write, result: Result<Observed, Failure>) {
        let Write {
            key,
            digest,
            cause,
            forced,
        } = write;
        match result {
            Ok(object) => self.written(&key, digest, cause, object),
            Err(failure) if self.must_replace(&key, &failure) => {
                self.progress.entry(key).or_default().replace = true;
            }
            Err(failure) => self.refused(&key, failure, forced),
        }
    }

    /// Another manager states a field otherwise. Whose the object is shows its uid, where we wrote one of
    /// this name: without our labels no watch shows it.
    fn refused(&mut self, key: &ObjectKey, failure: Failure, forced: bool) {
        let conflict = failure.code == Some(409) && !forced;
        let entry = self.inventory.get(key);
        if conflict && entry.is_some_and(|entry| entry.uid.is_some()) {
            let key = key.clone();
            let request = Request::Get { key: key.clone() };
            self.send(Task::Recognize { key, failure }, request);
        } else {
            self.failed(key, &failure, forced);
        }
    }

    /// The answer of a GET about an object that refused what was to be written.
    pub(super) fn recognized(
        &mut self,
        key: &ObjectKey,
        conflict: &Failure,
        result: Result<Observed, Failure>,
    ) {
        match result {
            Ok(found) => {
                let uid = self.inventory.get(key).and_then(|entry| entry.uid.as_ref());
                let same = uid == Some(&found.uid);
                self.observe(found);
                let labelled = self.is_ours(&self.state(), key);
                if same {
                    self.progress.entry(key.clone()).or_default().recognized = true;
                } else if !labelled {
                    self.failed(key, conflict, false);
                }
            }
            // It went meanwhile: the next attempt makes it.
            Err(failure) if failure.code == Some(404) => self.failed(key, conflict, true),
            Err(failure) => self.failed(key, &failure, true),
        }
    }

    fn written(&mut self, key: &ObjectKey, digest: Digest, cause: Cause, object: Observed) {
        let now = self.now;
        if let Some(own) = &object.own {
            self.inventory.record(key, &object.uid, &own.fields, now);
        }
        let version = object.resource_version.clone();
        let provenance = object.stamps.provenance.clone();
        self.observe(object);
        let progress = self.progress.entry(key.clone()).or_default();
        progress.applied = Some(digest.clone());
        progress.provenance = provenance;
        progress.trouble = None;
        progress.replace = false;
        progress.recognized = false;
        progress.written = true;
        self.corrected(key, &cause);
        self.check_written(key, &digest, &version);
    }

    /// An API server that does not keep what it was given must not be asked for ever.
    fn check_written(&mut self, key: &ObjectKey, digest: &Digest, version: &str) {
        let state = self.state();
        let wanted = state.objects.get(key).map(|wanted| state.object(wanted));
        // Where something else is wanted by now, that is written next.
        let Some(wanted) = wanted.filter(|wanted| wanted.digest == *digest) else {
            return;
        };
        let live = self.live.get(key);
        let newest = live.is_some_and(|live| live.resource_version == version);
        let condition = drift::condition(live, self.inventory.get(key), wanted);
        let kept = match condition {
            Condition::Clean
            | Condition::Absent
            | Condition::Deleting
            | Condition::Superseded(_) => true,
            Condition::Outdated | Condition::Unrecorded | Condition::Moved => false,
        };
        if !kept && newest {
            let failure = Failure {
                code: Some(500),
                message: "the API server accepted it but did not keep it as it was sent; look for a mutating admission webhook on this kind".to_owned(),
                ..Failure::default()
            };
            self.failed(key, &failure, true);
        }
    }

    pub(super) fn handed_off(&mut self, key: &ObjectKey, result: Result<Observed, Failure>) {
        match result {
            Ok(object) => self.observe(object),
            Err(failure) => self.failed(key, &failure, true),
        }
    }

    pub(super) fn replaced(&mut self, key: &ObjectKey, uid: &str, result: Result<(), Failure>) {
        match result {
            Ok(()) => {
                self.live.going(key, uid);
                self.progress.entry(key.clone()).or_default().replace = false;
            }
            Err(failure) if failure.code == Some(404) => {
                let gone = Gone {
                    key: key.clone(),
                    uid: uid.to_owned(),
                };
                self.live.forget(&gone);
            }
            Err(failure) => self.failed(key, &failure, true),
        }
    }

    /// The API server calls a field immutable, the kind may be made anew, and a plan says so.
    fn must_replace(&self, key: &ObjectKey, failure: &Failure) -> bool {
        let state = self.state();
        !failure.immutable.is_empty()
            && order::replaceable(key)
            && state
                .objects
                .get(key)
                .is_some_and(|wanted| state.may_replace(wanted.unit.project(), key))
    }

    pub(super) fn failed(&mut self, key: &ObjectKey, failure: &Failure, forced: bool) {
        let now = self.now;
        let foreign = failure.code == Some(409) && !forced;
        let progress = self.progress.entry(key.clone()).or_default();
        let attempts = progress
            .trouble
            .as_ref()
            .map_or(1, |trouble| trouble.attempts + 1);
        let retry_at = now.plus(backoff::delay(&key.to_string(), attempts, failure));
        progress.trouble = Some(Trouble {
            attempts,
            retry_at,
            outcome: if foreign {
                Outcome::Conflict
            } else {
                Outcome::Failed
            },
            passing: !foreign && backoff::severity(failure) == backoff::Severity::Passing,
            reason: reason(failure, foreign),
        });
        if let Some(unit) = self.unit_of(key) {
            self.agenda.at(retry_at, Timer::Unit(unit));
        }
    }
}

fn reason(failure: &Failure, foreign: bool) -> String {
    let message = if failure.message.is_empty() {
        &failure.reason
    } else {
        &failure.message
    };
    if foreign {
        format!("it exists and belongs to others: {message}; delete it, or plan with its adoption")
    } else if !failure.immutable.is_empty() {
        format!("{message}; accept a plan that replaces the object, or give it another name")
    } else {
        message.clone()
    }
}
