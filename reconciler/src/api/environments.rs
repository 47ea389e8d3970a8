//! What an environment is, was and does: status, history, one generation, two of them compared.
//!
//! Effects: the store.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Extension, Path, Query, State},
};
use serde::Deserialize;
use starform_contract::{EnvironmentName, Generation, ProjectId};
use starform_plan::{document::Plans, older};

use super::{
    Api, ApiError,
    authenticate::check,
    body::{EnvironmentAt, EnvironmentDrift, EnvironmentStatus, HistoryEntry, Items},
    extract,
};
use crate::{
    access::{Action, Actor},
    store::DriftKnown,
};

pub(super) async fn status(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path((project, environment)): Path<(String, String)>,
) -> Result<Json<EnvironmentStatus>, ApiError> {
    let (project, environment) = place(&actor, &project, &environment)?;
    let status = api.store.status(project, &environment).await?;
    status.map(Json).ok_or_else(ApiError::not_found)
}

pub(super) async fn history(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path((project, environment)): Path<(String, String)>,
) -> Result<Json<Items<HistoryEntry>>, ApiError> {
    let (project, environment) = place(&actor, &project, &environment)?;
    let items = api.store.history(project, &environment).await?;
    Ok(Json(Items { items }))
}

pub(super) async fn at(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path((project, environment, generation)): Path<(String, String, String)>,
) -> Result<Json<EnvironmentAt>, ApiError> {
    let (project, environment) = place(&actor, &project, &environment)?;
    let generation = Generation::new(extract::id(&generation)?);
    let found = api
        .store
        .environment_at(project, &environment, generation)
        .await?;
    found.map(Json).ok_or_else(ApiError::not_found)
}

pub(super) async fn drift(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path((project, environment)): Path<(String, String)>,
) -> Result<Json<EnvironmentDrift>, ApiError> {
    let (project, environment) = place(&actor, &project, &environment)?;
    match api.store.drift(project, &environment).await? {
        DriftKnown::Reported(drift) => Ok(Json(*drift)),
        DriftKnown::NothingAccepted => Err(ApiError::not_found()),
        DriftKnown::NothingReported => {
            let detail = format!(
                "the agent has reported nothing about {environment} yet, so nobody knows; `starform cluster list` tells whether it is there"
            );
            Err(ApiError::conflict("not-reported", detail))
        }
    }
}

/// Which generations are compared, in this order.
#[derive(Deserialize)]
pub(super) struct Between {
    from: Generation,
    to: Generation,
}

/// What lies between two generations, as a plan tells it; it is not stored.
pub(super) async fn diff(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path((project, environment)): Path<(String, String)>,
    Query(Between { from, to }): Query<Between>,
) -> Result<Json<Plans>, ApiError> {
    let (project, environment) = place(&actor, &project, &environment)?;
    let mut sides = Vec::new();
    for at in [from, to] {
        let accepted = api.store.accepted_at(project, at).await?;
        let accepted = accepted.filter(|then| then.environment(&environment).is_some());
        sides.push(accepted.ok_or_else(|| ApiError::no_generation(&environment, at))?);
    }
    let plan = older::between(&sides[0], &sides[1], &environment);
    let plan = plan.ok_or_else(ApiError::not_found)?;
    Ok(Json(Plans::new(vec![plan], BTreeMap::new())))
}

fn place(
    actor: &Actor,
    project: &str,
    environment: &str,
) -> Result<(ProjectId, EnvironmentName), ApiError> {
    let project: ProjectId = extract::id(project)?;
    check(actor, Action::Read(project), "see this project")?;
    Ok((project, extract::id(environment)?))
}
