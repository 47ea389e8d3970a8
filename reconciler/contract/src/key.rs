//! The name of one Kubernetes object: `group/Kind/namespace/name`.
//!
//! Pure. The core group is written `core`; a cluster-scoped object has three parts. The API version
//! is left out on purpose: the same object under another version is the same object.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{name::APPLIER, text::text_form};

/// Ordered by group, kind, namespace, name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ObjectKey {
    /// Empty for the core group.
    pub group: String,
    pub kind: String,
    /// `None` for a cluster-scoped object.
    pub namespace: Option<String>,
    pub name: String,
}

/// A key as a manifest says it, to look objects up by; ordered as [`ObjectKey`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyRef<'a> {
    /// Empty for the core group.
    pub group: &'a str,
    pub kind: &'a str,
    pub namespace: Option<&'a str>,
    pub name: &'a str,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an object key; one is `GROUP/KIND/NAMESPACE/NAME`, `core` for the core group"
)]
pub struct NotAKey(String);

impl ObjectKey {
    pub fn new(group: &str, kind: &str, namespace: Option<&str>, name: &str) -> Self {
        Self {
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        }
    }

    /// The key of a manifest; `None` when it lacks apiVersion, kind or a name.
    pub fn of(manifest: &Value) -> Option<Self> {
        KeyRef::of(manifest).map(KeyRef::to_key)
    }

    pub fn as_ref(&self) -> KeyRef<'_> {
        KeyRef {
            group: &self.group,
            kind: &self.kind,
            namespace: self.namespace.as_deref(),
            name: &self.name,
        }
    }

    pub fn is_namespace(&self) -> bool {
        self.group.is_empty() && self.kind == "Namespace"
    }

    /// The RoleBinding by which everything in a project's namespace is written and deleted.
    pub fn is_rights(&self) -> bool {
        let binding = self.group == "rbac.authorization.k8s.io" && self.kind == "RoleBinding";
        binding && self.name == APPLIER
    }
}

impl<'a> KeyRef<'a> {
    /// As [`ObjectKey::of`].
    pub fn of(manifest: &'a Value) -> Option<Self> {
        let api_version = manifest.get("apiVersion")?.as_str()?;
        let metadata = manifest.get("metadata")?;
        Some(Self {
            group: api_version.rsplit_once('/').map_or("", |(group, _)| group),
            kind: manifest.get("kind")?.as_str()?,
            namespace: metadata.get("namespace").and_then(Value::as_str),
            name: metadata.get("name")?.as_str()?,
        })
    }

    pub fn to_key(self) -> ObjectKey {
        ObjectKey::new(self.group, self.kind, self.namespace, self.name)
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = if self.group.is_empty() {
            "core"
        } else {
            &self.group
        };
        match &self.namespace {
            Some(namespace) => write!(f, "{group}/{}/{namespace}/{}", self.kind, self.name),
            None => write!(f, "{group}/{}/{}", self.kind, self.name),
        }
    }
}

impl FromStr for ObjectKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let parts: Vec<&str> = text.split('/').collect();
        if parts.iter().any(|part| part.is_empty()) {
            return Err(NotAKey(text.to_owned()));
        }
        let group = |text: &'_ str| {
            if text == "core" {
                String::new()
            } else {
                text.to_owned()
            }
        };
        match parts[..] {
            [g, kind, name] => Ok(Self::new(&group(g), kind, None, name)),
            [g, kind, namespace, name] => Ok(Self::new(&group(g), kind, Some(namespace), name)),
            _ => Err(NotAKey(text.to_owned())),
        }
    }
}

text_form!(ObjectKey, NotAKey);
