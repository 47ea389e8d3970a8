//! A plan's numbers: how many come, change and go, how many roll out, and the highest risk.
//!
//! Pure: a function of the plan's lists, which [`crate::sound`] computes again.

use crate::document::{
    Action, Effect, ModelChange, ObjectChange, ObjectCounts, Risk, ServiceAction, ServiceChange,
    ServiceCounts, Summary,
};

/// The counts and the highest risk of a plan's lists.
pub(crate) fn summary(
    settings: &[ModelChange],
    services: &[ServiceChange],
    objects: &[ObjectChange],
) -> Summary {
    let mut summary = Summary::default();
    for setting in settings {
        let risk = setting
            .before
            .as_ref()
            .map_or(Risk::Create, |_| Risk::Update);
        summary.risk = summary.risk.max(risk);
        summary.settings += u32::from(setting.before.is_some());
    }
    summary.objects = self::objects(objects.iter());
    let risks = objects.iter().map(|object| object.risk);
    summary.risk = risks.fold(summary.risk, Risk::max);
    for service in services {
        let ServiceCounts {
            create,
            update,
            delete,
            held,
        } = &mut summary.services;
        match service.action {
            ServiceAction::Create => *create += 1,
            ServiceAction::Update => *update += 1,
            ServiceAction::Delete => *delete += 1,
            ServiceAction::None => *held += u32::from(service.held),
        }
        summary.rollouts += u32::from(service.effect == Effect::Rollout);
        summary.risk = summary.risk.max(service.risk);
    }
    summary
}

/// How many come, change and go.
pub(crate) fn objects<'a>(objects: impl Iterator<Item = &'a ObjectChange>) -> ObjectCounts {
    let mut counts = ObjectCounts::default();
    for object in objects {
        let ObjectCounts {
            create,
            update,
            replace,
            delete,
            retain,
            adopt,
        } = &mut counts;
        match object.action {
            Action::Create => *create += 1,
            Action::Update => *update += 1,
            Action::Replace => *replace += 1,
            Action::Delete => *delete += 1,
            Action::Retain | Action::Forget => *retain += 1,
            Action::Adopt => *adopt += 1,
            Action::None => {}
        }
    }
    counts
}
