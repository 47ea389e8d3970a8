//! What the engine asks for when something else is wanted, against the model cluster.
//!
//! Pure; the same situations on a real API server stand in the `shell_*` modules.

use serde_json::json;
use starform_contract::{
    Consent, Digest,
    report::{Health, Outcome},
};
use starform_shuttle::engine::io::Input;

use crate::engine_accepted::{Service, deleting, key, two};
use crate::engine_world::{running, short};

#[test]
fn a_project_is_made_in_waves_with_one_request_an_object() {
    let (world, _) = running(&two());
    let asked = world.since(0);
    assert_eq!(asked.len(), 3 + 1 + 2 * 4, "{asked:#?}");
    assert!(
        asked.iter().all(|request| request.starts_with("apply ")),
        "{asked:#?}"
    );
    assert_eq!(
        asked[..4],
        [
            "apply Namespace/sf-shop",
            "apply RoleBinding/starform-applier",
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
        12
    );
}

#[test]
fn keys_are_in_the_stored_inventory_before_their_first_write() {
    let (world, _) = running(&two());
    let first = short(&world.cluster.log[0]);
    assert_eq!(first, "inventory 0");
    let shard = &world.cluster.shards[&0];
    assert_eq!(shard.entries.len(), 12);
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
fn a_large_apply_stores_the_inventory_a_few_times() {
    let names: Vec<&'static str> = (0..120)
        .map(|number| &*Box::leak(format!("service-{number}").into_boxed_str()))
        .collect();
    let services: Vec<Service> = names.into_iter().map(Service::new).collect();
    let (world, _) = running(&services);
    assert_eq!(world.since(0).len(), 4 + 120 * 4);
    let stored = world
        .cluster
        .log
        .iter()
        .filter(|request| short(request).starts_with("inventory"));
    let shards = world.cluster.shards.len();
    assert!((2..8).contains(&shards), "{shards} shards");
    // Once ahead, once with what was learned.
    assert_eq!(stored.count(), 2 * shards);
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
    assert_eq!(world.cluster.shards[&0].entries.len(), 12 - 3);
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
