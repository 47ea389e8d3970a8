//! What `(secret)` and `(generate)` become: names and versions, by environment.
//! Pure.
//! Read on in `golden/ui/secrets.kdl` for what is refused.

use std::collections::BTreeMap;

use starform_contract::{
    EnvironmentState, NameEntry, ObjectName, SecretVersions,
    model::Variable,
    secret::{Kept, Versions},
};
use starform_dsl::{Bindings, Project, emit};

use crate::project::project;

const SHOP: &str = "project shop {
  environment staging branch=main
  environment production branch=release
  preview from=staging on=pull-request expire=\"3d\" secrets=stub
  var-group shared {
    LOG info; DSN (secret)sentry-dsn; SALT (generate)bytes32
    in production { DSN (secret)production-dsn; }
  }
  web api { image \"a/b:1\"; port 80; use shared; vars { KEY (secret)stripe-api-key; COOKIE (generate)bytes32; }; }
  worker w { image \"a/b:1\"; use shared; vars { DSN none; SALT #null; }; }
}";

fn versions(newest: u64, since: Option<u64>) -> Versions {
    Versions { newest, since }
}

fn kept() -> SecretVersions {
    let environment = |secrets: &[(&str, Versions)]| {
        let named = secrets
            .iter()
            .map(|(name, versions)| ((*name).to_owned(), *versions));
        named.collect::<BTreeMap<_, _>>()
    };
    SecretVersions::Kept(Kept {
        floor: 0,
        environments: BTreeMap::from([
            (
                "staging".parse().expect("a name"),
                environment(&[
                    ("stripe-api-key", versions(7, Some(5))),
                    ("sentry-dsn", versions(2, Some(1))),
                ]),
            ),
            (
                "production".parse().expect("a name"),
                environment(&[("stripe-api-key", versions(3, None))]),
            ),
        ]),
        cluster: BTreeMap::new(),
    })
}

fn state(project: &Project, environment: &str, secrets: SecretVersions) -> EnvironmentState {
    let bindings = Bindings {
        secrets,
        ..Bindings::first(project)
    };
    emit(project, &environment.parse().expect("a name"), &bindings)
        .expect("it is declared")
        .state
}

/// `secret@version`, `secret@version of group`, `secret@version in environment`, or the text.
fn said(variable: &Variable) -> String {
    match variable {
        Variable::Literal(text) => text.clone(),
        Variable::Secret {
            secret,
            version,
            group,
            environment,
        } => {
            let group = group
                .as_ref()
                .map(|group| format!(" of {group}"))
                .unwrap_or_default();
            let of = environment
                .as_ref()
                .map(|of| format!(" in {of}"))
                .unwrap_or_default();
            format!("{secret}@{version}{group}{of}")
        }
    }
}

fn vars(state: &EnvironmentState, service: &str) -> Vec<String> {
    let found = state
        .services
        .iter()
        .find(|found| found.name.as_str() == service)
        .expect("it is declared");
    let vars = found.model.vars.iter();
    vars.map(|(key, variable)| format!("{key}={}", said(variable)))
        .collect()
}

fn group(state: &EnvironmentState) -> Vec<String> {
    let group = state.groups.values().next().expect("it is declared").iter();
    group
        .map(|(key, variable)| format!("{key}={}", said(variable)))
        .collect()
}

#[test]
fn a_secret_is_the_newest_version_of_its_own_environment() {
    let project = project(SHOP);
    let staging = state(&project, "staging", kept());
    assert_eq!(
        vars(&staging, "api"),
        [
            "COOKIE=generated.api.COOKIE@1",
            "DSN=sentry-dsn@2 of shared",
            "KEY=stripe-api-key@7",
            "LOG=info",
            "SALT=generated.group.shared.SALT@1 of shared",
        ]
    );
    // What the service says itself wins, and comes from no group.
    assert_eq!(vars(&staging, "w"), ["DSN=none", "LOG=info"]);
    assert_eq!(
        group(&staging),
        [
            "DSN=sentry-dsn@2 of shared",
            "LOG=info",
            "SALT=generated.group.shared.SALT@1 of shared"
        ]
    );
}

#[test]
fn a_secret_without_a_value_has_the_version_that_its_value_will_have() {
    let project = project(SHOP);
    let production = state(&project, "production", kept());
    // Removed after version 3, and never set.
    assert!(vars(&production, "api").contains(&"KEY=stripe-api-key@4".to_owned()));
    assert!(vars(&production, "api").contains(&"DSN=production-dsn@1 of shared".to_owned()));
    let unasked = state(&project, "production", SecretVersions::Unasked);
    assert!(vars(&unasked, "api").contains(&"KEY=stripe-api-key@1".to_owned()));
}

#[test]
fn a_generated_value_stays_with_the_service_when_it_is_renamed() {
    let renamed = SHOP.replace("web api {", "web shop-api was=api {");
    let project = project(&renamed);
    let first = Bindings::first(&project);
    let names: Vec<NameEntry> = first
        .names
        .iter()
        .map(|entry| match entry.name.as_str() {
            "shop-api" => NameEntry {
                object_name: ObjectName::new("api").expect("a name"),
                ..entry.clone()
            },
            _ => entry.clone(),
        })
        .collect();
    let bindings = Bindings { names, ..first };
    let state = emit(&project, &"staging".parse().expect("a name"), &bindings)
        .expect("it is declared")
        .state;
    assert!(vars(&state, "shop-api").contains(&"COOKIE=generated.api.COOKIE@1".to_owned()));
}

#[test]
fn a_preview_has_stubs_unless_it_inherits() {
    let stubbed = state(&project(SHOP), "pr-7", kept());
    assert_eq!(
        vars(&stubbed, "api"),
        [
            "COOKIE=generated.api.COOKIE@1",
            "DSN=stub-sentry-dsn",
            "KEY=stub-stripe-api-key",
            "LOG=info",
            "SALT=generated.group.shared.SALT@1 of shared",
        ]
    );
    let inherits = SHOP.replace("secrets=stub", "secrets=inherit");
    let inherited = state(&project(&inherits), "pr-7", kept());
    assert_eq!(
        vars(&inherited, "api"),
        [
            // What is generated is made for each environment by itself.
            "COOKIE=generated.api.COOKIE@1",
            "DSN=sentry-dsn@2 of shared in staging",
            "KEY=stripe-api-key@7 in staging",
            "LOG=info",
            "SALT=generated.group.shared.SALT@1 of shared",
        ]
    );
}
