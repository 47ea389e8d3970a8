//! Plans and plan files of every released schema, as they were written then: read for ever, and their
//! versions told.
//!
//! Reads `released/`; these files never change.

use serde_json::Value;
use starform_contract::schema::{Unreadable, read};
use starform_plan::document::{Plan, Plans, ServiceAction};

/// What `starform plan --out` writes.
const PLANS: &str = include_str!("released/plans.v1.json");
/// What a control plane answers for one plan.
const PLAN: &str = include_str!("released/plan.v1.json");

#[test]
fn what_was_released_is_read_and_means_the_same() {
    let plans: Plans = read(PLANS.as_bytes()).unwrap();
    let again: Value = serde_json::to_value(&plans).unwrap();
    assert_eq!(again, serde_json::from_str::<Value>(PLANS).unwrap());
    let plan: Plan = read(PLAN.as_bytes()).unwrap();
    let again: Value = serde_json::to_value(&plan).unwrap();
    assert_eq!(again, serde_json::from_str::<Value>(PLAN).unwrap());
    assert_eq!(plans.plans, std::slice::from_ref(&plan));
    // So that it can still be accepted: its bundles are at hand under their digests, and its ids hold.
    for (digest, bundle) in &plans.bundles {
        assert_eq!(bundle.digest(), *digest);
    }
    let wanted = [&plan.source.result, &plan.source.project_result];
    assert!(
        wanted
            .iter()
            .all(|digest| plans.bundles.contains_key(digest))
    );
    assert!(starform_plan::ids::hold(&plan));
    let actions: Vec<(&str, ServiceAction)> = plan
        .services
        .iter()
        .map(|service| (service.name.as_str(), service.action))
        .collect();
    assert_eq!(
        actions,
        [
            ("report", ServiceAction::Delete),
            ("catalog", ServiceAction::Update),
            ("shopfront", ServiceAction::Update),
        ]
    );
}

#[test]
fn another_version_is_refused_with_the_one_that_is_read() {
    let refused = |text: &str| read::<Plans>(text.as_bytes()).unwrap_err();
    let envelope = PLANS.replacen("starform.plans/v1", "starform.plans/v2", 1);
    assert_eq!(
        refused(&envelope).to_string(),
        "it is of schema `starform.plans/v2`, which a newer Starform wrote, and `starform.plans/v1` is understood here; upgrade the side that reads it"
    );
    assert!(matches!(refused(PLAN), Unreadable::Other { .. }));
    for inner in ["starform.plan", "starform.bundle"] {
        let newer = PLANS.replace(&format!("{inner}/v1"), &format!("{inner}/v2"));
        let said = refused(&newer).to_string();
        let told = format!("it is of schema `{inner}/v2`, which a newer Starform wrote");
        assert!(said.contains(&told) && said.contains("upgrade"), "{said}");
    }
}
