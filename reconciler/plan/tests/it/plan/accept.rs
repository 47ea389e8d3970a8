//! Accepting: what is stale, what is merged, what is refused, what may be deleted.
//!
//! Pure.

use std::collections::BTreeSet;

use serde_json::json;
use starform_contract::{
    Bundle, Deletion, EnvironmentState, Generation, Object, ObjectKey,
    bundle::Wave,
    model::{AllowFrom, Scale, Variable, Workload},
};
use starform_plan::{
    Proposal, ProposeInput, Refusal, accept,
    document::{Action, Owner},
    ids,
    propose::propose,
};

use super::world::{Asked, World, environment, shop_id};
use crate::sample::{self, service_name};

#[test]
fn two_environments_planned_from_nothing_go_one_after_the_other() {
    let (production, staging) = (sample::shop(), without_domains("staging"));
    let mut world = World::new();
    let plans = [world.propose(&staging), world.propose(&production)];
    for proposal in &plans {
        assert!(touches(proposal, "Namespace"));
        assert!(world.accept(proposal).unwrap());
    }
    for state in [&production, &staging] {
        assert!(world.propose(state).plan.is_empty());
    }
    let names = world.accepted(shop_id()).names().to_vec();
    assert!(names.iter().all(|entry| !entry.retired), "{names:?}");
}

#[test]
fn a_plan_after_another_about_the_same_service_is_stale_and_says_how() {
    let mut world = World::having(&sample::shop());
    let to_twenty = world.propose(&scaled(20));
    world.accept(&world.propose(&scaled(15))).unwrap();
    let refusal = world.accept(&to_twenty).unwrap_err();
    let text = refusal.to_string();
    assert!(matches!(refusal, Refusal::Stale(_)), "{text}");
    assert!(text.contains("service storefront"), "{text}");
    assert!(
        text.contains("scale.max: approved 12 → 20, now 15 → 20"),
        "{text}"
    );
}

#[test]
fn a_plan_is_stale_when_its_service_is_gone() {
    let mut world = World::having(&sample::shop());
    let to_twenty = world.propose(&scaled(20));
    world
        .accept(&world.propose(&without("storefront")))
        .unwrap();
    let text = world.accept(&to_twenty).unwrap_err().to_string();
    assert!(
        text.contains("image: approved no change, now nothing → \"ghcr.io/acme/storefront:v1\""),
        "{text}"
    );
}

#[test]
fn a_plan_after_an_unrelated_one_goes_through_and_keeps_both() {
    let mut world = World::having(&sample::shop());
    let to_twenty = world.propose(&scaled(20));
    let mut other = sample::shop();
    other.services[1].model.image = "ghcr.io/acme/mailer:v2".to_owned();
    world.accept(&world.propose(&other)).unwrap();
    world.accept(&to_twenty).unwrap();
    let mut both = scaled(20);
    both.services[1].model.image = "ghcr.io/acme/mailer:v2".to_owned();
    assert!(world.propose(&both).plan.is_empty());
}

#[test]
fn a_setting_that_moved_is_stale_too() {
    let with = |tier: &str| {
        let mut state = sample::shop();
        tier.clone_into(&mut state.tier);
        state.services.clear();
        state.groups.clear();
        state
    };
    let mut world = World::having(&with("standard"));
    let to_large = world.propose(&with("large"));
    world.accept(&world.propose(&with("small"))).unwrap();
    let text = world.accept(&to_large).unwrap_err().to_string();
    assert!(
        text.contains("tier: approved \"standard\" → \"large\", now \"small\" → \"large\""),
        "{text}"
    );
}

#[test]
fn a_group_that_another_plan_changed_is_stale_without_a_value() {
    let with = |level: &str| {
        let mut state = sample::shop();
        let group = state.groups.values_mut().next().unwrap();
        group.insert("LOG_LEVEL".to_owned(), Variable::Literal(level.to_owned()));
        state
    };
    let mut world = World::having(&with("info"));
    let to_debug = world.propose(&with("debug"));
    world.accept(&world.propose(&with("warning"))).unwrap();
    let text = world.accept(&to_debug).unwrap_err().to_string();
    assert!(
        text.ends_with("starform-vg-shared--production has changed since the plan was made: another plan changed the same of it"),
        "{text}"
    );
}

