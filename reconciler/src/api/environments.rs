//! What an environment is, was and does: status, history, one generation.
//!
//! Effects: the store.

use axum::{
    Json,
    extract::{Extension, Path, State},
};
use starform_contract::{EnvironmentName, Generation, ProjectId};

use super::{
    Api, ApiError,
    authenticate::check,
    body::{EnvironmentAt, EnvironmentStatus, HistoryEntry, Items},
    extract,
};
use crate::access::{Action, Actor};

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

fn place(
    actor: &Actor,
    project: &str,
    environment: &str,
) -> Result<(ProjectId, EnvironmentName), ApiError> {
    let project: ProjectId = extract::id(project)?;
    check(actor, Action::Read(project), "see this project")?;
    Ok((project, extract::id(environment)?))
}
