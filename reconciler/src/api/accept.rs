//! Applying plans, and the plan that goes back to an older generation.
//!
//! Effects: the store, the clock. Always holds: what is applied is a stored plan, never a body; a plan
//! of a project that the caller may not see does not exist for it.

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::{Extension, Path, Query, State},
    http::{HeaderMap, StatusCode},
};
use starform_contract::{EnvironmentName, Generation, PlanId, ProjectId};
use starform_plan::{
    Refusal,
    crosscheck::hosts_of,
    document::{Finding, Plan, Plans},
    hosts::OthersHosts,
    older::{self, NotOlder},
    propose::Proposal,
};

use super::{
    Api, ApiError,
    authenticate::check,
    body::{Apply, Rollback},
    extract::{self, Body},
    plans::{WithBundles, planning},
};
use crate::{
    access::{Action, Actor, Decision, allowed},
    store::{AcceptRequest, AcceptResult, StoredPlan},
    time::Timestamp,
};

/// 202: accepted, the agent will fetch it. 200: accepted before by the same request.
pub(super) async fn apply(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path(plan): Path<String>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<Apply>), ApiError> {
    let stored = visible(&api, &actor, &plan).await?;
    let plan_id = &stored.plan.plan_id;
    let environment = &stored.plan.environment;
    check(
        &actor,
        Action::Change(stored.project_id, environment),
        &format!("apply to {environment}"),
    )?;
    let once = extract::idempotency(&headers, format!("apply {plan_id}"))?;
    let request = AcceptRequest {
        actor: &actor,
        project: stored.project_id,
        plan_id,
        once: once.as_ref(),
        now: Timestamp::now(),
    };
    let (status, id) = match api.store.accept(&request).await? {
        AcceptResult::Applied(id) => (StatusCode::ACCEPTED, id),
        AcceptResult::Before(id) => (StatusCode::OK, id),
        AcceptResult::NoPlan => return Err(ApiError::not_found()),
        AcceptResult::Deleted => return Err(ApiError::project_deleted(&stored.plan.project)),
        AcceptResult::KeyReused => return Err(ApiError::key_reused()),
        AcceptResult::Consumed(id) => return Err(consumed(id)),
        AcceptResult::Refused(Refusal::Unapproved(finding)) => {
            return Err(unapproved(&stored.plan, *finding));
        }
        AcceptResult::Refused(refusal) => return Err(refused(&refusal)),
    };
    let apply = api
        .store
        .apply(&id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    Ok((status, Json(apply)))
}

/// A plan whose wanted environment is an older generation's.
pub(super) async fn rollback(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path((project, environment)): Path<(String, String)>,
    Query(with): Query<WithBundles>,
    Body(body): Body<Rollback>,
) -> Result<(StatusCode, Json<Plans>), ApiError> {
    let project: ProjectId = extract::id(&project)?;
    check(&actor, Action::Read(project), "see this project")?;
    let environment: EnvironmentName = extract::id(&environment)?;
    check(
        &actor,
        Action::Change(project, &environment),
        &format!("plan {environment}"),
    )?;
    let to = match body.to {
        Some(to) => to,
        None => previous(&api, project, &environment).await?,
    };
    let wanted = api.store.environment_at(project, &environment, to).await?;
    let wanted = wanted.ok_or_else(|| ApiError::no_generation(&environment, to))?;
    let planning = planning(&api, project).await?;
    let taken = api
        .store
        .hosts_taken(project, &hosts_of(&wanted.bundle))
        .await?;
    let accepted = planning.accepted.with_others(OthersHosts::of_nobody(taken));
    let proposal = older::back(&accepted, to, wanted.bundle).map_err(|why| {
        let code = match why {
            NotOlder::NothingNow(_) => "nothing-accepted",
            NotOlder::IsCurrent { .. } => "current-generation",
        };
        ApiError::unprocessable(code, why.to_string())
    })?;
    stored(&api, &actor, project, vec![proposal], with.bundles).await
}

/// The plan of this id, or of the only id that begins so, that the caller may see.
pub(super) async fn visible(api: &Api, actor: &Actor, text: &str) -> Result<StoredPlan, ApiError> {
    let mut plans = api.store.plans(&extract::id(text)?).await?;
    plans.retain(|plan| allowed(&actor.scope, Action::Read(plan.project_id)) == Decision::Allow);
    let ids: BTreeSet<&PlanId> = plans.iter().map(|plan| &plan.plan.plan_id).collect();
    if ids.len() > 1 {
        let detail = format!("several plans begin with `{text}`; give more digits of the id");
        return Err(ApiError::conflict("ambiguous-id", detail));
    }
    plans.into_iter().next().ok_or_else(ApiError::not_found)
}

/// Stores the plans; the answer is `starform.plans/v1`, with the approvals that their effects have.
pub(super) async fn stored(
    api: &Api,
    actor: &Actor,
    project: ProjectId,
    proposals: Vec<Proposal>,
    with_bundles: bool,
) -> Result<(StatusCode, Json<Plans>), ApiError> {
    let now = Timestamp::now();
    api.store
        .save_plans(actor, project, &proposals, now)
        .await?;
    let mut plans = Plans::from(proposals);
    if !with_bundles {
        plans.bundles.clear();
    }
    plans.approvals = api.store.approvals(project, &plans.plans, now).await?;
    plans.verifications = api.store.verifications(project, &plans.plans, now).await?;
    Ok((StatusCode::CREATED, Json(plans)))
}

/// The generation of the environment before its current one.
async fn previous(
    api: &Api,
    project: ProjectId,
    environment: &EnvironmentName,
) -> Result<Generation, ApiError> {
    let history = api.store.history(project, environment).await?;
    let earlier = history.get(1).map(|entry| entry.generation);
    earlier.ok_or_else(|| {
        let detail = format!(
            "there is no earlier generation of {environment} to go back to; `starform history --env {environment}` lists what there is"
        );
        ApiError::unprocessable("no-earlier-generation", detail)
    })
}

fn unapproved(plan: &Plan, finding: Finding) -> ApiError {
    let title = &finding.title;
    let id = plan.plan_id.short();
    let detail = match plan.approval_needed() {
        Some(_) => format!(
            "{title}: by an Admin of the project other than who made the plan and who applies it. They look at it and say so with `starform approve {id}`, then `starform apply {id}`"
        ),
        None => format!("{title}. That is so since the plan was made; make it again"),
    };
    ApiError::unapproved(detail, finding)
}

pub(super) fn consumed(apply_id: String) -> ApiError {
    let detail = format!("this plan is applied already, by apply {apply_id}; make a new plan");
    ApiError::conflict("plan-consumed", detail).with_apply(apply_id)
}

fn refused(refusal: &Refusal) -> ApiError {
    let detail = refusal.to_string();
    match refusal {
        Refusal::Stale(stale) => {
            let parts: Vec<String> = stale.iter().map(ToString::to_string).collect();
            ApiError::conflict("plan-stale", detail).with_stale(parts.into())
        }
        Refusal::CrossCheck(findings) => {
            ApiError::conflict("plan-conflict", detail).with_findings(findings.clone())
        }
        Refusal::Blocked(findings) => ApiError::blocked(detail, findings.clone()),
        Refusal::Unapproved(finding) => ApiError::unapproved(detail, (**finding).clone()),
        Refusal::Used(_) => ApiError::conflict("plan-consumed", detail),
        Refusal::Standing(_) | Refusal::LastEnvironment(_) => {
            ApiError::conflict("plan-conflict", detail)
        }
        Refusal::Unsound(_) => ApiError::conflict("plan-unsound", detail),
    }
}
