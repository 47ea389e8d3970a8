//! From files to a converged apply through the API, with the real language and renderer.

use axum::http::Method;
use serde_json::{Value, json};
use starform_contract::{Bundle, Generation, Index, report::Health};
use starform_plan::document::{Action, Plan, Plans};
use starform_reconciler::api::body::{Apply, ApplyState, EnvironmentStatus, HistoryEntry, Items};

use crate::{
    fixture,
    world::{Place, Reply, World, on_both},
};

const SHOP: &str = r#"project shop {
    environment staging branch=main
    environment production branch=release

    web storefront {
        image "ghcr.io/example/storefront:1"
        port 8080
    }

    worker mailer {
        image "ghcr.io/example/mailer:1"
    }
}
"#;

async fn plan(world: &World, place: &Place, text: &str, more: Value) -> Reply {
    let mut body = json!({"source": {"files": {"starform.kdl": text}}});
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    let path = format!("/v1/projects/{}/plans", place.project.id);
    world.post(&world.admin, &path, &body).await
}

async fn apply(world: &World, plan_id: &str, key: &str) -> Reply {
    let path = format!("/v1/plans/{plan_id}/apply");
    let headers = [("idempotency-key", key)];
    world
        .ask(
            Method::POST,
            Some(&world.admin),
            &path,
            &headers,
            &json!({}),
        )
        .await
}

/// What an agent does: fetches everything and says that it is well.
async fn converge(world: &World, place: &Place, environment: &str, sequence: u64) {
    let index: Index = world
        .agent(place, "a", "desired-state", &[])
        .await
        .expect(200);
    for digest in index.bundles() {
        let bundle: Bundle = world
            .agent(place, "a", &format!("bundles/{digest}"), &[])
            .await
            .expect(200);
        assert!(
            bundle
                .objects()
                .all(starform_contract::Object::digest_holds)
        );
    }
    let at = (index.generation, index.digest);
    let report = fixture::report_of(place, environment, sequence, at, Health::Current);
    let path = format!("/v1/clusters/{}/reports", place.cluster);
    for status in [201, 200] {
        let headers = [("starform-agent-instance", "a")];
        let reply = world
            .ask(Method::POST, Some(&place.agent), &path, &headers, &report)
            .await;
        assert_eq!(reply.status.as_u16(), status, "{}", reply.text);
    }
}

