//! What a cluster's agent did and saw: every report once, in the order of arrival.
//!
//! Effects: the database. Always holds: a report counts once per (instance, sequence) of its
//! environment, later ones never give way to earlier ones; the report that finishes an apply and the
//! apply's end are one transaction, and such a report is never dropped.

use std::collections::BTreeMap;

use starform_contract::{
    ClusterId, Digest, EnvironmentName, Generation, ProjectId, Report, report::Verdict,
};

use super::{
    Store, StoreError,
    database::{Tx, params},
    ending,
    registry::{self, json},
};
use crate::{api::body::ApplyState, outcome, time::Timestamp};

/// Reports kept per environment, beside those that ended an apply; event streams resume within them.
const KEPT: i64 = 500;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    New,
    /// This one, or a later one of the same instance, was recorded before.
    Before,
    /// The cluster has no such project, or nothing was accepted for the environment.
    NoEnvironment,
    /// The generation was never made here, or with another digest.
    NoGeneration,
}

impl Store {
    pub async fn record_report(
        &self,
        cluster: ClusterId,
        instance: &str,
        report: &Report,
        now: Timestamp,
    ) -> Result<Recorded, StoreError> {
        let mut tx = self.database.write().await?;
        let Some(changes) = touch(&mut tx, cluster).await? else {
            return Ok(Recorded::NoEnvironment);
        };
        let Some(number) = next_number(&mut tx, cluster, report).await? else {
            return Ok(Recorded::NoEnvironment);
        };
        if !made_generation(&mut tx, cluster, report).await? {
            return Ok(Recorded::NoGeneration);
        }
        if is_known(&mut tx, instance, report).await? {
            return Ok(Recorded::Before);
        }
        insert(&mut tx, instance, report, number, now).await?;
        note_environment(&mut tx, report, number, now).await?;
        note_services(&mut tx, report, now).await?;
        note_applies(&mut tx, report, number, now).await?;
        ending::note_report(&mut tx, cluster, report, now).await?;
        let sql = "UPDATE clusters SET agent_seen_at = $2 WHERE id = $1";
        tx.execute(sql, params![cluster, now]).await?;
        tx.commit().await?;
        self.changes.publish(cluster, changes);
        Ok(Recorded::New)
    }
}

/// Takes the cluster's row and counts a change; the new count.
pub(super) async fn touch(tx: &mut Tx, cluster: ClusterId) -> Result<Option<i64>, StoreError> {
    let sql = "UPDATE clusters SET changes = changes + 1 WHERE id = $1 RETURNING changes";
    let row = tx.row(sql, params![cluster]).await?;
    row.map(|row| row.integer("changes")).transpose()
}

async fn next_number(
    tx: &mut Tx,
    cluster: ClusterId,
    report: &Report,
) -> Result<Option<i64>, StoreError> {
    let row = tx
        .row(
            "SELECT e.report_number FROM environments e JOIN projects p ON p.id = e.project_id
             WHERE p.cluster_id = $1 AND e.project_id = $2 AND e.name = $3",
            params![cluster, report.project_id, &report.environment],
        )
        .await?;
    Ok(match row {
        Some(row) => Some(row.integer("report_number")? + 1),
        None => None,
    })
}

async fn made_generation(
    tx: &mut Tx,
    cluster: ClusterId,
    report: &Report,
) -> Result<bool, StoreError> {
    let sql = "SELECT digest FROM generations WHERE cluster_id = $1 AND generation = $2";
    match tx.row(sql, params![cluster, report.generation]).await? {
        Some(row) => Ok(row.parse::<Digest>("digest")? == report.digest),
        None => Ok(false),
    }
}

async fn is_known(tx: &mut Tx, instance: &str, report: &Report) -> Result<bool, StoreError> {
    let row = tx
        .row(
            "SELECT COUNT(*) AS count FROM reports
             WHERE project_id = $1 AND environment = $2 AND instance = $3 AND sequence >= $4",
            params![
                report.project_id,
                &report.environment,
                instance,
                sequence(report)
            ],
        )
        .await?;
    Ok(match row {
        Some(row) => row.integer("count")? > 0,
        None => false,
    })
}

