//! Accepted state and a wanted environment, to the bundles that would be accepted and the plan.
//!
//! Pure: same input, same bytes. Always holds: the plan is empty exactly when nothing differs, and
//! accepting it against the same state gives the proposed bundles. A rollback is a plan whose wanted
//! environment is an older bundle; one that ends something wants it empty ([`crate::removal`]). Read on in [`crate::diff`] and [`crate::accept`].

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{
    Bundle, Deletion, Digest, EffectId, EnvironmentBundle, ObjectKey, Origins, PlanId,
    ProjectBundle, ServiceEntry, ServiceName, bundle::Written, digest::Measured, state::Removed,
};

use crate::{
    accepted::AcceptedProject,
    approval, codes, crosscheck,
    diff::{
        model,
        objects::{self, Changed, State},
        risk, settings,
    },
    document::{
        Action, Effect, Finding, FindingSeverity, ModelChange, Plan, PlanSchema, Plans, Risk,
        ServiceAction, ServiceChange, Source,
    },
    hold, ids, kept, merge, names,
    pairs::{Compared, by_either_name, former_name, is_same, pairs},
    releases,
    size::Sizes,
    summary::summary,
};

pub struct ProposeInput<'a> {
    pub accepted: &'a AcceptedProject,
    /// What is wanted: from the renderer, or an older bundle. With the names in use
    /// ([`names::bind_names`]).
    pub project: ProjectBundle,
    pub environment: EnvironmentBundle,
    /// Where the values were written; empty where there is no source, as for a rollback.
    pub origins: &'a Origins,
    pub revision: Option<String>,
    /// `--service`: the others keep what is accepted. `None`: all take part.
    pub only: Option<&'a BTreeSet<ServiceName>>,
    /// Existing objects that may become ours.
    pub adopt: &'a BTreeSet<ObjectKey>,
    /// Services whose accepted release is tried once more.
    pub again: &'a BTreeSet<ServiceName>,
    /// What the project says goodbye to.
    pub removed: &'a [Removed],
}

/// A plan with the bundles that it results in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    pub plan: Plan,
    pub project: ProjectBundle,
    pub environment: EnvironmentBundle,
}

impl From<Vec<Proposal>> for Plans {
    /// With the bundles that the plans result in.
    fn from(proposals: Vec<Proposal>) -> Self {
        let mut bundles = BTreeMap::new();
        let mut plans = Vec::new();
        for proposal in proposals {
            let Proposal {
                plan,
                project,
                environment,
            } = proposal;
            bundles.insert(plan.source.project_result.clone(), Bundle::Project(project));
            bundles.insert(plan.source.result.clone(), Bundle::Environment(environment));
            plans.push(plan);
        }
        Self::new(plans, bundles)
    }
}

pub fn propose(input: ProposeInput<'_>) -> Proposal {
    let ProposeInput {
        accepted,
        environment: wanted,
        only,
        again,
        removed,
        ..
    } = input;
    let current = accepted.environment(&wanted.environment);
    let wanted = releases::settle(current, wanted, again);
    let left = match only {
        None => hold::left_alone(current, &wanted),
        Some(_) => BTreeSet::new(),
    };
    let meant = only.map(|only| by_either_name(current, &wanted, only));
    let held = held(accepted, &wanted, meant.as_ref(), &left);
    let narrowed = narrow(accepted, wanted, meant.as_ref(), &left);
    let environment = kept::settle(current, narrowed, removed, meant.as_ref());
    let environment = kept::settle_classes(current, environment);
    let input = ProposeInput {
        environment,
        ..input
    };
    proposed(input, held)
}

/// As [`propose`], for bundles that a plan resulted in: what was to be left alone or kept is in them.
pub(crate) fn propose_again(input: ProposeInput<'_>) -> Proposal {
    proposed(input, Vec::new())
}

