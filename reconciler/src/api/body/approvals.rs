//! A plan with what stands beside it, and who approved what it does.
//!
//! Pure data. Read on in [`starform_plan::approval`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use starform_contract::{EffectId, EnvironmentName, PlanId, ProjectId};
use starform_plan::{
    approval::Approved,
    document::{Plan, Plans},
    verified::Verified,
};

/// `GET /v1/plans/{id}`: the document, and what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownPlan {
    #[serde(flatten)]
    pub plan: Plan,
    /// Of what it does, if it needs one and has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approved>,
    /// What its cluster says of its objects, if it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verified>,
}

impl From<ShownPlan> for Plans {
    fn from(shown: ShownPlan) -> Self {
        let approval = shown.approval.into_iter();
        let effect = shown.plan.effect_id.clone();
        let verification = shown.verification.into_iter();
        let id = shown.plan.plan_id.clone();
        Self {
            approvals: approval
                .map(|approved| (effect.clone(), approved))
                .collect(),
            verifications: verification
                .map(|verified| (id.clone(), verified))
                .collect(),
            ..Self::new(vec![shown.plan], BTreeMap::new())
        }
    }
}

/// `POST /v1/plans/{id}/approve`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanApproval {
    pub plan_id: PlanId,
    /// What is approved, whichever plan does it.
    pub effect_id: EffectId,
    pub project_id: ProjectId,
    pub environment: EnvironmentName,
    #[serde(flatten)]
    pub approved: Approved,
}