async fn insert(
    tx: &mut Tx,
    instance: &str,
    report: &Report,
    number: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (project, environment) = (report.project_id, &report.environment);
    tx.execute(
        "INSERT INTO reports (project_id, environment, number, instance, sequence, generation,
                              finished, document, received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            project,
            environment,
            number,
            instance,
            sequence(report),
            report.generation,
            report.finished,
            json(report),
            now,
        ],
    )
    .await?;
    let sql = "DELETE FROM reports WHERE project_id = $1 AND environment = $2 AND number <= $3
               AND number NOT IN (SELECT finished_by FROM applies
                                  WHERE project_id = $1 AND environment = $2
                                    AND finished_by IS NOT NULL)";
    tx.execute(sql, params![project, environment, number - KEPT])
        .await?;
    Ok(())
}

async fn note_environment(
    tx: &mut Tx,
    report: &Report,
    number: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (project, environment) = (report.project_id, &report.environment);
    tx.execute(
        "UPDATE environments SET report_number = $3, reported_generation = $4,
                                 reported_finished = $5, reported_at = $6
         WHERE project_id = $1 AND name = $2",
        params![
            project,
            environment,
            number,
            report.generation,
            report.finished,
            now
        ],
    )
    .await?;
    if report.verdict() == Verdict::Converged {
        tx.execute(
            "UPDATE environments SET converged_generation = $3
             WHERE project_id = $1 AND name = $2
               AND (converged_generation IS NULL OR converged_generation < $3)",
            params![project, environment, report.generation],
        )
        .await?;
    }
    Ok(())
}

async fn note_services(tx: &mut Tx, report: &Report, now: Timestamp) -> Result<(), StoreError> {
    let (project, environment) = (report.project_id, &report.environment);
    let sql = "DELETE FROM service_status WHERE project_id = $1 AND environment = $2";
    tx.execute(sql, params![project, environment]).await?;
    for service in &report.services {
        tx.execute(
            "INSERT INTO service_status (project_id, environment, service_id, name, health, reason,
                                         generation, reported_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
            params![
                project,
                environment,
                service.service_id,
                &service.name,
                json(&service.health),
                service.reason.clone(),
                report.generation,
                now,
            ],
        )
        .await?;
    }
    Ok(())
}

/// Every unfinished apply whose generation the report covers moves with it.
async fn note_applies(
    tx: &mut Tx,
    report: &Report,
    number: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (project, environment) = (report.project_id, &report.environment);
    let state = outcome::state(report);
    let ended = state.is_final();
    tx.execute(
        "UPDATE applies SET state = $4, finished_at = $5, finished_by = $6
         WHERE project_id = $1 AND environment = $2 AND generation <= $3
           AND state IN ('pending', 'progressing')",
        params![
            project,
            environment,
            report.generation,
            ApplyState::as_str(state),
            ended.then_some(now),
            ended.then_some(number),
        ],
    )
    .await?;
    Ok(())
}

fn sequence(report: &Report) -> i64 {
    i64::try_from(report.sequence).unwrap_or(i64::MAX)
}

/// Environments of a project by the highest generation that a finished, converged report was about.
pub(super) async fn converged_generations(
    tx: &mut Tx,
    project: ProjectId,
) -> Result<BTreeMap<EnvironmentName, Generation>, StoreError> {
    let sql = "SELECT name, converged_generation FROM environments
               WHERE project_id = $1 AND converged_generation IS NOT NULL";
    let rows = tx.rows(sql, params![project]).await?;
    rows.iter()
        .map(|row| {
            let number = row.integer("converged_generation")?;
            Ok((row.parse("name")?, registry::generation(number)))
        })
        .collect()
}
