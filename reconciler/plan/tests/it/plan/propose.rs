//! What a plan says about one change of a small shop: words, places, effect, risk, owner, order.
//!
//! Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use starform_contract::{
    EnvironmentState, Origins,
    model::{AllowFrom, RunAs, Scale, Variable, Workload},
};
use starform_plan::{
    document::{Action, Effect, ObjectChange, Owner, Plan, Risk, SecretChange, ServiceChange},
    propose::{Proposal, ProposeInput, propose},
    render::Rendered,
    view::{TextOptions, text},
};

use super::world::{Asked, World, shop_id};
use crate::sample::{self, service_name};

#[test]
fn one_image_is_one_update_of_one_deployment() {
    let plan = changed(|shop| shop.services[3].model.image = "ghcr.io/acme/storefront:v2".into());
    assert_eq!(plan.objects.len(), 1);
    assert_eq!(plan.objects[0].key.kind, "Deployment");
    assert_eq!(plan.objects[0].risk, Risk::Rollout);
    assert_eq!(plan.summary.objects.update, 1);
    assert_eq!(plan.summary.rollouts, 1);
    let fields: Vec<&str> = plan.objects[0]
        .fields
        .iter()
        .map(|field| field.path.as_str())
        .collect();
    assert_eq!(fields, ["/spec/template/spec/containers/0/image"]);
    let service = only_service(&plan);
    assert_eq!(service.effect, Effect::Rollout);
    let words = [(
        "image",
        json!("ghcr.io/acme/storefront:v1"),
        json!("ghcr.io/acme/storefront:v2"),
    )];
    assert_eq!(told(service), words.map(|(p, b, a)| (p.to_owned(), b, a)));
}

#[test]
fn a_change_is_told_by_its_path_and_the_place_that_set_it() {
    let mut next = sample::shop();
    let storefront = &mut next.services[3].model;
    storefront.vars.remove("PRICE");
    storefront
        .vars
        .insert("LOG_LEVEL".into(), Variable::Literal("debug".into()));
    if let Workload::Web(web) = &mut storefront.workload {
        web.scale.max = 20;
        web.ports[0].port = 8081;
        web.domains.remove(1);
    }
    let places = [
        ("", "starform.kdl:10:3"),
        ("scale", "starform.kdl:31:5"),
        ("vars.LOG_LEVEL", "starform.kdl:4:5"),
        ("ports[http]", "starform.kdl:12:5"),
    ];
    let places = places.map(|(path, place)| (path.to_owned(), place.to_owned()));
    let origins = Origins(BTreeMap::from([(
        service_name("storefront"),
        BTreeMap::from(places),
    )]));
    let asked = Asked {
        origins,
        ..Asked::default()
    };
    let plan = World::having(&sample::shop())
        .propose_asked(&next, &asked)
        .plan;
    let told: Vec<(&str, Option<&str>)> = only_service(&plan)
        .changes
        .iter()
        .map(|change| (change.path.as_str(), change.at.as_deref()))
        .collect();
    let node = Some("starform.kdl:10:3");
    let expected = [
        ("domains[new.example].verified", node),
        ("ports[http].port", Some("starform.kdl:12:5")),
        ("scale.max", Some("starform.kdl:31:5")),
        ("vars.LOG_LEVEL", Some("starform.kdl:4:5")),
        ("vars.PRICE", node),
    ];
    assert_eq!(told, expected);
}

#[test]
fn the_order_of_ports_has_a_meaning_and_is_told() {
    let mut two = sample::shop();
    let Workload::Web(web) = &mut two.services[3].model.workload else {
        panic!("the storefront is a web service")
    };
    let mut admin = web.ports[0].clone();
    admin.name = "admin".parse().unwrap();
    admin.port = 9000;
    web.ports.push(admin);
    let mut turned = two.clone();
    if let Workload::Web(web) = &mut turned.services[3].model.workload {
        web.ports.reverse();
    }
    let plan = World::having(&two).propose(&turned).plan;
    let expected = [(
        "ports".to_owned(),
        json!(["http", "admin"]),
        json!(["admin", "http"]),
    )];
    assert_eq!(told(only_service(&plan)), expected);
}

#[test]
fn risks_and_effects_are_those_of_the_change() {
    let shop = sample::shop();
    let cases: Vec<(&str, EnvironmentState, Risk, Effect)> = vec![
        (
            "more pods",
            with(&shop, 1, |w| scale(w, 5)),
            Risk::Update,
            Effect::Configure,
        ),
        (
            "new variable",
            variable(&shop, 1),
            Risk::Rollout,
            Effect::Rollout,
        ),
        (
            "new host",
            with(&shop, 3, verify),
            Risk::Widen,
            Effect::Configure,
        ),
        (
            "wider admission",
            with(&shop, 0, admit_all),
            Risk::Widen,
            Effect::Configure,
        ),
        (
            "narrower admission",
            with(&shop, 0, admit_none),
            Risk::Update,
            Effect::Configure,
        ),
        (
            "other kind",
            with(&shop, 2, |w| *w = shop.services[1].model.workload.clone()),
            Risk::Delete,
            Effect::Start,
        ),
        ("reference alone", refer(&shop), Risk::Update, Effect::None),
    ];
    let world = World::having(&shop);
    for (what, next, risk, effect) in cases {
        let plan = world.propose(&next).plan;
        let service = only_service(&plan);
        assert_eq!((service.risk, service.effect), (risk, effect), "{what}");
        assert_eq!(plan.summary.risk, risk, "{what}");
    }
}

