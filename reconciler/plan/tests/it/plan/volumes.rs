//! What becomes of volumes and releases from plan to plan: kept, destroyed by name, tried again.
//!
//! Pure.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{
    Consent, EnvironmentState, Kept, ObjectKey, VolumeName,
    model::{Release, Running, Volume, Workload},
    quantity::{Duration, Memory},
    state::{Data, Removed},
};
use starform_plan::{
    Proposal, Refusal, accept,
    document::{Action, FindingSeverity, ObjectChange, Owner, Plan, Risk},
    stale::Part,
};

use super::world::{Asked, World, environment, shop_id};
use crate::sample::{self, service_name};

#[test]
fn a_volume_that_is_left_out_is_kept_and_each_plan_reminds_of_it() {
    let mut world = World::having(&with_volumes(&[("data", 10), ("cache", 1)]));
    let without = world.propose(&with_volumes(&[("cache", 1)]));
    let change = claim(&without.plan, "data");
    assert_eq!((change.action, change.risk), (Action::Retain, Risk::Update));
    assert_eq!(change.owner, Owner::Service(service_name("catalog")));
    assert_eq!(without.plan.summary.objects.retain, 1);
    assert_eq!(reminders(&without.plan), ["catalog.data"]);
    assert_eq!(consent(&world, &without), Consent::default());
    world.accept(&without).unwrap();
    let kept = kept(&world);
    let names: Vec<(&str, bool)> = kept.iter().map(|k| (k.volume.as_str(), k.meant)).collect();
    assert_eq!(names, [("data", false)]);
    let again = world.propose(&with_volumes(&[("cache", 1)]));
    assert!(again.plan.is_empty());
    assert_eq!(reminders(&again.plan), ["catalog.data"]);
}

#[test]
fn a_removed_service_and_an_emptied_environment_leave_their_volumes() {
    let mut world = World::having(&with_volumes(&[("data", 10)]));
    let gone = world.propose(&without_catalog());
    assert_eq!(claim(&gone.plan, "data").action, Action::Retain);
    world.accept(&gone).unwrap();
    assert_eq!(kept(&world).len(), 1);
    let mut emptied = sample::shop();
    emptied.services.clear();
    let emptied = world.propose(&emptied);
    world.accept(&emptied).unwrap();
    assert_eq!(kept(&world).len(), 1, "and it is still known");
}

#[test]
fn a_volume_is_destroyed_by_its_name_and_by_that_of_its_service() {
    let volume = removed("catalog", Some("data"), Data::Destroy);
    let service = removed("catalog", None, Data::Destroy);
    for (before, wanted) in [
        // In one step with what declares it.
        (None, with_removed(with_volumes(&[]), &volume)),
        (None, with_removed(without_catalog(), &service)),
        // Long after it was left behind.
        (
            Some(with_volumes(&[])),
            with_removed(with_volumes(&[]), &volume),
        ),
        (
            Some(without_catalog()),
            with_removed(without_catalog(), &volume),
        ),
        (
            Some(without_catalog()),
            with_removed(without_catalog(), &service),
        ),
    ] {
        let mut world = World::having(&with_volumes(&[("data", 10)]));
        if let Some(before) = before {
            let proposal = world.propose(&before);
            world.accept(&proposal).unwrap();
        }
        let destroy = world.propose(&wanted);
        let change = claim(&destroy.plan, "data");
        assert_eq!(
            (change.action, change.risk),
            (Action::Delete, Risk::Destroy)
        );
        assert_eq!(destroy.plan.summary.risk, Risk::Destroy);
        assert_eq!(
            destroy.plan.objects[0].key, change.key,
            "the highest risk is told first"
        );
        let consent = consent(&world, &destroy);
        assert_eq!(consent.destroy, BTreeSet::from([change.key.clone()]));
        assert!(!consent.delete.contains(&change.key));
        assert!(reminders(&destroy.plan).is_empty());
        world.accept(&destroy).unwrap();
        assert_eq!(kept(&world), []);
        assert!(world.propose(&wanted).plan.is_empty());
    }
}

