//! What a cluster's agent is asked about plans, and what it answered.
//!
//! Effects: the database, random ids. Always holds: a question is entered with its plan, in one
//! transaction; it is answered once, about exactly what was asked; so many are open for a cluster at
//! most, each for so long, and whatever becomes of one changes neither the plan nor the desired state.
//! Read on in [`starform_plan::verified`].

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use starform_contract::{
    Bundle, ClusterId, Digest, ObjectKey, ProjectId,
    verify::{Asked, ObjectVerdict, Verdicts, Verification},
};
use starform_plan::{
    document::Plan,
    propose::Proposal,
    verified::{Answer, Verifications, Verified, asked},
};
use uuid::Uuid;

use super::{
    Store, StoreError,
    database::{Row, Tx, params},
    plans, registry, reports,
};
use crate::time::Timestamp;

/// How long the agent may take.
const OPEN: Duration = Duration::from_secs(10 * 60);
/// Open questions of one cluster; of more the oldest are given up.
const MOST_OPEN: i64 = 64;
/// Questions of one answer to the agent.
const MOST_AT_ONCE: i64 = 8;
/// Bytes of one answer, but for a single plan: an agent takes four bundles' worth.
const LARGEST: usize = 2 * Bundle::LARGEST;
/// An agent that asked so long ago for work is away.
const PRESENT: Duration = Duration::from_secs(90);
/// What the API server said so long ago may be true no more, and saves no dry-run.
const FRESH: Duration = Duration::from_secs(60 * 60);
/// Answers are kept for as long beside their plans.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// The moment of the agent's asking is written no more often.
const NOTED_EVERY: Duration = Duration::from_secs(30);

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    New,
    /// The same question was answered before.
    Before,
    /// Nobody asked that, or it is given up.
    Unasked,
    /// It speaks of objects that were not asked about.
    Other,
}

impl Store {
    /// What waits for the cluster's agent, the latest first.
    pub async fn open_verifications(
        &self,
        cluster: ClusterId,
        now: Timestamp,
    ) -> Result<Vec<Verification>, StoreError> {
        let mut tx = self.database.read().await?;
        let rows = tx
            .rows(
                "SELECT v.id, v.project_id, p.document, p.environment_bundle, p.project_bundle
                 FROM verifications v
                 JOIN plans p ON p.plan_id = v.plan_id AND p.project_id = v.project_id
                 WHERE v.cluster_id = $1 AND v.answered_at IS NULL AND v.expires_at > $2
                 ORDER BY v.asked_at DESC, v.id LIMIT $3",
                params![cluster, now, MOST_AT_ONCE],
            )
            .await?;
        let mut open = Vec::with_capacity(rows.len());
        let mut bytes = 0;
        for row in &rows {
            let one = verification(&mut tx, row).await?;
            bytes += registry::json(&one).len();
            if bytes > LARGEST && !open.is_empty() {
                break;
            }
            open.push(one);
        }
        tx.commit().await?;
        Ok(open)
    }

    /// The agent asks what to verify: from now on plans ask it.
    pub async fn note_verifies(
        &self,
        cluster: ClusterId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.database.read().await?;
        let sql = "SELECT verifies_at FROM clusters WHERE id = $1";
        let row = tx.row(sql, params![cluster]).await?;
        tx.commit().await?;
        let last = row
            .map(|row| row.optional_moment("verifies_at"))
            .transpose()?;
        if last
            .flatten()
            .is_some_and(|last| now.since(last) < NOTED_EVERY)
        {
            return Ok(());
        }
        let mut tx = self.database.write().await?;
        let sql = "UPDATE clusters SET verifies_at = $2 WHERE id = $1";
        tx.execute(sql, params![cluster, now]).await?;
        tx.commit().await
    }

    pub async fn answer_verification(
        &self,
        cluster: ClusterId,
        id: &str,
        verdicts: &Verdicts,
        now: Timestamp,
    ) -> Result<Answered, StoreError> {
        let mut tx = self.database.write().await?;
        let changes = reports::touch(&mut tx, cluster).await?;
        let row = tx
            .row(
                "SELECT v.id, v.project_id, v.expires_at, v.answered_at, p.document,
                        p.environment_bundle, p.project_bundle
                 FROM verifications v
                 JOIN plans p ON p.plan_id = v.plan_id AND p.project_id = v.project_id
                 WHERE v.cluster_id = $1 AND v.id = $2",
                params![cluster, id],
            )
            .await?;
        let Some(row) = row else {
            return Ok(Answered::Unasked);
        };
        if row.optional_moment("answered_at")?.is_some() {
            return Ok(Answered::Before);
        }
        if row.moment("expires_at")?.since(now).is_zero() {
            return Ok(Answered::Unasked);
        }
        if !is_about(verdicts, &verification(&mut tx, &row).await?) {
            return Ok(Answered::Other);
        }
        let bounded = bounded(verdicts);
        tx.execute(
            "UPDATE verifications SET verdicts = $2, answered_at = $3 WHERE id = $1",
            params![id, registry::json(&bounded), now],
        )
        .await?;
        tx.commit().await?;
        if let Some(changes) = changes {
            self.changes.publish(cluster, changes);
        }
        Ok(Answered::New)
    }

    /// Of those of the plans that the cluster was asked about.
    pub async fn verifications(
        &self,
        project: ProjectId,
        plans: &[Plan],
        now: Timestamp,
    ) -> Result<Verifications, StoreError> {
        let mut verifications = Verifications::new();
        let mut tx = self.database.read().await?;
        for plan in plans {
            let row = tx
                .row(
                    "SELECT v.asked_at, v.expires_at, v.answered_at, v.verdicts, c.name,
                            c.verifies_at
                     FROM verifications v JOIN clusters c ON c.id = v.cluster_id
                     WHERE v.plan_id = $1 AND v.project_id = $2",
                    params![&plan.plan_id, project],
                )
                .await?;
            let verified = row.map(|row| verified(&row, now)).transpose()?;
            verifications.extend(verified.map(|verified| (plan.plan_id.clone(), verified)));
        }
        tx.commit().await?;
        Ok(verifications)
    }
}