#[test]
fn a_plan_is_accepted_once() {
    let shop = sample::shop();
    let mut world = World::having(&shop);
    let proposal = world.propose(&scaled(20));
    assert!(world.accept(&proposal).unwrap());
    assert!(!world.accept(&proposal).unwrap(), "nothing is left to do");
    world.accept(&world.propose(&shop)).unwrap();
    let refusal = world.accept(&proposal).unwrap_err();
    assert_eq!(refusal, Refusal::Used(proposal.plan.plan_id));
}

#[test]
fn a_reference_whose_target_another_plan_removed_is_refused() {
    let mut world = World::having(&sample::shop());
    let mut referring = sample::shop();
    referring.services[1].model.refs = BTreeSet::from([service_name("report")]);
    let adds_reference = world.propose(&referring);
    assert_eq!(adds_reference.plan.blocking_findings().count(), 0);
    world.accept(&world.propose(&without("report"))).unwrap();
    let refusal = world.accept(&adds_reference).unwrap_err();
    let Refusal::CrossCheck(findings) = refusal else {
        panic!("{refusal}")
    };
    assert_eq!(
        findings[0].title,
        "mailer refers to report, but production would have no service report; add report there or drop the reference"
    );
}

#[test]
fn admitting_a_service_that_is_not_there_blocks_the_plan() {
    let mut world = World::new();
    let mut state = without("storefront");
    let catalog = &mut state.services[0];
    let Workload::Private(private) = &mut catalog.model.workload else {
        panic!("the catalog is private")
    };
    private.allow_from = AllowFrom::Services(BTreeSet::from([service_name("nobody")]));
    let proposal = world.propose(&state);
    let refusal = world.accept(&proposal).unwrap_err();
    assert!(matches!(refusal, Refusal::Blocked(_)), "{refusal}");
    assert!(
        refusal.to_string().contains("catalog admits nobody"),
        "{refusal}"
    );
}

#[test]
fn one_host_belongs_to_one_service_of_a_project() {
    let mut world = World::having(&without_domains("production"));
    let mut staging = shop_for("staging");
    let proposal = world.propose(&staging);
    assert_eq!(proposal.plan.blocking_findings().count(), 0);
    world.accept(&world.propose(&sample::shop())).unwrap();
    let refusal = world.accept(&proposal).unwrap_err();
    assert!(matches!(refusal, Refusal::CrossCheck(_)), "{refusal}");
    assert!(
        refusal.to_string().contains("the host shop.example"),
        "{refusal}"
    );
    staging
        .services
        .retain(|service| service.name.as_str() != "storefront");
    staging.services[0].model.workload = sample::shop().services[1].model.workload.clone();
    assert_eq!(world.propose(&staging).plan.findings, vec![]);
}

#[test]
fn exactly_what_the_plan_deletes_may_be_deleted() {
    let mut world = World::having(&sample::shop());
    let proposal = world.propose(&without("mailer"));
    world.accept(&proposal).unwrap();
    let listed: BTreeSet<ObjectKey> = proposal
        .plan
        .objects
        .iter()
        .filter(|change| change.action == Action::Delete)
        .map(|change| change.key.clone())
        .collect();
    assert_eq!(listed.len(), 4, "{listed:?}");
    let accepted = &world.index.projects[&shop_id()].accepted;
    assert_eq!(accepted.len(), 2, "the earlier entry is carried forward");
    assert_eq!(accepted[1].plan_id, proposal.plan.plan_id);
    assert_eq!(accepted[1].consent.delete, listed);
    assert_eq!(accepted[1].generation, world.index.generation);
    assert!(world.index.digest_holds());
}

