//! `protect`: which plans need an approval, and that none of these is accepted without one.
//!
//! Pure.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;
use starform_contract::{
    EnvironmentState, Origins, VolumeName,
    model::{Alias, AllowFrom, Domain, RunAs, Workload},
    state::{Data, Removed},
};
use starform_plan::{
    Proposal, ProposeInput, Refusal,
    approval::Approval,
    document::{Finding, FindingSeverity, Plan, Risk},
    propose::propose,
    removal,
    view::{TextOptions, text},
};

use super::{
    accept::without_domains,
    laws,
    propose::{altered, replace},
    volumes::with_volumes,
    world::{World, environment, shop_id},
};
use crate::sample::{self, service_name};

const GRAVE: [Risk; 4] = [Risk::Widen, Risk::Replace, Risk::Delete, Risk::Destroy];

type Edit = fn(&mut EnvironmentState);

/// What is done to the shop, its risk, and whether a protected environment asks for an approval of it.
const CHANGES: &[(&str, Edit, Risk, bool)] = &[
    ("nothing", |_| {}, Risk::None, false),
    (
        "an environment's word",
        |shop| shop.drift = starform_contract::state::DriftPolicy::Report,
        Risk::Update,
        false,
    ),
    (
        "another scale",
        |shop| scale(shop).max = 13,
        Risk::Update,
        false,
    ),
    (
        "another image",
        |shop| "ghcr.io/acme/mailer:v2".clone_into(&mut mailer(shop).image),
        Risk::Rollout,
        false,
    ),
    ("another service", copied, Risk::Create, false),
    (
        "a volume left behind",
        |shop| *shop = with_volumes(&[]),
        Risk::Rollout,
        false,
    ),
    ("a new host", with_host, Risk::Widen, true),
    (
        "run as root",
        |shop| mailer(shop).run_as = RunAs::Root,
        Risk::Widen,
        true,
    ),
    ("wider allow-from", open_to_all, Risk::Widen, true),
    (
        "a service that goes",
        |shop| drop(shop.services.remove(1)),
        Risk::Delete,
        true,
    ),
    (
        "a budget that goes",
        |shop| scale(shop).min = 1,
        Risk::Delete,
        true,
    ),
    ("data that goes", destroyed, Risk::Destroy, true),
];

#[test]
fn the_truth_table() {
    for accepted in [false, true] {
        let world = World::having(&protected(with_volumes(&[("data", 10)]), accepted));
        for (what, change, risk, grave) in CHANGES {
            for proposed in [false, true] {
                let case = format!("{what}, accepted {accepted}, proposed {proposed}");
                let mut next = with_volumes(&[("data", 10)]);
                change(&mut next);
                let proposal = world.propose(&protected(next, proposed));
                let of_objects = proposal.plan.objects.iter().map(|object| object.risk);
                let said = of_objects.max().unwrap_or_default();
                assert_eq!(GRAVE.contains(&said), *grave, "{case}: {said:?}");
                assert!(said == *risk || !grave, "{case}: {said:?}");
                let unprotects = accepted && !proposed;
                let needed = unprotects || (*grave && (accepted || proposed));
                holds(&world, &proposal, needed, &case);
            }
        }
    }
}

#[test]
fn what_is_replaced_needs_an_approval() {
    for (accepted, proposed) in [(false, true), (true, true), (true, false)] {
        let world = World::having(&protected(sample::shop(), accepted));
        let proposal = altered(&world, &protected(sample::shop(), proposed), |rendered| {
            let mailer = &mut rendered.environment.services[1];
            replace(mailer, "Deployment", |manifest| {
                manifest["spec"]["selector"]["matchLabels"]["more"] = json!("yes");
            });
        });
        assert_eq!(proposal.plan.summary.risk, Risk::Replace);
        holds(&world, &proposal, true, "replaced");
    }
}

#[test]
fn the_first_plan_of_a_protected_environment_needs_one_where_it_opens_a_host() {
    let world = World::new();
    let proposal = world.propose(&protected(sample::shop(), true));
    holds(&world, &proposal, true, "with hosts");
    let mut quiet = sample::shop();
    quiet.services = vec![quiet.services[1].clone()];
    let proposal = world.propose(&protected(quiet, true));
    holds(&world, &proposal, false, "without a host");
}

