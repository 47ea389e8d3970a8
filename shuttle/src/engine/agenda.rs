//! What has to be looked at: units and leftovers that something touched, and times that come.
//!
//! Pure. Always holds: what is on no list costs nothing; a tick with nothing due does nothing.

use std::collections::BTreeSet;

use starform_contract::ObjectKey;

use super::{io::Millis, order::UnitKey};

#[derive(Debug, Clone, Default)]
pub(super) struct Agenda {
    units: BTreeSet<UnitKey>,
    leftovers: BTreeSet<ObjectKey>,
    timers: BTreeSet<(Millis, Timer)>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Unit(UnitKey),
    Leftover(ObjectKey),
    Pods(ObjectKey),
    /// The object is not left alone any more.
    BreakGlass(ObjectKey),
    Inventory,
    Reports,
    /// Slots are free again: flow control of the API server had closed them.
    Resume,
}

impl Agenda {
    pub(super) fn unit(&mut self, unit: UnitKey) {
        self.units.insert(unit);
    }

    pub(super) fn leftover(&mut self, key: ObjectKey) {
        self.leftovers.insert(key);
    }

    pub(super) fn at(&mut self, time: Millis, timer: Timer) {
        self.timers.insert((time, timer));
    }

    pub(super) fn has_unit(&self, unit: &UnitKey) -> bool {
        self.units.contains(unit)
    }

    pub(super) fn next_unit(&mut self) -> Option<UnitKey> {
        self.units.pop_first()
    }

    pub(super) fn next_leftover(&mut self) -> Option<ObjectKey> {
        self.leftovers.pop_first()
    }

    pub(super) fn next_due(&mut self, now: Millis) -> Option<Timer> {
        let (time, _) = self.timers.first()?;
        if *time > now {
            return None;
        }
        self.timers.pop_first().map(|(_, timer)| timer)
    }

    pub(super) fn wake_at(&self) -> Option<Millis> {
        self.timers.first().map(|(time, _)| *time)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.units.is_empty() && self.leftovers.is_empty()
    }
}
