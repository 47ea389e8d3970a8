//! What must hold between the services of a project: references exist, a host has one owner, a name
//! one meaning.
//!
//! Pure. Run on what a plan proposes, and again at accept on what is merged then, because two plans
//! that are each sound may not be sound together. Models are read as JSON: those of other versions too.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use starform_contract::{
    EnvironmentBundle, EnvironmentName, NameEntry, Origins, ServiceEntry, ServiceName,
};

use crate::{
    codes::{self, FindingCode},
    document::{Finding, FindingSeverity},
    merge::Environments,
    names,
};

/// Everything wrong with `environment` among all `environments` of the project; all of it blocking.
pub(crate) fn findings(
    environment: &EnvironmentName,
    environments: &Environments<'_>,
    entries: &[NameEntry],
    origins: &Origins,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(bundle) = environments.get(environment) {
        for service in &bundle.services {
            findings.extend(missing_services(bundle, service, origins));
        }
    }
    findings.extend(hosts_claimed_twice(environment, environments, origins));
    let services = environments.values().flat_map(|bundle| &bundle.services);
    findings.extend(
        names::misfits(entries, services)
            .into_iter()
            .map(|title| blocking(&codes::NAMES, format!("{title}; make the plan again"), None)),
    );
    findings
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
            if !bundle
                .services
                .iter()
                .any(|other| other.name.as_str() == target)
            {
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

fn hosts_claimed_twice(
    environment: &EnvironmentName,
    environments: &Environments<'_>,
    origins: &Origins,
) -> Vec<Finding> {
    let mut claims: BTreeMap<&str, BTreeSet<(&EnvironmentName, &ServiceName)>> = BTreeMap::new();
    for (&name, bundle) in environments {
        for service in &bundle.services {
            for host in hosts(&service.model) {
                claims
                    .entry(host)
                    .or_default()
                    .insert((name, &service.name));
            }
        }
    }
    claims
        .into_iter()
        .filter(|(_, owners)| owners.len() > 1)
        .filter_map(|(host, owners)| {
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

fn hosts(model: &Value) -> impl Iterator<Item = &str> {
    let domains = model.get("domains").and_then(Value::as_array);
    let named = domains.into_iter().flatten().flat_map(|domain| {
        let aliases = domain.get("aliases").and_then(Value::as_array);
        std::iter::once(domain)
            .chain(aliases.into_iter().flatten())
            .filter_map(|named| named.get("host")?.as_str())
    });
    let platform = model.get("platform-host").and_then(Value::as_str);
    platform.into_iter().chain(named)
}
