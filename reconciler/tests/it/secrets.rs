//! Secrets through the API and the store: versions rise, values are under keys of a file, and only the
//! cluster that needs a value gets it, sealed to its agent.

use axum::http::Method;
use serde_json::{Value, json};
use starform_contract::{
    Bundle, Index, ObjectKey, SecretValue,
    sealed::{AgentKey, SealedFor, SealedRequest, SealedValues},
    signature::{Signed as _, verify_digest},
};
use starform_plan::document::Plans;
use starform_reconciler::{
    api::body::{Items, Secret},
    vault::SecretKeys,
};

use crate::{
    fixture::index,
    world::{Place, Reply, World, on_both, secret_keys},
};

const CANARY: &str = "canary-Yq7-swordfish";

const SHOP: &str = "project shop {
  environment production branch=main
  worker api { image \"a/b:1\"; vars { KEY (secret)stripe-api-key; COOKIE (generate)bytes32; }; }
  worker other { image \"a/b:1\"; }
}";

fn path(place: &Place, name: &str) -> String {
    let project = place.project.id;
    format!("/v1/projects/{project}/environments/production/secrets{name}")
}

async fn set(world: &World, place: &Place, name: &str, value: &str) -> Reply {
    let body = json!({"value": value});
    let path = path(place, &format!("/{name}"));
    world
        .ask(Method::PUT, Some(&world.admin), &path, &[], &body)
        .await
}

async fn remove(world: &World, place: &Place, name: &str) -> Reply {
    let path = path(place, &format!("/{name}"));
    world
        .ask(Method::DELETE, Some(&world.admin), &path, &[], &Value::Null)
        .await
}

async fn listed(world: &World, place: &Place) -> Vec<(String, u64, u64)> {
    let all: Items<Secret> = world.get(&world.admin, &path(place, "")).await.expect(200);
    let all = all.items.into_iter();
    all.map(|secret| (secret.name, secret.version, secret.since))
        .collect()
}

async fn planned(world: &World, place: &Place, text: &str) -> Plans {
    let body = json!({"source": {"files": {"starform.kdl": text}}});
    let path = format!("/v1/projects/{}/plans", place.project.id);
    world.post(&world.admin, &path, &body).await.expect(201)
}

async fn apply(world: &World, plans: &Plans) -> Reply {
    let path = format!("/v1/plans/{}/apply", plans.plans[0].plan_id);
    world.post(&world.admin, &path, &json!({})).await
}

/// As the agent's only instance.
async fn as_agent(
    world: &World,
    place: &Place,
    method: Method,
    to: &str,
    body: &impl serde::Serialize,
) -> Reply {
    let path = format!("/v1/clusters/{}/{to}", place.cluster);
    let headers = [("starform-agent-instance", "a")];
    world
        .ask(method, Some(&place.agent), &path, &headers, body)
        .await
}

/// The environment's bundle in force, as something to ask the values of `api--production` with.
async fn asked(world: &World, place: &Place) -> (SealedRequest, Bundle) {
    let index = index(world, place).await;
    let digest = index.projects[&place.project.id]
        .environments
        .values()
        .next()
        .unwrap()
        .clone();
    let reply = world
        .agent(place, "a", &format!("bundles/{digest}"), &[])
        .await;
    let object = ObjectKey::new(
        "",
        "Secret",
        Some(&place.project.namespace),
        "api--production",
    );
    (
        SealedRequest {
            bundle: digest,
            object,
        },
        reply.expect(200),
    )
}

/// What the answer holds, opened with the key.
fn opened(
    key: &AgentKey,
    place: &Place,
    asked: &(SealedRequest, Bundle),
    answer: &SealedValues,
) -> Vec<String> {
    let (request, bundle) = asked;
    let object = bundle
        .objects()
        .find(|object| object.key().as_ref() == Some(&request.object))
        .unwrap();
    object
        .sealed
        .iter()
        .map(|(name, reference)| {
            let to = SealedFor {
                cluster: place.cluster,
                object: &request.object,
                key: name,
                reference,
            };
            let value = key.open(to, &answer.values[name]).unwrap();
            String::from_utf8(value.expose().to_vec()).unwrap()
        })
        .collect()
}

on_both! {
    async fn versions_rise_and_are_never_used_twice(world: World) {
        let place = world.place("shop").await;
        assert_eq!(listed(&world, &place).await, []);
        for version in 1..=3 {
            let secret: Secret = set(&world, &place, "stripe-api-key", CANARY).await.expect(200);
            assert_eq!((secret.version, secret.since), (version, 1));
            assert_eq!(secret.set_by.as_deref(), Some(world.admin.id().as_str()));
        }
        assert_eq!(listed(&world, &place).await, [("stripe-api-key".to_owned(), 3, 1)]);
        assert_eq!(remove(&world, &place, "stripe-api-key").await.status, 204);
        assert_eq!(listed(&world, &place).await, []);
        remove(&world, &place, "stripe-api-key").await.problem(404, "not-found");
        let again: Secret = set(&world, &place, "stripe-api-key", CANARY).await.expect(200);
        assert_eq!((again.version, again.since), (4, 4));
    }

    async fn a_restored_store_gives_no_version_that_it_may_have_forgotten(world: World) {
        let place = world.place("shop").await;
        for name in ["kept", "removed"] {
            set(&world, &place, name, CANARY).await.expect::<Secret>(200);
        }
        assert_eq!(remove(&world, &place, "removed").await.status, 204);
        let says = [("starform-agent-generation", "41")];
        let _: Index = world.agent(&place, "a", "desired-state", &says).await.expect(200);
        let reset = format!("/v1/clusters/{}/reset-generation", place.cluster);
        world.post(&world.admin, &reset, &Value::Null).await.expect::<Value>(200);
        // What the store still has stays as it is.
        assert_eq!(listed(&world, &place).await, [("kept".to_owned(), 1, 1)]);
        let text = SHOP.replace("stripe-api-key", "kept");
        let told = serde_json::to_string(&planned(&world, &place, &text).await).unwrap();
        assert!(told.contains(r#""secret":"kept","version":1}"#), "{told}");
        assert!(told.contains(r#""version":1000001}"#), "{told}");
        for (name, since) in [("kept", 1), ("removed", 1_000_001), ("forgotten", 1_000_001)] {
            let secret: Secret = set(&world, &place, name, CANARY).await.expect(200);
            assert_eq!((secret.version, secret.since), (1_000_001, since), "{name}");
        }
        world.post(&world.admin, &reset, &Value::Null).await.expect::<Value>(200);
        let secret: Secret = set(&world, &place, "kept", CANARY).await.expect(200);
        assert_eq!((secret.version, secret.since), (2_000_001, 1));
    }

    async fn one_request_sets_one_version_however_often_it_arrives(world: World) {
        let place = world.place("shop").await;
        let body = json!({"value": CANARY});
        let to = path(&place, "/token");
        let headers = [("idempotency-key", "k")];
        for _ in 0..2 {
            let reply = world.ask(Method::PUT, Some(&world.admin), &to, &headers, &body).await;
            assert_eq!(reply.expect::<Secret>(200).version, 1);
        }
        let other = path(&place, "/other");
        world.ask(Method::PUT, Some(&world.admin), &other, &headers, &body).await.problem(422, "idempotency-key-reused");
    }

    async fn a_repeated_request_says_what_it_made_and_drops_no_other_value(world: World) {
        let place = world.place("shop").await;
        let to = path(&place, "/token");
        let headers = [("idempotency-key", "k")];
        let put = |value: &str| {
            let (body, admin) = (json!({"value": value}), Some(&world.admin));
            let (world, to) = (&world, &to);
            async move { world.ask(Method::PUT, admin, to, &headers, &body).await }
        };
        assert_eq!(put(CANARY).await.expect::<Secret>(200).version, 1);
        assert_eq!(set(&world, &place, "token", "marlin-x7").await.expect::<Secret>(200).version, 2);
        assert_eq!(put(CANARY).await.expect::<Secret>(200).version, 1);
        let reused = put("marlin-x7").await;
        reused.problem(422, "idempotency-key-reused");
        assert!(!reused.text.contains("marlin"), "{}", reused.text);
        // Nothing is left to compare with: it cannot be the request that was answered.
        assert_eq!(remove(&world, &place, "token").await.status, 204);
        put(CANARY).await.problem(422, "idempotency-key-reused");
        assert_eq!(listed(&world, &place).await, []);
    }

    async fn equal_requests_that_race_set_one_version(world: World) {
        let place = world.place("shop").await;
        let twin = world.twin().await;
        let to = path(&place, "/token");
        let body = json!({"value": CANARY});
        let racers = (0..8).map(|n| {
            let from = if n % 2 == 0 { &world } else { &twin };
            from.ask(Method::PUT, Some(&world.admin), &to, &[("idempotency-key", "k")], &body)
        });
        for reply in futures::future::join_all(racers).await {
            assert_eq!(reply.expect::<Secret>(200).version, 1);
        }
    }

    async fn a_value_that_was_taken_is_kept_or_removed_whoever_races(world: World) {
        let place = world.place("shop").await;
        let twin = world.twin().await;
        set(&world, &place, "token", CANARY).await.expect::<Secret>(200);
        for _ in 0..20 {
            let (set_one, removed, set_other) = tokio::join!(
                set(&world, &place, "token", "one"),
                remove(&twin, &place, "token"),
                set(&twin, &place, "token", "other"),
            );
            let newest = [set_one, set_other].map(|reply| reply.expect::<Secret>(200).version);
            assert!([204, 404].contains(&removed.status.as_u16()), "{}", removed.text);
            // Where the removal came last nothing is kept; where it did not, the newest is.
            let kept = listed(&world, &place).await;
            assert!(kept.iter().all(|(_, version, _)| newest.contains(version)), "{kept:?}");
            let again = remove(&world, &place, "token").await;
            assert_eq!(again.status.as_u16(), if kept.is_empty() { 404 } else { 204 }, "{}", again.text);
        }
    }

    async fn of_racing_first_posts_of_one_agents_key_all_succeed(world: World) {
        let place = world.place("shop").await;
        let twin = world.twin().await;
        assert_eq!(as_agent(&world, &place, Method::GET, "desired-state", &Value::Null).await.status, 200);
        let body = json!({"public_key": AgentKey::new(&[1; 32]).public().to_string()});
        let racers = (0..8).map(|n| as_agent(if n % 2 == 0 { &world } else { &twin }, &place, Method::PUT, "key", &body));
        for reply in futures::future::join_all(racers).await {
            assert_eq!(reply.status, 204, "{}", reply.text);
        }
    }

    async fn no_error_repeats_a_value(world: World) {
        let place = world.place("shop").await;
        let to = path(&place, "/token");
        for body in [
            json!(CANARY), json!({"value": [CANARY]}), json!({"value": CANARY, "other": CANARY}), json!({CANARY: 1}),
            json!({"value": format!("{CANARY}\0")}), json!({"value": CANARY.repeat(5000)}), json!({"value": ""}),
        ] {
            let reply = world.ask(Method::PUT, Some(&world.admin), &to, &[], &body).await;
            assert!(reply.status.is_client_error(), "{}", reply.status);
            assert!(!reply.text.contains(CANARY), "{}", reply.text);
        }
        set(&world, &place, "No_Name", CANARY).await.problem(422, "invalid-secret-name");
        set(&world, &place, "generated.api.COOKIE", CANARY).await.problem(422, "invalid-secret-name");
        assert_eq!(listed(&world, &place).await, []);
    }

    async fn a_plan_needs_the_values_and_says_versions(world: World) {
        let place = world.place("shop").await;
        let plans = planned(&world, &place, SHOP).await;
        let finding = &plans.plans[0].findings[0];
        assert_eq!(finding.code, "SF6108");
        assert!(finding.title.contains("secret stripe-api-key (of api) has no value in production"), "{}", finding.title);
        assert_eq!(finding.at.as_deref(), Some("starform.kdl:3:38"));
        apply(&world, &plans).await.problem(403, "plan-blocked");
        set(&world, &place, "stripe-api-key", CANARY).await.expect::<Secret>(200);
        let plans = planned(&world, &place, SHOP).await;
        assert_eq!(plans.plans[0].findings, []);
        assert_eq!(apply(&world, &plans).await.status, 202);
        // Removing what is accepted is refused; a newer version is a change of the one service.
        let problem = remove(&world, &place, "stripe-api-key").await.problem(409, "secret-in-use");
        assert!(problem.detail.contains("api--production of production"), "{}", problem.detail);
        set(&world, &place, "stripe-api-key", "another").await.expect::<Secret>(200);
        let plan = &planned(&world, &place, SHOP).await.plans[0];
        let changed: Vec<&str> = plan.services.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(changed, ["api"]);
        assert_eq!(plan.services[0].changes[0].before.as_ref().unwrap()["version"], 1);
        assert_eq!(plan.services[0].changes[0].after.as_ref().unwrap()["version"], 2);
    }

    async fn a_value_that_is_removed_before_the_apply_stops_it(world: World) {
        let place = world.place("shop").await;
        set(&world, &place, "stripe-api-key", CANARY).await.expect::<Secret>(200);
        let plans = planned(&world, &place, SHOP).await;
        assert_eq!(remove(&world, &place, "stripe-api-key").await.status, 204);
        let problem = apply(&world, &plans).await.problem(409, "plan-conflict");
        assert!(problem.detail.contains("stripe-api-key"), "{}", problem.detail);
    }

    async fn an_agent_gets_its_values_sealed_to_the_key_it_posted_first(world: World) {
        let place = world.place("shop").await;
        let stranger = world.place("blog").await;
        set(&world, &place, "stripe-api-key", CANARY).await.expect::<Secret>(200);
        assert_eq!(apply(&world, &planned(&world, &place, SHOP).await).await.status, 202);
        let asked = asked(&world, &place).await;
        as_agent(&world, &place, Method::POST, "sealed", &asked.0).await.problem(409, "no-agent-key");
        let (key, other) = (AgentKey::new(&[1; 32]), AgentKey::new(&[2; 32]));
        let post = |key: &AgentKey| json!({"public_key": key.public().to_string()});
        for _ in 0..2 {
            assert_eq!(as_agent(&world, &place, Method::PUT, "key", &post(&key)).await.status, 204);
        }
        let changed = as_agent(&world, &place, Method::PUT, "key", &post(&other)).await.problem(409, "agent-key-changed");
        assert!(changed.detail.contains("starform cluster forget-key"), "{}", changed.detail);
        let answer: SealedValues = as_agent(&world, &place, Method::POST, "sealed", &asked.0).await.expect(200);
        assert!(answer.are_for(place.cluster, &asked.0.object, &answer.references));
        let signed = verify_digest(&world.keys.trusted(), &answer.digest(), answer.signature.as_ref());
        assert_eq!(signed, Ok(()));
        let values = opened(&key, &place, &asked, &answer);
        assert_eq!((values[0].len(), values[1].as_str()), (43, CANARY));
        // What was generated stays; what is sealed is never the same twice.
        let again: SealedValues = as_agent(&world, &place, Method::POST, "sealed", &asked.0).await.expect(200);
        assert_ne!(answer, again);
        assert_eq!(opened(&key, &place, &asked, &again), values);
        assert!(listed(&world, &place).await.contains(&("generated.api.COOKIE".to_owned(), 1, 1)));
        // Another cluster's agent gets nothing of it, nor this one of an object without secrets.
        let foreign = as_agent(&world, &stranger, Method::PUT, "key", &post(&other)).await;
        assert_eq!(foreign.status, 204);
        as_agent(&world, &stranger, Method::POST, "sealed", &asked.0).await.problem(404, "not-found");
        let nothing = SealedRequest { object: "core/Secret/default/none".parse().unwrap(), ..asked.0.clone() };
        as_agent(&world, &place, Method::POST, "sealed", &nothing).await.problem(404, "not-found");
        // A bundle that is in force no more opens nothing more.
        set(&world, &place, "stripe-api-key", "another").await.expect::<Secret>(200);
        assert_eq!(apply(&world, &planned(&world, &place, SHOP).await).await.status, 202);
        as_agent(&world, &place, Method::POST, "sealed", &asked.0).await.problem(404, "not-found");
        // The operator lets the agent have a new key.
        let forget = format!("/v1/clusters/{}/key", place.cluster);
        assert_eq!(world.ask(Method::DELETE, Some(&world.admin), &forget, &[], &Value::Null).await.status, 204);
        assert_eq!(as_agent(&world, &place, Method::PUT, "key", &post(&other)).await.status, 204);
    }

    async fn what_images_are_pulled_with_is_the_operators_and_reaches_every_project(world: World) {
        let place = world.place("shop").await;
        let settings = format!("/v1/clusters/{}/settings", place.cluster);
        let profile = json!({"profile": {"registry_secret": {"name": "registry"}}});
        let reply = world.ask(Method::PATCH, Some(&world.admin), &settings, &[], &profile).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let text = "project shop { environment production branch=main; worker api { image \"a/b:1\"; }; }";
        let plans = planned(&world, &place, text).await;
        let [finding] = plans.plans[0].findings.as_slice() else { panic!("{:?}", plans.plans[0].findings) };
        assert_eq!(finding.code, "SF6108");
        assert!(finding.title.contains("`starform secret set registry --cluster`"), "{}", finding.title);
        apply(&world, &plans).await.problem(403, "plan-blocked");
        let to = format!("/v1/clusters/{}/secrets/registry", place.cluster);
        let put = |value: String| {
            let (world, to) = (&world, &to);
            async move { world.ask(Method::PUT, Some(&world.admin), to, &[], &json!({"value": value})).await }
        };
        let wrong = put(CANARY.to_owned()).await;
        assert!(!wrong.text.contains(CANARY), "{}", wrong.text);
        wrong.problem(422, "invalid-secret");
        let config = |password: &str| {
            json!({"auths": {"registry.example": {"username": "robot", "password": password}}}).to_string()
        };
        put(config(CANARY)).await.expect::<Secret>(200);
        let plans = planned(&world, &place, text).await;
        assert_eq!(plans.plans[0].findings, []);
        assert_eq!(apply(&world, &plans).await.status, 202);
        // The agent gets it for the project's own Secret, and for nothing of an environment.
        let key = AgentKey::new(&[1; 32]);
        let post = json!({"public_key": key.public().to_string()});
        assert_eq!(as_agent(&world, &place, Method::PUT, "key", &post).await.status, 204);
        let digest = index(&world, &place).await.projects[&place.project.id].bundle.clone();
        let reply = world.agent(&place, "a", &format!("bundles/{digest}"), &[]).await;
        let object = ObjectKey::new("", "Secret", Some(&place.project.namespace), "starform-registry");
        let asked = (SealedRequest { bundle: digest, object }, reply.expect::<Bundle>(200));
        let answer: SealedValues = as_agent(&world, &place, Method::POST, "sealed", &asked.0).await.expect(200);
        assert_eq!(opened(&key, &place, &asked, &answer), [config(CANARY)]);
        // A newer value is the next plan's, as one object of the platform, and replaces no pod.
        put(config("another")).await.expect::<Secret>(200);
        let plan = &planned(&world, &place, text).await.plans[0];
        let changed: Vec<String> = plan.objects.iter().map(|change| change.key.to_string()).collect();
        assert_eq!(changed, [format!("core/Secret/{}/starform-registry", place.project.namespace)]);
        assert_eq!((plan.summary.rollouts, plan.services.len()), (0, 0));
        let refused = world.ask(Method::DELETE, Some(&world.admin), &to, &[], &Value::Null).await;
        let problem = refused.problem(409, "secret-in-use");
        assert!(problem.detail.contains("take it out of the cluster's profile"), "{}", problem.detail);
    }

    async fn the_key_of_the_file_changes_and_values_stay(world: World) {
        let place = world.place("shop").await;
        set(&world, &place, "stripe-api-key", CANARY).await.expect::<Secret>(200);
        assert_eq!(apply(&world, &planned(&world, &place, SHOP).await).await.status, 202);
        let (request, _) = asked(&world, &place).await;
        let line = |id: &str, letter: &str| format!("{id}:{}=", letter.repeat(43));
        let both = format!("{}\ns-test:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=", line("s-new", "A"));
        let both = SecretKeys::parse(&both).unwrap();
        let new = SecretKeys::parse(&line("s-new", "A")).unwrap();
        let lacking = |keys: Option<&SecretKeys>| {
            let keys = keys.cloned();
            let store = world.store.clone();
            async move { store.lacking_secret_key(keys.as_ref()).await.unwrap() }
        };
        assert_eq!(lacking(Some(&secret_keys())).await, None);
        assert_eq!(lacking(Some(&new)).await.as_deref(), Some("s-test"));
        assert_eq!(lacking(None).await.as_deref(), Some("s-test"));
        for values in [1, 0] {
            let rewrapped = world.store.rewrap_secrets(&both).await.unwrap();
            assert_eq!((rewrapped.values, rewrapped.damaged), (values, vec![]));
        }
        assert_eq!(lacking(Some(&new)).await, None);
        let now = starform_reconciler::time::Timestamp::now();
        let needed = world.store.needed_values(&new, place.cluster, &request.bundle, &request.object, now).await.unwrap();
        let starform_reconciler::store::Needed::Values(needed) = needed else { panic!("no values") };
        assert!(needed.iter().any(|needed| needed.value == SecretValue::new(CANARY.as_bytes().to_vec())));
    }

    async fn a_damaged_value_stops_no_change_of_keys(world: World) {
        let place = world.place("shop").await;
        for name in ["a", "b", "c"] {
            set(&world, &place, name, CANARY).await.expect::<Secret>(200);
        }
        world.damage_secret("b").await;
        let new = format!("s-new:{}=", "A".repeat(43));
        let both = format!("{new}\ns-test:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=");
        let both = SecretKeys::parse(&both).unwrap();
        let damaged = format!("environment/{}/production/b", place.project.id);
        for values in [2, 0] {
            let rewrapped = world.store.rewrap_secrets(&both).await.unwrap();
            assert_eq!((rewrapped.values, rewrapped.damaged), (values, vec![damaged.clone()]));
        }
        let new = SecretKeys::parse(&new).unwrap();
        assert_eq!(world.store.lacking_secret_key(Some(&new)).await.unwrap().as_deref(), Some("s-test"));
    }
}
