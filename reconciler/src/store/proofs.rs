//! Which hosts are shown to be their projects', and looking again whether they still are.
//!
//! Effects: the database; [`Store::watch_hosts`] the clock and the DNS. Always holds: a host that was
//! shown stays so until its record was seen to be missing and had not been there for [`GRACE`]; a DNS
//! server that does not answer changes nothing. What follows is shown by the next plan, and no sooner.
//! Read on in `hostnames` for what it is to have a host.

use std::{collections::BTreeSet, time::Duration};

use futures::StreamExt as _;
use starform_contract::{ClusterProfile, ProjectId};
use tokio_util::sync::CancellationToken;

use super::{
    Store, StoreError,
    database::{Row, Tx, params},
    hostnames,
};
use crate::{
    fit::is_platforms,
    proof::{Proof, Proofs},
    time::Timestamp,
};

/// How long a record may be away, in milliseconds: a zone that moves to another provider loses its
/// records for a while.
pub const GRACE: i64 = 3 * 24 * HOUR;
/// Between two looks at a host that is shown to be its project's.
const SHOWN_EVERY: i64 = HOUR;
/// And at one that is not; a plan looks as well.
const MISSING_EVERY: i64 = HOUR / 12;
const HOUR: i64 = 60 * 60 * 1000;
/// How often hosts are looked for whose turn has come.
const ROUND: Duration = Duration::from_secs(60);
/// Hosts of one round; the others follow in the next.
const ROUND_HOSTS: i64 = 1000;

impl Store {
    /// Looks at each host from time to time, until `cancelled`. Several processes may.
    pub async fn watch_hosts(&self, proofs: Proofs, cancelled: CancellationToken) {
        let round = || async {
            if let Err(error) = self.look_at_hosts(&proofs, Timestamp::now()).await {
                tracing::warn!(%error, "looking at hosts failed; trying again");
            }
            tokio::time::sleep(ROUND).await;
        };
        while cancelled.run_until_cancelled(round()).await.is_some() {}
    }

    /// Looks at those hosts whose turn it is at `now`.
    pub async fn look_at_hosts(&self, proofs: &Proofs, now: Timestamp) -> Result<(), StoreError> {
        let mut asked = Vec::new();
        for due in self.due(now).await? {
            if is_platforms(&due.host, &due.profile.base_domain) {
                self.note_proof(&due.host, due.project, Proof::Shown, now)
                    .await?;
            } else {
                asked.push((due.host, due.project));
            }
        }
        let mut looks = std::pin::pin!(proofs.look_at(asked));
        while let Some((host, project, proof)) = looks.next().await {
            self.note_proof(&host, project, proof, now).await?;
        }
        Ok(())
    }

    /// Remembers what was seen of a host, if the project has it; says whether the project may route it
    /// for what was seen: of several projects that show a host to be theirs, the first that is seen to.
    pub async fn note_proof(
        &self,
        host: &str,
        project: ProjectId,
        proof: Proof,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.database.write().await?;
        let free = match proof {
            Proof::Shown => note_shown(&mut tx, host, project, now).await?,
            Proof::Missing => {
                let sql = "UPDATE hostnames SET verified_at = NULL
                           WHERE host = $1 AND project_id = $2 AND verified_at <= $3";
                let lost = tx.execute(sql, params![host, project, before(now, GRACE)]);
                if lost.await? > 0 {
                    tracing::warn!(host, %project, "the host's record is gone; the next plan leaves the host out");
                }
                false
            }
            Proof::Unanswered => false,
        };
        let sql = "UPDATE hostnames SET checked_at = $3 WHERE host = $1 AND project_id = $2";
        tx.execute(sql, params![host, project, now]).await?;
        tx.commit().await?;
        Ok(free)
    }

    async fn due(&self, now: Timestamp) -> Result<Vec<Due>, StoreError> {
        let mut tx = self.database.read().await?;
        let sql = "SELECT h.host, h.project_id, c.profile
                   FROM hostnames h
                   JOIN projects p ON p.id = h.project_id
                   JOIN clusters c ON c.id = p.cluster_id
                   WHERE h.checked_at IS NULL
                      OR (h.verified_at IS NULL AND h.checked_at <= $1)
                      OR (h.verified_at IS NOT NULL AND h.checked_at <= $2)
                   ORDER BY h.checked_at LIMIT $3";
        let (missing, shown) = (before(now, MISSING_EVERY), before(now, SHOWN_EVERY));
        let rows = tx.rows(sql, params![missing, shown, ROUND_HOSTS]).await?;
        tx.commit().await?;
        rows.iter().map(Due::read).collect()
    }
}

/// Shown, unless another project has shown the same before.
async fn note_shown(
    tx: &mut Tx,
    host: &str,
    project: ProjectId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let again = "UPDATE hostnames SET verified_at = $3
                 WHERE host = $1 AND project_id = $2 AND verified_at IS NOT NULL";
    if tx.execute(again, params![host, project, now]).await? > 0 {
        return Ok(true);
    }
    hostnames::take_turn(tx).await?;
    if hostnames::is_taken(tx, project, host).await? {
        return Ok(false);
    }
    let sql = "UPDATE hostnames SET verified_at = $3 WHERE host = $1 AND project_id = $2";
    tx.execute(sql, params![host, project, now]).await?;
    Ok(true)
}

/// Of a project's own.
pub(super) async fn verified(
    tx: &mut Tx,
    project: ProjectId,
) -> Result<BTreeSet<String>, StoreError> {
    let sql = "SELECT host FROM hostnames WHERE project_id = $1 AND verified_at IS NOT NULL";
    let rows = tx.rows(sql, params![project]).await?;
    rows.iter().map(|row| row.text("host")).collect()
}

/// A host whose turn it is to be looked at.
struct Due {
    host: String,
    project: ProjectId,
    /// Of the project's cluster.
    profile: ClusterProfile,
}

impl Due {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            host: row.text("host")?,
            project: row.parse("project_id")?,
            profile: row.document("profile")?,
        })
    }
}

fn before(now: Timestamp, milliseconds: i64) -> Timestamp {
    Timestamp::from_millis(now.millis() - milliseconds)
}
