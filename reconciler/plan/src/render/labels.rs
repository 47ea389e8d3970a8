//! Labels and selectors. The system breaks if one is missing: telemetry, billing's identity,
//! NetworkPolicies and Shuttle's watches read them.
//!
//! Pure. Always holds: every value is a valid label value; [`selector`] is part of [`workload`]'s
//! labels. A selector cannot change once its Deployment exists, so neither may its keys.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use starform_contract::{EnvironmentState, ServiceId, ServiceState, digest::short_hex, name};

pub(super) const PROJECT_ID: &str = "starform.io/project-id";
pub(super) const ENVIRONMENT: &str = "starform.io/environment";
pub(super) const SERVICE_ID: &str = "starform.io/service-id";
const ROLE: &str = "starform.io/role";

pub(super) type Labels = BTreeMap<&'static str, String>;

/// Why a pod runs; a release Job's pod must never get traffic or count for a disruption budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Serve,
    Release,
    Cron,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Release => "release",
            Self::Cron => "cron",
        }
    }
}

/// Of an object that belongs to the whole project.
pub(super) fn project(state: &EnvironmentState) -> Labels {
    BTreeMap::from([
        ("app.kubernetes.io/managed-by", "starform".to_owned()),
        ("app.kubernetes.io/part-of", state.project.to_string()),
        ("starform.io/workspace-id", state.workspace_id.to_string()),
        (PROJECT_ID, state.project_id.to_string()),
        ("starform.io/project-name", state.project.to_string()),
        ("starform.io/tier", label_value(&state.tier)),
    ])
}

/// Of an object that belongs to one environment.
pub(super) fn environment(state: &EnvironmentState) -> Labels {
    let mut labels = project(state);
    labels.insert(ENVIRONMENT, state.environment.to_string());
    labels.insert("starform.io/ephemeral", state.ephemeral.to_string());
    labels
}

/// Of an object that belongs to one service.
pub(super) fn service(state: &EnvironmentState, service: &ServiceState) -> Labels {
    let kind = service.model.kind().as_str();
    let instance = name::service_object(&service.object_name, &state.environment);
    let observed = service.model.observability;
    let mut labels = environment(state);
    labels.insert("app.kubernetes.io/name", service.name.to_string());
    labels.insert("app.kubernetes.io/instance", instance);
    labels.insert("app.kubernetes.io/component", kind.to_owned());
    labels.insert(SERVICE_ID, service.service_id.to_string());
    labels.insert("starform.io/service-name", service.name.to_string());
    labels.insert("starform.io/service-type", kind.to_owned());
    labels.insert("starform.io/observability-enabled", observed.to_string());
    labels
}

/// Of a service's pods, and of the objects that are about pods of one role.
pub(super) fn workload(state: &EnvironmentState, owner: &ServiceState, role: Role) -> Labels {
    let mut labels = service(state, owner);
    labels.insert(ROLE, role.as_str().to_owned());
    labels
}

/// Selects the pods of one service that serve.
pub(super) fn selector(state: &EnvironmentState, service: &ServiceState) -> Value {
    json!({
        PROJECT_ID: state.project_id,
        ENVIRONMENT: state.environment,
        SERVICE_ID: service.service_id,
        ROLE: Role::Serve.as_str(),
    })
}

/// Selects every pod of the environment.
pub(super) fn environment_selector(state: &EnvironmentState) -> Value {
    json!({ PROJECT_ID: state.project_id, ENVIRONMENT: state.environment })
}

/// Selects every pod of one service, whatever its role.
pub(super) fn service_selector(state: &EnvironmentState, service: ServiceId) -> Value {
    json!({
        PROJECT_ID: state.project_id,
        ENVIRONMENT: state.environment,
        SERVICE_ID: service,
    })
}

/// The text itself where it is a label value, otherwise a stem of it and a hash.
fn label_value(text: &str) -> String {
    const LIMIT: usize = 63;
    let edge = |b: Option<u8>| b.is_none_or(|b| b.is_ascii_alphanumeric());
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let bytes = text.as_bytes();
    let valid = edge(bytes.first().copied()) && edge(bytes.last().copied());
    if valid && bytes.len() <= LIMIT && text.bytes().all(inner) {
        return text.to_owned();
    }
    let stem: String = text
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(LIMIT - 9)
        .collect();
    let hash = short_hex(text, 8);
    if stem.is_empty() {
        hash
    } else {
        format!("{stem}-{hash}")
    }
}
