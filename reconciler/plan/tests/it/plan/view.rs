//! What a person sees.
//!
//! Pure.

use starform_contract::model::{Variable, Workload};
use starform_plan::view::{TextOptions, text};

use super::world::World;
use crate::sample;

#[test]
fn look() {
    let shop = sample::shop();
    let world = World::having(&shop);
    let mut next = shop.clone();
    next.services[3].model.image = "ghcr.io/acme/storefront:v2".into();
    if let Workload::Web(web) = &mut next.services[3].model.workload {
        web.scale.max = 20;
        web.domains[1].verified = true;
    }
    next.services[3].model.vars.insert(
        "BANNER".into(),
        Variable::Literal("line one\nline two\nthree\n".into()),
    );
    next.services.remove(1);
    for width in [80, 120] {
        let options = TextOptions {
            width,
            color: false,
            full: false,
        };
        println!("{}", text(&[World::new().propose(&shop).plan], &options));
        println!("{}", text(&[world.propose(&next).plan], &options));
        println!("{}", text(&[world.propose(&shop).plan], &options));
    }
    let options = TextOptions {
        width: 100,
        color: false,
        full: true,
    };
    println!("{}", text(&[world.propose(&next).plan], &options));
}
