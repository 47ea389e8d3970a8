//! What an engine leaves alone: what a newer generation wrote, and what no plan replaces any more.
//!
//! Pure; against the model cluster.

use starform_contract::{Consent, report::Verdict};
use starform_shuttle::engine::io::{Failure, Input, Millis, Request};

use crate::engine_accepted::{Accepting, Service, deleting, key, project, two};
use crate::engine_world::{World, running};

fn web(image: &'static str, incarnation: u32) -> Vec<Service> {
    let mut services = two();
    services[0].image = image;
    services[0].incarnation = incarnation;
    services
}

/// An engine of the first generation in a cluster where a second one was reached.
fn overtaken(services: &[Service], consent: Consent) -> (World, Accepting) {
    let (mut world, mut accepting) = running(&two());
    let old = accepting.desired();
    world.tell(Input::Desired(accepting.accept(services, consent)));
    world.settle();
    (World::start(world.cluster, world.now, Some(old)), accepting)
}

#[test]
fn what_a_newer_generation_wrote_is_left_alone_and_told() {
    let (mut world, mut accepting) = overtaken(&web("app:2", 0), Consent::default());
    let mark = world.mark();
    world.settle();
    assert_eq!(world.since(mark), Vec::<String>::new());
    assert_eq!(world.engine.superseded().map(|by| by.number()), Some(2));
    let report = world.last_report().unwrap();
    assert_eq!(report.verdict(), Verdict::Partial);
    let deployment = key("Deployment", "web--production");
    let told = report.objects.iter().find(|o| o.key == deployment).unwrap();
    assert!(told.reason.as_ref().unwrap().contains("generation 2"));
    // Once it hears of a newer state itself, it goes on.
    world.tell(Input::Desired(
        accepting.accept(&web("app:3", 0), Consent::default()),
    ));
    world.settle();
    assert!(
        world
            .since(mark)
            .contains(&"apply Deployment/web--production".to_owned())
    );
    assert_eq!(world.engine.superseded(), None);
    assert_eq!(world.last_report().unwrap().verdict(), Verdict::Converged);
}

#[test]
fn what_a_newer_generation_writes_meanwhile_is_no_drift() {
    let (mut world, mut accepting) = running(&two());
    let newer = accepting.accept(&web("app:2", 0), Consent::default());
    let mut other = World::start(world.cluster.clone(), world.now, Some(newer));
    other.settle();
    world.cluster = other.cluster;
    let mark = world.mark();
    for event in world.cluster.list() {
        world.tell(event);
    }
    world.settle();
    assert_eq!(world.since(mark), Vec::<String>::new());
}

#[test]
fn what_a_newer_generation_made_again_is_not_deleted() {
    let (mut world, mut accepting) = running(&two());
    let gone = key("HTTPRoute", "web--production");
    let mut services = two();
    services[0].routed = false;
    let old = accepting.accept(&services, deleting(std::slice::from_ref(&gone)));
    world.tell(Input::Desired(old.clone()));
    world.settle();
    assert!(!world.cluster.has(&gone));
    world.tell(Input::Desired(accepting.accept(&two(), Consent::default())));
    world.settle();
    let mut behind = World::start(world.cluster, world.now, Some(old));
    behind.settle();
    assert!(behind.cluster.has(&gone));
}

#[test]
fn a_lost_record_is_begun_anew_by_adoption() {
    let (world, _) = overtaken(&web("app:2", 0), Consent::default());
    let deployment = key("Deployment", "web--production");
    let consent = Consent {
        adopt: [deployment.clone()].into(),
        ..Consent::default()
    };
    let desired = Accepting::new().accept(&web("app:3", 0), consent);
    let mut world = World::start(world.cluster, world.now, Some(desired));
    let mark = world.mark();
    world.settle();
    assert!(
        world
            .since(mark)
            .contains(&"apply Deployment/web--production".to_owned())
    );
}

/// A world that has just failed to delete the Deployment that it is to replace.
fn about_to_replace() -> (World, Accepting) {
    let (mut world, mut accepting) = running(&two());
    let consent = Consent {
        replace: [key("Deployment", "web--production")].into(),
        ..Consent::default()
    };
    let desired = accepting.accept(&web("app:1", 1), consent);
    world.tell(Input::Desired(desired));
    let is_deletion = |request: &Request| matches!(request, Request::Delete { .. });
    loop {
        let deletion = world.queue.iter().position(|(_, of)| is_deletion(of));
        if let Some(place) = deletion {
            let (id, _) = world.queue.remove(place).unwrap();
            world.answer(id, Err(Failure::default()));
            return (world, accepting);
        }
        assert!(world.turn() || world.pass(Millis::from_secs(60)));
    }
}

#[test]
fn without_consent_in_force_nothing_is_replaced() {
    let (mut world, mut accepting) = about_to_replace();
    let mut projects = accepting.index.projects.clone();
    projects.get_mut(&project()).unwrap().accepted.clear();
    accepting.index = accepting.index.successor(projects);
    world.tell(Input::Desired(accepting.desired()));
    world.settle();
    assert!(world.deleted().is_empty());
}

#[test]
fn other_content_is_tried_before_anything_is_replaced() {
    let (mut world, mut accepting) = about_to_replace();
    world.tell(Input::Desired(
        accepting.accept(&web("app:2", 0), Consent::default()),
    ));
    world.settle();
    assert!(world.deleted().is_empty());
    assert_eq!(world.last_report().unwrap().verdict(), Verdict::Converged);
}