/// `input.environment` is what the plan results in; `held` differ from it and stay as they are.
fn proposed(input: ProposeInput<'_>, held: Vec<ServiceChange>) -> Proposal {
    let ProposeInput {
        accepted,
        project,
        mut environment,
        origins,
        revision,
        only,
        adopt,
        ..
    } = input;
    merge::sort(&mut environment.objects);
    environment.services.sort_by(|a, b| a.name.cmp(&b.name));
    let project = settle(accepted, project, &environment, only.is_some());
    let before = State {
        project: accepted.project(),
        environment: accepted.environment(&environment.environment),
    };
    let after = State::of(&project, &environment);
    let compared = Compared::new(before.environment, after.environment);
    let settings = changed_settings(before, &project, &environment);
    let objects = objects::between(before, after, &compared, &settings, adopt);
    let own = Measured::of(&project);
    let result = Written::new(&environment, |service| !compared.stays(service));
    let mut services = changed_services(&compared, after, &objects, &result, origins);
    services.extend(held);
    by_risk(&mut services);
    let sides = crosscheck::Sides {
        project: &project,
        before: &accepted.environments(),
        after: &merge::with(accepted, &environment),
        compared: &compared,
        secrets: &accepted.secrets,
        others: &accepted.others,
        sizes: Sizes {
            project: own.bytes,
            environment: &result,
        },
    };
    let mut findings = crosscheck::findings(&environment.environment, sides, origins);
    findings.extend(unmatched(&compared, only, &objects, adopt));
    let objects: Vec<_> = objects.into_iter().map(|changed| changed.change).collect();
    let unknown = Digest::of_bytes(b"");
    let base = accepted.environment_digest(&environment.environment);
    let mut plan = Plan {
        schema: PlanSchema::V1,
        plan_id: PlanId::new(unknown.clone()),
        effect_id: EffectId::new(unknown),
        project: environment.project.clone(),
        environment: environment.environment.clone(),
        source: Source {
            revision,
            parent_generation: accepted.generation,
            base: base.cloned(),
            project_base: accepted.project_digest().cloned(),
            result: result.digest().clone(),
            project_result: own.digest,
            until: None,
        },
        summary: summary(&settings, &services, &objects),
        settings,
        services,
        objects,
        findings,
    };
    approval::note(&mut plan, accepted, &project, &environment);
    Proposal {
        plan: identified(plan),
        project,
        environment,
    }
}

/// Highest first, then by name.
fn by_risk(services: &mut [ServiceChange]) {
    services.sort_by(|a, b| (b.risk, &a.name).cmp(&(a.risk, &b.name)));
}

/// With the ids of what it says.
pub(crate) fn identified(mut plan: Plan) -> Plan {
    plan.effect_id = ids::effect(&plan);
    plan.plan_id = ids::plan(&plan);
    plan
}

/// The wanted environment, with everything that `only` leaves out as it is accepted, or, where all take
/// part, the services of `left`.
fn narrow(
    accepted: &AcceptedProject,
    wanted: EnvironmentBundle,
    only: Option<&BTreeSet<ServiceName>>,
    left: &BTreeSet<ServiceName>,
) -> EnvironmentBundle {
    let current = accepted.environment(&wanted.environment);
    match (only, current) {
        (None, None) => wanted,
        (None, Some(current)) => hold::leave(current, wanted, left),
        (Some(only), None) => EnvironmentBundle {
            services: chosen(wanted.services.clone(), only),
            ..wanted
        },
        (Some(only), Some(current)) => {
            let others = current
                .services
                .iter()
                .filter(|entry| !only.contains(&entry.name));
            let mut services = chosen(wanted.services, only);
            services.extend(others.cloned());
            EnvironmentBundle {
                objects: merge::keep(wanted.objects, &current.objects, |_| true),
                services,
                ..current.clone()
            }
        }
    }
}

