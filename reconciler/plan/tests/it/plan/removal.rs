//! Deleting an environment or a project: what goes, what stays, in which order, and what is refused.
//!
//! Pure. Expected pages and documents stand in `snapshots/`.

use std::collections::BTreeSet;

use starform_contract::{EnvironmentState, ObjectKey, index::Consent};
use starform_plan::{
    Proposal, Refusal,
    accept::{clear_finished, consent},
    document::{Action, Plan, Risk},
    removal::{self, NotRemovable, VolumePlace},
    view::{TextOptions, text},
};

use super::{
    accept::{touches, without_domains},
    volumes::with_volumes,
    world::{World, environment, shop_id},
};
use crate::sample;

/// `catalog` has a volume in production, and staging has the same services without one.
fn shop() -> World {
    let mut world = World::having(&with_volumes(&[("data", 10)]));
    let staging = world.propose(&staging());
    world.accept(&staging).unwrap();
    world
}

fn staging() -> EnvironmentState {
    without_domains("staging")
}

fn remove(world: &World, name: &str, destroy: &[&str]) -> Result<Proposal, NotRemovable> {
    let accepted = world.accepted(shop_id());
    removal::environment(&accepted, &environment(name), &places(destroy))
}

fn end(world: &World, destroy: &[&str]) -> Vec<Proposal> {
    removal::project(&world.accepted(shop_id()), &places(destroy)).unwrap()
}

fn places(texts: &[&str]) -> BTreeSet<VolumePlace> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn allowed(world: &World, proposal: &Proposal) -> Consent {
    let accepted = world.accepted(shop_id());
    consent(&proposal.plan, &accepted, &proposal.environment)
}

fn kinds<'a>(keys: impl IntoIterator<Item = &'a ObjectKey>) -> Vec<&'a str> {
    let mut kinds: Vec<&str> = keys.into_iter().map(|key| key.kind.as_str()).collect();
    kinds.dedup();
    kinds
}

fn page(proposals: &[Proposal]) -> String {
    let plans: Vec<Plan> = proposals.iter().map(|made| made.plan.clone()).collect();
    let options = TextOptions {
        width: 80,
        color: false,
        full: false,
    };
    text(&plans, &options)
}

/// Digests are those of the samples, which other tests change: ids and digests are left out.
fn document(plan: &Plan) -> String {
    let mut json = serde_json::to_value(plan).unwrap();
    let plan = json.as_object_mut().unwrap();
    for key in ["plan_id", "effect_id", "source"] {
        plan.remove(key);
    }
    for list in ["services", "objects"] {
        for item in plan[list].as_array_mut().unwrap() {
            let item = item.as_object_mut().unwrap();
            for key in ["before", "changes", "fields"] {
                item.remove(key);
            }
        }
    }
    serde_json::to_string_pretty(&json).unwrap()
}

#[test]
fn an_environment_goes_with_all_its_objects_and_nothing_else() {
    let mut world = shop();
    let production = world
        .accepted(shop_id())
        .environment(&environment("production"))
        .unwrap()
        .clone();
    let proposal = remove(&world, "staging", &[]).unwrap();
    assert!(
        proposal.plan.objects.iter().all(|change| {
            change.action == Action::Delete && change.key.name.contains("staging")
        })
    );
    assert_eq!(proposal.plan.summary.risk, Risk::Delete);
    let listed: BTreeSet<ObjectKey> = world.accepted(shop_id()).environments()
        [&environment("staging")]
        .all_objects()
        .filter_map(starform_contract::Object::key)
        .collect();
    assert_eq!(allowed(&world, &proposal).delete, listed);
    insta::assert_snapshot!("environment_80", page(std::slice::from_ref(&proposal)));
    insta::assert_snapshot!("environment_document", document(&proposal.plan));

    assert!(world.accept(&proposal).unwrap());
    let accepted = world.accepted(shop_id());
    assert_eq!(
        accepted.environments().into_keys().collect::<Vec<_>>(),
        [&environment("production")]
    );
    assert_eq!(
        accepted.environment(&environment("production")),
        Some(&production)
    );
    assert!(!world.accept(&proposal).unwrap(), "it is done");
    // Its services are others when they come back.
    assert!(accepted.names().iter().all(|name| !name.retired));
    let again = world.propose(&staging());
    assert!(world.accept(&again).unwrap());
}