#[test]
fn another_name_destroys_nothing() {
    for other in [
        removed("catalog", Some("cache"), Data::Destroy),
        removed("mailer", None, Data::Destroy),
        removed("storefront", Some("data"), Data::Destroy),
    ] {
        let world = World::having(&with_volumes(&[("data", 10)]));
        let proposal = world.propose(&with_removed(with_volumes(&[]), &other));
        assert_eq!(claim(&proposal.plan, "data").action, Action::Retain);
        assert_eq!(consent(&world, &proposal).destroy, BTreeSet::new());
    }
}

#[test]
fn what_is_kept_on_purpose_is_not_told_again_and_can_be_destroyed_later() {
    let keep = removed("catalog", Some("data"), Data::Keep);
    let mut world = World::having(&with_volumes(&[("data", 10)]));
    let first = world.propose(&with_volumes(&[]));
    world.accept(&first).unwrap();
    let wanted = with_removed(with_volumes(&[]), &keep);
    let forget = world.propose(&wanted);
    assert_eq!(claim(&forget.plan, "data").action, Action::Forget);
    assert!(reminders(&forget.plan).is_empty());
    assert_eq!(consent(&world, &forget), Consent::default());
    world.accept(&forget).unwrap();
    assert!(kept(&world)[0].meant);
    let later = world.propose(&with_volumes(&[]));
    assert!(later.plan.is_empty() && reminders(&later.plan).is_empty());
    let destroy = removed("catalog", Some("data"), Data::Destroy);
    let destroy = world.propose(&with_removed(with_volumes(&[]), &destroy));
    assert_eq!(claim(&destroy.plan, "data").risk, Risk::Destroy);
}

#[test]
fn a_volume_that_is_declared_again_is_managed_again_with_its_data() {
    let mut world = World::having(&with_volumes(&[("data", 10)]));
    let without = world.propose(&with_volumes(&[]));
    world.accept(&without).unwrap();
    let back = world.propose(&with_volumes(&[("data", 20)]));
    let change = claim(&back.plan, "data");
    assert_eq!(change.action, Action::Adopt);
    assert_eq!(
        change.fields.len(),
        1,
        "only its size differs: {:?}",
        change.fields
    );
    world.accept(&back).unwrap();
    assert_eq!(kept(&world), []);
}

/// A destroy that is accepted after another plan took the volume up again deletes nothing.
#[test]
fn what_is_wanted_again_meanwhile_is_not_destroyed() {
    let mut world = World::having(&with_volumes(&[("data", 10)]));
    let without = world.propose(&with_volumes(&[]));
    world.accept(&without).unwrap();
    let destroy = removed("catalog", Some("data"), Data::Destroy);
    let mut wanted = with_removed(with_volumes(&[]), &destroy);
    wanted.services[1].model.image = "ghcr.io/acme/mailer:v2".to_owned();
    let destroy = world.propose(&wanted);
    let back = world.propose(&with_volumes(&[("data", 10)]));
    world.accept(&back).unwrap();
    world.accept(&destroy).unwrap();
    let entry = &world.index.projects[&shop_id()];
    assert!(
        entry
            .accepted
            .iter()
            .all(|accepted| accepted.consent.destroy.is_empty())
    );
}

/// Until a report converges an entry is carried on, and its agent may have seen none of these plans.
#[test]
fn a_plan_that_takes_back_what_was_destroyed_meanwhile_is_stale() {
    let mut world = World::having(&with_volumes(&[("data", 10)]));
    world.accept(&world.propose(&with_volumes(&[]))).unwrap();
    let adopts = world.propose(&with_volumes(&[("data", 10)]));
    assert_eq!(claim(&adopts.plan, "data").action, Action::Adopt);
    let volume = removed("catalog", Some("data"), Data::Destroy);
    let destroys = world.propose(&with_removed(with_volumes(&[]), &volume));
    world.accept(&destroys).unwrap();
    let Err(Refusal::Stale(stale)) = world.accept(&adopts) else {
        panic!("it must be stale");
    };
    let key = &claim(&adopts.plan, "data").key;
    assert!(
        stale
            .iter()
            .any(|one| one.part == Part::Object(key.clone()))
    );
    // Done already, it is nothing to do.
    let again = world.propose(&with_volumes(&[("data", 10)]));
    world.accept(&again).unwrap();
    assert!(!world.accept(&again).unwrap());
}

