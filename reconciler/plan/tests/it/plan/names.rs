//! Names of services over time: never given to a second service, found again by a rollback.
//!
//! Pure.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{
    Bundle, EnvironmentState, NameEntry, Origins, ServiceId, ServiceName, schema::read,
};
use starform_plan::{
    ProposeInput, Refusal, bind_names,
    document::{Action, ServiceAction},
    propose::propose,
    stale::Part,
};

use super::{
    accept::without,
    world::{Asked, World, environment, shop_id, sound},
};
use crate::sample::{self, service_name};

#[test]
fn a_name_that_was_given_up_comes_back_as_another_service() {
    let mut world = World::having(&sample::shop());
    let first = world.accepted(shop_id());
    world.accept(&world.propose(&without("mailer"))).unwrap();
    let entry = |world: &World| -> Vec<NameEntry> {
        let names = world.accepted(shop_id()).names().to_vec();
        names
            .into_iter()
            .filter(|e| e.name.as_str() == "mailer")
            .collect()
    };
    assert!(entry(&world)[0].retired);
    world.accept(&world.propose(&sample::shop())).unwrap();
    let entries = entry(&world);
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1].object_name.as_str(), "mailer-2");
    assert_ne!(entries[0].service_id, entries[1].service_id);
    let rollback = propose(ProposeInput {
        accepted: &world.accepted(shop_id()),
        project: world.render(&sample::shop()).project,
        environment: first
            .environment(&environment("production"))
            .unwrap()
            .clone(),
        origins: &Origins::default(),
        revision: None,
        only: None,
        adopt: &BTreeSet::new(),
        again: &BTreeSet::new(),
        removed: &[],
    });
    world.accept(&rollback).unwrap();
    assert_eq!(
        world.accepted(shop_id()).environments(),
        first.environments()
    );
    let retired: Vec<bool> = entry(&world).iter().map(|entry| entry.retired).collect();
    assert_eq!(retired, [false, true]);
}

#[test]
fn names_of_services_stay_apart() {
    let mut world = World::having(&sample::shop());
    world.accept(&world.propose(&without("mailer"))).unwrap();
    let bound = bind_names(
        shop_id(),
        &world.accepted(shop_id()),
        &[service_name("mailer"), service_name("mailer-2")],
        &BTreeMap::new(),
    );
    let objects: BTreeSet<&str> = bound.iter().map(|e| e.object_name.as_str()).collect();
    assert_eq!(objects.len(), bound.len(), "{bound:?}");
}

/// `only preview`: it goes and comes back with every pull request.
#[test]
fn a_service_of_the_longest_name_comes_back_hundreds_of_times() {
    let name = service_name(&"a".repeat(ServiceName::LONGEST));
    let mut world = World::having(&sample::shop());
    for round in 0..220 {
        let accepted = world.accepted(shop_id());
        let bound = bind_names(
            shop_id(),
            &accepted,
            std::slice::from_ref(&name),
            &BTreeMap::new(),
        );
        let objects: BTreeSet<&str> = bound.iter().map(|e| e.object_name.as_str()).collect();
        assert_eq!(objects.len(), bound.len(), "round {round}: {bound:?}");
        let retired = |entry: NameEntry| NameEntry {
            retired: entry.retired || entry.name == name,
            ..entry
        };
        give_names(&mut world, bound.into_iter().map(retired).collect());
    }
    for bundle in world.bundles.values() {
        let text = serde_json::to_vec(bundle).unwrap();
        assert_eq!(read::<Bundle>(&text).as_ref(), Ok(bundle));
    }
}

/// The project's own bundle with these names, as a store that was read again has it.
fn give_names(world: &mut World, names: Vec<NameEntry>) {
    let entry = world.index.projects.get_mut(&shop_id()).unwrap();
    let Some(Bundle::Project(mut own)) = world.bundles.remove(&entry.bundle) else {
        panic!("the project has a bundle of its own");
    };
    own.names = names;
    let own = Bundle::Project(own);
    entry.bundle = own.digest();
    world.bundles.insert(own.digest(), own);
}

/// The shop with its mailer under another name.
fn renamed(name: &str) -> EnvironmentState {
    let mut shop = sample::shop();
    let mut services = shop.services.iter_mut();
    let mailer = services.find(|service| service.name.as_str() == "mailer");
    mailer.unwrap().name = service_name(name);
    shop.services.sort_by(|a, b| a.name.cmp(&b.name));
    shop
}