/// What is left of it does not stand for a project that is to go.
#[test]
fn a_project_goes_after_an_environment_that_left_a_volume() {
    for destroy in [&["catalog.data"][..], &[]] {
        let mut world = shop();
        let gone = remove(&world, "production", &[]).unwrap();
        assert!(world.accept(&gone).unwrap());
        for proposal in end(&world, destroy) {
            let changes = !proposal.plan.is_empty();
            assert_eq!(world.accept(&proposal), Ok(changes));
        }
        let accepted = world.accepted(shop_id());
        assert!(accepted.is_ended());
        let left: Vec<&str> = accepted
            .environments()
            .into_keys()
            .map(|name| name.as_str())
            .collect();
        let stays: &[&str] = if destroy.is_empty() {
            &["production"]
        } else {
            &[]
        };
        assert_eq!(left, stays);
        if destroy.is_empty() {
            // As the reminder says.
            let destroyed = remove(&world, "production", &["catalog.data"]).unwrap();
            assert!(world.accept(&destroyed).unwrap());
            assert!(world.accepted(shop_id()).environments().is_empty());
        }
    }
}

#[test]
fn a_service_that_is_held_goes_too() {
    let mut held = staging();
    for service in &mut held.services {
        service.model.hold = true;
    }
    let mut world = shop();
    let only = held.services.iter().map(|s| s.name.clone()).collect();
    let proposal = world.propose_asked(
        &held,
        &super::world::Asked {
            only: Some(only),
            ..Default::default()
        },
    );
    world.accept(&proposal).unwrap();
    let gone = remove(&world, "staging", &[]).unwrap();
    assert_eq!(gone.plan.summary.services.held, 0);
    assert_eq!(gone.plan.summary.services.delete, 4);
}

#[test]
fn a_project_goes_by_one_plan_an_environment_and_the_last_has_the_namespace() {
    let mut world = shop();
    let plans = end(&world, &["catalog.data"]);
    let environments: Vec<&str> = plans.iter().map(|p| p.plan.environment.as_str()).collect();
    assert_eq!(environments, ["production", "staging"]);
    assert!(!touches(&plans[0], "Namespace"));
    let own = allowed(&world, &plans[1]).delete;
    let own = own.iter().filter(|key| !key.name.contains("staging"));
    assert_eq!(
        kinds(own),
        [
            "LimitRange",
            "Namespace",
            "ResourceQuota",
            "NetworkPolicy",
            "RoleBinding"
        ]
    );
    assert_eq!(plans[0].plan.summary.risk, Risk::Destroy);
    assert_eq!(plans[1].plan.summary.risk, Risk::Delete);
    insta::assert_snapshot!("project_80", page(&plans));
    insta::assert_snapshot!("project_document", document(&plans[1].plan));

    for plan in &plans {
        assert!(world.accept(plan).unwrap());
    }
    let accepted = world.accepted(shop_id());
    assert!(accepted.environments().is_empty());
    assert!(accepted.project().unwrap().objects.is_empty());
    // And from nothing again, under other object names.
    let again = world.propose(&sample::shop());
    assert!(touches(&again, "Namespace"));
    assert!(world.accept(&again).unwrap());
}

#[test]
fn what_belongs_to_the_project_goes_after_its_environments() {
    let mut world = shop();
    let plans = end(&world, &[]);
    let early = world.accept(&plans[1]).unwrap_err();
    assert_eq!(early, Refusal::Standing(vec![environment("production")]));
    // Nor does an environment come while the project goes.
    let late = world.propose(&without_domains("testing"));
    for plan in &plans {
        world.accept(plan).unwrap();
    }
    let late = world.accept(&late).unwrap_err();
    assert_eq!(late, Refusal::Standing(vec![environment("testing")]));
}

#[test]
fn a_volume_stays_until_it_is_named() {
    let mut world = shop();
    for plan in &end(&world, &[]) {
        let consent = allowed(&world, plan);
        assert!(consent.destroy.is_empty());
        assert!(!kinds(&consent.delete).contains(&"PersistentVolumeClaim"));
        world.accept(plan).unwrap();
    }
    let accepted = world.accepted(shop_id());
    let kept = accepted.environment(&environment("production")).unwrap();
    assert!(kept.is_empty());
    assert_eq!(kept.kept.len(), 1, "it is still told");
    let again = end(&world, &[]).remove(0).plan;
    assert_eq!(
        kinds(again.objects.iter().map(|change| &change.key)),
        ["Namespace", "RoleBinding"],
        "what is left is asked for again"
    );
    assert!(
        again.findings[0].title.contains("--destroy catalog.data"),
        "{:?}",
        again.findings
    );

    // The Namespace may go whenever nothing keeps it any more, so its consent outlives the apply.
    let finished = world.index.generation;
    let entry = world.index.projects.get_mut(&shop_id()).unwrap();
    clear_finished(entry, &environment("production"), finished);
    clear_finished(entry, &environment("staging"), finished);
    assert_eq!(entry.accepted.len(), 1, "{:#?}", entry.accepted);
    assert_eq!(
        kinds(&entry.accepted[0].consent.delete),
        ["Namespace", "RoleBinding"]
    );
    let destroy = end(&world, &["catalog.data"]);
    assert_eq!(destroy.len(), 1);
    assert_eq!(allowed(&world, &destroy[0]).destroy.len(), 1);
    world.accept(&destroy[0]).unwrap();
    assert!(world.accepted(shop_id()).environments().is_empty());

    // What was said of the project as it was is not said of one that comes after it.
    let again = world.propose(&sample::shop());
    world.accept(&again).unwrap();
    let accepted = &world.index.projects[&shop_id()].accepted;
    let delete = accepted.iter().flat_map(|plan| &plan.consent.delete);
    assert_eq!(kinds(delete), [] as [&str; 0]);
}

