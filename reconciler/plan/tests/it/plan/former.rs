//! Names of the past: what was carried out may stay in the files, what never was is told of.
//!
//! Pure. The cases in `golden/plans/removal` show the words.

use std::collections::BTreeMap;

use starform_contract::{
    Origins,
    state::{Data, Removed},
};
use starform_plan::{
    Proposal, codes,
    former::{self, Former},
};

use super::{
    accept::without,
    world::{World, shop_id},
};
use crate::sample::{self, service_name};

fn told(world: &World, proposal: &Proposal, was: (&str, &str), removed: &[&str]) -> usize {
    let removed: Vec<Removed> = removed
        .iter()
        .map(|name| Removed {
            service: service_name(name),
            volume: None,
            data: Data::Keep,
        })
        .collect();
    let former = Former {
        was: &BTreeMap::from([(service_name(was.0), service_name(was.1))]),
        removed: &removed,
        origins: &Origins::default(),
    };
    let findings = former::findings(former, &world.accepted(shop_id()), proposal);
    let mut codes = findings.iter().map(|finding| finding.code.as_str());
    assert!(codes.all(|code| code == codes::NEVER_HERE.code));
    findings.len()
}

#[test]
fn what_was_carried_out_may_stay_in_the_files() {
    let mut world = World::having(&without("mailer"));
    world.accept(&world.propose(&sample::shop())).unwrap();
    world.accept(&world.propose(&without("report"))).unwrap();
    // The report is created again and the mailer deleted.
    let mut back = sample::shop();
    back.services
        .retain(|service| service.name.as_str() != "mailer");
    let proposal = world.propose(&back);
    assert_eq!(
        told(&world, &proposal, ("report", "mailer"), &["report"]),
        0
    );
    assert_eq!(told(&world, &proposal, ("report", "mailr"), &["report"]), 1);
    assert_eq!(told(&world, &proposal, ("report", "report"), &["mailr"]), 1);
    // Said goodbye to by its name, its deletion is nobody's mistake.
    let both = ["mailer", "mailr"];
    assert_eq!(told(&world, &proposal, ("report", "mailr"), &both), 0);
    // A service that stands is not made anew by what it says.
    assert_eq!(told(&world, &proposal, ("catalog", "mailr"), &[]), 0);
    // Nothing goes.
    let proposal = world.propose(&without("report"));
    assert_eq!(told(&world, &proposal, ("report", "mailr"), &["mailr"]), 0);
}
