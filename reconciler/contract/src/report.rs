//! What Shuttle did and saw, about one environment of one project. No field values anywhere.
//!
//! Pure data. Idempotent by (agent instance, sequence). Health words are kstatus's.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    digest::Digest,
    id::{Generation, ProjectId, ServiceId, WorkspaceId},
    key::ObjectKey,
    name::{EnvironmentName, ServiceName},
    schema,
};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub enum ReportSchema {
    #[default]
    #[serde(rename = "starform.report/v1")]
    V1,
}

impl<'de> Deserialize<'de> for ReportSchema {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        schema::word::<Report, D>(from).map(|()| Self::V1)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    pub schema: ReportSchema,
    /// Counts up within one agent instance.
    pub sequence: u64,
    pub generation: Generation,
    /// Of the index that was applied.
    pub digest: Digest,
    pub project_id: ProjectId,
    pub environment: EnvironmentName,
    pub objects: Vec<ObjectReport>,
    pub services: Vec<ServiceReport>,
    #[serde(default)]
    pub drift: Vec<Drift>,
    /// Objects that people want left alone for a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub break_glass: Vec<BreakGlass>,
    /// Objects of ours in the cluster that neither a bundle nor a consent lists; left alone.
    #[serde(default)]
    pub orphans: Vec<ObjectKey>,
    /// Every gate of this generation passed or failed; nothing is moving any more.
    pub finished: bool,
}

/// What a report says of an environment as a whole; everybody judges by this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Moving,
    /// Everything is as it should be.
    Converged,
    /// Nothing moves any more, and something is not as it should be.
    Partial,
}

impl Report {
    pub fn verdict(&self) -> Verdict {
        if !self.finished {
            return Verdict::Moving;
        }
        let services = self.services.iter().map(|service| service.health);
        let objects = self.objects.iter().map(|object| object.health);
        let failed = services
            .chain(objects)
            .any(|health| health == Health::Failed)
            || self.objects.iter().any(|object| !object.outcome.is_good());
        if failed {
            Verdict::Partial
        } else {
            Verdict::Converged
        }
    }
}

impl Outcome {
    /// What was to be done with the object is done.
    pub const fn is_good(self) -> bool {
        match self {
            Self::Applied | Self::Unchanged | Self::Deleted | Self::Retained => true,
            Self::Failed | Self::Skipped | Self::Conflict | Self::Contested => false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectReport {
    pub key: ObjectKey,
    pub outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub health: Health,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceReport {
    pub workspace_id: WorkspaceId,
    pub project_id: ProjectId,
    pub environment: EnvironmentName,
    pub service_id: ServiceId,
    pub name: ServiceName,
    pub health: Health,
    /// What a person needs to know when it is not `Current`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Applied,
    Unchanged,
    Deleted,
    Retained,
    Failed,
    Skipped,
    Conflict,
    Contested,
}

/// kstatus's words.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum Health {
    Current,
    InProgress,
    Failed,
    Terminating,
    NotFound,
    Unknown,
}

/// An annotation of an object: what others do to it is not put right until then (RFC 3339).
pub const BREAK_GLASS_ANNOTATION: &str = "starform.io/break-glass-until";

/// An object with [`BREAK_GLASS_ANNOTATION`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BreakGlass {
    pub key: ObjectKey,
    #[serde(flatten)]
    pub suspension: Suspension,
}

/// What comes of [`BREAK_GLASS_ANNOTATION`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "suspension", rename_all = "kebab-case")]
pub enum Suspension {
    /// Correction of the object begins again by itself.
    Suspended {
        /// RFC 3339, UTC.
        until: String,
    },
    /// It is no RFC 3339 time; nothing is suspended.
    Malformed,
    /// It is more than 24 hours after it was set; nothing is suspended.
    TooLong,
}

/// As people are told.
impl fmt::Display for Suspension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let annotation = BREAK_GLASS_ANNOTATION;
        match self {
            Self::Suspended { until } => {
                write!(f, "left as it is until {until}, as {annotation} says")
            }
            Self::Malformed => write!(
                f,
                "{annotation} is not heeded, for it is no RFC 3339 time; write one such as 2026-01-31T12:00:00Z"
            ),
            Self::TooLong => write!(
                f,
                "{annotation} is not heeded, for it is more than 24 hours after it was set; set one within 24 hours from now"
            ),
        }
    }
}

/// An owned field that somebody else moved, or something added beside our fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    pub key: ObjectKey,
    /// The other field manager, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    pub kind: DriftKind,
    /// Field paths, never values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// Whether Shuttle put it right.
    pub corrected: bool,
}

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum DriftKind {
    Changed,
    Added,
    /// The whole object was gone.
    Deleted,
}