#[test]
fn a_claim_with_data_is_kept_and_never_listed_for_deletion() {
    let mut world = World::having(&sample::shop());
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "mailer--production--data", "namespace": "sf-shop-3470807c"},
    });
    let claim = Object::new(claim, Wave(2), Deletion::Retain);
    let with_claim = |mut proposal: starform_plan::render::Rendered| {
        proposal.environment.services[1]
            .objects
            .insert(0, claim.clone());
        proposal
    };
    let rendered = with_claim(world.render(&sample::shop()));
    let add = from_bundles(&world, rendered);
    world.accept(&add).unwrap();
    let remove = world.propose(&without("mailer"));
    let change = remove
        .plan
        .objects
        .iter()
        .find(|c| c.key.kind == "PersistentVolumeClaim");
    assert_eq!(change.unwrap().action, Action::Retain);
    assert_eq!(remove.plan.summary.objects.retain, 1);
    let consent = accept::consent(
        &remove.plan,
        &world.accepted(shop_id()),
        &remove.environment,
    );
    assert!(consent.destroy.is_empty());
    assert!(
        consent
            .delete
            .iter()
            .all(|key| key.kind != "PersistentVolumeClaim")
    );
}

#[test]
fn a_proposal_that_was_tampered_with_is_refused() {
    let mut world = World::having(&sample::shop());
    let honest = world.propose(&scaled(20));
    let mut tampered: Vec<(&str, Proposal)> = Vec::new();
    let mut with = |what, change: &dyn Fn(&mut Proposal)| {
        let mut proposal = honest.clone();
        change(&mut proposal);
        tampered.push((what, proposal));
    };
    with("a manifest", &|p| {
        p.environment.services[0].objects[0].manifest["evil"] = json!(true);
    });
    with("a manifest beside the changed one", &|p| {
        let storefront = p.environment.services.last_mut().unwrap();
        let untouched = storefront.objects.first_mut().unwrap();
        untouched.manifest["evil"] = json!(true);
        let (name, digest) = (storefront.name.clone(), storefront.digest());
        let changes = p.plan.services.iter_mut();
        for change in changes.filter(|change| change.name == name) {
            change.after = Some(digest.clone());
        }
        p.plan.source.result = p.environment.digest();
        p.plan.effect_id = ids::effect(&p.plan);
        p.plan.plan_id = ids::plan(&p.plan);
    });
    with("a list of changes", &|p| drop(p.plan.objects.pop()));
    with("a parent", &|p| {
        p.plan.source.parent_generation = Generation::new(9)
    });
    with("another environment", &|p| {
        p.plan.environment = environment("staging")
    });
    with("a protection", &|p| p.environment.protect = true);
    for (what, proposal) in tampered {
        let refusal = world.accept(&proposal).unwrap_err();
        assert!(matches!(refusal, Refusal::Unsound(_)), "{what}: {refusal}");
    }
}

#[test]
fn a_finished_report_clears_its_environment_up_to_its_generation() {
    let mut world = World::having(&without_domains("production"));
    world
        .accept(&world.propose(&without_domains("staging")))
        .unwrap();
    world.accept(&world.propose(&sample::shop())).unwrap();
    let mut entry = world.index.projects[&shop_id()].clone();
    accept::clear_finished(&mut entry, &environment("production"), Generation::new(2));
    let left: Vec<(&str, u64)> = entry
        .accepted
        .iter()
        .map(|accepted| (accepted.environment.as_str(), accepted.generation.number()))
        .collect();
    assert_eq!(left, [("staging", 2), ("production", 3)]);
}

/// Another RoleBinding than the applier's does not wait for the Namespace.
#[test]
fn of_what_is_done_only_a_projects_end_is_carried_on() {
    let world = World::having(&sample::shop());
    let mut entry = world.index.projects[&shop_id()].clone();
    let binding = |name: &str| -> ObjectKey {
        let key = format!("rbac.authorization.k8s.io/RoleBinding/sf-shop-3470807c/{name}");
        key.parse().unwrap()
    };
    let namespace: ObjectKey = "core/Namespace/sf-shop-3470807c".parse().unwrap();
    let end = BTreeSet::from([namespace, binding("starform-applier")]);
    entry.accepted[0].consent.delete = end.iter().cloned().chain([binding("other")]).collect();
    accept::clear_finished(&mut entry, &environment("production"), Generation::new(1));
    assert_eq!(entry.accepted[0].consent.delete, end);
}

