//! Errors as RFC 9457 problem details with a stable `code`.
//!
//! Pure but for one log line: what went wrong inside is logged, not sent. Always holds: `detail` names
//! the next step; a 404 says the same whether the thing is missing or hidden.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use starform_contract::{EnvironmentName, Generation, ProjectName};
use starform_plan::document::Finding;

use super::body::Problem;
use crate::store::StoreError;

const PROBLEM: &str = "application/problem+json";

/// Why a request is not answered as asked.
#[derive(Debug)]
pub struct ApiError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    problem: Problem,
    header: Option<(HeaderName, String)>,
}

impl ApiError {
    fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.to_owned(),
            diagnostics: None,
            findings: Vec::new(),
            stale: None,
            apply_id: None,
        };
        Self(Box::new(Inner {
            problem,
            header: None,
        }))
    }

    pub(super) fn unauthenticated(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
            .with_header(header::WWW_AUTHENTICATE, "Bearer")
    }

    pub(super) fn not_found() -> Self {
        let detail =
            "there is no such thing, or this token may not see it; check the id and STARFORM_TOKEN";
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    pub(super) fn forbidden(detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    pub(super) fn bad_request(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    pub(super) fn unprocessable(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    pub(super) fn conflict(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    pub(super) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
    }

    /// A plan that may not be applied as it is.
    pub(super) fn blocked(detail: impl Into<String>, findings: Vec<Finding>) -> Self {
        let mut error = Self::new(StatusCode::FORBIDDEN, "plan-blocked", detail);
        error.0.problem.findings = findings;
        error
    }

    /// A plan that needs an approval and has none.
    pub(super) fn unapproved(detail: impl Into<String>, finding: Finding) -> Self {
        let mut error = Self::new(StatusCode::FORBIDDEN, "approval-needed", detail);
        error.0.problem.findings = vec![finding];
        error
    }

    /// The environment is there; it was not at that generation.
    pub(super) fn no_generation(environment: &EnvironmentName, at: Generation) -> Self {
        let detail = format!(
            "nothing was accepted for {environment} at generation {at}; `starform history --env {environment}` lists its generations"
        );
        Self::new(StatusCode::NOT_FOUND, "unknown-generation", detail)
    }

    /// Somebody approves what they planned themselves.
    pub(super) fn own_approval() -> Self {
        let detail = "you made this plan; another Admin of the project has to approve it";
        Self::new(StatusCode::FORBIDDEN, "approval-own", detail)
    }

    /// The same key was used for another request.
    pub(super) fn key_reused() -> Self {
        let detail = "this Idempotency-Key was used for another request; use a new one";
        Self::unprocessable("idempotency-key-reused", detail)
    }

    pub(super) fn project_deleted(name: &ProjectName) -> Self {
        let detail = format!(
            "this project was deleted and nothing of it is left; `starform project create {name} --cluster NAME` makes another of its name"
        );
        Self::conflict("project-deleted", detail)
    }

    pub(super) fn stopping() -> Self {
        let detail = "the server is stopping; ask again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
            .with_header(header::RETRY_AFTER, "1")
    }

    pub(super) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a request failed");
        let detail = "the server failed; its log says why. Ask again, nothing was left half done";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    #[must_use]
    pub(super) fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.0.header = Some((name, value.into()));
        self
    }

    #[must_use]
    pub(super) fn with_diagnostics(mut self, diagnostics: Value) -> Self {
        self.0.problem.diagnostics = Some(diagnostics);
        self
    }

    #[must_use]
    pub(super) fn with_findings(mut self, findings: Vec<Finding>) -> Self {
        self.0.problem.findings = findings;
        self
    }

    #[must_use]
    pub(super) fn with_stale(mut self, stale: Value) -> Self {
        self.0.problem.stale = Some(stale);
        self
    }

    #[must_use]
    pub(super) fn with_apply(mut self, apply_id: String) -> Self {
        self.0.problem.apply_id = Some(apply_id);
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Inner { problem, header } = *self.0;
        let status =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let text = serde_json::to_string(&problem).expect("a problem has string keys");
        let kind = [(header::CONTENT_TYPE, PROBLEM)];
        let mut response = (status, kind, text).into_response();
        if let Some((name, value)) = header
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

impl From<StoreError> for ApiError {
    /// A database that is gone or too slow is worth another try; everything else is a fault here.
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Database(sqlx::Error::PoolTimedOut | sqlx::Error::Io(_)) => {
                tracing::warn!(%error, "the database is not reachable");
                let detail = "the server cannot reach its database; ask again";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
                    .with_header(header::RETRY_AFTER, "5")
            }
            StoreError::Database(_)
            | StoreError::Open { .. }
            | StoreError::File { .. }
            | StoreError::Schema(_)
            | StoreError::Corrupt { .. }
            | StoreError::Document { .. }
            | StoreError::MissingBundle(_)
            | StoreError::Secret { .. } => Self::internal(&error),
        }
    }
}

pub(super) async fn no_route() -> ApiError {
    std::future::ready(ApiError::not_found()).await
}

pub(super) async fn no_method() -> ApiError {
    let detail = "this address does not answer that method";
    let error = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail);
    std::future::ready(error).await
}

/// What the framework itself refuses (a path or query that cannot be read), in our form.
pub(super) async fn as_problem(response: Response) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    let kind = response.headers().get(header::CONTENT_TYPE);
    if !is_error || kind.is_some_and(|kind| kind == PROBLEM) {
        return response;
    }
    let detail = "the request cannot be read; check its address and query";
    let answer = ApiError::new(status, "invalid-request", detail).into_response();
    std::future::ready(answer).await
}

pub(super) fn too_slow() -> Response {
    let detail = "the request took too long and was given up; ask again";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail)
        .with_header(header::RETRY_AFTER, "1")
        .into_response()
}
