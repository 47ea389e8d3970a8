//! Gates that take time: whether a Deployment is available, a Job complete, or stuck, and why.
//!
//! Pure. Always holds: rollout progress is data from watches, nothing waits inside; pods are asked for
//! only while a rollout does not move. What an object says about itself is `starform_plan::health`'s.

use serde_json::Value;
use starform_contract::{ObjectKey, report::Health};
use starform_plan::health::{assess, explain_pods, is_stuck};

use super::{
    io::{Millis, Observed},
    order::{GateKind, gate_kind},
};

/// A rollout that did not move for so long is looked into.
const STILL: Millis = Millis::from_secs(2);
/// Between two looks at the pods, while it may still turn out to be stuck.
const LOOK: Millis = Millis::from_secs(4);
/// After so many looks without a movement they come less often.
const EAGER_LOOKS: u32 = 30;
const LATE_LOOK: Millis = Millis::from_secs(15);
/// Once it is known to be stuck.
const LONGEST_LOOK: Millis = Millis::from_secs(300);
/// The Deployment controller's own word comes first; this is for when it does not come.
const GRACE: Millis = Millis::from_secs(30);
const DEFAULT_DEADLINE: u64 = 600;
/// How a Job says that it ran out of time.
const DEADLINE: &str = "DeadlineExceeded";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    Waiting(String),
    Failed(String),
}

/// One rollout that is not through its gate.
#[derive(Debug, Clone)]
pub(super) struct Rollout {
    /// Of the pod template and replica count: `metadata.generation`.
    generation: Option<i64>,
    progress: Vec<Option<i64>>,
    moved_at: Millis,
    pub(super) looking: bool,
    /// The next look is due then.
    pub(super) look_at: Millis,
    looks: u32,
    known_looks: u32,
    /// What the pods said last.
    hint: Option<String>,
    /// It will not get through by waiting; stays until the gate opens or another generation comes.
    stuck: Option<String>,
}

/// What a look at the pods is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) namespace: String,
    pub(super) selector: String,
}

/// Health and reason of a live object, for reports.
pub(super) fn health(live: Option<&Observed>) -> (Health, Option<String>) {
    match live {
        None => (Health::NotFound, None),
        Some(live) if live.deleting => (Health::Terminating, None),
        Some(live) => live
            .body
            .as_deref()
            .map_or((Health::Current, None), |body| {
                let assessment = assess(body);
                (assessment.health, assessment.reason)
            }),
    }
}

/// Whether a Job is complete or has failed, so that no pod of it runs.
pub(super) fn has_ended(live: &Observed) -> bool {
    match health(Some(live)).0 {
        Health::Current | Health::Failed => true,
        Health::InProgress | Health::Terminating | Health::NotFound | Health::Unknown => false,
    }
}

/// Whether a Job did what it is for.
pub(super) fn is_complete(live: &Observed) -> bool {
    live.body.is_some() && health(Some(live)).0 == Health::Current
}

pub(super) fn gate(key: &ObjectKey, live: Option<&Observed>, rollout: Option<&Rollout>) -> Gate {
    match gate_kind(key) {
        GateKind::Exists => Gate::Open,
        GateKind::Available | GateKind::Complete => timed_gate(key, live, rollout),
    }
}

fn timed_gate(key: &ObjectKey, live: Option<&Observed>, rollout: Option<&Rollout>) -> Gate {
    let (health, told) = health(live);
    let hint = rollout.and_then(|rollout| rollout.hint.clone());
    let late = |told: &String| told.starts_with(DEADLINE);
    let why = match (hint, told) {
        // The pods of a Job that ran out of time are gone; what they said last is why.
        (Some(hint), Some(told)) if late(&told) => format!("{told}; before: {hint}"),
        (Some(why), _) | (None, Some(why)) => why,
        (None, None) => format!("{} {} is not ready yet", key.kind, key.name),
    };
    match health {
        Health::Current => Gate::Open,
        // Why its pod failed is asked for first: the Job itself says only that it did.
        Health::Failed if is_unexplained_job(key, live, rollout) => Gate::Waiting(why),
        Health::Failed => Gate::Failed(match gate_kind(key) {
            // Its container is not the one that serves.
            GateKind::Complete => format!("its release failed: {why}"),
            GateKind::Exists | GateKind::Available => why,
        }),
        Health::InProgress | Health::Terminating | Health::NotFound | Health::Unknown => {
            match rollout.and_then(|rollout| rollout.stuck.clone()) {
                Some(stuck) => Gate::Failed(stuck),
                None => Gate::Waiting(why),
            }
        }
    }
}

fn is_unexplained_job(key: &ObjectKey, live: Option<&Observed>, rollout: Option<&Rollout>) -> bool {
    gate_kind(key) == GateKind::Complete
        && live.and_then(look).is_some()
        && rollout.is_some_and(|rollout| rollout.looks == 0)
}

