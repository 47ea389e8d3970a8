//! Requests that are under way: which, for what, and how many more may go.
//!
//! Pure. Always holds: at most as many requests to the API server at once as [`Pace`] allows, at most one per object.

use std::collections::BTreeMap;

use starform_contract::{Digest, EnvironmentName, ObjectKey, ProjectId};

use super::{
    drift::Cause,
    io::{Failure, Foreign, Millis, RequestId},
    pace::Pace,
};

#[derive(Debug, Clone, Default)]
pub(super) struct Flight {
    last: u64,
    tasks: BTreeMap<RequestId, (Task, Millis)>,
    busy: BTreeMap<ObjectKey, RequestId>,
    used: usize,
    /// Objects that a watch called gone while a request about them was under way.
    lost: BTreeMap<ObjectKey, Lost>,
    pace: Pace,
}

/// What was under way and is not any more.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) task: Task,
    /// Its object was called gone meanwhile.
    pub(super) lost: Option<Lost>,
    /// Until when the API server wants nothing to begin.
    pub(super) pause: Option<Millis>,
}

/// Which object was gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lost {
    Uid(String),
    /// A LIST did not show any; one that was made and went in between has no known uid.
    Any,
}

/// Why a request was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Task {
    DryRun(Write),
    Apply(Write),
    Handoff {
        key: ObjectKey,
    },
    /// What others added goes over to us; why the object is written then.
    Seize {
        key: ObjectKey,
        from: Vec<Foreign>,
        cause: Cause,
    },
    Replace {
        key: ObjectKey,
        uid: String,
    },
    Prune {
        key: ObjectKey,
        uid: String,
    },
    Confirm {
        key: ObjectKey,
    },
    /// Whether the object that refused a write with this conflict is the one that we wrote before.
    Recognize {
        key: ObjectKey,
        failure: Failure,
    },
    /// The object is a Namespace.
    Survey {
        key: ObjectKey,
    },
    Pods {
        key: ObjectKey,
    },
    Inventory {
        shard: u16,
    },
    Report(ProjectId, EnvironmentName),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) key: ObjectKey,
    pub(super) digest: Digest,
    pub(super) cause: Cause,
    pub(super) forced: bool,
}

impl Task {
    /// The object that nothing else may be sent about meanwhile.
    fn object(&self) -> Option<&ObjectKey> {
        match self {
            Self::DryRun(Write { key, .. })
            | Self::Apply(Write { key, .. })
            | Self::Handoff { key }
            | Self::Seize { key, .. }
            | Self::Replace { key, .. }
            | Self::Prune { key, .. }
            | Self::Confirm { key }
            | Self::Recognize { key, .. }
            | Self::Survey { key } => Some(key),
            Self::Pods { .. } | Self::Inventory { .. } | Self::Report(..) => None,
        }
    }

    /// Whether it counts among those that [`Pace`] bounds.
    fn takes_slot(&self) -> bool {
        match self {
            Self::DryRun(_)
            | Self::Apply(_)
            | Self::Handoff { .. }
            | Self::Seize { .. }
            | Self::Replace { .. }
            | Self::Prune { .. }
            | Self::Confirm { .. }
            | Self::Recognize { .. }
            | Self::Survey { .. }
            | Self::Pods { .. } => true,
            Self::Inventory { .. } | Self::Report(..) => false,
        }
    }
}

impl Flight {
    pub(super) fn has_slot(&self, now: Millis) -> bool {
        self.pace.allows(self.used, now)
    }

    pub(super) fn begin(&mut self, task: Task, now: Millis) -> RequestId {
        self.last += 1;
        let id = RequestId(self.last);
        if let Some(key) = task.object() {
            self.busy.insert(key.clone(), id);
        }
        self.used += usize::from(task.takes_slot());
        self.tasks.insert(id, (task, now));
        id
    }

    /// `None` for an id that is not under way.
    pub(super) fn end(
        &mut self,
        id: RequestId,
        failure: Option<&Failure>,
        now: Millis,
    ) -> Option<Ended> {
        let (task, began) = self.tasks.remove(&id)?;
        let mut pause = None;
        if task.takes_slot() {
            self.used -= 1;
            let (last, took) = (RequestId(self.last), now.since(began));
            pause = self.pace.answered(id, last, took, failure, now);
        }
        let lost = task.object().and_then(|key| {
            self.busy.remove(key);
            self.lost.remove(key)
        });
        Some(Ended { task, lost, pause })
    }

    pub(super) fn is_busy(&self, key: &ObjectKey) -> bool {
        self.busy.contains_key(key)
    }

    /// Remembers a disappearance until the answer about the object is here.
    pub(super) fn lose(&mut self, key: &ObjectKey, uid: &str) {
        if self.is_busy(key) {
            self.lost.insert(key.clone(), Lost::Uid(uid.to_owned()));
        }
    }

    /// A LIST is complete: objects that it should have shown may be gone when their answers come.
    pub(super) fn doubt(&mut self, is_missing: impl Fn(&ObjectKey) -> bool) {
        for key in self.busy.keys().filter(|key| is_missing(key)) {
            self.lost.entry(key.clone()).or_insert(Lost::Any);
        }
    }

    /// A watch or a later LIST shows the object: what was said before of its disappearance is no doubt any
    /// more.
    pub(super) fn shown(&mut self, key: &ObjectKey, uid: &str) {
        let doubted = self.lost.get(key).is_some_and(|lost| match lost {
            Lost::Uid(lost) => lost == uid,
            Lost::Any => true,
        });
        if doubted {
            self.lost.remove(key);
        }
    }

    /// No request to the API server that is about objects.
    pub(super) fn is_quiet(&self) -> bool {
        self.used == 0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }
}
