//! What a person sees: every scenario on a page of 80 columns, some wider, in colour, or in full.
//!
//! Pure. Expected pages stand in `snapshots/`; `INSTA_UPDATE=always` rewrites them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use starform_contract::{
    Deletion, EnvironmentState, Object, ObjectKey, Origins, ServiceEntry,
    bundle::Wave,
    model::{AllowFrom, Variable, Workload},
};
use starform_plan::{
    document::Plan,
    propose::{Proposal, ProposeInput, propose},
    render::Rendered,
    view::{TextOptions, github, text, values},
};

use super::world::{Asked, World, environment, shop_id};
use crate::sample::{self, service_name};

/// A page of plans, by name.
type Scenario = (&'static str, Vec<Plan>);

fn scenarios() -> Vec<Scenario> {
    let shop = sample::shop();
    let world = World::having(&shop);
    let next = |change: &dyn Fn(&mut EnvironmentState)| {
        let mut next = shop.clone();
        change(&mut next);
        vec![world.propose_asked(&next, &asked()).plan]
    };
    vec![
        ("nothing", vec![world.propose(&shop).plan]),
        (
            "first",
            vec![World::new().propose_asked(&shop, &asked()).plan],
        ),
        (
            "image",
            next(&|shop| shop.services[3].model.image = LONG_IMAGE.to_owned()),
        ),
        ("variable", next(&everywhere)),
        ("widening", next(&wider)),
        ("removal", next(&|shop| drop(shop.services.remove(1)))),
        (
            "kind",
            next(&|shop| shop.services[2].model.workload = shop.services[1].model.workload.clone()),
        ),
        (
            "missing",
            next(&|shop| {
                shop.services[1].model.refs = BTreeSet::from([service_name("nobody")]);
            }),
        ),
        ("deceit", next(&deceiving)),
        ("lines", lines()),
        ("held", held()),
        ("platform", platform()),
        ("environments", environments()),
        ("rare", rare()),
    ]
}

const LONG_IMAGE: &str = "registry.example/acme/storefront@sha256:0f9e8d7c6b5a49382716051423324150";

#[test]
fn pages_of_80_columns() {
    for (name, plans) in scenarios() {
        insta::assert_snapshot!(format!("{name}_80"), page(&plans, 80, false, false));
    }
}

#[test]
fn wide_pages_pages_in_colour_and_in_full() {
    for (name, plans) in scenarios() {
        match name {
            "first" | "image" => {
                insta::assert_snapshot!(format!("{name}_120"), page(&plans, 120, false, false));
                let painted = page(&plans, 80, true, false).replace('\u{1b}', "␛");
                insta::assert_snapshot!(format!("{name}_80_colour"), painted);
            }
            "kind" | "rare" => {
                insta::assert_snapshot!(format!("{name}_100_full"), page(&plans, 100, false, true));
            }
            _ => {}
        }
    }
}

#[test]
fn the_summary_is_the_last_line_and_says_exactly_this() {
    let mut seen = 0;
    for (name, plans) in scenarios() {
        let shown = page(&plans, 80, false, false);
        let expected = match name {
            "nothing" => "No changes. shop/production matches.",
            "image" => "Plan: 0 to create, 1 to update, 0 to replace, 0 to delete · 1 rollout",
            "removal" => "Plan: 0 to create, 0 to update, 0 to replace, 4 to delete · 0 rollouts",
            _ => continue,
        };
        assert_eq!(shown.lines().last(), Some(expected));
        seen += 1;
    }
    assert_eq!(seen, 3);
}

fn page(plans: &[Plan], width: usize, color: bool, full: bool) -> String {
    text(plans, &TextOptions { width, color, full })
}

/// The places of a file as the language would give them.
fn asked() -> Asked {
    let mut origins = Origins::default();
    for (n, name) in (1..).zip(["catalog", "mailer", "report", "storefront"]) {
        let places = [
            ("", format!("starform.kdl:{n}0:3")),
            ("image", format!("starform.kdl:{n}1:5")),
            ("scale", format!("starform.kdl:{n}4:5")),
            ("vars.LOG_LEVEL", "starform.kdl:6:5".to_owned()),
        ];
        let places = places.map(|(path, place)| (path.to_owned(), place));
        origins.0.insert(service_name(name), BTreeMap::from(places));
    }
    Asked {
        origins,
        revision: Some("9c1e2f7ab03c4d5e6f708192a3b4c5d6e7f80912".to_owned()),
        ..Asked::default()
    }
}

/// A variable of a group that three services use, and a protected environment.
fn everywhere(shop: &mut EnvironmentState) {
    let debug = || Variable::Literal("debug".to_owned());
    for service in &mut shop.services {
        service.model.vars.insert("LOG_LEVEL".to_owned(), debug());
    }
    for group in shop.groups.values_mut() {
        group.insert("LOG_LEVEL".to_owned(), debug());
    }
    shop.protect = true;
}

fn wider(shop: &mut EnvironmentState) {
    if let Workload::Private(private) = &mut shop.services[0].model.workload {
        private.allow_from = AllowFrom::Environment;
    }
    if let Workload::Web(web) = &mut shop.services[3].model.workload {
        web.domains[1].verified = true;
    }
}

/// Texts that would move the cursor, reverse the line, hide, or look like words of the view.
fn deceiving(shop: &mut EnvironmentState) {
    let vars = &mut shop.services[1].model.vars;
    for (key, text) in [
        ("CLEAR", "\u{1b}[2Jgone"),
        ("MASK", "(secret unchanged)"),
        ("REVERSE", "\u{202e}nimda"),
        ("HIDDEN", "ad\u{200b}min"),
        ("RETURN", "safe\rbad"),
    ] {
        vars.insert(key.to_owned(), Variable::Literal(text.to_owned()));
    }
}

fn lines() -> Vec<Plan> {
    let with = |text: &str| {
        let mut shop = sample::shop();
        let vars = &mut shop.services[1].model.vars;
        vars.insert("CONFIG".to_owned(), Variable::Literal(text.to_owned()));
        shop
    };
    let before = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n";
    let after = "one\ntwo\nthree\nfour\n5\nsix\nseven\neight";
    vec![
        World::having(&with(before))
            .propose_asked(&with(after), &asked())
            .plan,
    ]
}

fn held() -> Vec<Plan> {
    let mut next = sample::shop();
    next.services.remove(0);
    next.services[0].model.image = "ghcr.io/acme/mailer:v2".to_owned();
    next.services[1].model.image = "ghcr.io/acme/report:v2".to_owned();
    let only = Some(BTreeSet::from([service_name("mailer")]));
    let asked = Asked { only, ..asked() };
    vec![
        World::having(&sample::shop())
            .propose_asked(&next, &asked)
            .plan,
    ]
}

fn platform() -> Vec<Plan> {
    let mut world = World::having(&sample::shop());
    world.profile.gateway.name = "other".to_owned();
    let mut rendered = world.render(&sample::shop());
    for service in &mut rendered.environment.services {
        change(service, "Deployment", |manifest| {
            manifest["spec"]["template"]["spec"]["schedulerName"] = json!("packing");
        });
    }
    vec![proposed(&world, rendered, &BTreeSet::new()).plan]
}

/// The same change in two environments.
fn environments() -> Vec<Plan> {
    let named = |name: &str, image: &str| {
        let mut shop = sample::shop();
        shop.environment = environment(name);
        if let Workload::Web(web) = &mut shop.services[3].model.workload {
            web.domains.clear();
        }
        shop.services[1].model.image = format!("ghcr.io/acme/mailer:{image}");
        shop.services[3].model.image = format!("ghcr.io/acme/storefront:{image}");
        shop
    };
    let mut world = World::having(&named("production", "v1"));
    let staging = world.propose(&named("staging", "v1"));
    world.accept(&staging).unwrap();
    ["production", "staging"]
        .map(|name| world.propose_asked(&named(name, "v2"), &asked()).plan)
        .to_vec()
}

/// Replaced, kept with its data, adopted, root.
fn rare() -> Vec<Plan> {
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "mailer--production--data", "namespace": "sf-shop-3470807c"},
    });
    let mut world = World::new();
    let mut rendered = world.render(&sample::shop());
    let claim = Object::new(claim, Wave(2), Deletion::Retain);
    rendered.environment.services[1].objects.insert(0, claim);
    rendered.environment.services.remove(0);
    let with_claim = proposed(&world, rendered, &BTreeSet::new());
    world.accept(&with_claim).unwrap();
    let mut rendered = world.render(&sample::shop());
    let services = &mut rendered.environment.services;
    change(&mut services[1], "Deployment", |manifest| {
        manifest["spec"]["selector"]["matchLabels"]["shard"] = json!("1");
    });
    change(&mut services[2], "CronJob", |manifest| {
        let pod = &mut manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"];
        pod["securityContext"]["runAsNonRoot"] = json!(false);
    });
    let adopt = "apps/Deployment/sf-shop-3470807c/catalog--production";
    let adopt = BTreeSet::from([adopt.parse().unwrap()]);
    vec![proposed(&world, rendered, &adopt).plan]
}

