//! Clients: one for the Kubernetes API server, one for the control plane.
//!
//! Effects: reads a kubeconfig. Always holds: both name themselves `starform-shuttle/<version>`, both
//! use the process's one TLS provider (ring), neither retries or limits its rate by itself: the
//! engine decides about both.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use http::{HeaderValue, Request, header::USER_AGENT};
use kube::{
    Client, Config,
    client::{Body, ClientBuilder},
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use tower::util::MapRequestLayer;

use crate::metrics::Metrics;

/// How both clients name themselves.
pub const AGENT: &str = concat!("starform-shuttle/", env!("CARGO_PKG_VERSION"));

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// No client for a cluster, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(
        "cannot read the kubeconfig {path}: {reason}; name another with KUBECONFIG or --kubeconfig"
    )]
    Kubeconfig { path: String, reason: String },
    #[error(
        "no cluster: {0}; set KUBECONFIG, name a file with --kubeconfig, or run inside a cluster"
    )]
    NoCluster(String),
    #[error("the kubeconfig cannot be used: {0}")]
    Unusable(Box<kube::Error>),
    #[error("the HTTP client cannot be made: {0}")]
    Http(#[from] reqwest::Error),
}

/// A client of the cluster that `kubeconfig` names, else `KUBECONFIG`, else the cluster around us.
///
/// # Errors
/// [`ConnectError`]; an API server that does not answer shows at the first request, not here.
pub async fn cluster(kubeconfig: Option<&Path>) -> Result<Client, ConnectError> {
    let config = named(kubeconfig).await?;
    Client::try_from(config).map_err(|error| ConnectError::Unusable(Box::new(error)))
}

/// The same, and `metrics` count what is asked.
///
/// # Errors
/// As of [`cluster`].
pub async fn counted(kubeconfig: Option<&Path>, metrics: &Metrics) -> Result<Client, ConnectError> {
    let metrics = metrics.clone();
    let count = MapRequestLayer::new(move |request: Request<Body>| {
        metrics.asks(&request);
        request
    });
    let config = named(kubeconfig).await?;
    let builder = ClientBuilder::try_from(config);
    let builder = builder.map_err(|error| ConnectError::Unusable(Box::new(error)))?;
    Ok(builder.with_layer(&count).build())
}

/// As both name themselves and neither tries anything again.
async fn named(kubeconfig: Option<&Path>) -> Result<Config, ConnectError> {
    let mut config = config(kubeconfig).await?;
    config
        .headers
        .push((USER_AGENT, HeaderValue::from_static(AGENT)));
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.default_retry = false;
    Ok(config)
}

/// URL of the API server that [`cluster`] would ask; nothing is sent.
pub async fn server(kubeconfig: Option<&Path>) -> Option<String> {
    let config = config(kubeconfig).await.ok()?;
    Some(config.cluster_url.to_string())
}

/// A client of the control plane.
///
/// # Errors
/// [`ConnectError::Http`] when the TLS stack cannot be set up.
pub fn control_plane() -> Result<reqwest::Client, ConnectError> {
    Ok(reqwest::Client::builder()
        .user_agent(AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .build()?)
}

/// Makes ring the process's TLS provider; a second call, or another's choice before, is left.
pub fn install_tls() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // It can only fail when somebody else was faster, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

async fn config(kubeconfig: Option<&Path>) -> Result<Config, ConnectError> {
    let named = match kubeconfig {
        Some(path) => vec![path.to_owned()],
        None => listed(),
    };
    match from_files(&named).await? {
        Some(config) => Ok(config),
        None => Config::infer()
            .await
            .map_err(|error| ConnectError::NoCluster(harmless(&error))),
    }
}

/// The files of `KUBECONFIG`.
fn listed() -> Vec<PathBuf> {
    let list = std::env::var_os("KUBECONFIG").unwrap_or_default();
    let paths = std::env::split_paths(&list);
    paths.filter(|path| !path.as_os_str().is_empty()).collect()
}

/// What files that somebody names say together; `None` where they say nothing. As with `kubectl`, of
/// several some may be missing; where all are, that is a mistake and no absence of a cluster.
async fn from_files(paths: &[PathBuf]) -> Result<Option<Config>, ConnectError> {
    let failed = |path: &Path, source: KubeconfigError| ConnectError::Kubeconfig {
        path: path.display().to_string(),
        reason: harmless(&source),
    };
    let there: Vec<&PathBuf> = paths.iter().filter(|path| path.exists()).collect();
    let read = match there.is_empty() {
        true => paths.iter().take(1).collect(),
        false => there,
    };
    let mut merged = Kubeconfig::default();
    for path in &read {
        let next = Kubeconfig::read_from(path).map_err(|source| failed(path, source))?;
        merged = merged.merge(next).map_err(|source| failed(path, source))?;
    }
    let Some(first) = read.first().filter(|_| !merged.clusters.is_empty()) else {
        return Ok(None);
    };
    Config::from_custom_kubeconfig(merged, &KubeConfigOptions::default())
        .await
        .map(Some)
        .map_err(|source| failed(first, source))
}

/// The first line of the cause: below it stands an excerpt of the file, which holds credentials.
fn harmless(error: &dyn std::error::Error) -> String {
    let cause = crate::call::innermost(error);
    cause.lines().next().unwrap_or_default().to_owned()
}
