//! What an environment's agent reported of drift: what stands now, and what it put right lately.
//!
//! Effects: the database, read only. Always holds: what is not put right is told of the newest report alone.

use starform_contract::{EnvironmentName, ProjectId, Report};

use super::{
    Store, StoreError,
    database::{Tx, params},
    registry::{self, generation},
};
use crate::api::body::{EnvironmentDrift, Found};

/// So many of the newest reports are looked through for what was put right.
const LOOKED: i64 = 50;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriftKnown {
    NothingAccepted,
    NothingReported,
    Reported(Box<EnvironmentDrift>),
}

impl Store {
    pub async fn drift(
        &self,
        project: ProjectId,
        environment: &EnvironmentName,
    ) -> Result<DriftKnown, StoreError> {
        let mut tx = self.database.read().await?;
        let Some(found) = registry::project(&mut tx, &project.to_string()).await? else {
            return Ok(DriftKnown::NothingAccepted);
        };
        let sql = "SELECT name FROM environments WHERE project_id = $1 AND name = $2";
        if tx.row(sql, params![project, environment]).await?.is_none() {
            return Ok(DriftKnown::NothingAccepted);
        }
        let rows = tx
            .rows(
                "SELECT document, generation, received_at FROM reports
                 WHERE project_id = $1 AND environment = $2 ORDER BY number DESC LIMIT $3",
                params![project, environment, LOOKED],
            )
            .await?;
        let sql = "SELECT MAX(generation) AS generation FROM applies
                   WHERE project_id = $1 AND environment = $2";
        let last = tx.row(sql, params![project, environment]).await?;
        tx.commit().await?;
        let Some(newest) = rows.first() else {
            return Ok(DriftKnown::NothingReported);
        };
        let mut all: Vec<Found> = Vec::new();
        let mut break_glass = Vec::new();
        for (age, row) in rows.iter().enumerate() {
            let report: Report = row.document("document")?;
            let seen_at = Some(row.moment("received_at")?);
            if age == 0 {
                break_glass = report.break_glass;
            }
            let told = report.drift.into_iter();
            let told = told.filter(|drift| drift.corrected || age == 0);
            all.extend(told.map(|drift| Found {
                drift,
                seen_at,
                fields: Vec::new(),
            }));
        }
        let accepted = match last {
            Some(last) => last.optional_integer("generation")?.map(generation),
            None => None,
        };
        Ok(DriftKnown::Reported(Box::new(EnvironmentDrift {
            project: found.name,
            environment: environment.clone(),
            generation: generation(newest.integer("generation")?),
            accepted,
            reported_at: Some(newest.moment("received_at")?),
            found: all,
            remains: Vec::new(),
            break_glass,
        })))
    }
}

pub(super) async fn newest_report(
    tx: &mut Tx,
    project: ProjectId,
    environment: &EnvironmentName,
) -> Result<Option<Report>, StoreError> {
    let row = tx
        .row(
            "SELECT document FROM reports
             WHERE project_id = $1 AND environment = $2 ORDER BY number DESC LIMIT 1",
            params![project, environment],
        )
        .await?;
    row.map(|row| row.document("document")).transpose()
}
