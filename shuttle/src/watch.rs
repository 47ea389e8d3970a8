//! Tells the engine what lives: one LIST, then one watch, per kind.
//!
//! Effects: network. Always holds: a kind's events come in order; what a LIST did not show is gone
//! when `Synced` comes; a kind that is not served is complete, for nothing of it lives. A watch that
//! ends is resumed where it was; only an expired one, or the safety net, costs another LIST. Read on
//! in `engine/`, which judges what is seen.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use futures::TryStreamExt as _;
use http::{HeaderValue, header::ACCEPT};
use kube::{Client, core::WatchEvent};
use serde_json::Value;
use tokio::sync::mpsc::Sender;

use crate::{
    backoff::{Backoff, jittered},
    call::{CALL_TIMEOUT, CallError, call, get, innermost, query},
    cluster::kind_is_absent,
    engine::{
        fields::MANAGED_LABEL,
        io::{Gone, Input, KindName, Observed},
    },
    kinds::{Kind, Watch},
};

/// How long the API server keeps one watch open, in seconds.
const WATCH_SECONDS: u64 = 290;
/// Longer silence than this means a dead connection: bookmarks come every minute.
const SILENCE: Duration = Duration::from_secs(WATCH_SECONDS + 10);
/// The safety net against events that were lost on the way.
const RELIST: Duration = Duration::from_secs(600);
/// How soon a kind may appear after its CRD is installed.
const ABSENT_RETRY: Duration = Duration::from_secs(60);
/// Objects of one page of a LIST. Whole objects take tens of KB each while they are read, and what
/// was once taken stays with the process.
const PAGE: usize = 500;
const PAGE_OF_WHOLE: usize = 200;

const PARTIAL: HeaderValue =
    HeaderValue::from_static("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
const PARTIAL_LIST: HeaderValue =
    HeaderValue::from_static("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");

/// Why a LIST or a watch did not go on.
#[derive(Debug)]
enum Broken {
    Unheard,
    /// The kind is not served.
    Absent,
    /// The version to resume from is too old (410).
    Expired,
    Failed(String),
}

/// Follows one kind until nobody listens.
pub async fn follow(client: Client, kind: &'static Kind, inputs: Sender<Input>) {
    let name = KindName::new(kind.group, kind.kind);
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
    loop {
        let outcome = match list(&client, kind, &name, &inputs).await {
            Ok(version) => {
                backoff.reset();
                resume(&client, kind, version, &inputs).await
            }
            Err(broken) => Err(broken),
        };
        let wait = match outcome {
            Ok(()) | Err(Broken::Expired) => Duration::ZERO,
            Err(Broken::Unheard) => return,
            Err(Broken::Absent) => {
                tracing::warn!(kind = kind.kind, "the cluster does not serve this kind");
                if say(&inputs, Input::Synced(name.clone())).await.is_err() {
                    return;
                }
                ABSENT_RETRY
            }
            Err(Broken::Failed(error)) => {
                tracing::warn!(
                    kind = kind.kind,
                    error,
                    "cannot list or watch; trying again"
                );
                backoff.wait()
            }
        };
        tokio::time::sleep(wait).await;
    }
}

/// Shows every object of the kind; returns the version to watch from.
async fn list(
    client: &Client,
    kind: &Kind,
    name: &KindName,
    inputs: &Sender<Input>,
) -> Result<String, Broken> {
    say(inputs, Input::Syncing(name.clone())).await?;
    let limit = match kind.watch {
        Watch::Whole => PAGE_OF_WHOLE,
        Watch::Metadata | Watch::Off => PAGE,
    };
    let mut token = String::new();
    loop {
        let uri = format!(
            "{}&limit={limit}&continue={}",
            collection(kind),
            query(&token)
        );
        let mut request = get(&uri);
        if kind.watch != Watch::Whole {
            request.headers_mut().insert(ACCEPT, PARTIAL_LIST);
        }
        let mut page = call(client, request).await.map_err(broken)?;
        if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
            for mut object in items {
                // Items of a LIST lack them, and health is judged by kind.
                object["apiVersion"] = kind.api_version().into();
                object["kind"] = kind.kind.into();
                show(kind, &object, inputs).await?;
            }
        }
        let metadata = |field: &str| {
            let text = page.get("metadata")?.get(field)?.as_str()?;
            Some(text.to_owned())
        };
        match metadata("continue").filter(|next| !next.is_empty()) {
            Some(next) => token = next,
            None => {
                say(inputs, Input::Synced(name.clone())).await?;
                return Ok(metadata("resourceVersion").unwrap_or_default());
            }
        }
    }
}

