//! The control plane as an agent sees it: desired state out, reports in.
//!
//! Effects: network. Always holds: the token goes to the server of the agent file only and is never
//! printed; a bundle that does not have the digest it was asked by is an error, not a bundle; a body is
//! read up to its limit, counted as it is decoded. Read on in `feed.rs`, which polls, and `trust.rs`,
//! which decides what is believed.

use std::{fmt, time::Duration};

use http::{StatusCode, header};
use reqwest::{RequestBuilder, Response};
use serde::Deserialize;
use starform_contract::{
    Bundle, ClusterId, Digest, Generation, Index, ObjectKey, Report,
    schema::{Document, Unreadable, read},
    sealed::{AgentKeyPost, AgentPublicKey, SealedRequest, SealedValues},
    verify::{Verdicts, Verifications},
};
use uuid::Uuid;

use crate::{
    call::{innermost, retry_after},
    config::AgentFile,
};

/// How long the control plane may hold a poll open, in seconds.
pub const LONG_POLL: Duration = Duration::from_secs(25);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
const INSTANCE: &str = "starform-agent-instance";
const GENERATION: &str = "starform-agent-generation";
const REFUSES: &str = "starform-agent-refuses";
const ANNOTATIONS: &str = "starform-agent-annotations";
/// With room for the signature.
const INDEX_BYTES: usize = Index::LARGEST + (4 << 10);
const BUNDLE_BYTES: usize = Bundle::LARGEST;
/// Several plans, each with what it writes.
const VERIFICATIONS_BYTES: usize = 4 * Bundle::LARGEST;
const PROBLEM_BYTES: usize = 64 << 10;

/// One agent's connection; lives as long as the process.
#[derive(Debug, Clone)]
pub struct ControlPlane {
    http: reqwest::Client,
    base: String,
    token: Token,
    instance: Uuid,
    pub cluster_id: ClusterId,
}

#[derive(Clone)]
struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// What the agent says of itself when it asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// The generation that it has acted upon last.
    pub generation: Option<Generation>,
    /// Why it refuses what it was served ([`crate::trust::Distrust::word`]).
    pub refuses: Option<&'static str>,
    /// How the annotations stand that it keeps ([`crate::annotate::Standing::word`]).
    pub annotations: Option<&'static str>,
}

/// What a poll found.
#[derive(Debug, Clone)]
pub enum Polled {
    New(Box<Index>),
    Unchanged,
    /// Another instance holds the cluster.
    Standby(Duration),
}

/// What plans ask.
#[derive(Debug, Clone)]
pub enum Questions {
    Asked(Verifications),
    None,
    /// Another instance holds the cluster.
    Standby(Duration),
}

