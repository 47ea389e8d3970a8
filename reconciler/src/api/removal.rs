//! Plans that delete an environment, or a project.
//!
//! Effects: the store, the clock. Always holds: such a plan is stored and applied as any other; one that
//! ends a project is an operator's.

use axum::{
    Json,
    extract::{Extension, Path, Query, State},
    http::StatusCode,
};
use starform_contract::ProjectId;
use starform_plan::{
    document::Plans,
    removal::{NotRemovable, plans},
};

use super::{
    Api, ApiError,
    accept::stored,
    authenticate::check,
    body::Removal,
    extract::{self, Body},
    plans::{WithBundles, planning},
};
use crate::access::{Action, Actor};

pub(super) async fn create(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path(project): Path<String>,
    Query(with): Query<WithBundles>,
    Body(body): Body<Removal>,
) -> Result<(StatusCode, Json<Plans>), ApiError> {
    let project: ProjectId = extract::id(&project)?;
    check(&actor, Action::Read(project), "see this project")?;
    match &body.environment {
        Some(environment) => check(
            &actor,
            Action::Change(project, environment),
            &format!("plan {environment}"),
        )?,
        None => check(&actor, Action::Operate, "delete a project")?,
    }
    let planning = planning(&api, project).await?;
    let Removal {
        environment,
        destroy,
    } = body;
    let proposals = plans(&planning.accepted, environment.as_ref(), &destroy)
        .map_err(|error| refused(&error))?;
    stored(&api, &actor, project, proposals, with.bundles).await
}

fn refused(error: &NotRemovable) -> ApiError {
    let code = match error {
        NotRemovable::NoProject => "nothing-accepted",
        NotRemovable::NoEnvironment { .. } => "unknown-environment",
        NotRemovable::LastEnvironment(_) => "last-environment",
        NotRemovable::NoVolume { .. } => "unknown-volume",
    };
    ApiError::unprocessable(code, error.to_string())
}
