//! What goes into the engine and what comes out of it: the only words that it and the shell share.
//!
//! Pure data, no Kubernetes client types. Always holds: every [`Command::Send`] is answered by exactly
//! one [`Input::Response`] with its id, whatever happened to it. Read on in `mod.rs` for the step, in
//! `fields.rs` for how an [`Observed`] is read off an object.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use starform_contract::{
    Bundle, ClusterId, Digest, EnvironmentName, Generation, Index, ObjectKey, ProjectId, Report,
    ServiceId, bundle::SealedRef,
};

use super::{break_glass::Asked, ownership};
use crate::kinds::Kind;

/// Milliseconds since the shell began; never goes back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

/// Something that the shell learned, and when.
#[derive(Debug, Clone)]
pub struct Event {
    pub now: Millis,
    /// Since 1970, as the clock says; may jump either way.
    pub clock: Millis,
    pub input: Input,
}

#[derive(Debug, Clone)]
pub enum Input {
    /// Nothing but time passed; due at the latest at [`super::Engine::wake_at`].
    Tick,
    /// What the cluster should have. Every bundle that the index names is in `bundles`.
    Desired(Desired),
    /// Every stored shard; once, before anything else is acted on. None stored: an empty list.
    Inventory(Vec<InventoryShard>),
    /// A LIST begins; what is not observed again until [`Input::Synced`] is gone.
    Syncing(Collection),
    /// The LIST is complete. A kind that the API server does not serve is complete too, and so is a
    /// namespace that is not there.
    Synced(Collection),
    /// The LIST is refused, until the project's applier has its rights: nothing new is known.
    Barred(Collection),
    /// From a LIST or a watch event (added or modified).
    Observed(Observed),
    /// A watch says DELETED: the object is gone, or it lost our label.
    Gone(Gone),
    Response {
        id: RequestId,
        result: Result<Response, Failure>,
    },
}

#[derive(Debug, Clone)]
pub struct Desired {
    pub index: Index,
    pub bundles: BTreeMap<Digest, Arc<Bundle>>,
}

/// Group (empty for core) and kind of one row of `kinds.rs`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KindName {
    pub group: String,
    pub kind: String,
}

/// One live object, as far as it matters: made by [`Observed::of`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    pub key: ObjectKey,
    pub uid: String,
    /// Numbers of one API server that grow; a lower one is an old event (KEP-5504).
    pub resource_version: String,
    pub owner: Owner,
    pub stamps: Stamps,
    /// Our own entry in `managedFields`; `None` when there is none.
    pub own: Option<Own>,
    /// Other managers with fields outside `metadata` and `status` that our entry does not hold, the
    /// latest write first.
    pub foreign: Vec<Foreign>,
    /// A person wants it left alone for a while.
    pub break_glass: Option<Asked>,
    /// Has a deletionTimestamp.
    pub deleting: bool,
    /// Without managedFields and pod template; for the kinds whose health stands in their status.
    pub body: Option<Arc<Value>>,
}

/// Whose the object's labels say it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owner {
    /// `app.kubernetes.io/managed-by=starform`, and no controller owns it.
    pub managed: bool,
    pub project: Option<ProjectId>,
    pub environment: Option<String>,
    pub service: Option<ServiceId>,
}

/// The annotations that we stamp at each write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stamps {
    pub digest: Option<Digest>,
    pub provenance: Provenance,
}

/// Where what is written came from; stamped, never compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provenance {
    pub revision: Option<String>,
    pub plan_id: Option<String>,
    pub generation: Option<String>,
}

/// Our entry in `managedFields` (manager `starform-shuttle`, operation Apply, no subresource).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    pub fields: FieldsDigest,
    /// Of the same with what controllers hold beside it; `None` where they hold nothing.
    pub yielded: Option<FieldsDigest>,
    /// Holds `spec.replicas`: an autoscaler that takes over needs a hand-off first.
    pub replicas: bool,
    /// [`FieldManager::Handoff`] holds `spec.replicas`.
    pub held: bool,
}

/// First 32 hex digits of sha256 over the canonical form of one entry's `fieldsV1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldsDigest(pub String);

/// Fields of another manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    pub manager: String,
    /// As `fieldsV1` names them.
    pub fields: Arc<Value>,
}

/// What one LIST and its watch are about: a kind, everywhere or in one project's namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Collection {
    pub kind: KindName,
    pub namespace: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    pub key: ObjectKey,
    pub uid: String,
}

/// Counts up; never used twice by one engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub u64);

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Perform it, at once; the engine bounds how many are in flight.
    Send { id: RequestId, request: Request },
    /// The desired state was not taken; the former one stays in force. For people.
    Refused { reason: String },
    /// Objects of a project that the desired state does not name: left alone. For people.
    Unnamed { project: ProjectId, objects: usize },
}

