//! Why `apply` would not take a plan as it stands.
//!
//! Pure. Always holds: an error comes before a missing approval, since no approval helps a blocked plan.

use std::{collections::BTreeSet, fmt};

use super::Policy;
use crate::{
    approval::Approvals,
    document::{FindingSeverity, Plan},
    view::values,
};

/// A plan with more of them says how many more.
const MOST_CODES: usize = 8;

/// Why `apply` would not take a plan as it stands, the graver later; printed, it is the plan's last line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// It needs an approval that nobody has given, by these findings.
    Unapproved(BTreeSet<String>),
    /// By these errors.
    Blocked(BTreeSet<String>),
}

/// Why `apply` would not take the plan as it stands: below the summary.
pub fn obstacle(plan: &Plan, approvals: &Approvals) -> Option<Obstacle> {
    let codes = |severity: FindingSeverity| -> BTreeSet<String> {
        let of_it = plan.findings.iter().filter(|f| f.severity == severity);
        of_it.map(|f| values::visible(&f.code)).collect()
    };
    let blocking = codes(FindingSeverity::Blocking);
    if !blocking.is_empty() {
        return Some(Obstacle::Blocked(blocking));
    }
    match Policy::of(plan, approvals) {
        Policy::Free | Policy::Approved(_) => None,
        Policy::ApprovalNeeded => Some(Obstacle::Unapproved(codes(FindingSeverity::Approval))),
    }
}

/// Those of several plans, one of each kind, the gravest first.
pub(crate) fn together<'a>(all: impl Iterator<Item = &'a Obstacle>) -> Vec<Obstacle> {
    let (mut blocked, mut unapproved) = (BTreeSet::new(), BTreeSet::new());
    for obstacle in all {
        match obstacle {
            Obstacle::Blocked(codes) => blocked.extend(codes.iter().cloned()),
            Obstacle::Unapproved(codes) => unapproved.extend(codes.iter().cloned()),
        }
    }
    let blocked = (!blocked.is_empty()).then_some(Obstacle::Blocked(blocked));
    let unapproved = (!unapproved.is_empty()).then_some(Obstacle::Unapproved(unapproved));
    blocked.into_iter().chain(unapproved).collect()
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (words, codes) = match self {
            Self::Blocked(codes) => ("Blocked: `apply` would refuse this plan", codes),
            Self::Unapproved(codes) => (
                "Needs approval: `apply` would refuse this plan without one",
                codes,
            ),
        };
        let mut said: Vec<&str> = codes.iter().map(String::as_str).collect();
        let more = said.split_off(said.len().min(MOST_CODES)).len();
        let more = (more > 0).then(|| format!("{more} more"));
        said.extend(more.as_deref());
        write!(f, "{words}: {}", said.join(", "))
    }
}
