//! What the cluster itself says of a plan's objects: one line for each that it would not store as it is
//! written, and what it said of all together.
//!
//! Pure. Always holds: no object is told together with another; of what is told nothing is a value; every
//! text has passed [`values`].

use std::collections::BTreeMap;

use starform_contract::verify::{ObjectVerdict, Verdict};

use crate::{
    codes,
    verified::{Answer, Verified},
    view::values,
};

/// What is told of one plan.
#[derive(Debug, Default)]
pub(crate) struct Verification {
    /// Rejected ones first.
    pub(crate) said: Vec<Said>,
    /// Of all objects; at least one line.
    pub(crate) summary: Vec<String>,
}

/// What the cluster says of one object.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) weight: Weight,
    /// `rejected`
    pub(crate) word: &'static str,
    pub(crate) code: &'static str,
    /// `Deployment api--production`
    pub(crate) object: String,
    pub(crate) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// The apply of its service fails.
    Error,
    /// It would not be stored as it is written.
    Warning,
}

/// What is told of one object, in a line; `None`: nothing is to be told of it alone.
pub fn told(verdict: &ObjectVerdict) -> Option<String> {
    let said = Said::of(verdict)?;
    Some(format!(
        "the cluster: {} {}: {}",
        said.word, said.object, said.text
    ))
}

impl Verification {
    pub(crate) fn of(verified: &Verified) -> Self {
        let cluster = values::visible(&verified.cluster);
        match &verified.answer {
            Answer::Waiting { seconds } | Answer::Away { seconds } => Self::without(format!(
                "not verified: the agent of cluster {cluster} has not answered for {seconds} s"
            )),
            Answer::Expired => Self::without(format!(
                "not verified: the agent of cluster {cluster} did not answer in time; make the plan again"
            )),
            Answer::Answered { verdicts, .. } => {
                let mut said: Vec<Said> = verdicts.iter().filter_map(Said::of).collect();
                said.sort_by(|one, other| {
                    (one.weight, &one.object).cmp(&(other.weight, &other.object))
                });
                let summary = summary(&cluster, verdicts);
                Self { said, summary }
            }
        }
    }

    fn without(why: String) -> Self {
        Self {
            said: Vec::new(),
            summary: vec![why],
        }
    }
}

impl Said {
    /// `None`: nothing is to be told of it alone.
    fn of(verdict: &ObjectVerdict) -> Option<Self> {
        let (weight, (word, code), text) = match &verdict.verdict {
            Verdict::Accepted | Verdict::Approximate { .. } | Verdict::Unchecked { .. } => {
                return None;
            }
            Verdict::Rejected {
                reason,
                message,
                fields,
            } => (
                Weight::Error,
                ("rejected", &codes::CLUSTER_REJECTS),
                rejection(reason, message.as_deref(), fields),
            ),
            Verdict::Owned { managers, fields } => {
                let managers: Vec<String> = managers.iter().map(|m| values::visible(m)).collect();
                let text = format!(
                    "{}, stated by {}",
                    values::list(all_visible(fields)),
                    values::list(&managers)
                );
                (
                    Weight::Error,
                    ("owned by others", &codes::CLUSTER_OWNED),
                    text,
                )
            }
            Verdict::Changed { paths } => {
                let text = format!(
                    "the cluster would store other values at {}",
                    values::list(all_visible(paths))
                );
                (Weight::Warning, ("changed", &codes::CLUSTER_CHANGES), text)
            }
        };
        let key = &verdict.key;
        Some(Self {
            weight,
            word,
            code: code.code,
            object: values::visible(&format!("{} {}", key.kind, key.name)),
            text,
        })
    }
}

/// `Invalid: spec.replicas: Invalid value …`
fn rejection(reason: &str, message: Option<&str>, fields: &[String]) -> String {
    let reason = values::visible(reason);
    let fields = all_visible(fields);
    match message.map(values::visible) {
        Some(message) if !message.is_empty() => format!("{reason}: {message}"),
        Some(_) | None if fields.is_empty() => reason,
        Some(_) | None => format!("{reason}: {}", values::list(&fields)),
    }
}

/// One line of the counts of what was tried, and one for each reason why others were not.
fn summary(cluster: &str, verdicts: &[ObjectVerdict]) -> Vec<String> {
    let mut tried: BTreeMap<Tried, usize> = BTreeMap::new();
    let mut approximate: BTreeMap<&str, usize> = BTreeMap::new();
    let mut unchecked: BTreeMap<&str, usize> = BTreeMap::new();
    for said in verdicts {
        let count = match &said.verdict {
            Verdict::Accepted => tried.entry(Tried::Accepted).or_default(),
            Verdict::Changed { .. } => tried.entry(Tried::Changed).or_default(),
            Verdict::Owned { .. } => tried.entry(Tried::Owned).or_default(),
            Verdict::Rejected { .. } => tried.entry(Tried::Rejected).or_default(),
            Verdict::Approximate { why } => approximate.entry(why).or_default(),
            Verdict::Unchecked { why } => unchecked.entry(why).or_default(),
        };
        *count += 1;
    }
    let mut lines = Vec::new();
    if !tried.is_empty() {
        let counts: Vec<String> = tried
            .iter()
            .map(|(tried, count)| format!("{count} {}", tried.word()))
            .collect();
        lines.push(format!(
            "verified by cluster {cluster}: {}",
            counts.join(", ")
        ));
    }
    for (why, count) in approximate {
        lines.push(format!(
            "approximate: {}: {} checked against the schema of cluster {cluster} alone",
            values::visible(why),
            values::count(count, "object")
        ));
    }
    for (why, count) in unchecked {
        lines.push(format!(
            "not verified: {}: {}",
            values::count(count, "object"),
            values::visible(why)
        ));
    }
    lines
}

/// In the order in which they are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tried {
    Accepted,
    Changed,
    Owned,
    Rejected,
}

impl Tried {
    const fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Changed => "changed",
            Self::Owned => "owned by others",
            Self::Rejected => "rejected",
        }
    }
}

fn all_visible(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| values::visible(text)).collect()
}