#[test]
fn a_plan_says_why_it_needs_one() {
    let world = World::having(&protected(with_volumes(&[("data", 10)]), true));
    let mut next = with_volumes(&[("data", 10)]);
    mailer(&mut next).run_as = RunAs::Root;
    destroyed(&mut next);
    let plan = world.propose(&next).plan;
    let finding = needed(&plan).unwrap();
    assert_eq!((finding.code.as_str(), &finding.at), ("SF6121", &None));
    assert_eq!(
        finding.title,
        "production is protected and the plan destroys the data of 1 object, gives pods 7 rights and takes `protect` away, so it needs an approval"
    );
    let options = TextOptions {
        width: 100,
        color: false,
        full: false,
    };
    assert!(text(&[plan], &options).contains("approval[SF6121] production is protected"));
}

/// An environment or a project that is deleted is emptied by a plan like any other.
#[test]
fn deletions_go_through_the_same_gate() {
    let mut world = World::having(&without_domains("staging"));
    let production = protected(with_volumes(&[("data", 10)]), true);
    world.accept(&world.propose(&production)).unwrap();
    let accepted = world.accepted(shop_id());
    let name = environment("production");
    let places = BTreeSet::from(["catalog.data".parse().unwrap()]);
    for destroy in [&BTreeSet::new(), &places] {
        let gone = removal::environment(&accepted, &name, destroy).unwrap();
        holds(&world, &gone, true, "the environment");
    }
    let staging = removal::environment(&accepted, &environment("staging"), &BTreeSet::new());
    holds(&world, &staging.unwrap(), false, "the other environment");
    let mut ended = world.clone();
    for plan in removal::project(&accepted, &BTreeSet::new()).unwrap() {
        holds(&ended, &plan, true, "the project");
        ended.accept(&plan).unwrap();
    }
    // The volume that was left behind goes by an approval, too.
    let mut left = world.clone();
    let gone = removal::environment(&accepted, &name, &BTreeSet::new()).unwrap();
    left.accept(&gone).unwrap();
    let accepted = left.accepted(shop_id());
    let destroy = removal::environment(&accepted, &name, &places).unwrap();
    holds(&left, &destroy, true, "what was left behind");
}

/// The project's own objects serve the protected environment, whichever plan changes them.
#[test]
fn another_environment_does_not_open_what_protects_the_whole_project() {
    let mut world = World::having(&without_domains("staging"));
    world
        .accept(&world.propose(&protected(sample::shop(), true)))
        .unwrap();
    let widened = altered(&world, &without_domains("staging"), |rendered| {
        let own = &mut rendered.project.objects;
        let at = own
            .iter()
            .position(|object| object.manifest["kind"] == "NetworkPolicy")
            .unwrap();
        let mut manifest = own[at].manifest.clone();
        manifest["spec"]["ingress"] = json!([{}]);
        own[at] = starform_contract::Object::new(manifest, own[at].wave, own[at].deletion);
    });
    assert_eq!(widened.plan.summary.risk, Risk::Widen);
    assert_eq!(widened.plan.environment, environment("staging"));
    holds(&world, &widened, true, "the project's policy");
    let mut own = without_domains("staging");
    own.services.remove(1);
    let proposal = world.propose(&own);
    holds(&world, &proposal, false, "what is staging's alone");
}

/// Nobody needs to have known it when the plan was made.
#[test]
fn protect_that_is_accepted_since_counts() {
    let mut world = World::having(&sample::shop());
    let mut next = sample::shop();
    next.services.remove(1);
    let earlier = world.propose(&next);
    holds(&world, &earlier, false, "at first");
    let protects = world.propose(&protected(sample::shop(), true));
    assert!(world.accept_with(&protects, Approval::Missing).unwrap());
    assert!(earlier.plan.approval_needed().is_none());
    refused(&world, &earlier, "since");
    assert!(world.accept(&earlier).unwrap());
}

#[test]
fn a_file_without_the_finding_is_no_way_around_it() {
    let world = World::having(&protected(sample::shop(), true));
    let mut next = sample::shop();
    next.services.remove(1);
    let mut proposal = world.propose(&protected(next, true));
    proposal.plan.findings.clear();
    refused(&world, &proposal, "without its finding");
}

