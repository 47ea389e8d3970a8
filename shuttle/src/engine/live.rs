//! The live objects that carry our label, as watches and answers tell them.
//!
//! Pure. Always holds: an older version never replaces a newer one, however late it comes; what a
//! finished LIST did not contain and nobody told since it began is gone.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::ObjectKey;

use super::io::{Gone, KindName, Observed};
use crate::kinds;

#[derive(Debug, Clone, Default)]
pub(super) struct Live {
    objects: BTreeMap<ObjectKey, Seen>,
    /// Counts LISTs; an object that was told since a LIST began bears a later number.
    epoch: u64,
    lists: BTreeMap<KindName, u64>,
    synced: BTreeSet<KindName>,
}

#[derive(Debug, Clone)]
struct Seen {
    object: Observed,
    epoch: u64,
}

/// What an observation was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// Older than what is known, or the same version.
    Nothing,
    Changed,
    /// It is not ours any more; it was, under this uid.
    Disowned(String),
}

impl Live {
    pub(super) fn get(&self, key: &ObjectKey) -> Option<&Observed> {
        self.objects.get(key).map(|seen| &seen.object)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Observed> {
        self.objects.values().map(|seen| &seen.object)
    }

    pub(super) fn observe(&mut self, mut object: Observed) -> News {
        if let Some(known) = self.get(&object.key)
            && is_older(&object.resource_version, &known.resource_version)
        {
            return News::Nothing;
        }
        if !object.owner.managed {
            return match self.objects.remove(&object.key) {
                Some(known) => News::Disowned(known.object.uid),
                None => News::Nothing,
            };
        }
        let epoch = self.epoch;
        if let Some(known) = self.objects.get_mut(&object.key)
            && known.object.uid == object.uid
            && known.object.resource_version == object.resource_version
        {
            known.epoch = epoch;
            return News::Nothing;
        }
        // A deletion never ends but in absence; an event from before it may still come.
        object.deleting |= self
            .get(&object.key)
            .is_some_and(|known| known.deleting && known.uid == object.uid);
        self.objects
            .insert(object.key.clone(), Seen { object, epoch });
        News::Changed
    }

    /// Whether the object was known under this uid; a disappearance of another one is old news.
    pub(super) fn forget(&mut self, gone: &Gone) -> bool {
        let known = self.get(&gone.key).is_some_and(|live| live.uid == gone.uid);
        if known {
            self.objects.remove(&gone.key);
        }
        known
    }

    /// The API server has accepted a deletion: until a watch says more, the object is going.
    pub(super) fn going(&mut self, key: &ObjectKey, uid: &str) {
        if let Some(seen) = self.objects.get_mut(key)
            && seen.object.uid == uid
        {
            seen.object.deleting = true;
        }
    }

    pub(super) fn begin_list(&mut self, kind: KindName) {
        self.epoch += 1;
        self.lists.insert(kind, self.epoch);
    }

    /// Forgets the objects of this kind that the LIST did not show, and tells them.
    pub(super) fn end_list(&mut self, kind: KindName) -> Vec<Gone> {
        let begun = self.lists.remove(&kind).unwrap_or_default();
        let missing: Vec<Gone> = self
            .objects
            .values()
            .filter(|seen| seen.epoch < begun && KindName::of(&seen.object.key) == kind)
            .map(|seen| Gone {
                key: seen.object.key.clone(),
                uid: seen.object.uid.clone(),
            })
            .collect();
        for gone in &missing {
            self.objects.remove(&gone.key);
        }
        self.synced.insert(kind);
        missing
    }

    /// Every watched kind was listed once.
    pub(super) fn is_complete(&self) -> bool {
        kinds::watched().all(|row| {
            self.synced
                .iter()
                .any(|kind| kind.group == row.group && kind.kind == row.kind)
        })
    }
}

/// Versions that are not numbers cannot be compared: the later told one holds.
fn is_older(version: &str, than: &str) -> bool {
    match (version.parse::<u64>(), than.parse::<u64>()) {
        (Ok(version), Ok(than)) => version < than,
        (Ok(_) | Err(_), Err(_)) | (Err(_), Ok(_)) => false,
    }
}
