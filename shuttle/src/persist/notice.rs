//! Tells that the index in the cluster has changed: whoever wrote it may be ahead of this process.
//!
//! Effects: network; one watch on one object's metadata, no LIST. Always holds: what is told is a version that
//! was there, the latest one last; a removal is not told, for it says nothing that could be acted upon.

use std::{pin::pin, time::Duration};

use futures::TryStreamExt as _;
use http::header::ACCEPT;
use kube::{Client, core::WatchEvent};
use serde_json::Value;
use tokio::sync::watch::Sender;

use super::{INDEX, store};
use crate::{
    backoff::Backoff,
    call::{CALL_TIMEOUT, get, query},
    watch::{PARTIAL, SILENCE, WATCH_SECONDS},
};

/// Follows the index until nobody listens; `told` gets its resourceVersion.
pub async fn follow_index(client: Client, told: Sender<Option<String>>) {
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
    while !told.is_closed() {
        match follow_once(&client, &told).await {
            Ok(()) => backoff.reset(),
            Err(error) => tracing::debug!(error, "cannot watch the accepted state; trying again"),
        }
        tokio::time::sleep(backoff.wait()).await;
    }
}

/// One watch. Without a version to begin at it shows first what is there, so nothing is missed between two.
async fn follow_once(client: &Client, told: &Sender<Option<String>>) -> Result<(), String> {
    let selector = query(&format!("metadata.name={INDEX}"));
    let mut request = get(&format!(
        "{}?fieldSelector={selector}&watch=true&allowWatchBookmarks=true&timeoutSeconds={WATCH_SECONDS}",
        store::collection()
    ));
    request.headers_mut().insert(ACCEPT, PARTIAL);
    let opened = tokio::time::timeout(CALL_TIMEOUT, client.request_events::<Value>(request)).await;
    let opened = opened.map_err(|_| "no answer in time".to_owned())?;
    let mut events = pin!(opened.map_err(|error| error.to_string())?);
    loop {
        let next = tokio::time::timeout(SILENCE, events.try_next()).await;
        let next = next.map_err(|_| "the watch fell silent".to_owned())?;
        match next.map_err(|error| error.to_string())? {
            None => return Ok(()),
            Some(WatchEvent::Added(map) | WatchEvent::Modified(map)) => {
                told.send_replace(Some(store::version(&map).resource_version));
            }
            Some(WatchEvent::Deleted(_) | WatchEvent::Bookmark(_)) => {}
            Some(WatchEvent::Error(status)) => return Err(status.message),
        }
    }
}
