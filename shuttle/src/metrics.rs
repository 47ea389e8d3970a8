//! What the agent counts of itself, for Prometheus.
//!
//! Effects: its own memory. Always holds: no label names a project, an object or a value: each is one of a few words.
//! Read on in `surface.rs`, which serves it.

use std::sync::Arc;

use http::{Method, Request};
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use starform_contract::report::DriftKind;

use crate::engine::{
    Counts,
    io::{Failure, FieldManager, Response},
};

type Label = (&'static str, &'static str);

/// Seconds; a tick that finds nothing to do takes none.
const TICKS: [f64; 11] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0];

/// Cheap to clone: all clones count together.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    tick_seconds: Histogram,
    objects: Family<[Label; 1], Gauge>,
    apply: Family<[Label; 2], Counter>,
    drift: Family<[Label; 1], Counter>,
    api_requests: Family<[Label; 2], Counter>,
    prune_blocked: Family<[Label; 1], Counter>,
    generation: Gauge,
    last_success: Gauge,
}

/// What keeps an object that is not wanted any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// No accepted plan lists it.
    NoConsent,
    /// A Namespace, in which something has to stay.
    Retained,
}

/// What of the engine's requests changes an object, or tries to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Apply,
    DryRun,
    Handoff,
    Seize,
    Delete,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("starform");
        let tick_seconds = Histogram::new(TICKS);
        let (objects, generation, last_success) =
            (Family::default(), Gauge::default(), Gauge::default());
        let (apply, api_requests) = (Family::default(), Family::default());
        let drift = Family::<[Label; 1], Counter>::default();
        let prune_blocked = Family::<[Label; 1], Counter>::default();
        registry.register(
            "tick_seconds",
            "From news, of what is wanted or what lives, until everything was dealt with",
            tick_seconds.clone(),
        );
        registry.register(
            "objects",
            "Objects by state: clean, pending, or orphan (ours, and in no accepted plan)",
            objects.clone(),
        );
        registry.register(
            "apply",
            "Requests that change objects, and dry-runs, by what came of them",
            apply.clone(),
        );
        registry.register(
            "drift",
            "Changes by others, by what they did: changed, added, deleted",
            drift.clone(),
        );
        registry.register(
            "api_requests",
            "Requests to the Kubernetes API server, by verb and what they were for",
            api_requests.clone(),
        );
        registry.register(
            "prune_blocked",
            "Objects that are not wanted and were not deleted, by what keeps them",
            prune_blocked.clone(),
        );
        registry.register(
            "generation",
            "The generation of the desired state that is acted upon",
            generation.clone(),
        );
        registry.register(
            "last_success_timestamp_seconds",
            "When a tick last succeeded, in seconds since 1970",
            last_success.clone(),
        );
        // What never happened is nought, and not unknown.
        for kind in [DriftKind::Changed, DriftKind::Added, DriftKind::Deleted] {
            drop(drift.get_or_create(&[("class", class(kind))]));
        }
        for rule in [Rule::NoConsent, Rule::Retained] {
            drop(prune_blocked.get_or_create(&[("rule", rule.word())]));
        }
        Self {
            registry: Arc::new(registry),
            tick_seconds,
            objects,
            apply,
            drift,
            api_requests,
            prune_blocked,
            generation,
            last_success,
        }
    }
}

impl Metrics {
    /// In OpenMetrics' text form.
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string cannot fail");
        text
    }

    pub fn ticked(&self, seconds: f64) {
        self.tick_seconds.observe(seconds);
    }

    pub fn succeeded(&self, since_1970: u64) {
        self.last_success.set(number(since_1970));
    }

    pub fn generation(&self, number: u64) {
        self.generation.set(self::number(number));
    }

    pub fn objects(&self, counts: Counts) {
        let Counts {
            wanted,
            clean,
            orphans,
        } = counts;
        let states = [
            ("clean", clean),
            ("pending", wanted - clean),
            ("orphan", orphans),
        ];
        for (state, count) in states {
            let gauge = self.objects.get_or_create(&[("state", state)]);
            gauge.set(number(count as u64));
        }
    }

    pub fn applied(&self, operation: Operation, result: &Result<Response, Failure>) {
        let labels = [("op", operation.word()), ("result", came_to(result))];
        self.apply.get_or_create(&labels).inc();
    }

    pub fn drifted(&self, kind: DriftKind) {
        let class = class(kind);
        self.drift.get_or_create(&[("class", class)]).inc();
    }

    pub fn blocked(&self, rule: Rule) {
        let rule = rule.word();
        self.prune_blocked.get_or_create(&[("rule", rule)]).inc();
    }

    /// A request goes to the Kubernetes API server.
    pub fn asks<B>(&self, request: &Request<B>) {
        let (verb, reason) = purpose(request.method(), request.uri());
        let labels = [("verb", verb), ("reason", reason)];
        self.api_requests.get_or_create(&labels).inc();
    }
}

