//! The kinds that are rendered: API version, wave, and when an object may be deleted.
//!
//! Pure. One table, so that an object cannot come out in a wave that its kind does not have.

use serde_json::{Map, Value, json};
use starform_contract::{
    Deletion, Object,
    bundle::{SealedRef, Wave},
};
use std::collections::BTreeMap;

/// A kind of Kubernetes object that Starform writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Namespace,
    RoleBinding,
    ResourceQuota,
    LimitRange,
    NetworkPolicy,
    ServiceAccount,
    Secret,
    PersistentVolumeClaim,
    Job,
    Service,
    Deployment,
    CronJob,
    HorizontalPodAutoscaler,
    PodDisruptionBudget,
    HttpRoute,
}

impl Kind {
    fn api_version(self) -> &'static str {
        match self {
            Self::Namespace
            | Self::ResourceQuota
            | Self::LimitRange
            | Self::ServiceAccount
            | Self::Secret
            | Self::PersistentVolumeClaim
            | Self::Service => "v1",
            Self::RoleBinding => "rbac.authorization.k8s.io/v1",
            Self::NetworkPolicy => "networking.k8s.io/v1",
            Self::Deployment => "apps/v1",
            Self::Job | Self::CronJob => "batch/v1",
            Self::HorizontalPodAutoscaler => "autoscaling/v2",
            Self::PodDisruptionBudget => "policy/v1",
            Self::HttpRoute => "gateway.networking.k8s.io/v1",
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Namespace => "Namespace",
            Self::RoleBinding => "RoleBinding",
            Self::ResourceQuota => "ResourceQuota",
            Self::LimitRange => "LimitRange",
            Self::NetworkPolicy => "NetworkPolicy",
            Self::ServiceAccount => "ServiceAccount",
            Self::Secret => "Secret",
            Self::PersistentVolumeClaim => "PersistentVolumeClaim",
            Self::Job => "Job",
            Self::Service => "Service",
            Self::Deployment => "Deployment",
            Self::CronJob => "CronJob",
            Self::HorizontalPodAutoscaler => "HorizontalPodAutoscaler",
            Self::PodDisruptionBudget => "PodDisruptionBudget",
            Self::HttpRoute => "HTTPRoute",
        }
    }

    /// Later waves wait for the gates of earlier ones.
    fn wave(self) -> Wave {
        Wave(match self {
            Self::Namespace | Self::RoleBinding => 0,
            Self::ResourceQuota | Self::LimitRange | Self::NetworkPolicy | Self::ServiceAccount => {
                1
            }
            Self::Secret | Self::PersistentVolumeClaim => 2,
            Self::Job => 3,
            Self::Service
            | Self::Deployment
            | Self::CronJob
            | Self::HorizontalPodAutoscaler
            | Self::PodDisruptionBudget => 4,
            Self::HttpRoute => 5,
        })
    }

    fn deletion(self) -> Deletion {
        match self {
            // Everything else in the namespace is written and deleted by whom the binding names.
            Self::Namespace | Self::RoleBinding => Deletion::WithProject,
            Self::PersistentVolumeClaim => Deletion::Retain,
            Self::ResourceQuota
            | Self::LimitRange
            | Self::NetworkPolicy
            | Self::ServiceAccount
            | Self::Secret
            | Self::Job
            | Self::Service
            | Self::Deployment
            | Self::CronJob
            | Self::HorizontalPodAutoscaler
            | Self::PodDisruptionBudget
            | Self::HttpRoute => Deletion::Delete,
        }
    }
}

/// One object; `body` holds everything but apiVersion, kind, name, namespace and labels.
pub(super) fn object(
    kind: Kind,
    namespace: Option<&str>,
    name: &str,
    labels: Value,
    body: Value,
) -> Object {
    let manifest = manifest(kind, namespace, name, labels, body);
    Object::new(manifest, kind.wave(), kind.deletion())
}

/// A Secret of which Shuttle fills the `sealed` keys.
pub(super) fn sealed_secret(
    namespace: &str,
    name: &str,
    labels: Value,
    body: Value,
    sealed: BTreeMap<String, SealedRef>,
) -> Object {
    let kind = Kind::Secret;
    let manifest = manifest(kind, Some(namespace), name, labels, body);
    Object::with_sealed(manifest, kind.wave(), kind.deletion(), sealed)
}

fn manifest(kind: Kind, namespace: Option<&str>, name: &str, labels: Value, body: Value) -> Value {
    let mut manifest = match body {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            unreachable!("a manifest's body is written as a JSON object")
        }
    };
    manifest.insert("apiVersion".to_owned(), json!(kind.api_version()));
    manifest.insert("kind".to_owned(), json!(kind.as_str()));
    let metadata = manifest
        .entry("metadata")
        .or_insert_with(|| Value::Object(Map::new()));
    metadata["name"] = json!(name);
    metadata["labels"] = labels;
    if let Some(namespace) = namespace {
        metadata["namespace"] = json!(namespace);
    }
    Value::Object(manifest)
}
