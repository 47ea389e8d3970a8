//! A plan becomes the desired state of its cluster: one transaction.
//!
//! Effects: the database, random ids. Always holds: a plan is accepted at most once; the new
//! generation's parent is the generation that the plan was checked against, because the cluster's row
//! is held from before the check to the end. Whoever comes second checks against what the first one
//! made. What a plan needs is decided by [`starform_plan::accept`].

use starform_contract::{
    Bundle, ClusterId, EnvironmentName, Index, PlanId, ProjectId, digest::Digest,
};
use starform_plan::{
    accept::{AcceptOutcome, Next, Refusal, accept, clear_finished},
    document::Plan,
    propose::Proposal,
    verified::with_verified,
};
use uuid::Uuid;

use super::{
    Idempotency, Store, StoreError, approvals,
    audit::{self, Entry, Known},
    database::{Tx, params},
    ending, hostnames, plans, registry, reports, verifications,
};
use crate::{access::Actor, api::body::ApplyState, time::Timestamp};

pub struct AcceptRequest<'a> {
    pub actor: &'a Actor,
    pub project: ProjectId,
    pub plan_id: &'a PlanId,
    pub once: Option<&'a Idempotency>,
    pub now: Timestamp,
}

/// The id of the apply, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcceptResult {
    Applied(String),
    /// By an earlier request with the same idempotency key.
    Before(String),
    NoPlan,
    /// The project was deleted since the plan was made.
    Deleted,
    /// Another request accepted the plan; its apply.
    Consumed(String),
    KeyReused,
    Refused(Refusal),
}

impl Store {
    pub async fn accept(&self, request: &AcceptRequest<'_>) -> Result<AcceptResult, StoreError> {
        let mut tx = self.database.write().await?;
        let Some(project) = registry::project(&mut tx, &request.project.to_string()).await? else {
            return Ok(AcceptResult::NoPlan);
        };
        if project.deleted_at.is_some() {
            return Ok(AcceptResult::Deleted);
        }
        let cluster = project.cluster_id;
        let changes = reports::touch(&mut tx, cluster).await?;
        match audit::known(&mut tx, request.actor, request.once).await? {
            Known::New => {}
            Known::Made(apply) => return Ok(AcceptResult::Before(apply)),
            Known::Reused => return Ok(AcceptResult::KeyReused),
        }
        let proposal = match stored_proposal(&mut tx, request).await? {
            Stored::Open(proposal) => proposal,
            Stored::Consumed(apply) => return Ok(AcceptResult::Consumed(apply)),
            Stored::Missing => return Ok(AcceptResult::NoPlan),
        };
        let index = index_to_extend(&mut tx, cluster, request.project).await?;
        let accepted = plans::accepted(&mut tx, &index, request.project).await?;
        let approval = approvals::given(&mut tx, request, &proposal.plan).await?;
        let apply = match accept(&index, &accepted, &proposal, approval) {
            Err(refusal) => return Ok(AcceptResult::Refused(refusal)),
            Ok(AcceptOutcome::Accepted(next)) => {
                let (project, now) = (request.project, request.now);
                let settled =
                    hostnames::settle(&mut tx, project, &accepted, &next.environment, now);
                if let Err(taken) = settled.await? {
                    let refusal = Refusal::CrossCheck(hostnames::findings(&taken));
                    return Ok(AcceptResult::Refused(refusal));
                }
                let said = verifications::fresh(&mut tx, project, &proposal.plan, now).await?;
                let next = with_verified(*next, &proposal.plan, &said);
                write_next(&mut tx, request, &proposal.plan, &index, next).await?
            }
            Ok(AcceptOutcome::NothingToDo) => {
                repeat_last(&mut tx, request, &proposal.plan, &index).await?
            }
        };
        audit::remember(&mut tx, request.actor, request.once, &apply, request.now).await?;
        tx.commit().await?;
        if let Some(changes) = changes {
            self.changes.publish(cluster, changes);
        }
        Ok(AcceptResult::Applied(apply))
    }
}

enum Stored {
    Open(Box<Proposal>),
    Consumed(String),
    Missing,
}

async fn stored_proposal(tx: &mut Tx, request: &AcceptRequest<'_>) -> Result<Stored, StoreError> {
    let row = tx
        .row(
            "SELECT document, environment_bundle, project_bundle, consumed_by FROM plans
             WHERE plan_id = $1 AND project_id = $2",
            params![request.plan_id, request.project],
        )
        .await?;
    let Some(row) = row else {
        return Ok(Stored::Missing);
    };
    if let Some(apply) = row.optional_text("consumed_by")? {
        return Ok(Stored::Consumed(apply));
    }
    let digest: Digest = row.parse("environment_bundle")?;
    let environment = match plans::bundle(tx, &digest).await? {
        Some(Bundle::Environment(environment)) => environment,
        Some(Bundle::Project(_)) | None => {
            return Err(StoreError::MissingBundle(digest.to_string()));
        }
    };
    let digest: Digest = row.parse("project_bundle")?;
    let project = match plans::bundle(tx, &digest).await? {
        Some(Bundle::Project(project)) => project,
        Some(Bundle::Environment(_)) | None => {
            return Err(StoreError::MissingBundle(digest.to_string()));
        }
    };
    let plan = row.document("document")?;
    Ok(Stored::Open(Box::new(Proposal {
        plan,
        project,
        environment,
    })))
}

