//! How many objects are wanted, and how many of them are as they should be: for metrics.
//!
//! Pure. Always holds: counting changes nothing; it looks at every object, so it is done when somebody asks.

use super::{Engine, unit::Need};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub wanted: usize,
    pub clean: usize,
    pub orphans: usize,
}

impl Engine {
    /// Everything needed to act was here once.
    pub fn has_started(&self) -> bool {
        self.started
    }

    /// Objects that are wanted, and how many of them are as they should be.
    pub fn counts(&self) -> Counts {
        let leftovers = self.leftovers.values();
        let orphans = leftovers.filter(|leftover| !leftover.consent).count();
        let Some(state) = self.desired.as_deref() else {
            return Counts {
                orphans,
                ..Counts::default()
            };
        };
        let keys = state.objects.keys();
        Counts {
            wanted: state.objects.len(),
            clean: keys
                .filter(|key| self.need(state, key) == Need::Nothing)
                .count(),
            orphans,
        }
    }
}
