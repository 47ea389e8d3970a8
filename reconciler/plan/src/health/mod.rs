//! What a live object says about itself, in kstatus's words, and what a person needs to know of it.
//!
//! Pure: an object as the API server returned it goes in, nothing is asked. Always holds: no reason
//! carries a value of the object's data. Source of the words: kstatus (`sigs.k8s.io/cli-utils`); a Job
//! differs, because its gate is completion: it is `Current` once complete, not once started.
//!
//! [`assess`] is about one object, [`explain_pods`] about the pods behind one that does not get well.

mod object;
mod pod;

use serde_json::Value;
use starform_contract::report::Health;

pub use pod::{explain_pods, is_stuck};

/// How an object is, and why; a `Current` object with a reason works, but not as it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    pub health: Health,
    pub reason: Option<String>,
}

/// The health of a live object of any kind that Starform writes; `null` is an object that is not
/// there. A kind without a status is well as soon as it exists.
pub fn assess(object: &Value) -> Assessment {
    if object.is_null() {
        return Assessment::new(Health::NotFound, "the object does not exist");
    }
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return terminating(object);
    }
    standard(object).unwrap_or_else(|| object::assess(object))
}

/// What holds for every kind whose controller says so: a generation that it has not seen yet, and kstatus's own
/// conditions.
fn standard(object: &Value) -> Option<Assessment> {
    let status = &object["status"];
    let told = |wanted: &str| {
        let told = condition(status, wanted).filter(|condition| is(condition, "True"));
        told.map(words)
    };
    object::observed(object)
        .or_else(|| told("Reconciling").map(|why| Assessment::new(Health::InProgress, why)))
        .or_else(|| told("Stalled").map(|why| Assessment::new(Health::Failed, why)))
}

/// The assessment of what runs the pods, with what the pods say where that is not well.
pub fn explain(assessment: Assessment, pods: &[Value]) -> Assessment {
    let health = match assessment.health {
        Health::InProgress if is_stuck(pods) => Health::Failed,
        Health::Current
        | Health::InProgress
        | Health::Failed
        | Health::Terminating
        | Health::NotFound
        | Health::Unknown => assessment.health,
    };
    let told = match health {
        Health::InProgress | Health::Failed => explain_pods(pods),
        Health::Current | Health::Terminating | Health::NotFound | Health::Unknown => None,
    };
    Assessment {
        health,
        reason: told.or(assessment.reason),
    }
}

impl Assessment {
    const CURRENT: Self = Self {
        health: Health::Current,
        reason: None,
    };

    fn new(health: Health, reason: impl Into<String>) -> Self {
        Self {
            health,
            reason: Some(reason.into()),
        }
    }
}

fn terminating(object: &Value) -> Assessment {
    let finalizers = object.pointer("/metadata/finalizers");
    let waits_for: Vec<&str> = finalizers
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let reason = (!waits_for.is_empty())
        .then(|| format!("deletion waits for the finalizers {}", waits_for.join(", ")));
    Assessment {
        health: Health::Terminating,
        reason,
    }
}

/// The condition of this type, as the last controller wrote it.
fn condition<'a>(status: &'a Value, wanted: &str) -> Option<&'a Value> {
    let conditions = status.get("conditions")?.as_array()?;
    conditions
        .iter()
        .find(|condition| condition["type"] == wanted)
}

fn is(condition: &Value, status: &str) -> bool {
    condition["status"] == status
}

/// `Reason: message`, in one line.
fn words(condition: &Value) -> String {
    let text = |field: &str| condition[field].as_str().unwrap_or_default();
    match (text("reason"), text("message")) {
        (reason, "") => reason.to_owned(),
        ("", message) => one_line(message),
        (reason, message) => format!("{reason}: {}", one_line(message)),
    }
}

/// Messages of controllers are long and may hold several lines.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 300;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
