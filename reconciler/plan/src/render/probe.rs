//! Probes of a container.
//!
//! Pure. Always holds: what a container may take to start is asked by the startup probe alone, so
//! readiness and liveness can be short.

use serde_json::{Value, json};
use starform_contract::{
    model::{Check, Health, Probe},
    quantity::Duration,
};

/// How often a container that starts is asked, at most; short, because every deploy waits for it.
const STARTUP_EVERY: Duration = Duration::from_secs(2);

/// Writes the probes that `health` asks for into a container.
pub(super) fn add(container: &mut Value, health: &Health) {
    if let Some(ready) = &health.ready {
        container["readinessProbe"] = probe(ready, ready.every, ready.failures);
    }
    if let Some(live) = &health.live {
        container["livenessProbe"] = probe(live, live.every, live.failures);
    }
    if let Some(startup) = startup(health) {
        container["startupProbe"] = startup;
    }
}

/// The startup check itself, or the readiness (else liveness) check asked more often. It goes on at
/// least for `startup-within`.
fn startup(health: &Health) -> Option<Value> {
    let asked = health.startup.as_ref().map(|own| (own, own.every));
    let (check, every) = asked.or_else(|| {
        let borrowed = health.ready.as_ref().or(health.live.as_ref())?;
        Some((borrowed, borrowed.every.min(STARTUP_EVERY)))
    })?;
    let attempts = health
        .startup_within
        .as_secs()
        .div_ceil(every.as_secs().max(1));
    let failures = health.startup.as_ref().map_or(1, |own| own.failures);
    Some(probe(check, every, attempts.max(failures)))
}

fn probe(probe: &Probe, every: Duration, failures: u32) -> Value {
    let mut value = json!({
        "periodSeconds": every.as_secs().max(1),
        "timeoutSeconds": probe.timeout.as_secs().max(1),
        "successThreshold": 1,
        "failureThreshold": failures.max(1),
    });
    let port = probe.port;
    match &probe.check {
        Check::Http { path } => {
            value["httpGet"] = json!({ "path": path, "port": port, "scheme": "HTTP" });
        }
        Check::Tcp => value["tcpSocket"] = json!({ "port": port }),
        Check::Grpc => value["grpc"] = json!({ "port": port, "service": "" }),
    }
    value
}
