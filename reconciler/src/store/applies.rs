//! Applies, the events of one, and the status and history of an environment.
//!
//! Effects: the database, read only. An apply's events are its environment's reports from its own
//! generation on, by their number; so a stream resumes from any of them, after a restart too.

use std::collections::BTreeSet;

use starform_contract::{
    Digest, EnvironmentName, Generation, Index, ProjectId, Report,
    bundle::{Bundle, EnvironmentBundle, ServiceEntry},
    report::Health,
};
use starform_plan::accepted::AcceptedProject;

use super::{
    Store, StoreError,
    database::{Row, Tx, params},
    drift, hostnames,
    plans::{accepted, bundle, current_index},
    proofs,
    registry::{self, generation},
};
use crate::{
    api::body::{
        Apply, ApplyEvent, ApplyState, Author, EnvironmentAt, EnvironmentStatus, HistoryEntry,
        HostState, HostStatus, KeptVolume, Reported, ServiceStatus,
    },
    outcome,
    token::TokenKind,
};

/// Entries of a history; older ones stay in the store.
const HISTORY: i64 = 200;
/// Reports that one look at an event stream reads.
const PAGE: i64 = 50;

/// One report about an apply, as an event.
pub struct ApplyReport {
    pub number: i64,
    pub event: ApplyEvent,
}

/// What an event stream sends next.
pub struct EventPage {
    pub reports: Vec<ApplyReport>,
    /// The apply as it stands now.
    pub state: ApplyState,
    /// Number of the report that finished it.
    pub finished_by: Option<i64>,
}

impl Store {
    pub async fn apply(&self, id: &str) -> Result<Option<Apply>, StoreError> {
        let mut tx = self.database.read().await?;
        let Some(mut apply) = read_one(&mut tx, id).await? else {
            return Ok(None);
        };
        let row = match apply.finished_by {
            Some(number) => report_number(&mut tx, &apply.apply, number).await?,
            None => newest_report(&mut tx, &apply.apply).await?,
        };
        tx.commit().await?;
        if let Some(row) = row {
            let report: Report = row.document("document")?;
            apply.apply.services = report.services;
            apply.apply.objects = report.objects;
        }
        Ok(Some(apply.apply))
    }

    /// Reports about the apply after number `after`, the finishing one last.
    pub async fn apply_events(
        &self,
        id: &str,
        after: i64,
    ) -> Result<Option<EventPage>, StoreError> {
        let mut tx = self.database.read().await?;
        let Some(stored) = read_one(&mut tx, id).await? else {
            return Ok(None);
        };
        let apply = &stored.apply;
        let rows = tx
            .rows(
                "SELECT number, document FROM reports
                 WHERE project_id = $1 AND environment = $2 AND generation >= $3
                   AND number > $4 AND number <= $5
                 ORDER BY number LIMIT $6",
                params![
                    apply.project_id,
                    &apply.environment,
                    apply.generation,
                    after,
                    stored.finished_by.unwrap_or(i64::MAX),
                    PAGE,
                ],
            )
            .await?;
        tx.commit().await?;
        let reports = rows
            .iter()
            .map(|row| read_event(row, &stored))
            .collect::<Result<_, _>>()?;
        Ok(Some(EventPage {
            reports,
            state: apply.state,
            finished_by: stored.finished_by,
        }))
    }

    /// `None`: nothing was ever accepted for it.
    pub async fn status(
        &self,
        project: ProjectId,
        environment: &EnvironmentName,
    ) -> Result<Option<EnvironmentStatus>, StoreError> {
        let mut tx = self.database.read().await?;
        let Some(found) = registry::project(&mut tx, &project.to_string()).await? else {
            return Ok(None);
        };
        let index = current_index(&mut tx, found.cluster_id).await?;
        let digest = index
            .projects
            .get(&project)
            .and_then(|entry| entry.environments.get(environment));
        let Some(digest) = digest else {
            return Ok(None);
        };
        let accepted = environment_bundle(&mut tx, digest).await?;
        let services = services(&mut tx, &accepted).await?;
        let reported = reported(&mut tx, project, environment).await?;
        let newest = drift::newest_report(&mut tx, project, environment).await?;
        let last_apply = history(&mut tx, project, environment, 1)
            .await?
            .into_iter()
            .next();
        let cluster = registry::cluster(&mut tx, found.cluster_id).await?;
        tx.commit().await?;
        Ok(Some(EnvironmentStatus {
            project: found.name,
            project_id: project,
            environment: environment.clone(),
            namespace: found.namespace,
            generation: index.generation,
            bundle: digest.clone(),
            reported,
            agent_seen_at: cluster.and_then(|cluster| cluster.agent_seen_at),
            services,
            kept: KeptVolume::all(&accepted),
            break_glass: newest.map_or_else(Vec::new, |report| report.break_glass),
            last_apply,
            standing: None,
        }))
    }

