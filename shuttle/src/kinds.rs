//! Which kinds Starform emits, and where the API server serves them.
//!
//! Pure data. Always holds: every kind that a bundle may contain is one row; adding a kind to
//! Starform adds a row here, and with it a watch. Read on in `watch.rs` and `cluster.rs`.

use kube::core::{ApiResource, GroupVersionKind};
use starform_contract::ObjectKey;

/// One row: a kind and its REST resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Empty for the core group.
    pub group: &'static str,
    pub version: &'static str,
    pub kind: &'static str,
    pub plural: &'static str,
    pub namespaced: bool,
    pub watch: Watch,
    pub writer: Writer,
    pub propagation: Propagation,
}

/// How an object of the kind takes along what it owns when it is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// It goes at once, the rest after it.
    Background,
    /// It is there until the rest is gone.
    Foreground,
}

/// Who reads and writes single objects of the kind; see `access.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// The agent as itself: what a project's applier has to have before it can act.
    Agent,
    /// The applier of the project.
    Applier,
}

/// How much of an object its watch carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// `PartialObjectMetadata`: enough for everything but health.
    Metadata,
    /// The same, in each project's namespace as its applier: RBAC cannot grant metadata alone, and
    /// nobody has a right to read this kind everywhere.
    MetadataPerNamespace,
    /// The whole object: its health stands in its status.
    Whole,
    /// No watch: the kind is not emitted yet.
    Off,
}

/// The object is of a kind that this version does not write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this starform-shuttle does not know the kind of `{0}`; a newer one is needed")]
pub struct UnknownKind(pub ObjectKey);

const fn row(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    watch: Watch,
) -> Kind {
    Kind {
        group,
        version,
        kind,
        plural,
        namespaced: true,
        watch,
        writer: Writer::Applier,
        propagation: Propagation::Background,
    }
}

/// Every kind, in the order in which their waves are written.
pub const KINDS: [Kind; 16] = [
    Kind {
        namespaced: false,
        writer: Writer::Agent,
        ..row("", "v1", "Namespace", "namespaces", Watch::Metadata)
    },
    Kind {
        writer: Writer::Agent,
        ..row(
            "rbac.authorization.k8s.io",
            "v1",
            "RoleBinding",
            "rolebindings",
            Watch::Metadata,
        )
    },
    row("", "v1", "ResourceQuota", "resourcequotas", Watch::Metadata),
    row("", "v1", "LimitRange", "limitranges", Watch::Metadata),
    row(
        "networking.k8s.io",
        "v1",
        "NetworkPolicy",
        "networkpolicies",
        Watch::Metadata,
    ),
    row(
        "",
        "v1",
        "ServiceAccount",
        "serviceaccounts",
        Watch::Metadata,
    ),
    row("", "v1", "Secret", "secrets", Watch::MetadataPerNamespace),
    row("", "v1", "ConfigMap", "configmaps", Watch::Off),
    row(
        "",
        "v1",
        "PersistentVolumeClaim",
        "persistentvolumeclaims",
        Watch::Metadata,
    ),
    Kind {
        // Whoever waits for the end of a release waits for that of its pods.
        propagation: Propagation::Foreground,
        ..row("batch", "v1", "Job", "jobs", Watch::Whole)
    },
    row("", "v1", "Service", "services", Watch::Metadata),
    row("apps", "v1", "Deployment", "deployments", Watch::Whole),
    row("batch", "v1", "CronJob", "cronjobs", Watch::Metadata),
    row(
        "autoscaling",
        "v2",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        Watch::Whole,
    ),
    row(
        "policy",
        "v1",
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        Watch::Metadata,
    ),
    row(
        "gateway.networking.k8s.io",
        "v1",
        "HTTPRoute",
        "httproutes",
        Watch::Whole,
    ),
];

/// The row of an object's kind.
///
/// # Errors
/// [`UnknownKind`] when no row has its group and kind.
pub fn kind_of(key: &ObjectKey) -> Result<&'static Kind, UnknownKind> {
    KINDS
        .iter()
        .find(|row| row.group == key.group && row.kind == key.kind)
        .ok_or_else(|| UnknownKind(key.clone()))
}

/// The rows that are watched in all namespaces at once.
pub fn watched_everywhere() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().filter(|row| match row.watch {
        Watch::Metadata | Watch::Whole => true,
        Watch::MetadataPerNamespace | Watch::Off => false,
    })
}

/// The rows that are watched in each project's namespace.
pub fn watched_per_namespace() -> impl Iterator<Item = &'static Kind> {
    KINDS
        .iter()
        .filter(|row| row.watch == Watch::MetadataPerNamespace)
}

impl Propagation {
    /// As DeleteOptions call it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Background => "Background",
            Self::Foreground => "Foreground",
        }
    }
}

impl Kind {
    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    pub fn api_resource(&self) -> ApiResource {
        let kind = GroupVersionKind::gvk(self.group, self.version, self.kind);
        ApiResource::from_gvk_with_plural(&kind, self.plural)
    }

    /// The path of one object: `/apis/apps/v1/namespaces/shop/deployments/web`.
    ///
    /// A namespaced kind without a namespace is written where such a manifest would go: `default`.
    pub fn path(&self, key: &ObjectKey) -> String {
        let namespace = key.namespace.as_deref().unwrap_or("default");
        let collection = self.collection(self.namespaced.then_some(namespace));
        format!("{collection}/{}", key.name)
    }

    /// The path of all objects of the kind, or of those in one namespace.
    pub fn collection(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        match namespace {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{}", self.plural),
            None => format!("{root}/{}", self.plural),
        }
    }

    /// The key of an object of this kind.
    pub fn key(&self, namespace: Option<&str>, name: &str) -> ObjectKey {
        ObjectKey::new(self.group, self.kind, namespace, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_where_the_api_server_serves_them() {
        let path = |text: &str| {
            let key: ObjectKey = text.parse().unwrap();
            kind_of(&key).unwrap().path(&key)
        };
        assert_eq!(path("core/Namespace/shop"), "/api/v1/namespaces/shop");
        assert_eq!(
            path("core/Secret/shop/token"),
            "/api/v1/namespaces/shop/secrets/token"
        );
        assert_eq!(
            path("apps/Deployment/shop/web--production"),
            "/apis/apps/v1/namespaces/shop/deployments/web--production"
        );
        assert_eq!(
            path("gateway.networking.k8s.io/HTTPRoute/shop/r"),
            "/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/r"
        );
    }

    #[test]
    fn a_kind_without_a_row_is_named() {
        let key: ObjectKey = "apps/StatefulSet/shop/db".parse().unwrap();
        let message = kind_of(&key).unwrap_err().to_string();
        assert!(message.contains("apps/StatefulSet/shop/db"), "{message}");
    }
}
