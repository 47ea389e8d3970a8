//! The control plane's API, as the commands use it.
//!
//! Effects: HTTP. Always holds: the token is in no error and no log. Errors are the API's own
//! problem documents (RFC 9457), told in its words with the next step.

pub(crate) mod apply;
pub(crate) mod standing;
pub(crate) mod verified;

use std::{fs, path::Path, time::Duration};

use anyhow::Context;
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use starform_reconciler::api::body::Problem;

use crate::{
    args::Global,
    exit::{Exit, Failure},
};

/// For everything but event streams.
const TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) struct Remote {
    server: String,
    token: String,
    http: reqwest::Client,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum RemoteError {
    #[error(
        "cannot reach the control plane at {server}: {reason}; check --server and that `starform serve` runs there"
    )]
    Unreachable { server: String, reason: String },
    #[error(
        "the control plane at {server} did not accept the token; check STARFORM_TOKEN or --token-file, or make one with `starform token create`"
    )]
    Unauthorized { server: String },
    #[error("{}", .0.detail)]
    Problem(Box<Problem>),
    #[error("{server} answered {status} with something that is not Starform's; is --server right?")]
    NotStarform { server: String, status: StatusCode },
    #[error("starform {} cannot read what the control plane at {server} answered: {why}; check that both are of one version", env!("CARGO_PKG_VERSION"))]
    Misread { server: String, why: String },
}

impl RemoteError {
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Problem(problem) if problem.status == StatusCode::NOT_FOUND.as_u16())
    }
}

impl Remote {
    /// `server` from the flags or the environment; the token from its file or STARFORM_TOKEN.
    pub(crate) fn new(server: &str, global: &Global) -> anyhow::Result<Self> {
        let named = |scheme: &str| {
            server
                .strip_prefix(scheme)
                .is_some_and(|host| !host.is_empty())
        };
        if !named("http://") && !named("https://") {
            let message = format!(
                "`{server}` is no URL of a control plane; write http://HOST:PORT or https://HOST"
            );
            return Err(Failure::because(Exit::Error, message));
        }
        let token = token(global.token_file.as_deref())?;
        let http = reqwest::Client::builder()
            .user_agent(concat!("starform/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .build()?;
        Ok(Self {
            server: server.trim_end_matches('/').to_owned(),
            token,
            http,
        })
    }

    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, RemoteError> {
        self.read(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, RemoteError> {
        // One key per call: a retry of the transport below us does not make two of a thing.
        let key = uuid::Uuid::now_v7().to_string();
        self.read(
            self.request(Method::POST, path)
                .header("idempotency-key", key)
                .json(body),
        )
        .await
    }

    pub(crate) async fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, RemoteError> {
        self.read(self.request(Method::PATCH, path).json(body))
            .await
    }

    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, RemoteError> {
        let key = uuid::Uuid::now_v7().to_string();
        self.read(
            self.request(Method::PUT, path)
                .header("idempotency-key", key)
                .json(body),
        )
        .await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<(), RemoteError> {
        self.send(self.request(Method::DELETE, path))
            .await
            .map(drop)
    }

    /// An event stream, from after `last_event`.
    pub(crate) async fn events(
        &self,
        path: &str,
        last_event: Option<&str>,
    ) -> Result<Response, RemoteError> {
        let mut request = self
            .http
            .get(format!("{}{path}", self.server))
            .bearer_auth(&self.token)
            .header(header::ACCEPT, "text/event-stream");
        if let Some(id) = last_event {
            request = request.header("last-event-id", id);
        }
        self.send(request).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.server))
            .timeout(TIMEOUT)
            .bearer_auth(&self.token)
            .header(header::ACCEPT, "application/json")
    }

    async fn read<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, RemoteError> {
        let response = self.send(request).await?;
        let status = response.status();
        let body = response
            .bytes()
            .await
            .map_err(|error| self.unreachable(&error))?;
        serde_json::from_slice(&body).map_err(|error| self.misread(status, &error))
    }

    /// JSON of another form is mostly that of another version.
    fn misread(&self, status: StatusCode, error: &serde_json::Error) -> RemoteError {
        let server = self.server.clone();
        if error.is_data() {
            let why = error.to_string();
            RemoteError::Misread { server, why }
        } else {
            RemoteError::NotStarform { server, status }
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, RemoteError> {
        let response = request
            .send()
            .await
            .map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if status == StatusCode::UNAUTHORIZED {
            return Err(RemoteError::Unauthorized {
                server: self.server.clone(),
            });
        }
        match response.json().await {
            Ok(problem) => Err(RemoteError::Problem(Box::new(problem))),
            Err(_) => Err(RemoteError::NotStarform {
                server: self.server.clone(),
                status,
            }),
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> RemoteError {
        let mut source: &dyn std::error::Error = error;
        while let Some(deeper) = source.source() {
            source = deeper;
        }
        RemoteError::Unreachable {
            server: self.server.clone(),
            reason: source.to_string(),
        }
    }
}

/// A refusal as a command's failure: stale and policy have exit codes of their own.
pub(crate) fn failure(error: RemoteError) -> anyhow::Error {
    let exit = match &error {
        RemoteError::Problem(problem) => match problem.code.as_str() {
            "plan-stale" => Exit::Stale,
            "plan-blocked" | "plan-conflict" | "approval-needed" => Exit::Refused,
            _ => Exit::Error,
        },
        RemoteError::Unreachable { .. }
        | RemoteError::Unauthorized { .. }
        | RemoteError::NotStarform { .. }
        | RemoteError::Misread { .. } => Exit::Error,
    };
    Failure::because(exit, error.to_string())
}

fn token(file: Option<&Path>) -> anyhow::Result<String> {
    if let Some(file) = file {
        let text = fs::read_to_string(file)
            .with_context(|| format!("cannot read the token file `{}`", file.display()))?;
        return Ok(text.trim().to_owned());
    }
    std::env::var("STARFORM_TOKEN")
        .map(|text| text.trim().to_owned())
        .map_err(|_| {
            Failure::because(
                Exit::Error,
                "a control plane needs a token: set STARFORM_TOKEN or give --token-file FILE",
            )
        })
}