#[test]
fn what_a_later_plan_keeps_is_not_destroyed_by_an_earlier_one() {
    let destroy = removed("catalog", Some("data"), Data::Destroy);
    let mut world = World::having(&with_volumes(&[("data", 10)]));
    let destroy = world.propose(&with_removed(with_volumes(&[]), &destroy));
    world.accept(&destroy).unwrap();
    let back = world.propose(&with_volumes(&[("data", 10)]));
    world.accept(&back).unwrap();
    let dropped = world.propose(&with_volumes(&[]));
    let change = claim(&dropped.plan, "data");
    assert_eq!(change.action, Action::Retain);
    let key = change.key.clone();
    world.accept(&dropped).unwrap();
    let entry = &world.index.projects[&shop_id()];
    assert_eq!(entry.accepted.len(), 4);
    for accepted in &entry.accepted {
        let Consent {
            delete, destroy, ..
        } = &accepted.consent;
        assert!(!delete.contains(&key) && !destroy.contains(&key));
    }
}

#[test]
fn a_volume_grows_and_neither_shrinks_nor_moves() {
    let mut world = World::having(&with_volumes(&[("data", 10)]));
    let grown = world.propose(&with_volumes(&[("data", 20)]));
    let change = claim(&grown.plan, "data");
    assert_eq!((change.action, change.risk), (Action::Update, Risk::Update));
    assert_eq!(grown.plan.blocking_findings().count(), 0);
    world.accept(&grown).unwrap();
    let shrunk = world.propose(&with_volumes(&[("data", 10)]));
    let said = "the volume catalog.data would shrink from 20Gi to 10Gi, which no disk does; leave it at 20Gi, or move the data to a new volume";
    assert_eq!(blocking(&shrunk.plan), [("SF6111", said)]);
    assert!(matches!(world.accept(&shrunk), Err(Refusal::Blocked(_))));
    let mut disguised = shrunk;
    disguised.plan.findings.clear();
    disguised.plan.effect_id = starform_plan::ids::effect(&disguised.plan);
    disguised.plan.plan_id = starform_plan::ids::plan(&disguised.plan);
    assert!(matches!(
        world.accept(&disguised),
        Err(Refusal::CrossCheck(_))
    ));
    let class = |class: &str| {
        let mut state = with_volumes(&[("data", 20)]);
        let volumes = &mut catalog(&mut state).volumes;
        volumes
            .values_mut()
            .for_each(|volume| volume.class = Some(class.to_owned()));
        state
    };
    // Which class the cluster chose is not known: another one would be refused by it for ever.
    let named = world.propose(&class("ssd"));
    assert!(named.plan.objects.is_empty(), "{:?}", named.plan.objects);
    assert!(idle_class(&named.plan).contains("catalog.data stays in the storage class"));
    world.accept(&named).unwrap();
    let unnamed = world.propose(&with_volumes(&[("data", 20)]));
    assert_eq!(unnamed.plan.blocking_findings().count(), 0);
    let world = World::having(&class("ssd"));
    let moved = world.propose(&class("hdd"));
    assert_eq!(blocking(&moved.plan)[0].0, "SF6112");
    let unnamed = world.propose(&with_volumes(&[("data", 20)]));
    assert_eq!(blocking(&unnamed.plan)[0].0, "SF6112");
}

fn idle_class(plan: &Plan) -> &str {
    let found = plan
        .findings
        .iter()
        .find(|finding| finding.code == "SF6112");
    &found.unwrap().title
}

#[test]
fn a_release_is_tried_again_by_a_persons_word_alone() {
    let mut world = World::having(&with_release("v1"));
    let first = job(&world.propose(&with_release("v1")));
    assert!(first.ends_with("-1"));
    let asked = Asked {
        again: BTreeSet::from([service_name("catalog")]),
        ..Asked::default()
    };
    let again = world.propose_asked(&with_release("v1"), &asked);
    let second = job(&again);
    assert_eq!(second, format!("{}-2", first.strip_suffix("-1").unwrap()));
    let catalog = again
        .plan
        .services
        .iter()
        .find(|s| s.name.as_str() == "catalog")
        .unwrap();
    let paths: Vec<&str> = catalog
        .changes
        .iter()
        .map(|change| change.path.as_str())
        .collect();
    assert_eq!(paths, ["release.attempt"]);
    assert_eq!(again.plan.summary.rollouts, 0);
    let of_jobs: Vec<(Action, Risk)> = again
        .plan
        .objects
        .iter()
        .map(|change| (change.action, change.risk))
        .collect();
    assert_eq!(
        of_jobs,
        [
            (Action::Delete, Risk::Update),
            (Action::Create, Risk::Create)
        ]
    );
    world.accept(&again).unwrap();
    assert!(
        world.propose(&with_release("v1")).plan.is_empty(),
        "it stays at its attempt"
    );
    let other = world.propose(&with_release("v2"));
    assert!(job(&other).ends_with("-1"));
    assert!(!job(&other).starts_with(&second[..second.len() - 2]));
}

