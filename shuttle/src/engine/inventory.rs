//! What we wrote or are about to write, sharded so that each part fits one ConfigMap.
//!
//! Pure. Always holds: an object is not written before the stored inventory names it; an entry goes
//! only by [`Inventory::remove`], after its object's absence was confirmed, and that of a completed
//! release stays on as a memory, stored before its Job goes. It changes when objects come, go or change
//! their field set, so an image change costs no write here.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{Digest, Generation, ObjectKey};

use super::{
    io::{Done, FieldsDigest, InventoryEntry, InventoryShard, Millis},
    order::UnitKey,
};

/// Bytes of JSON in one shard.
const SHARD_BYTES: usize = 100_000;
/// What is not needed before a write is stored this long after it changed, or sooner when idle.
const BUSY_DELAY: Millis = Millis::from_secs(10);
const IDLE_DELAY: Millis = Millis::from_secs(1);
/// Completed releases of one service that are remembered without their Jobs: whoever goes back to one
/// of them does not run it again.
const REMEMBERED: usize = 10;

#[derive(Debug, Clone, Default)]
pub(super) struct Inventory {
    shards: BTreeMap<u16, Shard>,
    places: BTreeMap<ObjectKey, u16>,
    /// What releases of a service have completed, by the Job that did.
    releases: BTreeMap<UnitKey, BTreeMap<ObjectKey, Done>>,
}

#[derive(Debug, Clone, Default)]
struct Shard {
    entries: BTreeMap<ObjectKey, InventoryEntry>,
    bytes: usize,
    /// Keys that no stored version holds, or not as completed releases: something waits for each.
    fresh: BTreeSet<ObjectKey>,
    /// Those of the version that is being stored.
    sending: BTreeSet<ObjectKey>,
    in_flight: bool,
    dirty_since: Option<Millis>,
    attempts: u32,
    retry_at: Millis,
}

impl Inventory {
    pub(super) fn load(stored: Vec<InventoryShard>) -> Self {
        let mut inventory = Self::default();
        for InventoryShard { number, entries } in stored {
            let bytes = entries.iter().map(|(key, entry)| size(key, entry)).sum();
            inventory
                .places
                .extend(entries.keys().map(|key| (key.clone(), number)));
            let shard = Shard {
                entries,
                bytes,
                ..Shard::default()
            };
            inventory.shards.insert(number, shard);
        }
        let done: Vec<(ObjectKey, UnitKey, Done)> = inventory
            .iter()
            .filter_map(|(key, entry)| Some((key.clone(), unit_of(entry)?, entry.done.clone()?)))
            .collect();
        for (key, unit, done) in done {
            inventory
                .releases
                .entry(unit)
                .or_default()
                .insert(key, done);
        }
        inventory
    }

