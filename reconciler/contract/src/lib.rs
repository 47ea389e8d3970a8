//! The contract between the side that decides and the side that applies: data, names, digests.
//!
//! Pure: no clock, no environment, no files, no network. The same value always gives the same bytes.
//!
//! | module | what it holds |
//! |---|---|
//! | [`id`] | identifiers, one type each |
//! | [`name`] | names that are valid by construction; the names of Kubernetes objects |
//! | [`quantity`] | durations and resource quantities, in the words a person writes |
//! | [`digest`] | one canonical form (RFC 8785), one hash |
//! | [`key`] | the name of one Kubernetes object |
//! | [`model`] | a service as the language resolved it for one environment |
//! | [`state`] | one environment of one project, before it is rendered |
//! | [`bundle`] | what Shuttle fetches: the objects of one environment, or of a project |
//! | [`index`] | which bundles one cluster should have, and what accepted plans consent to |
//! | [`range`] | ranges of IP addresses |
//! | [`profile`] | the operator's word about one cluster |
//! | [`registry`] | what images are pulled with |
//! | [`report`] | what Shuttle did and saw |
//! | [`signature`] | who may say what a cluster should have |
//! | [`spelling`] | which name a misspelt one may mean |
//! | [`secret`] | which secrets have values, and in which versions |
//! | [`sealed`] | secret values on their way to one agent |
//! | [`verify`] | whether an API server would take what a plan writes |
//! | [`schema`] | the JSON Schemas of all of the above |

pub mod bundle;
mod canonical;
pub mod digest;
pub mod id;
pub mod index;
pub mod key;
pub mod model;
pub mod name;
mod numbers;
pub mod profile;
pub mod quantity;
pub mod range;
pub mod registry;
pub mod report;
pub mod schema;
pub mod sealed;
pub mod secret;
pub mod signature;
pub mod spelling;
pub mod state;
mod text;
pub mod verify;

pub use bundle::{
    Bundle, Deletion, EnvironmentBundle, Kept, NameEntry, Object, ProjectBundle, ServiceEntry,
};
pub use digest::Digest;
pub use id::{ClusterId, EffectId, Generation, PlanId, ProjectId, ServiceId, WorkspaceId};
pub use index::{Accepted, Consent, Index, ProjectEntry};
pub use key::{KeyRef, ObjectKey};
pub use model::{ServiceKind, ServiceModel};
pub use name::{
    EnvironmentName, GroupName, ObjectName, PartialName, PortName, ProjectName, SecretName,
    ServiceName, VolumeName,
};
pub use profile::ClusterProfile;
pub use report::Report;
pub use sealed::SecretValue;
pub use secret::SecretVersions;
pub use state::{EnvironmentState, Origins, ServiceState};