/// The current index, without the project's consents that converged reports have used up.
async fn index_to_extend(
    tx: &mut Tx,
    cluster: ClusterId,
    project: ProjectId,
) -> Result<Index, StoreError> {
    let mut index = plans::current_index(tx, cluster).await?;
    let converged = reports::converged_generations(tx, project).await?;
    if let Some(entry) = index.projects.get_mut(&project) {
        for (environment, generation) in converged {
            clear_finished(entry, &environment, generation);
        }
    }
    Ok(index)
}

async fn write_next(
    tx: &mut Tx,
    request: &AcceptRequest<'_>,
    plan: &Plan,
    index: &Index,
    next: Next,
) -> Result<String, StoreError> {
    let (project, now) = (request.project, request.now);
    let environment = next.environment.environment.clone();
    let flags = (next.environment.protect, next.environment.ephemeral);
    let cluster = next.index.cluster_id;
    ending::note_accepted(tx, &next.project, now).await?;
    for bundle in [
        Bundle::Project(next.project),
        Bundle::Environment(next.environment),
    ] {
        let digest = plans::write_bundle(tx, project, &bundle, now).await?;
        let sql = "INSERT INTO cluster_bundles (cluster_id, digest) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        tx.execute(sql, params![cluster, &digest]).await?;
    }
    registry::write_index(tx, &next.index, now).await?;
    let sql = "UPDATE clusters SET generation = $2 WHERE id = $1";
    tx.execute(sql, params![cluster, next.index.generation])
        .await?;
    tx.execute(
        "INSERT INTO environments (project_id, name, protect, ephemeral, report_number)
         VALUES ($1, $2, $3, $4, 0)
         ON CONFLICT (project_id, name) DO UPDATE
         SET protect = excluded.protect, ephemeral = excluded.ephemeral",
        params![project, &environment, flags.0, flags.1],
    )
    .await?;
    let standing = Standing::pending(&next.index);
    let apply = insert_apply(tx, request, plan, &next.index, &standing).await?;
    let sql = "UPDATE plans SET consumed_by = $3 WHERE plan_id = $1 AND project_id = $2";
    tx.execute(sql, params![request.plan_id, project, &apply])
        .await?;
    approvals::consume(tx, project, plan, &apply).await?;
    let entry = Entry {
        action: "plan.apply",
        resource: plan.plan_id.to_string(),
        before: Some(index.digest.as_str()),
        after: Some(next.index.digest.as_str()),
    };
    audit::record(tx, request.actor, entry, now).await?;
    Ok(apply)
}

/// Nothing to do: the new apply stands where the environment's last one stands, and the plan stays
/// usable, because nothing was accepted.
async fn repeat_last(
    tx: &mut Tx,
    request: &AcceptRequest<'_>,
    plan: &Plan,
    index: &Index,
) -> Result<String, StoreError> {
    let last = last_standing(tx, request.project, &plan.environment).await?;
    let standing = last.unwrap_or(Standing {
        state: ApplyState::Converged,
        finished_at: Some(request.now),
        ..Standing::pending(index)
    });
    let apply = insert_apply(tx, request, plan, index, &standing).await?;
    // What was approved is there: an approval does not wait for the day on which it is not.
    approvals::consume(tx, request.project, plan, &apply).await?;
    Ok(apply)
}

/// Where an apply stands, as its row says it.
struct Standing {
    generation: i64,
    state: ApplyState,
    finished_at: Option<Timestamp>,
    finished_by: Option<i64>,
}

impl Standing {
    fn pending(index: &Index) -> Self {
        Self {
            generation: i64::try_from(index.generation.number()).unwrap_or(i64::MAX),
            state: ApplyState::Pending,
            finished_at: None,
            finished_by: None,
        }
    }
}

async fn last_standing(
    tx: &mut Tx,
    project: ProjectId,
    environment: &EnvironmentName,
) -> Result<Option<Standing>, StoreError> {
    let row = tx
        .row(
            "SELECT generation, state, finished_at, finished_by FROM applies
             WHERE project_id = $1 AND environment = $2
             ORDER BY generation DESC, created_at DESC, id DESC LIMIT 1",
            params![project, environment],
        )
        .await?;
    row.map(|row| {
        Ok(Standing {
            generation: row.integer("generation")?,
            state: row.parse("state")?,
            finished_at: row.optional_moment("finished_at")?,
            finished_by: row.optional_integer("finished_by")?,
        })
    })
    .transpose()
}

async fn insert_apply(
    tx: &mut Tx,
    request: &AcceptRequest<'_>,
    plan: &Plan,
    index: &Index,
    standing: &Standing,
) -> Result<String, StoreError> {
    let id = Uuid::now_v7().to_string();
    tx.execute(
        "INSERT INTO applies (id, cluster_id, project_id, environment, plan_id, revision, summary,
                              generation, state, created_at, created_by, finished_at, finished_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        params![
            &id,
            index.cluster_id,
            request.project,
            &plan.environment,
            request.plan_id,
            plan.source.revision.clone(),
            registry::json(&plan.summary),
            standing.generation,
            standing.state.as_str(),
            request.now,
            &request.actor.token,
            standing.finished_at,
            standing.finished_by,
        ],
    )
    .await?;
    Ok(id)
}
