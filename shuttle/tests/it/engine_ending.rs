//! A project is deleted: its Namespace goes last, and stays where something in it has to stay.

use serde_json::json;
use starform_contract::{Consent, ObjectKey, report::Outcome};
use starform_shuttle::engine::io::{Input, Millis};

use crate::engine_accepted::{Accepting, Scope, deleting, key, two};
use crate::engine_world::{World, running};

/// Everything that stands, as the plan that deletes the project lists it.
fn all(world: &World) -> Vec<ObjectKey> {
    let keys = world.cluster.state().into_keys();
    keys.map(|key| key.parse().unwrap()).collect()
}

fn end(world: &mut World, accepting: &mut Accepting, consent: Consent) -> usize {
    let mark = world.mark();
    world.tell(Input::Desired(accepting.end(consent)));
    world.settle();
    mark
}

fn namespace() -> ObjectKey {
    key("Namespace", "sf-shop")
}

fn claim() -> serde_json::Value {
    let project = crate::engine_accepted::project();
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": "web--production--data", "namespace": "sf-shop",
            "labels": {
                "app.kubernetes.io/managed-by": "starform",
                "starform.io/project-id": project.to_string(),
            },
        },
        "spec": {},
    })
}

#[track_caller]
fn outcome(world: &World, key: &ObjectKey) -> (Outcome, Option<String>) {
    let report = world.last_report().unwrap();
    assert!(report.finished, "{report:#?}");
    let told = report.objects.iter().find(|object| object.key == *key);
    let told = told.unwrap_or_else(|| panic!("{key} is not told: {report:#?}"));
    (told.outcome, told.reason.clone())
}

#[test]
fn the_namespace_goes_last_and_after_a_look() {
    let (mut world, mut accepting) = running(&two());
    let consent = deleting(&all(&world));
    let mark = end(&mut world, &mut accepting, consent);
    let asked = world.since(mark);
    let place = |what: &str| {
        let found = asked.iter().position(|request| request == what);
        found.unwrap_or_else(|| panic!("no `{what}` in {asked:#?}"))
    };
    let last_deletion = asked
        .iter()
        .rposition(|request| {
            request.starts_with("delete ") && request != "delete Namespace/sf-shop"
        })
        .unwrap();
    assert!(last_deletion < place("survey sf-shop"), "{asked:#?}");
    assert!(place("survey sf-shop") < place("delete Namespace/sf-shop"));
    let rights = "delete RoleBinding/starform-applier".to_owned();
    assert!(!asked.contains(&rights), "they went with it: {asked:#?}");
    assert!(world.cluster.state().is_empty());
    assert_eq!(outcome(&world, &namespace()).0, Outcome::Deleted);
}

#[test]
fn a_namespace_that_no_plan_lists_stays() {
    let (mut world, mut accepting) = running(&two());
    let mut listed = all(&world);
    listed.retain(|key| key.kind != "Namespace");
    end(&mut world, &mut accepting, deleting(&listed));
    assert!(world.cluster.has(&namespace()));
    assert!(world.last_report().unwrap().orphans.contains(&namespace()));
}

/// The list of an accepted plan is not enough: the project's own bundle has to want nothing.
#[test]
fn a_namespace_of_a_project_that_stands_is_never_deleted() {
    let (mut world, mut accepting) = running(&two());
    let consent = deleting(&[namespace()]);
    world.tell(Input::Desired(accepting.accept(&two()[..1], consent)));
    world.settle();
    assert!(world.cluster.has(&namespace()));
}

#[test]
fn a_kept_volume_keeps_the_namespace_and_the_rights() {
    let mut services = two();
    services[0].disk = true;
    let (mut world, mut accepting) = running(&services);
    let mut consent = deleting(&all(&world));
    consent.delete.remove(&ObjectKey::of(&claim()).unwrap());
    end(&mut world, &mut accepting, consent);
    let (told, reason) = outcome(&world, &namespace());
    assert_eq!(told, Outcome::Retained);
    let reason = reason.unwrap();
    assert!(
        reason.contains("PersistentVolumeClaim web--production--data"),
        "{reason}"
    );
    let rights = key("RoleBinding", "starform-applier");
    assert_eq!(outcome(&world, &rights).0, Outcome::Retained);
    let left: Vec<String> = world.cluster.state().into_keys().collect();
    assert_eq!(left.len(), 3, "{left:#?}");

    // Destroyed by an accepted plan that names it, the rest goes too.
    let destroy = ObjectKey::of(&claim()).unwrap();
    let mut consent = deleting(&all(&world));
    consent.delete.remove(&destroy);
    consent.destroy.insert(destroy);
    end(&mut world, &mut accepting, consent);
    assert!(world.cluster.state().is_empty());
}