/// What an approval binds to is what is done, and nothing else.
#[test]
fn the_effect_is_the_same_at_another_revision_and_another_with_any_difference() {
    let world = World::having(&protected(sample::shop(), true));
    let mut next = protected(sample::shop(), true);
    next.services.remove(1);
    let at = |revision: &str, state: &EnvironmentState| {
        let rendered = world.render(state);
        propose(ProposeInput {
            accepted: &world.accepted(shop_id()),
            project: rendered.project,
            environment: rendered.environment,
            origins: &Origins::default(),
            revision: Some(revision.to_owned()),
            only: None,
            adopt: &BTreeSet::new(),
            again: &BTreeSet::new(),
            removed: &[],
        })
        .plan
    };
    let (one, two) = (at("a", &next), at("b", &next));
    assert_eq!(one.effect_id, two.effect_id);
    assert_ne!(one.plan_id, two.plan_id);
    scale(&mut next).max = 13;
    assert_ne!(at("a", &next).effect_id, one.effect_id);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn nothing_leaves_a_protected_environment_or_opens_in_it_without_an_approval(
        (a, b) in (laws::shop(), laws::shop()),
        (was, will) in (any::<bool>(), any::<bool>()),
    ) {
        let mut world = World::having(&protected(a, was));
        let proposal = world.propose(&protected(b, will));
        let accepted = world.accept_with(&proposal, Approval::Missing);
        let plan = &proposal.plan;
        let grave = plan.objects.iter().any(|object| GRAVE.contains(&object.risk));
        let needed = if was && !will { true } else { grave && will };
        match accepted {
            Ok(did) => prop_assert!(!needed || !did, "{:?}", plan.summary),
            Err(Refusal::Unapproved(_)) => prop_assert!(needed, "{:?}", plan.summary),
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}

/// The plan says whether it needs an approval, and is accepted accordingly.
#[track_caller]
fn holds(world: &World, proposal: &Proposal, expected: bool, case: &str) {
    assert_eq!(needed(&proposal.plan).is_some(), expected, "{case}");
    if expected {
        refused(world, proposal, case);
    }
    let approval = match expected {
        true => Approval::Given,
        false => Approval::Missing,
    };
    let accepted = world.clone().accept_with(proposal, approval);
    assert_eq!(accepted, Ok(!proposal.plan.is_empty()), "{case}");
}

#[track_caller]
fn refused(world: &World, proposal: &Proposal, case: &str) {
    let refusal = world.clone().accept_with(proposal, Approval::Missing);
    let is_it = matches!(refusal, Err(Refusal::Unapproved(_)));
    assert!(is_it, "{case}: {refusal:?}");
}

fn needed(plan: &Plan) -> Option<&Finding> {
    let finding = plan.approval_needed();
    assert!(finding.is_none_or(|finding| finding.severity == FindingSeverity::Approval));
    finding
}

fn protected(mut state: EnvironmentState, protect: bool) -> EnvironmentState {
    state.protect = protect;
    state
}

fn mailer(shop: &mut EnvironmentState) -> &mut starform_contract::ServiceModel {
    &mut shop.services[1].model
}

fn web(shop: &mut EnvironmentState) -> &mut starform_contract::model::Web {
    let mut services = shop.services.iter_mut();
    let web = services.find_map(|service| match &mut service.model.workload {
        Workload::Web(web) => Some(web),
        Workload::Private(_) | Workload::Worker(_) | Workload::Cron(_) => None,
    });
    web.expect("the shop has one")
}

fn scale(shop: &mut EnvironmentState) -> &mut starform_contract::model::Scale {
    &mut web(shop).scale
}

fn with_host(shop: &mut EnvironmentState) {
    web(shop).domains.push(Domain {
        host: "shop.test".to_owned(),
        verified: true,
        aliases: Vec::<Alias>::new(),
    });
}

fn open_to_all(shop: &mut EnvironmentState) {
    match &mut shop.services[0].model.workload {
        Workload::Private(catalog) => catalog.allow_from = AllowFrom::Environment,
        Workload::Web(_) | Workload::Worker(_) | Workload::Cron(_) => panic!("it is private"),
    }
}

fn copied(shop: &mut EnvironmentState) {
    let mut other = shop.services[1].clone();
    other.name = service_name("notifier");
    shop.services.push(other);
}

fn destroyed(shop: &mut EnvironmentState) {
    let without = with_volumes(&[]);
    shop.services[0] = without.services[0].clone();
    shop.removed.push(Removed {
        service: service_name("catalog"),
        volume: Some(VolumeName::new("data").unwrap()),
        data: Data::Destroy,
    });
}
