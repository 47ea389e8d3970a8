//! Going back to an older generation, and what lies between two: plans of their own kind.
//!
//! Pure.

use starform_contract::{Generation, state::Data};
use starform_plan::{
    AcceptedProject, Proposal, Refusal,
    document::{Finding, FindingSeverity, Plan},
    ids,
    older::{self, NotOlder},
    view,
};

use super::{
    volumes::{removed, with_removed, with_volumes},
    world::{World, environment, shop_id},
};

fn bundle(accepted: &AcceptedProject) -> starform_contract::EnvironmentBundle {
    accepted
        .environment(&environment("production"))
        .unwrap()
        .clone()
}

fn back(world: &World, then: &AcceptedProject) -> Proposal {
    older::back(&world.accepted(shop_id()), then.generation, bundle(then)).unwrap()
}

/// What is said of volumes that come back empty.
fn lost(plan: &Plan) -> Vec<&Finding> {
    let findings = plan.findings.iter();
    findings
        .filter(|finding| finding.code == "SF6122")
        .collect()
}

fn text(plan: &Plan, full: bool) -> String {
    let options = view::TextOptions {
        width: 80,
        color: false,
        full,
    };
    view::text(std::slice::from_ref(plan), &options)
}

#[test]
fn going_back_makes_it_what_it_was() {
    let mut world = World::having(&with_volumes(&[]));
    let first = world.accepted(shop_id());
    let mut newer = with_volumes(&[]);
    newer.services[0].model.image = "ghcr.io/acme/catalog:v9".to_owned();
    world.accept(&world.propose(&newer)).unwrap();
    let to_first = back(&world, &first);
    assert_eq!(
        to_first.plan.source.revision.as_deref(),
        Some("rollback to generation 1")
    );
    assert!(lost(&to_first.plan).is_empty() && ids::hold(&to_first.plan));
    world.accept(&to_first).unwrap();
    let now = world.accepted(shop_id());
    assert_eq!(bundle(&now), bundle(&first));
    assert_eq!(now.generation, Generation::new(3));
    // Where it already is as it was, there is no way back.
    for then in [&first, &now] {
        let refused = older::back(&now, then.generation, bundle(then)).unwrap_err();
        assert!(matches!(refused, NotOlder::IsCurrent { .. }), "{refused}");
        assert!(
            refused
                .to_string()
                .contains("starform history --env production")
        );
    }
    let nothing = AcceptedProject::nothing(now.cluster_id, now.generation);
    let refused = older::back(&nothing, first.generation, bundle(&first)).unwrap_err();
    assert!(matches!(refused, NotOlder::NothingNow(_)), "{refused}");
}

/// Kept volumes come back with their data; what was destroyed comes back empty, and that is told.
#[test]
fn a_volume_whose_disk_is_gone_is_told_of() {
    let mut world = World::having(&with_volumes(&[("data", 10), ("cache", 1)]));
    let first = world.accepted(shop_id());
    world
        .accept(&world.propose(&with_volumes(&[("cache", 1)])))
        .unwrap();
    let kept = back(&world, &first).plan;
    assert_eq!(lost(&kept), Vec::<&Finding>::new(), "its disk is kept");
    let destroy = removed("catalog", Some("data"), Data::Destroy);
    let destroy = world.propose(&with_removed(with_volumes(&[("cache", 1)]), &destroy));
    world.accept(&destroy).unwrap();
    let emptied = back(&world, &first);
    let [finding] = lost(&emptied.plan)[..] else {
        panic!("{:?}", emptied.plan.findings)
    };
    assert_eq!(finding.severity, FindingSeverity::Warning);
    assert!(finding.title.contains("catalog.data"), "{}", finding.title);
    world.accept(&emptied).unwrap();
}

#[test]
fn two_generations_are_compared_both_ways_and_neither_is_accepted() {
    let mut world = World::having(&with_volumes(&[]));
    let first = world.accepted(shop_id());
    let mut newer = with_volumes(&[]);
    newer.services[0].model.image = "ghcr.io/acme/catalog:v9".to_owned();
    let step = world.propose(&newer);
    world.accept(&step).unwrap();
    let second = world.accepted(shop_id());
    let production = environment("production");
    let forth = older::between(&first, &second, &production).unwrap();
    let names = |plan: &Plan| -> Vec<_> {
        plan.services
            .iter()
            .map(|s| (s.name.clone(), s.before.clone(), s.after.clone()))
            .collect()
    };
    assert_eq!(
        names(&forth),
        names(&step.plan),
        "what the plan between them did"
    );
    assert_eq!(forth.objects, step.plan.objects);
    let back = older::between(&second, &first, &production).unwrap();
    let turned: Vec<_> = names(&back)
        .into_iter()
        .map(|(name, a, b)| (name, b, a))
        .collect();
    assert_eq!(turned, names(&forth));
    let disguised = Proposal {
        plan: forth.clone(),
        ..step
    };
    assert!(matches!(world.accept(&disguised), Err(Refusal::Unsound(_))));
    let shown = text(&forth, false);
    assert!(
        shown.starts_with("shop/production  from generation 1 to 2\n"),
        "{shown}"
    );
    assert!(
        shown.contains("starform diff --env production 1 2 --full"),
        "{shown}"
    );
    assert!(
        !shown.contains("starform show"),
        "nobody stored it: {shown}"
    );
    assert!(
        shown.lines().last().unwrap().starts_with("Difference: "),
        "{shown}"
    );
    let same = older::between(&second, &second, &production).unwrap();
    let none = "No difference. shop/production is the same at generations 2 and 2.\n";
    assert_eq!(text(&same, false), none);
    assert_eq!(
        older::between(&first, &second, &environment("elsewhere")),
        None
    );
}
