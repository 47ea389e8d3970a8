//! When a failed request is tried again, and whether waiting can help.
//!
//! Pure: jitter comes from a hash of key and attempt, so the same history gives the same times.

use starform_contract::digest::short_hex;

use super::io::{Failure, Millis};

const FIRST: u64 = 5_000;
const LONGEST: u64 = 300_000;
/// While the API server cannot be reached nothing is lost by asking again soon.
const LONGEST_UNANSWERED: u64 = 20_000;
/// So many times the same object may fail in passing before its service is called failed.
pub(super) const PATIENCE: u32 = 5;

/// What a failure says about the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    /// The request may go through unchanged: no answer, too many requests, a race, a server's fault.
    Passing,
    /// The API server has judged what was sent.
    Rejected,
}

pub(super) fn severity(failure: &Failure) -> Severity {
    match failure.code {
        None | Some(408 | 409 | 410 | 425 | 429 | 500..) => Severity::Passing,
        Some(_) => Severity::Rejected,
    }
}

/// How long to wait after the `attempt`-th failure (from 1): 5 s doubling to 5 min, ±20 %.
pub(super) fn delay(of: &str, attempt: u32, failure: &Failure) -> Millis {
    let longest = if failure.code.is_none() {
        LONGEST_UNANSWERED
    } else {
        LONGEST
    };
    let doubled = FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(16));
    let base = doubled.min(longest);
    let hash = short_hex(&format!("{of}#{attempt}"), 8);
    let spread = u64::from_str_radix(&hash, 16).expect("eight hex digits are a number") % 401;
    let jittered = base * (800 + spread) / 1000;
    let asked = failure.retry_after.unwrap_or_default();
    Millis(jittered.max(asked.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_five_seconds_to_five_minutes() {
        let refused = Failure {
            code: Some(422),
            ..Failure::default()
        };
        let mut longest = 0;
        for attempt in 1..12 {
            let Millis(wait) = delay("core/Secret/shop/a", attempt, &refused);
            let base = (5_000_u64 << (attempt - 1)).min(300_000);
            assert!(
                wait >= base * 8 / 10 && wait <= base * 12 / 10,
                "{attempt}: {wait}"
            );
            longest = longest.max(wait);
        }
        assert!(longest >= 240_000);
        assert_ne!(
            delay("a", 1, &refused),
            delay("b", 1, &refused),
            "no jitter"
        );
        let Millis(unanswered) = delay("a", 9, &Failure::default());
        assert!(
            unanswered <= 24_000,
            "an API server that is away is asked again soon"
        );
    }

    #[test]
    fn what_the_api_server_asks_for_is_obeyed() {
        let failure = Failure {
            code: Some(429),
            retry_after: Some(Millis::from_secs(77)),
            ..Failure::default()
        };
        assert_eq!(delay("a", 1, &failure), Millis::from_secs(77));
        assert_eq!(severity(&failure), Severity::Passing);
    }
}
