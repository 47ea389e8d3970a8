//! Tells the engine what lives: one LIST, then one watch, per kind, or per kind and namespace.
//!
//! Effects: network. Always holds: a collection's events come in order; what a LIST did not show is
//! gone when `Synced` comes; a kind that is not served, and a namespace that is not there, are
//! complete, for nothing of them lives. A watch that ends is resumed where it was; only an expired
//! one, or the safety net, costs another LIST. Read on in `engine/`, which judges what is seen.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use futures::TryStreamExt as _;
use http::{HeaderValue, Request, header::ACCEPT};
use kube::core::WatchEvent;
use serde_json::Value;
use tokio::sync::mpsc::Sender;

use crate::{
    access::Access,
    backoff::{Backoff, jittered},
    call::{CALL_TIMEOUT, CallError, call_list, get, innermost, query},
    cluster::kind_is_absent,
    engine::{
        fields::MANAGED_LABEL,
        io::{Collection, Gone, Input, Observed},
    },
    kinds::{Kind, Watch},
};

/// How long the API server keeps one watch open, in seconds.
pub(crate) const WATCH_SECONDS: u64 = 290;
/// Longer silence than this means a dead connection: bookmarks come every minute.
pub(crate) const SILENCE: Duration = Duration::from_secs(WATCH_SECONDS + 10);
/// The safety net against events that were lost on the way.
const RELIST: Duration = Duration::from_secs(600);
/// Between two tries to resume a watch at most: until then nobody sees what happens, however soon the API server is
/// back.
const LONGEST_BREAK: Duration = Duration::from_secs(10);
/// How soon a kind may appear after its CRD is installed.
const ABSENT_RETRY: Duration = Duration::from_secs(60);
/// How often a namespace that is not there is looked at: it may just be coming, and whoever is told of
/// it then does not begin what is under way here.
const LOOKS: u32 = 5;
/// Objects of one page of a LIST. Whole objects take tens of KB each while they are read, and what
/// was once taken stays with the process.
const PAGE: usize = 500;
const PAGE_OF_WHOLE: usize = 200;

