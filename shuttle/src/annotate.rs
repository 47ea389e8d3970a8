//! Keeps annotations on objects that are not Starform's, such as the load balancer before the Gateway.
//!
//! Effects: network, clock. Always holds: an object is never made here, only changed if it exists, by a
//! patch that names the version it was judged by; no other field is touched; where somebody else takes
//! an annotation back again and again, they keep it, and that is told. Read on in `run.rs`, which says
//! what is wanted, and `feed.rs`, which tells how it stands.

use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    pin::pin,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::{TryStreamExt as _, future::join_all};
use http::{HeaderValue, Method, header::ACCEPT};
use kube::{Client, core::WatchEvent};
use serde_json::{Map, Value, json};
use starform_contract::{ObjectKey, index::AnnotationPatch};
use tokio::{sync::watch, task::JoinSet};

use crate::{
    backoff::{Backoff, jittered},
    call::{CALL_TIMEOUT, CallError, call, get, innermost, query, request},
    cluster::MANAGER,
    kinds::{Kind, kind_of},
};

const METADATA: HeaderValue =
    HeaderValue::from_static("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
/// How long the API server keeps one watch open, in seconds; then the object is looked at anyhow.
const WATCH_SECONDS: u64 = 290;
/// So often within [`CONTEST`] an annotation is put right before it is left to whoever takes it back.
const CORRECTIONS: usize = 3;
const CONTEST: Duration = Duration::from_secs(600);
const CONTESTED_REST: Duration = Duration::from_secs(3600);

/// How what is wanted stands; the worst last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Nothing is wanted.
    #[default]
    Nothing,
    Set,
    /// Not looked at yet.
    Pending,
    /// The object does not exist.
    Absent,
    /// Somebody else keeps taking it back.
    Contested,
    /// The API server refuses, or does not answer.
    Refused,
}

impl Standing {
    /// For the control plane; `None` while there is nothing to tell.
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Nothing | Self::Pending => None,
            Self::Set => Some("set"),
            Self::Absent => Some("absent"),
            Self::Contested => Some("contested"),
            Self::Refused => Some("refused"),
        }
    }
}

/// The two ends of a keeper at work.
pub struct Keeper {
    wanted: watch::Sender<Vec<AnnotationPatch>>,
    standing: watch::Receiver<Standing>,
}

impl Keeper {
    /// At work until it is dropped, or `tasks` are.
    pub fn start(client: Client, tasks: &mut JoinSet<()>) -> Self {
        let (wanted, wishes) = watch::channel(Vec::new());
        let (told, standing) = watch::channel(Standing::Nothing);
        tasks.spawn(keep(client, wishes, told));
        Self { wanted, standing }
    }

    pub fn want(&self, patches: &[AnnotationPatch]) {
        self.wanted.send_if_modified(|wanted| {
            let differs = wanted != patches;
            if differs {
                *wanted = patches.to_vec();
            }
            differs
        });
    }

    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Everything that is wanted was looked at.
    pub fn settled(&self) -> bool {
        let standing = *self.standing.borrow();
        match standing {
            Standing::Nothing => self.wanted.borrow().is_empty(),
            Standing::Pending => false,
            Standing::Set | Standing::Absent | Standing::Contested | Standing::Refused => true,
        }
    }
}

async fn keep(
    client: Client,
    mut wishes: watch::Receiver<Vec<AnnotationPatch>>,
    told: watch::Sender<Standing>,
) {
    loop {
        let patches = wishes.borrow_and_update().clone();
        let ledger = Ledger::open(&patches, &told);
        tokio::select! {
            changed = wishes.changed() => if changed.is_err() { return },
            never = hold_all(&client, &patches, &ledger) => match never {},
        }
    }
}

async fn hold_all(client: &Client, patches: &[AnnotationPatch], ledger: &Ledger<'_>) -> Infallible {
    join_all(patches.iter().map(|patch| hold(client, patch, ledger))).await;
    std::future::pending().await
}

/// Where each object stands; the worst of them is told.
struct Ledger<'a> {
    standings: Mutex<BTreeMap<ObjectKey, Standing>>,
    told: &'a watch::Sender<Standing>,
}

