//! What a cluster's agent asks for: the lease, the desired state, bundles.
//!
//! Effects: the database. Always holds: at most one instance of a cluster's agent holds the lease; a
//! bundle is served only to a cluster that it was accepted for.

use std::time::Duration;

use starform_contract::{ClusterId, Digest};

use super::{Store, StoreError, database::params};
use crate::time::Timestamp;

const LEASE: Duration = Duration::from_secs(60);
/// A lease is written again only when less than this is left of it.
const RENEW_BELOW: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    Held,
    /// Another instance holds it, for this long unless it renews.
    Standby(Duration),
    NoCluster,
}

/// An index as it is stored, ready to be sent.
pub struct DesiredState {
    pub digest: Digest,
    pub document: String,
}

impl Store {
    /// Takes or keeps the lease of the cluster's agent for 60 s.
    pub async fn lease(
        &self,
        cluster: ClusterId,
        instance: &str,
        now: Timestamp,
    ) -> Result<Lease, StoreError> {
        let mut tx = self.database.read().await?;
        let sql = "SELECT agent_instance, agent_lease_until FROM clusters WHERE id = $1";
        let row = tx.row(sql, params![cluster]).await?;
        tx.commit().await?;
        let Some(row) = row else {
            return Ok(Lease::NoCluster);
        };
        let left = row
            .optional_moment("agent_lease_until")?
            .map_or(Duration::ZERO, |until| until.since(now));
        let ours = row.optional_text("agent_instance")?.as_deref() == Some(instance);
        match (ours, left) {
            (false, left) if !left.is_zero() => Ok(Lease::Standby(left)),
            (true, left) if left >= RENEW_BELOW => Ok(Lease::Held),
            (true | false, _) => self.take_lease(cluster, instance, now).await,
        }
    }

    /// `None`: no such cluster.
    pub async fn desired_state(
        &self,
        cluster: ClusterId,
    ) -> Result<Option<DesiredState>, StoreError> {
        let mut tx = self.database.read().await?;
        let row = tx
            .row(
                "SELECT g.digest, g.document FROM clusters c
                 JOIN generations g ON g.cluster_id = c.id AND g.generation = c.generation
                 WHERE c.id = $1",
                params![cluster],
            )
            .await?;
        tx.commit().await?;
        row.map(|row| {
            Ok(DesiredState {
                digest: row.parse("digest")?,
                document: row.text("document")?,
            })
        })
        .transpose()
    }

    /// The digest of the current index; what a long poll compares.
    pub async fn desired_digest(&self, cluster: ClusterId) -> Result<Option<Digest>, StoreError> {
        let mut tx = self.database.read().await?;
        let row = tx
            .row(
                "SELECT g.digest FROM clusters c
                 JOIN generations g ON g.cluster_id = c.id AND g.generation = c.generation
                 WHERE c.id = $1",
                params![cluster],
            )
            .await?;
        tx.commit().await?;
        row.map(|row| row.parse("digest")).transpose()
    }

    /// The canonical text of a bundle that was accepted for this cluster.
    pub async fn cluster_bundle(
        &self,
        cluster: ClusterId,
        digest: &Digest,
    ) -> Result<Option<String>, StoreError> {
        let mut tx = self.database.read().await?;
        let row = tx
            .row(
                "SELECT b.document FROM cluster_bundles c JOIN bundles b ON b.digest = c.digest
                 WHERE c.cluster_id = $1 AND c.digest = $2",
                params![cluster, digest],
            )
            .await?;
        tx.commit().await?;
        row.map(|row| row.text("document")).transpose()
    }

    async fn take_lease(
        &self,
        cluster: ClusterId,
        instance: &str,
        now: Timestamp,
    ) -> Result<Lease, StoreError> {
        let mut tx = self.database.write().await?;
        let taken = tx
            .execute(
                "UPDATE clusters SET agent_instance = $2, agent_lease_until = $3, agent_seen_at = $4
                 WHERE id = $1
                   AND (agent_instance IS NULL OR agent_instance = $2 OR agent_lease_until <= $4)",
                params![cluster, instance, now.plus(LEASE), now],
            )
            .await?;
        tx.commit().await?;
        Ok(if taken == 1 {
            Lease::Held
        } else {
            Lease::Standby(LEASE)
        })
    }
}
