//! Approvals: by whom the effect of a plan is approved, until an apply uses it up.
//!
//! Effects: the database, random ids. Always holds: an approval is for one effect in one environment and
//! is used by at most one apply, in the transaction that accepts or finds that nothing is left to do; who
//! approves is neither who made the plan nor who applies it, and still an Admin when it is used. Which plans need one is decided by [`starform_plan::approval`].

use starform_contract::{PlanId, ProjectId};
use starform_plan::{
    approval::{Approval, Approvals, Approved},
    document::Plan,
};
use uuid::Uuid;

use super::{
    AcceptRequest, Store, StoreError,
    audit::{self, Entry},
    database::{Tx, params},
};
use crate::{
    access::{Actor, Identity},
    api::body::PlanApproval,
    time::Timestamp,
};

/// The approval, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApproveResult {
    New(PlanApproval),
    /// The same person approved the same effect before, and no apply has used it.
    Before(PlanApproval),
    NoPlan,
    /// The plan is applied already; its apply.
    Consumed(String),
    /// The plan asks for no approval.
    NotNeeded,
    /// Who asks made the plan.
    Own,
}

impl Store {
    /// Whether `actor` may approve at all is decided before.
    pub async fn approve(
        &self,
        actor: &Actor,
        project: ProjectId,
        plan_id: &PlanId,
        now: Timestamp,
    ) -> Result<ApproveResult, StoreError> {
        let mut tx = self.database.write().await?;
        // The row is held: whoever accepts the plan meanwhile uses this approval up, or was before it.
        let row = tx
            .row(
                "UPDATE plans SET created_at = created_at WHERE plan_id = $1 AND project_id = $2
                 RETURNING document, created_by, consumed_by",
                params![plan_id, project],
            )
            .await?;
        let Some(row) = row else {
            return Ok(ApproveResult::NoPlan);
        };
        if let Some(apply) = row.optional_text("consumed_by")? {
            return Ok(ApproveResult::Consumed(apply));
        }
        let plan: Plan = row.document("document")?;
        if plan.approval_needed().is_none() {
            return Ok(ApproveResult::NotNeeded);
        }
        let approver = actor.identity();
        if approver == requester(&mut tx, &row.text("created_by")?).await? {
            return Ok(ApproveResult::Own);
        }
        let is_new = insert(&mut tx, project, &plan, &approver, now).await?;
        if is_new {
            let entry = Entry {
                action: "plan.approve",
                resource: plan.plan_id.to_string(),
                before: None,
                after: Some(plan.effect_id.digest().as_str()),
            };
            audit::record(&mut tx, actor, entry, now).await?;
        }
        let mut all = in_force(&mut tx, project, &plan, now).await?;
        all.retain(|approved| approved.by == approver.to_string());
        tx.commit().await?;
        let column = "approver";
        let approved = all.pop().ok_or(StoreError::Corrupt { column })?;
        let approval = PlanApproval {
            plan_id: plan.plan_id,
            effect_id: plan.effect_id,
            project_id: project,
            environment: plan.environment,
            approved,
        };
        Ok(match is_new {
            true => ApproveResult::New(approval),
            false => ApproveResult::Before(approval),
        })
    }

    /// Of the plans' effects, those that are approved; of several approvals the first.
    pub async fn approvals(
        &self,
        project: ProjectId,
        plans: &[Plan],
        now: Timestamp,
    ) -> Result<Approvals, StoreError> {
        let mut approvals = Approvals::new();
        let needing = |plan: &&Plan| plan.approval_needed().is_some();
        let mut tx = self.database.read().await?;
        for plan in plans.iter().filter(needing) {
            let all = in_force(&mut tx, project, plan, now).await?;
            let first = all.into_iter().next();
            approvals.extend(first.map(|first| (plan.effect_id.clone(), first)));
        }
        tx.commit().await?;
        Ok(approvals)
    }
}

/// Whether who asks may apply the plan by somebody else's approval.
pub(super) async fn given(
    tx: &mut Tx,
    request: &AcceptRequest<'_>,
    plan: &Plan,
) -> Result<Approval, StoreError> {
    let AcceptRequest { actor, project, .. } = *request;
    let all = in_force(tx, project, plan, request.now).await?;
    if all.is_empty() {
        return Ok(Approval::Missing);
    }
    let sql = "SELECT created_by FROM plans WHERE plan_id = $1 AND project_id = $2";
    let row = tx.row(sql, params![&plan.plan_id, project]).await?;
    let column = "created_by";
    let created_by = row.ok_or(StoreError::Corrupt { column })?.text(column)?;
    let own = [requester(tx, &created_by).await?, actor.identity()].map(|one| one.to_string());
    let others = all.iter().any(|approved| !own.contains(&approved.by));
    Ok(match others {
        true => Approval::Given,
        false => Approval::Missing,
    })
}

/// Uses up every approval of the effect. Call it after the plan's row says that it is consumed.
pub(super) async fn consume(
    tx: &mut Tx,
    project: ProjectId,
    plan: &Plan,
    apply: &str,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE approvals SET consumed_by = $4
         WHERE project_id = $1 AND environment = $2 AND effect_id = $3 AND consumed_by IS NULL",
        params![project, &plan.environment, &plan.effect_id, apply],
    )
    .await?;
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    project: ProjectId,
    plan: &Plan,
    approver: &Identity,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let made = tx
        .execute(
            "INSERT INTO approvals (id, project_id, environment, effect_id, plan_id, approver,
                                    approved_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT DO NOTHING",
            params![
                Uuid::now_v7().to_string(),
                project,
                &plan.environment,
                &plan.effect_id,
                &plan.plan_id,
                approver.to_string(),
                now,
            ],
        )
        .await?;
    Ok(made > 0)
}

/// First come first; of those who may still approve: who has no valid token of an Admin any more approves nothing.
async fn in_force(
    tx: &mut Tx,
    project: ProjectId,
    plan: &Plan,
    now: Timestamp,
) -> Result<Vec<Approved>, StoreError> {
    let rows = tx
        .rows(
            "SELECT approver, approved_at FROM approvals
             WHERE project_id = $1 AND environment = $2 AND effect_id = $3 AND consumed_by IS NULL
             AND EXISTS (
                 SELECT 1 FROM api_tokens t
                 WHERE t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $4)
                 AND ((t.project_id = $1 AND t.role = 'admin' AND t.person = approver)
                      OR (t.kind = 'admin' AND 'token ' || t.id = approver))
             )
             ORDER BY approved_at, id",
            params![project, &plan.environment, &plan.effect_id, now],
        )
        .await?;
    let approved = rows.iter().map(|row| {
        Ok(Approved {
            by: row.text("approver")?,
            at: row.moment("approved_at")?.to_string(),
        })
    });
    approved.collect()
}

/// Who holds a token, by its id.
async fn requester(tx: &mut Tx, token: &str) -> Result<Identity, StoreError> {
    let sql = "SELECT person FROM api_tokens WHERE id = $1";
    let row = tx.row(sql, params![token]).await?;
    let person = match row {
        Some(row) => row.optional_text("person")?,
        None => None,
    };
    let column = "person";
    Ok(match person {
        Some(name) => Identity::Person(name.parse().map_err(|_| StoreError::Corrupt { column })?),
        None => Identity::Token(token.to_owned()),
    })
}