impl<'a> Ledger<'a> {
    fn open(patches: &[AnnotationPatch], told: &'a watch::Sender<Standing>) -> Self {
        let pending = patches
            .iter()
            .map(|patch| (patch.key.clone(), Standing::Pending));
        let standings: BTreeMap<_, _> = pending.collect();
        told.send_replace(worst(&standings));
        Self {
            standings: Mutex::new(standings),
            told,
        }
    }

    /// Whether that is news.
    fn tell(&self, key: &ObjectKey, standing: Standing) -> bool {
        let mut standings = self
            .standings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let before = standings.insert(key.clone(), standing);
        let worst = worst(&standings);
        self.told
            .send_if_modified(|told| std::mem::replace(told, worst) != worst);
        before != Some(standing)
    }
}

fn worst(standings: &BTreeMap<ObjectKey, Standing>) -> Standing {
    standings.values().copied().max().unwrap_or_default()
}

/// One object, for ever.
async fn hold(client: &Client, patch: &AnnotationPatch, ledger: &Ledger<'_>) -> Infallible {
    let key = &patch.key;
    let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(300));
    let mut contest = Contest::default();
    loop {
        let standing = match settle(client, patch).await {
            Ok(Settled::Absent) => Standing::Absent,
            Ok(Settled::AsWanted) => Standing::Set,
            Ok(Settled::Written) if contest.is_lost(Instant::now()) => Standing::Contested,
            Ok(Settled::Written) => Standing::Set,
            Err(error) => {
                if ledger.tell(key, Standing::Refused) {
                    tracing::warn!(%key, error, "cannot keep the annotations; trying again");
                }
                tokio::time::sleep(backoff.wait()).await;
                continue;
            }
        };
        if ledger.tell(key, standing) {
            tracing::info!(%key, standing = standing.word(), "annotations");
        }
        if standing == Standing::Contested {
            tokio::time::sleep(jittered(CONTESTED_REST)).await;
            contest = Contest::default();
            continue;
        }
        match until_moved(client, patch, standing == Standing::Absent).await {
            Ok(()) => backoff.reset(),
            Err(error) => {
                tracing::debug!(%key, error, "a watch broke; looking again");
                tokio::time::sleep(backoff.wait()).await;
            }
        }
    }
}

enum Settled {
    AsWanted,
    Written,
    Absent,
}

/// Looks once, and writes what is missing.
async fn settle(client: &Client, patch: &AnnotationPatch) -> Result<Settled, String> {
    let kind = kind_of(&patch.key).map_err(|unknown| unknown.to_string())?;
    let path = kind.path(&patch.key);
    let mut look = get(&path);
    look.headers_mut().insert(ACCEPT, METADATA);
    let live = match call(client, look).await {
        Ok(live) => live,
        Err(error) if is_absence(&error) => return Ok(Settled::Absent),
        Err(error) => return Err(error.to_string()),
    };
    let Some(missing) = missing(patch, &live) else {
        return Ok(Settled::AsWanted);
    };
    let uri = format!("{path}?fieldManager={MANAGER}");
    let write = request(Method::PATCH, &uri, Some((MERGE, &missing)));
    match call(client, write).await {
        Ok(_) => Ok(Settled::Written),
        Err(error) if is_absence(&error) => Ok(Settled::Absent),
        Err(error) => Err(error.to_string()),
    }
}

/// JSON merge patch (RFC 7396).
const MERGE: &str = "application/merge-patch+json";

/// What has to be written; only to the version that was looked at.
fn missing(patch: &AnnotationPatch, live: &Value) -> Option<Value> {
    let there = live.pointer("/metadata/annotations");
    let wrong: Map<String, Value> = patch
        .annotations
        .iter()
        .filter(|(name, text)| {
            let found = there.and_then(|there| there.get(name.as_str())?.as_str());
            found != Some(text.as_str())
        })
        .map(|(name, text)| (name.clone(), json!(text)))
        .collect();
    if wrong.is_empty() {
        return None;
    }
    let version = live.pointer("/metadata/resourceVersion");
    Some(json!({ "metadata": { "annotations": wrong, "resourceVersion": version } }))
}

fn is_absence(error: &CallError) -> bool {
    match error {
        CallError::Refused(refusal) => refusal.code == 404,
        CallError::Timeout | CallError::Unreachable(_) | CallError::NotJson(_) => false,
    }
}

