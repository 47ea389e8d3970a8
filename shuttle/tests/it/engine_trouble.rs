//! What the engine does when the API server refuses, pods do not get ready, or a state is not believed.
//!
//! Pure; against the model cluster.

use serde_json::json;
use starform_contract::{
    Consent,
    report::{Health, Outcome, Verdict},
};
use starform_shuttle::engine::io::{Failure, Input, Millis};

use crate::{
    engine_accepted::{Accepting, Scope, Service, deleting, key, production, project, two},
    engine_world::{World, running},
    model_cluster::{Fault, ModelCluster},
};

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

/// Its labels are not ours, so that no watch shows it: only its uid tells it from what we wrote.
#[test]
fn what_others_made_in_place_of_ours_is_not_taken_over_unless_adopted() {
    let (mut world, mut accepting) = running(&two());
    let service = key("Service", "web--production");
    world.cluster.remove(&service);
    let theirs = json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "web--production", "namespace": "sf-shop"}, "spec": {"clusterIP": "other"}});
    world.cluster.foreign(&theirs, "kubectl-create");
    world.settle();
    let report = world.last_report().unwrap();
    let told = report.objects.iter().find(|o| o.key == service).unwrap();
    assert_eq!(told.outcome, Outcome::Conflict);
    let address = |world: &World| world.cluster.field(&service, "spec|clusterIP").cloned();
    assert_eq!(address(&world), Some(json!("other")));
    // Nor by another content of its service.
    let mut services = two();
    services[0].image = "app:2";
    world.tell(Input::Desired(
        accepting.accept(&services, Consent::default()),
    ));
    world.settle();
    assert_eq!(address(&world), Some(json!("other")));
    let consent = Consent {
        adopt: [service.clone()].into(),
        ..Consent::default()
    };
    world.tell(Input::Desired(accepting.accept(&services, consent)));
    world.settle();
    assert_eq!(address(&world), Some(json!("auto")));
    assert_eq!(world.last_report().unwrap().verdict(), Verdict::Converged);
}

/// It is out of the watches' sight too, and still what we wrote.
#[test]
fn what_lost_our_labels_is_put_right_without_adoption() {
    let (mut world, _) = running(&two());
    let service = key("Service", "web--production");
    let label = "metadata|labels|app.kubernetes.io/managed-by";
    world
        .cluster
        .edit(&service, "kubectl-label", label, json!("somebody"));
    world.settle();
    let put_right = world.cluster.field(&service, label);
    assert_eq!(put_right, Some(&json!("starform")));
    assert_eq!(world.last_report().unwrap().verdict(), Verdict::Converged);
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

/// A busy API server: while it was refusing, twice as many were under way as after.
#[test]
fn fewer_are_under_way_after_the_api_server_said_that_it_was_too_much() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let mut services: Vec<Service> = names.into_iter().map(Service::new).collect();
    let (mut world, mut accepting) = running(&services);
    for service in &mut services {
        service.image = "app:2";
    }
    world.cluster.faults.push(Fault {
        about: "Deployment/sf-shop/",
        dry_run_only: true,
        times: 8,
        failure: Failure {
            code: Some(429),
            retry_after: Some(Millis::from_secs(20)),
            ..Failure::default()
        },
    });
    world.most_in_flight = 0;
    world.want(accepting.accept(&services, Consent::default()));
    while world.cluster.faults[0].times > 0 {
        assert!(world.turn() || world.pass(Millis::from_secs(600)));
    }
    assert_eq!(world.most_in_flight, 8);
    let refused_at = world.now;
    world.most_in_flight = 0;
    let mark = world.mark();
    while world.since(mark).len() < 3 {
        assert!(world.turn() || world.pass(Millis::from_secs(600)));
    }
    assert!(world.now >= refused_at.plus(Millis::from_secs(20)));
    assert_eq!(world.most_in_flight, 4);
    world.settle();
    assert!(world.most_in_flight > 4, "it does not grow back");
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

#[test]
fn a_refused_bundle_without_services_is_no_success() {
    let mut accepting = Accepting::new();
    accepting.accept(&[], Consent::default());
    let desired = accepting.spoil(Scope::Environment);
    let mut world = World::start(ModelCluster::default(), Millis(0), Some(desired));
    world.settle();
    let report = world.last_report().unwrap();
    assert_eq!(report.verdict(), Verdict::Partial, "{report:#?}");
    let namespace = key("Namespace", "sf-shop");
    let told: Vec<_> = report
        .objects
        .iter()
        .filter(|o| o.key == namespace)
        .collect();
    assert_eq!(told.len(), 1, "{report:#?}");
    let reason = told[0].reason.as_ref().unwrap();
    assert!(reason.contains("starform.io/project-id"), "{reason}");
}

fn invalid(message: &str) -> Failure {
    Failure {
        code: Some(422),
        reason: "Invalid".to_owned(),
        message: message.to_owned(),
        ..Failure::default()
    }
}
