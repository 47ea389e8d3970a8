//! A plan from a file cannot hide a change, neither on the state that it was made against nor later.
//!
//! Pure.

use serde_json::json;
use starform_contract::{EnvironmentState, Object, ServiceEntry, bundle::Wave, model::Workload};
use starform_plan::{
    Proposal, Refusal,
    document::{Effect, Risk, ServiceAction},
    ids,
};

use super::world::{World, environment, shop_id};
use crate::sample;

type Change = fn(&mut Proposal);

/// Changes that would be accepted without being listed as they are. Each is sealed afterwards: bundle
/// digests and ids are made to fit.
const HIDDEN: [(&str, Change); 11] = [
    ("an object's content, with its own digest", |p| {
        evil(last(p));
    }),
    ("a service's words", |p| {
        last(p).model["evil"] = json!(true);
    }),
    ("an object's content, with the service's digest", |p| {
        evil(last(p));
        relist(p);
    }),
    ("an object beside the others", |p| {
        let more = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "more"}});
        let object = Object::new(more, Wave(2), starform_contract::Deletion::Delete);
        last(p).objects.push(object);
        relist(p);
    }),
    ("a second object of the same key", |p| {
        let mut more = last(p).objects[0].manifest.clone();
        more["evil"] = json!(true);
        let object = Object::new(more, Wave(2), starform_contract::Deletion::Delete);
        last(p).objects.insert(0, object);
        relist(p);
    }),
    ("a second service of the same name", |p| {
        let mut more = last(p).clone();
        evil(&mut more);
        p.environment.services.push(more);
    }),
    ("a changed field", |p| {
        p.plan.objects[0].fields.clear();
    }),
    ("a risk", |p| p.plan.objects[0].risk = Risk::None),
    ("what happens to the pods", |p| {
        for service in &mut p.plan.services {
            service.effect = if service.effect == Effect::None {
                Effect::Stop
            } else {
                Effect::None
            };
        }
    }),
    ("a word of the language", |p| {
        p.plan.services[0].changes.clear();
    }),
    ("the counts", |p| p.plan.summary.objects.update += 1),
];

#[test]
fn a_hidden_change_is_refused_on_the_state_it_was_made_against() {
    let world = World::having(&sample::shop());
    let honest = world.propose(&scaled(20));
    assert!(world.clone().accept(&honest).unwrap());
    refuses_hidden(&world, &honest);
}

#[test]
fn a_hidden_change_is_refused_on_a_later_state() {
    let mut world = World::having(&sample::shop());
    let honest = world.propose(&scaled(20));
    world.accept(&world.propose(&other_mailer())).unwrap();
    assert!(world.clone().accept(&honest).unwrap());
    refuses_hidden(&world, &honest);
}

#[test]
fn a_file_cannot_claim_another_base_to_escape_the_comparison() {
    let world = World::having(&sample::shop());
    let mut honest = world.propose(&scaled(20));
    honest.plan.source.base = None;
    refuses_hidden(&world, &honest);
}

#[test]
fn what_the_plan_does_not_touch_never_comes_from_its_bundles() {
    let world = World::having(&sample::shop());
    let honest = world.propose(&scaled(20));
    let mut proposal = honest.clone();
    evil(&mut proposal.environment.services[0]);
    evil_object(&mut proposal.environment.objects[0]);
    evil_object(&mut proposal.project.objects[0]);
    proposal.environment.protect = true;
    "large".clone_into(&mut proposal.project.tier);
    seal(&mut proposal);
    refused(&world, &proposal, "beside the plan");
    let mut later = world;
    later.accept(&later.propose(&other_mailer())).unwrap();
    let mut honestly = later.clone();
    assert!(later.accept(&proposal).unwrap());
    assert!(honestly.accept(&honest).unwrap());
    let (got, wanted) = (later.accepted(shop_id()), honestly.accepted(shop_id()));
    assert_eq!(got, wanted);
}

#[test]
fn a_new_environment_hides_no_setting() {
    let mut world = World::new();
    let of = |name: &str| {
        let mut state = sample::shop();
        state.environment = environment(name);
        state.services.clear();
        state
    };
    let honest = world.propose(&of("staging"));
    let mut proposal = honest.clone();
    proposal.environment.ephemeral = !proposal.environment.ephemeral;
    seal(&mut proposal);
    refused(&world, &proposal, "a listed setting");
    proposal.plan.settings.retain(|s| s.path != "ephemeral");
    seal(&mut proposal);
    refused(&world, &proposal, "an unlisted setting, at first");
    world.accept(&world.propose(&of("production"))).unwrap();
    refused(&world, &proposal, "an unlisted setting, later");
    assert!(world.accept(&honest).unwrap());
}

fn refuses_hidden(world: &World, honest: &Proposal) {
    for (what, change) in HIDDEN {
        let mut proposal = honest.clone();
        change(&mut proposal);
        seal(&mut proposal);
        refused(world, &proposal, what);
    }
}

fn refused(world: &World, proposal: &Proposal, what: &str) {
    let outcome = world.clone().accept(proposal);
    assert!(
        matches!(outcome, Err(Refusal::Unsound(_))),
        "{what}: {outcome:?}"
    );
}

/// Everything that a file says about itself fits again.
fn seal(proposal: &mut Proposal) {
    proposal.plan.source.result = proposal.environment.digest();
    proposal.plan.source.project_result = proposal.project.digest();
    proposal.plan.effect_id = ids::effect(&proposal.plan);
    proposal.plan.plan_id = ids::plan(&proposal.plan);
}

/// The listed services' digests are those of the bundle.
fn relist(proposal: &mut Proposal) {
    let environment = &proposal.environment;
    let services = &mut proposal.plan.services;
    for change in services
        .iter_mut()
        .filter(|s| s.action != ServiceAction::None)
    {
        change.after = environment.service(&change.name).map(ServiceEntry::digest);
    }
}

/// The storefront, which the plan touches.
fn last(proposal: &mut Proposal) -> &mut ServiceEntry {
    proposal.environment.services.last_mut().unwrap()
}

fn evil(entry: &mut ServiceEntry) {
    evil_object(&mut entry.objects[0]);
}

fn evil_object(object: &mut Object) {
    let mut manifest = object.manifest.clone();
    manifest["evil"] = json!(true);
    *object = Object::new(manifest, object.wave, object.deletion);
}

fn scaled(max: u32) -> EnvironmentState {
    let mut state = sample::shop();
    if let Workload::Web(web) = &mut state.services[3].model.workload {
        web.scale.max = max;
    }
    state
}

fn other_mailer() -> EnvironmentState {
    let mut state = sample::shop();
    state.services[1].model.image = "ghcr.io/acme/mailer:v2".to_owned();
    state
}
