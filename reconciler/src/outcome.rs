//! What a report means for an apply: where it stands, how many objects are where, what failed.
//!
//! Pure. Where an apply stands is the report's own verdict. Read on in `docs/contract.md`, "Reports".

use starform_contract::{
    Report,
    report::{Health, ObjectReport, Outcome, Verdict},
};

use crate::api::body::{ApplyState, ObjectTally};

/// The state of an apply whose newest report this is.
pub fn state(report: &Report) -> ApplyState {
    match report.verdict() {
        Verdict::Moving => ApplyState::Progressing,
        Verdict::Converged => ApplyState::Converged,
        Verdict::Partial => ApplyState::Partial,
    }
}

pub fn tally(report: &Report) -> ObjectTally {
    let count = |wanted: &dyn Fn(&ObjectReport) -> bool| {
        let count = report
            .objects
            .iter()
            .filter(|object| wanted(object))
            .count();
        u32::try_from(count).unwrap_or(u32::MAX)
    };
    ObjectTally {
        total: count(&|_| true),
        current: count(&|object| !is_failed(object) && object.health == Health::Current),
        in_progress: count(&|object| !is_failed(object) && object.health == Health::InProgress),
        failed: count(&is_failed),
    }
}

pub fn failed(report: &Report) -> Vec<ObjectReport> {
    report
        .objects
        .iter()
        .filter(|object| is_failed(object))
        .cloned()
        .collect()
}

/// What was to go and stays for now.
pub fn retained(report: &Report) -> Vec<ObjectReport> {
    let objects = report.objects.iter();
    objects
        .filter(|object| object.outcome == Outcome::Retained)
        .cloned()
        .collect()
}

/// Not written as the plan said, or written and broken.
fn is_failed(object: &ObjectReport) -> bool {
    !object.outcome.is_good() || object.health == Health::Failed
}

impl ApplyState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Progressing => "progressing",
            Self::Converged => "converged",
            Self::Partial => "partial",
        }
    }

    /// Nothing about it will change any more.
    pub fn is_final(self) -> bool {
        match self {
            Self::Pending | Self::Progressing => false,
            Self::Converged | Self::Partial => true,
        }
    }
}

impl std::str::FromStr for ApplyState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [
            Self::Pending,
            Self::Progressing,
            Self::Converged,
            Self::Partial,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
        .ok_or(())
    }
}