fn was(world: &mut World, name: &str, old: &str) {
    world.former = BTreeMap::from([(service_name(name), service_name(old))]);
}

fn names_of(world: &World) -> Vec<(String, u32, String, bool)> {
    let names = world.accepted(shop_id()).names().to_vec();
    let row = |entry: NameEntry| {
        let (name, object) = (entry.name.to_string(), entry.object_name.to_string());
        (name, entry.incarnation, object, entry.retired)
    };
    names.into_iter().map(row).collect()
}

fn service_id(world: &World, name: &str) -> ServiceId {
    let accepted = world.accepted(shop_id());
    let bundle = accepted.environment(&environment("production")).unwrap();
    bundle.service(&service_name(name)).unwrap().service_id
}

#[test]
fn a_renamed_service_keeps_its_objects_and_is_one_change() {
    let mut world = World::having(&sample::shop());
    let id = service_id(&world, "mailer");
    was(&mut world, "post", "mailer");
    let proposal = world.propose(&renamed("post"));
    let plan = &proposal.plan;
    let [service] = plan.services.as_slice() else {
        panic!("{:#?}", plan.services)
    };
    assert_eq!(service.name.as_str(), "post");
    assert_eq!(service.was, Some(service_name("mailer")));
    assert_eq!(service.action, ServiceAction::Update);
    let [change] = service.changes.as_slice() else {
        panic!("{:#?}", service.changes)
    };
    assert_eq!(change.path, "name");
    assert!(!plan.objects.is_empty());
    for object in &plan.objects {
        assert_eq!(object.action, Action::Update, "{object:#?}");
        assert!(object.key.name.starts_with("mailer--"), "{object:#?}");
        for field in &object.fields {
            let words = field.words.as_deref().unwrap_or_default();
            let own_name = words.ends_with("env[STARFORM_SERVICE].value");
            assert!(field.path.contains("/labels") || own_name, "{field:#?}");
        }
    }
    assert_eq!(plan.blocking_findings().count(), 0, "{:?}", plan.findings);
    assert!(world.accept(&proposal).unwrap());
    assert_eq!(service_id(&world, "post"), id);
    let accepted = &world.index.projects[&shop_id()].accepted;
    let consent = &accepted.last().unwrap().consent;
    assert!(consent.delete.is_empty() && consent.replace.is_empty());
    assert!(world.propose(&renamed("post")).plan.is_empty());
    world.former.clear();
    assert!(world.propose(&renamed("post")).plan.is_empty());
}

#[test]
fn a_name_that_was_given_up_by_renaming_is_free_for_another_service() {
    let mut world = World::having(&sample::shop());
    let id = service_id(&world, "mailer");
    was(&mut world, "post", "mailer");
    world.accept(&world.propose(&renamed("post"))).unwrap();
    world.former.clear();
    let mut both = renamed("post");
    let other = sample::shop().services;
    both.services
        .extend(other.into_iter().filter(|s| s.name.as_str() == "mailer"));
    both.services.sort_by(|a, b| a.name.cmp(&b.name));
    world.accept(&world.propose(&both)).unwrap();
    assert_eq!(service_id(&world, "post"), id);
    assert_ne!(service_id(&world, "mailer"), id);
    let row = |name: &str, incarnation, object: &str, retired| {
        (name.to_owned(), incarnation, object.to_owned(), retired)
    };
    let names: Vec<_> = names_of(&world)
        .into_iter()
        .filter(|(name, ..)| ["mailer", "post"].contains(&name.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            row("mailer", 0, "mailer", true),
            row("mailer", 1, "mailer-2", false),
            row("post", 0, "mailer", false),
        ]
    );
}

