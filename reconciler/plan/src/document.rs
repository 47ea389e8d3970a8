//! The plan document: the exact list of changes from the accepted state to a proposed one.
//!
//! Pure data; immutable once made. Always holds: every changed field of every object is listed here,
//! secrets only as words. Every view is a function of this document. See `docs/plans.md`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use starform_contract::{
    Bundle, Digest, EffectId, EnvironmentName, Generation, ObjectKey, PlanId, ProjectName,
    ServiceKind, ServiceName,
    schema::{self, Document},
};

use crate::{approval::Approvals, ids, standing::Standings, verified::Verifications};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum PlanSchema {
    #[serde(rename = "starform.plan/v1")]
    V1,
}

impl<'de> Deserialize<'de> for PlanSchema {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        schema::word::<Plan, D>(from).map(|()| Self::V1)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum PlansSchema {
    #[serde(rename = "starform.plans/v1")]
    V1,
}

impl<'de> Deserialize<'de> for PlansSchema {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        schema::word::<Plans, D>(from).map(|()| Self::V1)
    }
}

/// Several plans; the envelope of `--format json` and of a plan file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plans {
    pub schema: PlansSchema,
    pub plans: Vec<Plan>,
    /// The bundles that the plans result in, by digest, so that a file can be accepted elsewhere.
    /// Empty where only the plans are shown.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bundles: BTreeMap<Digest, Bundle>,
    /// Which of the plans' effects are approved, as the control plane that answers knows at that moment. What a
    /// file says here is left out when it is read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub approvals: Approvals,
    /// What the cluster itself says of the plans' objects, at the moment of asking; nothing of it is
    /// believed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub verifications: Verifications,
    /// What of the accepted state the cluster does not show, at the moment of asking; nothing of it is
    /// believed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub standings: Standings,
}

impl Document for Plans {
    const SCHEMA: &'static str = "starform.plans/v1";
}

impl Document for Plan {
    const SCHEMA: &'static str = "starform.plan/v1";
}

/// One environment of one project, with the project-scope objects that it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    pub schema: PlanSchema,
    pub plan_id: PlanId,
    pub effect_id: EffectId,
    pub project: ProjectName,
    pub environment: EnvironmentName,
    pub source: Source,
    pub summary: Summary,
    /// What changes about the environment and the project themselves: `protect`, `drift`, `tier`;
    /// the project's are called `project.…`. A new environment lists all of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<ModelChange>,
    /// Changed, held and created services, by risk, then name.
    pub services: Vec<ServiceChange>,
    /// Changed objects, by risk, then wave, then key. Unchanged objects are not listed.
    pub objects: Vec<ObjectChange>,
    #[serde(default)]
    pub findings: Vec<Finding>,
}

/// Where a plan comes from and what it was made against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    pub parent_generation: Generation,
    /// The accepted bundles; `None` where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_base: Option<Digest>,
    /// The bundles that this plan proposes.
    pub result: Digest,
    pub project_result: Digest,
    /// Of a comparison: the later generation, whose bundles are `result` and `project_result`. What has it
    /// is never accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Generation>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    pub objects: ObjectCounts,
    pub services: ServiceCounts,
    /// Services whose pods are replaced.
    pub rollouts: u32,
    /// Settings of an accepted environment, and of its project, that change.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub settings: u32,
    /// The highest risk that occurs; `none` for an empty plan.
    pub risk: Risk,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectCounts {
    pub create: u32,
    pub update: u32,
    pub replace: u32,
    pub delete: u32,
    pub retain: u32,
    pub adopt: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceCounts {
    pub create: u32,
    pub update: u32,
    pub delete: u32,
    pub held: u32,
}

/// What happens to a service.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum ServiceAction {
    Create,
    Update,
    Delete,
    /// It is held.
    None,
}

impl From<ServiceAction> for Action {
    fn from(action: ServiceAction) -> Self {
        match action {
            ServiceAction::Create => Self::Create,
            ServiceAction::Update => Self::Update,
            ServiceAction::Delete => Self::Delete,
            ServiceAction::None => Self::None,
        }
    }
}

/// What happens to an object.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Create,
    Update,
    /// Deleted and made anew, because a field of it cannot change.
    Replace,
    Delete,
    /// No longer managed, but kept: it holds data.
    Retain,
    /// No longer managed, and kept on purpose: nobody is reminded of it.
    Forget,
    /// An existing object that was not ours, or that was left behind, becomes ours.
    Adopt,
    None,
}

/// Lowest first; a plan is ordered from the highest down.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    #[default]
    None,
    Create,
    Update,
    Rollout,
    /// More may reach it, or it may do more: a new public host, root, a wider `allow-from`.
    Widen,
    Replace,
    Delete,
    /// Data goes: a volume is deleted, by its name.
    Destroy,
}

