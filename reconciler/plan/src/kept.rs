//! Volumes that services leave behind, and changes that a volume cannot take.
//!
//! Pure. Always holds: no volume goes by being left out; it is kept, told in each plan, and goes only by
//! its name, `removed … data=destroy`. What is wanted again is not kept any more. Read on in
//! [`crate::accept::consent`] for what the agent may do.

use std::{
    cell::LazyCell,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::Value;
use starform_contract::{
    Deletion, EnvironmentBundle, Kept, KeyRef, Object, Origins, ProjectBundle, ServiceEntry,
    ServiceName,
    quantity::Memory,
    state::{Data, Removed},
};

use crate::{
    accepted::Environments,
    codes,
    crosscheck::blocking,
    document::{Finding, FindingSeverity},
    pairs::Compared,
    words::Service,
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
    let kept = current.into_iter().flat_map(|current| {
        let earlier = current.kept.iter().cloned();
        earlier.chain(left_behind(current))
    });
    let kept: Vec<Kept> = kept.collect();
    if kept.is_empty() {
        environment.kept = kept;
        return environment;
    }
    let wanted: BTreeSet<KeyRef<'_>> = environment
        .all_objects()
        .filter_map(Object::key_ref)
        .collect();
    let is_wanted = |kept: &Kept| {
        kept.object
            .key_ref()
            .is_some_and(|key| wanted.contains(&key))
    };
    let left: Vec<Kept> = kept
        .into_iter()
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

/// `environment` with each volume whose class the cluster has chosen left in that class: which it is, is
/// not known here, and a claim with another one would be refused for ever.
pub(crate) fn settle_classes(
    current: Option<&EnvironmentBundle>,
    mut environment: EnvironmentBundle,
) -> EnvironmentBundle {
    let mut services = environment.services.iter();
    if !services.any(|entry| entry.model.get("volumes").is_some()) {
        return environment;
    }
    let unnamed: BTreeSet<KeyRef<'_>> = current
        .into_iter()
        .flat_map(EnvironmentBundle::all_objects)
        .chain(
            current
                .into_iter()
                .flat_map(|now| now.kept.iter().map(|kept| &kept.object)),
        )
        .filter(|object| object.volume().is_some() && class(object).is_none())
        .filter_map(Object::key_ref)
        .collect();
    if unnamed.is_empty() {
        return environment;
    }
    let services = environment.services.iter_mut();
    for object in services.flat_map(|service| &mut service.objects) {
        if object.key_ref().is_some_and(|key| unnamed.contains(&key)) {
            *object = without_class(object);
        }
    }
    environment
}

/// The words of volumes that say a class, where the cluster has chosen one already.
pub(crate) fn idle_classes(services: &[Service<'_>], origins: &Origins) -> Vec<Finding> {
    let of_service = |service: &Service<'_>| -> Vec<Finding> {
        let Service { entry, words } = service;
        let Some(words) = words.volumes else {
            return Vec::new();
        };
        let claims = entry
            .objects
            .iter()
            .filter(|object| class(object).is_none());
        let volumes = claims.filter_map(Object::volume);
        let said = volumes.filter(|volume| {
            let volume = words.get(volume.as_str());
            let class = volume.and_then(|volume| volume.get("class"));
            class.is_some_and(|class| !class.is_null())
        });
        said.map(|volume| Finding {
            code: codes::VOLUME_MOVES.code.to_owned(),
            severity: FindingSeverity::Warning,
            title: format!(
                "the volume {}.{volume} stays in the storage class that the cluster chose when it was made; leave `class` out, or move the data to a new volume",
                entry.name
            ),
            at: origins.at(&entry.name, &format!("volumes.{volume}")).map(str::to_owned),
        })
        .collect()
    };
    services.iter().flat_map(of_service).collect()
}

/// By key, as bundles order them.
pub(crate) fn sort(kept: &mut [Kept]) {
    kept.sort_by_cached_key(|kept| kept.object.key());
}

/// Every volume of `current`, in use or kept, as `removed` in the files of `environment` would name it.
pub(crate) fn volumes(
    current: Option<&EnvironmentBundle>,
    environment: &EnvironmentBundle,
) -> BTreeSet<String> {
    let current = current.into_iter();
    let all = current.flat_map(|current| current.kept.iter().cloned().chain(left_behind(current)));
    all.map(|kept| called(environment, &kept)).collect()
}

/// Volumes that stay without anybody having said so, as `removed` names them.
pub(crate) fn unsaid(environment: &EnvironmentBundle) -> BTreeSet<String> {
    let unsaid = environment.kept.iter().filter(|kept| !kept.meant);
    unsaid.map(|kept| called(environment, kept)).collect()
}

/// Volumes that stay without anybody having said so: a reminder of each.
pub(crate) fn reminders(environment: &EnvironmentBundle) -> impl Iterator<Item = Finding> {
    let unsaid = environment.kept.iter().filter(|kept| !kept.meant);
    unsaid.map(|kept| {
        let name = called(environment, kept);
        let volume = described(environment, kept, &name);
        let cure = if environment.is_empty() {
            format!(
                "add `--destroy {name}` to delete it too, or later run `starform environment delete {} --destroy {name}`",
                environment.environment
            )
        } else if is_declared(environment, &name) {
            format!(
                "write `removed volume {name} data=destroy` to delete it, or `data=keep` to leave it be; the volume {name} that is declared is another one and stays"
            )
        } else {
            format!(
                "write `removed volume {name} data=destroy` to delete it, `data=keep` to leave it be, or declare it again"
            )
        };
        let title = format!("the volume {volume} is left behind with its data; {cure}");
        warning(title)
    })
}

/// With its claim's name where `name` is also another volume's.
fn described(environment: &EnvironmentBundle, kept: &Kept, name: &str) -> String {
    let all = environment.kept.iter();
    let alike = all.filter(|other| called(environment, other) == name);
    match kept.object.key() {
        Some(key) if alike.count() > 1 || is_declared(environment, name) => {
            format!("{name} ({})", key.name)
        }
        Some(_) | None => name.to_owned(),
    }
}

fn is_declared(environment: &EnvironmentBundle, name: &str) -> bool {
    environment.services.iter().any(|entry| {
        let mut volumes = entry.objects.iter().filter_map(Object::volume);
        volumes.any(|volume| format!("{}.{volume}", entry.name) == name)
    })
}

/// Of a project that ends: the volumes for which its Namespace stays.
pub(crate) fn keeping_the_namespace(
    project: &ProjectBundle,
    environments: &Environments<'_>,
) -> Option<Finding> {
    let kept = environments.iter().flat_map(|(name, environment)| {
        let kept = environment.kept.iter();
        kept.map(move |kept| format!("{} of {name}", called(environment, kept)))
    });
    let kept: Vec<String> = kept.collect();
    (project.objects.is_empty() && !kept.is_empty()).then(|| {
        warning(format!(
            "the Namespace {} stays as long as volumes are left behind in it: {}",
            project.namespace,
            kept.join(", ")
        ))
    })
}

fn warning(title: String) -> Finding {
    Finding {
        code: codes::VOLUME_KEPT.code.to_owned(),
        severity: FindingSeverity::Warning,
        title,
        at: None,
    }
}

/// Changes of volumes that no cluster can carry out.
pub(crate) fn impossible(
    before: Option<&EnvironmentBundle>,
    after: &EnvironmentBundle,
    compared: &Compared<'_>,
    origins: &Origins,
) -> Vec<Finding> {
    // The first one of a key counts: what is collected last stands.
    let old = LazyCell::new(|| {
        let kept = before.into_iter().flat_map(|before| &before.kept);
        let kept = kept.map(|kept| &kept.object);
        let objects = before.into_iter().flat_map(EnvironmentBundle::all_objects);
        let objects: Vec<&Object> = objects.chain(kept).collect();
        let keyed = objects.into_iter().rev();
        keyed
            .filter_map(|object| Some((object.key_ref()?, object)))
            .collect::<BTreeMap<KeyRef<'_>, &Object>>()
    });
    let changed = after.services.iter();
    let changed = changed.filter(|entry| !compared.stays(entry));
    let volumes = changed.flat_map(|entry| {
        let claims = entry.objects.iter();
        claims.filter_map(move |object| Some((entry, object.volume()?, object)))
    });
    volumes
        .filter_map(|(entry, volume, object)| {
            let before = *old.get(&object.key_ref()?)?;
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

fn moves(before: &Object, after: &Object, name: &str, at: Option<&str>) -> Option<Finding> {
    let (old, new) = (class(before)?, class(after));
    (new != Some(old)).then(|| {
        let new = new.unwrap_or("the cluster's default");
        let title = format!(
            "the volume {name} would move from the storage class {old} to {new}, which no disk does; move the data to a new volume"
        );
        blocking(&codes::VOLUME_MOVES, title, at)
    })
}

/// `None`: the cluster chooses, when the disk is made.
fn class(claim: &Object) -> Option<&str> {
    let class = claim.manifest.pointer("/spec/storageClassName");
    class.and_then(Value::as_str)
}

fn without_class(claim: &Object) -> Object {
    let mut manifest = claim.manifest.clone();
    if let Some(spec) = manifest.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("storageClassName");
    }
    Object::with_sealed(manifest, claim.wave, claim.deletion, claim.sealed.clone())
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

fn called(environment: &EnvironmentBundle, kept: &Kept) -> String {
    format!("{}.{}", name_now(environment, kept), kept.volume)
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