/// The rollout after an observation; `None` once the gate is open.
pub(super) fn follow(before: Option<Rollout>, live: &Observed, now: Millis) -> Option<Rollout> {
    let body = live.body.as_deref()?;
    if gate_kind(&live.key) == GateKind::Exists || assess(body).health == Health::Current {
        return None;
    }
    let generation = number(body, "/metadata/generation");
    let progress = progress(body);
    let moved = Rollout {
        generation,
        progress: progress.clone(),
        moved_at: now,
        looking: false,
        look_at: if is_failed_job(live) {
            now
        } else {
            now.plus(still(body))
        },
        looks: 0,
        known_looks: 0,
        hint: None,
        stuck: None,
    };
    match before {
        Some(before) if before.generation != generation => Some(Rollout {
            looking: before.looking,
            ..moved
        }),
        Some(before) if before.progress != progress => Some(Rollout {
            progress,
            moved_at: now,
            look_at: if is_failed_job(live) {
                now
            } else {
                before.look_at.max(now.plus(still(body)))
            },
            looks: 0,
            ..before
        }),
        Some(before) => Some(before),
        None => Some(moved),
    }
}

fn is_failed_job(live: &Observed) -> bool {
    gate_kind(&live.key) == GateKind::Complete && health(Some(live)).0 == Health::Failed
}

/// How long a standstill is no news: pods that are all ready count as available only after
/// `minReadySeconds`.
fn still(body: &Value) -> Millis {
    let wanted = number(body, "/spec/replicas").unwrap_or(1);
    let ready = number(body, "/status/readyReplicas").unwrap_or_default();
    let seconds = number(body, "/spec/minReadySeconds").filter(|_| ready >= wanted);
    let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
    STILL.plus(Millis::from_secs(seconds.unwrap_or_default()))
}

/// Which pods to ask for; `None` for a kind without pods of its own.
pub(super) fn look(live: &Observed) -> Option<Look> {
    let labels = live
        .body
        .as_deref()?
        .pointer("/spec/selector/matchLabels")?
        .as_object()?;
    let pairs: Vec<String> = labels
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)))
        .collect();
    Some(Look {
        namespace: live.key.namespace.clone()?,
        selector: pairs.join(","),
    })
}

impl Rollout {
    /// Takes what the pods say and sets the time of the next look.
    pub(super) fn looked(&mut self, pods: &[Value], live: &Observed, now: Millis) {
        self.hint = explain_pods(pods);
        if is_stuck(pods) {
            self.stuck = self.hint.clone().or_else(|| self.stuck.take());
        }
        let body = live.body.as_deref();
        let deadline = body.map_or(DEFAULT_DEADLINE, deadline);
        if now.since(self.moved_at) > Millis::from_secs(deadline).plus(GRACE) {
            let reason = self.hint.clone();
            self.stuck.get_or_insert_with(|| {
                reason.unwrap_or_else(|| format!("nothing moved within {deadline} s"))
            });
        }
        self.rest(Some(live), now);
    }

    /// The next look: soon while it may still turn out to be stuck, ever later once it is known to be.
    pub(super) fn rest(&mut self, live: Option<&Observed>, now: Millis) {
        self.looking = false;
        let failed = live
            .and_then(|live| live.body.as_deref())
            .is_some_and(|body| assess(body).health == Health::Failed);
        let known = failed || self.stuck.is_some();
        self.known_looks = if known { self.known_looks + 1 } else { 0 };
        self.looks += 1;
        let wait = if known {
            Millis(LOOK.0 << self.known_looks.min(8)).min(LONGEST_LOOK)
        } else if self.looks > EAGER_LOOKS {
            LATE_LOOK
        } else {
            LOOK
        };
        self.look_at = now.plus(wait);
    }
}

/// Seconds after which the controller itself gives up: a Deployment's without progress, a Job's at all.
fn deadline(body: &Value) -> u64 {
    ["progressDeadlineSeconds", "activeDeadlineSeconds"]
        .into_iter()
        .find_map(|field| number(body, &format!("/spec/{field}")))
        .and_then(|seconds| u64::try_from(seconds).ok())
        .unwrap_or(DEFAULT_DEADLINE)
}

/// What moves during a rollout.
fn progress(body: &Value) -> Vec<Option<i64>> {
    [
        "observedGeneration",
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
        "unavailableReplicas",
        "active",
        "succeeded",
        "failed",
    ]
    .iter()
    .map(|field| number(body, &format!("/status/{field}")))
    .collect()
}

fn number(body: &Value, path: &str) -> Option<i64> {
    body.pointer(path).and_then(Value::as_i64)
}
