//! What a person sees.
//!
//! Pure.

use starform_contract::{
    Origins,
    model::{AllowFrom, Variable, Workload},
};
use starform_plan::{
    Proposal,
    view::{TextOptions, text},
};
use std::collections::{BTreeMap, BTreeSet};

use super::world::{Asked, World};
use crate::sample::{self, service_name};

fn show(title: &str, proposals: &[Proposal], width: usize, full: bool) {
    let plans: Vec<_> = proposals.iter().map(|p| p.plan.clone()).collect();
    println!(
        "──────── {title} ({width})\n{}",
        text(
            &plans,
            &TextOptions {
                width,
                color: false,
                full
            }
        )
    );
}

#[test]
fn look() {
    let shop = sample::shop();
    let world = World::having(&shop);
    let mut origins = Origins::default();
    for s in ["catalog", "mailer", "report", "storefront"] {
        origins.0.insert(
            service_name(s),
            BTreeMap::from([
                (String::new(), "starform.kdl:20:3".into()),
                ("image".into(), "starform.kdl:22:5".into()),
                ("scale".into(), "starform.kdl:31:13".into()),
                ("vars.LOG_LEVEL".into(), "starform.kdl:9:5".into()),
            ]),
        );
    }
    let asked = Asked {
        origins,
        revision: Some("9c1e2f7a9c1e2f7a9c1e2f7a9c1e2f7a9c1e2f7a".into()),
        ..Asked::default()
    };
    show(
        "first",
        &[World::new().propose_asked(&shop, &asked)],
        80,
        false,
    );
    show(
        "first",
        &[World::new().propose_asked(&shop, &asked)],
        120,
        false,
    );

    let mut world2 = world.clone();
    world2.profile.gateway.namespace = "gateways".into();
    show("platform", &[world2.propose(&shop)], 80, false);

    let mut next = shop.clone();
    for s in &mut next.services {
        s.model
            .vars
            .insert("LOG_LEVEL".into(), Variable::Literal("debug".into()));
    }
    next.groups
        .values_mut()
        .next()
        .unwrap()
        .insert("LOG_LEVEL".into(), Variable::Literal("debug".into()));
    next.protect = true;
    show("vars", &[world.propose_asked(&next, &asked)], 80, false);

    let mut next = shop.clone();
    let Workload::Private(p) = &mut next.services[0].model.workload else {
        panic!()
    };
    p.allow_from = AllowFrom::Environment;
    p.ports[0].port = 9091;
    next.services[1].model.refs = BTreeSet::from([service_name("nobody")]);
    next.services[3].model.run = vec!["a\u{1b}[31mred\u{202e}".into()];
    next.services[2].model.workload = next.services[1].model.workload.clone();
    show(
        "widen",
        &[world.propose_asked(&next, &asked), world.propose(&shop)],
        80,
        false,
    );
    let mut a2 = asked.clone();
    a2.only = Some(BTreeSet::from([service_name("mailer")]));
    show("only", &[world.propose_asked(&next, &a2)], 80, false);
}