/// The wanted project bundle, without dropping what only the project's deletion may drop, and with the
/// names that are in use once the plan is accepted.
fn settle(
    accepted: &AcceptedProject,
    wanted: ProjectBundle,
    environment: &EnvironmentBundle,
    narrowed: bool,
) -> ProjectBundle {
    // Without even a Namespace nothing can be wanted: the project is to be deleted.
    let ends = wanted.objects.is_empty() && environment.is_empty();
    let current = accepted.project().map(|project| &project.objects);
    let current = current.filter(|_| !ends);
    let mut objects = merge::keep(
        wanted.objects,
        current.map_or(&[], Vec::as_slice),
        |object| narrowed || object.deletion == Deletion::WithProject,
    );
    merge::sort(&mut objects);
    ProjectBundle {
        names: names::settle(
            accepted.names(),
            &wanted.names,
            &merge::with(accepted, environment),
        ),
        objects,
        ..wanted
    }
}

fn chosen(services: Vec<ServiceEntry>, only: &BTreeSet<ServiceName>) -> Vec<ServiceEntry> {
    services
        .into_iter()
        .filter(|entry| only.contains(&entry.name))
        .collect()
}

/// Services that differ but that `only` leaves as they are accepted, or that are `left` so.
fn held(
    accepted: &AcceptedProject,
    wanted: &EnvironmentBundle,
    only: Option<&BTreeSet<ServiceName>>,
    left: &BTreeSet<ServiceName>,
) -> Vec<ServiceChange> {
    if only.is_none() && left.is_empty() {
        return Vec::new();
    }
    let stays = |name: &ServiceName| only.map_or(left.contains(name), |only| !only.contains(name));
    let current = accepted.environment(&wanted.environment);
    let pairs = pairs(current, Some(wanted));
    pairs
        .into_iter()
        .filter(|(name, sides)| stays(name) && differ(*sides))
        .filter_map(|(name, (before, after))| {
            let accepted = before.map(ServiceEntry::digest);
            Some(ServiceChange {
                name: name.clone(),
                was: former_name(name, before),
                action: ServiceAction::None,
                held: true,
                effect: Effect::None,
                risk: Risk::None,
                kind: before.or(after)?.kind,
                before: accepted.clone(),
                after: accepted,
                changes: Vec::new(),
                objects: Vec::new(),
            })
        })
        .collect()
}

/// A new environment lists all its settings; a new project is shown by its objects.
fn changed_settings(
    before: State<'_>,
    project: &ProjectBundle,
    environment: &EnvironmentBundle,
) -> Vec<ModelChange> {
    let mut changes = settings::between(&settings::ENVIRONMENT, before.environment, environment);
    if before.project.is_some() {
        changes.extend(settings::between(
            &settings::PROJECT,
            before.project,
            project,
        ));
    }
    changes
}

/// `result`: what the environment of `after` comes to, with its services in the order of their names.
fn changed_services(
    compared: &Compared<'_>,
    after: State<'_>,
    objects: &[Changed],
    result: &Written,
    origins: &Origins,
) -> Vec<ServiceChange> {
    let mut by_service: BTreeMap<&ServiceName, Vec<&Changed>> = BTreeMap::new();
    for changed in objects {
        for name in &changed.services {
            by_service.entry(name).or_default().push(changed);
        }
    }
    let all = after.environment.map_or(&[] as &[_], |all| &all.services);
    let digest = |entry: &ServiceEntry| {
        let place = all.binary_search_by(|other| other.name.cmp(&entry.name));
        let place = place.expect("it is one of the services, and they are in order");
        result.service_digest(place).cloned()
    };
    compared
        .changed()
        .filter_map(|(name, (before, after))| {
            let own = by_service.remove(name).unwrap_or_default();
            let action = match (before, after) {
                (None, _) => ServiceAction::Create,
                (Some(_), None) => ServiceAction::Delete,
                (Some(_), Some(_)) => ServiceAction::Update,
            };
            let own_risk = own.iter().map(|changed| changed.change.risk).max();
            Some(ServiceChange {
                name: name.clone(),
                was: former_name(name, before),
                action,
                held: false,
                effect: effect(action, &own),
                risk: own_risk.unwrap_or_default().max(least_risk(action)),
                kind: after.or(before)?.kind,
                before: before.map(ServiceEntry::digest),
                after: after.and_then(digest),
                changes: model::between(name, before, after, origins),
                objects: own
                    .iter()
                    .map(|changed| changed.change.key.clone())
                    .collect(),
            })
        })
        .collect()
}

