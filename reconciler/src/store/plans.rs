//! Bundles, plans, and the accepted state that plans are made against.
//!
//! Effects: the database. A plan is stored together with the bundles it proposes, so that accepting
//! needs nothing else. Making the same plan again refreshes what is shown of it until it is accepted.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

use starform_contract::{Bundle, ClusterId, ClusterProfile, Digest, Index, ProjectId};
use starform_plan::{accepted::AcceptedProject, document::Plan, propose::Proposal};

use super::{
    Store, StoreError,
    audit::{self, Entry},
    database::{Row, Tx, params},
    proofs, registry, reports, secrets, verifications,
};
use crate::{access::Actor, api::body::Project, time::Timestamp};

/// Everything that a plan of a project starts from, of one moment.
pub struct Planning {
    pub project: Project,
    pub workspace: String,
    pub tier: String,
    pub profile: ClusterProfile,
    /// Of every cluster, the domain under which it gives services their hosts.
    pub platforms: BTreeSet<String>,
    /// Those of its hosts that are shown to be the project's.
    pub hosts: BTreeSet<String>,
    pub accepted: AcceptedProject,
}

pub struct StoredPlan {
    pub project_id: ProjectId,
    pub plan: Plan,
}

/// A plan's id or its beginning, as views print it: 8 to 64 hex digits, `sha256:` before them or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanPrefix(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a plan's id is `sha256:` and 64 hex digits; 8 of them are enough where no other begins so"
)]
pub struct NotAPlanId;

impl Store {
    /// `None`: no such project.
    pub async fn planning(&self, id: ProjectId) -> Result<Option<Planning>, StoreError> {
        let mut tx = self.database.read().await?;
        let Some(project) = registry::project(&mut tx, &id.to_string()).await? else {
            return Ok(None);
        };
        let workspace = registry::workspace(&mut tx, &project.workspace_id.to_string()).await?;
        let cluster = registry::cluster(&mut tx, project.cluster_id).await?;
        let (Some(workspace), Some(cluster)) = (workspace, cluster) else {
            return Ok(None);
        };
        let index = current_index(&mut tx, project.cluster_id).await?;
        let accepted = accepted(&mut tx, &index, id).await?;
        let hosts = proofs::verified(&mut tx, id).await?;
        let clusters = registry::clusters(&mut tx).await?.into_iter();
        let platforms = clusters
            .map(|cluster| cluster.profile.base_domain)
            .collect();
        tx.commit().await?;
        Ok(Some(Planning {
            project,
            workspace: workspace.name.to_string(),
            tier: workspace.tier,
            profile: cluster.profile,
            platforms,
            hosts,
            accepted,
        }))
    }

    /// With the plans, what the cluster itself is asked about them.
    pub async fn save_plans(
        &self,
        actor: &Actor,
        project: ProjectId,
        proposals: &[Proposal],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        let found = registry::project(&mut tx, &project.to_string()).await?;
        let asked = match found {
            Some(found) if verifications::answers(&mut tx, found.cluster_id).await? => {
                let changes = reports::touch(&mut tx, found.cluster_id).await?;
                changes.map(|changes| (found.cluster_id, changes))
            }
            Some(_) | None => None,
        };
        for proposal in proposals {
            save_plan(&mut tx, actor, project, proposal, now).await?;
        }
        if let Some((cluster, _)) = asked {
            verifications::ask(&mut tx, cluster, project, proposals, now).await?;
        }
        tx.commit().await?;
        if let Some((cluster, changes)) = asked {
            self.changes.publish(cluster, changes);
        }
        Ok(())
    }

    /// The plans whose id begins so, newest first. Two of one id are of two projects of one name
    /// that plan nothing.
    pub async fn plans(&self, prefix: &PlanPrefix) -> Result<Vec<StoredPlan>, StoreError> {
        let mut tx = self.database.read().await?;
        let rows = tx
            .rows(
                "SELECT project_id, document FROM plans WHERE plan_id LIKE $1
                 ORDER BY created_at DESC LIMIT 20",
                params![format!("sha256:{}%", prefix.0)],
            )
            .await?;
        tx.commit().await?;
        rows.iter().map(read_plan).collect()
    }
}

/// How many digits of an id are enough to look for it.
const SHORTEST: usize = 8;

