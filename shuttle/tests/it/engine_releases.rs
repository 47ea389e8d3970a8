//! Releases gate their service, run once, and stand in nobody else's way: against the model cluster.
//!
//! Pure; the same on a real API server stands in the command line's tests.

use serde_json::json;
use starform_contract::{Consent, report::Health};
use starform_shuttle::engine::io::{Input, Millis};

use crate::engine_accepted::{Service, deleting, key, two};
use crate::engine_world::{World, running};

fn releasing(release: &'static str, image: &'static str) -> Vec<Service> {
    let mut services = two();
    services[0].release = Some(release);
    services[0].image = image;
    services
}

#[test]
fn a_release_is_complete_before_its_deployment_is_written() {
    let (mut world, mut accepting) = running(&two());
    let services = releasing("one", "app:2");
    let mark = world.mark();
    world.tell(Input::Desired(
        accepting.accept(&services, Consent::default()),
    ));
    world.settle();
    let asked = world.since(mark);
    let place = |what: &str| asked.iter().position(|request| request == what).unwrap();
    let job = format!("apply Job/{}", services[0].job().name);
    assert!(
        place(&job) < place("apply Deployment/web--production"),
        "{asked:#?}"
    );
    let mark = world.mark();
    let mut scaled = services.clone();
    scaled[0].replicas = Some(4);
    world.tell(Input::Desired(
        accepting.accept(&scaled, Consent::default()),
    ));
    world.settle();
    assert!(!world.since(mark).contains(&job));
    assert_eq!(world.cluster.begun[&services[0].job()], 1);
}

#[test]
fn a_failed_release_leaves_the_old_pods_and_the_other_services_alone() {
    let (mut world, mut accepting) = running(&two());
    let mut services = releasing("crash", "app:2");
    services[1].image = "app:2";
    let mark = world.mark();
    world.tell(Input::Desired(
        accepting.accept(&services, Consent::default()),
    ));
    world.settle();
    let asked = world.since(mark);
    let wrote = |what: &str| asked.iter().any(|request| request == what);
    assert!(!wrote("apply Deployment/web--production"), "{asked:#?}");
    assert!(wrote("apply Deployment/api--production"), "{asked:#?}");
    let report = world.last_report().unwrap();
    assert!(report.finished);
    let health = |name: &str| {
        let mut services = report.services.iter();
        services.find(|s| s.name.as_str() == name).unwrap().clone()
    };
    assert_eq!(health("api").health, Health::Current);
    let web = health("web");
    assert_eq!(web.health, Health::Failed);
    assert!(
        web.reason.unwrap().contains("exit code 1"),
        "the pod's last word"
    );
    // A lost engine does not try it again either.
    let again = World::start(world.cluster, world.now, Some(accepting.desired()));
    let mut again = again;
    again.settle();
    assert_eq!(again.cluster.begun[&services[0].job()], 1);
}

/// What completed once is remembered without its Job, through a restart too.
#[test]
fn going_back_to_a_release_does_not_run_it_again() {
    let (first, second) = (releasing("one", "app:1"), releasing("two", "app:2"));
    let (mut world, mut accepting) = running(&first);
    for (wanted, former) in [(&second, &first), (&first, &second), (&second, &first)] {
        let desired = accepting.accept(wanted, deleting(&[former[0].job()]));
        world.tell(Input::Desired(desired.clone()));
        world.settle();
        world.now = world.now.plus(Millis::from_secs(60));
        world = World::start(world.cluster, world.now, Some(desired));
        world.settle();
        assert!(!world.cluster.has(&former[0].job()));
        let image = world.cluster.field(
            &key("Deployment", "web--production"),
            r#"spec|template|spec|containers|k:{"name":"app"}|image"#,
        );
        assert_eq!(image, Some(&json!(wanted[0].image)));
    }
    for release in [&first, &second] {
        assert_eq!(world.cluster.begun[&release[0].job()], 1);
    }
}

/// The Job that told of it goes before the engine is lost.
#[test]
fn what_completed_a_moment_ago_is_remembered_too() {
    let (mut world, mut accepting) = running(&two());
    let first = releasing("one", "app:1");
    world.tell(Input::Desired(accepting.accept(&first, Consent::default())));
    while world.turn() {}
    let job = first[0].job();
    world.tell(Input::Desired(
        accepting.accept(&two(), deleting(std::slice::from_ref(&job))),
    ));
    while world.turn() {}
    assert!(!world.cluster.has(&job), "it goes at once");
    let back = accepting.accept(&first, Consent::default());
    let mut world = World::start(world.cluster, world.now, Some(back));
    world.settle();
    assert_eq!(world.cluster.begun[&job], 1);
}

/// Two at once would get into each other's way.
#[test]
fn a_release_that_still_runs_is_ended_before_the_next_one() {
    let slow = releasing("neverready", "app:2");
    let (mut world, mut accepting) = running(&two());
    world.tell(Input::Desired(accepting.accept(&slow, Consent::default())));
    for _ in 0..200 {
        if !world.turn() {
            break;
        }
    }
    assert!(world.cluster.has(&slow[0].job()), "it runs");
    let next = releasing("two", "app:3");
    let mark = world.mark();
    world.tell(Input::Desired(
        accepting.accept(&next, deleting(&[slow[0].job()])),
    ));
    world.settle();
    let asked = world.since(mark);
    let place = |what: String| asked.iter().position(|request| *request == what).unwrap();
    let ended = place(format!("delete Job/{}", slow[0].job().name));
    assert!(
        ended < place(format!("apply Job/{}", next[0].job().name)),
        "{asked:#?}"
    );
}
