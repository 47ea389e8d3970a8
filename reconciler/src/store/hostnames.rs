//! Who has a host: of all projects of the control plane the first that shows it to be its own, as long as
//! it is accepted there.
//!
//! Effects: the database. Always holds: no two projects have equal hosts that are shown to be theirs, or
//! one a host below another's wildcard; a claim that is not shown keeps nobody off, and any number of
//! projects may make it. A project that is refused learns that the host is taken, and nothing of its
//! owner. Claims are made and given back in the transaction that accepts a plan. Read on in `proofs` for
//! whether a host is shown to be its project's.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{EnvironmentBundle, ProjectId};
use starform_plan::{
    accepted::AcceptedProject,
    codes,
    crosscheck::{hosts_of, unverified_hosts},
    document::{Finding, FindingSeverity},
    hosts::wildcards_above,
};

use super::{
    Store, StoreError,
    database::{Tx, params},
};
use crate::time::Timestamp;

impl Store {
    /// Those of `hosts` that another project has now.
    pub async fn hosts_taken(
        &self,
        project: ProjectId,
        hosts: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, StoreError> {
        let mut tx = self.database.read().await?;
        let mut taken = BTreeSet::new();
        for host in hosts {
            if is_taken(&mut tx, project, host).await? {
                taken.insert(host.clone());
            }
        }
        tx.commit().await?;
        Ok(taken)
    }
}

/// Makes the hosts of the project those of its environments, `next` among them; or those of them that
/// another project has, with nothing changed once the transaction is dropped.
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
    let routed = hosts_of(next).into_iter();
    let routed: BTreeSet<String> = routed.filter(|host| !unverified.contains(host)).collect();
    let own = own(tx, project).await?;
    let shown_anew = |host: &&String| routed.contains(*host) && own.get(*host) == Some(&false);
    let rising: Vec<&String> = wanted
        .iter()
        .filter(|host| !own.contains_key(*host) || shown_anew(host))
        .collect();
    if rising.is_empty() && own.keys().all(|host| wanted.contains(host)) {
        return Ok(Ok(()));
    }
    take_turn(tx).await?;
    let mut taken = Vec::new();
    for host in &rising {
        if is_taken(tx, project, host).await? {
            taken.push((*host).clone());
        }
    }
    if !taken.is_empty() {
        return Ok(Err(taken));
    }
    for host in rising {
        let verified = (!unverified.contains(host)).then_some(now);
        let sql = "INSERT INTO hostnames (host, project_id, created_at, verified_at)
                   VALUES ($1, $2, $3, $4)
                   ON CONFLICT (host, project_id) DO UPDATE SET verified_at = excluded.verified_at";
        tx.execute(sql, params![host.as_str(), project, now, verified])
            .await?;
    }
    for host in own.keys().filter(|host| !wanted.contains(*host)) {
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

/// Whoever comes to have a host takes its turn first, and touches hosts after that: so what is free then
/// stays free until it is theirs.
pub(super) async fn take_turn(tx: &mut Tx) -> Result<(), StoreError> {
    let sql = "UPDATE hostname_turns SET turns = turns + 1";
    tx.execute(sql, params![]).await.map(drop)
}

/// What the project claims, and whether it is shown to be its own.
async fn own(tx: &mut Tx, project: ProjectId) -> Result<BTreeMap<String, bool>, StoreError> {
    let sql = "SELECT host, verified_at FROM hostnames WHERE project_id = $1";
    let rows = tx.rows(sql, params![project]).await?;
    let own = rows.iter().map(|row| {
        let shown = row.optional_moment("verified_at")?.is_some();
        Ok((row.text("host")?, shown))
    });
    own.collect()
}

/// Whether another project has shown the host to be its own, one that it takes in, or a wildcard above it.
pub(super) async fn is_taken(
    tx: &mut Tx,
    project: ProjectId,
    host: &str,
) -> Result<bool, StoreError> {
    let equal = "SELECT host FROM hostnames WHERE host = $1 AND project_id <> $2 AND verified_at IS NOT NULL";
    if tx.row(equal, params![host, project]).await?.is_some() {
        return Ok(true);
    }
    // Hosts hold neither `%` nor `_`.
    if let Some(zone) = host.strip_prefix("*.") {
        let below = "SELECT host FROM hostnames WHERE host LIKE $1 AND project_id <> $2 AND verified_at IS NOT NULL";
        let pattern = format!("%.{zone}");
        if tx.row(below, params![pattern, project]).await?.is_some() {
            return Ok(true);
        }
    }
    for wildcard in wildcards_above(host) {
        if wildcard != host && tx.row(equal, params![wildcard, project]).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
