//! What the engine asks for in each situation, against the model cluster.
//!
//! Pure; the same situations on a real API server stand in the `shell_*` modules.

use serde_json::json;
use starform_contract::{
    Consent, Digest,
    report::{DriftKind, Health, Outcome},
    state::DriftPolicy,
};
use starform_shuttle::engine::io::{Failure, Input, Millis};

use crate::{
    engine_support::{Accepting, Service, World, deleting, key, production, project},
    model_cluster::{Fault, ModelCluster},
};

/// A world where these services run.
fn running(services: &[Service]) -> (World, Accepting) {
    let mut accepting = Accepting::new();
    let desired = accepting.accept(services, Consent::default());
    let mut world = World::start(ModelCluster::default(), Millis(0), Some(desired));
    world.settle();
    let report = world.last_report().unwrap();
    assert!(report.finished, "{report:#?}");
    (world, accepting)
}

fn two() -> Vec<Service> {
    vec![Service::new("web"), Service::new("api")]
}

#[test]
fn a_project_is_made_in_waves_with_one_request_an_object() {
    let (world, _) = running(&two());
    let asked = world.since(0);
    assert_eq!(asked.len(), 2 + 1 + 2 * 4, "{asked:#?}");
    assert!(
        asked.iter().all(|request| request.starts_with("apply ")),
        "{asked:#?}"
    );
    assert_eq!(
        asked[..3],
        [
            "apply Namespace/sf-shop",
            "apply NetworkPolicy/deny",
            "apply Secret/starform-vg-common--production",
        ]
    );
    let place = |what: &str| asked.iter().position(|request| request == what).unwrap();
    assert!(
        place("apply ServiceAccount/web--production") < place("apply Deployment/web--production")
    );
    assert!(place("apply Deployment/web--production") < place("apply HTTPRoute/web--production"));
    let report = world.last_report().unwrap();
    assert!(
        report
            .services
            .iter()
            .all(|service| service.health == Health::Current)
    );
    assert_eq!(
        report
            .objects
            .iter()
            .filter(|o| o.outcome == Outcome::Applied)
            .count(),
        11
    );
}

#[test]
fn keys_are_in_the_stored_inventory_before_their_first_write() {
    let (world, _) = running(&two());
    let first = crate::engine_support::short(&world.cluster.log[0]);
    assert_eq!(first, "inventory 0");
    let shard = &world.cluster.shards[&0];
    assert_eq!(shard.entries.len(), 11);
    assert!(
        shard
            .entries
            .values()
            .all(|entry| entry.uid.is_some() && entry.fields.is_some())
    );
}

#[test]
fn no_more_than_eight_requests_are_in_flight() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let services: Vec<Service> = names.into_iter().map(Service::new).collect();
    let (world, _) = running(&services);
    assert_eq!(world.most_in_flight, 8);
}

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
fn a_new_image_is_one_dry_run_and_one_write() {
    let (mut world, mut accepting) = running(&two());
    let (mark, shards) = (world.mark(), world.cluster.shards.clone());
    let others: Vec<u64> = ["Service", "ServiceAccount", "HTTPRoute"]
        .map(|kind| world.cluster.version(&key(kind, "web--production")))
        .into();
    let mut services = two();
    services[0].image = "app:2";
    world.tell(Input::Desired(
        accepting.accept(&services, Consent::default()),
    ));
    world.settle();
    assert_eq!(
        world.since(mark),
        [
            "dry-run Deployment/web--production",
            "apply Deployment/web--production",
        ]
    );
    let after: Vec<u64> = ["Service", "ServiceAccount", "HTTPRoute"]
        .map(|kind| world.cluster.version(&key(kind, "web--production")))
        .into();
    assert_eq!(others, after);
    assert_eq!(
        world.cluster.shards, shards,
        "an image change is no news for the inventory"
    );
    assert_eq!(world.last_report().unwrap().generation.number(), 2);
}

#[test]
fn a_verified_digest_needs_no_dry_run() {
    let (mut world, mut accepting) = running(&two());
    let mark = world.mark();
    let mut services = two();
    services[0].image = "app:2";
    let mut preview = accepting.clone();
    let desired = preview.accept(&services, Consent::default());
    let verified: std::collections::BTreeSet<Digest> = desired
        .bundles
        .values()
        .flat_map(|bundle| {
            bundle
                .objects()
                .map(|object| object.digest.clone())
                .collect::<Vec<_>>()
        })
        .collect();
    let consent = Consent {
        verified,
        ..Consent::default()
    };
    world.tell(Input::Desired(accepting.accept(&services, consent)));
    world.settle();
    assert_eq!(world.since(mark), ["apply Deployment/web--production"]);
}

