//! How many requests may be under way at once: half as many when the API server says that it is too many or takes too
//! long, one more for each round of answers in time.
//!
//! Pure. Always holds: at least one may, at most [`MOST`]; of requests that were under way together only the first to
//! fail slows down; before the time that the API server asked for, none begins.

use super::io::{Failure, Millis, RequestId};

/// More do not make the API server faster.
pub(super) const MOST: usize = 8;

/// Kubernetes' own promise: 99 of 100 requests about one object are answered sooner.
const SLOW: Millis = Millis::from_secs(1);

/// After 429 without a word about when to come again.
const SHORTEST_PAUSE: Millis = Millis::from_secs(1);

#[derive(Debug, Clone)]
pub(super) struct Pace {
    limit: usize,
    /// Answers in time since the limit was last changed.
    in_time: usize,
    /// Requests up to this one began before the last cut.
    cut_after: RequestId,
    paused_until: Millis,
}

/// What an answer says of how busy the API server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Load {
    Well,
    Heavy,
    TooMany(Millis),
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            limit: MOST,
            in_time: 0,
            cut_after: RequestId(0),
            paused_until: Millis::default(),
        }
    }
}

impl Pace {
    /// Whether one more may begin beside so many.
    pub(super) fn allows(&self, under_way: usize, now: Millis) -> bool {
        under_way < self.limit && self.paused_until <= now
    }

    /// Request `id` was answered after `took`; `last` is the latest that has begun. Gives the time until
    /// which nothing begins, where the answer asks for a pause.
    pub(super) fn answered(
        &mut self,
        id: RequestId,
        last: RequestId,
        took: Millis,
        failure: Option<&Failure>,
        now: Millis,
    ) -> Option<Millis> {
        let load = load(took, failure);
        match load {
            Load::Well => self.grow(),
            Load::Heavy | Load::TooMany(_) => self.cut(id, last),
        }
        let Load::TooMany(wait) = load else {
            return None;
        };
        self.paused_until = self.paused_until.max(now.plus(wait));
        Some(self.paused_until)
    }

    fn grow(&mut self) {
        self.in_time += 1;
        if self.in_time >= self.limit {
            self.in_time = 0;
            self.limit = (self.limit + 1).min(MOST);
        }
    }

    fn cut(&mut self, id: RequestId, last: RequestId) {
        self.in_time = 0;
        if id > self.cut_after {
            self.limit = (self.limit / 2).max(1);
            self.cut_after = last;
        }
    }
}

/// Refused by the API server in time is an answer like any other.
fn load(took: Millis, failure: Option<&Failure>) -> Load {
    match failure.map(|failure| (failure.code, failure.retry_after)) {
        Some((Some(429), wait)) => Load::TooMany(wait.unwrap_or_default().max(SHORTEST_PAUSE)),
        // No answer, or a proxy's or the server's word that it cannot keep up.
        Some((None | Some(503 | 504), _)) => Load::Heavy,
        Some((Some(_), _)) | None if took > SLOW => Load::Heavy,
        Some((Some(_), _)) | None => Load::Well,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn failure(code: Option<u16>, retry_after: Option<u64>) -> Failure {
        Failure {
            code,
            retry_after: retry_after.map(Millis::from_secs),
            ..Failure::default()
        }
    }

    /// As many as are allowed begin at once and end alike, one after the other.
    fn round(pace: &mut Pace, last: &mut u64, took: Millis, failure: Option<&Failure>) {
        let begun = pace.limit as u64;
        let first = *last + 1;
        *last += begun;
        for id in first..=*last {
            pace.answered(RequestId(id), RequestId(*last), took, failure, Millis(0));
        }
    }

    #[test]
    fn a_round_of_refusals_halves_once_and_answers_in_time_grow_it_back() {
        let mut pace = Pace::default();
        let (mut last, mut limits) = (0, Vec::new());
        for _ in 0..4 {
            round(
                &mut pace,
                &mut last,
                Millis(5),
                Some(&failure(Some(429), None)),
            );
            limits.push(pace.limit);
        }
        assert_eq!(limits, [4, 2, 1, 1]);
        let mut grown = Vec::new();
        for _ in 0..8 {
            round(&mut pace, &mut last, Millis(5), None);
            grown.push(pace.limit);
        }
        assert_eq!(grown, [2, 3, 4, 5, 6, 7, 8, 8]);
    }

    #[test]
    fn slowness_and_silence_slow_down_and_a_rejected_object_does_not() {
        let cases = [
            (Millis(1001), None, 4),
            (Millis(1000), None, 8),
            (Millis(5), Some(failure(None, None)), 4),
            (Millis(5), Some(failure(Some(503), None)), 4),
            (Millis(5), Some(failure(Some(422), None)), 8),
            (Millis(5), Some(failure(Some(409), None)), 8),
        ];
        for (took, failure, limit) in cases {
            let mut pace = Pace::default();
            round(&mut pace, &mut 0, took, failure.as_ref());
            assert_eq!(pace.limit, limit, "{took:?} {failure:?}");
        }
    }

    #[test]
    fn nothing_begins_before_the_time_that_was_asked_for() {
        let mut pace = Pace::default();
        let (id, now) = (RequestId(1), Millis(500));
        let told = pace.answered(id, id, Millis(5), Some(&failure(Some(429), Some(7))), now);
        assert_eq!(told, Some(Millis(7500)));
        assert!(!pace.allows(0, Millis(7499)) && pace.allows(0, Millis(7500)));
        // One that asks for less does not shorten it.
        let second = RequestId(2);
        pace.answered(
            second,
            second,
            Millis(5),
            Some(&failure(Some(429), None)),
            now,
        );
        assert!(!pace.allows(0, Millis(7499)));
    }

    proptest! {
        #[test]
        fn it_stays_within_its_bounds_and_comes_back(
            answers in proptest::collection::vec((0u64..3000, 0u8..6, proptest::option::of(0u64..9)), 0..200),
        ) {
            let mut pace = Pace::default();
            let mut now = Millis(0);
            for (number, (took, outcome, wait)) in answers.into_iter().enumerate() {
                let failure = match outcome {
                    0 => Some(failure(Some(429), wait)),
                    1 => Some(failure(None, None)),
                    2 => Some(failure(Some(500), wait)),
                    _ => None,
                };
                let before = pace.limit;
                let id = RequestId(number as u64 + 1);
                let paused = pace.answered(id, id, Millis(took), failure.as_ref(), now);
                prop_assert!((1..=MOST).contains(&pace.limit));
                prop_assert!(pace.limit >= before / 2 && pace.limit <= before + 1);
                prop_assert_eq!(paused.is_some(), outcome == 0);
                prop_assert!(!pace.allows(pace.limit, Millis(u64::MAX)));
                now = now.plus(Millis(took));
            }
            let mut last = 1_000;
            for _ in 0..MOST {
                round(&mut pace, &mut last, Millis(1), None);
            }
            prop_assert_eq!(pace.limit, MOST);
        }
    }
}
