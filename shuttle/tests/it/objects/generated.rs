//! Any environment that the language could come to, rendered for any profile: every object is taken and kept, and every
//! pod keeps to the level that it should.
//!
//! Effects: network; dry-runs in a namespace of its own. Always holds: all kinds that Starform writes are among what was
//! tried. `cargo xtask soak objects` tries many, with a seed that it prints.

use std::{cell::RefCell, collections::BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use proptest::{
    prelude::*,
    test_runner::{Config, RngSeed, TestRunner},
};
use serde_json::{Value, json};
use starform_contract::{ClusterProfile, EnvironmentState, Object};
use starform_plan::render::{Rendered, render};
use starform_shuttle::{
    access::Access,
    kinds::{KINDS, Watch},
};
use tokio::runtime::Runtime;

use super::{
    golden::{goldens, taken},
    pods::{Security, Verdict},
    server::{Run, apply, wrong_of_all},
};
use crate::{
    arbitrary,
    shell_support::{cluster, namespace},
};

#[test]
fn every_object_of_some_environments_is_taken() {
    all_are_taken(Config {
        cases: 24,
        rng_seed: RngSeed::Fixed(20_261_121),
        ..Config::default()
    });
}

/// As `cargo xtask soak objects` runs it: as many as `PROPTEST_CASES` says.
#[test]
#[ignore = "minutes: cargo xtask soak objects"]
fn soak_every_object_of_many_environments_is_taken() {
    let (seed, _) = uuid::Uuid::new_v7(uuid::Timestamp::now(uuid::NoContext)).as_u64_pair();
    println!("objects: seed {seed}");
    all_are_taken(Config {
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    });
}

/// The check can fail: a field that no API has, in any object, is refused and named.
#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_no_api_has_is_refused() {
    let Some(client) = cluster().await else {
        return;
    };
    let space = namespace(&client, "objects-unknown").await;
    let access = Access::of_person(client);
    let manifests = goldens().into_iter().flat_map(|golden| golden.manifests);
    let mut kinds = BTreeSet::new();
    for manifest in manifests {
        if !kinds.insert(manifest["kind"].to_string()) {
            continue;
        }
        let mut other = moved(&manifest, &space);
        taken(&access, &other).await.unwrap();
        other["metadata"]["labelz"] = json!({});
        let refused = taken(&access, &other).await.unwrap_err();
        assert!(refused.contains("labelz"), "{refused}");
    }
    assert!(kinds.len() > 8, "{kinds:?}");
}

/// The other check can fail too: an amount that the server spells in another way.
#[tokio::test(flavor = "multi_thread")]
async fn an_amount_that_is_spelled_otherwise_is_seen() {
    let Some(client) = cluster().await else {
        return;
    };
    let space = namespace(&client, "objects-amount").await;
    let access = Access::of_person(client);
    let limits = |memory: &str| {
        json!({
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "amount", "namespace": space},
            "spec": {"hard": {"requests.memory": memory}},
        })
    };
    taken(&access, &limits("1Gi")).await.unwrap();
    let seen = taken(&access, &limits("1024Mi")).await.unwrap_err();
    assert_eq!(
        seen,
        r#".spec.hard.requests.memory: wrote "1024Mi", is "1Gi""#
    );
    // Once it is kept, it is written as it is kept.
    let kept = apply(&access, &limits("1024Mi"), Run::Real).await.unwrap();
    assert_eq!(kept["spec"]["hard"]["requests.memory"], "1Gi");
}

fn all_are_taken(config: Config) {
    let runtime = Runtime::new().unwrap();
    let started = runtime.block_on(async {
        let client = cluster().await?;
        let space = namespace(&client, "objects").await;
        let security = Security::start(client.clone()).await;
        Some((Access::of_person(client), space, security))
    });
    let Some((access, space, security)) = started else {
        return;
    };
    let (tried, kinds) = (RefCell::new(0), RefCell::new(BTreeSet::new()));
    let config = Config {
        // A failure prints what it is about.
        failure_persistence: None,
        ..config
    };
    let environments = (environment(), profile());
    let ran = TestRunner::new(config).run(&environments, |(state, profile)| {
        let rendered = render(&state, &profile);
        let manifests = manifests(&rendered, &space);
        *tried.borrow_mut() += manifests.len();
        for manifest in &manifests {
            kinds
                .borrow_mut()
                .insert(manifest["kind"].as_str().unwrap().to_owned());
        }
        let asked = wrong_of_all(&manifests, async |manifest| taken(&access, manifest).await);
        let wrong = runtime.block_on(asked);
        prop_assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let wrong = runtime.block_on(security.wrong_of(&rendered.environment));
        prop_assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    });
    ran.unwrap_or_else(|error| panic!("{error}"));
    let verdicts = security.verdicts.take();
    println!("objects: {} taken; pods: {verdicts:?}", tried.borrow());
    // Every verdict that there may be was given.
    let given: Vec<_> = verdicts.into_keys().collect();
    let accepted = |level| (level, Verdict::Accepted);
    let root = ("restricted", Verdict::Refused);
    assert_eq!(given, [accepted("baseline"), accepted("restricted"), root]);
    let all: BTreeSet<String> = KINDS
        .iter()
        .filter(|kind| kind.watch != Watch::Off)
        .map(|kind| kind.kind.to_owned())
        .collect();
    assert_eq!(kinds.into_inner(), all, "a kind that nothing was made of");
}

fn manifests(rendered: &Rendered, space: &str) -> Vec<Value> {
    let Rendered {
        project,
        environment,
    } = rendered;
    project
        .objects
        .iter()
        .chain(environment.all_objects())
        .map(|object| filled(object, moved(&object.manifest, space)))
        .collect()
}

/// With a value where the agent fills one in: one that does for what images are pulled with, too.
fn filled(object: &Object, mut manifest: Value) -> Value {
    for key in object.sealed.keys() {
        manifest["data"][key] = json!(BASE64.encode(r#"{"auths":{}}"#));
    }
    manifest
}

/// In a namespace that exists; the project's own stays what it is.
fn moved(manifest: &Value, space: &str) -> Value {
    let mut moved = manifest.clone();
    if moved["metadata"].get("namespace").is_some() {
        moved["metadata"]["namespace"] = json!(space);
    }
    moved
}

/// Held services too: a plan leaves them as they are, and until then they are rendered as any.
fn environment() -> impl Strategy<Value = EnvironmentState> {
    (arbitrary::state(), any::<bool>()).prop_map(|(mut state, hold)| {
        for service in &mut state.services {
            service.model.hold = hold;
        }
        state
    })
}

/// The defaults, or one that says everything that it can.
fn profile() -> impl Strategy<Value = ClusterProfile> {
    let full = json!({
        "gateway": {
            "name": "edge",
            "namespace": "edge",
            "listener": "https",
            "pods": {"app": "edge"},
        },
        "storage_classes": {
            "fast": {"class": "block-fast", "grows": true, "default": true},
            "slow": {"class": "block"},
        },
        "registry_secret": {"name": "registry"},
        "scraper_namespace": "monitoring",
        "egress": {
            "denied": ["198.51.100.0/24", "2001:db8::/32"],
            "allowed": ["10.20.0.0/24"],
        },
    });
    let full = ClusterProfile::read(&full.to_string()).unwrap();
    prop_oneof![Just(ClusterProfile::default()), Just(full)]
}
