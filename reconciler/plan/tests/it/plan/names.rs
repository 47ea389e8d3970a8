//! Names of services over time: never given to a second service, found again by a rollback.
//!
//! Pure.

use std::collections::BTreeSet;

use starform_contract::{NameEntry, Origins};
use starform_plan::{ProposeInput, bind_names, propose::propose};

use super::{
    accept::without,
    world::{World, environment, shop_id},
};
use crate::sample::{self, service_name};

#[test]
fn a_name_that_was_given_up_comes_back_as_another_service() {
    let mut world = World::having(&sample::shop());
    let first = world.accepted(shop_id());
    world.accept(&world.propose(&without("mailer"))).unwrap();
    let entry = |world: &World| -> Vec<NameEntry> {
        let names = world.accepted(shop_id()).project.unwrap().names;
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
        environment: first.environments[&environment("production")].clone(),
        origins: &Origins::default(),
        revision: None,
        only: None,
        adopt: &BTreeSet::new(),
    });
    world.accept(&rollback).unwrap();
    assert_eq!(world.accepted(shop_id()).environments, first.environments);
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
    );
    let objects: BTreeSet<&str> = bound.iter().map(|e| e.object_name.as_str()).collect();
    assert_eq!(objects.len(), bound.len(), "{bound:?}");
}
