//! What is applied together and what waits for what: units, gates per kind, which kinds may be replaced.
//!
//! Pure data. Always holds: a project's own objects come before an environment's, those before its
//! services; services never wait for each other. Waves themselves stand in the bundle.

use std::collections::BTreeMap;

use starform_contract::{EnvironmentName, ObjectKey, ProjectId, ServiceId};
use uuid::Uuid;

use super::io::Owner;

/// Objects that succeed or fail together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnitKey {
    Project(ProjectId),
    Environment(ProjectId, EnvironmentName),
    Service(ProjectId, EnvironmentName, ServiceId),
}

/// What an object's kind must reach before the next wave of its unit begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GateKind {
    Exists,
    /// A Deployment is available at its new revision.
    Available,
    /// A Job is complete.
    Complete,
}

/// No environment's name sorts before it: `-` does not begin one.
const LEAST_NAME: &str = "0";

const GATES: [(&str, &str, GateKind); 2] = [
    ("apps", "Deployment", GateKind::Available),
    ("batch", "Job", GateKind::Complete),
];

/// A PVC holds data, an HTTPRoute's name carries identity: neither is ever replaced.
const REPLACEABLE: [(&str, &str); 3] = [("batch", "Job"), ("", "Service"), ("apps", "Deployment")];

pub(super) fn gate_kind(key: &ObjectKey) -> GateKind {
    GATES
        .iter()
        .find(|(group, kind, _)| is(key, group, kind))
        .map_or(GateKind::Exists, |(_, _, gate)| *gate)
}

pub(super) fn replaceable(key: &ObjectKey) -> bool {
    REPLACEABLE.iter().any(|(group, kind)| is(key, group, kind))
}

pub(super) fn is(key: &ObjectKey, group: &str, kind: &str) -> bool {
    key.group == group && key.kind == kind
}

impl UnitKey {
    pub fn project(&self) -> ProjectId {
        match self {
            Self::Project(project)
            | Self::Environment(project, _)
            | Self::Service(project, _, _) => *project,
        }
    }

    pub fn environment(&self) -> Option<&EnvironmentName> {
        match self {
            Self::Project(_) => None,
            Self::Environment(_, environment) | Self::Service(_, environment, _) => {
                Some(environment)
            }
        }
    }

    /// The unit that has to pass first.
    pub fn parent(&self) -> Option<Self> {
        match self {
            Self::Project(_) => None,
            Self::Environment(project, _) => Some(Self::Project(*project)),
            Self::Service(project, environment, _) => {
                Some(Self::Environment(*project, environment.clone()))
            }
        }
    }

    /// Whether `other` is this unit or one that waits for it.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match self {
            Self::Project(project) => other.project() == *project,
            Self::Environment(project, environment) => {
                other.project() == *project && other.environment() == Some(environment)
            }
            Self::Service(..) => self == other,
        }
    }

    /// This unit and those that wait for it: a few ranges instead of a walk over every unit.
    pub(super) fn covered<'a, T>(&self, all: &'a BTreeMap<Self, T>) -> Vec<(&'a Self, &'a T)> {
        let first = ServiceId::new(Uuid::nil());
        let starts = match self {
            Self::Service(..) => vec![self.clone()],
            Self::Environment(project, name) => {
                vec![self.clone(), Self::Service(*project, name.clone(), first)]
            }
            Self::Project(project) => {
                let least = EnvironmentName::new(LEAST_NAME).expect("it is a label");
                vec![
                    self.clone(),
                    Self::Environment(*project, least.clone()),
                    Self::Service(*project, least, first),
                ]
            }
        };
        starts
            .into_iter()
            .flat_map(|start| {
                let rank = start.rank();
                all.range(start..)
                    .take_while(move |(unit, _)| unit.rank() == rank && self.covers(unit))
            })
            .collect()
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Project(_) => 0,
            Self::Environment(..) => 1,
            Self::Service(..) => 2,
        }
    }

    /// Where labels say that an object belongs; `None` when they do not say a project.
    pub(super) fn of(
        project: Option<ProjectId>,
        environment: Option<&str>,
        service: Option<ServiceId>,
    ) -> Option<Self> {
        let project = project?;
        let environment = environment.and_then(|name| EnvironmentName::new(name).ok());
        Some(match (environment, service) {
            (Some(environment), Some(service)) => Self::Service(project, environment, service),
            (Some(environment), None) => Self::Environment(project, environment),
            (None, _) => Self::Project(project),
        })
    }

    pub(super) fn of_owner(owner: &Owner) -> Option<Self> {
        Self::of(owner.project, owner.environment.as_deref(), owner.service)
    }
}
