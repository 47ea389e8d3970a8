//! Which incarnation of a service holds a name, and what its Kubernetes objects are called.
//!
//! Pure. Always holds: entries are never removed, an object name is never given to a second
//! service, and equal accepted state gives equal ids. A service that is renamed has an entry for each
//! of its names, all with its one id and object name.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{NameEntry, ObjectName, ProjectId, ServiceEntry, ServiceId, ServiceName};

use crate::{accepted::AcceptedProject, accepted::Environments};

/// The project's names with an entry in use for each of `services`, by name, then incarnation.
///
/// The live entry of a name is reused; a name without one gets the next incarnation, and the first
/// object name of `name`, `name-2`, … that no entry ever had. A name that `former` says was another one
/// goes on with the live entry of that one, if there is one.
pub fn bind_names(
    project: ProjectId,
    accepted: &AcceptedProject,
    services: &[ServiceName],
    former: &BTreeMap<ServiceName, ServiceName>,
) -> Vec<NameEntry> {
    let mut names = accepted.names().to_vec();
    let wanted: BTreeSet<&ServiceName> = services.iter().collect();
    for name in wanted {
        if live(&names, name).is_some() {
            continue;
        }
        let was = former.get(name).and_then(|old| live(&names, old)).cloned();
        match was {
            Some(was) => rename(&mut names, name, &was),
            None => names.push(next_incarnation(project, &names, name)),
        }
    }
    names.sort();
    names
}

/// The entry that holds `name` now: of those that are not retired the highest incarnation.
pub fn live<'a>(names: &'a [NameEntry], name: &ServiceName) -> Option<&'a NameEntry> {
    names
        .iter()
        .filter(|entry| entry.name == *name && !entry.retired)
        .max_by_key(|entry| entry.incarnation)
}

/// The names that a project has once `environments` are accepted: all earlier ones, those of
/// `offered` that a service uses, and `retired` where no service uses them.
pub(crate) fn settle(
    earlier: &[NameEntry],
    offered: &[NameEntry],
    environments: &Environments<'_>,
) -> Vec<NameEntry> {
    let used: BTreeSet<(&ServiceName, ServiceId)> = environments
        .values()
        .flat_map(|environment| &environment.services)
        .map(|service| (&service.name, service.service_id))
        .collect();
    let known: BTreeSet<(&ServiceName, ServiceId)> = earlier.iter().map(holder).collect();
    let new = offered
        .iter()
        .filter(|entry| used.contains(&holder(entry)) && !known.contains(&holder(entry)));
    let mut names: Vec<NameEntry> = earlier
        .iter()
        .chain(new)
        .map(|entry| NameEntry {
            retired: !used.contains(&holder(entry)),
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
    let known: BTreeSet<_> = names
        .iter()
        .map(|entry| (&entry.name, entry.service_id, &entry.object_name))
        .collect();
    let mut problems = BTreeSet::new();
    for service in services {
        let wanted = (&service.name, service.service_id, &service.object_name);
        if !known.contains(&wanted) {
            problems.insert(format!(
                "service {} would be called {} in the cluster, but the project's names do not say so",
                service.name, service.object_name
            ));
        }
    }
    problems.extend(taken_twice(names));
    problems
}

/// What an entry is about: a service under one of its names.
fn holder(entry: &NameEntry) -> (&ServiceName, ServiceId) {
    (&entry.name, entry.service_id)
}

/// Gives the service of `was` another name: a new one, or one that it had before.
fn rename(names: &mut Vec<NameEntry>, name: &ServiceName, was: &NameEntry) {
    let mut again = names.iter_mut();
    match again.find(|entry| holder(entry) == (name, was.service_id)) {
        Some(entry) => entry.retired = false,
        None => names.push(NameEntry {
            name: name.clone(),
            incarnation: incarnation(names, name),
            ..was.clone()
        }),
    }
}

/// How many services ever had the name.
fn incarnation(names: &[NameEntry], name: &ServiceName) -> u32 {
    let earlier = names.iter().filter(|entry| entry.name == *name).count();
    u32::try_from(earlier).expect("a project holds fewer than 2^32 services")
}

fn next_incarnation(project: ProjectId, names: &[NameEntry], name: &ServiceName) -> NameEntry {
    let incarnation = incarnation(names, name);
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
    if are_distinct(names) {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for (position, entry) in names.iter().enumerate() {
        for other in &names[..position] {
            if other.object_name == entry.object_name && other.service_id != entry.service_id {
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

/// Each object name is of one service, each live name of one entry: there is nothing to tell.
fn are_distinct(names: &[NameEntry]) -> bool {
    let mut holders = BTreeMap::new();
    let mut live = BTreeSet::new();
    names.iter().all(|entry| {
        let holder = holders
            .entry(&entry.object_name)
            .or_insert(entry.service_id);
        *holder == entry.service_id && (entry.retired || live.insert(&entry.name))
    })
}