/// Enters a question for each plan that writes anything, if the cluster's agent answers such questions.
/// The caller holds the cluster's row, and has stored the plans.
pub(super) async fn ask(
    tx: &mut Tx,
    cluster: ClusterId,
    project: ProjectId,
    proposals: &[Proposal],
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM verifications WHERE cluster_id = $1 AND asked_at <= $2";
    tx.execute(sql, params![cluster, before(now, KEPT)]).await?;
    for proposal in proposals.iter().filter(|proposal| writes(proposal)) {
        tx.execute(
            "INSERT INTO verifications (plan_id, project_id, id, cluster_id, asked_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (plan_id, project_id) DO UPDATE
             SET id = excluded.id, asked_at = excluded.asked_at,
                 expires_at = excluded.expires_at, answered_at = NULL, verdicts = NULL",
            params![
                &proposal.plan.plan_id,
                project,
                Uuid::now_v7().to_string(),
                cluster,
                now,
                now.plus(OPEN),
            ],
        )
        .await?;
    }
    tx.execute(
        "UPDATE verifications SET expires_at = $2
         WHERE cluster_id = $1 AND answered_at IS NULL AND expires_at > $2 AND id NOT IN (
             SELECT id FROM verifications WHERE cluster_id = $1 AND answered_at IS NULL
             ORDER BY asked_at DESC, id DESC LIMIT $3)",
        params![cluster, now, MOST_OPEN],
    )
    .await?;
    Ok(())
}

/// Whether the cluster has an agent that answers such questions.
pub(super) async fn answers(tx: &mut Tx, cluster: ClusterId) -> Result<bool, StoreError> {
    let sql = "SELECT verifies_at FROM clusters WHERE id = $1";
    let row = tx.row(sql, params![cluster]).await?;
    let last = row
        .map(|row| row.optional_moment("verifies_at"))
        .transpose()?;
    Ok(last.flatten().is_some())
}

/// What the cluster said lately of the plan.
pub(super) async fn fresh(
    tx: &mut Tx,
    project: ProjectId,
    plan: &Plan,
    now: Timestamp,
) -> Result<Vec<ObjectVerdict>, StoreError> {
    let row = tx
        .row(
            "SELECT verdicts FROM verifications
             WHERE plan_id = $1 AND project_id = $2 AND answered_at > $3",
            params![&plan.plan_id, project, before(now, FRESH)],
        )
        .await?;
    let verdicts = row.map(|row| row.document::<Verdicts>("verdicts"));
    Ok(verdicts
        .transpose()?
        .map_or_else(Vec::new, |said| said.verdicts))
}

fn writes(proposal: &Proposal) -> bool {
    !asked(&proposal.plan, &proposal.project, &proposal.environment).is_empty()
}

async fn verification(tx: &mut Tx, row: &Row) -> Result<Verification, StoreError> {
    let plan: Plan = row.document("document")?;
    let digest: Digest = row.parse("environment_bundle")?;
    let Some(Bundle::Environment(environment)) = plans::bundle(tx, &digest).await? else {
        return Err(StoreError::MissingBundle(digest.to_string()));
    };
    let digest: Digest = row.parse("project_bundle")?;
    let Some(Bundle::Project(project)) = plans::bundle(tx, &digest).await? else {
        return Err(StoreError::MissingBundle(digest.to_string()));
    };
    Ok(Verification {
        id: row.text("id")?,
        project_id: row.parse("project_id")?,
        objects: asked(&plan, &project, &environment),
        environment: plan.environment,
        namespace: environment.namespace,
    })
}

fn verified(row: &Row, now: Timestamp) -> Result<Verified, StoreError> {
    let answer = match row.optional_moment("answered_at")? {
        Some(at) => Answer::Answered {
            at: at.to_string(),
            verdicts: row.document::<Verdicts>("verdicts")?.verdicts,
        },
        None if row.moment("expires_at")?.since(now).is_zero() => Answer::Expired,
        None => {
            let last = row.optional_moment("verifies_at")?;
            let away = last.map_or(Duration::MAX, |last| now.since(last));
            if away > PRESENT {
                Answer::Away {
                    seconds: away.as_secs(),
                }
            } else {
                Answer::Waiting {
                    seconds: now.since(row.moment("asked_at")?).as_secs(),
                }
            }
        }
    };
    Ok(Verified {
        cluster: row.text("name")?,
        answer,
    })
}

/// Each object at most once, and none but those.
fn is_about(verdicts: &Verdicts, verification: &Verification) -> bool {
    let key = |asked: &Asked| asked.object.key();
    let wanted: BTreeMap<ObjectKey, &Digest> = verification
        .objects
        .iter()
        .filter_map(|asked| Some((key(asked)?, &asked.object.digest)))
        .collect();
    let mut said = BTreeSet::new();
    verdicts.verdicts.iter().all(|verdict| {
        wanted.get(&verdict.key) == Some(&&verdict.digest) && said.insert(&verdict.key)
    })
}

fn bounded(verdicts: &Verdicts) -> Verdicts {
    let bounded = verdicts.verdicts.iter().cloned();
    let bounded = bounded.map(|said| ObjectVerdict {
        verdict: said.verdict.bounded(),
        ..said
    });
    Verdicts::new(bounded.collect())
}

fn before(now: Timestamp, while_ago: Duration) -> Timestamp {
    let millis = i64::try_from(while_ago.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(now.millis() - millis)
}
