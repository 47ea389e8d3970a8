//! Services that say `hold`: left as they are accepted until a plan names them.
//!
//! Pure.

use std::collections::BTreeSet;

use starform_contract::EnvironmentState;
use starform_plan::document::{Plan, ServiceAction};

use super::world::{Asked, World};
use crate::sample::{self, service_name};

/// The mailer holds, and it and the storefront have another image.
fn next() -> EnvironmentState {
    let mut next = sample::shop();
    next.services[1].model.hold = true;
    for position in [1, 3] {
        next.services[position].model.image = "ghcr.io/acme/other:v2".to_owned();
    }
    next
}

fn actions(plan: &Plan) -> Vec<(&str, ServiceAction, bool)> {
    plan.services
        .iter()
        .map(|service| (service.name.as_str(), service.action, service.held))
        .collect()
}

#[test]
fn a_held_service_stays_as_it_is_accepted() {
    let mut world = World::having(&sample::shop());
    let proposal = world.propose(&next());
    assert_eq!(
        actions(&proposal.plan),
        [
            ("storefront", ServiceAction::Update, false),
            ("mailer", ServiceAction::None, true)
        ]
    );
    assert_eq!(proposal.plan.objects.len(), 1);
    let name = service_name("mailer");
    let before = world.render(&sample::shop()).environment;
    assert_eq!(proposal.environment.service(&name), before.service(&name));
    assert!(world.accept(&proposal).unwrap());
    let again = world.propose(&next()).plan;
    assert_eq!(actions(&again), [("mailer", ServiceAction::None, true)]);
    assert!(again.objects.is_empty());
}

#[test]
fn a_plan_that_names_a_held_service_changes_it() {
    let mut world = World::having(&sample::shop());
    let asked = Asked {
        only: Some(BTreeSet::from([service_name("mailer")])),
        ..Asked::default()
    };
    let proposal = world.propose_asked(&next(), &asked);
    assert_eq!(
        actions(&proposal.plan),
        [
            ("mailer", ServiceAction::Update, false),
            ("storefront", ServiceAction::None, true)
        ]
    );
    assert!(world.accept(&proposal).unwrap());
    let others = world.propose(&next()).plan;
    assert_eq!(
        actions(&others),
        [("storefront", ServiceAction::Update, false)]
    );
}

#[test]
fn a_service_that_was_never_accepted_is_created_and_one_that_is_gone_deleted() {
    let first = World::new().propose(&next()).plan;
    let created = |service: &(&str, ServiceAction, bool)| service.1 == ServiceAction::Create;
    assert!(actions(&first).iter().all(created), "{:?}", actions(&first));
    let mut world = World::new();
    world.accept(&world.propose(&next())).unwrap();
    let mut without = next();
    without.services.remove(1);
    let plan = world.propose(&without).plan;
    assert_eq!(actions(&plan), [("mailer", ServiceAction::Delete, false)]);
}

/// Nothing that runs depends on the word, so it is taken, and taken back, without being named.
#[test]
fn holding_by_itself_touches_no_object() {
    let mut world = World::having(&sample::shop());
    let mut held = sample::shop();
    held.services[1].model.hold = true;
    for state in [&held, &sample::shop()] {
        let proposal = world.propose(state);
        assert_eq!(
            actions(&proposal.plan),
            [("mailer", ServiceAction::Update, false)]
        );
        assert!(proposal.plan.objects.is_empty());
        assert!(world.accept(&proposal).unwrap());
    }
}

/// A group that only a held service reads keeps its Secret, which the running pods refer to.
#[test]
fn what_a_held_service_reads_stays() {
    let mut world = World::having(&sample::shop());
    let mut next = sample::shop();
    next.groups.clear();
    next.services[3].model.vars.clear();
    next.services[3].model.hold = true;
    let plan = world.propose(&next).plan;
    assert!(plan.objects.is_empty(), "{:?}", plan.objects);
    let proposal = world.propose(&next);
    assert!(!world.accept(&proposal).unwrap(), "nothing to do");
}
