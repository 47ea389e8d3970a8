//! Workspaces, clusters, projects, tokens; and the two routes that answer without a token.
//!
//! Effects: the store, the clock.

use axum::{
    Json,
    extract::{Extension, Path, Query, State},
    http::{HeaderMap, StatusCode},
};
use serde::Deserialize;
use starform_contract::{
    ClusterId, Digest, ProjectId,
    profile::{DEFAULT_TIER, InvalidProfile},
    spelling::instead,
};

use super::{
    Api, ApiError,
    authenticate::check,
    body::{
        ChangeCluster, Cluster, CreateProject, CreateToken, CreateWorkspace, IssuedToken, Items,
        Project, RegisterCluster, RegisteredCluster, ResetGeneration, SigningKeys, Workspace,
    },
    extract::{self, Body},
};
use crate::{
    access::{Action, Actor, Decision, Scope, allowed},
    store::{Changed, ClusterChange, Created, Deleted, NewProject, NewToken, Parent, Reset},
    time::Timestamp,
    token::TokenKind,
};

type Answer<T> = Result<(StatusCode, Json<T>), ApiError>;

/// `?name=`: only the one of this name.
#[derive(Deserialize)]
pub(super) struct ByName {
    name: Option<String>,
}

pub(super) async fn healthz() -> &'static str {
    std::future::ready("ok\n").await
}

pub(super) async fn readyz(State(api): State<Api>) -> Result<&'static str, ApiError> {
    if api.stopping.is_cancelled() {
        return Err(ApiError::stopping());
    }
    api.store.ready().await?;
    Ok("ok\n")
}

pub(super) async fn workspaces(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Query(by): Query<ByName>,
) -> Result<Json<Items<Workspace>>, ApiError> {
    check(&actor, Action::Operate, "list workspaces")?;
    let mut items = api.store.workspaces().await?;
    items.retain(|item| {
        by.name
            .as_deref()
            .is_none_or(|name| item.name.as_str() == name)
    });
    Ok(Json(Items { items }))
}

pub(super) async fn create_workspace(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Body(body): Body<CreateWorkspace>,
) -> Answer<Workspace> {
    check(&actor, Action::Operate, "create workspaces")?;
    let once = extract::idempotency(&headers, format!("workspace {}", Digest::of(&body)))?;
    let tier = body
        .tier
        .as_ref()
        .map_or(DEFAULT_TIER, |tier| tier.as_str());
    let created = api
        .store
        .create_workspace(&actor, &body.name, tier, once.as_ref(), Timestamp::now())
        .await?;
    answer(created, "workspace", body.name.as_str())
}

pub(super) async fn clusters(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Query(by): Query<ByName>,
) -> Result<Json<Items<Cluster>>, ApiError> {
    check(&actor, Action::Operate, "list clusters")?;
    let mut items = api.store.clusters().await?;
    items.retain(|item| {
        by.name
            .as_deref()
            .is_none_or(|name| item.name.as_str() == name)
    });
    Ok(Json(Items { items }))
}

pub(super) async fn register_cluster(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Body(body): Body<RegisterCluster>,
) -> Answer<RegisteredCluster> {
    check(&actor, Action::Operate, "register clusters")?;
    body.profile.check().map_err(|faults| invalid(&faults))?;
    let created = api
        .store
        .register_cluster(&actor, &body.name, &body.profile, Timestamp::now())
        .await?;
    let (status, Json((cluster, token))) = answer(created, "cluster", body.name.as_str())?;
    let agent_token = token.reveal().to_owned();
    Ok((
        status,
        Json(RegisteredCluster {
            cluster,
            agent_token,
            trusted_keys: api.keys.trusted(),
        }),
    ))
}

pub(super) async fn change_cluster(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path(cluster): Path<String>,
    Body(body): Body<ChangeCluster>,
) -> Result<Json<Cluster>, ApiError> {
    check(&actor, Action::Operate, "change clusters")?;
    let cluster: ClusterId = extract::id(&cluster)?;
    if let Some(profile) = &body.profile {
        profile.check().map_err(|faults| invalid(&faults))?;
    }
    let change = ClusterChange {
        profile: body.profile,
        lb_size_units: body.lb_size_units,
    };
    match api
        .store
        .change_cluster(&actor, cluster, &change, Timestamp::now())
        .await?
    {
        Changed::Made(cluster) => Ok(Json(*cluster)),
        Changed::NoCluster => Err(ApiError::not_found()),
        Changed::NoLoadBalancer => {
            let detail = "the cluster's profile names no load balancer; set `gateway.load_balancer.service` in it first";
            Err(ApiError::unprocessable("no-load-balancer", detail))
        }
    }
}

