//! One environment of one project as the language resolved it, before it is rendered.
//!
//! Pure data: `emit` makes it, `render` consumes it, [`crate::bundle`] carries what came out.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    bundle::NameEntry,
    id::{ProjectId, ServiceId, WorkspaceId},
    model::{ServiceModel, Variable},
    name::{EnvironmentName, GroupName, ObjectName, ProjectName, ServiceName, VolumeName},
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentState {
    pub workspace_id: WorkspaceId,
    /// Its name, for people who read the Namespace.
    pub workspace: String,
    pub project_id: ProjectId,
    pub project: ProjectName,
    /// Name of the workspace's tier; the cluster profile maps it to quotas.
    pub tier: String,
    pub environment: EnvironmentName,
    /// A preview environment; known by this flag, never by its name.
    pub ephemeral: bool,
    pub drift: DriftPolicy,
    /// Whether the environment asks for an approval of plans that delete, replace or widen.
    pub protect: bool,
    /// Var Groups that at least one service of the environment uses.
    pub groups: BTreeMap<GroupName, BTreeMap<String, Variable>>,
    /// Every incarnation of a service that the project has had or now has.
    pub names: Vec<NameEntry>,
    /// Ordered by name.
    pub services: Vec<ServiceState>,
    /// What the project says goodbye to, in every environment alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<Removed>,
}

/// A service with all its volumes, or one volume of it, that is gone on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    pub service: ServiceName,
    /// `None`: all of them.
    pub volume: Option<VolumeName>,
    pub data: Data,
}

/// What becomes of what a volume holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Data {
    /// It stays in the cluster, and nobody manages it.
    Keep,
    Destroy,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceState {
    pub service_id: ServiceId,
    pub name: ServiceName,
    pub object_name: ObjectName,
    pub model: ServiceModel,
}

/// What Shuttle does about an owned field that somebody changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DriftPolicy {
    #[default]
    Correct,
    Report,
}

/// Where each value of a service came from: service, then model path (`scale.max`), then
/// `FILE:LINE:COLUMN`. Kept beside the state, never inside it, so that moving a line changes no digest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origins(pub BTreeMap<ServiceName, BTreeMap<String, String>>);

impl Origins {
    /// The place of `path` itself or of the nearest path above it (`scale` for `scale.max`), last the
    /// service's own node (path ``).
    pub fn at(&self, service: &ServiceName, path: &str) -> Option<&str> {
        let places = self.0.get(service)?;
        let mut path = path;
        loop {
            if let Some(place) = places.get(path) {
                return Some(place);
            }
            path = match path.rfind(['.', '[']) {
                Some(end) => &path[..end],
                None if path.is_empty() => return None,
                None => "",
            };
        }
    }
}