/// Watches until the object is not as it was settled, or the API server ends the watch.
async fn until_moved(client: &Client, patch: &AnnotationPatch, absent: bool) -> Result<(), String> {
    let kind = kind_of(&patch.key).map_err(|unknown| unknown.to_string())?;
    // Without a version the watch begins with what is there.
    let mut open = get(&one(kind, &patch.key));
    open.headers_mut().insert(ACCEPT, METADATA);
    let opened = tokio::time::timeout(CALL_TIMEOUT, client.request_events::<Value>(open));
    let opened = opened.await.map_err(|_| CallError::Timeout.to_string())?;
    let mut events = pin!(opened.map_err(|error| innermost(&error))?);
    let silence = Duration::from_secs(WATCH_SECONDS + 10);
    loop {
        let next = tokio::time::timeout(silence, events.try_next());
        let next = next.await.map_err(|_| "the watch fell silent".to_owned())?;
        match next.map_err(|error| innermost(&error))? {
            Some(WatchEvent::Added(live) | WatchEvent::Modified(live)) => {
                if absent || missing(patch, &live).is_some() {
                    return Ok(());
                }
            }
            Some(WatchEvent::Deleted(_)) | None => return Ok(()),
            Some(WatchEvent::Bookmark(_)) => {}
            Some(WatchEvent::Error(status)) => return Err(status.message),
        }
    }
}

/// The watch of a single object.
fn one(kind: &Kind, key: &ObjectKey) -> String {
    let collection = kind.collection(key.namespace.as_deref());
    let name = query(&format!("metadata.name={}", key.name));
    format!("{collection}?watch=true&timeoutSeconds={WATCH_SECONDS}&fieldSelector={name}")
}

/// When an annotation was written, the first time included.
#[derive(Default)]
struct Contest(VecDeque<Instant>);

impl Contest {
    /// Counts one more write; whether there were too many of late.
    fn is_lost(&mut self, now: Instant) -> bool {
        let recent = |at: &Instant| now.duration_since(*at) < CONTEST;
        self.0.retain(recent);
        self.0.push_back(now);
        self.0.len() > CORRECTIONS + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_written_to_the_version_that_was_seen() {
        let patch = AnnotationPatch {
            key: "core/Service/gateways/lb".parse().unwrap(),
            annotations: BTreeMap::from([
                ("a/size".to_owned(), "2".to_owned()),
                ("a/kind".to_owned(), "x".to_owned()),
            ]),
        };
        let live = |annotations: Value| json!({ "metadata": { "resourceVersion": "7", "annotations": annotations } });
        let as_wanted = live(json!({ "a/size": "2", "a/kind": "x", "other": "y" }));
        assert_eq!(missing(&patch, &as_wanted), None);
        let other = live(json!({ "a/size": "3", "a/kind": "x" }));
        let written =
            json!({ "metadata": { "resourceVersion": "7", "annotations": { "a/size": "2" } } });
        assert_eq!(missing(&patch, &other), Some(written));
        let none = json!({ "metadata": { "resourceVersion": "7" } });
        let both = &missing(&patch, &none).unwrap()["metadata"]["annotations"];
        assert_eq!(*both, json!({ "a/size": "2", "a/kind": "x" }));
    }

    #[test]
    fn who_takes_it_back_again_and_again_keeps_it() {
        let mut contest = Contest::default();
        let now = Instant::now();
        let lost: Vec<bool> = (0..5).map(|_| contest.is_lost(now)).collect();
        assert_eq!(lost, [false, false, false, false, true]);
        assert!(!contest.is_lost(now + CONTEST), "long ago does not count");
    }

    #[test]
    fn the_worst_is_told() {
        let (told, standing) = watch::channel(Standing::Nothing);
        let keys = ["core/Service/g/a", "core/Service/g/b"].map(|key| key.parse().unwrap());
        let patches = keys.clone().map(|key| AnnotationPatch {
            key,
            annotations: BTreeMap::new(),
        });
        let ledger = Ledger::open(&patches, &told);
        assert_eq!(standing.borrow().word(), None);
        assert!(ledger.tell(&keys[0], Standing::Set));
        assert_eq!(*standing.borrow(), Standing::Pending);
        ledger.tell(&keys[1], Standing::Absent);
        assert_eq!(standing.borrow().word(), Some("absent"));
        ledger.tell(&keys[1], Standing::Set);
        assert_eq!(standing.borrow().word(), Some("set"));
        assert!(!ledger.tell(&keys[1], Standing::Set));
    }
}
