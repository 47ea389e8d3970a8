//! The HTTP API: a thin layer over the store. Handlers read, call one function, answer.
//!
//! Effects: through the store. Always holds: every path but `/healthz` and `/readyz`, known or not,
//! answers 401 without a valid token, because authentication stands before routing; every error is
//! `application/problem+json`; a body over its route's cap is refused before it is read whole.
//!
//! | module | what it answers |
//! |---|---|
//! | [`body`] | the JSON bodies |
//! | `authenticate` | who asks |
//! | `problem`, `extract` | errors; reading bodies and headers |
//! | `registry` | workspaces, clusters, projects, tokens |
//! | `plans`, `accept` | making, showing and applying plans |
//! | `approvals` | approving what a plan does |
//! | `removal` | plans that delete |
//! | `applies`, `environments` | applies with their events, status and history |
//! | `secrets` | secrets of environments and clusters |
//! | `agent` | what a cluster's agent asks and reports |

mod accept;
mod agent;
mod applies;
mod approvals;
mod authenticate;
pub mod body;
mod environments;
mod extract;
mod plans;
mod problem;
mod registry;
mod removal;
mod secrets;

use std::time::Duration;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    middleware::{self, Next},
    response::Response,
    routing::{delete, get, patch, post, put},
};
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;

use crate::{keys::SigningKeys, proof::Proofs, store::Store, vault::SecretKeys};
pub use problem::ApiError;

/// Of a handler that waits for nothing but the database.
const TIME_LIMIT: Duration = Duration::from_secs(10);
const SMALL_BODY: usize = 256 * 1024;
/// The 8 MiB that the files of a project may have, each of their quotes and newlines two bytes in JSON.
const PLAN_BODY: usize = 17 * 1024 * 1024;
const REPORT_BODY: usize = 8 * 1024 * 1024;
/// A value of 64 KiB, each byte of it six in JSON.
const SECRET_BODY: usize = 512 * 1024;

/// What every handler works with.
#[derive(Clone)]
pub struct Api {
    pub store: Store,
    /// They sign every index that is served.
    pub keys: SigningKeys,
    /// Every secret that is stored is under one of them.
    pub secret_keys: SecretKeys,
    /// Who asks whether a host is a project's.
    pub proofs: Proofs,
    /// Cancelled when the server stops: long polls and event streams end then.
    pub stopping: CancellationToken,
}

/// All routes over `api`.
pub fn router(api: Api) -> Router {
    let open = Router::new()
        .route("/healthz", get(registry::healthz))
        .route("/readyz", get(registry::readyz));
    let closed = prompt()
        .layer(middleware::from_fn(limit_time))
        .merge(patient())
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::no_method)
        .layer(DefaultBodyLimit::max(SMALL_BODY))
        .layer(middleware::from_fn_with_state(
            api.clone(),
            authenticate::require_token,
        ));
    open.fallback_service(closed.with_state(api.clone()))
        .layer(middleware::map_response(problem::as_problem))
        .with_state(api)
}

/// Routes that answer at once.
fn prompt() -> Router<Api> {
    let environment = "/v1/projects/{project}/environments/{environment}";
    Router::new()
        .route(
            "/v1/workspaces",
            get(registry::workspaces).post(registry::create_workspace),
        )
        .route(
            "/v1/clusters",
            get(registry::clusters).post(registry::register_cluster),
        )
        .route(
            "/v1/clusters/{cluster}/settings",
            patch(registry::change_cluster),
        )
        .route(
            "/v1/clusters/{cluster}/reset-generation",
            post(registry::reset_generation),
        )
        .route("/v1/signing-keys", get(registry::signing_keys))
        .route(
            "/v1/projects",
            get(registry::projects).post(registry::create_project),
        )
        .route(
            "/v1/projects/{project}",
            get(registry::project).delete(registry::delete_project),
        )
        .route("/v1/tokens", post(registry::create_token))
        .route(
            "/v1/projects/{project}/plans",
            post(plans::create).layer(DefaultBodyLimit::max(PLAN_BODY)),
        )
        .route("/v1/projects/{project}/removal", post(removal::create))
        .route("/v1/plans/{plan}/apply", post(accept::apply))
        .route("/v1/plans/{plan}/approve", post(approvals::approve))
        .route("/v1/applies/{apply}", get(applies::show))
        .route(&format!("{environment}/status"), get(environments::status))
        .route(
            &format!("{environment}/history"),
            get(environments::history),
        )
        .route(
            &format!("{environment}/generations/{{generation}}"),
            get(environments::at),
        )
        .route(&format!("{environment}/diff"), get(environments::diff))
        .route(&format!("{environment}/drift"), get(environments::drift))
        .route(&format!("{environment}/rollback"), post(accept::rollback))
        .merge(secret_routes(environment))
        .route("/v1/clusters/{cluster}/sealed", post(agent::sealed))
        .route(
            "/v1/clusters/{cluster}/key",
            put(agent::put_key).delete(registry::forget_agent_key),
        )
        .route(
            "/v1/clusters/{cluster}/bundles/{digest}",
            get(agent::bundle).layer(compression()),
        )
        .route(
            "/v1/clusters/{cluster}/reports",
            post(agent::report).layer(DefaultBodyLimit::max(REPORT_BODY)),
        )
        .route(
            "/v1/clusters/{cluster}/verifications/{verification}",
            post(agent::verdicts).layer(DefaultBodyLimit::max(REPORT_BODY)),
        )
}

fn secret_routes(environment: &str) -> Router<Api> {
    Router::new()
        .route(&format!("{environment}/secrets"), get(secrets::list))
        .route(
            &format!("{environment}/secrets/{{name}}"),
            put(secrets::put).delete(secrets::delete),
        )
        .route(
            "/v1/clusters/{cluster}/secrets",
            get(secrets::list_of_cluster),
        )
        .route(
            "/v1/clusters/{cluster}/secrets/{name}",
            delete(secrets::delete_of_cluster).put(secrets::put_of_cluster),
        )
        .layer(DefaultBodyLimit::max(SECRET_BODY))
}

/// Routes that wait for something to happen.
fn patient() -> Router<Api> {
    Router::new()
        .route("/v1/plans/{plan}", get(plans::show))
        .route("/v1/applies/{apply}/events", get(applies::events))
        .route(
            "/v1/clusters/{cluster}/desired-state",
            get(agent::desired_state).layer(compression()),
        )
        .route(
            "/v1/clusters/{cluster}/verifications",
            get(agent::verifications).layer(compression()),
        )
}

/// For what may be megabytes and holds no secret, whose length would tell of it. Entity tags stay as
/// they are: they are weak.
fn compression() -> CompressionLayer {
    CompressionLayer::new()
}

async fn limit_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(TIME_LIMIT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => problem::too_slow(),
    }
}