/// Watches from `version` on, again and again, until the safety net wants a LIST.
async fn resume(
    client: &Client,
    kind: &Kind,
    mut version: String,
    inputs: &Sender<Input>,
) -> Result<(), Broken> {
    let relist = Instant::now() + jittered(RELIST);
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(30));
    loop {
        let left = relist.saturating_duration_since(Instant::now());
        let began = Instant::now();
        let watched = tokio::time::timeout(left, watch(client, kind, &mut version, inputs));
        match watched.await {
            Err(_) => return Ok(()),
            Ok(Err(Broken::Failed(error))) => {
                tracing::debug!(kind = kind.kind, error, "a watch broke; resuming it");
            }
            Ok(Err(other)) => return Err(other),
            Ok(Ok(())) => {}
        }
        if began.elapsed() > Duration::from_secs(5) {
            backoff.reset();
        }
        tokio::time::sleep(backoff.wait()).await;
    }
}

/// One watch, until the API server ends it; `version` follows what was seen.
async fn watch(
    client: &Client,
    kind: &Kind,
    version: &mut String,
    inputs: &Sender<Input>,
) -> Result<(), Broken> {
    let uri = format!(
        "{}&watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}&resourceVersion={}",
        collection(kind),
        query(version)
    );
    let mut request = get(&uri);
    if kind.watch != Watch::Whole {
        request.headers_mut().insert(ACCEPT, PARTIAL);
    }
    let opened = tokio::time::timeout(CALL_TIMEOUT, client.request_events::<Value>(request));
    let opened = opened
        .await
        .map_err(|_| Broken::Failed(CallError::Timeout.to_string()))?;
    let mut events = pin!(opened.map_err(|error| from_client(&error))?);
    loop {
        let next = tokio::time::timeout(SILENCE, events.try_next())
            .await
            .map_err(|_| Broken::Failed("the watch fell silent".to_owned()))?
            .map_err(|error| from_client(&error))?;
        let Some(event) = next else { return Ok(()) };
        if let Some(seen) = hear(kind, event, inputs).await? {
            *version = seen;
        }
    }
}

/// Passes one event on; returns the version that it brings.
async fn hear(
    kind: &Kind,
    event: WatchEvent<Value>,
    inputs: &Sender<Input>,
) -> Result<Option<String>, Broken> {
    match event {
        WatchEvent::Added(object) | WatchEvent::Modified(object) => {
            show(kind, &object, inputs).await?;
            Ok(version_of(&object))
        }
        WatchEvent::Deleted(object) => {
            if let Some(observed) = Observed::of(kind, &object) {
                let gone = Gone {
                    key: observed.key,
                    uid: observed.uid,
                };
                say(inputs, Input::Gone(gone)).await?;
            }
            Ok(version_of(&object))
        }
        WatchEvent::Bookmark(bookmark) => Ok(Some(bookmark.metadata.resource_version)),
        WatchEvent::Error(status) if status.code == 410 => Err(Broken::Expired),
        WatchEvent::Error(status) => Err(Broken::Failed(status.message)),
    }
}

async fn show(kind: &Kind, object: &Value, inputs: &Sender<Input>) -> Result<(), Broken> {
    match Observed::of(kind, object) {
        Some(observed) => say(inputs, Input::Observed(observed)).await,
        None => Ok(()),
    }
}

async fn say(inputs: &Sender<Input>, input: Input) -> Result<(), Broken> {
    inputs.send(input).await.map_err(|_| Broken::Unheard)
}

/// All objects of the kind that are ours, in every namespace.
fn collection(kind: &Kind) -> String {
    let root = if kind.group.is_empty() {
        format!("/api/{}", kind.version)
    } else {
        format!("/apis/{}/{}", kind.group, kind.version)
    };
    let (label, value) = MANAGED_LABEL;
    let selector = query(&format!("{label}={value}"));
    format!("{root}/{}?labelSelector={selector}", kind.plural)
}

fn version_of(object: &Value) -> Option<String> {
    let version = object.get("metadata")?.get("resourceVersion")?.as_str()?;
    Some(version.to_owned())
}

fn broken(error: CallError) -> Broken {
    match error {
        CallError::Refused(refusal) if kind_is_absent(&refusal) => Broken::Absent,
        CallError::Refused(refusal) if refusal.code == 410 => Broken::Expired,
        CallError::Refused(_)
        | CallError::Timeout
        | CallError::Unreachable(_)
        | CallError::NotJson(_) => Broken::Failed(error.to_string()),
    }
}

fn from_client(error: &kube::Error) -> Broken {
    // Everything but the API server's word is a broken connection, in one of the client's many words.
    let code = if let kube::Error::Api(status) = error {
        Some(status.code)
    } else {
        None
    };
    match code {
        Some(410) => Broken::Expired,
        Some(404) => Broken::Absent,
        Some(_) | None => Broken::Failed(innermost(error)),
    }
}
