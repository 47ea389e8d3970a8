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
    kept, names,
    pairs::Compared,
    quota, secrets,
    size::{self, Sizes},
    words::{self, Service, Services, Words},
};

/// A plan's project, as it is accepted and as it would be.
#[derive(Clone, Copy)]
pub(crate) struct Sides<'a> {
    /// With its names and its quota.
    pub(crate) project: &'a ProjectBundle,
    pub(crate) before: &'a Environments<'a>,
    pub(crate) after: &'a Environments<'a>,
    /// Of the environment that is looked at.
    pub(crate) compared: &'a Compared<'a>,
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
    let (before, after) = words::both(sides.before, sides.after);
    let mut findings = Vec::new();
    if let (Some(bundle), Some(services)) = (sides.after.get(environment), after.get(environment)) {
        let names = bundle.services.iter().map(|service| service.name.as_str());
        let names: BTreeSet<&str> = names.collect();
        for service in services.iter() {
            findings.extend(missing_services(bundle, &names, service, origins));
        }
        let old = sides.before.get(environment).copied();
        findings.extend(kept::impossible(old, bundle, sides.compared, origins));
        findings.extend(kept::reminders(bundle));
        findings.extend(kept::keeping_the_namespace(sides.project, sides.after));
        findings.extend(kept::idle_classes(services, origins));
        findings.extend(unverified(bundle, services, sides.others, origins));
        findings.extend(size::findings(sides.sizes, sides.project, bundle, origins));
        findings.extend(secrets::without_value(bundle, sides.secrets, origins));
        findings.extend(secrets::without_shared_value(sides.project, sides.secrets));
    }
    let both = (&before, &after);
    findings.extend(hosts::taken(environment, both, sides.others, origins));
    findings.extend(hosts_claimed_twice(environment, &after, origins));
    let services = sides.after.values().flat_map(|bundle| &bundle.services);
    findings.extend(
        names::misfits(&sides.project.names, services)
            .into_iter()
            .map(|title| blocking(&codes::NAMES, format!("{title}; make the plan again"), None)),
    );
    findings.extend(quota::findings(environment, sides, both, origins));
    findings
}

/// Every host that a service of the environment claims, platform hosts and redirecting ones included.
pub fn hosts_of(bundle: &EnvironmentBundle) -> BTreeSet<String> {
    let claimed = Service::all(bundle).flat_map(|service| hosts(service.words));
    claimed.map(|(host, _)| host.to_owned()).collect()
}

/// Hosts that the environment asks for and that are not shown to be the project's.
pub fn unverified_hosts(bundle: &EnvironmentBundle) -> BTreeSet<String> {
    let services = Service::all(bundle);
    services
        .flat_map(|service| unverified_of(service.words))
        .map(str::to_owned)
        .collect()
}

/// As [`unverified_hosts`], of one service.
pub(crate) fn unverified_of(words: Words<'_>) -> impl Iterator<Item = &str> {
    named(words)
        .filter(|(_, host)| host.get("verified").and_then(Value::as_bool) == Some(false))
        .map(|(host, _)| host)
}

/// They are left out of routes, and nothing else waits for them. Of one that is another project's no
/// record makes one's own.
fn unverified(
    bundle: &EnvironmentBundle,
    services: &[Service<'_>],
    others: &OthersHosts,
    origins: &Origins,
) -> Vec<Finding> {
    let unverified = services.iter();
    let unverified = unverified.flat_map(|service| unverified_of(service.words));
    let unverified: BTreeSet<&str> = unverified.collect();
    let unverified = unverified.into_iter().filter(|host| !others.has(host));
    let finding = |host: &str| {
        let path = format!("domains[{host}]");
        let at = holder(services, host);
        let title = format!(
            "the host {host} is not routed until it is shown to be the project's; make the TXT record {} with the text {}, then plan again",
            proof_record(host),
            bundle.project_id
        );
        Finding {
            code: codes::HOST_UNVERIFIED.code.to_owned(),
            severity: FindingSeverity::Warning,
            title,
            at: at
                .and_then(|entry| origins.at(&entry.name, &path))
                .map(str::to_owned),
        }
    };
    unverified.map(finding).collect()
}

/// The first service that asks for the host.
pub(crate) fn holder<'a>(services: &[Service<'a>], host: &str) -> Option<&'a ServiceEntry> {
    let mut services = services.iter();
    let asks = |service: &&Service<'a>| named(service.words).any(|(name, _)| name == host);
    services.find(asks).map(|service| service.entry)
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
    service: &Service<'_>,
    origins: &Origins,
) -> Vec<Finding> {
    let Service { entry, words } = service;
    let admitted = words.allow_from.and_then(|from| from.get("services"));
    let uses = [
        ("refs", "refers to", words.refs),
        ("allow-from", "admits", admitted),
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
                        entry.name, bundle.environment
                    ),
                    origins.at(&entry.name, path),
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
    paths: Option<Words<'a>>,
}

fn hosts_claimed_twice(
    environment: &EnvironmentName,
    environments: &Services<'_>,
    origins: &Origins,
) -> Vec<Finding> {
    let mut claims: BTreeMap<&str, Vec<Claim<'_>>> = BTreeMap::new();
    for (&name, services) in environments {
        for service in services.iter() {
            for (host, paths) in hosts(service.words) {
                claims.entry(host).or_default().push(Claim {
                    environment: name,
                    service: &service.entry.name,
                    paths,
                });
            }
        }
    }
    claims
        .into_iter()
        .filter(|(_, claims)| claims.len() > 1)
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
                || !keys(ours.redirects).is_disjoint(&keys(theirs.redirects))
        }
        (Some(_) | None, Some(_) | None) => true,
    }
}

/// Without routes, everything.
fn answered(words: Words<'_>) -> BTreeSet<&str> {
    let routes = keys(words.routes);
    if routes.is_empty() {
        BTreeSet::from(["/"])
    } else {
        routes
    }
}

fn keys(fields: Option<&Value>) -> BTreeSet<&str> {
    let fields = fields.and_then(Value::as_object);
    fields
        .into_iter()
        .flat_map(|fields| fields.keys().map(String::as_str))
        .collect()
}

/// The hosts of a service; with its words where it may share them.
pub(crate) fn hosts(words: Words<'_>) -> impl Iterator<Item = (&str, Option<Words<'_>>)> {
    let named = named(words).map(move |(host, named)| {
        let redirects = named.get("redirect").and_then(Value::as_bool);
        (host, (redirects != Some(true)).then_some(words))
    });
    let platform = words.platform_host.and_then(Value::as_str);
    platform.map(|host| (host, None)).into_iter().chain(named)
}

/// Domains and their aliases, with what the model says of each.
pub(crate) fn named(words: Words<'_>) -> impl Iterator<Item = (&str, &Value)> {
    let domains = words.domains.and_then(Value::as_array);
    domains.into_iter().flatten().flat_map(|domain| {
        let aliases = domain.get("aliases").and_then(Value::as_array);
        std::iter::once(domain)
            .chain(aliases.into_iter().flatten())
            .filter_map(|named| Some((named.get("host")?.as_str()?, named)))
    })
}