/// Of one object, or of the events of a watch.
pub(crate) const PARTIAL: HeaderValue =
    HeaderValue::from_static("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
const PARTIAL_LIST: HeaderValue =
    HeaderValue::from_static("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");

/// Why a LIST or a watch did not go on.
#[derive(Debug)]
enum Broken {
    Unheard,
    /// The kind is not served.
    Absent,
    /// The namespace is not there.
    NoNamespace,
    /// The applier of the namespace has no rights there, yet or any more.
    Barred,
    /// The version to resume from is too old (410).
    Expired,
    Failed(String),
}

/// Where one collection is read, and who listens.
struct Follower {
    access: Access,
    kind: &'static Kind,
    /// `None`: everywhere.
    namespace: Option<String>,
    inputs: Sender<Input>,
}

/// Follows one kind in all namespaces until nobody listens.
pub async fn follow(access: Access, kind: &'static Kind, inputs: Sender<Input>) {
    let follower = Follower {
        access,
        kind,
        namespace: None,
        inputs,
    };
    follower.follow().await;
}

/// Follows one kind in one project's namespace, as its applier, until nobody listens or the namespace
/// is not there.
pub async fn follow_in(
    access: Access,
    kind: &'static Kind,
    namespace: String,
    inputs: Sender<Input>,
) {
    let follower = Follower {
        access,
        kind,
        namespace: Some(namespace),
        inputs,
    };
    follower.follow().await;
}

impl Follower {
    async fn follow(self) {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
        let mut looks = 0;
        let mut entitled = false;
        loop {
            let begun = match entitled {
                true => self.list().await,
                false => self.begin().await,
            };
            entitled = begun.is_ok();
            let outcome = match begun {
                Ok(version) => {
                    backoff.reset();
                    looks = 0;
                    self.resume(version).await
                }
                Err(broken) => Err(broken),
            };
            let wait = match outcome {
                Ok(()) | Err(Broken::Expired) => Duration::ZERO,
                Err(Broken::Unheard) => return,
                Err(Broken::NoNamespace) => {
                    looks += 1;
                    let told = self.say(Input::Synced(self.collection())).await;
                    if told.is_err() || looks == LOOKS {
                        return;
                    }
                    backoff.wait()
                }
                Err(Broken::Barred) => {
                    if self.say(Input::Barred(self.collection())).await.is_err() {
                        return;
                    }
                    backoff.wait()
                }
                Err(Broken::Absent) => {
                    let kind = self.kind.kind;
                    tracing::warn!(kind, "the cluster does not serve this kind");
                    if self.say(Input::Synced(self.collection())).await.is_err() {
                        return;
                    }
                    ABSENT_RETRY
                }
                Err(Broken::Failed(error)) => {
                    let kind = self.kind.kind;
                    tracing::warn!(kind, error, "cannot list or watch; trying again");
                    backoff.wait()
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// The first LIST, once the applier of the namespace has its rights.
    async fn begin(&self) -> Result<String, Broken> {
        let Some(namespace) = &self.namespace else {
            return self.list().await;
        };
        match self.access.is_entitled(namespace).await {
            Ok(true) => self.list().await,
            Ok(false) => Err(self.why_barred(namespace).await),
            Err(error) => Err(self.broken(error).await),
        }
    }

    /// Shows every object of the collection; returns the version to watch from.
    async fn list(&self) -> Result<String, Broken> {
        self.say(Input::Syncing(self.collection())).await?;
        let limit = match self.kind.watch {
            Watch::Whole => PAGE_OF_WHOLE,
            Watch::Metadata | Watch::MetadataPerNamespace | Watch::Off => PAGE,
        };
        let mut token = String::new();
        loop {
            let uri = format!("{}&limit={limit}&continue={}", self.uri(), query(&token));
            let request = self.request(&uri, PARTIAL_LIST);
            let mut page = match call_list(self.access.own(), request).await {
                Ok(page) => page,
                Err(error) => return Err(self.broken(error).await),
            };
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                for mut object in items {
                    // Items of a LIST lack them, and health is judged by kind.
                    object["apiVersion"] = self.kind.api_version().into();
                    object["kind"] = self.kind.kind.into();
                    self.show(&object).await?;
                }
            }
            let metadata = |field: &str| {
                let text = page.get("metadata")?.get(field)?.as_str()?;
                Some(text.to_owned())
            };
            match metadata("continue").filter(|next| !next.is_empty()) {
                Some(next) => token = next,
                None => {
                    self.say(Input::Synced(self.collection())).await?;
                    return Ok(metadata("resourceVersion").unwrap_or_default());
                }
            }
        }
    }

    /// Watches from `version` on, again and again, until the safety net wants a LIST.
    async fn resume(&self, mut version: String) -> Result<(), Broken> {
        let relist = Instant::now() + jittered(RELIST);
        let mut backoff = Backoff::new(Duration::from_millis(200), LONGEST_BREAK);
        loop {
            let left = relist.saturating_duration_since(Instant::now());
            let began = Instant::now();
            let watched = tokio::time::timeout(left, self.watch(&mut version));
            match watched.await {
                Err(_) => return Ok(()),
                Ok(Err(Broken::Failed(error))) => {
                    let kind = self.kind.kind;
                    tracing::debug!(kind, error, "a watch broke; resuming it");
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
    async fn watch(&self, version: &mut String) -> Result<(), Broken> {
        let uri = format!(
            "{}&watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}&resourceVersion={}",
            self.uri(),
            query(version)
        );
        let request = self.request(&uri, PARTIAL);
        let client = self.access.own();
        let opened = tokio::time::timeout(CALL_TIMEOUT, client.request_events::<Value>(request));
        let opened = opened
            .await
            .map_err(|_| Broken::Failed(CallError::Timeout.to_string()))?;
        let mut events = pin!(opened.map_err(|error| self.unopened(&error))?);
        loop {
            let next = tokio::time::timeout(SILENCE, events.try_next())
                .await
                .map_err(|_| Broken::Failed("the watch fell silent".to_owned()))?
                .map_err(|error| self.unopened(&error))?;
            let Some(event) = next else { return Ok(()) };
            if let Some(seen) = self.hear(event).await? {
                *version = seen;
            }
        }
    }

    /// Passes one event on; returns the version that it brings.
    async fn hear(&self, event: WatchEvent<Value>) -> Result<Option<String>, Broken> {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                self.show(&object).await?;
                Ok(version_of(&object))
            }
            WatchEvent::Deleted(object) => {
                if let Some(observed) = Observed::of(self.kind, &object) {
                    let gone = Gone {
                        key: observed.key,
                        uid: observed.uid,
                    };
                    self.say(Input::Gone(gone)).await?;
                }
                Ok(version_of(&object))
            }
            WatchEvent::Bookmark(bookmark) => Ok(Some(bookmark.metadata.resource_version)),
            WatchEvent::Error(status) if status.code == 410 => Err(Broken::Expired),
            WatchEvent::Error(status) => Err(Broken::Failed(status.message)),
        }
    }

    async fn show(&self, object: &Value) -> Result<(), Broken> {
        match Observed::of(self.kind, object) {
            Some(observed) => self.say(Input::Observed(observed)).await,
            None => Ok(()),
        }
    }

    async fn say(&self, input: Input) -> Result<(), Broken> {
        self.inputs.send(input).await.map_err(|_| Broken::Unheard)
    }

    fn collection(&self) -> Collection {
        Collection {
            namespace: self.namespace.clone(),
            ..Collection::everywhere(self.kind)
        }
    }

    /// Of all objects of the collection that are ours.
    fn uri(&self) -> String {
        let (label, value) = MANAGED_LABEL;
        let selector = query(&format!("{label}={value}"));
        let collection = self.kind.collection(self.namespace.as_deref());
        format!("{collection}?labelSelector={selector}")
    }

    fn request(&self, uri: &str, partial: HeaderValue) -> Request<Vec<u8>> {
        let mut request = get(uri);
        match self.kind.watch {
            Watch::Whole => {}
            Watch::Metadata | Watch::MetadataPerNamespace | Watch::Off => {
                request.headers_mut().insert(ACCEPT, partial);
            }
        }
        match &self.namespace {
            Some(namespace) => self.access.acting_in(namespace, request),
            None => request,
        }
    }

    async fn broken(&self, error: CallError) -> Broken {
        let refusal = match &error {
            CallError::Refused(refusal) => refusal,
            CallError::Timeout | CallError::Unreachable(_) | CallError::NotJson(_) => {
                return Broken::Failed(error.to_string());
            }
        };
        if kind_is_absent(refusal) {
            return Broken::Absent;
        }
        let barred = self.namespace.as_deref();
        let barred = barred.filter(|namespace| self.access.is_barred(namespace, refusal));
        match (refusal.code, barred) {
            (410, _) => Broken::Expired,
            (_, Some(namespace)) => self.why_barred(namespace).await,
            (_, None) => Broken::Failed(error.to_string()),
        }
    }

    /// Rights go with their namespace.
    async fn why_barred(&self, namespace: &str) -> Broken {
        match self.access.stands(namespace).await {
            Err(CallError::Refused(refusal)) if refusal.code == 404 => Broken::NoNamespace,
            Ok(())
            | Err(
                CallError::Refused(_)
                | CallError::Timeout
                | CallError::Unreachable(_)
                | CallError::NotJson(_),
            ) => Broken::Barred,
        }
    }

    fn unopened(&self, error: &kube::Error) -> Broken {
        // Everything but the API server's word is a broken connection, in one of the client's many words.
        let code = if let kube::Error::Api(status) = error {
            Some(status.code)
        } else {
            None
        };
        match code {
            Some(410) => Broken::Expired,
            Some(404) => Broken::Absent,
            // The next LIST finds out why.
            Some(403) if self.namespace.is_some() => Broken::Expired,
            Some(_) | None => Broken::Failed(innermost(error)),
        }
    }
}

fn version_of(object: &Value) -> Option<String> {
    let version = object.get("metadata")?.get("resourceVersion")?.as_str()?;
    Some(version.to_owned())
}