#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Server-side apply. Answer: [`Response::Object`].
    Apply(Apply),
    /// What others hold goes into our entry of `managedFields`, so that our next apply takes out of the
    /// object what it does not state. Changes no field. Answer: [`Response::Object`].
    Seize { key: ObjectKey, from: Vec<Foreign> },
    /// With uid precondition; in the background but for a Job, which goes with its pods. Answer:
    /// [`Response::Deleted`].
    Delete { key: ObjectKey, uid: String },
    /// Metadata is enough, except for kinds watched whole. Answer: [`Response::Object`].
    Get { key: ObjectKey },
    /// Answer: [`Response::Pods`].
    ListPods {
        namespace: String,
        /// Label selector in its text form.
        selector: String,
    },
    /// Everything of a kind of ours that stands in a namespace, whoever made it. Answer:
    /// [`Response::Found`].
    Survey { namespace: String },
    /// Writes the whole shard; an empty one may be deleted. Answer: [`Response::Stored`].
    PutInventory(InventoryShard),
    /// To the control plane, or to the person who waits. Answer: [`Response::Reported`].
    Report(Box<Report>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Apply {
    pub key: ObjectKey,
    /// With annotations stamped; shared, so that a command is cheap to clone.
    pub manifest: Arc<Value>,
    pub manager: FieldManager,
    pub force: bool,
    pub dry_run: bool,
    /// What the shell puts into `data`; the engine knows no value.
    pub sealed: Option<Arc<Sealed>>,
}

/// Keys of a Secret's `data` by reference, and where their values are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub cluster: ClusterId,
    pub bundle: Digest,
    pub project: ProjectId,
    /// `None`: an object of the project itself.
    pub environment: Option<EnvironmentName>,
    pub references: BTreeMap<String, SealedRef>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldManager {
    Shuttle,
    /// Holds `spec.replicas` while it goes from us to an autoscaler.
    Handoff,
}

impl FieldManager {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shuttle => "starform-shuttle",
            Self::Handoff => "starform-handoff",
        }
    }
}

#[derive(Debug, Clone)]
pub enum Response {
    /// The object as it is after the request (of a dry-run: as it would be).
    Object(Box<Observed>),
    /// The deletion was accepted; the object may still be there.
    Deleted,
    Pods(Vec<Value>),
    Found(Vec<Observed>),
    Stored,
    Reported,
}

/// Why a request has no other answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// HTTP status; `None` when there was no answer, so that nobody knows whether it was performed.
    pub code: Option<u16>,
    /// `NotFound`, `Invalid`, `Forbidden` …
    pub reason: String,
    /// For people. Of sensitive kinds: reason and field paths alone.
    pub message: String,
    /// Fields that the API server calls immutable.
    pub immutable: Vec<String>,
    pub retry_after: Option<Millis>,
}

/// A part of the inventory that fits one ConfigMap (at most 100 KB as JSON).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryShard {
    pub number: u16,
    pub entries: BTreeMap<ObjectKey, InventoryEntry>,
}

/// An object that we wrote or are about to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryEntry {
    pub project: ProjectId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceId>,
    /// Known once it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Of our managedFields entry after our last write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<FieldsDigest>,
    /// Of a release Job that completed: what it ran is not run again while this is remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<Done>,
}

/// A release that completed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// What it ran: `starform.io/release` of its Job.
    pub runs: Digest,
    /// When that was seen.
    pub generation: Generation,
}

impl FieldsDigest {
    pub fn of(fields: &Value) -> Self {
        Self(Digest::of(fields).hex()[..32].to_owned())
    }
}

impl Foreign {
    /// Such as `spec.template.spec.containers[name=sidecar]`, as many as are of use to a person; never
    /// values of set members.
    pub fn paths(&self) -> Vec<String> {
        ownership::paths(&self.fields)
    }
}

impl KindName {
    pub fn new(group: &str, kind: &str) -> Self {
        Self {
            group: group.to_owned(),
            kind: kind.to_owned(),
        }
    }

    pub fn of(key: &ObjectKey) -> Self {
        Self::new(&key.group, &key.kind)
    }
}

impl Collection {
    pub fn everywhere(kind: &Kind) -> Self {
        Self {
            kind: KindName::new(kind.group, kind.kind),
            namespace: None,
        }
    }

    pub fn of_namespace(kind: &Kind, namespace: &str) -> Self {
        Self {
            namespace: Some(namespace.to_owned()),
            ..Self::everywhere(kind)
        }
    }

    pub fn covers(&self, key: &ObjectKey) -> bool {
        let here = self.namespace.is_none() || self.namespace == key.namespace;
        here && KindName::of(key) == self.kind
    }
}

impl Millis {
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds * 1000)
    }

    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}
