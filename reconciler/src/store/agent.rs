//! What a cluster's agent asks for and says: the lease, the desired state, bundles, where it stands.
//!
//! Effects: the database. Always holds: at most one instance of a cluster's agent holds the lease; a
//! bundle is served only to a cluster that it was accepted for.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use starform_contract::{ClusterId, Digest, Generation, Index, sealed::AgentPublicKey};

use super::{
    Store, StoreError,
    audit::{self, Entry},
    database::{Row, Tx, params},
    plans, registry, reports, secrets,
};
use crate::{access::Actor, time::Timestamp};

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

/// The answer to "go on after what the agent has".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    Made {
        /// What the agent had acted upon.
        seen: Generation,
        generation: Generation,
    },
    /// No agent of this cluster has said since when its generation counts.
    AgentUnknown,
    NoCluster,
}

/// The answer to "values for this cluster are sealed to this key".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentKeyPinned {
    /// Now, or before to the same one.
    Pinned,
    /// To another one.
    Other,
}

/// What an agent says of itself when it asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentWord {
    /// The generation that it has acted upon last; `None`: nothing yet, or an agent that does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<Generation>,
    /// Why it refuses what it was served, in one hyphenated word (`went-back`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refuses: Option<String>,
    /// How the annotations stand that it keeps on others' objects, in one word: `set`, `absent`,
    /// `contested`, `refused`; `None`: none are asked for, or it has not looked yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<String>,
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

    /// Remembers what the cluster's agent said; writes only where it said something new.
    pub async fn hear(&self, cluster: ClusterId, word: &AgentWord) -> Result<(), StoreError> {
        let mut tx = self.database.read().await?;
        let sql =
            "SELECT agent_generation, agent_refuses, agent_annotations FROM clusters WHERE id = $1";
        let row = tx.row(sql, params![cluster]).await?;
        tx.commit().await?;
        let Some(row) = row else {
            return Ok(());
        };
        if agent_word(&row)? == *word {
            return Ok(());
        }
        let mut tx = self.database.write().await?;
        tx.execute(
            "UPDATE clusters SET agent_generation = $2, agent_refuses = $3, agent_annotations = $4
             WHERE id = $1",
            params![
                cluster,
                word.generation,
                word.refuses.clone(),
                word.annotations.clone()
            ],
        )
        .await?;
        tx.commit().await
    }

    /// The current index, unsigned. `None`: no such cluster.
    pub async fn desired_state(&self, cluster: ClusterId) -> Result<Option<Index>, StoreError> {
        let mut tx = self.database.read().await?;
        let row = tx
            .row(
                "SELECT g.document FROM clusters c
                 JOIN generations g ON g.cluster_id = c.id AND g.generation = c.generation
                 WHERE c.id = $1",
                params![cluster],
            )
            .await?;
        tx.commit().await?;
        row.map(|row| row.document("document")).transpose()
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

    /// Makes a generation after all that the cluster's agent has acted upon, with what the store
    /// holds: after the store was restored from a backup, its next generations would be older than
    /// the agent's, and refused.
    pub async fn reset_generation(
        &self,
        actor: &Actor,
        cluster: ClusterId,
        now: Timestamp,
    ) -> Result<Reset, StoreError> {
        let mut tx = self.database.write().await?;
        let Some(changes) = reports::touch(&mut tx, cluster).await? else {
            return Ok(Reset::NoCluster);
        };
        let sql =
            "SELECT agent_generation, agent_refuses, agent_annotations FROM clusters WHERE id = $1";
        let row = tx.row(sql, params![cluster]).await?;
        let word = row.as_ref().map(agent_word).transpose()?;
        let Some(seen) = word.and_then(|word| word.generation) else {
            return Ok(Reset::AgentUnknown);
        };
        let before = plans::current_index(&mut tx, cluster).await?;
        let next = before.overtaking(seen);
        registry::write_index(&mut tx, &next, now).await?;
        secrets::raise_floor(&mut tx, cluster).await?;
        let sql = "UPDATE clusters SET generation = $2 WHERE id = $1";
        tx.execute(sql, params![cluster, next.generation]).await?;
        let entry = Entry {
            action: "cluster.reset-generation",
            resource: cluster.to_string(),
            before: Some(before.digest.as_str()),
            after: Some(next.digest.as_str()),
        };
        audit::record(&mut tx, actor, entry, now).await?;
        tx.commit().await?;
        self.changes.publish(cluster, changes);
        Ok(Reset::Made {
            seen,
            generation: next.generation,
        })
    }

    /// The first key that the cluster's agent posts is the one that counts.
    pub async fn pin_agent_key(
        &self,
        actor: &Actor,
        cluster: ClusterId,
        key: &AgentPublicKey,
        now: Timestamp,
    ) -> Result<AgentKeyPinned, StoreError> {
        match self.agent_key(cluster).await? {
            Some(pinned) if pinned == *key => return Ok(AgentKeyPinned::Pinned),
            Some(_) => return Ok(AgentKeyPinned::Other),
            None => {}
        }
        let mut tx = self.database.write().await?;
        let sql = "UPDATE clusters SET agent_key = $2 WHERE id = $1 AND agent_key IS NULL";
        let pinned = tx.execute(sql, params![cluster, key.to_string()]).await?;
        if pinned == 0 {
            // Somebody was faster, maybe another request of the same agent.
            drop(tx);
            return Ok(match self.agent_key(cluster).await? {
                Some(pinned) if pinned == *key => AgentKeyPinned::Pinned,
                Some(_) | None => AgentKeyPinned::Other,
            });
        }
        note_key(&mut tx, actor, "cluster.pin-agent-key", cluster, now).await?;
        tx.commit().await?;
        Ok(AgentKeyPinned::Pinned)
    }

    /// What values for the cluster are sealed to.
    pub async fn agent_key(
        &self,
        cluster: ClusterId,
    ) -> Result<Option<AgentPublicKey>, StoreError> {
        let mut tx = self.database.read().await?;
        let sql = "SELECT agent_key FROM clusters WHERE id = $1";
        let row = tx.row(sql, params![cluster]).await?;
        tx.commit().await?;
        let column = "agent_key";
        let text = row.map(|row| row.optional_text(column)).transpose()?;
        let text = text.flatten();
        text.map(|text| text.parse().map_err(|_| StoreError::Corrupt { column }))
            .transpose()
    }

    /// The next key that the cluster's agent posts is pinned. `false`: no such cluster.
    pub async fn forget_agent_key(
        &self,
        actor: &Actor,
        cluster: ClusterId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.database.write().await?;
        let sql = "UPDATE clusters SET agent_key = NULL WHERE id = $1";
        if tx.execute(sql, params![cluster]).await? == 0 {
            return Ok(false);
        }
        note_key(&mut tx, actor, "cluster.forget-agent-key", cluster, now).await?;
        tx.commit().await?;
        Ok(true)
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

async fn note_key(
    tx: &mut Tx,
    actor: &Actor,
    action: &'static str,
    cluster: ClusterId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let entry = Entry {
        action,
        resource: cluster.to_string(),
        before: None,
        after: None,
    };
    audit::record(tx, actor, entry, now).await
}

pub(super) fn agent_word(row: &Row) -> Result<AgentWord, StoreError> {
    Ok(AgentWord {
        generation: row
            .optional_integer("agent_generation")?
            .map(registry::generation),
        refuses: row.optional_text("agent_refuses")?,
        annotations: row.optional_text("agent_annotations")?,
    })
}
