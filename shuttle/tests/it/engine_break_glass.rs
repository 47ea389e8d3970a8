//! A person has an object left alone for a while: what the engine does meanwhile, and after it.
//!
//! Pure; against the model cluster.

use serde_json::json;
use starform_contract::{
    Consent, ObjectKey,
    report::{BREAK_GLASS_ANNOTATION, DriftKind, Suspension},
};
use starform_shuttle::engine::io::{Input, Millis};

use crate::{
    engine_accepted::{Accepting, key, two},
    engine_world::{World, running},
};

const HOUR: Millis = Millis::from_secs(3600);

fn annotate(world: &mut World, key: &ObjectKey, until: &str) {
    let path = format!("metadata|annotations|{BREAK_GLASS_ANNOTATION}");
    world
        .cluster
        .edit(key, "kubectl-annotate", &path, json!(until));
}

fn told(world: &World) -> Vec<Suspension> {
    let report = world.last_report().unwrap();
    let told = report.break_glass.iter();
    told.map(|told| told.suspension.clone()).collect()
}

fn until(text: &str) -> Vec<Suspension> {
    vec![Suspension::Suspended {
        until: text.to_owned(),
    }]
}

/// A world in which the object is left alone for an hour, and has an image of somebody's own.
fn broken() -> (World, Accepting, ObjectKey) {
    let (mut world, accepting) = running(&two());
    let web = key("Deployment", "web--production");
    annotate(&mut world, &web, "2026-01-01T01:00:00Z");
    world
        .cluster
        .edit(&web, "kubectl-edit", "spec|replicas", json!(7));
    world
        .cluster
        .edit(&web, "kubectl-edit", "spec|paused", json!(true));
    world.settle();
    (world, accepting, web)
}

#[test]
fn it_is_left_alone_and_ends_by_itself() {
    let (mut world, _, web) = broken();
    let mark = world.mark();
    assert_eq!(told(&world), until("2026-01-01T01:00:00Z"));
    let drift = &world.last_report().unwrap().drift;
    let kinds: Vec<_> = drift.iter().map(|d| (d.kind, d.corrected)).collect();
    assert_eq!(
        kinds,
        [(DriftKind::Changed, false), (DriftKind::Added, false)]
    );
    // Nothing else tells of the end.
    while world.now.plus(Millis::from_secs(1)) < HOUR {
        assert!(world.pass(HOUR), "nothing is due any more");
        while world.turn() {}
        if world.now < HOUR {
            assert_eq!(world.since(mark), Vec::<String>::new());
        }
    }
    world.settle();
    assert_eq!(world.cluster.field(&web, "spec|replicas"), Some(&json!(1)));
    assert_eq!(world.cluster.field(&web, "spec|paused"), None);
    assert!(world.now < HOUR.plus(Millis::from_secs(5)));
    assert_eq!(told(&world), []);
}

#[test]
fn other_objects_are_put_right_meanwhile_and_a_deleted_one_comes_back() {
    let (mut world, _, web) = broken();
    let api = key("Deployment", "api--production");
    world
        .cluster
        .edit(&api, "kubectl-edit", "spec|replicas", json!(9));
    world.settle();
    assert_eq!(world.cluster.field(&api, "spec|replicas"), Some(&json!(1)));
    world.cluster.remove(&web);
    world.settle();
    assert_eq!(world.cluster.field(&web, "spec|replicas"), Some(&json!(1)));
    assert_eq!(told(&world), []);
}

#[test]
fn what_is_accepted_meanwhile_is_written() {
    let mut services = two();
    let (mut world, mut accepting) = running(&services);
    let web = key("Deployment", "web--production");
    annotate(&mut world, &web, "2026-01-01T01:00:00Z");
    world
        .cluster
        .edit(&web, "kubectl-edit", "spec|paused", json!(true));
    world.settle();
    services[0].image = "app:2";
    world.want(accepting.accept(&services, Consent::default()));
    world.settle();
    let image = r#"spec|template|spec|containers|k:{"name":"app"}|image"#;
    assert_eq!(world.cluster.field(&web, image), Some(&json!("app:2")));
    assert_eq!(
        world.cluster.field(&web, "spec|paused"),
        Some(&json!(true)),
        "what was added is left"
    );
}

#[test]
fn it_outlives_the_engine_and_goes_with_its_annotation() {
    let (world, accepting, web) = broken();
    let mut again = World::start(world.cluster, world.now, Some(accepting.desired()));
    let mark = again.mark();
    again.settle();
    assert_eq!(again.since(mark), Vec::<String>::new());
    assert_eq!(told(&again), until("2026-01-01T01:00:00Z"));
    let path = format!("metadata|annotations|{BREAK_GLASS_ANNOTATION}");
    again.cluster.unset(&web, &path);
    again.settle();
    assert_eq!(again.cluster.field(&web, "spec|replicas"), Some(&json!(1)));
    assert_eq!(told(&again), []);
}

#[test]
fn what_is_no_time_or_too_far_suspends_nothing_and_is_told() {
    let (mut world, _) = running(&two());
    let web = key("Deployment", "web--production");
    for (text, expected) in [
        ("tomorrow", Suspension::Malformed),
        ("2026-01-09T00:00:00Z", Suspension::TooLong),
    ] {
        annotate(&mut world, &web, text);
        world.settle();
        assert_eq!(told(&world), [expected], "{text}");
        world
            .cluster
            .edit(&web, "kubectl-edit", "spec|replicas", json!(7));
        world.settle();
        assert_eq!(world.cluster.field(&web, "spec|replicas"), Some(&json!(1)));
    }
    // One that has passed is no news.
    annotate(&mut world, &web, "2025-12-31T23:00:00Z");
    world.settle();
    assert_eq!(told(&world), []);
    let mark = world.mark();
    world.tell(Input::Tick);
    world.settle();
    assert_eq!(world.since(mark), Vec::<String>::new());
}
