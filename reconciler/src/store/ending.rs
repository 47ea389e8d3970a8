//! The end of a project: what its agent reports as gone leaves the desired state, and gives its name back.
//!
//! Effects: the database. Always holds: a project ends by the report that shows its Namespace gone, in
//! that report's transaction; its history stays, its secrets and tokens do not. Read on in
//! [`starform_plan::ending`] for what such a report says.

use starform_contract::{ClusterId, ProjectBundle, ProjectId, Report};
use starform_plan::ending::is_gone;

use super::{
    Store, StoreError,
    audit::{self, Entry},
    database::{Tx, params},
    plans, registry, reports,
};
use crate::{access::Actor, time::Timestamp};

/// The answer to "delete what nothing was ever accepted for".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    Done,
    NoProject,
    /// Something is accepted for it, or was and is not gone yet.
    Used,
}

impl Store {
    pub async fn delete_unused(
        &self,
        actor: &Actor,
        id: ProjectId,
        now: Timestamp,
    ) -> Result<Deleted, StoreError> {
        let mut tx = self.database.write().await?;
        let found = registry::project(&mut tx, &id.to_string()).await?;
        let Some(project) = found.filter(|found| found.deleted_at.is_none()) else {
            return Ok(Deleted::NoProject);
        };
        // Nobody accepts for the cluster meanwhile.
        reports::touch(&mut tx, project.cluster_id).await?;
        let index = plans::current_index(&mut tx, project.cluster_id).await?;
        if index.projects.contains_key(&id) {
            return Ok(Deleted::Used);
        }
        delete(&mut tx, id, now).await?;
        let entry = Entry {
            action: "project.delete",
            resource: id.to_string(),
            before: None,
            after: None,
        };
        audit::record(&mut tx, actor, entry, now).await?;
        tx.commit().await?;
        Ok(Deleted::Done)
    }
}

/// Whether the project stands, once this is accepted of it.
pub(super) async fn note_accepted(
    tx: &mut Tx,
    project: &ProjectBundle,
    now: Timestamp,
) -> Result<(), StoreError> {
    let ended = project.objects.is_empty().then_some(now);
    let sql = "UPDATE projects SET ended_at = $2 WHERE id = $1";
    tx.execute(sql, params![project.project_id, ended]).await?;
    Ok(())
}

/// Ends the project of the report, if the report shows that nothing of it is there any more.
pub(super) async fn note_report(
    tx: &mut Tx,
    cluster: ClusterId,
    report: &Report,
    now: Timestamp,
) -> Result<(), StoreError> {
    let project = report.project_id;
    let found = registry::project(tx, &project.to_string()).await?;
    // Most reports are about projects that stand: their index is not read.
    if found.is_none_or(|found| found.ended_at.is_none()) {
        return Ok(());
    }
    let index = plans::current_index(tx, cluster).await?;
    let accepted = plans::accepted(tx, &index, project).await?;
    let gone = match (index.projects.get(&project), accepted.project()) {
        (Some(entry), Some(own)) => is_gone(entry, own, report),
        (None, _) | (_, None) => false,
    };
    if !gone {
        return Ok(());
    }
    let mut projects = index.projects.clone();
    projects.remove(&project);
    let next = index.successor(projects);
    registry::write_index(tx, &next, now).await?;
    let sql = "UPDATE clusters SET generation = $2 WHERE id = $1";
    tx.execute(sql, params![cluster, next.generation]).await?;
    delete(tx, project, now).await
}

/// Its name is free; what only served it is gone.
async fn delete(tx: &mut Tx, project: ProjectId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE projects SET deleted_at = $2, claimed_name = 'deleted ' || id WHERE id = $1";
    tx.execute(sql, params![project, now]).await?;
    let sql = "UPDATE api_tokens SET revoked_at = $2 WHERE project_id = $1 AND revoked_at IS NULL";
    tx.execute(sql, params![project, now]).await?;
    tx.execute(
        "DELETE FROM hostnames WHERE project_id = $1",
        params![project],
    )
    .await?;
    let scopes = format!("environment/{project}/%");
    for sql in [
        "DELETE FROM secret_versions WHERE scope LIKE $1",
        "DELETE FROM secrets WHERE scope LIKE $1",
    ] {
        tx.execute(sql, params![&scopes]).await?;
    }
    Ok(())
}