    pub(super) fn get(&self, key: &ObjectKey) -> Option<&InventoryEntry> {
        self.shards.get(self.places.get(key)?)?.entries.get(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&ObjectKey, &InventoryEntry)> {
        self.places
            .keys()
            .filter_map(|key| Some((key, self.get(key)?)))
    }

    /// Whether what a Job did is known without it: it has not completed, or the stored inventory says
    /// that it has.
    pub(super) fn remembers(&self, key: &ObjectKey) -> bool {
        let completed = self.get(key).is_some_and(|entry| entry.done.is_some());
        !completed || self.is_durable(key)
    }

    /// The stored inventory names it, so that it may be written.
    pub(super) fn is_durable(&self, key: &ObjectKey) -> bool {
        let shard = self
            .places
            .get(key)
            .and_then(|number| self.shards.get(number));
        shard.is_some_and(|shard| !shard.fresh.contains(key) && !shard.sending.contains(key))
    }

    /// Writes a key ahead; a known one stays as it is.
    pub(super) fn add(&mut self, key: &ObjectKey, entry: InventoryEntry, now: Millis) {
        if self.places.contains_key(key) {
            return;
        }
        // Room for what is learned later: uid and fields digest.
        let bytes = size(key, &entry) + 120;
        let fits = |shard: &Shard| shard.bytes + bytes <= SHARD_BYTES;
        let open = self.shards.iter().find(|(_, shard)| fits(shard));
        let number = open.map_or_else(
            || self.shards.last_key_value().map_or(0, |(last, _)| last + 1),
            |(number, _)| *number,
        );
        let shard = self.shards.entry(number).or_default();
        shard.bytes += bytes;
        shard.fresh.insert(key.clone());
        shard.entries.insert(key.clone(), entry);
        shard.dirty_since.get_or_insert(now);
        self.places.insert(key.clone(), number);
    }

    /// After a write: whose object it was and which fields we own now.
    pub(super) fn record(
        &mut self,
        key: &ObjectKey,
        uid: &str,
        fields: &FieldsDigest,
        now: Millis,
    ) {
        self.change(key, now, |entry| {
            entry.uid = Some(uid.to_owned());
            entry.fields = Some(fields.clone());
        });
    }

    /// A release Job completed; the first time counts. It is stored at once: until then the Job alone
    /// tells of it.
    pub(super) fn complete(&mut self, key: &ObjectKey, done: Done, now: Millis) {
        let Some(entry) = self.get(key).filter(|entry| entry.done.is_none()) else {
            return;
        };
        let unit = unit_of(entry);
        self.change(key, now, |entry| entry.done = Some(done.clone()));
        let shard = self.places.get(key);
        if let Some(shard) = shard.and_then(|number| self.shards.get_mut(number)) {
            shard.fresh.insert(key.clone());
        }
        if let Some(unit) = unit {
            let releases = self.releases.entry(unit).or_default();
            releases.entry(key.clone()).or_insert(done);
        }
    }

    /// A release of the unit that did just this completed.
    pub(super) fn has_run(&self, unit: &UnitKey, runs: &Digest) -> bool {
        let releases = self.releases.get(unit);
        releases.is_some_and(|releases| releases.values().any(|done| done.runs == *runs))
    }

    /// The object is gone for certain. Of a completed release the newest stay remembered.
    pub(super) fn remove(&mut self, key: &ObjectKey, now: Millis) {
        let Some(unit) = self
            .get(key)
            .filter(|entry| entry.done.is_some())
            .and_then(unit_of)
        else {
            return self.drop_entry(key, now);
        };
        self.change(key, now, |entry| {
            entry.uid = None;
            entry.fields = None;
        });
        let mut remembered: Vec<(Generation, ObjectKey)> = self
            .releases
            .get(&unit)
            .into_iter()
            .flatten()
            .filter(|(key, _)| self.get(key).is_some_and(InventoryEntry::is_memory))
            .map(|(key, done)| (done.generation, key.clone()))
            .collect();
        remembered.sort();
        let surplus = remembered.len().saturating_sub(REMEMBERED);
        for (_, oldest) in remembered.drain(..surplus) {
            self.drop_entry(&oldest, now);
        }
    }

    /// Nobody comes back to the releases of services that are gone for good.
    pub(super) fn forget_releases(&mut self, is_gone: impl Fn(&UnitKey) -> bool, now: Millis) {
        let gone: Vec<ObjectKey> = self
            .iter()
            .filter(|(_, entry)| entry.is_memory())
            .filter(|(_, entry)| unit_of(entry).is_some_and(|unit| is_gone(&unit)))
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            self.drop_entry(&key, now);
        }
    }

    fn drop_entry(&mut self, key: &ObjectKey, now: Millis) {
        let unit = self.get(key).and_then(unit_of);
        if let Some(releases) = unit.and_then(|unit| self.releases.get_mut(&unit)) {
            releases.remove(key);
        }
        let Some(shard) = self
            .places
            .remove(key)
            .and_then(|number| self.shards.get_mut(&number))
        else {
            return;
        };
        if let Some(entry) = shard.entries.remove(key) {
            shard.bytes = shard.bytes.saturating_sub(size(key, &entry));
        }
        shard.fresh.remove(key);
        shard.dirty_since.get_or_insert(now);
    }

    /// A shard to store now.
    pub(super) fn due(&mut self, now: Millis, quiet: bool) -> Option<InventoryShard> {
        let number = self
            .shards
            .iter()
            .find(|(_, shard)| shard.due_at(quiet).is_some_and(|due| due <= now))
            .map(|(number, _)| *number)?;
        let shard = self.shards.get_mut(&number)?;
        shard.in_flight = true;
        shard.dirty_since = None;
        shard.sending = std::mem::take(&mut shard.fresh);
        Some(InventoryShard {
            number,
            entries: shard.entries.clone(),
        })
    }

    /// When [`Inventory::due`] has something next.
    pub(super) fn due_at(&self, quiet: bool) -> Option<Millis> {
        let due = self.shards.values().filter_map(|shard| shard.due_at(quiet));
        due.min()
    }

    /// Whether keys became durable by it.
    pub(super) fn stored(&mut self, number: u16) -> bool {
        let Some(shard) = self.shards.get_mut(&number) else {
            return false;
        };
        shard.in_flight = false;
        shard.attempts = 0;
        !std::mem::take(&mut shard.sending).is_empty()
    }

    /// Nothing was stored; `delay` says how long to wait after the given attempt.
    pub(super) fn not_stored(
        &mut self,
        number: u16,
        now: Millis,
        delay: impl FnOnce(u32) -> Millis,
    ) {
        if let Some(shard) = self.shards.get_mut(&number) {
            shard.in_flight = false;
            shard.attempts += 1;
            shard.retry_at = now.plus(delay(shard.attempts));
            let sending = std::mem::take(&mut shard.sending);
            let entries = &shard.entries;
            shard
                .fresh
                .extend(sending.into_iter().filter(|key| entries.contains_key(key)));
            shard.dirty_since.get_or_insert(now);
        }
    }

