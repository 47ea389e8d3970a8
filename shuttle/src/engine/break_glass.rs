//! The annotation by which a person has an object left alone for a while.
//!
//! Pure; times are seconds since 1970, the API server's and the shell's. Always holds: what is no time, or
//! too far from when it was set, suspends nothing and is told; a time that has passed is not told. Read on in
//! `correction.rs` for what is suspended.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use starform_contract::report::{BREAK_GLASS_ANNOTATION, Suspension};

use super::{
    Engine,
    agenda::Timer,
    io::{Millis, Observed},
};
use starform_contract::ObjectKey;

/// The longest that one setting of the annotation suspends: a day's work, and whoever forgets it finds
/// everything as declared the next.
pub const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// What the annotation asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Seconds since 1970.
    Until(i64),
    Malformed,
    TooLong,
}

/// `metadata`: with `managedFields`, which tell when the annotation was written.
pub(super) fn asked(metadata: &Value) -> Option<Asked> {
    let text = metadata
        .get("annotations")?
        .get(BREAK_GLASS_ANNOTATION)?
        .as_str()?;
    let Some(until) = seconds(text) else {
        return Some(Asked::Malformed);
    };
    let longest = i64::try_from(LONGEST.as_secs()).unwrap_or(i64::MAX);
    let set = set_at(metadata).unwrap_or_default();
    Some(if until.saturating_sub(set) > longest {
        Asked::TooLong
    } else {
        Asked::Until(until)
    })
}

impl Observed {
    /// `clock`: now, in milliseconds since 1970.
    pub fn suspension(&self, clock: Millis) -> Option<Suspension> {
        match self.break_glass? {
            Asked::Until(until) => left(until, clock).map(|_| Suspension::Suspended {
                until: Timestamp::from_second(until)
                    .map_or_else(|_| String::new(), |at| at.to_string()),
            }),
            Asked::Malformed => Some(Suspension::Malformed),
            Asked::TooLong => Some(Suspension::TooLong),
        }
    }
}

impl Engine {
    /// Until when the object is left alone.
    pub(super) fn suspended_until(&self, key: &ObjectKey) -> Option<Millis> {
        match self.live.get(key)?.break_glass? {
            Asked::Until(until) => left(until, self.clock).map(|left| self.now.plus(left)),
            Asked::Malformed | Asked::TooLong => None,
        }
    }

    /// No event tells that the time has come.
    pub(super) fn await_end_of_suspension(&mut self, key: &ObjectKey) {
        let asked = self.live.get(key).and_then(|live| live.break_glass);
        let until = self.suspended_until(key);
        let progress = self.progress.entry(key.clone()).or_default();
        if let Some(until) = until
            && progress.awaited != asked
        {
            progress.awaited = asked;
            self.agenda.at(until, Timer::BreakGlass(key.clone()));
        }
    }

    pub(super) fn end_suspension(&mut self, key: &ObjectKey) {
        if let Some(progress) = self.progress.get_mut(key) {
            progress.awaited = None;
        }
        // The clock may have been set back meanwhile.
        self.await_end_of_suspension(key);
        if let Some(unit) = self.unit_of(key) {
            self.touch(&unit);
            self.agenda.unit(unit);
        }
    }
}

/// Nothing when it has passed.
fn left(until: i64, clock: Millis) -> Option<Millis> {
    let until = u64::try_from(until).ok()?.checked_mul(1000)?;
    (until > clock.0).then(|| Millis(until - clock.0))
}

/// When the manager that holds the annotation wrote last; else when the object was made.
fn set_at(metadata: &Value) -> Option<i64> {
    let field = format!("f:{BREAK_GLASS_ANNOTATION}");
    let entries = metadata.get("managedFields").and_then(Value::as_array);
    let holders = entries.into_iter().flatten().filter(|entry| {
        let annotations = entry.pointer("/fieldsV1/f:metadata/f:annotations");
        annotations.is_some_and(|annotations| annotations.get(&field).is_some())
    });
    let times = holders.filter_map(|entry| seconds(entry.get("time")?.as_str()?));
    times
        .max()
        .or_else(|| seconds(metadata.get("creationTimestamp")?.as_str()?))
}

fn seconds(text: &str) -> Option<i64> {
    Some(text.trim().parse::<Timestamp>().ok()?.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn asked_of(text: &str, set_at: &str) -> Option<Asked> {
        asked(&json!({
            "annotations": {BREAK_GLASS_ANNOTATION: text},
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "managedFields": [{"manager": "kubectl-annotate", "operation": "Update", "time": set_at,
                "fieldsV1": {"f:metadata": {"f:annotations": {"f:starform.io/break-glass-until": {}}}}}],
        }))
    }

    #[test]
    fn a_day_from_when_it_was_set_is_the_longest() {
        let set = "2026-06-01T08:00:00Z";
        for (text, expected) in [
            ("2026-06-01T12:00:00Z", Some(Asked::Until(1_780_315_200))),
            (
                "2026-06-01T14:00:00+02:00",
                Some(Asked::Until(1_780_315_200)),
            ),
            ("2026-06-02T08:00:00Z", Some(Asked::Until(1_780_387_200))),
            ("2026-06-02T08:00:01Z", Some(Asked::TooLong)),
            ("9999-12-30T00:00:00Z", Some(Asked::TooLong)),
            ("tomorrow", Some(Asked::Malformed)),
            ("2026-06-01", Some(Asked::Malformed)),
            ("", Some(Asked::Malformed)),
        ] {
            assert_eq!(asked_of(text, set), expected, "{text}");
        }
        assert_eq!(asked(&json!({"annotations": {"note": "x"}})), None);
    }

    #[test]
    fn who_set_it_when_nobody_knows_has_a_day_from_the_objects_beginning() {
        let asked = |until: &str| {
            asked(&json!({
                "annotations": {BREAK_GLASS_ANNOTATION: until},
                "creationTimestamp": "2026-06-01T08:00:00Z",
            }))
        };
        assert_eq!(
            asked("2026-06-01T12:00:00Z"),
            Some(Asked::Until(1_780_315_200))
        );
        assert_eq!(asked("2026-06-03T12:00:00Z"), Some(Asked::TooLong));
    }
}