impl FromStr for PlanPrefix {
    type Err = NotAPlanId;

    fn from_str(text: &str) -> Result<Self, NotAPlanId> {
        let hex = text.strip_prefix("sha256:").unwrap_or(text);
        let digits = hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if digits && (SHORTEST..=64).contains(&hex.len()) {
            Ok(Self(hex.to_owned()))
        } else {
            Err(NotAPlanId)
        }
    }
}

/// The index that holds now; the caller holds the cluster's row if it means to replace it.
pub(super) async fn current_index(tx: &mut Tx, cluster: ClusterId) -> Result<Index, StoreError> {
    let row = tx
        .row(
            "SELECT g.document FROM clusters c
             JOIN generations g ON g.cluster_id = c.id AND g.generation = c.generation
             WHERE c.id = $1",
            params![cluster],
        )
        .await?;
    let column = "document";
    row.ok_or(StoreError::Corrupt { column })?.document(column)
}

/// What `index` says about the project.
pub(super) async fn accepted(
    tx: &mut Tx,
    index: &Index,
    project: ProjectId,
) -> Result<AcceptedProject, StoreError> {
    let named: BTreeSet<&Digest> =
        index
            .projects
            .get(&project)
            .map_or_else(BTreeSet::new, |entry| {
                std::iter::once(&entry.bundle)
                    .chain(entry.environments.values())
                    .collect()
            });
    let mut bundles = BTreeMap::new();
    for digest in named {
        if let Some(bundle) = bundle(tx, digest).await? {
            bundles.insert(digest.clone(), bundle);
        }
    }
    let accepted = AcceptedProject::from_index(index, project, |digest| bundles.remove(digest))
        .map_err(|missing| StoreError::MissingBundle(missing.to_string()))?;
    let secrets = secrets::kept(tx, project, index.cluster_id).await?;
    Ok(accepted.with_secrets(secrets))
}

pub(super) async fn bundle(tx: &mut Tx, digest: &Digest) -> Result<Option<Bundle>, StoreError> {
    let sql = "SELECT document FROM bundles WHERE digest = $1";
    let row = tx.row(sql, params![digest]).await?;
    row.map(|row| row.document("document")).transpose()
}

/// Writes it once; returns its digest, which is also the SHA-256 of the stored text.
pub(super) async fn write_bundle(
    tx: &mut Tx,
    project: ProjectId,
    bundle: &Bundle,
    now: Timestamp,
) -> Result<Digest, StoreError> {
    let bytes = bundle.to_text();
    let digest = Digest::of_bytes(&bytes);
    let text = String::from_utf8(bytes).expect("canonical JSON is UTF-8");
    tx.execute(
        "INSERT INTO bundles (digest, project_id, document, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
        params![&digest, project, text, now],
    )
    .await?;
    Ok(digest)
}

async fn save_plan(
    tx: &mut Tx,
    actor: &Actor,
    project: ProjectId,
    proposal: &Proposal,
    now: Timestamp,
) -> Result<(), StoreError> {
    let environment = Bundle::Environment(proposal.environment.clone());
    let environment = write_bundle(tx, project, &environment, now).await?;
    let own = Bundle::Project(proposal.project.clone());
    let own = write_bundle(tx, project, &own, now).await?;
    let plan = &proposal.plan;
    tx.execute(
        "INSERT INTO plans (plan_id, project_id, environment, document, environment_bundle,
                            project_bundle, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (plan_id, project_id) DO UPDATE
         SET document = excluded.document, environment_bundle = excluded.environment_bundle,
             project_bundle = excluded.project_bundle
         WHERE plans.consumed_by IS NULL",
        params![
            &plan.plan_id,
            project,
            &plan.environment,
            registry::json(plan),
            &environment,
            &own,
            now,
            &actor.token,
        ],
    )
    .await?;
    let entry = Entry {
        action: "plan.create",
        resource: plan.plan_id.to_string(),
        before: plan.source.base.as_ref().map(Digest::as_str),
        after: Some(environment.as_str()),
    };
    audit::record(tx, actor, entry, now).await
}

fn read_plan(row: &Row) -> Result<StoredPlan, StoreError> {
    Ok(StoredPlan {
        project_id: row.parse("project_id")?,
        plan: row.document("document")?,
    })
}
