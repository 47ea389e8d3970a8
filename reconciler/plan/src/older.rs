//! Older generations of an environment: the plan that goes back to one, and what lies between two.
//!
//! Pure. Always holds: going back is a plan like any other; a comparison says so in its source and is never
//! accepted. Read on in [`crate::propose`].

use std::collections::BTreeSet;

use starform_contract::{
    EnvironmentBundle, EnvironmentName, Generation, Object, ObjectKey, Origins,
};

use crate::{
    accepted::AcceptedProject,
    codes,
    document::{Finding, FindingSeverity, Plan},
    propose::{Proposal, ProposeInput, identified, propose, propose_again},
};

/// Why there is nothing to go back to; the text names what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOlder {
    #[error("nothing is accepted for {0} now, so there is nothing to go back from")]
    NothingNow(EnvironmentName),
    #[error(
        "{environment} is accepted as it was at generation {asked}, so there is nothing to go back to; `starform history --env {environment}` lists the others"
    )]
    IsCurrent {
        environment: EnvironmentName,
        asked: Generation,
    },
}

/// The plan that makes the environment what it was: `wanted` is its bundle of generation `to`.
pub fn back(
    accepted: &AcceptedProject,
    to: Generation,
    wanted: EnvironmentBundle,
) -> Result<Proposal, NotOlder> {
    let environment = &wanted.environment;
    let (Some(own), Some(current)) = (accepted.project(), accepted.environment(environment)) else {
        return Err(NotOlder::NothingNow(environment.clone()));
    };
    if wanted == *current {
        return Err(NotOlder::IsCurrent {
            environment: environment.clone(),
            asked: to,
        });
    }
    let lost = lost_volumes(current, &wanted);
    let mut proposal = propose(ProposeInput {
        accepted,
        project: own.clone(),
        environment: wanted,
        origins: &Origins::default(),
        revision: Some(format!("rollback to generation {to}")),
        only: None,
        adopt: &BTreeSet::new(),
        again: &BTreeSet::new(),
        removed: &[],
    });
    proposal.plan.findings.extend(lost);
    proposal.plan = identified(proposal.plan);
    Ok(proposal)
}

/// What lies between two accepted states; `None`: one of them has not got the environment.
pub fn between(
    before: &AcceptedProject,
    after: &AcceptedProject,
    environment: &EnvironmentName,
) -> Option<Plan> {
    before.environment(environment)?;
    let Proposal { mut plan, .. } = propose_again(ProposeInput {
        accepted: before,
        project: after.project()?.clone(),
        environment: after.environment(environment)?.clone(),
        origins: &Origins::default(),
        revision: None,
        only: None,
        adopt: &BTreeSet::new(),
        again: &BTreeSet::new(),
        removed: &[],
    });
    // What stands in the way of accepting it now is no matter of what was accepted then.
    plan.findings.clear();
    plan.source.until = Some(after.generation);
    Some(identified(plan))
}

/// Volumes that are declared then and that are neither in use nor kept now: their disks are gone.
fn lost_volumes(current: &EnvironmentBundle, wanted: &EnvironmentBundle) -> Vec<Finding> {
    let kept = current.kept.iter().map(|kept| &kept.object);
    let there: BTreeSet<ObjectKey> = current
        .all_objects()
        .chain(kept)
        .filter_map(Object::key)
        .collect();
    let services = wanted.services.iter();
    let volumes = services.flat_map(|entry| {
        let objects = entry.objects.iter();
        objects.filter_map(move |object| Some((&entry.name, object.volume()?, object.key()?)))
    });
    let lost = volumes.filter(|(_, _, key)| !there.contains(key));
    lost.map(|(service, volume, _)| Finding {
        code: codes::VOLUME_EMPTY.code.to_owned(),
        severity: FindingSeverity::Warning,
        title: format!(
            "the volume {service}.{volume} went with its data since; it is made anew and empty, so restore its data from a backup"
        ),
        at: None,
    })
    .collect()
}
