//! What Shuttle fetches: the objects of one environment, or the objects that a project owns itself.
//!
//! Pure data; immutable, named by its digest. Always holds: no times, host names, commits or source
//! positions inside, so a commit that changes nothing of meaning changes no digest.

mod written;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, IgnoredAny},
};
use serde_json::Value;

use crate::{
    digest::{Digest, canonical},
    id::{ProjectId, ServiceId, WorkspaceId},
    key::{KeyRef, ObjectKey},
    model::ServiceKind,
    name::{EnvironmentName, ObjectName, ProjectName, ServiceName, VolumeName},
    schema::{self, Document as _, Unreadable},
    state::DriftPolicy,
};

pub use written::Written;

/// The annotation that carries an [`Object`]'s digest on the live object.
pub const DIGEST_ANNOTATION: &str = "starform.io/digest";

/// The annotation of a release Job that says what it runs, as a digest: Jobs with equal ones are
/// attempts at the same release.
pub const RELEASE_ANNOTATION: &str = "starform.io/release";

/// The label of a PersistentVolumeClaim that says which volume of its service it is.
pub const VOLUME_LABEL: &str = "starform.io/volume";

/// The schema of bundles that this version writes and reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum BundleSchema {
    #[serde(rename = "starform.bundle/v1")]
    V1,
}

impl<'de> Deserialize<'de> for BundleSchema {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        schema::word::<Bundle, D>(from).map(|()| Self::V1)
    }
}

/// Either of the two; an environment's has `environment`, a project's has `names`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Bundle {
    Environment(EnvironmentBundle),
    Project(ProjectBundle),
}

impl<'de> Deserialize<'de> for Bundle {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let document = Value::deserialize(from)?;
        schema::check_value::<Self>(&document).map_err(D::Error::custom)?;
        if document.get("environment").is_some() {
            serde_json::from_value(document).map(Self::Environment)
        } else {
            serde_json::from_value(document).map(Self::Project)
        }
        .map_err(D::Error::custom)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EnvironmentBundle {
    pub schema: BundleSchema,
    pub workspace_id: WorkspaceId,
    pub project_id: ProjectId,
    pub project: ProjectName,
    pub namespace: String,
    pub tier: String,
    pub environment: EnvironmentName,
    pub ephemeral: bool,
    pub drift: DriftPolicy,
    pub protect: bool,
    /// Objects of the environment itself, ordered by wave, then key.
    pub objects: Vec<Object>,
    /// Ordered by name.
    pub services: Vec<ServiceEntry>,
    /// Volumes that services of the environment left behind: no longer managed, and in the cluster with
    /// their data until they are destroyed by name. Ordered by key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Kept>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProjectBundle {
    pub schema: BundleSchema,
    pub workspace_id: WorkspaceId,
    pub project_id: ProjectId,
    pub project: ProjectName,
    pub namespace: String,
    pub tier: String,
    /// Ordered by wave, then key.
    pub objects: Vec<Object>,
    /// Ordered by name, then incarnation.
    pub names: Vec<NameEntry>,
}

/// One service; carries the tenant key, which Shuttle compares with the labels of every object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceEntry {
    pub workspace_id: WorkspaceId,
    pub project_id: ProjectId,
    pub environment: EnvironmentName,
    pub service_id: ServiceId,
    pub name: ServiceName,
    pub object_name: ObjectName,
    pub kind: ServiceKind,
    /// The resolved service in the language's words; a plan compares it, Shuttle ignores it. Kept as
    /// JSON so that an agent reads bundles whose models it does not know.
    pub model: Value,
    /// Ordered by wave, then key.
    pub objects: Vec<Object>,
}

/// A volume without a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kept {
    pub service_id: ServiceId,
    /// The name that the service had then.
    pub service: ServiceName,
    pub volume: VolumeName,
    /// `removed … data=keep` says that it stays: nobody is reminded of it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub meant: bool,
    /// As it was managed last.
    pub object: Object,
}

/// One incarnation of a service of a project. Entries are never removed, names never reused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct NameEntry {
    pub name: ServiceName,
    pub incarnation: u32,
    pub service_id: ServiceId,
    pub object_name: ObjectName,
    /// No accepted environment has it any more; the name's next holder is a new service.
    #[serde(default, skip_serializing_if = "is_false")]
    pub retired: bool,
}

/// One Kubernetes object, exactly as it is written (plus annotations stamped at the write).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Object {
    pub wave: Wave,
    pub deletion: Deletion,
    pub digest: Digest,
    /// Without the digest annotation, which is stamped from `digest`.
    pub manifest: Value,
    /// Keys of a Secret whose values Shuttle asks for; a name and a version, never a value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sealed: BTreeMap<String, SealedRef>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct SealedRef {
    pub secret: String,
    pub version: u64,
    /// Whose secret it is; `None`: the bundle's own environment's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentName>,
}

/// The step of an apply in which an object is written; 0 first. Later waves wait for earlier ones.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Wave(pub u8);

/// When an object may be deleted; always by consent only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Deletion {
    /// By `consent.delete`.
    Delete,
    /// Only by `consent.destroy`: it holds data.
    Retain,
    /// Only when the project itself is deleted.
    WithProject,
}

impl Object {
    /// Bytes of its canonical form that an object has at most.
    pub const LARGEST: usize = 256 << 10;

    /// Computes the digest over manifest, sealed references, wave and deletion.
    pub fn new(manifest: Value, wave: Wave, deletion: Deletion) -> Self {
        Self::with_sealed(manifest, wave, deletion, BTreeMap::new())
    }