#[test]
fn what_is_not_ours_keeps_the_namespace() {
    let (mut world, mut accepting) = running(&two());
    let consent = deleting(&all(&world));
    let foreign = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "notes", "namespace": "sf-shop"},
    });
    world.cluster.foreign(&foreign, "kubectl-client-side-apply");
    end(&mut world, &mut accepting, consent);
    let (told, reason) = outcome(&world, &namespace());
    assert_eq!(told, Outcome::Retained);
    assert!(reason.unwrap().contains("ConfigMap notes"));
}

#[test]
fn a_namespace_that_stays_is_looked_at_again() {
    let (mut world, mut accepting) = running(&two());
    let consent = deleting(&all(&world));
    let foreign = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "notes", "namespace": "sf-shop"},
    });
    world.cluster.foreign(&foreign, "kubectl-client-side-apply");
    let mark = end(&mut world, &mut accepting, consent);
    let day = world.now.plus(Millis::from_secs(24 * 3600));
    while world.now < day && world.pass(Millis::from_secs(24 * 3600)) {
        world.settle();
    }
    assert_eq!(outcome(&world, &namespace()).0, Outcome::Retained);
    let looks = world.since(mark);
    let looks = looks.iter().filter(|asked| *asked == "survey sf-shop");
    assert!((10..40).contains(&looks.count()), "seldom, after a while");

    // Somebody does what the message says.
    world.cluster.remove(&ObjectKey::of(&foreign).unwrap());
    while world.cluster.has(&namespace()) {
        assert!(world.pass(Millis::from_secs(4000)), "it waits for a look");
        world.settle();
    }
    assert!(world.cluster.state().is_empty());
    assert_eq!(outcome(&world, &namespace()).0, Outcome::Deleted);
}

/// What is ours is watched, so that nobody waits for the next look.
#[test]
fn a_namespace_goes_soon_after_the_volume_that_kept_it() {
    let (mut world, mut accepting) = running(&two());
    let consent = deleting(&all(&world));
    world.cluster.foreign(&claim(), "starform-shuttle");
    end(&mut world, &mut accepting, consent);
    assert_eq!(outcome(&world, &namespace()).0, Outcome::Retained);
    let before = world.now;
    world.cluster.remove(&ObjectKey::of(&claim()).unwrap());
    world.settle();
    assert!(world.cluster.state().is_empty());
    assert!(world.now.since(before) < Millis::from_secs(5));
}

/// While it waited for what the garbage collector takes, the project came back, but nobody knows how.
#[test]
fn a_namespace_of_a_refused_bundle_stays() {
    let (mut world, mut accepting) = running(&two());
    let consent = deleting(&all(&world));
    let dependent = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "made", "namespace": "sf-shop",
            "labels": {"starform.io/project-id": crate::engine_accepted::project().to_string()}},
    });
    world.cluster.foreign(&dependent, "some-controller");
    world.tell(Input::Desired(accepting.end(consent)));
    while world.turn() {}
    accepting.accept(&two(), Consent::default());
    world.tell(Input::Desired(accepting.spoil(Scope::Project)));
    world.cluster.remove(&ObjectKey::of(&dependent).unwrap());
    world.settle();
    while world.pass(Millis::from_secs(3600)) {
        world.settle();
    }
    assert!(world.cluster.has(&namespace()));
    // Once it is believed, the project stands again.
    world.tell(Input::Desired(accepting.accept(&two(), Consent::default())));
    world.settle();
    assert!(world.cluster.has(&key("Deployment", "web--production")));
}

#[test]
fn what_every_namespace_has_keeps_nothing() {
    let (mut world, mut accepting) = running(&two());
    let consent = deleting(&all(&world));
    for (kind, name) in [
        ("ServiceAccount", "default"),
        ("ConfigMap", "kube-root-ca.crt"),
    ] {
        let built_in = json!({
            "apiVersion": "v1", "kind": kind,
            "metadata": {"name": name, "namespace": "sf-shop"},
        });
        world.cluster.foreign(&built_in, "kube-controller-manager");
    }
    end(&mut world, &mut accepting, consent);
    assert!(world.cluster.state().is_empty());
}