fn proposed(world: &World, rendered: Rendered, adopt: &BTreeSet<ObjectKey>) -> Proposal {
    propose(ProposeInput {
        accepted: &world.accepted(shop_id()),
        project: rendered.project,
        environment: rendered.environment,
        origins: &Origins::default(),
        revision: None,
        only: None,
        adopt,
        again: &BTreeSet::new(),
        removed: &[],
    })
}

fn change(entry: &mut ServiceEntry, kind: &str, change: impl FnOnce(&mut Value)) {
    let mut objects = entry.objects.iter_mut();
    let Some(object) = objects.find(|object| object.manifest["kind"] == kind) else {
        return;
    };
    let mut manifest = object.manifest.clone();
    change(&mut manifest);
    *object = Object::new(manifest, object.wave, object.deletion);
}

#[test]
fn what_looks_like_another_text_is_written_out() {
    for (text, shown) in [
        ("e\u{301}", "\"e\\u{301}\""),
        ("a\u{20dd}", "\"a\\u{20dd}\""),
        ("a\u{1ab0}\u{fe20}", "\"a\\u{1ab0}\\u{fe20}\""),
        ("\u{1112}\u{1161}", "\"\\u{1112}\\u{1161}\""),
        ("\u{212b}\u{37e}", "\"\\u{212b}\\u{37e}\""),
        ("\u{d55c} é Å", "\"\u{d55c} é Å\""),
    ] {
        assert_eq!(values::inline(&Value::from(text)), shown);
    }
}

#[test]
fn a_path_that_is_no_pointer_is_written_out_too() {
    assert_eq!(values::words("x\u{1b}[2J"), "x\\u{1b}[2J");
    assert_eq!(values::name("a  b"), "\"a  b\"");
}

/// A code host shows ten of a kind, and nobody learns of the others.
#[test]
fn annotations_say_how_many_are_not_shown() {
    let plan = World::new().propose(&sample::shop()).plan;
    let shown = github(&vec![plan; 14], "");
    let notices: Vec<&str> = shown
        .lines()
        .filter(|line| line.starts_with("::notice "))
        .collect();
    assert_eq!(notices.len(), 10, "{shown}");
    assert!(
        notices[9].ends_with("::5 more of notice are not shown here"),
        "{shown}"
    );
    for kind in ["::warning ", "::error "] {
        assert!(shown.lines().filter(|line| line.starts_with(kind)).count() <= 10);
    }
}
