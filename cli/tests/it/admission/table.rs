//! The rows as data: who does what to which object, and what comes of it.
//!
//! Effects: reads the file.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) identities: BTreeMap<String, Identity>,
    pub(super) objects: BTreeMap<String, Object>,
    pub(super) rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    pub(super) user: String,
    pub(super) groups: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Object {
    /// Stands in the cluster before the first row.
    pub(super) lives: bool,
    /// Path of its collection.
    pub(super) at: String,
    pub(super) body: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) who: String,
    pub(super) does: Does,
    pub(super) to: String,
    /// A subresource.
    pub(super) of: Option<String>,
    /// Merge patch: of the live object, or of what is created.
    pub(super) with: Option<Value>,
    #[serde(default)]
    pub(super) by: By,
    /// `allowed`, `rights` where RBAC refuses, or a policy without `starform-`.
    pub(super) then: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Does {
    Create,
    /// Server-side apply.
    Apply,
    /// Merge patch.
    Change,
    Delete,
    Connect,
    Read,
}

/// With which rights: RBAC decides before admission does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(super) enum By {
    #[default]
    EveryRight,
    #[serde(rename = "own rights")]
    OwnRights,
}

impl Table {
    pub(super) fn read() -> Self {
        serde_json::from_str(include_str!("../../admission/table.json")).unwrap()
    }
}