#[test]
fn each_environment_is_renamed_when_its_plan_is_accepted() {
    let mut world = World::having(&sample::shop());
    let staging = |state: EnvironmentState| EnvironmentState {
        environment: environment("staging"),
        ..sound(state)
    };
    world
        .accept(&world.propose(&staging(sample::shop())))
        .unwrap();
    was(&mut world, "post", "mailer");
    world
        .accept(&world.propose(&staging(renamed("post"))))
        .unwrap();
    let id = service_id(&world, "mailer");
    let live = |world: &World| -> Vec<String> {
        let names = names_of(world).into_iter();
        let names = names.filter(|(_, _, object, retired)| object == "mailer" && !retired);
        names.map(|(name, ..)| name).collect()
    };
    assert_eq!(live(&world), ["mailer", "post"]);
    // The file may have lost `was=` meanwhile.
    world.former.clear();
    let proposal = world.propose(&renamed("post"));
    assert_eq!(proposal.plan.services[0].was, Some(service_name("mailer")));
    world.accept(&proposal).unwrap();
    assert_eq!(service_id(&world, "post"), id);
    assert_eq!(live(&world), ["post"]);
}

/// Without `was=`: the same service as long as an environment has it under that name, another one after that.
#[test]
fn a_former_name_alone_is_another_service_once_no_environment_has_it() {
    let mut world = World::having(&sample::shop());
    let staging = |state: EnvironmentState| EnvironmentState {
        environment: environment("staging"),
        ..sound(state)
    };
    let (was_staging, was_production) = (staging(sample::shop()), sample::shop());
    world.accept(&world.propose(&was_staging)).unwrap();
    was(&mut world, "post", "mailer");
    world.accept(&world.propose(&renamed("post"))).unwrap();
    let id = service_id(&world, "post");
    world.former.clear();
    let back = world.propose(&was_production);
    assert_eq!(back.plan.services[0].was, Some(service_name("post")));

    was(&mut world, "post", "mailer");
    world
        .accept(&world.propose(&staging(renamed("post"))))
        .unwrap();
    world.former.clear();
    let anew = world.propose(&was_production);
    assert!(anew.plan.services.iter().all(|one| one.was.is_none()));
    world.accept(&anew).unwrap();
    assert_ne!(service_id(&world, "mailer"), id);
}

#[test]
fn a_service_may_get_its_former_name_back() {
    let mut world = World::having(&sample::shop());
    let (before, id) = (names_of(&world), service_id(&world, "mailer"));
    was(&mut world, "post", "mailer");
    world.accept(&world.propose(&renamed("post"))).unwrap();
    was(&mut world, "mailer", "post");
    world.accept(&world.propose(&sample::shop())).unwrap();
    assert_eq!(service_id(&world, "mailer"), id);
    let live = names_of(&world)
        .into_iter()
        .filter(|(.., retired)| !retired);
    assert_eq!(live.collect::<Vec<_>>(), before);
}

#[test]
fn whoever_plans_one_name_of_a_renamed_service_plans_both() {
    let mut world = World::having(&sample::shop());
    was(&mut world, "post", "mailer");
    let whole = world.propose(&renamed("post"));
    for name in ["post", "mailer"] {
        let only = Some(BTreeSet::from([service_name(name)]));
        let asked = Asked {
            only,
            ..Asked::default()
        };
        let narrow = world.propose_asked(&renamed("post"), &asked);
        assert_eq!(narrow.environment, whole.environment, "{name}");
        assert_eq!(narrow.plan.services, whole.plan.services, "{name}");
        assert_eq!(narrow.plan.blocking_findings().count(), 0, "{name}");
    }
    let only = Some(BTreeSet::from([service_name("storefront")]));
    let asked = Asked {
        only,
        ..Asked::default()
    };
    let other = world.propose_asked(&renamed("post"), &asked);
    let held: Vec<_> = other.plan.services.iter().collect();
    assert!(held.iter().all(|service| service.held), "{held:#?}");
    assert_eq!(held[0].name.as_str(), "post");
    assert!(other.environment.service(&service_name("mailer")).is_some());
}

#[test]
fn a_rename_is_stale_once_the_service_has_moved() {
    let mut world = World::having(&sample::shop());
    was(&mut world, "post", "mailer");
    let rename = world.propose(&renamed("post"));
    let mut moved = sample::shop();
    for service in &mut moved.services {
        service.model.image = "ghcr.io/acme/other:2".to_owned();
    }
    world.accept(&world.propose(&moved)).unwrap();
    let Err(Refusal::Stale(stale)) = world.accept(&rename) else {
        panic!("it must be stale")
    };
    assert_eq!(stale[0].part, Part::Service(service_name("post")));
    let fresh = world.propose(&renamed("post"));
    assert!(world.accept(&fresh).unwrap());
    assert!(!world.accept(&fresh).unwrap(), "it is done already");
}
