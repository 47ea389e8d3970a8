//! Waking whoever waits for an accept or a report, in this process and in others.
//!
//! Effects: none; [`Store::watch_changes`] reads the database every second while somebody waits, which
//! is how processes that share one database hear of each other. Always holds: who subscribes before
//! it reads misses nothing.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use starform_contract::ClusterId;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Store, StoreError, params};

const EVERY: Duration = Duration::from_secs(1);

/// The last seen value of `clusters.changes` per cluster that somebody waits for.
#[derive(Clone, Default)]
pub(super) struct Changes(Arc<Mutex<BTreeMap<ClusterId, watch::Sender<i64>>>>);

impl Changes {
    fn subscribe(&self, cluster: ClusterId) -> watch::Receiver<i64> {
        self.with(|waited| waited.entry(cluster).or_default().subscribe())
    }

    pub(super) fn publish(&self, cluster: ClusterId, changes: i64) {
        self.with(|waited| {
            if let Some(sender) = waited.get(&cluster) {
                sender.send_if_modified(|seen| std::mem::replace(seen, changes) != changes);
            }
        });
    }

    /// Forgets clusters that nobody waits for any more; whether anybody waits.
    fn waited(&self) -> bool {
        self.with(|waited| {
            waited.retain(|_, sender| sender.receiver_count() > 0);
            !waited.is_empty()
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<ClusterId, watch::Sender<i64>>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store {
    /// Changes whenever a plan is accepted, a report recorded, or a verification asked or answered for the
    /// cluster.
    pub fn subscribe(&self, cluster: ClusterId) -> watch::Receiver<i64> {
        self.changes.subscribe(cluster)
    }

    /// How many wait for this cluster in this process.
    pub fn waiting(&self, cluster: ClusterId) -> usize {
        self.changes.with(|waited| {
            waited
                .get(&cluster)
                .map_or(0, watch::Sender::receiver_count)
        })
    }

    /// Tells waiters what other processes wrote; runs until cancelled.
    pub async fn watch_changes(&self, cancelled: CancellationToken) {
        while cancelled
            .run_until_cancelled(tokio::time::sleep(EVERY))
            .await
            .is_some()
        {
            if let Err(error) = self.publish_all().await {
                tracing::warn!(%error, "looking for changes failed; trying again");
            }
        }
    }

    async fn publish_all(&self) -> Result<(), StoreError> {
        if !self.changes.waited() {
            return Ok(());
        }
        let mut tx = self.database.read().await?;
        let rows = tx
            .rows("SELECT id, changes FROM clusters", params![])
            .await?;
        tx.commit().await?;
        for row in rows {
            self.changes
                .publish(row.parse("id")?, row.integer("changes")?);
        }
        Ok(())
    }
}
