//! NetworkPolicies: nothing is allowed, then exactly what a service needs is.
//!
//! Pure. Policies add up, so each service has one of its own. Always holds: no rule has an empty list
//! of peers, which would mean everybody.

use serde_json::{Value, json};
use starform_contract::{
    Object,
    model::{AllowFrom, Port, Workload},
    name,
    range::Cidr,
};

use super::{Scope, ServiceScope, Serving, kind::Kind, labels};

/// Private and link-local ranges (RFC 1918, RFC 6598, RFC 3927): the cluster itself, its nodes, its
/// metadata service, other tenants.
const PRIVATE_V4: [&str; 5] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
];
/// Unique local and link-local (RFC 4193, RFC 4291).
const PRIVATE_V6: [&str; 2] = ["fc00::/7", "fe80::/10"];
/// Where node-local DNS caches listen.
const NODE_LOCAL_DNS: &str = "169.254.20.10/32";
const ANY_V4: &str = "0.0.0.0/0";
const ANY_V6: &str = "::/0";

/// No pod of the project may send or receive, until another policy says so.
pub(super) fn default_deny(scope: &Scope<'_>) -> Object {
    scope.object(
        Kind::NetworkPolicy,
        &name::project_object("default-deny"),
        json!(labels::project(scope.state)),
        json!({ "spec": { "podSelector": {}, "policyTypes": ["Ingress", "Egress"] } }),
    )
}

/// The environment's pods reach DNS, each other, and the internet without its private ranges.
pub(super) fn egress(scope: &Scope<'_>) -> Object {
    let state = scope.state;
    let same_environment = json!({
        "to": [{ "podSelector": { "matchLabels": labels::environment_selector(state) } }],
    });
    let mut rules = vec![dns(), same_environment];
    rules.extend(internet(&scope.profile.egress.denied));
    rules.extend(ranges(&scope.profile.egress.allowed));
    scope.object(
        Kind::NetworkPolicy,
        &name::environment_object("egress", &state.environment),
        json!(labels::environment(state)),
        json!({ "spec": {
            "podSelector": { "matchLabels": labels::environment_selector(state) },
            "policyTypes": ["Egress"],
            "egress": rules,
        } }),
    )
}

/// Who may connect to a service: its environment or who it allows, the Gateway's proxies, the scraper.
/// A worker and a cron job have no ports that a service could connect to.
pub(super) fn ingress(scope: &ServiceScope<'_>) -> Object {
    let workload = &scope.service.model.workload;
    let (inside, gateway) = match workload {
        Workload::Web(web) => (
            inside(scope, &web.allow_from, &web.ports),
            from_gateway(scope, &web.ports),
        ),
        Workload::Private(private) => (inside(scope, &private.allow_from, &private.ports), None),
        Workload::Worker(_) | Workload::Cron(_) => (None, None),
    };
    let scraper = Serving::of(workload).and_then(|serving| from_scraper(scope, serving));
    let rules: Vec<Value> = [inside, gateway, scraper].into_iter().flatten().collect();
    let (state, service) = (scope.scope.state, scope.service);
    let pods = labels::service_selector(state, service.service_id);
    let mut spec = json!({
        "podSelector": { "matchLabels": pods },
        "policyTypes": ["Ingress"],
    });
    if !rules.is_empty() {
        spec["ingress"] = json!(rules);
    }
    let labels = json!(labels::service(state, service));
    scope.object(Kind::NetworkPolicy, labels, json!({ "spec": spec }))
}

/// `None` where no service is allowed.
fn inside(scope: &ServiceScope<'_>, allow: &AllowFrom, ports: &[Port]) -> Option<Value> {
    let state = scope.scope.state;
    let selectors = match allow {
        AllowFrom::Environment => vec![labels::environment_selector(state)],
        AllowFrom::Services(names) => names
            .iter()
            .filter_map(|name| state.services.iter().find(|other| other.name == *name))
            .map(|other| labels::service_selector(state, other.service_id))
            .collect(),
    };
    let peers: Vec<Value> = selectors
        .into_iter()
        .map(|pods| json!({ "podSelector": { "matchLabels": pods } }))
        .collect();
    let ports: Vec<Value> = ports.iter().map(port).collect();
    (!peers.is_empty() && !ports.is_empty()).then(|| json!({ "from": peers, "ports": ports }))
}

