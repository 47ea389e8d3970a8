//! Whether the agent still does what it is for: what its parts tell, and what a kubelet may conclude.
//!
//! Effects: the clock. Always holds: a tick has succeeded when desired state was asked for or is kept, and the loop that
//! acts on it has gone round since. Read on in `surface.rs`.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Without a tick that succeeds for so long, starting anew is worth a try.
pub const LIMIT: Duration = Duration::from_secs(300);

/// Cheap to clone: all clones tell the same.
#[derive(Debug, Clone)]
pub struct Vitals(Arc<Mutex<Seen>>);

#[derive(Debug)]
struct Seen {
    /// Desired state is known to be in force.
    fed: Instant,
    /// The loop has gone round and can act.
    turned: Instant,
    awaits: Option<&'static str>,
}

impl Vitals {
    /// Of an agent that began then, and has not done anything yet.
    pub fn since(began: Instant) -> Self {
        Self(Arc::new(Mutex::new(Seen {
            fed: began,
            turned: began,
            awaits: Some("a desired state"),
        })))
    }

    /// What is wanted was asked for, or what is kept of it is in force while nobody answers.
    pub fn fed(&self) {
        self.seen(|seen| seen.fed = Instant::now());
    }

    /// The loop has gone round, and waits for nothing; or for this.
    pub fn turned(&self, awaits: Option<&'static str>) {
        self.seen(|seen| {
            seen.awaits = awaits;
            if awaits.is_none() {
                seen.turned = Instant::now();
            }
        });
    }

    /// What has to come before the agent can act.
    pub fn awaits(&self) -> Option<&'static str> {
        self.seen(|seen| seen.awaits)
    }

    /// How long ago a tick last succeeded.
    pub fn age(&self) -> Duration {
        self.seen(|seen| seen.fed.min(seen.turned).elapsed())
    }

    fn seen<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_needs_both_what_is_wanted_and_a_loop_that_acts_on_it() {
        let began = Instant::now() - LIMIT * 2;
        let vitals = Vitals::since(began);
        assert!(vitals.age() > LIMIT && vitals.awaits().is_some());
        vitals.fed();
        assert!(vitals.age() > LIMIT);
        vitals.turned(Some("the first look at the cluster"));
        assert!(vitals.age() > LIMIT);
        vitals.turned(None);
        assert!(vitals.age() < LIMIT && vitals.awaits().is_none());
    }
}