on_both! {
    async fn the_whole_thread(world: World) {
        let place = world.place("shop").await;
        let made: Plans = plan(&world, &place, SHOP, json!({"revision": "9c1e"})).await.expect(201);
        let names: Vec<&str> = made.plans.iter().map(|plan| plan.environment.as_str()).collect();
        assert_eq!(names, ["staging", "production"]);
        assert!(made.plans.iter().all(|plan| !plan.is_empty() && plan.summary.services.create == 2));
        // Planned together from nothing, applied one after the other.
        for (n, plan) in (1..).zip(&made.plans) {
            let accepted: Apply = apply(&world, plan.plan_id.as_str(), &format!("key-{n}")).await.expect(202);
            assert_eq!((accepted.state, accepted.generation), (ApplyState::Pending, Generation::new(n)));
            let again: Apply = apply(&world, plan.plan_id.as_str(), &format!("key-{n}")).await.expect(200);
            assert_eq!(again.id, accepted.id);
            let problem = apply(&world, plan.plan_id.as_str(), "another").await.problem(409, "plan-consumed");
            assert_eq!(problem.apply_id, Some(accepted.id.clone()));
            converge(&world, &place, plan.environment.as_str(), n).await;
            let done: Apply = world.get(&world.admin, &format!("/v1/applies/{}", accepted.id)).await.expect(200);
            assert_eq!(done.state, ApplyState::Converged);
        }
        let path = format!("/v1/projects/{}/environments/production/status", place.project.id);
        let status: EnvironmentStatus = world.get(&world.admin, &path).await.expect(200);
        assert_eq!(status.services.len(), 2);
        let second: Plans = plan(&world, &place, SHOP, json!({})).await.expect(201);
        assert!(second.plans.iter().all(Plan::is_empty));
    }

    async fn one_changed_image_is_one_changed_object(world: World) {
        let place = world.place("shop").await;
        let only = json!({"environments": ["production"]});
        let first: Plans = plan(&world, &place, SHOP, only.clone()).await.expect(201);
        let _: Apply = apply(&world, first.plans[0].plan_id.as_str(), "1").await.expect(202);
        let by_flag = json!({"environments": ["production"], "images": {"storefront": "ghcr.io/example/storefront:2"}});
        let second: Plans = plan(&world, &place, SHOP, by_flag).await.expect(201);
        let [only_plan] = second.plans.as_slice() else { panic!("{second:?}") };
        let changed: Vec<String> = only_plan.objects.iter().map(|object| object.key.to_string()).collect();
        assert_eq!(changed.len(), 1, "{changed:?}");
        assert!(changed[0].ends_with("/storefront--production"), "{changed:?}");
        assert_eq!(only_plan.objects[0].action, Action::Update);
    }

    async fn a_plan_is_shown_as_json_and_as_text(world: World) {
        let place = world.place("shop").await;
        let made: Plans = plan(&world, &place, SHOP, json!({})).await.expect(201);
        assert!(made.bundles.is_empty());
        let path = format!("/v1/plans/{}", made.plans[0].plan_id);
        let hex = made.plans[0].plan_id.digest().hex();
        for id in [made.plans[0].plan_id.as_str(), hex, &hex[..12], &format!("sha256:{}", &hex[..8])] {
            let shown: Plan = world.get(&world.admin, &format!("/v1/plans/{id}")).await.expect(200);
            assert_eq!(shown, made.plans[0]);
        }
        for id in ["sha256:", &hex[..7], "ffffffff%", "00000000"] {
            world.get(&world.admin, &format!("/v1/plans/{id}")).await.problem(404, "not-found");
        }
        let headers = [("accept", "text/plain")];
        let text = world.ask(Method::GET, Some(&world.admin), &path, &headers, &json!(null)).await;
        assert!(text.header("content-type").starts_with("text/plain"));
        assert!(text.text.contains("Plan: ") && text.text.contains("storefront"), "{}", text.text);
        let path = format!("/v1/projects/{}/plans?bundles=true", place.project.id);
        let body = json!({"source": {"files": {"starform.kdl": SHOP}}});
        let with: Plans = world.post(&world.admin, &path, &body).await.expect(201);
        assert!(with.plans.iter().all(|plan| with.bundles.contains_key(&plan.source.result)));
    }

    async fn a_stale_plan_is_refused_with_the_difference(world: World) {
        let place = world.place("shop").await;
        let only = json!({"environments": ["production"]});
        let image = |tag: &str| json!({
            "environments": ["production"],
            "images": {"storefront": format!("ghcr.io/example/storefront:{tag}")},
        });
        let first: Plans = plan(&world, &place, SHOP, only).await.expect(201);
        let _: Apply = apply(&world, first.plans[0].plan_id.as_str(), "1").await.expect(202);
        let two: Plans = plan(&world, &place, SHOP, image("2")).await.expect(201);
        let three: Plans = plan(&world, &place, SHOP, image("3")).await.expect(201);
        let _: Apply = apply(&world, two.plans[0].plan_id.as_str(), "2").await.expect(202);
        let problem = apply(&world, three.plans[0].plan_id.as_str(), "3").await.problem(409, "plan-stale");
        for word in ["storefront:1", "storefront:2", "storefront:3"] {
            assert!(problem.detail.contains(word), "{}", problem.detail);
        }
        assert!(problem.stale.is_some_and(|stale| stale.as_array().is_some_and(|parts| !parts.is_empty())));
        // An unrelated service goes through although the state moved.
        let mailer = json!({"environments": ["production"], "images": {
            "mailer": "ghcr.io/example/mailer:2", "storefront": "ghcr.io/example/storefront:2",
        }});
        let stays: Plans = plan(&world, &place, SHOP, mailer).await.expect(201);
        let four: Plans = plan(&world, &place, SHOP, image("4")).await.expect(201);
        let _: Apply = apply(&world, four.plans[0].plan_id.as_str(), "4").await.expect(202);
        let _: Apply = apply(&world, stays.plans[0].plan_id.as_str(), "5").await.expect(202);
        let now: Plans = plan(&world, &place, SHOP, json!({"environments": ["production"], "images": {
            "mailer": "ghcr.io/example/mailer:2", "storefront": "ghcr.io/example/storefront:4",
        }})).await.expect(201);
        assert!(now.plans[0].is_empty(), "{:?}", now.plans[0].objects);
    }

    async fn a_rollback_is_a_plan(world: World) {
        let place = world.place("shop").await;
        let only = json!({"environments": ["production"]});
        let newer = SHOP.replace("storefront:1", "storefront:2");
        for (n, text) in [SHOP, newer.as_str()].into_iter().enumerate() {
            let made: Plans = plan(&world, &place, text, only.clone()).await.expect(201);
            let _: Apply = apply(&world, made.plans[0].plan_id.as_str(), &n.to_string()).await.expect(202);
        }
        let path = format!("/v1/projects/{}/environments/production/rollback", place.project.id);
        let back: Plans = world.post(&world.admin, &path, &json!({})).await.expect(201);
        assert_eq!(back.plans[0].objects.len(), 1);
        let _: Apply = apply(&world, back.plans[0].plan_id.as_str(), "back").await.expect(202);
        let now: Plans = plan(&world, &place, SHOP, only).await.expect(201);
        assert!(now.plans[0].is_empty());
        for (to, status, code) in [(99, 404, "unknown-generation"), (0, 404, "unknown-generation"),
                                   (3, 422, "current-generation"), (1, 422, "current-generation")] {
            let problem = world.post(&world.admin, &path, &json!({"to": to})).await.problem(status, code);
            assert!(problem.detail.contains("`starform history --env production`"), "{}", problem.detail);
        }
        let staging = path.replace("production", "staging");
        world.post(&world.admin, &staging, &json!({})).await.problem(422, "no-earlier-generation");
        let again = apply(&world, now.plans[0].plan_id.as_str(), "again").await;
        assert_eq!(again.status.as_u16(), 202, "an empty plan makes no generation");
        let history: Items<HistoryEntry> = world.get(&world.admin, &path.replace("rollback", "history")).await.expect(200);
        let told: Vec<_> = history.items.iter()
            .map(|entry| (entry.generation.number(), entry.current, entry.revision.as_deref()))
            .collect();
        assert_eq!(told, [(3, true, Some("rollback to generation 1")), (2, false, None), (1, false, None)]);
        assert!(history.items.iter().all(|entry| entry.by.token == world.admin.id().to_string()));
    }

    async fn two_generations_are_compared(world: World) {
        let place = world.place("shop").await;
        let only = json!({"environments": ["production"]});
        let newer = SHOP.replace("storefront:1", "storefront:2");
        for (n, text) in [SHOP, newer.as_str()].into_iter().enumerate() {
            let made: Plans = plan(&world, &place, text, only.clone()).await.expect(201);
            let _: Apply = apply(&world, made.plans[0].plan_id.as_str(), &n.to_string()).await.expect(202);
        }
        let path = |env: &str, from: &str, to: &str| {
            format!("/v1/projects/{}/environments/{env}/diff?from={from}&to={to}", place.project.id)
        };
        let forth: Plans = world.get(&world.admin, &path("production", "1", "2")).await.expect(200);
        let changes = &forth.plans[0].services[0].changes;
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert_eq!(forth.plans[0].source.until, Some(Generation::new(2)));
        let back: Plans = world.get(&world.admin, &path("production", "2", "1")).await.expect(200);
        assert_eq!(back.plans[0].services[0].changes[0].after, changes[0].before);
        // It is not stored, so nobody can apply it.
        apply(&world, forth.plans[0].plan_id.as_str(), "x").await.problem(404, "not-found");
        for (env, from, to) in [("production", "1", "9"), ("production", "0", "1"), ("staging", "1", "2")] {
            world.get(&world.admin, &path(env, from, to)).await.problem(404, "unknown-generation");
        }
        world.get(&world.admin, &path("production", "one", "2")).await.problem(400, "invalid-request");
    }

    async fn what_cannot_be_planned_says_what_and_where(world: World) {
        let place = world.place("shop").await;
        let broken = SHOP.replace("port 8080", "prot 8080");
        let problem = plan(&world, &place, &broken, json!({})).await.problem(422, "compile-failed");
        assert!(problem.detail.contains("starform.kdl:7:"), "{}", problem.detail);
        assert!(problem.diagnostics.is_some_and(|json| json.to_string().contains("prot")));
        for (text, more, code) in [
            ("", json!({}), "compile-failed"),
            ("web {", json!({}), "compile-failed"),
            (SHOP, json!({"environments": ["nowhere"]}), "unknown-environment"),
            (SHOP, json!({"revision": "a\nb"}), "invalid-revision"),
            (&SHOP.replace("project shop", "project other"), json!({}), "other-project"),
        ] {
            plan(&world, &place, text, more).await.problem(422, code);
        }
        let path = format!("/v1/projects/{}/plans", place.project.id);
        let nothing = json!({"source": {"files": {}}});
        let problem = world.post(&world.admin, &path, &nothing).await.problem(422, "no-source");
        assert!(problem.detail.contains("starform.kdl"), "{}", problem.detail);
        let large = json!({"source": {"files": {"starform.kdl": "/".repeat(18 * 1024 * 1024)}}});
        world.post(&world.admin, &path, &large).await.problem(413, "too-large");
        assert_eq!(fixture::index(&world, &place).await.generation, Generation::new(0));
    }

    async fn a_token_for_one_environment_plans_and_applies_that_one(world: World) {
        let place = world.place("shop").await;
        let ci = world.ci(place.project.id, Some(&["staging"])).await;
        let path = format!("/v1/projects/{}/plans", place.project.id);
        let body = json!({"source": {"files": {"starform.kdl": SHOP}}});
        let made: Plans = world.post(&ci, &path, &body).await.expect(201);
        let names: Vec<&str> = made.plans.iter().map(|plan| plan.environment.as_str()).collect();
        assert_eq!(names, ["staging"]);
        let body = json!({"source": {"files": {"starform.kdl": SHOP}}, "environments": ["production"]});
        world.post(&ci, &path, &body).await.problem(403, "forbidden");
        let all: Plans = plan(&world, &place, SHOP, json!({})).await.expect(201);
        for (plan, status) in all.plans.iter().zip([202, 403]) {
            let path = format!("/v1/plans/{}/apply", plan.plan_id);
            assert_eq!(world.post(&ci, &path, &json!({})).await.status.as_u16(), status);
        }
    }

    async fn an_environment_that_left_the_file_is_told_of(world: World) {
        let place = world.place("shop").await;
        for plan in plan(&world, &place, SHOP, json!({})).await.expect::<Plans>(201).plans {
            assert_eq!(undeclared(&plan), Vec::<&str>::new());
            let path = format!("/v1/plans/{}/apply", plan.plan_id);
            let _: Apply = world.post(&world.admin, &path, &json!({})).await.expect(202);
        }
        let staging = SHOP.lines().filter(|line| line.contains("environment staging"));
        assert_eq!(staging.clone().count(), 1, "{SHOP}");
        let without: String = SHOP.lines().filter(|line| !line.contains("staging")).map(|line| format!("{line}\n")).collect();
        let made: Plans = plan(&world, &place, &without, json!({})).await.expect(201);
        let [production] = made.plans.as_slice() else { panic!("{made:?}") };
        let [told] = undeclared(production)[..] else { panic!("{production:?}") };
        assert!(told.contains("staging runs") && told.contains("`starform environment delete staging`"), "{told}");
        assert!(production.is_empty());
    }
}

/// What the plan says of environments that the file does not declare.
fn undeclared(plan: &Plan) -> Vec<&str> {
    let found = plan
        .findings
        .iter()
        .filter(|finding| finding.code == "SF6119");
    found.map(|finding| finding.title.as_str()).collect()
}
