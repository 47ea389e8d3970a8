//! Waits that grow, each a little different, so that many agents do not come at once.
//!
//! Effects: takes randomness from the process. Always holds: a wait lies within ±10 % of its step.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::Duration,
};

/// Doubles from `first` up to `most`.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    step: Duration,
}

impl Backoff {
    pub const fn new(first: Duration, most: Duration) -> Self {
        Self {
            first,
            most,
            step: first,
        }
    }

    /// The wait that is due now.
    pub fn wait(&mut self) -> Duration {
        let wait = jittered(self.step);
        self.step = self.step.saturating_mul(2).min(self.most);
        wait
    }

    pub fn reset(&mut self) {
        self.step = self.first;
    }
}

/// `duration` ±10 %.
pub fn jittered(duration: Duration) -> Duration {
    // A fresh RandomState is seeded differently each time: enough for spreading load.
    let thousandth = RandomState::new().build_hasher().finish() % 201;
    let factor = 900 + u32::try_from(thousandth).expect("below 201");
    duration.saturating_mul(factor) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_bound_and_start_again() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new(second, second * 4);
        let waits: Vec<Duration> = (0..5).map(|_| backoff.wait()).collect();
        for (wait, step) in waits.iter().zip([1, 2, 4, 4, 4]) {
            let exact = second * step;
            assert!(
                *wait >= exact * 9 / 10 && *wait <= exact * 11 / 10,
                "{wait:?}"
            );
        }
        backoff.reset();
        assert!(backoff.wait() <= second * 11 / 10);
    }
}
