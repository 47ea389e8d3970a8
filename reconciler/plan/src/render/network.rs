//! NetworkPolicies: nothing is allowed, then exactly what a service needs is.
//!
//! Pure. Policies add up, so each service has one of its own. Always holds: no rule has an empty list
//! of peers, which would mean everybody.

use serde_json::{Value, json};
use starform_contract::{
    Object,
    model::{AllowFrom, Port},
    name,
};

use super::{Scope, ServiceScope, kind::Kind, labels};

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

/// Who may connect to a service inside its environment.
pub(super) fn ingress(scope: &ServiceScope<'_>, allow: &AllowFrom, ports: &[Port]) -> Object {
    let rules = inside(scope, allow, ports);
    ingress_policy(scope, rules.into_iter().collect())
}

/// As [`ingress`], and the Gateway's proxies to the routed port.
pub(super) fn public_ingress(
    scope: &ServiceScope<'_>,
    allow: &AllowFrom,
    ports: &[Port],
) -> Object {
    let gateway = &scope.scope.profile.gateway.namespace;
    let from_gateway = ports.first().map(|routed| {
        json!({
            "from": [{ "namespaceSelector": {
                "matchLabels": { "kubernetes.io/metadata.name": gateway },
            } }],
            "ports": [port(routed)],
        })
    });
    let rules = inside(scope, allow, ports).into_iter().chain(from_gateway);
    ingress_policy(scope, rules.collect())
}

/// A service that nobody connects to.
pub(super) fn unreached(scope: &ServiceScope<'_>) -> Object {
    ingress_policy(scope, Vec::new())
}

fn ingress_policy(scope: &ServiceScope<'_>, rules: Vec<Value>) -> Object {
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
fn internet(denied: &[String]) -> Option<Value> {
    let (v6, v4): (Vec<&str>, Vec<&str>) = denied
        .iter()
        .map(String::as_str)
        .partition(|range| range.contains(':'));
    let blocks: Vec<Value> = [
        family(ANY_V4, PRIVATE_V4.into_iter().chain(v4)),
        family(ANY_V6, PRIVATE_V6.into_iter().chain(v6)),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!blocks.is_empty()).then(|| json!({ "to": blocks }))
}

/// An exception must be smaller than its range, so a denied family is left out as a whole.
fn family<'a>(any: &str, except: impl Iterator<Item = &'a str>) -> Option<Value> {
    let except = sorted(except);
    (!except.contains(&any)).then(|| json!({ "ipBlock": { "cidr": any, "except": except } }))
}

fn ranges(allowed: &[String]) -> Option<Value> {
    let blocks: Vec<Value> = sorted(allowed.iter().map(String::as_str))
        .into_iter()
        .map(|range| json!({ "ipBlock": { "cidr": range } }))
        .collect();
    (!blocks.is_empty()).then(|| json!({ "to": blocks }))
}

fn sorted<'a>(ranges: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut ranges: Vec<&str> = ranges.collect();
    ranges.sort_unstable();
    ranges.dedup();
    ranges
}