#[test]
fn a_rejected_dry_run_writes_nothing_of_that_service() {
    let (mut world, mut accepting) = running(&two());
    let mark = world.mark();
    let mut services = two();
    services[0].image = "app:2";
    services[0].replicas = None;
    services[1].image = "app:2";
    world.cluster.faults.push(Fault {
        about: "Deployment/sf-shop/web",
        dry_run_only: true,
        times: 1000,
        failure: invalid("spec.template: no"),
    });
    world.tell(Input::Desired(
        accepting.accept(&services, Consent::default()),
    ));
    world.settle();
    let writes: Vec<String> = world.since(mark);
    assert!(
        !writes
            .iter()
            .any(|r| !r.starts_with("dry-run") && r.contains("web")),
        "{writes:#?}"
    );
    assert!(writes.contains(&"apply Deployment/api--production".to_owned()));
    let report = world.last_report().unwrap();
    assert!(report.finished);
    let web = report
        .services
        .iter()
        .find(|s| s.name.as_str() == "web")
        .unwrap();
    assert_eq!(web.health, Health::Failed);
    assert!(web.reason.as_ref().unwrap().contains("spec.template: no"));
    // The cause goes away: it converges by itself and says so.
    world.cluster.faults.clear();
    world.now = world.now.plus(Millis::from_secs(400));
    world.tell(Input::Tick);
    world.settle();
    let report = world.last_report().unwrap();
    assert!(
        report.services.iter().all(|s| s.health == Health::Current),
        "{report:#?}"
    );
}

#[test]
fn a_removed_service_goes_by_consent_and_only_by_consent() {
    let (mut world, mut accepting) = running(&two());
    let all = ["ServiceAccount", "Service", "Deployment", "HTTPRoute"];
    let keys = all.map(|kind| key(kind, "api--production"));
    // The plan lists all but the route.
    let desired = accepting.accept(&two()[..1], deleting(&keys[..3]));
    world.tell(Input::Desired(desired));
    world.settle();
    assert_eq!(world.deleted(), keys[..3].iter().cloned().collect());
    let report = world.last_report().unwrap();
    assert_eq!(report.orphans, [keys[3].clone()]);
    assert!(report.finished);
    let gone = report
        .objects
        .iter()
        .filter(|o| o.outcome == Outcome::Deleted);
    assert_eq!(gone.count(), 3);
    assert_eq!(world.cluster.shards[&0].entries.len(), 11 - 3);
}

#[test]
fn a_leftover_goes_after_its_service_has_passed() {
    let (mut world, mut accepting) = running(&two());
    let mark = world.mark();
    let mut services = two();
    services[0].image = "app:2";
    services[0].routed = false;
    let route = key("HTTPRoute", "web--production");
    world.tell(Input::Desired(
        accepting.accept(&services, deleting(&[route])),
    ));
    world.settle();
    assert_eq!(
        world.since(mark),
        [
            "dry-run Deployment/web--production",
            "apply Deployment/web--production",
            "delete HTTPRoute/web--production",
        ]
    );
}

#[test]
fn an_empty_state_deletes_nothing() {
    let (mut world, mut accepting) = running(&two());
    let mark = world.mark();
    world.tell(Input::Desired(accepting.accept(&[], Consent::default())));
    world.settle();
    assert_eq!(world.since(mark), Vec::<String>::new());
    assert_eq!(world.last_report().unwrap().orphans.len(), 8);
}

#[test]
fn consent_reaches_neither_namespaces_nor_what_is_wanted_nor_what_is_not_ours() {
    let (mut world, mut accepting) = running(&two());
    let stranger = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "theirs", "namespace": "sf-shop"}});
    world.cluster.foreign(&stranger, "kubectl");
    let consent = deleting(&[
        key("Namespace", "sf-shop"),
        key("Deployment", "web--production"),
        key("Secret", "theirs"),
    ]);
    world.tell(Input::Desired(accepting.accept(&two(), consent)));
    world.settle();
    assert!(world.deleted().is_empty());
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
}

#[test]
fn a_crash_loop_fails_its_service_and_no_other() {
    let mut services = two();
    services[0].image = "app:crash";
    let (world, _) = running(&services);
    let report = world.last_report().unwrap();
    let health = |name: &str| {
        let service = report
            .services
            .iter()
            .find(|s| s.name.as_str() == name)
            .unwrap();
        (service.health, service.reason.clone())
    };
    assert_eq!(health("api").0, Health::Current);
    let (web, reason) = health("web");
    assert_eq!(web, Health::Failed);
    assert!(reason.is_some());
    assert!(world.now < Millis::from_secs(15), "{:?}", world.now);
    assert!(!world.cluster.has(&key("HTTPRoute", "web--production")));
}

