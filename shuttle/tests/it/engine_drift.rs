//! What the engine does about what others do to its objects, and that nothing costs nothing.
//!
//! Pure; against the model cluster.

use serde_json::json;
use starform_contract::{
    Consent, ObjectKey,
    report::{DriftKind, Outcome},
    state::DriftPolicy,
};
use starform_shuttle::engine::io::{Input, Millis, Request};

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

const SIDECAR: &str = r#"spec|template|spec|containers|k:{"name":"sidecar"}"#;

fn told(world: &World) -> Vec<(DriftKind, Option<&str>, bool, Vec<String>)> {
    let reports = world.cluster.reports.iter();
    let drift = reports.flat_map(|report| &report.drift);
    drift
        .map(|drift| {
            let manager = drift.manager.as_deref();
            (drift.kind, manager, drift.corrected, drift.paths.clone())
        })
        .collect()
}

#[test]
fn an_addition_is_seized_taken_out_and_told() {
    let (mut world, _) = running(&two());
    let (mark, web) = (world.mark(), key("Deployment", "web--production"));
    let before = world.cluster.state();
    let sidecar = json!({"name": "sidecar", "image": "miner:1"});
    world.cluster.edit(&web, "kubectl-edit", SIDECAR, sidecar);
    world.settle();
    assert_eq!(
        world.since(mark),
        [
            "seize Deployment/web--production",
            "apply Deployment/web--production"
        ]
    );
    assert_eq!(world.cluster.state(), before);
    let path = "spec.template.spec.containers[name=sidecar]".to_owned();
    assert_eq!(
        told(&world),
        [(DriftKind::Added, Some("kubectl-edit"), true, vec![path])]
    );
    let mark = world.cluster.log.len();
    world.tell(Input::Tick);
    world.settle();
    assert_eq!(world.cluster.log.len(), mark);
}

#[test]
fn a_kind_without_a_body_shows_additions_too() {
    let (mut world, _) = running(&two());
    let mark = world.mark();
    let service = key("Service", "web--production");
    world.cluster.edit(
        &service,
        "kubectl-patch",
        "spec|sessionAffinity",
        json!("ClientIP"),
    );
    world.settle();
    assert_eq!(
        world.since(mark),
        [
            "seize Service/web--production",
            "apply Service/web--production"
        ]
    );
    assert_eq!(world.cluster.field(&service, "spec|sessionAffinity"), None);
}

#[test]
fn what_is_changed_and_added_at_once_is_written_once() {
    let (mut world, _) = running(&two());
    let (mark, web) = (world.mark(), key("Deployment", "web--production"));
    let before = world.cluster.state();
    let sidecar = json!({"name": "sidecar", "image": "miner:1"});
    world.cluster.edit(&web, "k9s", SIDECAR, sidecar);
    world.cluster.edit(&web, "k9s", "spec|replicas", json!(3));
    world.settle();
    assert_eq!(world.cluster.state(), before);
    assert_eq!(
        world.since(mark),
        [
            "seize Deployment/web--production",
            "apply Deployment/web--production"
        ]
    );
    let kinds: Vec<_> = told(&world)
        .into_iter()
        .map(|(kind, manager, corrected, paths)| (kind, manager, corrected, paths.len()))
        .collect();
    assert_eq!(
        kinds,
        [
            (DriftKind::Changed, Some("k9s"), true, 1),
            (DriftKind::Added, Some("k9s"), true, 1)
        ]
    );
}

/// Every apply is refused as long as it is there.
#[test]
fn a_foreign_port_of_our_name_is_no_obstacle() {
    let mut services = two();
    services[0].port = Some(80);
    let (mut world, mut accepting) = running(&services);
    let service = key("Service", "web--production");
    let before = world.cluster.state();
    let ours = r#"spec|ports|k:{"port":80,"protocol":"TCP"}"#;
    let theirs = r#"spec|ports|k:{"port":81,"protocol":"TCP"}"#;
    let moved = json!({"name": "http", "port": 81});
    world.cluster.unset(&service, ours);
    // It is one update.
    world.cluster.watch.clear();
    world
        .cluster
        .edit(&service, "kubectl-edit", theirs, moved.clone());
    world.settle();
    assert_eq!(world.cluster.state(), before);
    // In the way of new content too.
    world.cluster.unset(&service, ours);
    // It is one update.
    world.cluster.watch.clear();
    world.cluster.edit(&service, "kubectl-edit", theirs, moved);
    services[0].port = Some(8080);
    let desired = accepting.accept(&services, Consent::default());
    world.tell(Input::Desired(desired));
    world.settle();
    // Its first try came before the watch told of the port.
    world.now = world.now.plus(Millis::from_secs(10));
    world.tell(Input::Tick);
    world.settle();
    assert!(world.last_report().unwrap().finished);
    assert_eq!(
        world.cluster.field(&service, &format!("{theirs}|name")),
        None
    );
    let there = r#"spec|ports|k:{"port":8080,"protocol":"TCP"}|name"#;
    assert_eq!(world.cluster.field(&service, there), Some(&json!("http")));
}

