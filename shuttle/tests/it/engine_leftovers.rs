//! What is not wanted any more stays where the newest accepted state does not say that it may go.
//!
//! Pure; against the model cluster. A project's Namespace: `engine_ending`.

use starform_contract::{Bundle, Consent, Kept, VolumeName, report::Verdict};
use starform_shuttle::engine::io::{Failure, Input, Millis};

use crate::{
    engine_accepted::{Accepting, Scope, deleting, key, two},
    engine_world::{World, running},
    model_cluster::Fault,
};

/// A consent of before is still in the index when a later plan keeps the volume.
#[test]
fn a_volume_that_the_newest_state_keeps_is_not_destroyed() {
    let mut services = two();
    services[0].disk = true;
    let (mut world, mut accepting) = running(&services);
    let claim = key("PersistentVolumeClaim", "web--production--data");
    accepting.kept = vec![left_behind(&accepting)];
    let consent = Consent {
        destroy: [claim.clone()].into(),
        ..Consent::default()
    };
    world.tell(Input::Desired(accepting.accept(&two(), consent)));
    world.settle();
    assert!(world.cluster.has(&claim));
    // Its plans tell of it; that no plan lists it would not be true.
    assert_eq!(world.last_report().unwrap().orphans, []);
    // No longer kept, it goes by the same word.
    accepting.kept.clear();
    world.tell(Input::Desired(accepting.accept(&two(), Consent::default())));
    world.settle();
    assert!(!world.cluster.has(&claim));
}

/// What is kept for others may go, so nothing is left out, and nothing is said in doubt.
#[test]
fn known_is_what_is_wanted_or_listed_as_long_as_no_bundle_is_refused() {
    let (mut world, mut accepting) = running(&two());
    let knows = |world: &World, kind: &str| {
        let known = world.engine.known();
        known.map(|known| known.contains(&key(kind, "web--production")))
    };
    assert_eq!(knows(&world, "Deployment"), Some(true));
    // Nobody consented to its deletion: it is still ours.
    world.tell(Input::Desired(
        accepting.accept(&two()[1..], Consent::default()),
    ));
    world.settle();
    assert_eq!(knows(&world, "Deployment"), Some(true));
    world.tell(Input::Desired(accepting.spoil(Scope::Environment)));
    world.settle();
    assert_eq!(knows(&world, "Deployment"), None);
    let consent = deleting(&[key("Deployment", "web--production")]);
    world.tell(Input::Desired(accepting.accept(&two()[1..], consent)));
    world.settle();
    assert_eq!(knows(&world, "Deployment"), Some(false));
    assert_eq!(knows(&world, "Service"), Some(true));
    let restarted = World::start(world.cluster, world.now, None);
    assert_eq!(knows(&restarted, "Service"), None);
}

/// In it somebody may want again what is to go.
#[test]
fn nothing_goes_while_the_bundle_that_wants_or_drops_it_is_refused() {
    let (mut world, mut accepting) = running(&two());
    let web = key("Deployment", "web--production");
    world.cluster.faults.push(Fault {
        about: "Deployment/sf-shop/web",
        dry_run_only: false,
        times: 1,
        failure: Failure {
            code: Some(500),
            ..Failure::default()
        },
    });
    let consent = deleting(std::slice::from_ref(&web));
    world.tell(Input::Desired(accepting.accept(&two()[1..], consent)));
    while world.turn() {}
    assert_eq!(world.cluster.faults[0].times, 0, "it was to go");
    accepting.accept(&two(), Consent::default());
    world.tell(Input::Desired(accepting.spoil(Scope::Environment)));
    world.settle();
    while world.pass(Millis::from_secs(3600)) {
        world.settle();
    }
    assert!(world.cluster.has(&web));
    assert_eq!(world.last_report().unwrap().verdict(), Verdict::Partial);
    // Believed again, and still not wanted.
    world.tell(Input::Desired(
        accepting.accept(&two()[1..], Consent::default()),
    ));
    world.settle();
    assert!(!world.cluster.has(&web));
}

/// What uses it may stand in the bundle that nobody understands.
#[test]
fn what_a_refused_environment_may_use_stays() {
    let (mut world, mut accepting) = running(&two());
    let deny = key("NetworkPolicy", "deny");
    world.tell(Input::Desired(accepting.accept(&two(), Consent::default())));
    world.settle();
    accepting.without_policy(deleting(std::slice::from_ref(&deny)));
    world.tell(Input::Desired(accepting.spoil(Scope::Environment)));
    world.settle();
    while world.pass(Millis::from_secs(3600)) {
        world.settle();
    }
    assert!(world.cluster.has(&deny));
    let report = world.last_report().unwrap();
    assert!(report.finished, "{report:#?}");
    world.tell(Input::Desired(accepting.without_policy(Consent::default())));
    world.settle();
    assert!(!world.cluster.has(&deny));
}

/// The volume of `web` as it is managed now.
fn left_behind(accepting: &Accepting) -> Kept {
    let environments = accepting
        .bundles
        .values()
        .filter_map(|bundle| match &**bundle {
            Bundle::Environment(environment) => Some(environment),
            Bundle::Project(_) => None,
        });
    let mut services = environments.flat_map(|environment| &environment.services);
    let web = services.find(|entry| entry.name.as_str() == "web").unwrap();
    let is_claim = |kind: &str| kind == "PersistentVolumeClaim";
    let mut objects = web.objects.iter();
    let claim = objects.find(|object| is_claim(&object.key().unwrap().kind));
    Kept {
        service_id: web.service_id,
        service: web.name.clone(),
        volume: VolumeName::new("data").unwrap(),
        meant: false,
        object: claim.unwrap().clone(),
    }
}