#[test]
fn a_plan_says_that_a_service_may_run_as_root() {
    let mut next = sample::shop();
    next.services[1].model.run_as = RunAs::Root;
    let plan = World::having(&sample::shop()).propose(&next).plan;
    let mailer = only_service(&plan);
    assert_eq!((mailer.risk, mailer.effect), (Risk::Widen, Effect::Rollout));
    let page = text(
        std::slice::from_ref(&plan),
        &TextOptions {
            width: 100,
            color: false,
            full: false,
        },
    );
    assert!(
        page.contains("gains rights in Deployment mailer--production: root"),
        "{page}"
    );
}

#[test]
fn a_pod_that_may_be_root_is_a_widening_whether_new_or_not() {
    let world = World::having(&sample::shop());
    let root = |rendered: &mut Rendered| {
        let mailer = &mut rendered.environment.services[1];
        replace(mailer, "Deployment", |manifest| {
            manifest["spec"]["template"]["spec"]["securityContext"]["runAsUser"] = json!(0);
        });
    };
    let updated = altered(&world, &sample::shop(), root);
    assert_eq!(updated.plan.summary.risk, Risk::Widen);
    let mut empty = World::new();
    let created = altered(&empty, &sample::shop(), root);
    let mailer = created
        .plan
        .services
        .iter()
        .find(|s| s.name.as_str() == "mailer");
    assert_eq!(mailer.unwrap().risk, Risk::Widen);
    empty.accept(&created).unwrap();
    let again = altered(&empty, &sample::shop(), |rendered| {
        root(rendered);
        replace(
            &mut rendered.environment.services[1],
            "Deployment",
            |manifest| {
                manifest["spec"]["replicas"] = json!(7);
            },
        );
    });
    assert_eq!(again.plan.summary.risk, Risk::Update, "it was root before");
}

#[test]
fn what_cannot_change_in_place_is_replaced_by_consent() {
    let mut world = World::having(&sample::shop());
    let proposal = altered(&world, &sample::shop(), |rendered| {
        let mailer = &mut rendered.environment.services[1];
        replace(mailer, "Deployment", |manifest| {
            manifest["spec"]["selector"]["matchLabels"]["more"] = json!("yes");
        });
    });
    let change = &proposal.plan.objects[0];
    assert_eq!(
        (change.action, change.risk),
        (Action::Replace, Risk::Replace)
    );
    assert_eq!(proposal.plan.summary.objects.replace, 1);
    assert_eq!(proposal.plan.summary.rollouts, 1);
    let key = change.key.clone();
    world.accept(&proposal).unwrap();
    let accepted = &world.index.projects[&shop_id()].accepted[1];
    assert_eq!(accepted.consent.replace, BTreeSet::from([key]));
}

#[test]
fn a_changed_profile_is_the_platforms_doing() {
    let mut world = World::having(&sample::shop());
    world.profile.gateway.name = "other".to_owned();
    let plan = world.propose(&sample::shop()).plan;
    assert!(!plan.is_empty());
    assert!(
        plan.objects
            .iter()
            .all(|change| change.owner == Owner::Platform)
    );
    let services: Vec<&ServiceChange> = plan.services.iter().collect();
    assert_eq!(services.len(), 1);
    assert_eq!(services[0].changes, vec![]);
    assert!(!services[0].objects.is_empty());
}

#[test]
fn a_changed_tier_is_the_environments_doing() {
    let plan = changed(|shop| "large".clone_into(&mut shop.tier));
    let of_services = plan
        .objects
        .iter()
        .filter(|change| change.owner == Owner::Environment);
    assert!(of_services.count() > 4);
    assert!(
        plan.objects
            .iter()
            .all(|change| change.owner != Owner::Platform)
    );
    let paths: Vec<&str> = plan
        .settings
        .iter()
        .map(|change| change.path.as_str())
        .collect();
    assert_eq!(paths, ["tier", "project.tier"]);
}

#[test]
fn protection_alone_is_a_change_without_objects() {
    let plan = changed(|shop| shop.protect = true);
    assert!(plan.objects.is_empty() && plan.services.is_empty());
    assert!(!plan.is_empty());
    assert_eq!(plan.summary.risk, Risk::Update);
}