    pub fn with_sealed(
        manifest: Value,
        wave: Wave,
        deletion: Deletion,
        sealed: BTreeMap<String, SealedRef>,
    ) -> Self {
        let digest = object_digest(&manifest, wave, deletion, &sealed);
        Self {
            wave,
            deletion,
            digest,
            manifest,
            sealed,
        }
    }

    /// Whether `digest` is what the rest of the object says.
    pub fn digest_holds(&self) -> bool {
        object_digest(&self.manifest, self.wave, self.deletion, &self.sealed) == self.digest
    }

    /// What a release Job runs; `None` for anything else.
    pub fn release(&self) -> Option<Digest> {
        let annotations = self.manifest.get("metadata")?.get("annotations")?;
        annotations.get(RELEASE_ANNOTATION)?.as_str()?.parse().ok()
    }

    /// The volume that a claim is for; `None` for anything else.
    pub fn volume(&self) -> Option<VolumeName> {
        let labels = self.manifest.get("metadata")?.get("labels")?;
        labels.get(VOLUME_LABEL)?.as_str()?.parse().ok()
    }

    /// `None` for a manifest without apiVersion, kind or name, which render never makes.
    pub fn key(&self) -> Option<ObjectKey> {
        ObjectKey::of(&self.manifest)
    }

    /// As [`Self::key`].
    pub fn key_ref(&self) -> Option<KeyRef<'_>> {
        KeyRef::of(&self.manifest)
    }
}

impl ServiceEntry {
    /// The digest that staleness compares: everything about the service in this environment.
    pub fn digest(&self) -> Digest {
        let mut text = Vec::new();
        written::write_service(self, &mut text);
        Digest::of_bytes(&text)
    }
}

impl Bundle {
    /// Reads what is stored, as [`schema::read`] does, without a second form of it in between.
    ///
    /// # Errors
    /// [`Unreadable`]
    pub fn read(text: &[u8]) -> Result<Self, Unreadable> {
        #[derive(Deserialize)]
        struct Head {
            schema: Option<String>,
            environment: Option<IgnoredAny>,
        }
        let shape = |error: serde_json::Error| Unreadable::Shape(error.to_string());
        let head: Head = serde_json::from_slice(text).map_err(shape)?;
        schema::check(head.schema.as_deref(), Self::SCHEMA)?;
        if head.environment.is_some() {
            serde_json::from_slice(text).map(Self::Environment)
        } else {
            serde_json::from_slice(text).map(Self::Project)
        }
        .map_err(shape)
    }

    /// Bytes of its canonical form that a bundle has at most.
    pub const LARGEST: usize = 8 << 20;

    pub fn digest(&self) -> Digest {
        Digest::of_bytes(&self.to_text())
    }

    /// Its canonical form, which is what is stored and sent.
    pub fn to_text(&self) -> Vec<u8> {
        match self {
            Self::Environment(bundle) => written::environment_text(bundle),
            Self::Project(bundle) => canonical(bundle),
        }
    }

    pub fn project_id(&self) -> ProjectId {
        match self {
            Self::Environment(bundle) => bundle.project_id,
            Self::Project(bundle) => bundle.project_id,
        }
    }

    /// `None`: the objects that the project has itself.
    pub fn environment(&self) -> Option<&EnvironmentName> {
        match self {
            Self::Environment(bundle) => Some(&bundle.environment),
            Self::Project(_) => None,
        }
    }

    pub fn namespace(&self) -> &str {
        match self {
            Self::Environment(bundle) => &bundle.namespace,
            Self::Project(bundle) => &bundle.namespace,
        }
    }

    /// Every object, environment or project scope first.
    pub fn objects(&self) -> Box<dyn Iterator<Item = &Object> + '_> {
        match self {
            Self::Environment(bundle) => Box::new(bundle.all_objects()),
            Self::Project(bundle) => Box::new(bundle.objects.iter()),
        }
    }
}

impl EnvironmentBundle {
    pub fn digest(&self) -> Digest {
        Written::new(self, |_| false).digest().clone()
    }

    pub fn all_objects(&self) -> impl Iterator<Item = &Object> {
        self.objects
            .iter()
            .chain(self.services.iter().flat_map(|service| &service.objects))
    }

    /// Nothing of it is wanted in the cluster; volumes may be left there.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.services.is_empty()
    }

    pub fn service(&self, name: &ServiceName) -> Option<&ServiceEntry> {
        self.services.iter().find(|service| service.name == *name)
    }

    /// The service of this identity, whatever it is called here.
    pub fn service_of_id(&self, id: ServiceId) -> Option<&ServiceEntry> {
        self.services
            .iter()
            .find(|service| service.service_id == id)
    }
}

impl ProjectBundle {
    pub fn digest(&self) -> Digest {
        Digest::of(self)
    }
}

/// Bytes that most objects have less of, so that their text seldom moves while it is written.
const TYPICAL: usize = 4 << 10;

fn object_digest(
    manifest: &Value,
    wave: Wave,
    deletion: Deletion,
    sealed: &BTreeMap<String, SealedRef>,
) -> Digest {
    let mut text = Vec::with_capacity(TYPICAL);
    written::write_content(manifest, wave, deletion, sealed, &mut text);
    Digest::of_bytes(&text)
}

// serde's skip_serializing_if passes a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(flag: &bool) -> bool {
    !flag
}
