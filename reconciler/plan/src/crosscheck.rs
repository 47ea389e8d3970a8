//! What must hold between the services of a project: references exist, a host has one owner, a name
//! one meaning, a volume what it was, and all of them together fit the tier.
//!
//! Pure. Run on what a plan proposes, and again at accept on what is merged then, because two plans
//! that are each sound may not be sound together. Models are read as JSON: those of other versions too.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use starform_contract::{
    EnvironmentBundle, EnvironmentName, Origins, ProjectBundle, SecretVersions, ServiceEntry,
    ServiceName, name::proof_record,
};

use crate::{
    accepted::Environments,
    codes::{self, FindingCode},
    document::{Finding, FindingSeverity},
    hosts::{self, OthersHosts},
    kept, names, quota, secrets,
    size::{self, Sizes},
};

/// A plan's project, as it is accepted and as it would be.
#[derive(Clone, Copy)]
pub(crate) struct Sides<'a> {
    /// With its names and its quota.
    pub(crate) project: &'a ProjectBundle,
    pub(crate) before: &'a Environments<'a>,
    pub(crate) after: &'a Environments<'a>,
    pub(crate) secrets: &'a SecretVersions,
    pub(crate) others: &'a OthersHosts,
    /// Of `project` and of the environment that is looked at.
    pub(crate) sizes: Sizes<'a>,
}

/// Everything wrong with `environment` among all environments of the project.
pub(crate) fn findings(
    environment: &EnvironmentName,
    sides: Sides<'_>,
    origins: &Origins,
) -> Vec<Finding> {
    let environments = sides.after;
    let entries = &sides.project.names;
    let mut findings = Vec::new();
    if let Some(bundle) = environments.get(environment) {
        let names = bundle.services.iter().map(|service| service.name.as_str());
        let names: BTreeSet<&str> = names.collect();
        for service in &bundle.services {
            findings.extend(missing_services(bundle, &names, service, origins));
        }
        let before = sides.before.get(environment).copied();
        findings.extend(kept::impossible(before, bundle, origins));
        findings.extend(kept::reminders(bundle));
        findings.extend(kept::keeping_the_namespace(sides.project, environments));
        findings.extend(kept::idle_classes(bundle, origins));
        findings.extend(unverified(bundle, sides.others, origins));
        findings.extend(size::findings(sides.sizes, sides.project, bundle, origins));
        findings.extend(secrets::without_value(bundle, sides.secrets, origins));
        findings.extend(secrets::without_shared_value(sides.project, sides.secrets));
    }
    let both = (sides.before, sides.after);
    findings.extend(hosts::taken(environment, both, sides.others, origins));
    findings.extend(hosts_claimed_twice(environment, environments, origins));
    let services = environments.values().flat_map(|bundle| &bundle.services);
    findings.extend(
        names::misfits(entries, services)
            .into_iter()
            .map(|title| blocking(&codes::NAMES, format!("{title}; make the plan again"), None)),
    );
    findings.extend(quota::findings(environment, sides, origins));
    findings
}

/// Every host that a service of the environment claims, platform hosts and redirecting ones included.
pub fn hosts_of(bundle: &EnvironmentBundle) -> BTreeSet<String> {
    let services = bundle.services.iter();
    services
        .flat_map(|service| hosts(&service.model))
        .map(|(host, _)| host.to_owned())
        .collect()
}

/// Hosts that the environment asks for and that are not shown to be the project's.
pub fn unverified_hosts(bundle: &EnvironmentBundle) -> BTreeSet<String> {
    let services = bundle.services.iter();
    services
        .flat_map(|service| named(&service.model))
        .filter(|(_, host)| host.get("verified").and_then(Value::as_bool) == Some(false))
        .map(|(host, _)| host.to_owned())
        .collect()
}

/// They are left out of routes, and nothing else waits for them. Of one that is another project's no
/// record makes one's own.
fn unverified(bundle: &EnvironmentBundle, others: &OthersHosts, origins: &Origins) -> Vec<Finding> {
    let unverified = unverified_hosts(bundle).into_iter();
    let unverified = unverified.filter(|host| !others.has(host));
    let finding = |host: String| {
        let path = format!("domains[{host}]");
        let mut services = bundle.services.iter();
        let at = services.find(|service| named(&service.model).any(|(name, _)| name == host));
        let title = format!(
            "the host {host} is not routed until it is shown to be the project's; make the TXT record {} with the text {}, then plan again",
            proof_record(&host),
            bundle.project_id
        );
        Finding {
            code: codes::HOST_UNVERIFIED.code.to_owned(),
            severity: FindingSeverity::Warning,
            title,
            at: at
                .and_then(|service| origins.at(&service.name, &path))
                .map(str::to_owned),
        }
    };
    unverified.map(finding).collect()
}