#[test]
fn content_of_a_secret_is_words_and_its_values_are_nowhere() {
    let plan = changed(|shop| {
        let group = shop.groups.values_mut().next().unwrap();
        group.insert("LOG_LEVEL".into(), Variable::Literal("debug".into()));
        group.insert("NEW".into(), Variable::Literal("word".into()));
        group.remove("TOKEN");
    });
    let secret = plan
        .objects
        .iter()
        .find(|change| change.key.kind == "Secret")
        .unwrap();
    assert_eq!(secret.owner, Owner::Environment);
    let words: Vec<(&str, SecretChange)> = secret
        .fields
        .iter()
        .filter_map(|field| Some((field.path.as_str(), field.secret?)))
        .collect();
    let expected = [
        ("/data/LOG_LEVEL", SecretChange::Changed),
        ("/data/NEW", SecretChange::Added),
        ("/data/TOKEN", SecretChange::Removed),
    ];
    assert_eq!(words, expected);
    let values = |field: &starform_plan::document::FieldChange| {
        field.secret.is_some() && (field.before.is_some() || field.after.is_some())
    };
    assert!(!secret.fields.iter().any(values));
}

#[test]
fn the_order_is_by_risk_and_then_by_wave() {
    let mut next = sample::shop();
    next.services.remove(1);
    next.services[1].model.image = "ghcr.io/acme/report:v2".into();
    next.services[2].model.image = "ghcr.io/acme/storefront:v2".into();
    if let Workload::Web(web) = &mut next.services[2].model.workload {
        verify_web(web);
    }
    let plan = World::having(&sample::shop()).propose(&next).plan;
    let risks: Vec<Risk> = plan.objects.iter().map(|change| change.risk).collect();
    assert!(risks.is_sorted_by(|a, b| a >= b), "{risks:?}");
    let names: Vec<&str> = plan
        .services
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    assert_eq!(names, ["mailer", "storefront", "report"]);
    let deleted = plan
        .objects
        .iter()
        .filter(|change| change.action == Action::Delete);
    let kinds: Vec<&str> = deleted.map(|change| change.key.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "ServiceAccount",
            "NetworkPolicy",
            "Deployment",
            "PodDisruptionBudget"
        ]
    );
}

fn changed(change: impl FnOnce(&mut EnvironmentState)) -> Plan {
    let shop = sample::shop();
    let mut next = shop.clone();
    change(&mut next);
    World::having(&shop).propose(&next).plan
}

fn with(
    shop: &EnvironmentState,
    service: usize,
    change: impl FnOnce(&mut Workload),
) -> EnvironmentState {
    let mut next = shop.clone();
    change(&mut next.services[service].model.workload);
    next
}

fn variable(shop: &EnvironmentState, service: usize) -> EnvironmentState {
    let mut next = shop.clone();
    let vars = &mut next.services[service].model.vars;
    vars.insert("NEW".into(), Variable::Literal("1".into()));
    next
}

fn refer(shop: &EnvironmentState) -> EnvironmentState {
    let mut next = shop.clone();
    next.services[1].model.refs = BTreeSet::from([service_name("catalog")]);
    next
}

fn scale(workload: &mut Workload, pods: u32) {
    if let Workload::Worker(worker) = workload {
        worker.scale = Scale::fixed(pods);
    }
}

fn verify(workload: &mut Workload) {
    if let Workload::Web(web) = workload {
        verify_web(web);
    }
}

fn verify_web(web: &mut starform_contract::model::Web) {
    web.domains[1].verified = true;
}

fn admit_all(workload: &mut Workload) {
    if let Workload::Private(private) = workload {
        private.allow_from = AllowFrom::Environment;
    }
}

fn admit_none(workload: &mut Workload) {
    if let Workload::Private(private) = workload {
        private.allow_from = AllowFrom::Services(BTreeSet::new());
    }
}

/// A proposal whose rendered bundles were changed by hand.
pub(super) fn altered(
    world: &World,
    state: &EnvironmentState,
    change: impl FnOnce(&mut Rendered),
) -> Proposal {
    let mut rendered = world.render(state);
    change(&mut rendered);
    propose(ProposeInput {
        accepted: &world.accepted(state.project_id),
        project: rendered.project,
        environment: rendered.environment,
        origins: &Origins::default(),
        revision: None,
        only: None,
        adopt: &BTreeSet::new(),
        again: &BTreeSet::new(),
        removed: &state.removed,
    })
}

pub(super) fn replace(
    entry: &mut starform_contract::ServiceEntry,
    kind: &str,
    change: impl FnOnce(&mut Value),
) {
    let is_it = |object: &&mut starform_contract::Object| object.manifest["kind"] == kind;
    let object = entry.objects.iter_mut().find(is_it).unwrap();
    let mut manifest = object.manifest.clone();
    change(&mut manifest);
    *object = starform_contract::Object::new(manifest, object.wave, object.deletion);
}

fn only_service(plan: &Plan) -> &ServiceChange {
    let [service] = plan.services.as_slice() else {
        panic!("one service: {:?}", plan.services)
    };
    let keys: Vec<_> = plan
        .objects
        .iter()
        .map(|change: &ObjectChange| &change.key)
        .collect();
    assert_eq!(service.objects.iter().collect::<Vec<_>>(), keys);
    service
}

fn told(service: &ServiceChange) -> Vec<(String, Value, Value)> {
    service
        .changes
        .iter()
        .map(|change| {
            let side = |side: &Option<Value>| side.clone().unwrap_or_default();
            (
                change.path.clone(),
                side(&change.before),
                side(&change.after),
            )
        })
        .collect()
}
