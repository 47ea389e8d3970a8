//! Disks: PersistentVolumeClaims, and where they stand in a pod.
//!
//! Pure. Always holds: a claim is retained, so its data goes only by name; what a cluster calls its
//! classes stands in its profile alone. See `docs/objects.md`.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use starform_contract::{Object, VolumeName, bundle::VOLUME_LABEL, model::Volume, name};

use super::{ServiceScope, kind::Kind, labels};

pub(super) type Volumes = BTreeMap<VolumeName, Volume>;

/// One claim for each volume.
pub(super) fn claims(scope: &ServiceScope<'_>, volumes: &Volumes) -> Vec<Object> {
    volumes
        .iter()
        .map(|(volume, disk)| claim(scope, volume, disk))
        .collect()
}

/// Puts the disks into a pod, and into its only container.
pub(super) fn mount(scope: &ServiceScope<'_>, volumes: &Volumes, pod: &mut Value) {
    if volumes.is_empty() {
        return;
    }
    pod["volumes"] = volumes
        .keys()
        .map(|volume| {
            let claim = json!({ "claimName": claim_name(scope, volume) });
            json!({ "name": volume, "persistentVolumeClaim": claim })
        })
        .collect();
    pod["containers"][0]["volumeMounts"] = volumes
        .iter()
        .map(|(volume, disk)| json!({ "name": volume, "mountPath": disk.mount }))
        .collect();
    // A large disk whose root already belongs to the group is not walked through at every start.
    pod["securityContext"]["fsGroupChangePolicy"] = json!("OnRootMismatch");
}

/// `ReadWriteOnce`, which every driver knows; that one pod at a time has it is the strategy's doing.
fn claim(scope: &ServiceScope<'_>, volume: &VolumeName, disk: &Volume) -> Object {
    let mut spec = json!({
        "accessModes": ["ReadWriteOnce"],
        "resources": { "requests": { "storage": disk.size } },
        "volumeMode": "Filesystem",
    });
    if let Some(class) = class(scope, disk) {
        spec["storageClassName"] = json!(class);
    }
    let mut labels = labels::service(scope.scope.state, scope.service);
    labels.insert(VOLUME_LABEL, volume.to_string());
    scope.scope.object(
        Kind::PersistentVolumeClaim,
        &claim_name(scope, volume),
        json!(labels),
        json!({ "spec": spec }),
    )
}

/// What the cluster calls the disk's class. A name that the profile does not know is refused before
/// anything is rendered to be applied; here it is the class's own.
fn class<'a>(scope: &ServiceScope<'a>, disk: &'a Volume) -> Option<&'a str> {
    let asked = disk.class.as_deref();
    match scope.scope.profile.storage_class(asked) {
        Ok(Some(class)) => Some(&class.class),
        Ok(None) | Err(_) => asked,
    }
}

fn claim_name(scope: &ServiceScope<'_>, volume: &VolumeName) -> String {
    let environment = &scope.scope.state.environment;
    name::volume_claim(&scope.service.object_name, environment, volume)
}
