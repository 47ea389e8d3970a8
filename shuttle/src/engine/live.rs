//! The live objects that carry our label, as watches and answers tell them.
//!
//! Pure. Always holds: an older version never replaces a newer one, however late it comes; what a
//! finished LIST did not contain and nobody told since it began is gone.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::ObjectKey;

use super::io::{Collection, Gone, Observed};
use crate::kinds;

#[derive(Debug, Clone, Default)]
pub(super) struct Live {
    objects: BTreeMap<ObjectKey, Seen>,
    /// Counts LISTs; an object that was told since a LIST began bears a later number.
    epoch: u64,
    lists: BTreeMap<Collection, u64>,
    synced: BTreeSet<Collection>,
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
        let epoch = self.epoch;
        if let Some(known) = self.objects.get_mut(&object.key)
            && is_older(&object.resource_version, &known.object.resource_version)
        {
            // A LIST that lags behind shows it all the same: it is not missing there.
            known.epoch = epoch;
            return News::Nothing;
        }
        if !object.owner.managed {
            return match self.objects.remove(&object.key) {
                Some(known) => News::Disowned(known.object.uid),
                None => News::Nothing,
            };
        }
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

    pub(super) fn begin_list(&mut self, collection: Collection) {
        self.epoch += 1;
        self.lists.insert(collection, self.epoch);
    }

    /// Forgets the objects that the LIST should have shown and did not, and tells them.
    pub(super) fn end_list(&mut self, collection: Collection) -> Vec<Gone> {
        let begun = self.lists.remove(&collection).unwrap_or_default();
        let missing: Vec<Gone> = self
            .objects
            .values()
            .filter(|seen| seen.epoch < begun && collection.covers(&seen.object.key))
            .map(|seen| Gone {
                key: seen.object.key.clone(),
                uid: seen.object.uid.clone(),
            })
            .collect();
        for gone in &missing {
            self.objects.remove(&gone.key);
        }
        self.synced.insert(collection);
        missing
    }

    /// A LIST that may not be made is not waited for.
    pub(super) fn give_up_list(&mut self, collection: Collection) {
        self.lists.remove(&collection);
        self.synced.insert(collection);
    }

    /// Everything that is watched was listed once; of what is watched in each namespace, these.
    pub(super) fn is_complete<'n>(&self, namespaces: impl Iterator<Item = &'n str>) -> bool {
        let everywhere = kinds::watched_everywhere().map(Collection::everywhere);
        let of_projects = namespaces.flat_map(|namespace| {
            kinds::watched_per_namespace()
                .map(move |kind| Collection::of_namespace(kind, namespace))
        });
        everywhere
            .chain(of_projects)
            .all(|collection| self.synced.contains(&collection))
    }
}

/// Whether a resourceVersion is from before another one. Versions that are not numbers cannot be compared: the
/// later told one holds.
pub(crate) fn is_older(version: &str, than: &str) -> bool {
    match (version.parse::<u64>(), than.parse::<u64>()) {
        (Ok(version), Ok(than)) => version < than,
        (Ok(_) | Err(_), Err(_)) | (Err(_), Ok(_)) => false,
    }
}