    /// Newest first.
    pub async fn history(
        &self,
        project: ProjectId,
        environment: &EnvironmentName,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        let mut tx = self.database.read().await?;
        let entries = history(&mut tx, project, environment, HISTORY).await?;
        tx.commit().await?;
        Ok(entries)
    }

    /// The environment as generation `at` of its cluster has it. `None`: that generation has none.
    pub async fn environment_at(
        &self,
        project: ProjectId,
        environment: &EnvironmentName,
        at: Generation,
    ) -> Result<Option<EnvironmentAt>, StoreError> {
        let mut tx = self.database.read().await?;
        let Some(index) = index_at(&mut tx, project, at).await? else {
            return Ok(None);
        };
        let digest = index
            .projects
            .get(&project)
            .and_then(|entry| entry.environments.get(environment));
        let Some(digest) = digest else {
            return Ok(None);
        };
        let bundle = environment_bundle(&mut tx, digest).await?;
        tx.commit().await?;
        Ok(Some(EnvironmentAt {
            generation: at,
            bundle,
        }))
    }
}

impl Store {
    /// What was accepted for the project at generation `at` of its cluster. `None`: there was none.
    pub async fn accepted_at(
        &self,
        project: ProjectId,
        at: Generation,
    ) -> Result<Option<AcceptedProject>, StoreError> {
        let mut tx = self.database.read().await?;
        let accepted = match index_at(&mut tx, project, at).await? {
            Some(index) => Some(accepted(&mut tx, &index, project).await?),
            None => None,
        };
        tx.commit().await?;
        Ok(accepted)
    }
}

async fn index_at(
    tx: &mut Tx,
    project: ProjectId,
    at: Generation,
) -> Result<Option<Index>, StoreError> {
    let sql = "SELECT g.document FROM projects p
               JOIN generations g ON g.cluster_id = p.cluster_id
               WHERE p.id = $1 AND g.generation = $2";
    let row = tx.row(sql, params![project, at]).await?;
    row.map(|row| row.document("document")).transpose()
}

struct StoredApply {
    apply: Apply,
    finished_by: Option<i64>,
}

async fn read_one(tx: &mut Tx, id: &str) -> Result<Option<StoredApply>, StoreError> {
    let row = tx
        .row(
            "SELECT a.*, p.name AS project_name FROM applies a JOIN projects p ON p.id = a.project_id
             WHERE a.id = $1",
            params![id],
        )
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let apply = Apply {
        id: row.text("id")?,
        plan_id: row.parse("plan_id")?,
        project_id: row.parse("project_id")?,
        project: row.parse("project_name")?,
        environment: row.parse("environment")?,
        cluster_id: row.parse("cluster_id")?,
        generation: generation(row.integer("generation")?),
        state: row.parse("state")?,
        summary: row.document("summary")?,
        created_at: row.moment("created_at")?,
        finished_at: row.optional_moment("finished_at")?,
        services: Vec::new(),
        objects: Vec::new(),
    };
    Ok(Some(StoredApply {
        apply,
        finished_by: row.optional_integer("finished_by")?,
    }))
}

async fn report_number(tx: &mut Tx, apply: &Apply, number: i64) -> Result<Option<Row>, StoreError> {
    let sql =
        "SELECT document FROM reports WHERE project_id = $1 AND environment = $2 AND number = $3";
    tx.row(sql, params![apply.project_id, &apply.environment, number])
        .await
}

async fn newest_report(tx: &mut Tx, apply: &Apply) -> Result<Option<Row>, StoreError> {
    tx.row(
        "SELECT document FROM reports WHERE project_id = $1 AND environment = $2 AND generation >= $3
         ORDER BY number DESC LIMIT 1",
        params![apply.project_id, &apply.environment, apply.generation],
    )
    .await
}

fn read_event(row: &Row, stored: &StoredApply) -> Result<ApplyReport, StoreError> {
    let report: Report = row.document("document")?;
    let number = row.integer("number")?;
    let ends = stored.finished_by == Some(number);
    let event = ApplyEvent {
        apply_id: stored.apply.id.clone(),
        // What was judged when it ended stays, also where the judgement has changed since.
        state: if ends {
            stored.apply.state
        } else {
            outcome::state(&report)
        },
        generation: report.generation,
        objects: outcome::tally(&report),
        failed: outcome::failed(&report),
        retained: outcome::retained(&report),
        services: report.services,
    };
    Ok(ApplyReport { number, event })
}

