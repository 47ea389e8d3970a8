//! Hosts that other projects have: what a plan hears that wants one of them.
//!
//! Pure. Always holds: no project comes to claim or to route a host that another one has, nor one below
//! another's wildcard; what it claims and routes already it keeps, and is told so. Whose a host is, is
//! known where the cluster itself keeps the accepted state; a control plane tells nobody. Read on in
//! [`crate::crosscheck`], which asks at plan and again at accept.

use std::{
    cell::LazyCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use serde_json::Value;
use starform_contract::{
    Digest, EnvironmentBundle, EnvironmentName, Index, Origins, ProjectId, ProjectName,
};

use crate::{
    codes,
    crosscheck::{holder, hosts, hosts_of, named, unverified_of},
    document::{Finding, FindingSeverity},
    words::{Service, Services, Words},
};

/// Hosts that are not the project's to take, and whose they are where that may be said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OthersHosts(BTreeMap<String, Option<ProjectName>>);

impl OthersHosts {
    /// Those of all other projects that `index` names; `environment` looks a bundle up by its digest.
    pub fn of_index<'a>(
        index: &Index,
        project: ProjectId,
        environment: impl Fn(&Digest) -> Option<&'a EnvironmentBundle>,
    ) -> Self {
        let others = index.projects.iter().filter(|(id, _)| **id != project);
        let bundles = others
            .flat_map(|(_, entry)| entry.environments.values())
            .filter_map(environment);
        let hosts = bundles.flat_map(|bundle| {
            let name = &bundle.project;
            hosts_of(bundle)
                .into_iter()
                .map(|host| (host, Some(name.clone())))
        });
        Self(hosts.collect())
    }

    /// Of owners who are not told.
    pub fn of_nobody(hosts: BTreeSet<String>) -> Self {
        Self(hosts.into_iter().map(|host| (host, None)).collect())
    }

    /// Whether another project has the host, one that it takes in, or a wildcard above it.
    pub fn has(&self, host: &str) -> bool {
        self.find(host).is_some()
    }

    fn find(&self, host: &str) -> Option<(&String, &Option<ProjectName>)> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get_key_value(host).or_else(|| {
            let above = wildcards_above(host).find_map(|wildcard| self.0.get_key_value(&wildcard));
            above.or_else(|| {
                let zone = host.strip_prefix('*')?;
                self.0.iter().find(|(other, _)| other.ends_with(zone))
            })
        })
    }
}

/// The wildcards that take a host in; a wildcard takes itself in.
pub fn wildcards_above(host: &str) -> impl Iterator<Item = String> + '_ {
    host.match_indices('.')
        .map(|(at, _)| format!("*{}", &host[at..]))
}

/// A host of a web service, as its accepted model has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceHost<'a> {
    pub host: &'a str,
    /// Whether it is shown to be the project's; until then it is not routed.
    pub verified: bool,
    /// The domain that it only redirects to.
    pub redirects_to: Option<&'a str>,
}

/// The hosts of a service: its domains, each with its aliases, then the platform's.
pub fn of_service(model: &Value) -> Vec<ServiceHost<'_>> {
    let mut hosts = Vec::new();
    let mut domain = None;
    let words = Words::of(model);
    for (host, said) in named(words) {
        let alias = said.get("redirect").and_then(Value::as_bool);
        if alias.is_none() {
            domain = Some(host);
        }
        hosts.push(ServiceHost {
            host,
            verified: said.get("verified").and_then(Value::as_bool) != Some(false),
            redirects_to: domain.filter(|_| alias == Some(true)),
        });
    }
    let platform = words.platform_host.and_then(Value::as_str);
    hosts.extend(platform.map(|host| ServiceHost {
        host,
        verified: true,
        redirects_to: None,
    }));
    hosts
}

/// What a project has of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// Asked for, and not routed until it is shown to be the project's.
    Claimed,
    Routed,
}

/// What `environment` would have of hosts that belong to others.
pub(crate) fn taken(
    environment: &EnvironmentName,
    (before, after): (&Services<'_>, &Services<'_>),
    others: &OthersHosts,
    origins: &Origins,
) -> Vec<Finding> {
    let Some(services) = after.get(environment) else {
        return Vec::new();
    };
    let before = LazyCell::new(|| standings(before.values().map(Rc::as_ref)));
    let wanted = standings(std::iter::once(services.as_ref()));
    let found = wanted.into_iter().filter_map(|(host, standing)| {
        let (theirs, owner) = others.find(host)?;
        let rises = before.get(host).is_none_or(|before| *before < standing);
        let title = title(host, standing, rises, &whose(host, theirs, owner.as_ref()));
        let path = format!("domains[{host}]");
        let at = holder(services, host).and_then(|entry| origins.at(&entry.name, &path));
        Some(Finding {
            code: codes::HOST_TAKEN.code.to_owned(),
            severity: match rises {
                true => FindingSeverity::Blocking,
                false => FindingSeverity::Warning,
            },
            title,
            at: at.map(str::to_owned),
        })
    });
    found.collect()
}

/// Of the services of some environments.
fn standings<'a: 's, 's>(
    environments: impl Iterator<Item = &'s [Service<'a>]>,
) -> BTreeMap<&'a str, Standing> {
    let mut standings = BTreeMap::new();
    for services in environments {
        let words = services.iter().map(|service| service.words);
        let unverified: BTreeSet<&str> = words.clone().flat_map(unverified_of).collect();
        for (host, _) in words.flat_map(hosts) {
            let standing = match unverified.contains(host) {
                true => Standing::Claimed,
                false => Standing::Routed,
            };
            let known = standings.entry(host).or_insert(standing);
            *known = standing.max(*known);
        }
    }
    standings
}

fn title(host: &str, standing: Standing, rises: bool, whose: &str) -> String {
    match (rises, standing) {
        (true, Standing::Claimed | Standing::Routed) => format!(
            "the host {host} belongs to {whose}; use another host, or have that project give it up first"
        ),
        (false, Standing::Claimed) => {
            format!("the host {host} is not routed, since it belongs to {whose}; use another host")
        }
        (false, Standing::Routed) => format!(
            "the host {host} belongs to {whose} too, and one of the two gets its requests; leave it to one of them"
        ),
    }
}

fn whose(host: &str, theirs: &str, owner: Option<&ProjectName>) -> String {
    match owner {
        None => "another project".to_owned(),
        Some(name) if host == theirs => format!("the project {name}"),
        Some(name) => format!("the project {name}, which has {theirs}"),
    }
}
