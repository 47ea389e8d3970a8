//! Whether a proposal says what it does: a plan may come from a file that somebody changed.
//!
//! Pure. Always holds: of a proposal that passes both checks, everything that accepting it changes is
//! listed in its plan, as the plan lists it. Read on in [`crate::accept`].

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{
    EnvironmentBundle, Index, Object, ObjectKey, Origins, ProjectBundle, ServiceEntry, ServiceName,
};

use crate::{
    accept::Refusal,
    accepted::AcceptedProject,
    diff::settings,
    document::{Action, ObjectChange, Plan, ServiceAction, ServiceChange},
    ids,
    merge::Merged,
    propose::{Proposal, ProposeInput, propose_again},
    summary::summary,
};

/// The parts of a proposal belong together, and to this cluster's state.
pub(crate) fn sound(
    index: &Index,
    accepted: &AcceptedProject,
    proposal: &Proposal,
) -> Result<(), Refusal> {
    let Proposal {
        plan,
        project,
        environment,
    } = proposal;
    let same_names = environment.environment == plan.environment
        && environment.project == plan.project
        && environment.project_id == project.project_id;
    let same_project = accepted
        .project()
        .is_none_or(|own| own.project_id == project.project_id);
    let same_state =
        accepted.cluster_id == index.cluster_id && accepted.generation == index.generation;
    let own_bundles = plan.source.result == environment.digest()
        && plan.source.project_result == project.digest();
    first_broken(&[
        (
            plan.source.until.is_none(),
            "it only compares two generations",
        ),
        (same_state, "the accepted state is not that of the index"),
        (same_project, "it is about another project"),
        (same_names, "its bundles are not those of its environment"),
        (ids::hold(plan), "its ids do not fit its content"),
        (own_bundles, "its bundles are not those it was made for"),
        (distinct(proposal), "its bundles hold something twice"),
        (
            taken(proposal).all(Object::digest_holds),
            "an object does not fit its digest",
        ),
        (
            services_fit(plan, environment),
            "a service is not as it is listed",
        ),
        (objects_fit(proposal), "an object is not as it is listed"),
        (settings_fit(proposal), "a setting is not as it is listed"),
        (summary_fits(plan), "its summary does not fit its content"),
        (
            !is_at_base(accepted, plan) || is_remade(accepted, proposal),
            "it is not the plan that leads to its bundles",
        ),
    ])
}

/// What accepting changes is listed, whatever was accepted since the plan was made.
///
/// `merged` is what would be accepted; no part of the plan is stale.
pub(crate) fn lists_all(
    accepted: &AcceptedProject,
    plan: &Plan,
    merged: &Merged,
) -> Result<(), Refusal> {
    let made = remake(accepted, plan, &merged.project, &merged.environment).plan;
    let listed: BTreeMap<&ObjectKey, &ObjectChange> = plan
        .objects
        .iter()
        .map(|listed| (&listed.key, listed))
        .collect();
    let objects = made.objects.iter().all(|change| {
        let listed = listed.get(&change.key).copied();
        // Whose doing a change is depends on what else the plan found changed.
        listed.is_some_and(|listed| {
            let owner = listed.owner.clone();
            *listed
                == ObjectChange {
                    owner,
                    ..change.clone()
                }
        })
    });
    let listed = services(plan);
    let listed: BTreeMap<&ServiceName, &ServiceChange> =
        listed.iter().map(|change| (&change.name, change)).collect();
    let services = services(&made)
        .iter()
        .all(|change| listed.get(&change.name) == Some(&change));
    let settings = made.settings.iter().all(|change| {
        let mut listed = plan.settings.iter();
        listed.any(|listed| listed.path == change.path && listed.after == change.after)
    });
    first_broken(&[
        (objects, "it changes an object otherwise than it lists"),
        (services, "it changes a service otherwise than it lists"),
        (settings, "it changes a setting otherwise than it lists"),
    ])
}