#[test]
fn an_image_that_never_gets_ready_fails_at_its_deadline_and_may_recover() {
    let mut services = two();
    services[0].image = "app:neverready";
    let (mut world, mut accepting) = running(&services);
    assert!(world.now > Millis::from_secs(170) && world.now < Millis::from_secs(260));
    let failed = world
        .last_report()
        .unwrap()
        .services
        .iter()
        .any(|s| s.health == Health::Failed);
    assert!(failed);
    services[0].image = "app:2";
    world.tell(Input::Desired(
        accepting.accept(&services, Consent::default()),
    ));
    world.settle();
    let report = world.last_report().unwrap();
    assert!(
        report.services.iter().all(|s| s.health == Health::Current),
        "{report:#?}"
    );
    assert!(world.cluster.has(&key("HTTPRoute", "web--production")));
}

#[test]
fn a_newer_generation_preempts_a_rollout() {
    let mut services = two();
    services[0].image = "app:neverready";
    let mut accepting = Accepting::new();
    let desired = accepting.accept(&services, Consent::default());
    let mut world = World::start(ModelCluster::default(), Millis(0), Some(desired));
    while world.turn() {}
    assert!(!world.engine.settled());
    services[0].image = "app:2";
    world.tell(Input::Desired(
        accepting.accept(&services, Consent::default()),
    ));
    world.settle();
    assert!(world.now < Millis::from_secs(10), "{:?}", world.now);
    assert_eq!(world.last_report().unwrap().generation.number(), 2);
}

#[test]
fn autoscaling_takes_over_without_losing_a_replica() {
    let mut services = two();
    services[0].replicas = Some(3);
    let (mut world, mut accepting) = running(&services);
    let (mark, web) = (world.mark(), key("Deployment", "web--production"));
    services[0].replicas = None;
    world.tell(Input::Desired(
        accepting.accept(&services, Consent::default()),
    ));
    world.settle();
    assert_eq!(world.cluster.fewest[&web], 3);
    assert_eq!(world.cluster.field(&web, "spec|replicas"), Some(&json!(3)));
    let asked = world.since(mark);
    let place = |what: &str| {
        asked
            .iter()
            .position(|request| request.starts_with(what))
            .unwrap()
    };
    assert!(
        place("hold Deployment/web") < place("apply Deployment/web"),
        "{asked:#?}"
    );
    // The autoscaler moves the count; that is no drift.
    let mark = world.mark();
    world
        .cluster
        .edit(&web, "kube-controller-manager", "spec|replicas", json!(6));
    world.settle();
    assert_eq!(world.since(mark), Vec::<String>::new());
    // And back: the autoscaler goes first.
    services[0].replicas = Some(4);
    let autoscaler = key("HorizontalPodAutoscaler", "web--production");
    world.tell(Input::Desired(
        accepting.accept(&services, deleting(&[autoscaler])),
    ));
    world.settle();
    assert_eq!(
        world.since(mark),
        [
            "dry-run Deployment/web--production",
            "delete HorizontalPodAutoscaler/web--production",
            "apply Deployment/web--production",
        ]
    );
    assert_eq!(world.cluster.field(&web, "spec|replicas"), Some(&json!(4)));
    assert_eq!(world.cluster.fewest[&web], 3);
}

#[test]
fn an_immutable_field_is_replaced_by_consent_only() {
    let (mut world, mut accepting) = running(&two());
    let mut services = two();
    services[0].incarnation = 1;
    world.tell(Input::Desired(
        accepting.accept(&services, Consent::default()),
    ));
    world.settle();
    let report = world.last_report().unwrap();
    assert!(
        report.services.iter().any(|s| s.health == Health::Failed),
        "{report:#?}"
    );
    assert!(world.deleted().is_empty());
    let web = key("Deployment", "web--production");
    let consent = Consent {
        replace: [web.clone()].into(),
        ..Consent::default()
    };
    world.tell(Input::Desired(accepting.accept(&services, consent)));
    world.settle();
    assert_eq!(world.deleted(), [web].into());
    let report = world.last_report().unwrap();
    assert!(
        report.services.iter().all(|s| s.health == Health::Current),
        "{report:#?}"
    );
}