/// Only to the port that is routed.
fn from_gateway(scope: &ServiceScope<'_>, ports: &[Port]) -> Option<Value> {
    let profile = &scope.scope.profile.gateway;
    let mut gateway = namespace(&profile.namespace);
    if !profile.pods.is_empty() {
        gateway["podSelector"] = json!({ "matchLabels": profile.pods });
    }
    let routed = ports.first()?;
    Some(json!({ "from": [gateway], "ports": [port(routed)] }))
}

/// The profile's scraper to the metrics port, which is one of the service's ports where it has any.
fn from_scraper(scope: &ServiceScope<'_>, serving: Serving<'_>) -> Option<Value> {
    let scraper = scope.scope.profile.scraper_namespace.as_ref()?;
    let metrics = scope.scraped(serving)?;
    let own = serving.ports.iter().find(|own| own.port == metrics.port);
    let port = own.map_or_else(
        || json!({ "port": metrics.port, "protocol": "TCP" }),
        self::port,
    );
    Some(json!({ "from": [namespace(scraper)], "ports": [port] }))
}

/// Every pod of a namespace; the label is the API server's own, so nobody else can wear it.
fn namespace(name: &str) -> Value {
    json!({ "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": name } } })
}

/// By name, which each pod resolves for itself: a rollout that changes the number cuts no old pod off.
fn port(port: &Port) -> Value {
    json!({ "port": port.name, "protocol": "TCP" })
}

fn dns() -> Value {
    json!({
        "to": [
            {
                "namespaceSelector": {
                    "matchLabels": { "kubernetes.io/metadata.name": "kube-system" },
                },
                "podSelector": { "matchLabels": { "k8s-app": "kube-dns" } },
            },
            { "ipBlock": { "cidr": NODE_LOCAL_DNS } },
        ],
        "ports": [
            { "port": 53, "protocol": "UDP" },
            { "port": 53, "protocol": "TCP" },
        ],
    })
}

/// Both address families without private and denied ranges; `None` where everything is denied.
fn internet(denied: &[Cidr]) -> Option<Value> {
    let own = |v4: bool| {
        let own = denied.iter().filter(move |range| range.is_ipv4() == v4);
        own.map(Cidr::to_string)
    };
    let blocks: Vec<Value> = [
        family(ANY_V4, texts(PRIVATE_V4).chain(own(true))),
        family(ANY_V6, texts(PRIVATE_V6).chain(own(false))),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!blocks.is_empty()).then(|| json!({ "to": blocks }))
}

/// An exception must be smaller than its range, so a denied family is left out as a whole.
fn family(any: &str, except: impl Iterator<Item = String>) -> Option<Value> {
    let except = sorted(except);
    let all = except.iter().any(|range| range == any);
    (!all).then(|| json!({ "ipBlock": { "cidr": any, "except": except } }))
}

fn ranges(allowed: &[Cidr]) -> Option<Value> {
    let blocks: Vec<Value> = sorted(allowed.iter().map(Cidr::to_string))
        .into_iter()
        .map(|range| json!({ "ipBlock": { "cidr": range } }))
        .collect();
    (!blocks.is_empty()).then(|| json!({ "to": blocks }))
}

fn texts<const N: usize>(ranges: [&str; N]) -> impl Iterator<Item = String> {
    ranges.map(str::to_owned).into_iter()
}

fn sorted(ranges: impl Iterator<Item = String>) -> Vec<String> {
    let mut ranges: Vec<String> = ranges.collect();
    ranges.sort_unstable();
    ranges.dedup();
    ranges
}
