//! Preview environments: what `pr-NUMBER` is, layer by layer.
//! Pure.
//! Read on in the cases `previews-*` of `golden/ui` for what is refused.

use starform_contract::{
    EnvironmentState,
    model::{Scale, Variable, Workload},
    state::DriftPolicy,
};
use starform_dsl::{Bindings, emit};

use crate::project::{project, state};

const SHOP: &str = "project shop {
  environment staging branch=main { drift report; }
  environment production branch=release
  preview from=staging on=pull-request expire=\"3d\"
  var-group shared {
    A base; B base; C base
    in preview { A preview; }
    in staging { A staging; B staging; }
    in production { A production; B production; C production; }
  }
  partial small { image \"a/b:1\"; drain grace=\"5s\"; size cpu=1; scale 9; }
  web api like=small {
    port 80; use shared; drain grace=\"6s\"; size cpu=2; scale 8
    in preview { scale 1; domain #null; }
    in staging { scale 2; size cpu=3; domain \"staging.example.org\"; }
    in production { scale 3; size cpu=4; drain grace=\"7s\"; }
  }
  worker staged like=small { only staging; }
  worker live like=small { only production; }
  worker both like=small { not-in staging; in preview production { scale 4; } }
  worker tried like=small { only preview production; }
  worker kept like=small { not-in preview; }
}";

fn names(state: &EnvironmentState) -> Vec<&str> {
    state.services.iter().map(|s| s.name.as_str()).collect()
}

#[test]
fn a_preview_is_as_its_environment_but_for_what_in_preview_says() {
    let pr = state(SHOP, "pr-7");
    assert_eq!(pr.environment.as_str(), "pr-7");
    assert!(pr.ephemeral && !pr.protect);
    assert_eq!(pr.drift, DriftPolicy::Report);
    assert!(!state(SHOP, "staging").ephemeral);
    let api = &pr.services[0];
    assert_eq!(api.model.size.cpu.to_string(), "3");
    let Workload::Web(web) = &api.model.workload else {
        panic!("{api:?}")
    };
    assert_eq!(web.scale, Scale::fixed(1));
    assert_eq!(web.drain.grace.as_secs(), 6);
    assert!(web.domains.is_empty());
    let text = |key: &str| match &api.model.vars[key] {
        Variable::Literal(text) => text.clone(),
        other => format!("{other:?}"),
    };
    assert_eq!(
        [text("A"), text("B"), text("C")],
        ["preview", "staging", "base"]
    );
    assert_eq!(
        pr.groups.values().next().expect("a group")["A"],
        Variable::Literal("preview".to_owned())
    );
}

#[test]
fn a_preview_has_the_services_of_its_environment_unless_preview_is_named() {
    assert_eq!(names(&state(SHOP, "pr-12")), ["api", "staged", "tried"]);
    assert_eq!(names(&state(SHOP, "staging")), ["api", "kept", "staged"]);
    let live = ["api", "both", "kept", "live", "tried"];
    assert_eq!(names(&state(SHOP, "production")), live);
}

#[test]
fn only_numbers_of_pull_requests_are_previews() {
    let shop = project(SHOP);
    for name in ["preview", "pr-", "pr-x", "pr-07", "pr-0", "other"] {
        let Ok(name) = name.parse() else { continue };
        let said = emit(&shop, &name, &Bindings::first(&shop)).expect_err("no environment");
        assert_eq!(said[0].code.to_string(), "SF3004", "{name}");
    }
    let without = project("project shop { environment e branch=main; }");
    let pr = "pr-7".parse().expect("a name");
    assert!(emit(&without, &pr, &Bindings::first(&without)).is_err());
    assert!(without.preview(&pr).is_none());
}
