//! What the engine does about what others do to its objects, and that nothing costs nothing.
//!
//! Pure; against the model cluster.

use serde_json::json;
use starform_contract::{
    Consent, ObjectKey,
    report::{DriftKind, Outcome},
    state::DriftPolicy,
};
use starform_shuttle::engine::io::{Input, Millis};

use crate::{
    engine_accepted::{Accepting, key, two},
    engine_world::{World, running},
    model_cluster::ModelCluster,
};

#[test]
fn nothing_to_do_costs_nothing() {
    let (mut world, accepting) = running(&two());
    for _ in 0..10 {
        world.now = world.now.plus(Millis::from_secs(30));
        assert_eq!(world.tell(Input::Tick), 0);
        assert_eq!(world.tell(Input::Desired(accepting.desired())), 0);
    }
    assert_eq!(world.engine.wake_at().filter(|at| *at < world.now), None);
}

#[test]
fn a_restart_asks_for_no_object() {
    let (world, accepting) = running(&two());
    let mut again = World::start(world.cluster, world.now, Some(accepting.desired()));
    let mark = again.mark();
    again.settle();
    assert_eq!(again.since(mark), Vec::<String>::new());
    assert!(again.last_report().unwrap().finished);
}

#[test]
fn reports_after_a_restart_have_higher_numbers() {
    let (world, accepting) = running(&two());
    let before = world.cluster.reports.len();
    let last = world.last_report().unwrap().sequence;
    let mut again = World::start(world.cluster, world.now, Some(accepting.desired()));
    again.settle();
    assert!(again.cluster.reports[before].sequence > last);
}

#[test]
fn a_deleted_object_comes_back_at_once() {
    let (mut world, _) = running(&two());
    let (mark, before) = (world.mark(), world.now);
    world.cluster.remove(&key("Deployment", "web--production"));
    world.settle();
    assert_eq!(world.since(mark), ["apply Deployment/web--production"]);
    assert!(world.now.since(before) < Millis::from_secs(5));
    let drift = world
        .cluster
        .reports
        .iter()
        .flat_map(|report| &report.drift);
    let drift: Vec<_> = drift.map(|drift| (drift.kind, drift.corrected)).collect();
    assert_eq!(drift, [(DriftKind::Deleted, true)]);
}

#[test]
fn a_changed_field_is_put_back_and_told() {
    let (mut world, _) = running(&two());
    let (mark, web) = (world.mark(), key("Deployment", "web--production"));
    world
        .cluster
        .edit(&web, "kubectl-edit", "spec|replicas", json!(7));
    world.settle();
    assert_eq!(world.since(mark), ["apply Deployment/web--production"]);
    assert_eq!(world.cluster.field(&web, "spec|replicas"), Some(&json!(1)));
    let drift: Vec<_> = world
        .cluster
        .reports
        .iter()
        .flat_map(|r| &r.drift)
        .collect();
    assert_eq!(drift.len(), 1);
    assert_eq!(drift[0].kind, DriftKind::Changed);
    assert_eq!(drift[0].manager.as_deref(), Some("kubectl-edit"));
    assert!(drift[0].corrected);
    // Where the object came from is stamped again.
    assert_eq!(
        world
            .cluster
            .field(&web, "metadata|annotations|starform.io/revision"),
        Some(&json!("commit-1"))
    );
}

#[test]
fn foreign_labels_and_annotations_ask_for_nothing() {
    let (mut world, _) = running(&two());
    let mark = world.cluster.log.len();
    let web = key("Deployment", "web--production");
    world
        .cluster
        .edit(&web, "kubectl-label", "metadata|labels|team", json!("blue"));
    world
        .cluster
        .edit(&web, "someone", "metadata|annotations|note", json!("x"));
    world.cluster.control(world.now);
    world.settle();
    assert_eq!(
        world.cluster.log.len(),
        mark,
        "{:#?}",
        &world.cluster.log[mark..]
    );
}

#[test]
fn an_addition_is_told_and_left() {
    let (mut world, _) = running(&two());
    let mark = world.mark();
    let route = key("HTTPRoute", "web--production");
    world
        .cluster
        .edit(&route, "kubectl-edit", "spec|parentRefs", json!([]));
    world.settle();
    assert_eq!(world.since(mark), Vec::<String>::new());
    let drift = &world.last_report().unwrap().drift;
    assert_eq!(drift.len(), 1, "{drift:#?}");
    assert_eq!(
        (drift[0].kind, drift[0].corrected),
        (DriftKind::Added, false)
    );
    assert_eq!(drift[0].paths, ["spec.parentRefs"]);
}

#[test]
fn a_manager_that_insists_is_contested_and_left_for_an_hour() {
    let (mut world, _) = running(&two());
    let web = key("Deployment", "web--production");
    let mark = world.mark();
    for count in 0..6 {
        world
            .cluster
            .edit(&web, "rogue-operator", "spec|replicas", json!(5 + count));
        world.settle();
    }
    assert_eq!(world.since(mark).len(), 3, "{:#?}", world.since(mark));
    let report = world.last_report().unwrap();
    let object = report.objects.iter().find(|o| o.key == web).unwrap();
    assert_eq!(object.outcome, Outcome::Contested);
    world.now = world.now.plus(Millis::from_secs(3601));
    world.tell(Input::Tick);
    world.settle();
    assert_eq!(world.since(mark).len(), 4);
    // A person is put right however often.
    for count in 0..6 {
        world
            .cluster
            .edit(&web, "kubectl-edit", "spec|replicas", json!(50 + count));
        world.settle();
    }
    assert_eq!(world.since(mark).len(), 10);
}

#[test]
fn an_environment_may_only_report_drift() {
    let mut accepting = Accepting::new();
    accepting.drift = DriftPolicy::Report;
    let desired = accepting.accept(&two(), Consent::default());
    let mut world = World::start(ModelCluster::default(), Millis(0), Some(desired));
    world.settle();
    let mark = world.mark();
    let web = key("Deployment", "web--production");
    world
        .cluster
        .edit(&web, "kubectl-edit", "spec|replicas", json!(7));
    world.settle();
    assert_eq!(world.since(mark), Vec::<String>::new());
    let drift = &world.last_report().unwrap().drift;
    assert!(
        drift
            .iter()
            .any(|d| d.kind == DriftKind::Changed && !d.corrected),
        "{drift:#?}"
    );
    // A change is left alone; a missing object is none.
    world.cluster.remove(&key("Service", "web--production"));
    world.settle();
    assert_eq!(world.since(mark), ["apply Service/web--production"]);
}

#[test]
fn a_namespace_that_was_deleted_comes_back_with_everything_in_it() {
    let (mut world, _) = running(&two());
    let before = world.cluster.state();
    let keys: Vec<ObjectKey> = before.keys().map(|key| key.parse().unwrap()).collect();
    // As the API server does it: first it is going, then its content goes, then it.
    let namespace = key("Namespace", "sf-shop");
    let mark = world.mark();
    world.cluster.begin_deletion(&namespace);
    for key in keys.iter().filter(|key| **key != namespace) {
        world.cluster.remove(key);
        while world.turn() {}
    }
    assert_eq!(
        world.since(mark),
        Vec::<String>::new(),
        "nothing can be written meanwhile"
    );
    world.cluster.remove(&namespace);
    world.settle();
    assert_eq!(world.cluster.state(), before);
    assert_eq!(
        world.since(mark).len(),
        keys.len(),
        "{:#?}",
        world.since(mark)
    );
}
