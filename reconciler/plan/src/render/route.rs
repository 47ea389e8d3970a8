//! HTTPRoutes: which hosts reach a web service through the Gateway, and which redirect to another.
//!
//! Pure. The name carries identity by position, because Envoy's metrics carry nothing else. Always
//! holds: only hosts that are verified, and the platform's own, are routed.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use starform_contract::{
    Object,
    model::{Alias, Domain, Web},
    name,
};

use super::{
    ServiceScope,
    kind::Kind,
    labels::{self, Role},
};

/// What the API allows on one route.
const HOSTS_PER_ROUTE: usize = 16;
const GROUP: &str = "gateway.networking.k8s.io";

/// First what is served, then what redirects, numbered through.
pub(super) fn routes(scope: &ServiceScope<'_>, web: &Web) -> Vec<Object> {
    let Some(port) = web.ports.first() else {
        return Vec::new();
    };
    let hosts = served_hosts(web);
    let served = chunks(&hosts, &backend_rule(&scope.name, port.port));
    let redirected = web.domains.iter().flat_map(|domain| {
        let hosts = redirected_hosts(domain, &hosts);
        chunks(&hosts, &redirect_rule(&domain.host))
    });
    served
        .into_iter()
        .chain(redirected)
        .zip(0..)
        .map(|((hosts, rule), n)| route(scope, n, &hosts, &rule))
        .collect()
}

fn route(scope: &ServiceScope<'_>, n: u32, hosts: &[&str], rule: &Value) -> Object {
    let (state, service) = (scope.scope.state, scope.service);
    let gateway = &scope.scope.profile.gateway;
    let name = name::http_route(state.project_id, service.service_id, &state.environment, n);
    let parent = json!({
        "group": GROUP,
        "kind": "Gateway",
        "name": gateway.name,
        "namespace": gateway.namespace,
    });
    let spec = json!({ "parentRefs": [parent], "hostnames": hosts, "rules": [rule] });
    let labels = json!(labels::workload(state, service, Role::Serve));
    scope
        .scope
        .object(Kind::HttpRoute, &name, labels, json!({ "spec": spec }))
}

/// The platform's host first; a domain and its aliases as soon as each is verified.
fn served_hosts(web: &Web) -> Vec<&str> {
    let verified = web.domains.iter().flat_map(|domain| {
        let own = domain.verified.then_some(domain.host.as_str());
        let aliases = domain.aliases.iter().filter(|alias| !alias.redirect);
        own.into_iter().chain(aliases.filter_map(verified_host))
    });
    let others: BTreeSet<&str> = verified.filter(|host| *host != web.platform_host).collect();
    std::iter::once(web.platform_host.as_str())
        .chain(others)
        .collect()
}

/// Nothing redirects to a domain that is not served.
fn redirected_hosts<'a>(domain: &'a Domain, served: &[&str]) -> Vec<&'a str> {
    let hosts: BTreeSet<&str> = domain
        .aliases
        .iter()
        .filter(|alias| alias.redirect && domain.verified)
        .filter_map(verified_host)
        .filter(|host| !served.contains(host))
        .collect();
    hosts.into_iter().collect()
}

fn verified_host(alias: &Alias) -> Option<&str> {
    alias.verified.then_some(alias.host.as_str())
}

fn chunks<'a>(hosts: &[&'a str], rule: &Value) -> Vec<(Vec<&'a str>, Value)> {
    hosts
        .chunks(HOSTS_PER_ROUTE)
        .map(|hosts| (hosts.to_vec(), rule.clone()))
        .collect()
}

fn backend_rule(service: &str, port: u16) -> Value {
    let backend =
        json!({ "group": "", "kind": "Service", "name": service, "port": port, "weight": 1 });
    json!({ "matches": [every_path()], "backendRefs": [backend] })
}

/// To `https`, the scheme of every public URL, so that no listener's port is carried over.
fn redirect_rule(host: &str) -> Value {
    let redirect = json!({ "hostname": host, "scheme": "https", "statusCode": 301 });
    let filter = json!({ "type": "RequestRedirect", "requestRedirect": redirect });
    json!({ "matches": [every_path()], "filters": [filter] })
}

fn every_path() -> Value {
    json!({ "path": { "type": "PathPrefix", "value": "/" } })
}