pub(crate) fn blocking(code: &FindingCode, title: String, at: Option<&str>) -> Finding {
    Finding {
        code: code.code.to_owned(),
        severity: FindingSeverity::Blocking,
        title,
        at: at.map(str::to_owned),
    }
}

fn missing_services(
    bundle: &EnvironmentBundle,
    known: &BTreeSet<&str>,
    service: &ServiceEntry,
    origins: &Origins,
) -> Vec<Finding> {
    let uses = [
        ("refs", "refers to", service.model.get("refs")),
        (
            "allow-from",
            "admits",
            service.model.pointer("/allow-from/services"),
        ),
    ];
    let mut findings = Vec::new();
    for (path, verb, names) in uses {
        let names = names.and_then(Value::as_array).into_iter().flatten();
        for target in names.filter_map(Value::as_str) {
            if !known.contains(target) {
                findings.push(blocking(
                    &codes::MISSING_SERVICE,
                    format!(
                        "{} {verb} {target}, but {} would have no service {target}; add {target} there or drop the reference",
                        service.name, bundle.environment
                    ),
                    origins.at(&service.name, path),
                ));
            }
        }
    }
    findings
}

/// A service's word that a host is its own.
#[derive(Clone, Copy)]
struct Claim<'a> {
    environment: &'a EnvironmentName,
    service: &'a ServiceName,
    /// Of a service that may share the host; `None` where it holds the host as a whole: its platform
    /// host, and one that redirects to another.
    paths: Option<&'a Value>,
}

fn hosts_claimed_twice(
    environment: &EnvironmentName,
    environments: &Environments<'_>,
    origins: &Origins,
) -> Vec<Finding> {
    let mut claims: BTreeMap<&str, Vec<Claim<'_>>> = BTreeMap::new();
    for (&name, bundle) in environments {
        for service in &bundle.services {
            for (host, paths) in hosts(&service.model) {
                claims.entry(host).or_default().push(Claim {
                    environment: name,
                    service: &service.name,
                    paths,
                });
            }
        }
    }
    claims
        .into_iter()
        .filter_map(|(host, claims)| {
            let owners: BTreeSet<_> = claims
                .iter()
                .filter(|claim| claims.iter().any(|other| clash(claim, other)))
                .map(|claim| (claim.environment, claim.service))
                .collect();
            let (_, ours) = owners.iter().find(|(name, _)| *name == environment)?;
            let list: Vec<String> = owners
                .iter()
                .map(|(name, service)| format!("{service} in {name}"))
                .collect();
            Some(blocking(
                &codes::HOST_TWICE,
                format!(
                    "the host {host} would belong to {}; leave it to one of them",
                    list.join(" and to ")
                ),
                origins.at(ours, &format!("domains[{host}]")),
            ))
        })
        .collect()
}

/// Services of one environment share a host as long as no path of it is answered or redirected twice.
fn clash(one: &Claim<'_>, other: &Claim<'_>) -> bool {
    if (one.environment, one.service) == (other.environment, other.service) {
        return false;
    }
    match (one.paths, other.paths) {
        (Some(ours), Some(theirs)) if one.environment == other.environment => {
            !answered(ours).is_disjoint(&answered(theirs))
                || !keys(ours, "redirects").is_disjoint(&keys(theirs, "redirects"))
        }
        (Some(_) | None, Some(_) | None) => true,
    }
}

/// Without routes, everything.
fn answered(model: &Value) -> BTreeSet<&str> {
    let routes = keys(model, "routes");
    if routes.is_empty() {
        BTreeSet::from(["/"])
    } else {
        routes
    }
}

fn keys<'a>(model: &'a Value, field: &str) -> BTreeSet<&'a str> {
    let fields = model.get(field).and_then(Value::as_object);
    fields
        .into_iter()
        .flat_map(|fields| fields.keys().map(String::as_str))
        .collect()
}

/// The hosts of a model; with the model where it may share them.
fn hosts(model: &Value) -> impl Iterator<Item = (&str, Option<&Value>)> {
    let named = named(model).map(move |(host, named)| {
        let redirects = named.get("redirect").and_then(Value::as_bool);
        (host, (redirects != Some(true)).then_some(model))
    });
    let platform = model.get("platform-host").and_then(Value::as_str);
    platform.map(|host| (host, None)).into_iter().chain(named)
}

/// Domains and their aliases, with what the model says of each.
pub(crate) fn named(model: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let domains = model.get("domains").and_then(Value::as_array);
    domains.into_iter().flatten().flat_map(|domain| {
        let aliases = domain.get("aliases").and_then(Value::as_array);
        std::iter::once(domain)
            .chain(aliases.into_iter().flatten())
            .filter_map(|named| Some((named.get("host")?.as_str()?, named)))
    })
}