async fn environment_bundle(tx: &mut Tx, digest: &Digest) -> Result<EnvironmentBundle, StoreError> {
    match bundle(tx, digest).await? {
        Some(Bundle::Environment(bundle)) => Ok(bundle),
        Some(Bundle::Project(_)) | None => Err(StoreError::MissingBundle(digest.to_string())),
    }
}

/// The accepted services, each with what was last reported about it.
async fn services(
    tx: &mut Tx,
    accepted: &EnvironmentBundle,
) -> Result<Vec<ServiceStatus>, StoreError> {
    let sql = "SELECT service_id, health, reason FROM service_status
               WHERE project_id = $1 AND environment = $2";
    let rows = tx
        .rows(sql, params![accepted.project_id, &accepted.environment])
        .await?;
    let shown = proofs::verified(tx, accepted.project_id).await?;
    let mut statuses = Vec::new();
    for service in &accepted.services {
        let mut status = ServiceStatus {
            name: service.name.clone(),
            service_id: service.service_id,
            kind: service.kind,
            health: Health::Unknown,
            reason: None,
            hosts: hosts(tx, service, &shown).await?,
        };
        for row in &rows {
            if row.text("service_id")? == service.service_id.to_string() {
                status.health = row.document("health")?;
                status.reason = row.optional_text("reason")?;
            }
        }
        statuses.push(status);
    }
    Ok(statuses)
}

/// What has become of hosts since they were accepted; `shown` are the project's own.
async fn hosts(
    tx: &mut Tx,
    service: &ServiceEntry,
    shown: &BTreeSet<String>,
) -> Result<Vec<HostStatus>, StoreError> {
    let mut hosts = HostStatus::all(service);
    for host in &mut hosts {
        if host.state == HostState::Routed {
            continue;
        }
        if shown.contains(&host.host) {
            (host.state, host.record) = (HostState::Proved, None);
        } else if hostnames::is_taken(tx, service.project_id, &host.host).await? {
            (host.state, host.record) = (HostState::Taken, None);
        }
    }
    Ok(hosts)
}

async fn reported(
    tx: &mut Tx,
    project: ProjectId,
    environment: &EnvironmentName,
) -> Result<Option<Reported>, StoreError> {
    let row = tx
        .row(
            "SELECT reported_generation, reported_finished, reported_at FROM environments
             WHERE project_id = $1 AND name = $2 AND report_number > 0",
            params![project, environment],
        )
        .await?;
    row.map(|row| {
        Ok(Reported {
            generation: generation(row.integer("reported_generation")?),
            finished: row.integer("reported_finished")? == 1,
            at: row.moment("reported_at")?,
        })
    })
    .transpose()
}

/// Newest first; of several applies of one generation the one that made it, with how it stands. Ids are
/// UUIDv7, so they order applies of one moment too.
async fn history(
    tx: &mut Tx,
    project: ProjectId,
    environment: &EnvironmentName,
    limit: i64,
) -> Result<Vec<HistoryEntry>, StoreError> {
    let rows = tx
        .rows(
            "SELECT a.*, t.kind AS author_kind, t.person AS author_person FROM applies a
             LEFT JOIN api_tokens t ON t.id = a.created_by
             WHERE a.project_id = $1 AND a.environment = $2
               AND NOT EXISTS (SELECT 1 FROM applies e
                               WHERE e.project_id = a.project_id AND e.environment = a.environment
                                 AND e.generation = a.generation AND e.id < a.id)
             ORDER BY a.generation DESC LIMIT $3",
            params![project, environment, limit],
        )
        .await?;
    let mut entries: Vec<HistoryEntry> = rows.iter().map(read_entry).collect::<Result<_, _>>()?;
    if let Some(newest) = entries.first_mut() {
        newest.current = true;
    }
    Ok(entries)
}

fn read_entry(row: &Row) -> Result<HistoryEntry, StoreError> {
    Ok(HistoryEntry {
        apply_id: row.text("id")?,
        plan_id: row.parse("plan_id")?,
        generation: generation(row.integer("generation")?),
        current: false,
        by: Author {
            token: row.text("created_by")?,
            kind: TokenKind::parse(&row.text("author_kind")?).ok_or(StoreError::Corrupt {
                column: "author_kind",
            })?,
            person: row.optional_text("author_person")?,
        },
        revision: row.optional_text("revision")?,
        summary: row.document("summary")?,
        state: row.parse("state")?,
        created_at: row.moment("created_at")?,
        finished_at: row.optional_moment("finished_at")?,
    })
}