/// The Namespace stayed because of something that is not ours; the same command asks for it again.
#[test]
fn what_had_to_stay_is_asked_for_again() {
    let mut world = World::having(&staging());
    let [plan] = &end(&world, &[])[..] else {
        panic!("one environment");
    };
    world.accept(plan).unwrap();
    let before = world.index.clone();
    let again = end(&world, &[]);
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].plan.environment, environment("staging"));
    assert_eq!(again[0].plan.settings, []);
    let keys = again[0].plan.objects.iter().map(|change| &change.key);
    assert_eq!(kinds(keys), ["Namespace", "RoleBinding"]);
    assert!(world.accept(&again[0]).unwrap());
    assert_eq!(world.index.generation, before.generation.next());
    let entry = &world.index.projects[&shop_id()];
    assert_eq!(entry.bundle, before.projects[&shop_id()].bundle);
    assert!(entry.environments.is_empty());
    let listing = entry.accepted.iter().filter(|accepted| {
        let mut delete = accepted.consent.delete.iter();
        delete.any(|key| key.kind == "Namespace")
    });
    assert_eq!(listing.count(), 1, "{:#?}", entry.accepted);
    assert_eq!(
        world.accept(&again[0]),
        Err(Refusal::Used(again[0].plan.plan_id.clone()))
    );
    // As something else it is no way around what a plan lists.
    let standing = World::having(&staging());
    let mut standing = World {
        bundles: standing.bundles,
        index: standing.index,
        ..world
    };
    standing.accept(&again[0]).unwrap_err();
}

#[test]
fn what_is_not_there_cannot_be_deleted() {
    let world = shop();
    let said = |result: Result<Proposal, NotRemovable>| result.unwrap_err().to_string();
    assert_eq!(
        said(remove(&world, "testing", &[])),
        "nothing is accepted for environment `testing`; the project has `production` and `staging`"
    );
    assert_eq!(
        said(remove(&world, "staging", &["catalog.data"])),
        "there is no volume `catalog.data` in what is to be deleted; there is none"
    );
    assert_eq!(
        said(remove(&world, "production", &["catalog.cache"])),
        "there is no volume `catalog.cache` in what is to be deleted; there is `catalog.data`"
    );
    let nothing = World::new().accepted(shop_id());
    assert_eq!(
        removal::project(&nothing, &BTreeSet::new()).unwrap_err(),
        NotRemovable::NoProject
    );
}

/// A project without an environment would have a Namespace that nobody plans any more.
#[test]
fn the_last_environment_goes_with_its_project_alone() {
    let mut world = shop();
    let both = [
        remove(&world, "staging", &[]).unwrap(),
        remove(&world, "production", &[]).unwrap(),
    ];
    world.accept(&both[0]).unwrap();
    let refusal = world.accept(&both[1]).unwrap_err();
    assert_eq!(refusal, Refusal::LastEnvironment(environment("production")));
    assert_eq!(
        remove(&world, "production", &[]).unwrap_err().to_string(),
        refusal
            .to_string()
            .replace("production is", "`production` is")
    );
}

/// Both plans are made while the other environment still has the service.
#[test]
fn a_service_goes_from_two_environments_by_plans_made_at_once() {
    let mut world = shop();
    let without = |mut state: EnvironmentState| {
        state.services.retain(|s| s.name.as_str() != "mailer");
        state
    };
    let plans = [
        world.propose(&without(with_volumes(&[("data", 10)]))),
        world.propose(&without(staging())),
    ];
    for plan in &plans {
        assert!(world.accept(plan).unwrap());
    }
    let accepted = world.accepted(shop_id());
    let mut names = accepted.names().iter();
    assert!(names.any(|name| name.name.as_str() == "mailer" && name.retired));
}
