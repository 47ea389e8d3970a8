//! Plans as events, one JSON object a line, for programs that read while it is written.
//!
//! Pure. Always holds: `seq` counts up from 1 over all lines; the events of a plan together hold all that
//! its document holds, but for the bundles, and what stands beside it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use starform_contract::{EffectId, EnvironmentName, PlanId, ProjectName};

use crate::{
    approval::Approved,
    document::{Finding, ModelChange, ObjectChange, Plan, ServiceChange, Source, Summary},
    standing::Standing,
    verified::Verified,
    view::Shown,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PlanEventSchema {
    #[serde(rename = "starform.plan-event/v1")]
    V1,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanEvent {
    pub schema: PlanEventSchema,
    pub seq: u64,
    pub plan_id: PlanId,
    #[serde(flatten)]
    pub what: What,
}

/// What a line tells, by its `type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum What {
    /// A plan begins.
    Plan {
        effect_id: EffectId,
        project: ProjectName,
        environment: EnvironmentName,
        source: Source,
    },
    Setting {
        change: ModelChange,
    },
    Service {
        service: ServiceChange,
    },
    Object {
        object: ObjectChange,
    },
    Finding {
        finding: Finding,
    },
    /// Of what the plan does; it stands beside the document.
    Approval {
        approval: Approved,
    },
    /// What the cluster itself says of its objects; it stands beside the document.
    Verification {
        verification: Verified,
    },
    /// How the cluster stands to what the plan was made against; beside the document, too.
    Standing {
        standing: Standing,
    },
    /// A plan ends.
    Summary {
        summary: Summary,
    },
}

pub fn ndjson<'a>(plans: impl Into<Shown<'a>>) -> String {
    let shown = plans.into();
    let events = shown.plans.iter().flat_map(|plan| {
        let approved = shown.approvals.get(&plan.effect_id);
        let verified = shown.verifications.get(&plan.plan_id);
        let told = of_plan(plan, approved, verified, shown.standing(plan));
        told.map(|what| (plan.plan_id.clone(), what))
    });
    let mut out = String::new();
    for (seq, (plan_id, what)) in (1..).zip(events) {
        let schema = PlanEventSchema::V1;
        let event = PlanEvent {
            schema,
            seq,
            plan_id,
            what,
        };
        out.push_str(&serde_json::to_string(&event).expect("an event always serialises"));
        out.push('\n');
    }
    out
}

fn of_plan(
    plan: &Plan,
    approved: Option<&Approved>,
    verified: Option<&Verified>,
    standing: Option<&Standing>,
) -> impl Iterator<Item = What> {
    let begin = What::Plan {
        effect_id: plan.effect_id.clone(),
        project: plan.project.clone(),
        environment: plan.environment.clone(),
        source: plan.source.clone(),
    };
    let settings = plan.settings.iter().cloned();
    let services = plan.services.iter().cloned();
    let objects = plan.objects.iter().cloned();
    let findings = plan.findings.iter().cloned();
    let approval = approved.map(|approved| What::Approval {
        approval: approved.clone(),
    });
    let verification = verified.map(|verified| What::Verification {
        verification: verified.clone(),
    });
    let standing = standing.map(|standing| What::Standing {
        standing: standing.clone(),
    });
    let end = What::Summary {
        summary: plan.summary.clone(),
    };
    std::iter::once(begin)
        .chain(settings.map(|change| What::Setting { change }))
        .chain(services.map(|service| What::Service { service }))
        .chain(objects.map(|object| What::Object { object }))
        .chain(findings.map(|finding| What::Finding { finding }))
        .chain(approval)
        .chain(verification)
        .chain(standing)
        .chain(std::iter::once(end))
}