impl Operation {
    pub const fn of_apply(manager: FieldManager, dry_run: bool) -> Self {
        match (manager, dry_run) {
            (FieldManager::Shuttle, true) => Self::DryRun,
            (FieldManager::Shuttle, false) => Self::Apply,
            (FieldManager::Handoff, _) => Self::Handoff,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::DryRun => "dry-run",
            Self::Handoff => "handoff",
            Self::Seize => "seize",
            Self::Delete => "delete",
        }
    }
}

impl Rule {
    const fn word(self) -> &'static str {
        match self {
            Self::NoConsent => "no-consent",
            Self::Retained => "retained",
        }
    }
}

const fn class(kind: DriftKind) -> &'static str {
    match kind {
        DriftKind::Changed => "changed",
        DriftKind::Added => "added",
        DriftKind::Deleted => "deleted",
    }
}

fn came_to(result: &Result<Response, Failure>) -> &'static str {
    match result.as_ref().map_err(|failure| failure.code) {
        Ok(_) => "ok",
        Err(None) => "unanswered",
        Err(Some(409)) => "conflict",
        Err(Some(429)) => "throttled",
        Err(Some(500..)) => "failed",
        Err(Some(_)) => "refused",
    }
}

/// Kubernetes' word for the request, and what it is for: both follow from method and address, so that no request
/// is forgotten.
fn purpose(method: &Method, uri: &http::Uri) -> (&'static str, &'static str) {
    let (path, query) = (uri.path(), uri.query().unwrap_or_default());
    let verb = verb(method, path, query);
    let reason = if query.contains("dryRun=All") {
        "dry-run"
    } else if path.contains("accessreviews") {
        "rights"
    } else if path.contains("/namespaces/starform-system/") {
        "own-state"
    } else if path.ends_with("/pods") {
        "rollout"
    } else {
        match verb {
            "list" | "watch" => "observe",
            "patch" if query.contains("force=") => "apply",
            "patch" => "seize",
            "delete" => "prune",
            _ => "look",
        }
    };
    (verb, reason)
}

fn verb(method: &Method, path: &str, query: &str) -> &'static str {
    match *method {
        Method::GET if query.contains("watch=true") => "watch",
        // An object's path has a name after its resource; a list always says how many at most.
        Method::GET if query.contains("limit=") || path.ends_with("/pods") => "list",
        Method::GET => "get",
        Method::PATCH => "patch",
        Method::POST => "create",
        Method::PUT => "update",
        Method::DELETE => "delete",
        _ => "other",
    }
}

/// Larger numbers than a gauge holds do not occur: generations and counts are far below.
fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_is_for_follows_from_its_address() {
        let of = |method: Method, uri: &str| purpose(&method, &uri.parse().unwrap());
        let deployment = "/apis/apps/v1/namespaces/sf-shop/deployments/web";
        let apply = "?fieldManager=starform-shuttle&force=true&fieldValidation=Strict";
        for (method, uri, expected) in [
            (
                Method::PATCH,
                format!("{deployment}{apply}"),
                ("patch", "apply"),
            ),
            (
                Method::PATCH,
                format!("{deployment}{apply}&dryRun=All"),
                ("patch", "dry-run"),
            ),
            (
                Method::PATCH,
                format!("{deployment}?fieldManager=starform-shuttle"),
                ("patch", "seize"),
            ),
            (Method::DELETE, deployment.to_owned(), ("delete", "prune")),
            (Method::GET, deployment.to_owned(), ("get", "look")),
            (
                Method::GET,
                "/apis/apps/v1/deployments?labelSelector=x&limit=200&continue=".to_owned(),
                ("list", "observe"),
            ),
            (
                Method::GET,
                "/apis/apps/v1/deployments?labelSelector=x&watch=true".to_owned(),
                ("watch", "observe"),
            ),
            (
                Method::PATCH,
                "/api/v1/namespaces/starform-system/configmaps/starform-inventory-0?force=true"
                    .to_owned(),
                ("patch", "own-state"),
            ),
            (
                Method::POST,
                "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews".to_owned(),
                ("create", "rights"),
            ),
            (
                Method::GET,
                "/api/v1/namespaces/sf-shop/pods?limit=20&labelSelector=a".to_owned(),
                ("list", "rollout"),
            ),
        ] {
            assert_eq!(of(method, &uri), expected, "{uri}");
        }
    }

    #[test]
    fn clones_count_together() {
        let metrics = Metrics::default();
        let failure = Failure {
            code: Some(409),
            ..Failure::default()
        };
        metrics.clone().applied(Operation::Apply, &Err(failure));
        metrics.clone().objects(Counts {
            wanted: 7,
            clean: 5,
            orphans: 1,
        });
        let text = metrics.text();
        for line in [
            "starform_apply_total{op=\"apply\",result=\"conflict\"} 1",
            "starform_objects{state=\"clean\"} 5",
            "starform_objects{state=\"pending\"} 2",
            "starform_objects{state=\"orphan\"} 1",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}:\n{text}");
        }
    }
}