#[test]
fn what_is_rightly_others_stays() {
    let mut services = two();
    services[0].replicas = None;
    services[0].disk = true;
    let (mut world, _) = running(&services);
    let mark = world.cluster.log.len();
    let web = key("Deployment", "web--production");
    let claim = key("PersistentVolumeClaim", "web--production--data");
    let edits = [
        // By hand, an autoscaler's count: it counts again by itself.
        (&web, "kubectl-patch", "spec|replicas", json!(4)),
        (&web, "keda", "spec|replicas", json!(5)),
        (
            &web,
            "kubectl-rollout",
            "spec|template|metadata|annotations|kubectl.kubernetes.io/restartedAt",
            json!("2026-01-01T00:00:00Z"),
        ),
        (
            &claim,
            "kube-controller-manager",
            "spec|volumeName",
            json!("pv-1"),
        ),
        (
            &claim,
            "before-first-apply",
            "spec|storageClassName",
            json!("fast"),
        ),
        (&web, "kube-controller-manager", "spec|paused", json!(true)),
        (&web, "someone", "status|note", json!("x")),
    ];
    for (key, manager, path, value) in edits {
        world.cluster.edit(key, manager, path, value);
    }
    while world.turn() {}
    world.settle();
    assert_eq!(world.since(mark), Vec::<String>::new());
    assert_eq!(told(&world), []);
}

/// Such as an autoscaler that somebody else pointed at the service.
#[test]
fn what_a_controller_takes_is_its_own() {
    let (mut world, accepting) = running(&two());
    let (mark, web) = (world.mark(), key("Deployment", "web--production"));
    world
        .cluster
        .edit(&web, "kube-controller-manager", "spec|replicas", json!(6));
    world.settle();
    assert_eq!(world.since(mark), Vec::<String>::new());
    // Whatever else is missing is not.
    world.cluster.unset(&web, "spec|progressDeadlineSeconds");
    world.settle();
    assert_eq!(world.since(mark), ["apply Deployment/web--production"]);
    let mut again = World::start(world.cluster, world.now, Some(accepting.desired()));
    let mark = again.mark();
    again.settle();
    assert_eq!(again.since(mark), Vec::<String>::new());
}

#[test]
fn whoever_adds_it_again_is_contested_and_people_are_not() {
    let (mut world, _) = running(&two());
    let web = key("Deployment", "web--production");
    let sidecar = json!({"name": "sidecar", "image": "mesh:1"});
    let mark = world.mark();
    for _ in 0..6 {
        world.cluster.edit(&web, "mesh", SIDECAR, sidecar.clone());
        world.settle();
    }
    assert_eq!(world.since(mark).len(), 6, "{:#?}", world.since(mark));
    let report = world.last_report().unwrap();
    let object = report.objects.iter().find(|o| o.key == web).unwrap();
    assert_eq!(object.outcome, Outcome::Contested);
    assert!(report.drift.iter().any(|drift| !drift.corrected
        && drift.kind == DriftKind::Added
        && drift.manager.as_deref() == Some("mesh")));
    // Another's addition is not left with it.
    world
        .cluster
        .edit(&web, "kubectl", "spec|paused", json!(true));
    world.settle();
    assert_eq!(world.cluster.field(&web, "spec|paused"), None);
    assert!(
        world
            .cluster
            .field(&web, &format!("{SIDECAR}|image"))
            .is_some()
    );
    let mark = world.mark();
    world.now = world.now.plus(Millis::from_secs(3601));
    world.tell(Input::Tick);
    world.settle();
    assert_eq!(world.since(mark).len(), 2);
    assert_eq!(world.cluster.field(&web, &format!("{SIDECAR}|image")), None);
    for _ in 0..6 {
        world.cluster.edit(&web, "helm", SIDECAR, sidecar.clone());
        world.settle();
        assert_eq!(world.cluster.field(&web, &format!("{SIDECAR}|image")), None);
    }
}

#[test]
fn an_engine_that_is_lost_after_it_seized_finishes() {
    let (mut world, accepting) = running(&two());
    let web = key("Deployment", "web--production");
    let before = world.cluster.state();
    let sidecar = json!({"name": "sidecar", "image": "miner:1"});
    world.cluster.edit(&web, "kubectl-edit", SIDECAR, sidecar);
    while !matches!(world.cluster.log.last(), Some(Request::Seize { .. })) {
        assert!(world.turn() || world.pass(Millis::from_secs(60)));
    }
    let mut again = World::start(world.cluster, world.now, Some(accepting.desired()));
    again.settle();
    assert_eq!(again.cluster.state(), before);
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
    let sidecar = json!({"name": "sidecar", "image": "miner:1"});
    world.cluster.edit(&web, "kubectl-edit", SIDECAR, sidecar);
    world.settle();
    assert_eq!(world.since(mark), Vec::<String>::new());
    let drift = &world.last_report().unwrap().drift;
    let kinds: Vec<_> = drift.iter().map(|d| (d.kind, d.corrected)).collect();
    assert_eq!(
        kinds,
        [(DriftKind::Changed, false), (DriftKind::Added, false)]
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