pub(super) async fn reset_generation(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path(cluster): Path<String>,
) -> Result<Json<ResetGeneration>, ApiError> {
    check(&actor, Action::Operate, "change clusters")?;
    let cluster: ClusterId = extract::id(&cluster)?;
    match api
        .store
        .reset_generation(&actor, cluster, Timestamp::now())
        .await?
    {
        Reset::Made { seen, generation } => Ok(Json(ResetGeneration {
            agent: seen,
            generation,
        })),
        Reset::NoCluster => Err(ApiError::not_found()),
        Reset::AgentUnknown => {
            let detail = "the cluster's agent has not said yet which generation it has; start it, and ask again when it has asked";
            Err(ApiError::conflict("agent-unknown", detail))
        }
    }
}

/// The next key that the cluster's agent posts is the one that values are sealed to.
pub(super) async fn forget_agent_key(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path(cluster): Path<String>,
) -> Result<StatusCode, ApiError> {
    check(&actor, Action::Operate, "change clusters")?;
    let cluster: ClusterId = extract::id(&cluster)?;
    let known = api
        .store
        .forget_agent_key(&actor, cluster, Timestamp::now())
        .await?;
    if known {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found())
    }
}

pub(super) async fn signing_keys(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
) -> Result<Json<SigningKeys>, ApiError> {
    check(&actor, Action::Operate, "read the signing keys")?;
    let trusted_keys = api.keys.trusted();
    Ok(std::future::ready(Json(SigningKeys { trusted_keys })).await)
}

#[derive(Deserialize)]
pub(super) struct ByProject {
    name: Option<String>,
    /// Those that were deleted too.
    #[serde(default)]
    deleted: bool,
}

/// A ci token sees its own project.
pub(super) async fn projects(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Query(by): Query<ByProject>,
) -> Result<Json<Items<Project>>, ApiError> {
    if matches!(actor.scope, Scope::Agent(_)) {
        return Err(ApiError::not_found());
    }
    let mut items = api.store.projects().await?;
    items.retain(|item| {
        let seen = allowed(&actor.scope, Action::Read(item.id)) == Decision::Allow;
        let asked = by.deleted || item.deleted_at.is_none();
        seen && asked
            && by
                .name
                .as_deref()
                .is_none_or(|name| item.name.as_str() == name)
    });
    Ok(Json(Items { items }))
}

pub(super) async fn project(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path(project): Path<String>,
) -> Result<Json<Project>, ApiError> {
    let project: ProjectId = extract::id(&project)?;
    check(&actor, Action::Read(project), "see this project")?;
    let found = api.store.project(project).await?;
    found.map(Json).ok_or_else(ApiError::not_found)
}

/// One that nothing was ever accepted for; the others end by a plan.
pub(super) async fn delete_project(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path(project): Path<String>,
) -> Result<StatusCode, ApiError> {
    let project: ProjectId = extract::id(&project)?;
    check(&actor, Action::Read(project), "see this project")?;
    check(&actor, Action::Operate, "delete a project")?;
    match api
        .store
        .delete_unused(&actor, project, Timestamp::now())
        .await?
    {
        Deleted::Done => Ok(StatusCode::NO_CONTENT),
        Deleted::NoProject => Err(ApiError::not_found()),
        Deleted::Used => {
            let detail = "something is accepted for this project; `POST /v1/projects/{id}/removal` makes the plans that delete it";
            Err(ApiError::conflict("project-in-use", detail))
        }
    }
}