fn first_broken(checks: &[(bool, &'static str)]) -> Result<(), Refusal> {
    match checks.iter().find(|(holds, _)| !holds) {
        Some((_, reason)) => Err(Refusal::Unsound(reason)),
        None => Ok(()),
    }
}

/// Every object has a key and stands once, every service stands once: a list by key or name would
/// hide the second.
fn distinct(proposal: &Proposal) -> bool {
    let mut keys = BTreeSet::new();
    let mut names = BTreeSet::new();
    all_objects(proposal).all(|object| object.key().is_some_and(|key| keys.insert(key)))
        && proposal
            .environment
            .services
            .iter()
            .all(|entry| names.insert(&entry.name))
}

fn all_objects(proposal: &Proposal) -> impl Iterator<Item = &Object> {
    let own = proposal.project.objects.iter();
    own.chain(proposal.environment.all_objects())
}

/// The objects that accepting takes over: whole services that change, and single objects elsewhere.
/// The others come from what is accepted.
fn taken(proposal: &Proposal) -> impl Iterator<Item = &Object> {
    let plan = &proposal.plan;
    let keys: BTreeSet<&ObjectKey> = plan.objects.iter().map(|change| &change.key).collect();
    let names: BTreeSet<&ServiceName> = touched(plan).map(|service| &service.name).collect();
    let single = proposal.project.objects.iter();
    let single = single.chain(&proposal.environment.objects);
    let of_services = proposal
        .environment
        .services
        .iter()
        .filter(move |entry| names.contains(&entry.name))
        .flat_map(|entry| &entry.objects);
    single
        .filter(move |object| object.key().is_none_or(|key| keys.contains(&key)))
        .chain(of_services)
}

fn touched(plan: &Plan) -> impl Iterator<Item = &ServiceChange> {
    plan.services
        .iter()
        .filter(|service| service.action != ServiceAction::None)
}

fn services_fit(plan: &Plan, environment: &EnvironmentBundle) -> bool {
    touched(plan).all(|change| {
        let entry = environment.service(&change.name);
        entry.map(ServiceEntry::digest) == change.after
    })
}

fn objects_fit(proposal: &Proposal) -> bool {
    let held: BTreeMap<_, _> = all_objects(proposal)
        .map(|object| (object.key(), &object.digest))
        .collect();
    let mut changes = proposal.plan.objects.iter();
    changes.all(|change| held.get(&Some(change.key.clone())).copied() == change.after.as_ref())
}

fn settings_fit(proposal: &Proposal) -> bool {
    let mut all = settings::between(&settings::ENVIRONMENT, None, &proposal.environment);
    all.extend(settings::between(
        &settings::PROJECT,
        None,
        &proposal.project,
    ));
    proposal.plan.settings.iter().all(|change| {
        all.iter()
            .any(|held| held.path == change.path && held.after == change.after)
    })
}

fn summary_fits(plan: &Plan) -> bool {
    plan.summary == summary(&plan.settings, &plan.services, &plan.objects)
}

/// Nothing was accepted for the environment or the project since the plan was made.
fn is_at_base(accepted: &AcceptedProject, plan: &Plan) -> bool {
    let environment = accepted.environment_digest(&plan.environment);
    plan.source.base.as_ref() == environment
        && plan.source.project_base.as_ref() == accepted.project_digest()
}

/// Making the plan again gives the same lists and the same bundles. Names aside: they depend on what the
/// other environments have by now, and are computed anew at each accept.
fn is_remade(accepted: &AcceptedProject, proposal: &Proposal) -> bool {
    let Proposal {
        plan,
        project,
        environment,
    } = proposal;
    let again = remake(accepted, plan, project, environment);
    let made = &again.plan;
    let nameless = |project: &ProjectBundle| ProjectBundle {
        names: Vec::new(),
        ..project.clone()
    };
    made.objects == plan.objects
        && made.settings == plan.settings
        && services(made) == services(plan)
        && made.source.result == plan.source.result
        && untouched_stay(accepted, plan, environment)
        && nameless(&again.project) == nameless(project)
}

/// Services that the plan does not touch are in every word as they are accepted: they were compared by the digests
/// of their objects, which nobody has looked at, since accepting takes nothing of them.
fn untouched_stay(
    accepted: &AcceptedProject,
    plan: &Plan,
    environment: &EnvironmentBundle,
) -> bool {
    let touched: BTreeSet<&ServiceName> = touched(plan).map(|service| &service.name).collect();
    let now = accepted.environment(&plan.environment);
    let now: BTreeMap<&ServiceName, &ServiceEntry> = now
        .into_iter()
        .flat_map(|now| &now.services)
        .map(|entry| (&entry.name, entry))
        .collect();
    let services = environment.services.iter();
    let mut untouched = services.filter(|entry| !touched.contains(&entry.name));
    untouched.all(|entry| now.get(&entry.name) == Some(&entry))
}

fn remake(
    accepted: &AcceptedProject,
    plan: &Plan,
    project: &ProjectBundle,
    environment: &EnvironmentBundle,
) -> Proposal {
    let adopt = plan
        .objects
        .iter()
        .filter(|change| change.action == Action::Adopt)
        .map(|change| change.key.clone())
        .collect();
    propose_again(ProposeInput {
        accepted,
        project: project.clone(),
        environment: environment.clone(),
        origins: &Origins::default(),
        revision: None,
        only: None,
        adopt: &adopt,
        again: &BTreeSet::new(),
        removed: &[],
    })
}

/// The services that a plan touches, without where a value was written: only the sources say that.
fn services(plan: &Plan) -> Vec<ServiceChange> {
    let mut services: Vec<ServiceChange> = touched(plan).cloned().collect();
    for change in services.iter_mut().flat_map(|service| &mut service.changes) {
        change.at = None;
    }
    services
}
