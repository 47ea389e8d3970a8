//! Which incarnation of a service holds a name, and what its Kubernetes objects are called.
//!
//! Pure. Always holds: entries are never removed, an object name is never given to a second
//! incarnation, and equal accepted state gives equal ids.

use std::collections::BTreeSet;

use starform_contract::{NameEntry, ObjectName, ProjectId, ServiceEntry, ServiceId, ServiceName};

use crate::{accepted::AcceptedProject, merge::Environments};

/// The project's names with an entry in use for each of `services`, by name, then incarnation.
///
/// The live entry of a name is reused; a name without one gets the next incarnation, and the first
/// object name of `name`, `name-2`, … that no entry ever had.
pub fn bind_names(
    project: ProjectId,
    accepted: &AcceptedProject,
    services: &[ServiceName],
) -> Vec<NameEntry> {
    let mut names = accepted.names().to_vec();
    let wanted: BTreeSet<&ServiceName> = services.iter().collect();
    for name in wanted {
        if live(&names, name).is_none() {
            let entry = next_incarnation(project, &names, name);
            names.push(entry);
        }
    }
    names.sort();
    names
}

/// The entry that holds `name` now: the highest incarnation, unless it is retired.
pub fn live<'a>(names: &'a [NameEntry], name: &ServiceName) -> Option<&'a NameEntry> {
    names
        .iter()
        .filter(|entry| entry.name == *name)
        .max_by_key(|entry| entry.incarnation)
        .filter(|entry| !entry.retired)
}

/// The names that a project has once `environments` are accepted: all earlier ones, those of
/// `offered` that a service uses, and `retired` where no service uses them.
pub(crate) fn settle(
    earlier: &[NameEntry],
    offered: &[NameEntry],
    environments: &Environments<'_>,
) -> Vec<NameEntry> {
    let used: BTreeSet<ServiceId> = environments
        .values()
        .flat_map(|environment| &environment.services)
        .map(|service| service.service_id)
        .collect();
    let known: BTreeSet<ServiceId> = earlier.iter().map(|entry| entry.service_id).collect();
    let new = offered
        .iter()
        .filter(|entry| used.contains(&entry.service_id) && !known.contains(&entry.service_id));
    let mut names: Vec<NameEntry> = earlier
        .iter()
        .chain(new)
        .map(|entry| NameEntry {
            retired: !used.contains(&entry.service_id),
            ..entry.clone()
        })
        .collect();
    names.sort();
    names
}

/// Why a service of the accepted environments does not fit the project's names, if any does not.
pub(crate) fn misfits<'a>(
    names: &[NameEntry],
    services: impl Iterator<Item = &'a ServiceEntry>,
) -> BTreeSet<String> {
    let mut problems = BTreeSet::new();
    for service in services {
        let known = names.iter().any(|entry| {
            entry.service_id == service.service_id
                && entry.name == service.name
                && entry.object_name == service.object_name
        });
        if !known {
            problems.insert(format!(
                "service {} would be called {} in the cluster, but the project's names do not say so",
                service.name, service.object_name
            ));
        }
    }
    problems.extend(taken_twice(names));
    problems
}

fn next_incarnation(project: ProjectId, names: &[NameEntry], name: &ServiceName) -> NameEntry {
    let earlier = names.iter().filter(|entry| entry.name == *name).count();
    let incarnation = u32::try_from(earlier).expect("a project holds fewer than 2^32 services");
    let used: BTreeSet<&ObjectName> = names.iter().map(|entry| &entry.object_name).collect();
    let object_name = (1..)
        .map(|n| ObjectName::candidate(name, n))
        .find(|candidate| !used.contains(candidate))
        .expect("there are more candidates than entries");
    NameEntry {
        name: name.clone(),
        incarnation,
        service_id: ServiceId::derive(project, name, incarnation),
        object_name,
        retired: false,
    }
}

/// Object names of two entries, and names that two live entries hold.
fn taken_twice(names: &[NameEntry]) -> Vec<String> {
    let mut problems = Vec::new();
    for (position, entry) in names.iter().enumerate() {
        for other in &names[..position] {
            if other.object_name == entry.object_name {
                problems.push(format!(
                    "services {} and {} would both be called {} in the cluster",
                    other.name, entry.name, entry.object_name
                ));
            } else if other.name == entry.name && !other.retired && !entry.retired {
                problems.push(format!(
                    "service {} would be two different services: one was removed and made anew meanwhile",
                    entry.name
                ));
            }
        }
    }
    problems
}