pub(super) fn with_volumes(volumes: &[(&str, u64)]) -> EnvironmentState {
    let mut state = sample::shop();
    let volume = |(name, gigabytes): &(&str, u64)| {
        let volume = Volume {
            mount: format!("/{name}"),
            size: Memory::from_bytes(gigabytes << 30),
            class: None,
        };
        (VolumeName::new(*name).unwrap(), volume)
    };
    catalog(&mut state).volumes = volumes.iter().map(volume).collect::<BTreeMap<_, _>>();
    state
}

fn with_release(tag: &str) -> EnvironmentState {
    let mut state = sample::shop();
    state.services[0].model.image = format!("ghcr.io/acme/catalog:{tag}");
    catalog(&mut state).release = Some(Release {
        run: vec!["bin/migrate".to_owned()],
        timeout: Duration::from_secs(60),
        attempt: Release::FIRST_ATTEMPT,
    });
    state
}

/// Nobody else refers to it either.
fn without_catalog() -> EnvironmentState {
    let mut state = sample::shop();
    state
        .services
        .retain(|service| service.name.as_str() != "catalog");
    for service in &mut state.services {
        service.model.refs.clear();
    }
    state
}

fn catalog(state: &mut EnvironmentState) -> &mut Running {
    match &mut state.services[0].model.workload {
        Workload::Private(catalog) => &mut catalog.running,
        Workload::Web(_) | Workload::Worker(_) | Workload::Cron(_) => panic!("it is private"),
    }
}

pub(super) fn removed(service: &str, volume: Option<&str>, data: Data) -> Removed {
    Removed {
        service: service_name(service),
        volume: volume.map(|volume| VolumeName::new(volume).unwrap()),
        data,
    }
}

pub(super) fn with_removed(mut state: EnvironmentState, removed: &Removed) -> EnvironmentState {
    state.removed.push(removed.clone());
    state
}

fn claim<'a>(plan: &'a Plan, volume: &str) -> &'a ObjectChange {
    let name = format!("catalog--production--{volume}");
    let is_it = |key: &ObjectKey| key.kind == "PersistentVolumeClaim" && key.name == name;
    let mut objects = plan.objects.iter();
    objects
        .find(|change| is_it(&change.key))
        .unwrap_or_else(|| panic!("no {name}"))
}

fn reminders(plan: &Plan) -> Vec<&str> {
    let of_volumes = plan
        .findings
        .iter()
        .filter(|finding| finding.code == "SF6113");
    of_volumes
        .map(|finding| {
            assert_eq!(finding.severity, FindingSeverity::Warning);
            let named = finding.title.strip_prefix("the volume ").unwrap();
            named.split(' ').next().unwrap()
        })
        .collect()
}

fn blocking(plan: &Plan) -> Vec<(&str, &str)> {
    plan.blocking_findings()
        .map(|finding| (finding.code.as_str(), finding.title.as_str()))
        .collect()
}

fn consent(world: &World, proposal: &Proposal) -> Consent {
    let accepted = world.accepted(shop_id());
    accept::consent(&proposal.plan, &accepted, &proposal.environment)
}

fn kept(world: &World) -> Vec<Kept> {
    let accepted = world.accepted(shop_id());
    accepted
        .environment(&environment("production"))
        .unwrap()
        .kept
        .clone()
}

fn job(proposal: &Proposal) -> String {
    let entry = proposal
        .environment
        .service(&service_name("catalog"))
        .unwrap();
    let job = entry
        .objects
        .iter()
        .find(|object| object.release().is_some());
    job.unwrap().key().unwrap().name
}
