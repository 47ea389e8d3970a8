//! What the agent answers over HTTP: `/metrics`, `/healthz`, `/readyz`.
//!
//! Effects: network. Always holds: nothing can be changed by it and no tenant is named; a process is called dead only
//! when starting it anew may help: no tick has succeeded for five minutes, and the API server answers. Read on in
//! `vitals.rs`, `metrics.rs`.

use std::{
    fmt,
    net::SocketAddr,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use kube::Client;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};

use crate::{
    call::{self, CallError, call},
    engine::Counts,
    metrics::Metrics,
    vitals::{LIMIT, Vitals},
};

/// A kubelet is told sooner than it loses its patience.
const PATIENCE: Duration = Duration::from_secs(3);
/// The loop may be busy; its counts are not worth a longer wait.
const COUNTS_PATIENCE: Duration = Duration::from_secs(1);
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whoever holds the engine answers with its counts.
pub type CountsAsked = oneshot::Sender<Counts>;

/// `0.0.0.0:9810`, `127.0.0.1:0`; `:9810` is every address of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen(Vec<SocketAddr>);

#[derive(Clone)]
pub struct Surface {
    pub client: Client,
    pub metrics: Metrics,
    pub vitals: Vitals,
    pub counts: mpsc::Sender<CountsAsked>,
}

/// Serves until it is dropped. An address that is taken is told, and no reason to leave the cluster alone.
pub async fn serve(listen: Listen, surface: Surface) {
    let bound = match TcpListener::bind(&listen.0[..]).await {
        Ok(listener) => listener.local_addr().map(|address| (listener, address)),
        Err(error) => Err(error),
    };
    match bound {
        Ok((listener, address)) => {
            tracing::info!(%address, "metrics and health are served");
            if let Err(error) = axum::serve(listener, router(surface)).await {
                tracing::warn!(%error, "metrics and health are not served any more");
            }
        }
        Err(error) => {
            tracing::warn!(%error, %listen, "metrics and health are not served; choose another address with --listen");
        }
    }
}

pub fn router(surface: Surface) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(surface)
}

async fn metrics(State(surface): State<Surface>) -> impl IntoResponse {
    let (answer, counted) = oneshot::channel();
    let asked = async {
        surface.counts.send(answer).await.ok()?;
        counted.await.ok()
    };
    // What was counted last is as good as nothing while the loop is busy.
    if let Ok(Some(counts)) = tokio::time::timeout(COUNTS_PATIENCE, asked).await {
        surface.metrics.objects(counts);
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let success = now.saturating_sub(surface.vitals.age());
    surface.metrics.succeeded(success.as_secs());
    ([(CONTENT_TYPE, OPEN_METRICS)], surface.metrics.text())
}

async fn healthz(State(surface): State<Surface>) -> (StatusCode, String) {
    let age = surface.vitals.age();
    let seconds = age.as_secs();
    if age <= LIMIT {
        return (StatusCode::OK, "ok\n".to_owned());
    }
    if answers(&surface.client).await {
        let text = format!("no tick has succeeded for {seconds} s, and the API server answers\n");
        return (StatusCode::SERVICE_UNAVAILABLE, text);
    }
    let text = format!("no tick has succeeded for {seconds} s: the API server does not answer\n");
    (StatusCode::OK, text)
}

async fn readyz(State(surface): State<Surface>) -> (StatusCode, String) {
    match surface.vitals.awaits() {
        None => (StatusCode::OK, "ok\n".to_owned()),
        Some(what) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("waits for {what}\n"),
        ),
    }
}

/// Whatever it says, but that it cannot serve, is an answer.
async fn answers(client: &Client) -> bool {
    match tokio::time::timeout(PATIENCE, call(client, call::get("/version"))).await {
        Ok(Ok(_)) => true,
        Ok(Err(CallError::Refused(refusal))) => refusal.code < 500,
        Ok(Err(CallError::NotJson(_))) => true,
        Ok(Err(CallError::Timeout | CallError::Unreachable(_))) | Err(_) => false,
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let addresses = match text.strip_prefix(':') {
            // Machines without IPv6 refuse the first.
            Some(port) => vec![format!("[::]:{port}"), format!("0.0.0.0:{port}")],
            None => vec![text.to_owned()],
        };
        let parsed = addresses.iter().map(|address| address.parse());
        parsed
            .collect::<Result<Vec<SocketAddr>, _>>()
            .map(Self)
            .map_err(|_| "it is an address and a port, such as 127.0.0.1:9810 or :9810".to_owned())
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_every_address() {
        let all: Listen = ":9810".parse().unwrap();
        assert_eq!(all.0.len(), 2);
        assert!("127.0.0.1:0".parse::<Listen>().is_ok());
        for wrong in ["9810", "localhost", ":", ":x"] {
            assert!(wrong.parse::<Listen>().is_err(), "{wrong}");
        }
    }
}
