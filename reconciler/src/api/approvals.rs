//! Approving what a plan does.
//!
//! Effects: the store, the clock. Always holds: who approves is an Admin of the project and did not make
//! the plan; approving again is the same approval.

use axum::{
    Json,
    extract::{Extension, Path, State},
    http::StatusCode,
};

use super::{
    Api, ApiError,
    accept::{consumed, visible},
    authenticate::check,
    body::PlanApproval,
};
use crate::{
    access::{Action, Actor},
    store::ApproveResult,
    time::Timestamp,
};

/// 201: approved. 200: the same person did so before.
pub(super) async fn approve(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path(plan): Path<String>,
) -> Result<(StatusCode, Json<PlanApproval>), ApiError> {
    let stored = visible(&api, &actor, &plan).await?;
    let project = stored.project_id;
    check(
        &actor,
        Action::Approve(project),
        "approve plans; an Admin of the project may",
    )?;
    let approved = api
        .store
        .approve(&actor, project, &stored.plan.plan_id, Timestamp::now());
    match approved.await? {
        ApproveResult::New(approval) => Ok((StatusCode::CREATED, Json(approval))),
        ApproveResult::Before(approval) => Ok((StatusCode::OK, Json(approval))),
        ApproveResult::NoPlan => Err(ApiError::not_found()),
        ApproveResult::Consumed(apply) => Err(consumed(apply)),
        ApproveResult::NotNeeded => {
            let detail = "this plan asks for no approval; apply it, or make it again if its environment was protected since";
            Err(ApiError::conflict("approval-not-needed", detail))
        }
        ApproveResult::Own => Err(ApiError::own_approval()),
    }
}
