//! Whether a cluster has what a project asks for by name: the tier of its workspace, storage classes,
//! hosts that are not the platform's.
//!
//! Pure. Always holds: what is refused is named together with the names that there are. Amounts are
//! another matter: they are summed over a project, see `starform_plan`.

use std::{collections::BTreeSet, fmt};

use starform_contract::{
    ClusterProfile, EnvironmentBundle, EnvironmentState, Origins, ServiceId,
    model::{Running, Volume, Workload},
    profile::{StorageClass, UnknownName},
    quantity::Memory,
};

/// One thing that the cluster does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// `FILE:LINE:COLUMN`, where a file says it.
    pub at: Option<String>,
    /// What is wrong, and what to do.
    pub problem: String,
}

/// What `state` asks for and the profile does not have; `platforms` are the base domains of other
/// clusters, `accepted` is the environment as it is.
pub fn misfits(
    state: &EnvironmentState,
    origins: &Origins,
    profile: &ClusterProfile,
    platforms: &BTreeSet<String>,
    accepted: Option<&EnvironmentBundle>,
) -> Vec<Misfit> {
    let tier = profile.tier(&state.tier).err().map(|unknown| Misfit {
        at: None,
        problem: format!(
            "the project's workspace is of tier `{}`, which its cluster does not know; it knows {}: add the tier to the cluster's profile, or use a workspace of one of these",
            unknown.asked,
            list(&unknown)
        ),
    });
    let volumes = state.services.iter().flat_map(|service| {
        let running = running(&service.model.workload);
        let volumes = running.into_iter().flat_map(|running| &running.volumes);
        volumes.filter_map(|(name, volume)| {
            let before =
                accepted.and_then(|bundle| size(bundle, service.service_id, name.as_str()));
            let problem = volume_problem(name.as_str(), volume, before, profile)?;
            let path = format!("volumes.{name}");
            Some(Misfit {
                at: origins.at(&service.name, &path).map(str::to_owned),
                problem: format!("{}: {problem}", service.name),
            })
        })
    });
    let hosts = state.services.iter().flat_map(|service| {
        hosts(&service.model.workload).filter_map(|host| {
            let problem = host_problem(host, profile, platforms)?;
            Some(Misfit {
                at: origins
                    .at(&service.name, &format!("domains[{host}]"))
                    .map(str::to_owned),
                problem: format!("{}: {problem}", service.name),
            })
        })
    });
    tier.into_iter().chain(volumes).chain(hosts).collect()
}

/// Domains and aliases, without the platform's own host.
fn hosts(workload: &Workload) -> impl Iterator<Item = &str> {
    let domains = match workload {
        Workload::Web(web) => web.domains.as_slice(),
        Workload::Private(_) | Workload::Worker(_) | Workload::Cron(_) => &[],
    };
    domains.iter().flat_map(|domain| {
        let aliases = domain.aliases.iter().map(|alias| alias.host.as_str());
        std::iter::once(domain.host.as_str()).chain(aliases)
    })
}

fn host_problem(
    host: &str,
    profile: &ClusterProfile,
    platforms: &BTreeSet<String>,
) -> Option<String> {
    let mut domains = std::iter::once(&profile.base_domain).chain(platforms);
    let domain = domains.find(|domain| is_platforms(host, domain) || takes_in(host, domain))?;
    Some(if is_platforms(host, domain) {
        format!(
            "the host {host} lies under {domain}, where the platform itself gives every service its host; use a domain of your own"
        )
    } else {
        format!(
            "the host {host} takes in {domain}, where the platform itself gives every service its host; name the hosts that you serve one by one"
        )
    })
}

/// Whether a platform with this base domain gives hosts like this one.
pub(crate) fn is_platforms(host: &str, base_domain: &str) -> bool {
    is_below(host.strip_prefix("*.").unwrap_or(host), base_domain)
}

/// Whether it is a wildcard that matches hosts of such a platform: one matches any number of labels
/// (Gateway API, `Hostname`).
fn takes_in(host: &str, base_domain: &str) -> bool {
    host.strip_prefix("*.")
        .is_some_and(|zone| is_below(base_domain, zone))
}

/// The same, or below it.
fn is_below(host: &str, zone: &str) -> bool {
    let above = host.strip_suffix(zone);
    above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

fn volume_problem(
    name: &str,
    volume: &Volume,
    before: Option<Memory>,
    profile: &ClusterProfile,
) -> Option<String> {
    let class = match profile.storage_class(volume.class.as_deref()) {
        Ok(class) => class,
        Err(unknown) => {
            return Some(format!(
                "the volume {name} names the storage class `{}`, which the cluster does not have; it has {}",
                unknown.asked,
                list(&unknown)
            ));
        }
    };
    let stays = class.is_some_and(|class: &StorageClass| !class.grows);
    let grows = before.is_some_and(|before| before < volume.size);
    let before = before.filter(|_| stays && grows)?;
    Some(format!(
        "the volume {name} cannot grow from {before} to {}: its storage class keeps sizes as they are; leave it at {before}, and add a volume for more",
        volume.size
    ))
}

/// Of an accepted volume; models of other versions are read too.
fn size(bundle: &EnvironmentBundle, service: ServiceId, volume: &str) -> Option<Memory> {
    let model = &bundle.service_of_id(service)?.model;
    let size = model.get("volumes")?.get(volume)?.get("size")?;
    size.as_str()?.parse().ok()
}

fn running(workload: &Workload) -> Option<&Running> {
    match workload {
        Workload::Web(web) => Some(&web.running),
        Workload::Private(private) => Some(&private.running),
        Workload::Worker(worker) => Some(&worker.running),
        Workload::Cron(_) => None,
    }
}

fn list(unknown: &UnknownName) -> String {
    let known: Vec<String> = unknown
        .known
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    known.join(", ")
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Some(at) => write!(f, "{at}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}
