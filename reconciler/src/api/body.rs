//! The JSON bodies of the HTTP API, requests and responses; the command line uses the same types.
//!
//! Pure data. Requests refuse unknown fields, so a misspelt option is never ignored; responses may
//! gain fields. Documents of the contract (index, bundle, report, plans) travel as they are.

mod approvals;
mod hosts;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use starform_contract::{
    ClusterId, ClusterProfile, Digest, EnvironmentName, Generation, ObjectKey, PlanId, ProjectId,
    ProjectName, ServiceId, ServiceName, VolumeName, WorkspaceId,
    bundle::EnvironmentBundle,
    model::ServiceKind,
    report::{BreakGlass, Drift, Health, ObjectReport, ServiceReport},
    signature::TrustedKey,
};
use starform_plan::{
    document::{FieldChange, Finding, Summary},
    removal::VolumePlace,
    standing::Standing,
};
use zeroize::Zeroizing;

pub use approvals::{PlanApproval, ShownPlan};
pub use hosts::{HostState, HostStatus, TxtRecord};

use crate::{
    access::Role, name::ResourceName, store::AgentWord, time::Timestamp, token::TokenKind,
};

/// Every collection: `{"items": […]}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Items<T> {
    pub items: Vec<T>,
}

// --- workspaces, clusters, projects, tokens

/// `POST /v1/workspaces`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateWorkspace {
    pub name: ResourceName,
    /// Default `standard`; the cluster profile maps it to quotas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<ResourceName>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    pub id: WorkspaceId,
    pub name: ResourceName,
    pub tier: String,
    pub created_at: Timestamp,
}

/// `POST /v1/clusters`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterCluster {
    pub name: ResourceName,
    #[serde(default)]
    pub profile: ClusterProfile,
}

/// `PATCH /v1/clusters/{id}/settings`; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeCluster {
    /// Takes effect with the next plan of each project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ClusterProfile>,
    /// Of the load balancer that the profile names; 0: nobody says any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lb_size_units: Option<u32>,
}

/// The only answer that ever carries the agent's token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredCluster {
    pub cluster: Cluster,
    /// Opens this cluster's agent routes and nothing else; only its hash is stored.
    pub agent_token: String,
    /// What the agent pins: `id:base64`, Ed25519.
    pub trusted_keys: Vec<TrustedKey>,
}

/// `GET /v1/signing-keys`: what agents should trust; the first signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKeys {
    pub trusted_keys: Vec<TrustedKey>,
}

/// `POST /v1/clusters/{id}/reset-generation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetGeneration {
    /// The highest generation that the agent has acted upon.
    pub agent: Generation,
    /// The one that was made after it, with what the store holds.
    pub generation: Generation,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    pub id: ClusterId,
    pub name: ResourceName,
    pub generation: Generation,
    pub profile: ClusterProfile,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lb_size_units: Option<u32>,
    /// When the agent last asked or reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_seen_at: Option<Timestamp>,
    /// Where the agent stands, as it said when it last asked.
    #[serde(default)]
    pub agent: AgentWord,
}

/// Bytes of a secret's value: the kernel takes 128 KiB for one variable with its name.
pub const LONGEST_SECRET: usize = 64 * 1024;

/// `PUT …/secrets/{name}`. No `Debug`: it holds the value.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutSecret {
    /// UTF-8 text without NUL, as an environment variable takes it; at most 64 KiB.
    pub value: Zeroizing<String>,
}

/// A secret: its name and which versions of it are kept, never a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    pub name: String,
    /// The newest; plans use it.
    pub version: u64,
    /// The oldest whose value is kept, for going back.
    pub since: u64,
    /// Made by the control plane, not set.
    #[serde(default)]
    pub generated: bool,
    pub set_at: Timestamp,
    /// The id of the token that set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by: Option<String>,
}

/// `POST /v1/projects`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateProject {
    pub name: ProjectName,
    /// Name or id of the cluster; a project stays on it.
    pub cluster: String,
    /// Name or id; may be left out when there is exactly one workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    pub id: ProjectId,
    pub name: ProjectName,
    pub workspace_id: WorkspaceId,
    pub cluster_id: ClusterId,
    pub namespace: String,
    pub created_at: Timestamp,
    /// Since when its deletion is accepted; it may be applied to again as long as it is not deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Since when nothing of it is in its cluster any more: its name is free, its history stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

/// `POST /v1/tokens`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// `ci`, `user` or `admin`; a cluster's token comes from registering it.
    pub kind: TokenKind,
    /// For `user`: who they are. One person is one, however many tokens they hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<ResourceName>,
    /// For `user`: what they may do in the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Required for `ci` and `user`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// For `ci`: the environments that it may plan and apply; all when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<BTreeSet<EnvironmentName>>,
    /// Seconds from now; never when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
}

/// The only answer that ever carries this token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedToken {
    pub id: String,
    pub token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

// --- plans and applies

/// `POST /v1/projects/{id}/plans`; answered with `starform.plans/v1`, with `?bundles=true` including
/// the bundles that the plans result in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreatePlans {
    pub source: PlanSource,
    /// Of the source, for provenance: a commit id or any word of at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// All when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<Vec<EnvironmentName>>,
    /// Images that replace the ones in the files.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<ServiceName, String>,
    /// Only these change; the others keep their accepted state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<BTreeSet<ServiceName>>,
    /// Existing objects, not ours so far, that become ours.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub adopt: BTreeSet<ObjectKey>,
    /// Services whose accepted release is tried once more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub again: BTreeMap<EnvironmentName, BTreeSet<ServiceName>>,
}

