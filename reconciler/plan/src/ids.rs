//! The two names of a plan: what it does, and which plan it is.
//!
//! Pure. Always holds: equal effects have equal effect ids, whatever revision, line or generation they
//! were planned from; any difference in what would be done gives another. See "Two ids" in
//! `docs/plans.md`.

use serde::Serialize;
use serde_json::Value;
use starform_contract::{
    Digest, EffectId, EnvironmentName, Generation, ObjectKey, PlanId, ProjectName, ServiceName,
};

use crate::document::{Action, Plan, PlanSchema, ServiceAction};

/// What approvals bind to: nothing positional, no revision, no generation.
pub fn effect(plan: &Plan) -> EffectId {
    let mut services: Vec<Touched<'_, ServiceName, ServiceAction>> = plan
        .services
        .iter()
        .filter(|service| service.action != ServiceAction::None)
        .map(|service| Touched {
            name: &service.name,
            action: service.action,
            before: service.before.as_ref(),
            after: service.after.as_ref(),
        })
        .collect();
    services.sort_by_key(|touched| touched.name);
    let mut objects: Vec<Touched<'_, ObjectKey, Action>> = plan
        .objects
        .iter()
        .map(|object| Touched {
            name: &object.key,
            action: object.action,
            before: object.before.as_ref(),
            after: object.after.as_ref(),
        })
        .collect();
    objects.sort_by_key(|touched| touched.name);
    let settings = plan.settings.iter().map(|change| Setting {
        path: &change.path,
        before: change.before.as_ref(),
        after: change.after.as_ref(),
    });
    let mut blocking: Vec<[&str; 2]> = plan
        .blocking_findings()
        .map(|finding| [finding.code.as_str(), finding.title.as_str()])
        .collect();
    blocking.sort_unstable();
    EffectId::new(Digest::of(&Effect {
        project: &plan.project,
        environment: &plan.environment,
        settings: settings.collect(),
        services,
        objects,
        blocking,
    }))
}

/// What storage, apply and audit bind to: one effect, from one revision, against one generation.
pub fn plan(plan: &Plan) -> PlanId {
    #[derive(Serialize)]
    struct Made<'a> {
        schema: PlanSchema,
        effect_id: &'a EffectId,
        revision: Option<&'a str>,
        parent_generation: Generation,
        /// A comparison is not the plan that led from one to the other.
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<Generation>,
    }
    PlanId::new(Digest::of(&Made {
        schema: plan.schema,
        effect_id: &plan.effect_id,
        revision: plan.source.revision.as_deref(),
        parent_generation: plan.source.parent_generation,
        until: plan.source.until,
    }))
}

/// Whether both ids are what the rest of the document says.
pub fn hold(document: &Plan) -> bool {
    document.effect_id == effect(document) && document.plan_id == plan(document)
}

#[derive(Serialize)]
struct Effect<'a> {
    project: &'a ProjectName,
    environment: &'a EnvironmentName,
    settings: Vec<Setting<'a>>,
    services: Vec<Touched<'a, ServiceName, ServiceAction>>,
    objects: Vec<Touched<'a, ObjectKey, Action>>,
    blocking: Vec<[&'a str; 2]>,
}

#[derive(Serialize)]
struct Touched<'a, N, A> {
    name: &'a N,
    action: A,
    before: Option<&'a Digest>,
    after: Option<&'a Digest>,
}

#[derive(Serialize)]
struct Setting<'a> {
    path: &'a str,
    before: Option<&'a Value>,
    after: Option<&'a Value>,
}