fn differ((before, after): (Option<&ServiceEntry>, Option<&ServiceEntry>)) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => !is_same(before, after),
        (None, None) => false,
        (Some(_), None) | (None, Some(_)) => true,
    }
}

/// Of a service whose objects do not change.
fn least_risk(action: ServiceAction) -> Risk {
    match action {
        ServiceAction::Create => Risk::Create,
        ServiceAction::Update => Risk::Update,
        ServiceAction::Delete => Risk::Delete,
        ServiceAction::None => Risk::None,
    }
}

fn effect(action: ServiceAction, objects: &[&Changed]) -> Effect {
    match action {
        ServiceAction::Create => Effect::Start,
        ServiceAction::Delete => Effect::Stop,
        ServiceAction::Update | ServiceAction::None => {
            let rolls = objects.iter().any(|changed| {
                let change = &changed.change;
                risk::rolls_out(&change.key, change.action, &change.fields)
            });
            let pods = |action| {
                objects.iter().any(|changed| {
                    changed.change.key.kind == "Deployment" && changed.change.action == action
                })
            };
            if objects.iter().any(|changed| scales(&changed.change, false)) {
                Effect::Stop
            } else if objects.iter().any(|changed| scales(&changed.change, true)) {
                Effect::Start
            } else if rolls || (pods(Action::Create) && pods(Action::Delete)) {
                Effect::Rollout
            } else if pods(Action::Create) {
                Effect::Start
            } else if pods(Action::Delete) {
                Effect::Stop
            } else if objects.is_empty() {
                Effect::None
            } else {
                Effect::Configure
            }
        }
    }
}

/// Whether a Deployment's last pod goes, or its first one comes.
fn scales(change: &crate::document::ObjectChange, up: bool) -> bool {
    let is_zero =
        |value: &Option<serde_json::Value>| value.as_ref().is_some_and(|value| *value == 0);
    change.key.kind == "Deployment"
        && change.action == Action::Update
        && change.fields.iter().any(|field| {
            let (from, to) = match up {
                true => (&field.after, &field.before),
                false => (&field.before, &field.after),
            };
            field.path == "/spec/replicas" && is_zero(to) && !is_zero(from)
        })
}

/// Names that were asked for on the command line and that nothing answers to.
fn unmatched(
    compared: &Compared<'_>,
    only: Option<&BTreeSet<ServiceName>>,
    objects: &[Changed],
    adopt: &BTreeSet<ObjectKey>,
) -> Vec<Finding> {
    let known = &compared.pairs;
    let former = known.values().filter_map(|(before, _)| before.as_ref());
    let former: BTreeSet<&ServiceName> = former.map(|entry| &entry.name).collect();
    let services = only
        .into_iter()
        .flatten()
        .filter(|&name| !known.contains_key(name) && !former.contains(&name));
    let unknown = services.map(|name| {
        let title =
            format!("there is no service {name} here; `starform status` lists those there are");
        crosscheck::blocking(&codes::UNKNOWN_SERVICE, title, None)
    });
    let adopted: BTreeSet<&ObjectKey> = objects
        .iter()
        .filter(|changed| changed.change.action == Action::Adopt)
        .map(|changed| &changed.change.key)
        .collect();
    let idle = adopt.iter().filter(|key| !adopted.contains(key));
    let idle = idle.map(|key| Finding {
        code: codes::NOTHING_TO_ADOPT.code.to_owned(),
        severity: FindingSeverity::Warning,
        title: format!("{key} is not adopted: this plan does not create it"),
        at: None,
    });
    unknown.chain(idle).collect()
}