pub(super) async fn create_project(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Body(body): Body<CreateProject>,
) -> Answer<Project> {
    check(&actor, Action::Operate, "create projects")?;
    let once = extract::idempotency(&headers, format!("project {}", Digest::of(&body)))?;
    let new = NewProject {
        name: &body.name,
        cluster: &body.cluster,
        workspace: body.workspace.as_deref(),
    };
    let created = api
        .store
        .create_project(&actor, &new, once.as_ref(), Timestamp::now())
        .await?;
    match created {
        Ok(created) => answer(created, "project", body.name.as_str()),
        Err(Parent::Cluster) => {
            let clusters = api.store.clusters().await?.into_iter();
            let names: Vec<String> = clusters.map(|cluster| cluster.name.to_string()).collect();
            Err(unknown_parent("cluster", Some(&body.cluster), &names))
        }
        Err(Parent::Workspace) => {
            let workspaces = api.store.workspaces().await?.into_iter();
            let names: Vec<String> = workspaces.map(|found| found.name.to_string()).collect();
            Err(unknown_parent(
                "workspace",
                body.workspace.as_deref(),
                &names,
            ))
        }
    }
}

/// `asked`: by its name or id; nobody where it is left out and there is not just one.
fn unknown_parent(what: &str, asked: Option<&str>, names: &[String]) -> ApiError {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let detail = match asked {
        Some(asked) => format!("there is no {what} `{asked}`; {}", instead(asked, &names)),
        None if names.is_empty() => {
            format!("there is no {what} yet; make one with `starform {what} create NAME`")
        }
        None => format!(
            "say which {what} the project belongs to; there is {}",
            names.join(", ")
        ),
    };
    ApiError::unprocessable("unknown-parent", detail)
}

pub(super) async fn create_token(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Body(body): Body<CreateToken>,
) -> Answer<IssuedToken> {
    check(&actor, Action::Operate, "create tokens")?;
    let expires_in = body.expires_in;
    let scope = token_scope(body)?;
    if let Scope::Ci { project, .. } | Scope::User { project, .. } = &scope
        && api.store.project(*project).await?.is_none()
    {
        return Err(ApiError::not_found());
    }
    let now = Timestamp::now();
    let lifetime = expires_in.map(std::time::Duration::from_secs);
    let expires_at = lifetime.map(|lifetime| now.plus(lifetime));
    let new = NewToken {
        scope: &scope,
        expires_at,
    };
    let token = api.store.issue_token(&actor, &new, now).await?;
    let issued = IssuedToken {
        id: token.id().to_string(),
        token: token.reveal().to_owned(),
        expires_at,
    };
    Ok((StatusCode::CREATED, Json(issued)))
}

fn token_scope(body: CreateToken) -> Result<Scope, ApiError> {
    let CreateToken {
        kind,
        person,
        role,
        project,
        environments,
        expires_in: _,
    } = body;
    let wrong = |detail| Err(ApiError::unprocessable("invalid-token-scope", detail));
    match (kind, project, environments, person.zip(role)) {
        (TokenKind::Admin, None, None, None) => Ok(Scope::Admin),
        (TokenKind::Admin, _, _, _) => wrong(
            "an admin token has no project, no environments and no person; use kind `ci` or `user`",
        ),
        (TokenKind::Ci, Some(project), environments, None) => Ok(Scope::Ci {
            project,
            environments,
        }),
        (TokenKind::Ci, None, _, _) => wrong("a ci token needs the project that it is for"),
        (TokenKind::Ci, Some(_), _, Some(_)) => {
            wrong("a ci token is nobody's; use kind `user` for a person")
        }
        (TokenKind::User, Some(project), None, Some((person, role))) => Ok(Scope::User {
            person,
            project,
            role,
        }),
        (TokenKind::User, _, _, _) => wrong(
            "a user token needs a person, their role and the project, and is for all its environments",
        ),
        (TokenKind::Cluster, _, _, _) => {
            wrong("a cluster's token comes from registering the cluster")
        }
    }
}

fn invalid(faults: &InvalidProfile) -> ApiError {
    let detail = format!("the cluster's profile does not fit:\n{faults}");
    ApiError::unprocessable("invalid-profile", detail)
}

fn answer<T>(created: Created<T>, what: &str, name: &str) -> Answer<T> {
    match created {
        Created::New(made) => Ok((StatusCode::CREATED, Json(made))),
        Created::Before(made) => Ok((StatusCode::OK, Json(made))),
        Created::KeyReused => Err(ApiError::key_reused()),
        Created::NameTaken => {
            let detail =
                format!("there is a {what} `{name}` already; choose another name, or use that one");
            Err(ApiError::conflict("name-taken", detail))
        }
    }
}