    pub(super) fn is_stored(&self) -> bool {
        self.shards
            .values()
            .all(|shard| shard.dirty_since.is_none() && !shard.in_flight)
    }

    fn change(&mut self, key: &ObjectKey, now: Millis, change: impl FnOnce(&mut InventoryEntry)) {
        let shard = self
            .places
            .get(key)
            .and_then(|number| self.shards.get_mut(number));
        let Some(shard) = shard else { return };
        let Some(entry) = shard.entries.get_mut(key) else {
            return;
        };
        let before = entry.clone();
        change(entry);
        if *entry != before {
            shard.dirty_since.get_or_insert(now);
        }
    }
}

impl Shard {
    fn due_at(&self, quiet: bool) -> Option<Millis> {
        let since = self.dirty_since.filter(|_| !self.in_flight)?;
        let wait = if !self.fresh.is_empty() {
            Millis::default()
        } else if quiet {
            IDLE_DELAY
        } else {
            BUSY_DELAY
        };
        Some(since.plus(wait).max(self.retry_at))
    }
}

impl InventoryEntry {
    /// Only what a release did is left of it.
    pub(super) fn is_memory(&self) -> bool {
        self.uid.is_none() && self.done.is_some()
    }
}

/// Where the object belongs.
pub(super) fn unit_of(entry: &InventoryEntry) -> Option<UnitKey> {
    UnitKey::of(
        Some(entry.project),
        entry.environment.as_deref(),
        entry.service,
    )
}

/// Bytes of the entry as a member of the shard's JSON.
fn size(key: &ObjectKey, entry: &InventoryEntry) -> usize {
    let entry = serde_json::to_vec(entry).expect("an entry is JSON");
    key.to_string().len() + entry.len() + 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use starform_contract::{ProjectId, ProjectName};

    fn filled(count: usize) -> Inventory {
        let mut inventory = Inventory::default();
        for number in 0..count {
            let entry = InventoryEntry {
                project: ProjectId::local(&ProjectName::new("shop").unwrap()),
                environment: Some("production".to_owned()),
                service: None,
                uid: None,
                fields: None,
                done: None,
            };
            inventory.add(&key(number), entry, Millis(0));
        }
        inventory
    }

    fn key(number: usize) -> ObjectKey {
        let name = format!("service-{number}--production");
        ObjectKey::new("apps", "Deployment", Some("sf-shop-12345678"), &name)
    }

    #[test]
    fn no_shard_outgrows_its_limit_when_everything_is_known() {
        let mut inventory = filled(3000);
        let fields = FieldsDigest("0".repeat(32));
        for number in 0..3000 {
            let uid = "6f1c3c5e-0c4b-4f0e-9c2f-7a1d3b5e9f00";
            inventory.record(&key(number), uid, &fields, Millis(0));
        }
        let mut shards = Vec::new();
        while let Some(shard) = inventory.due(Millis(0), true) {
            shards.push(shard);
        }
        let largest = shards
            .iter()
            .map(|shard| serde_json::to_vec(shard).unwrap().len());
        assert!(largest.max().unwrap() <= SHARD_BYTES);
        assert!(shards.len() < 15, "{} shards", shards.len());
        let entries: usize = shards.iter().map(|shard| shard.entries.len()).sum();
        assert_eq!(entries, 3000);
        assert_eq!(Inventory::load(shards).iter().count(), 3000);
    }

    #[test]
    fn a_key_is_durable_only_once_it_is_stored() {
        let mut inventory = filled(1);
        assert!(!inventory.is_durable(&key(0)));
        let shard = inventory.due(Millis(0), false).unwrap();
        assert!(!inventory.is_durable(&key(0)));
        inventory.not_stored(shard.number, Millis(0), |_| Millis(100));
        assert!(inventory.due(Millis(99), false).is_none());
        assert!(!inventory.is_durable(&key(0)));
        let shard = inventory.due(Millis(100), false).unwrap();
        assert!(inventory.stored(shard.number));
        assert!(inventory.is_durable(&key(0)));
    }

    #[test]
    fn what_is_learned_waits_for_a_quiet_moment() {
        let mut inventory = filled(1);
        let shard = inventory.due(Millis(0), false).unwrap();
        inventory.stored(shard.number);
        let fields = FieldsDigest("0".repeat(32));
        inventory.record(&key(0), "uid", &fields, Millis(5));
        assert_eq!(inventory.due_at(false), Some(Millis(5).plus(BUSY_DELAY)));
        assert_eq!(inventory.due_at(true), Some(Millis(5).plus(IDLE_DELAY)));
        assert!(inventory.due(Millis(6), true).is_none());
        assert!(inventory.due(Millis(1005), true).is_some());
        assert!(!inventory.is_stored());
    }
}
