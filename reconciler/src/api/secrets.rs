//! Secrets of environments and clusters: values go in, names and versions come out.
//!
//! Effects: the store, the clock. Always holds: no answer and no error holds a value or says whether a
//! value equals another, but to who repeats a request of its own; what a cluster's operator sets is what
//! images can be pulled with, the only use that there is of it.

use axum::{
    Json,
    extract::{Extension, Path, State},
    http::{HeaderMap, StatusCode},
};
use starform_contract::{
    ClusterId, EnvironmentName, ProjectId, SecretName, SecretValue, registry::check_credentials,
};

use super::{
    Api, ApiError,
    authenticate::check,
    body::{Items, LONGEST_SECRET, PutSecret, Secret},
    extract::{self, PrivateBody},
};
use crate::{
    access::{Action, Actor},
    store::{RemovedSecret, SecretScope, SetSecret},
    time::Timestamp,
};

/// The path of an environment's secrets.
type OfEnvironment = Path<(String, String)>;
type OneOfEnvironment = Path<(String, String, String)>;

pub(super) async fn list(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path((project, environment)): OfEnvironment,
) -> Result<Json<Items<Secret>>, ApiError> {
    let scope = environment_scope(&actor, &project, &environment, "list secrets")?;
    let items = api.store.secrets(&scope).await?;
    Ok(Json(Items { items }))
}

pub(super) async fn put(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path((project, environment, name)): OneOfEnvironment,
    headers: HeaderMap,
    PrivateBody(body): PrivateBody<PutSecret>,
) -> Result<Json<Secret>, ApiError> {
    let scope = environment_scope(&actor, &project, &environment, "set secrets")?;
    set(&api, &actor, &scope, &name, &headers, &body).await
}

pub(super) async fn delete(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path((project, environment, name)): OneOfEnvironment,
) -> Result<StatusCode, ApiError> {
    let scope = environment_scope(&actor, &project, &environment, "remove secrets")?;
    remove(&api, &actor, &scope, &name).await
}

pub(super) async fn list_of_cluster(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path(cluster): Path<String>,
) -> Result<Json<Items<Secret>>, ApiError> {
    let scope = cluster_scope(&actor, &cluster)?;
    let items = api.store.secrets(&scope).await?;
    Ok(Json(Items { items }))
}

pub(super) async fn put_of_cluster(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path((cluster, name)): Path<(String, String)>,
    headers: HeaderMap,
    PrivateBody(body): PrivateBody<PutSecret>,
) -> Result<Json<Secret>, ApiError> {
    let scope = cluster_scope(&actor, &cluster)?;
    set(&api, &actor, &scope, &name, &headers, &body).await
}

pub(super) async fn delete_of_cluster(
    State(api): State<Api>,
    Extension(actor): Extension<Actor>,
    Path((cluster, name)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let scope = cluster_scope(&actor, &cluster)?;
    remove(&api, &actor, &scope, &name).await
}

fn environment_scope(
    actor: &Actor,
    project: &str,
    environment: &str,
    what: &str,
) -> Result<SecretScope, ApiError> {
    let project: ProjectId = extract::id(project)?;
    check(actor, Action::Read(project), "see this project")?;
    let environment: EnvironmentName = extract::id(environment)?;
    let what = format!("{what} of {environment}");
    check(actor, Action::Change(project, &environment), &what)?;
    Ok(SecretScope::Environment(project, environment))
}

fn cluster_scope(actor: &Actor, cluster: &str) -> Result<SecretScope, ApiError> {
    check(actor, Action::Operate, "work with secrets of clusters")?;
    let cluster: ClusterId = extract::id(cluster)?;
    Ok(SecretScope::Cluster(cluster))
}

async fn set(
    api: &Api,
    actor: &Actor,
    scope: &SecretScope,
    name: &str,
    headers: &HeaderMap,
    body: &PutSecret,
) -> Result<Json<Secret>, ApiError> {
    let name: SecretName = name.parse().map_err(|_| not_a_name())?;
    let value = &body.value;
    if value.is_empty() || value.len() > LONGEST_SECRET || value.contains('\0') {
        let detail =
            format!("a secret's value is 1 to {LONGEST_SECRET} bytes of UTF-8 text without NUL");
        return Err(ApiError::unprocessable("invalid-secret", detail));
    }
    if let SecretScope::Cluster(_) = scope
        && let Err(fault) = check_credentials(value)
    {
        let detail = format!("images cannot be pulled with this value: {fault}");
        return Err(ApiError::unprocessable("invalid-secret", detail));
    }
    // What it is, never the value: the operation is stored.
    let once = extract::idempotency(headers, format!("secret {scope}/{name}"))?;
    let value = SecretValue::new(value.as_bytes().to_vec());
    let now = Timestamp::now();
    let set = api
        .store
        .set_secret(
            actor,
            &api.secret_keys,
            (scope, &name),
            &value,
            once.as_ref(),
            now,
        )
        .await?;
    match set {
        SetSecret::Set(secret) => Ok(Json(secret)),
        SetSecret::KeyReused => Err(ApiError::key_reused()),
        SetSecret::NoScope => Err(ApiError::not_found()),
    }
}

async fn remove(
    api: &Api,
    actor: &Actor,
    scope: &SecretScope,
    name: &str,
) -> Result<StatusCode, ApiError> {
    let name: SecretName = name.parse().map_err(|_| not_a_name())?;
    let removed = api
        .store
        .remove_secret(actor, scope, &name, Timestamp::now())
        .await?;
    match removed {
        RemovedSecret::Removed => Ok(StatusCode::NO_CONTENT),
        RemovedSecret::NotSet => Err(ApiError::not_found()),
        RemovedSecret::InUse(users) => {
            let users: Vec<String> = users
                .iter()
                .map(|(place, key)| format!("{} of {place}", key.name))
                .collect();
            let from = match scope {
                SecretScope::Environment(..) => "starform.kdl",
                SecretScope::Cluster(_) => "the cluster's profile",
            };
            let detail = format!(
                "the secret `{name}` is in use ({}); take it out of {from} and apply that first",
                users.join(", ")
            );
            Err(ApiError::conflict("secret-in-use", detail))
        }
    }
}

fn not_a_name() -> ApiError {
    let detail = "a secret's name is lower-case letters, digits and single hyphens, at most 63, and begins with a letter";
    ApiError::unprocessable("invalid-secret-name", detail)
}
