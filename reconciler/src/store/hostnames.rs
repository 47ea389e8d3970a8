//! Who owns a host: one project in the whole control plane, first come, as long as it is accepted there.
//!
//! Effects: the database. Always holds: no two projects own equal hosts, or one a host below another's
//! wildcard; a project that is refused learns that the host is taken, and nothing of its owner. Claims
//! are made and given back in the transaction that accepts a plan. Read on in `proofs` for whether a
//! host is shown to be its owner's.

use std::collections::BTreeSet;

use starform_contract::{EnvironmentBundle, ProjectId};
use starform_plan::{
    accepted::AcceptedProject,
    codes,
    crosscheck::{hosts_of, unverified_hosts},
    document::{Finding, FindingSeverity},
};

use super::{
    Store, StoreError,
    database::{Tx, params},
};
use crate::time::Timestamp;

impl Store {
    /// A finding for each of `hosts` that another project owns now.
    pub async fn hosts_taken(
        &self,
        project: ProjectId,
        hosts: &BTreeSet<String>,
    ) -> Result<Vec<Finding>, StoreError> {
        let mut tx = self.database.read().await?;
        let mut taken = Vec::new();
        for host in hosts {
            if is_taken(&mut tx, project, host).await? {
                taken.push(host.clone());
            }
        }
        tx.commit().await?;
        Ok(findings(&taken))
    }
}

/// Makes the hosts of the project those of its environments, `next` among them; or those of them that
/// another project owns, with nothing changed once the transaction is dropped.
pub(super) async fn settle(
    tx: &mut Tx,
    project: ProjectId,
    accepted: &AcceptedProject,
    next: &EnvironmentBundle,
    now: Timestamp,
) -> Result<Result<(), Vec<String>>, StoreError> {
    let others = accepted
        .environments()
        .into_values()
        .filter(|bundle| bundle.environment != next.environment);
    let wanted: BTreeSet<String> = others.chain([next]).flat_map(hosts_of).collect();
    let unverified = unverified_hosts(next);
    let sql = "SELECT host FROM hostnames WHERE project_id = $1";
    let rows = tx.rows(sql, params![project]).await?;
    let own = rows.iter().map(|row| row.text("host"));
    let own: BTreeSet<String> = own.collect::<Result<_, _>>()?;
    if own == wanted {
        return Ok(Ok(()));
    }
    tx.execute("UPDATE hostname_turns SET turns = turns + 1", params![])
        .await?;
    let mut taken = Vec::new();
    for host in wanted.difference(&own) {
        if is_taken(tx, project, host).await? {
            taken.push(host.clone());
        }
    }
    if !taken.is_empty() {
        return Ok(Err(taken));
    }
    for host in wanted.difference(&own) {
        let verified = (!unverified.contains(host)).then_some(now);
        let sql = "INSERT INTO hostnames (host, project_id, created_at, verified_at) VALUES ($1, $2, $3, $4)";
        tx.execute(sql, params![host.as_str(), project, now, verified])
            .await?;
    }
    for host in own.difference(&wanted) {
        let sql = "DELETE FROM hostnames WHERE host = $1 AND project_id = $2";
        tx.execute(sql, params![host.as_str(), project]).await?;
    }
    Ok(Ok(()))
}

/// Says of each host that it is taken, and by nobody.
pub(super) fn findings(taken: &[String]) -> Vec<Finding> {
    let finding = |host: &String| Finding {
        code: codes::HOST_TAKEN.code.to_owned(),
        severity: FindingSeverity::Blocking,
        title: format!(
            "the host {host} belongs to another project; use another host, or have that project give it up first"
        ),
        at: None,
    };
    taken.iter().map(finding).collect()
}

async fn is_taken(tx: &mut Tx, project: ProjectId, host: &str) -> Result<bool, StoreError> {
    let equal = "SELECT host FROM hostnames WHERE host = $1 AND project_id <> $2";
    if tx.row(equal, params![host, project]).await?.is_some() {
        return Ok(true);
    }
    // Hosts hold neither `%` nor `_`.
    if let Some(zone) = host.strip_prefix("*.") {
        let below = "SELECT host FROM hostnames WHERE host LIKE $1 AND project_id <> $2";
        let pattern = format!("%.{zone}");
        if tx.row(below, params![pattern, project]).await?.is_some() {
            return Ok(true);
        }
    }
    let labels = host.match_indices('.').map(|(at, _)| &host[at + 1..]);
    for zone in labels {
        let wildcard = format!("*.{zone}");
        if wildcard != host && tx.row(equal, params![wildcard, project]).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
