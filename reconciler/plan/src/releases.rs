//! Which attempt at a release a plan is: an equal release keeps the attempt that is accepted.
//!
//! Pure. Always holds: a plan never starts another attempt by itself; only a person's word does, for the
//! services that it names. Read on in [`crate::render`] for what makes two releases equal.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use starform_contract::{
    EnvironmentBundle, EnvironmentName, Object, ServiceEntry, ServiceId, ServiceName,
    model::Release, name,
};

use crate::merge;

/// `wanted`, with the attempts that `current` has come to; one more for the services of `again`.
pub(crate) fn settle(
    current: Option<&EnvironmentBundle>,
    mut wanted: EnvironmentBundle,
    again: &BTreeSet<ServiceName>,
) -> EnvironmentBundle {
    let environment = wanted.environment.clone();
    let services = current.map_or(&[] as &[_], |current| &current.services);
    let current: BTreeMap<ServiceId, &ServiceEntry> = services
        .iter()
        .rev()
        .map(|entry| (entry.service_id, entry))
        .collect();
    let releases = wanted.services.iter_mut();
    for entry in releases.filter(|entry| entry.model.get("release").is_some()) {
        let Some(runs_now) = runs(entry) else {
            continue;
        };
        let former = current.get(&entry.service_id);
        if let Some(former) = former.filter(|former| runs(former).as_ref() == Some(&runs_now)) {
            let attempt = attempt(former) + u32::from(again.contains(&entry.name));
            try_as(entry, &environment, attempt);
        }
    }
    wanted
}

fn job(entry: &ServiceEntry) -> Option<usize> {
    entry
        .objects
        .iter()
        .position(|object| object.release().is_some())
}

fn runs(entry: &ServiceEntry) -> Option<starform_contract::Digest> {
    entry.objects[job(entry)?].release()
}

fn attempt(entry: &ServiceEntry) -> u32 {
    let attempt = entry.model.pointer("/release/attempt");
    attempt
        .and_then(Value::as_u64)
        .and_then(|attempt| u32::try_from(attempt).ok())
        .unwrap_or(Release::FIRST_ATTEMPT)
}

fn try_as(entry: &mut ServiceEntry, environment: &EnvironmentName, attempt: u32) {
    let (Some(place), Some(runs)) = (job(entry), runs(entry)) else {
        return;
    };
    if let Some(release) = entry
        .model
        .get_mut("release")
        .and_then(Value::as_object_mut)
    {
        if attempt == Release::FIRST_ATTEMPT {
            release.remove("attempt");
        } else {
            release.insert("attempt".to_owned(), json!(attempt));
        }
    }
    let object = &mut entry.objects[place];
    let mut manifest = object.manifest.clone();
    manifest["metadata"]["name"] = json!(name::release_job(
        &entry.object_name,
        environment,
        &runs,
        attempt
    ));
    *object = Object::new(manifest, object.wave, object.deletion);
    merge::sort(&mut entry.objects);
}