#[test]
fn an_object_of_others_is_not_taken_over_unless_adopted() {
    let mut accepting = Accepting::new();
    let mut world = World::start(ModelCluster::default(), Millis(0), None);
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sf-shop"}});
    world.cluster.foreign(&namespace, "kubectl-create");
    let theirs = json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "web--production", "namespace": "sf-shop"}, "spec": {"clusterIP": "other"}});
    world.cluster.foreign(&theirs, "kubectl-create");
    world.tell(Input::Desired(accepting.accept(&two(), Consent::default())));
    world.settle();
    let service = key("Service", "web--production");
    let report = world.last_report().unwrap();
    let object = report.objects.iter().find(|o| o.key == service).unwrap();
    assert_eq!(object.outcome, Outcome::Conflict);
    assert_eq!(
        world.cluster.field(&service, "spec|clusterIP"),
        Some(&json!("other"))
    );
    let consent = Consent {
        adopt: [service.clone()].into(),
        ..Consent::default()
    };
    world.tell(Input::Desired(accepting.accept(&two(), consent)));
    world.settle();
    assert_eq!(
        world.cluster.field(&service, "spec|clusterIP"),
        Some(&json!("auto"))
    );
}

#[test]
fn passing_failures_are_tried_again_and_flow_control_is_obeyed() {
    let mut accepting = Accepting::new();
    let desired = accepting.accept(&two(), Consent::default());
    let mut cluster = ModelCluster::default();
    cluster.faults.push(Fault {
        about: "Deployment/sf-shop/web",
        dry_run_only: false,
        times: 2,
        failure: Failure::default(),
    });
    cluster.faults.push(Fault {
        about: "Service/sf-shop/api",
        dry_run_only: false,
        times: 1,
        failure: Failure {
            code: Some(429),
            retry_after: Some(Millis::from_secs(20)),
            ..Failure::default()
        },
    });
    let mut world = World::start(cluster, Millis(0), Some(desired));
    world.settle();
    assert!(world.now >= Millis::from_secs(20) && world.now < Millis::from_secs(90));
    let report = world.last_report().unwrap();
    assert!(
        report.services.iter().all(|s| s.health == Health::Current),
        "{report:#?}"
    );
    let failed = |report: &starform_contract::Report| {
        report.services.iter().any(|s| s.health == Health::Failed)
    };
    assert!(
        !world.cluster.reports.iter().any(failed),
        "passing failures are no verdict"
    );
}

#[test]
fn states_that_must_not_be_believed_are_refused() {
    let (mut world, mut accepting) = running(&two());
    let old = accepting.desired();
    let new = accepting.accept(&two()[..1], Consent::default());
    world.tell(Input::Desired(new.clone()));
    world.settle();
    let mark = world.mark();
    world.tell(Input::Desired(old));
    let mut fork = new.clone();
    fork.index.people = vec!["someone".to_owned()];
    world.tell(Input::Desired(fork));
    let mut missing = accepting.accept(&two(), Consent::default());
    missing.bundles.clear();
    world.tell(Input::Desired(missing));
    world.settle();
    assert_eq!(world.refused.len(), 3, "{:#?}", world.refused);
    assert_eq!(world.mark(), mark);
}

#[test]
fn a_bundle_with_a_foreign_label_is_refused_whole_and_told() {
    let (mut world, mut accepting) = running(&two());
    let mark = world.mark();
    let good = accepting.accept(
        &two()[..1],
        deleting(&[key("Deployment", "api--production")]),
    );
    let entry = &good.index.projects[&project()];
    let mut bundle = (*good.bundles[&entry.environments[&production()]]).clone();
    let starform_contract::Bundle::Environment(own) = &mut bundle else {
        panic!("it is an environment's");
    };
    let object = &mut own.services[0].objects[0];
    object.manifest["metadata"]["labels"]["starform.io/service-id"] = json!("another");
    *object = starform_contract::Object::new(object.manifest.clone(), object.wave, object.deletion);
    let digest = bundle.digest();
    let mut projects = good.index.projects.clone();
    let entry = projects.get_mut(&project()).unwrap();
    entry.environments.insert(production(), digest.clone());
    let mut desired = good.clone();
    desired.index = good.index.successor(projects);
    desired.bundles.insert(digest, std::sync::Arc::new(bundle));
    world.tell(Input::Desired(desired));
    world.settle();
    assert_eq!(world.since(mark), Vec::<String>::new());
    let report = world.last_report().unwrap();
    assert!(report.finished);
    assert_eq!(report.services[0].health, Health::Failed);
    assert!(
        report.services[0]
            .reason
            .as_ref()
            .unwrap()
            .contains("service-id"),
        "{report:#?}"
    );
}

fn invalid(message: &str) -> Failure {
    Failure {
        code: Some(422),
        reason: "Invalid".to_owned(),
        message: message.to_owned(),
        ..Failure::default()
    }
}
