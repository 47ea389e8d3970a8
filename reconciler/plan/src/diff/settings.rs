//! What an environment and a project are themselves, beside their services and objects.
//!
//! Pure. A table of fields: the plan shows each that changes, and an accept takes exactly those over.

use serde_json::Value;
use starform_contract::{EnvironmentBundle, ProjectBundle};

use crate::document::ModelChange;

/// A field of a bundle: how a plan calls it, how it is read, how it is taken from another bundle.
pub(crate) struct Setting<B> {
    pub(crate) path: &'static str,
    /// Whether rendered objects follow from it.
    pub(crate) shapes_objects: bool,
    pub(crate) read: fn(&B) -> Value,
    pub(crate) take: fn(&mut B, &B),
}

pub(crate) const ENVIRONMENT: [Setting<EnvironmentBundle>; 6] = [
    Setting {
        path: "drift",
        shapes_objects: false,
        read: |bundle| serde_json::to_value(bundle.drift).expect("a word always serialises"),
        take: |bundle, from| bundle.drift = from.drift,
    },
    Setting {
        path: "ephemeral",
        shapes_objects: true,
        read: |bundle| bundle.ephemeral.into(),
        take: |bundle, from| bundle.ephemeral = from.ephemeral,
    },
    Setting {
        path: "namespace",
        shapes_objects: true,
        read: |bundle| bundle.namespace.clone().into(),
        take: |bundle, from| bundle.namespace.clone_from(&from.namespace),
    },
    Setting {
        path: "project",
        shapes_objects: true,
        read: |bundle| bundle.project.as_str().into(),
        take: |bundle, from| bundle.project.clone_from(&from.project),
    },
    Setting {
        path: "protect",
        shapes_objects: false,
        read: |bundle| bundle.protect.into(),
        take: |bundle, from| bundle.protect = from.protect,
    },
    Setting {
        path: "tier",
        shapes_objects: true,
        read: |bundle| bundle.tier.clone().into(),
        take: |bundle, from| bundle.tier.clone_from(&from.tier),
    },
];

/// Called `project.…`, so that one list of a plan holds both.
pub(crate) const PROJECT: [Setting<ProjectBundle>; 3] = [
    Setting {
        path: "project.name",
        shapes_objects: true,
        read: |bundle| bundle.project.as_str().into(),
        take: |bundle, from| bundle.project.clone_from(&from.project),
    },
    Setting {
        path: "project.namespace",
        shapes_objects: true,
        read: |bundle| bundle.namespace.clone().into(),
        take: |bundle, from| bundle.namespace.clone_from(&from.namespace),
    },
    Setting {
        path: "project.tier",
        shapes_objects: true,
        read: |bundle| bundle.tier.clone().into(),
        take: |bundle, from| bundle.tier.clone_from(&from.tier),
    },
];

/// What differs, in the table's order; everything is new where there was nothing.
pub(crate) fn between<B>(table: &[Setting<B>], before: Option<&B>, after: &B) -> Vec<ModelChange> {
    table
        .iter()
        .filter_map(|setting| {
            let (old, new) = (before.map(setting.read), (setting.read)(after));
            (old.as_ref() != Some(&new)).then(|| ModelChange {
                path: setting.path.to_owned(),
                before: old,
                after: Some(new),
                at: None,
            })
        })
        .collect()
}

/// Whether one of the changed settings shapes objects.
pub(crate) fn shape_objects<B>(table: &[Setting<B>], changes: &[ModelChange]) -> bool {
    table.iter().any(|setting| {
        setting.shapes_objects && changes.iter().any(|change| change.path == setting.path)
    })
}