#[derive(Debug, thiserror::Error)]
pub enum PullError {
    #[error("the control plane {base} cannot be reached: {why}")]
    Unreachable { base: String, why: String },
    #[error(
        "the control plane refuses the token of the agent file ({0}); register the cluster again with `starform cluster register`"
    )]
    Token(StatusCode),
    #[error(
        "the control plane {base} does not know cluster {cluster_id}; check server and cluster_id of the agent file"
    )]
    UnknownCluster { base: String, cluster_id: ClusterId },
    #[error("the control plane no longer has bundle {0}; the next poll brings a newer index")]
    Gone(Digest),
    #[error("the control plane answers {status}: {detail}")]
    Refused {
        status: StatusCode,
        detail: String,
        retry_after: Option<Duration>,
    },
    #[error("the {what} is above {limit} bytes")]
    TooLarge { what: &'static str, limit: usize },
    #[error("the {what} did not arrive whole: {why}")]
    Broken { what: &'static str, why: String },
    #[error("starform-shuttle {} cannot read the {what} that the control plane sent: {why}", env!("CARGO_PKG_VERSION"))]
    Schema { what: &'static str, why: Unreadable },
    #[error("bundle {expected} came with digest {found}; it was damaged on its way")]
    Digest { expected: Digest, found: Digest },
}

/// RFC 9457, the members that matter here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: String,
    title: String,
    detail: String,
}

impl ControlPlane {
    pub fn new(http: reqwest::Client, agent: &AgentFile, instance: Uuid) -> Self {
        let server = agent.server.trim_end_matches('/');
        Self {
            http,
            base: format!("{server}/v1/clusters/{}", agent.cluster_id),
            token: Token(agent.token.clone()),
            instance,
            cluster_id: agent.cluster_id,
        }
    }

    /// Asks for the index; with `wait` the answer may take [`LONG_POLL`].
    ///
    /// # Errors
    /// [`PullError`]; nothing was learned.
    pub async fn poll(
        &self,
        known: Option<&Index>,
        standing: Standing,
        wait: bool,
    ) -> Result<Polled, PullError> {
        let mut request = self
            .http
            .get(format!("{}/desired-state", self.base))
            .timeout(ANSWER_TIMEOUT);
        if let Some(generation) = standing.generation {
            request = request.header(GENERATION, generation.number());
        }
        if let Some(word) = standing.refuses {
            request = request.header(REFUSES, word);
        }
        if let Some(word) = standing.annotations {
            request = request.header(ANNOTATIONS, word);
        }
        if let Some(index) = known {
            request = request.header(header::IF_NONE_MATCH, index.etag());
        }
        if wait {
            request = request
                .header("prefer", format!("wait={}", LONG_POLL.as_secs()))
                .timeout(LONG_POLL + ANSWER_TIMEOUT);
        }
        let response = self.send(request).await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(Polled::Unchanged);
        }
        if response.status() == StatusCode::CONFLICT {
            return self.standby(response).await.map(Polled::Standby);
        }
        let response = self.accept(response, None).await?;
        let index: Index = self.document(response, "index", INDEX_BYTES).await?;
        Ok(Polled::New(Box::new(index)))
    }

    /// Fetches one bundle.
    ///
    /// # Errors
    /// [`PullError::Digest`] when it is not the one asked for, [`PullError::Gone`] when it is no more.
    pub async fn bundle(&self, digest: &Digest) -> Result<Bundle, PullError> {
        let request = self
            .http
            .get(format!("{}/bundles/{digest}", self.base))
            .timeout(ANSWER_TIMEOUT);
        let response = self.send(request).await?;
        let response = self.accept(response, Some(digest)).await?;
        let bundle: Bundle = self.document(response, "bundle", BUNDLE_BYTES).await?;
        let found = bundle.digest();
        if found == *digest {
            Ok(bundle)
        } else {
            Err(PullError::Digest {
                expected: digest.clone(),
                found,
            })
        }
    }

    /// Posts one report; posting it twice is the same as once.
    ///
    /// # Errors
    /// [`PullError`]; it may be posted again.
    pub async fn report(&self, report: &Report) -> Result<(), PullError> {
        let request = self
            .http
            .post(format!("{}/reports", self.base))
            .timeout(ANSWER_TIMEOUT)
            .json(report);
        let response = self.send(request).await?;
        self.accept(response, None).await.map(drop)
    }

    /// Posts the public key that values are to be sealed to; the first one that is posted counts.
    ///
    /// # Errors
    /// [`PullError`]
    pub async fn put_key(&self, key: &AgentPublicKey) -> Result<(), PullError> {
        let post = AgentKeyPost {
            public_key: key.clone(),
        };
        let request = self
            .http
            .put(format!("{}/key", self.base))
            .timeout(ANSWER_TIMEOUT)
            .json(&post);
        let response = self.send(request).await?;
        self.accept(response, None).await.map(drop)
    }

    /// The sealed values of one object of a bundle in force.
    ///
    /// # Errors
    /// [`PullError::Gone`] when the bundle is in force no more.
    pub async fn sealed(
        &self,
        bundle: &Digest,
        object: &ObjectKey,
    ) -> Result<SealedValues, PullError> {
        let asked = SealedRequest {
            bundle: bundle.clone(),
            object: object.clone(),
        };
        let request = self
            .http
            .post(format!("{}/sealed", self.base))
            .timeout(ANSWER_TIMEOUT)
            .json(&asked);
        let response = self.send(request).await?;
        let response = self.accept(response, Some(bundle)).await?;
        self.document(response, "sealed values", BUNDLE_BYTES).await
    }

    /// What plans ask of the cluster; the answer may take [`LONG_POLL`].
    ///
    /// # Errors
    /// [`PullError`]
    pub async fn verifications(&self) -> Result<Questions, PullError> {
        let request = self
            .http
            .get(format!("{}/verifications", self.base))
            .header("prefer", format!("wait={}", LONG_POLL.as_secs()))
            .timeout(LONG_POLL + ANSWER_TIMEOUT);
        let response = self.send(request).await?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(Questions::None);
        }
        if response.status() == StatusCode::CONFLICT {
            let pause = self.standby(response).await?;
            return Ok(Questions::Standby(pause));
        }
        let response = self.accept(response, None).await?;
        let asked = self.document(response, "verifications", VERIFICATIONS_BYTES);
        asked.await.map(Questions::Asked)
    }

    /// Answers one of them; one that was answered or given up takes no answer any more.
    ///
    /// # Errors
    /// [`PullError`]
    pub async fn answer(&self, id: &str, verdicts: &Verdicts) -> Result<(), PullError> {
        let request = self
            .http
            .post(format!("{}/verifications/{id}", self.base))
            .timeout(ANSWER_TIMEOUT)
            .json(verdicts);
        let response = self.send(request).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(());
        }
        self.accept(response, None).await.map(drop)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, PullError> {
        request
            .bearer_auth(&self.token.0)
            .header(INSTANCE, self.instance.to_string())
            .send()
            .await
            .map_err(|error| self.unreachable(&error))
    }

    async fn standby(&self, response: Response) -> Result<Duration, PullError> {
        let wait = retry_after(response.headers()).unwrap_or(Duration::from_secs(10));
        let problem = self.problem(response).await;
        if problem.code == "standby" {
            Ok(wait)
        } else {
            Err(PullError::Refused {
                status: StatusCode::CONFLICT,
                detail: problem.text(),
                retry_after: Some(wait),
            })
        }
    }

    async fn accept(
        &self,
        response: Response,
        bundle: Option<&Digest>,
    ) -> Result<Response, PullError> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        match (status, bundle) {
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => Err(PullError::Token(status)),
            (StatusCode::NOT_FOUND | StatusCode::GONE, Some(digest)) => {
                Err(PullError::Gone(digest.clone()))
            }
            (StatusCode::NOT_FOUND, None) => Err(PullError::UnknownCluster {
                base: self.base.clone(),
                cluster_id: self.cluster_id,
            }),
            (status, _) => {
                let retry_after = retry_after(response.headers());
                Err(PullError::Refused {
                    status,
                    detail: self.problem(response).await.text(),
                    retry_after,
                })
            }
        }
    }

    async fn problem(&self, response: Response) -> Problem {
        let body = self.body(response, "problem", PROBLEM_BYTES).await;
        body.ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default()
    }

    async fn document<T: Document>(
        &self,
        response: Response,
        what: &'static str,
        limit: usize,
    ) -> Result<T, PullError> {
        let text = self.body(response, what, limit).await?;
        read(&text).map_err(|why| PullError::Schema { what, why })
    }

    /// Reads a body up to `limit` bytes; the client has decoded each chunk.
    async fn body(
        &self,
        mut response: Response,
        what: &'static str,
        limit: usize,
    ) -> Result<Vec<u8>, PullError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| PullError::Broken {
            what,
            why: why(&error),
        })? {
            body.extend_from_slice(&chunk);
            if body.len() > limit {
                return Err(PullError::TooLarge { what, limit });
            }
        }
        Ok(body)
    }

    fn unreachable(&self, error: &reqwest::Error) -> PullError {
        PullError::Unreachable {
            base: self.base.clone(),
            why: why(error),
        }
    }
}

fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        innermost(error)
    }
}

impl Problem {
    fn text(self) -> String {
        if self.detail.is_empty() {
            self.title
        } else {
            self.detail
        }
    }
}

impl PullError {
    /// The condition in one word, as the control plane is told of it, when what came can never be acted
    /// upon.
    pub fn word(&self) -> Option<&'static str> {
        match self {
            Self::Schema { why, .. } => Some(match why {
                Unreadable::Newer { .. } | Unreadable::Other { .. } | Unreadable::None { .. } => {
                    "unknown-schema"
                }
                Unreadable::Shape(_) => "unreadable",
            }),
            Self::Digest { .. } => Some("wrong-digest"),
            Self::TooLarge { .. } => Some("too-large"),
            Self::Unreachable { .. }
            | Self::Token(_)
            | Self::UnknownCluster { .. }
            | Self::Gone(_)
            | Self::Refused { .. }
            | Self::Broken { .. } => None,
        }
    }

    /// How long the control plane asks to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            Self::Unreachable { .. }
            | Self::Token(_)
            | Self::UnknownCluster { .. }
            | Self::Gone(_)
            | Self::TooLarge { .. }
            | Self::Broken { .. }
            | Self::Schema { .. }
            | Self::Digest { .. } => None,
        }
    }
}
