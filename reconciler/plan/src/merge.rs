//! Putting a plan's part into what is accepted: service by service, object by object.
//!
//! Pure. Always holds: what the plan does not touch stays as it is accepted; merging a plan into the
//! state that it was made against gives exactly the bundles that it proposed.

use std::collections::BTreeSet;

use starform_contract::{
    EnvironmentBundle, Kept, Object, ObjectKey, ProjectBundle, ServiceEntry, ServiceName,
};

use crate::{
    accepted::{AcceptedProject, Environments},
    diff::settings::{self, Setting},
    document::{ModelChange, Plan, ServiceAction},
    kept, names,
};

/// What is accepted next: the project's own bundle and that of the plan's environment.
pub(crate) struct Merged {
    pub(crate) project: ProjectBundle,
    pub(crate) environment: EnvironmentBundle,
}

/// `accepted` with what `plan` touches taken from the proposed bundles.
pub(crate) fn merge(
    accepted: &AcceptedProject,
    plan: &Plan,
    project: &ProjectBundle,
    environment: &EnvironmentBundle,
) -> Merged {
    let touched: BTreeSet<&ObjectKey> = plan.objects.iter().map(|change| &change.key).collect();
    let now = accepted.environment(&plan.environment);
    let mut merged_environment = EnvironmentBundle {
        objects: objects(now.map(|now| &now.objects), &environment.objects, &touched),
        services: services(now.map(|now| &now.services), &environment.services, plan),
        kept: kept(now.map(|now| &now.kept), &environment.kept, &touched),
        ..now.unwrap_or(environment).clone()
    };
    take(
        &settings::ENVIRONMENT,
        &plan.settings,
        &mut merged_environment,
        environment,
    );
    let now = accepted.project();
    let mut merged_project = ProjectBundle {
        objects: objects(now.map(|now| &now.objects), &project.objects, &touched),
        names: names::settle(
            accepted.names(),
            &project.names,
            &with(accepted, &merged_environment),
        ),
        ..now.unwrap_or(project).clone()
    };
    take(
        &settings::PROJECT,
        &plan.settings,
        &mut merged_project,
        project,
    );
    Merged {
        project: merged_project,
        environment: merged_environment,
    }
}

/// The accepted environments with `environment` in its place.
pub(crate) fn with<'a>(
    accepted: &'a AcceptedProject,
    environment: &'a EnvironmentBundle,
) -> Environments<'a> {
    let mut environments: Environments<'a> = accepted.environments();
    environments.insert(&environment.environment, environment);
    environments
}

/// `wanted`, and those of `current` that it lacks and that `stays` holds on to.
pub(crate) fn keep(
    wanted: Vec<Object>,
    current: &[Object],
    stays: impl Fn(&Object) -> bool,
) -> Vec<Object> {
    let keys: BTreeSet<Option<ObjectKey>> = wanted.iter().map(Object::key).collect();
    let kept = current
        .iter()
        .filter(|object| stays(object) && !keys.contains(&object.key()))
        .cloned();
    wanted.into_iter().chain(kept).collect()
}

/// By wave, then key, as bundles order them.
pub(crate) fn sort(objects: &mut [Object]) {
    objects.sort_by_cached_key(|object| (object.wave, object.key()));
}

fn objects(
    now: Option<&Vec<Object>>,
    proposed: &[Object],
    touched: &BTreeSet<&ObjectKey>,
) -> Vec<Object> {
    let is_touched = |object: &&Object| object.key().is_some_and(|key| touched.contains(&key));
    let kept = now
        .into_iter()
        .flatten()
        .filter(|object| !is_touched(object));
    let taken = proposed.iter().filter(is_touched);
    let mut objects: Vec<Object> = kept.chain(taken).cloned().collect();
    sort(&mut objects);
    objects
}

fn kept(now: Option<&Vec<Kept>>, proposed: &[Kept], touched: &BTreeSet<&ObjectKey>) -> Vec<Kept> {
    let is_touched = |kept: &&Kept| kept.object.key().is_some_and(|key| touched.contains(&key));
    let stay = now.into_iter().flatten().filter(|kept| !is_touched(kept));
    let taken = proposed.iter().filter(is_touched);
    let mut all: Vec<Kept> = stay.chain(taken).cloned().collect();
    kept::sort(&mut all);
    all
}

fn services(
    now: Option<&Vec<ServiceEntry>>,
    proposed: &[ServiceEntry],
    plan: &Plan,
) -> Vec<ServiceEntry> {
    let touched: BTreeSet<&ServiceName> = plan
        .services
        .iter()
        .filter(|service| service.action != ServiceAction::None)
        .flat_map(|service| std::iter::once(&service.name).chain(&service.was))
        .collect();
    let kept = now
        .into_iter()
        .flatten()
        .filter(|entry| !touched.contains(&entry.name));
    let taken = proposed
        .iter()
        .filter(|entry| touched.contains(&entry.name));
    let mut services: Vec<ServiceEntry> = kept.chain(taken).cloned().collect();
    services.sort_by(|a, b| a.name.cmp(&b.name));
    services
}

fn take<B>(table: &[Setting<B>], changes: &[ModelChange], to: &mut B, from: &B) {
    for setting in table {
        if changes.iter().any(|change| change.path == setting.path) {
            (setting.take)(to, from);
        }
    }
}