/// `POST /v1/projects/{id}/removal`, answered by `starform.plans/v1`: what deletes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removal {
    /// The whole project when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<EnvironmentName>,
    /// `SERVICE.VOLUME`: these go with their data, all others stay.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub destroy: BTreeSet<VolumePlace>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanSource {
    /// Path to text; the project is `starform.kdl`.
    pub files: BTreeMap<String, String>,
}

/// `POST /v1/projects/{id}/environments/{env}/rollback`; answered with `starform.plans/v1`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rollback {
    /// The generation to go back to; the environment's previous one when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Generation>,
}

/// `POST /v1/plans/{id}/apply` (202) and `GET /v1/applies/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apply {
    pub id: String,
    pub plan_id: PlanId,
    pub project_id: ProjectId,
    pub project: ProjectName,
    pub environment: EnvironmentName,
    pub cluster_id: ClusterId,
    /// What the agent has to reach.
    pub generation: Generation,
    pub state: ApplyState,
    /// What the plan counted.
    pub summary: Summary,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// From the newest report about this apply (its finishing one once finished); empty before.
    pub services: Vec<ServiceReport>,
    pub objects: Vec<ObjectReport>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApplyState {
    /// Accepted; the agent has not reported about it.
    Pending,
    Progressing,
    Converged,
    /// Nothing moves any more, and something failed.
    Partial,
}

/// The data of one server-sent event of `GET /v1/applies/{id}/events`. Event names are `accepted`,
/// `progress`, `finished`; after `finished` the stream ends, and resuming behind it answers 204.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyEvent {
    pub apply_id: String,
    pub state: ApplyState,
    pub generation: Generation,
    pub services: Vec<ServiceReport>,
    pub objects: ObjectTally,
    /// Objects whose outcome is not a good one, with reasons.
    pub failed: Vec<ObjectReport>,
    /// Objects that were to go and stay, with what keeps them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retained: Vec<ObjectReport>,
}

/// Objects of a report, counted by where they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectTally {
    pub total: u32,
    pub current: u32,
    pub in_progress: u32,
    pub failed: u32,
}

// --- environments

/// `GET /v1/projects/{id}/environments/{env}/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentStatus {
    pub project: ProjectName,
    pub project_id: ProjectId,
    pub environment: EnvironmentName,
    pub namespace: String,
    /// Of the cluster's desired state now.
    pub generation: Generation,
    /// The accepted bundle.
    pub bundle: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<Reported>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_seen_at: Option<Timestamp>,
    /// Every accepted service, by name; `Unknown` where nothing is reported.
    pub services: Vec<ServiceStatus>,
    /// Volumes that services left behind, with their data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<KeptVolume>,
    /// Objects that people want left alone for a while, as was reported last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub break_glass: Vec<BreakGlass>,
    /// The last apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_apply: Option<HistoryEntry>,
    /// How the cluster stands to what is accepted, where it was asked itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptVolume {
    pub key: ObjectKey,
    pub service: ServiceName,
    pub volume: VolumeName,
    /// `removed … data=keep` says that it stays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub meant: bool,
}

impl KeptVolume {
    pub fn all(bundle: &EnvironmentBundle) -> Vec<Self> {
        let kept = bundle.kept.iter().filter_map(|kept| {
            Some(Self {
                key: kept.object.key()?,
                service: kept.service.clone(),
                volume: kept.volume.clone(),
                meant: kept.meant,
            })
        });
        kept.collect()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    pub generation: Generation,
    pub finished: bool,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceStatus {
    pub name: ServiceName,
    pub service_id: ServiceId,
    pub kind: ServiceKind,
    pub health: Health,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of a web service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<HostStatus>,
}

/// The token that accepted a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// Its id, as the audit trail names it; never the token.
    pub token: String,
    pub kind: TokenKind,
    /// Whom a person's token is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
}

/// One line of `GET …/history`, newest first: a generation that changed the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    pub apply_id: String,
    pub plan_id: PlanId,
    pub generation: Generation,
    /// Nothing of the environment was accepted since.
    #[serde(default)]
    pub current: bool,
    pub by: Author,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    pub summary: Summary,
    pub state: ApplyState,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
}

/// `GET …/drift`: what in the cluster is or was not as it was accepted, from the agent's reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentDrift {
    pub project: ProjectName,
    pub environment: EnvironmentName,
    /// Of what it was compared with.
    pub generation: Generation,
    /// What was accepted last for the environment, where an agent reports: later than `generation` is
    /// what nobody knows of yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Generation>,
    /// When the newest report came; `None`: the cluster itself was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<Timestamp>,
    pub found: Vec<Found>,
    /// An accepted plan deletes them, and they are still there; where the cluster itself was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remains: Vec<ObjectKey>,
    /// Objects that people want left alone for a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub break_glass: Vec<BreakGlass>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    #[serde(flatten)]
    pub drift: Drift,
    /// When it was reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
    /// What restoring it changes; agents report no values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
}

/// `GET …/generations/{n}`: the environment as it was accepted then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentAt {
    pub generation: Generation,
    pub bundle: EnvironmentBundle,
}

// --- errors

/// RFC 9457, `application/problem+json`, with members of our own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `about:blank`: the status and `code` say it all.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// For people: what was wrong and what to do.
    pub detail: String,
    /// Stable, for programs: `unauthenticated`, `not-found`, `compile-failed`, `plan-stale`, …
    pub code: String,
    /// Of `compile-failed`: the JSON form of the language's diagnostics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnostics: Option<Value>,
    /// Of `plan-blocked`, `plan-conflict` and `approval-needed`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// Of `plan-stale`: what each service was, is, and would become.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<Value>,
    /// Of `plan-consumed`: the apply that used the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apply_id: Option<String>,
}