/// What would be reachable, or allowed, that was not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Opening {
    /// A host name that a route answers.
    Host(String),
    /// A path that a route leads to a service from.
    Path(String),
    /// What a pod may do: `root`, `privileged`, `hostNetwork`, a capability by its name.
    Right(String),
    /// Who has a role: `ServiceAccount NAMESPACE/NAME`.
    Subject(String),
    /// More peers, or ports, of a NetworkPolicy.
    Traffic,
}

/// Whose an object change is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    Service(ServiceName),
    Environment,
    Project,
    /// The renderer or the cluster profile moved; nothing in the project did.
    Platform,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceChange {
    pub name: ServiceName,
    /// What it was called before, where it is renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<ServiceName>,
    pub action: ServiceAction,
    /// `held` services are listed with action `none`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    pub effect: Effect,
    /// The highest risk among its objects.
    pub risk: Risk,
    /// What it is after the change; of a deleted service, what it was.
    pub kind: ServiceKind,
    /// Digests of the service's entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Digest>,
    /// In the language's words, by path.
    pub changes: Vec<ModelChange>,
    /// The object changes below that belong to it, in their order.
    pub objects: Vec<ObjectKey>,
}

/// What a change does to what runs.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Nothing that runs is touched.
    None,
    /// Configuration around the pods changes, the pods stay.
    Configure,
    /// Pods are replaced step by step.
    Rollout,
    Start,
    Stop,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelChange {
    /// `scale.max`, `vars.LOG_LEVEL`, `ports[http].port`.
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// `FILE:LINE:COLUMN` of what set the value; never part of an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectChange {
    pub key: ObjectKey,
    pub owner: Owner,
    pub action: Action,
    pub risk: Risk,
    /// What it opens. Never empty where the risk is `widen`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opens: Vec<Opening>,
    /// Contract digests of the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Digest>,
    /// Every changed field. A created or deleted object lists its top-level fields whole, a Secret
    /// its content key by key.
    pub fields: Vec<FieldChange>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldChange {
    /// A JSON pointer (RFC 6901) into the manifest, list positions as in the manifest after the
    /// change; only the last step of a removal is a position before it. Or `@wave`, `@deletion`: how
    /// the object is handled.
    pub path: String,
    /// The same place with list elements by name, where some have one:
    /// `spec.template.spec.containers[api].image`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    pub op: Op,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// In place of values where the field is secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretChange>,
}

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    Add,
    Set,
    Remove,
    /// The order of a list changed; `before` and `after` are the names of the elements on both
    /// sides in their old and new order, for a list whose elements have none the whole elements.
    Move,
}

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum SecretChange {
    Added,
    Changed,
    Removed,
}

/// Something a reviewer must know before applying.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// A public code, `SF6…`.
    pub code: String,
    pub severity: FindingSeverity,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum FindingSeverity {
    /// `apply` refuses the plan.
    Blocking,
    /// `apply` refuses the plan until its effect is approved.
    Approval,
    Warning,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "the serializer passes a reference"
)]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Plan {
    /// Nothing would change. A held service is no change.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
            && self.settings.is_empty()
            && self
                .services
                .iter()
                .all(|s| s.action == ServiceAction::None)
    }

    pub fn blocking_findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(|finding| finding.severity == FindingSeverity::Blocking)
    }
}

impl Plans {
    pub fn new(plans: Vec<Plan>, bundles: BTreeMap<Digest, Bundle>) -> Self {
        Self {
            schema: PlansSchema::V1,
            plans,
            bundles,
            approvals: Approvals::new(),
            verifications: Verifications::new(),
            standings: Standings::new(),
        }
    }

    /// Without who approved what, which only those can say who keep it: what a file holds.
    #[must_use]
    pub fn without_approvals(&self) -> Self {
        Self {
            approvals: Approvals::new(),
            ..self.clone()
        }
    }

    /// Whether each plan has the ids that its content gives it, and each bundle the digest that names it. What a
    /// plan says in words is not bound by them: accepting it looks at that.
    pub fn ids_hold(&self) -> bool {
        let bundles = self.bundles.iter();
        let mut bundles = bundles.map(|(digest, bundle)| bundle.digest() == *digest);
        self.plans.iter().all(ids::hold) && bundles.all(|holds| holds)
    }

    /// Without the bundles: what is shown.
    #[must_use]
    pub fn without_bundles(&self) -> Self {
        Self {
            bundles: BTreeMap::new(),
            ..self.clone()
        }
    }
}