#[test]
fn a_service_chosen_alone_leaves_the_others_as_they_are_accepted() {
    let mut world = World::having(&sample::shop());
    let mut next = scaled(20);
    next.services[1].model.image = "ghcr.io/acme/mailer:v2".to_owned();
    next.services.remove(0);
    if let Workload::Web(web) = &mut next.services[2].model.workload {
        web.scale = Scale::fixed(4);
    }
    let asked = Asked {
        only: Some(BTreeSet::from([service_name("storefront")])),
        ..Asked::default()
    };
    let proposal = world.propose_asked(&next, &asked);
    let held: Vec<&str> = proposal
        .plan
        .services
        .iter()
        .filter(|service| service.held)
        .map(|service| service.name.as_str())
        .collect();
    assert_eq!(held, ["catalog", "mailer"]);
    assert_eq!(proposal.plan.summary.services.held, 2);
    let keys = proposal.plan.objects.iter().map(|change| &change.owner);
    assert!(
        keys.into_iter()
            .all(|owner| *owner == Owner::Service(service_name("storefront")))
    );
    world.accept(&proposal).unwrap();
    let accepted = world.accepted(shop_id());
    let production = accepted.environment(&environment("production")).unwrap();
    assert_eq!(production.services.len(), 4);
}

#[test]
fn adopting_is_consented_to_and_an_idle_wish_is_said() {
    let mut world = World::new();
    let key = |name: &str| -> ObjectKey {
        format!("apps/Deployment/sf-shop-3470807c/{name}")
            .parse()
            .unwrap()
    };
    let asked = Asked {
        adopt: BTreeSet::from([key("mailer--production"), key("nobody")]),
        ..Asked::default()
    };
    let proposal = world.propose_asked(&without_domains("production"), &asked);
    assert_eq!(proposal.plan.summary.objects.adopt, 1);
    assert_eq!(proposal.plan.findings.len(), 1);
    assert!(proposal.plan.findings[0].title.contains("nobody"));
    world.accept(&proposal).unwrap();
    let consent = &world.index.projects[&shop_id()].accepted[0].consent;
    assert_eq!(consent.adopt, BTreeSet::from([key("mailer--production")]));
}

#[test]
fn an_index_that_names_a_lost_bundle_says_which() {
    let mut world = World::having(&sample::shop());
    world
        .bundles
        .retain(|_, bundle| matches!(bundle, Bundle::Project(_)));
    let missing = starform_plan::AcceptedProject::from_index(&world.index, shop_id(), |digest| {
        world.bundles.get(digest).cloned()
    });
    let text = missing.unwrap_err().to_string();
    assert!(text.contains("environment production"), "{text}");
}

fn shop_for(name: &str) -> EnvironmentState {
    let mut state = sample::shop();
    state.environment = environment(name);
    state
}

pub(super) fn without_domains(name: &str) -> EnvironmentState {
    let mut state = sample::shop();
    state.environment = environment(name);
    for service in &mut state.services {
        if let Workload::Web(web) = &mut service.model.workload {
            web.domains.clear();
        }
    }
    state
}

pub(super) fn without(name: &str) -> EnvironmentState {
    let mut state = sample::shop();
    state
        .services
        .retain(|service| service.name.as_str() != name);
    for service in &mut state.services {
        if let Workload::Private(private) = &mut service.model.workload
            && name == "storefront"
        {
            private.allow_from = AllowFrom::Environment;
        }
    }
    state
}

/// The storefront's greatest number of pods.
fn scaled(max: u32) -> EnvironmentState {
    let mut state = sample::shop();
    if let Workload::Web(web) = &mut state.services[3].model.workload {
        web.scale.max = max;
    }
    state
}

fn from_bundles(world: &World, rendered: starform_plan::render::Rendered) -> Proposal {
    propose(ProposeInput {
        accepted: &world.accepted(shop_id()),
        project: rendered.project,
        environment: rendered.environment,
        origins: &starform_contract::Origins::default(),
        revision: None,
        only: None,
        adopt: &BTreeSet::new(),
        again: &BTreeSet::new(),
        removed: &[],
    })
}

pub(super) fn touches(proposal: &Proposal, kind: &str) -> bool {
    proposal
        .plan
        .objects
        .iter()
        .any(|change| change.key.kind == kind)
}
