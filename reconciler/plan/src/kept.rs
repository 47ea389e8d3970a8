//! Volumes that services leave behind, and changes that a volume cannot take.
//!
//! Pure. Always holds: no volume goes by being left out; it is kept, told in each plan, and goes only by
//! its name, `removed … data=destroy`. What is wanted again is not kept any more. Read on in
//! [`crate::accept::consent`] for what the agent may do.

use std::collections::BTreeSet;

use serde_json::Value;
use starform_contract::{
    Deletion, EnvironmentBundle, Kept, Object, ObjectKey, Origins, ServiceEntry, ServiceName,
    quantity::Memory,
    state::{Data, Removed},
};

use crate::{
    codes,
    crosscheck::blocking,
    document::{Finding, FindingSeverity},
};

/// `environment` with what it and its services would leave behind.
///
/// `only`: the services that the plan is about; what others left behind stays as it is.
pub(crate) fn settle(
    current: Option<&EnvironmentBundle>,
    mut environment: EnvironmentBundle,
    removed: &[Removed],
    only: Option<&BTreeSet<ServiceName>>,
) -> EnvironmentBundle {
    let wanted: BTreeSet<ObjectKey> = environment.all_objects().filter_map(Object::key).collect();
    let is_wanted = |kept: &Kept| kept.object.key().is_some_and(|key| wanted.contains(&key));
    let left: Vec<Kept> = current
        .into_iter()
        .flat_map(|current| current.kept.iter().cloned().chain(left_behind(current)))
        .filter(|kept| !is_wanted(kept))
        .filter_map(|kept| {
            let name = name_now(&environment, &kept);
            let taking_part = only.is_none_or(|only| only.contains(&name));
            let word = removed.iter().find(|word| is_meant(word, &name, &kept));
            match word.filter(|_| taking_part).map(|word| word.data) {
                None => Some(kept),
                Some(Data::Keep) => Some(Kept {
                    meant: true,
                    ..kept
                }),
                Some(Data::Destroy) => None,
            }
        })
        .collect();
    environment.kept = left;
    sort(&mut environment.kept);
    environment
}

/// By key, as bundles order them.
pub(crate) fn sort(kept: &mut [Kept]) {
    kept.sort_by_cached_key(|kept| kept.object.key());
}

/// Volumes that stay without anybody having said so: a reminder of each.
pub(crate) fn reminders(environment: &EnvironmentBundle) -> impl Iterator<Item = Finding> {
    let unsaid = environment.kept.iter().filter(|kept| !kept.meant);
    unsaid.map(|kept| {
        let name = format!("{}.{}", name_now(environment, kept), kept.volume);
        let cure = if environment.is_empty() {
            format!("`--destroy {name}` deletes it too")
        } else {
            format!(
                "write `removed volume {name} data=destroy` to delete it, `data=keep` to leave it be, or declare it again"
            )
        };
        Finding {
            code: codes::VOLUME_KEPT.code.to_owned(),
            severity: FindingSeverity::Warning,
            title: format!("the volume {name} is left behind with its data; {cure}"),
            at: None,
        }
    })
}

/// Changes of volumes that no cluster can carry out.
pub(crate) fn impossible(
    before: Option<&EnvironmentBundle>,
    after: &EnvironmentBundle,
    origins: &Origins,
) -> Vec<Finding> {
    let old = |key: &ObjectKey| {
        let before = before?;
        let kept = before.kept.iter().map(|kept| &kept.object);
        let mut objects = before.all_objects().chain(kept);
        objects.find(|object| object.key().as_ref() == Some(key))
    };
    let volumes = after.services.iter().flat_map(|entry| {
        let claims = entry.objects.iter();
        claims.filter_map(move |object| Some((entry, object.volume()?, object)))
    });
    volumes
        .filter_map(|(entry, volume, object)| {
            let before = old(&object.key()?)?;
            let path = format!("volumes.{volume}");
            let at = origins.at(&entry.name, &path);
            let name = format!("{}.{volume}", entry.name);
            shrinks(before, object, &name, at).or_else(|| moves(before, object, &name, at))
        })
        .collect()
}

fn shrinks(before: &Object, after: &Object, name: &str, at: Option<&str>) -> Option<Finding> {
    let size = |object: &Object| -> Option<Memory> {
        let size = object
            .manifest
            .pointer("/spec/resources/requests/storage")?;
        size.as_str()?.parse().ok()
    };
    let (old, new) = (size(before)?, size(after)?);
    (new < old).then(|| {
        let title = format!(
            "the volume {name} would shrink from {old} to {new}, which no disk does; leave it at {old}, or move the data to a new volume"
        );
        blocking(&codes::VOLUME_SHRINKS, title, at)
    })
}

/// A class that the cluster has chosen itself is not known here, so naming one is left to the cluster.
fn moves(before: &Object, after: &Object, name: &str, at: Option<&str>) -> Option<Finding> {
    let class = |object: &Object| {
        let class = object.manifest.pointer("/spec/storageClassName");
        class.and_then(Value::as_str).map(str::to_owned)
    };
    let (old, new) = (class(before)?, class(after));
    (new.as_ref() != Some(&old)).then(|| {
        let new = new.unwrap_or_else(|| "the cluster's default".to_owned());
        let title = format!(
            "the volume {name} would move from the storage class {old} to {new}, which no disk does; move the data to a new volume"
        );
        blocking(&codes::VOLUME_MOVES, title, at)
    })
}

/// What the services of `current` hold that outlives them.
fn left_behind(current: &EnvironmentBundle) -> impl Iterator<Item = Kept> {
    let of_service = |entry: &ServiceEntry| -> Vec<Kept> {
        let data = entry.objects.iter();
        data.filter(|object| object.deletion == Deletion::Retain)
            .filter_map(|object| {
                Some(Kept {
                    service_id: entry.service_id,
                    service: entry.name.clone(),
                    volume: object.volume()?,
                    meant: false,
                    object: object.clone(),
                })
            })
            .collect()
    };
    current.services.iter().flat_map(of_service)
}

/// What the service is called now, where it goes on under another name.
fn name_now(environment: &EnvironmentBundle, kept: &Kept) -> ServiceName {
    environment
        .service_of_id(kept.service_id)
        .map_or_else(|| kept.service.clone(), |entry| entry.name.clone())
}

fn is_meant(word: &Removed, service: &ServiceName, kept: &Kept) -> bool {
    word.service == *service
        && word
            .volume
            .as_ref()
            .is_none_or(|volume| *volume == kept.volume)
}
