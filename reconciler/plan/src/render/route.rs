//! HTTPRoutes: which hosts and paths reach a web service through the Gateway, and what is sent elsewhere.
//!
//! Pure. The name carries identity by position, because Envoy's metrics carry nothing else. Always
//! holds: only hosts that are verified, and the platform's own, are routed. Services that share a host
//! have a route each: the Gateway merges them, and the longest path wins (Gateway API, HTTPRouteRule).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use starform_contract::{
    Object,
    model::{Alias, Domain, Redirect, Web},
    name,
};

use super::{
    ServiceScope,
    kind::Kind,
    labels::{self, Role},
};

/// What the API allows on one route.
const HOSTS_PER_ROUTE: usize = 16;
const RULES_PER_ROUTE: usize = 16;
/// The scheme of every public URL. Where it is said, no listener's port is carried over.
const SCHEME: &str = "https";
const GROUP: &str = "gateway.networking.k8s.io";

/// Hosts of one route, and its rules.
type Content<'a> = (Vec<&'a str>, Vec<Value>);

/// First what is served, then the hosts that redirect to another, numbered through.
pub(super) fn routes(scope: &ServiceScope<'_>, web: &Web) -> Vec<Object> {
    let Some(port) = web.ports.first() else {
        return Vec::new();
    };
    let hosts = served_hosts(web);
    let served = split(&hosts, &rules(web, &scope.name, port.port));
    let redirected = web.domains.iter().flat_map(|domain| {
        let hosts = redirected_hosts(domain, &hosts);
        split(&hosts, &[host_redirect(&domain.host)])
    });
    served
        .into_iter()
        .chain(redirected)
        .zip(0..)
        .map(|((hosts, rules), n)| route(scope, n, &hosts, &rules))
        .collect()
}

fn route(scope: &ServiceScope<'_>, n: u32, hosts: &[&str], rules: &[Value]) -> Object {
    let (state, service) = (scope.scope.state, scope.service);
    let gateway = &scope.scope.profile.gateway;
    let name = name::http_route(state.project_id, service.service_id, &state.environment, n);
    let mut parent = json!({
        "group": GROUP,
        "kind": "Gateway",
        "name": gateway.name,
        "namespace": gateway.namespace,
    });
    if let Some(listener) = &gateway.listener {
        parent["sectionName"] = json!(listener);
    }
    let spec = json!({ "parentRefs": [parent], "hostnames": hosts, "rules": rules });
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

/// As many routes as the API's limits ask for: every host meets every rule in exactly one of them.
fn split<'a>(hosts: &[&'a str], rules: &[Value]) -> Vec<Content<'a>> {
    hosts
        .chunks(HOSTS_PER_ROUTE)
        .flat_map(|hosts| {
            rules
                .chunks(RULES_PER_ROUTE)
                .map(|rules| (hosts.to_vec(), rules.to_vec()))
        })
        .collect()
}

/// Redirects of single paths, then the paths that are answered; without any, everything is.
fn rules(web: &Web, service: &str, port: u16) -> Vec<Value> {
    let redirects = web
        .redirects
        .iter()
        .map(|(from, redirect)| path_redirect(from, redirect));
    let answered = web
        .routes
        .iter()
        .map(|(path, route)| answered(path, route.strip_prefix, service, port));
    let everything = web
        .routes
        .is_empty()
        .then(|| self::answered("/", false, service, port));
    redirects.chain(answered).chain(everything).collect()
}

fn answered(path: &str, strip_prefix: bool, service: &str, port: u16) -> Value {
    let backend =
        json!({ "group": "", "kind": "Service", "name": service, "port": port, "weight": 1 });
    let mut rule = json!({ "matches": [below(path)], "backendRefs": [backend] });
    if strip_prefix {
        let path = json!({ "type": "ReplacePrefixMatch", "replacePrefixMatch": "/" });
        rule["filters"] = json!([{ "type": "URLRewrite", "urlRewrite": { "path": path } }]);
    }
    rule
}

/// To the same path of another host.
fn host_redirect(host: &str) -> Value {
    let redirect = json!({ "hostname": host, "scheme": SCHEME, "statusCode": 301 });
    redirect_rule(below("/"), redirect)
}

/// Of this path alone: what is below it is another path.
fn path_redirect(from: &str, redirect: &Redirect) -> Value {
    let exactly = json!({ "path": { "type": "Exact", "value": from } });
    let mut target = target(&redirect.to);
    target["statusCode"] = json!(redirect.status);
    redirect_rule(exactly, target)
}

/// Where a path of the same host or a whole URL leads.
fn target(to: &str) -> Value {
    let url = to.split_once("://").filter(|_| !to.starts_with('/'));
    let Some((scheme, rest)) = url else {
        return json!({ "scheme": SCHEME, "path": full(to) });
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, port.parse::<u16>().ok()),
        None => (authority, None),
    };
    // A URL without a path means the root, and not the path that was asked for.
    let path = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    };
    let mut target = json!({ "scheme": scheme, "hostname": host, "path": full(&path) });
    if let Some(port) = port {
        target["port"] = json!(port);
    }
    target
}

fn full(path: &str) -> Value {
    json!({ "type": "ReplaceFullPath", "replaceFullPath": path })
}

fn redirect_rule(matching: Value, redirect: Value) -> Value {
    let filter = json!({ "type": "RequestRedirect", "requestRedirect": redirect });
    json!({ "matches": [matching], "filters": [filter] })
}

/// A path and everything below it.
fn below(path: &str) -> Value {
    json!({ "path": { "type": "PathPrefix", "value": path } })
}
