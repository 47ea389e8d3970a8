//! Who owns a host: the first project, on any cluster, until it gives the host up.

use axum::http::Method;
use futures::future::join_all;
use serde_json::json;
use starform_contract::{ClusterProfile, PlanId};
use starform_plan::{Refusal, document::Plans};
use starform_reconciler::{
    api::body::{Cluster, Problem},
    store::{AcceptRequest, AcceptResult, StoreError},
    time::Timestamp,
};

use crate::world::{Place, Reply, World, on_both};

const HOST: &str = "shop.example";
/// Requests of each of two projects at once.
const SLICE: usize = 40;
const FULL: usize = 500;

/// A project with one web service; its hosts a line each.
fn files(project: &str, domains: &[&str]) -> String {
    let domains: Vec<String> = domains
        .iter()
        .map(|host| format!("domain \"{host}\""))
        .collect();
    format!(
        r#"project {project} {{
    environment production branch=main
    web storefront {{
        image "ghcr.io/example/storefront:1"
        port 8080
        {}
    }}
}}
"#,
        domains.join("\n        ")
    )
}

async fn plan(world: &World, place: &Place, domains: &[&str]) -> Reply {
    let text = files(place.project.name.as_str(), domains);
    let body = json!({"source": {"files": {"starform.kdl": text}}});
    let path = format!("/v1/projects/{}/plans", place.project.id);
    world.post(&world.admin, &path, &body).await
}

async fn planned(world: &World, place: &Place, domains: &[&str]) -> PlanId {
    let plans: Plans = plan(world, place, domains).await.expect(201);
    plans.plans[0].plan_id.clone()
}

async fn accept(world: &World, place: &Place, plan_id: &PlanId) -> AcceptResult {
    let request = AcceptRequest {
        actor: &world.actor,
        project: place.project.id,
        plan_id,
        once: None,
        now: Timestamp::now(),
    };
    loop {
        match world.store.accept(&request).await {
            Ok(result) => return result,
            // A thousand at once wait longer for a connection than the store lets one wait.
            Err(StoreError::Database(sqlx::Error::PoolTimedOut)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn is_ours(result: &AcceptResult) -> bool {
    matches!(result, AcceptResult::Applied(_) | AcceptResult::Consumed(_))
}

/// What the loser hears.
fn told(result: &AcceptResult) -> String {
    let AcceptResult::Refused(Refusal::CrossCheck(findings)) = result else {
        panic!("{result:?}")
    };
    assert_eq!(findings[0].code, "SF6114");
    let titles = findings.iter().map(|finding| finding.title.as_str());
    titles.collect::<Vec<_>>().join("\n")
}

/// Nothing of a project that is not asked: no name, no id, no namespace.
fn says_nothing_of(text: &str, place: &Place) {
    let project = &place.project;
    for secret in [
        project.name.to_string(),
        project.id.to_string(),
        project.id.simple(),
        project.namespace.clone(),
        place.cluster.to_string(),
        project.workspace_id.to_string(),
    ] {
        assert!(!text.contains(&secret), "{text} tells {secret}");
    }
}

/// Both projects ask `at_once` times for one host, all at once; only one of them ever gets it.
async fn race(world: &World, at_once: usize) {
    let places = [world.place("lemon").await, world.place("walnut").await];
    let plans = [
        planned(world, &places[0], &[HOST]).await,
        planned(world, &places[1], &[HOST]).await,
    ];
    let claims = (0..2 * at_once).map(|n| {
        let (place, plan) = (&places[n % 2], &plans[n % 2]);
        async move { (n % 2, accept(world, place, plan).await) }
    });
    let results = join_all(claims).await;
    let winners: Vec<usize> = results
        .iter()
        .filter(|(_, result)| is_ours(result))
        .map(|(n, _)| *n)
        .collect();
    let winner = winners[0];
    assert_eq!(
        winners.len(),
        at_once,
        "one project, in all of its requests"
    );
    assert!(winners.iter().all(|n| *n == winner));
    let applied = results
        .iter()
        .filter(|(_, result)| matches!(result, AcceptResult::Applied(_)));
    assert_eq!(applied.count(), 1);
    for (n, result) in results.iter().filter(|(n, _)| *n != winner) {
        let text = told(result);
        assert!(text.contains(HOST), "{text}");
        says_nothing_of(&text, &places[1 - n]);
    }
    // Also once it plans again, and through the API.
    let loser = &places[1 - winner];
    let reply = plan(world, loser, &[HOST]).await;
    let Problem { findings, .. } = reply.problem(422, "host-taken");
    assert_eq!(findings[0].code, "SF6114");
    says_nothing_of(&reply.text, &places[winner]);
}

#[tokio::test]
#[ignore = "full size, see `cargo xtask soak claims`"]
async fn soak_a_thousand_claims_sqlite() {
    race(&World::sqlite().await, FULL).await;
}

#[tokio::test]
#[ignore = "full size, see `cargo xtask soak claims`"]
async fn soak_a_thousand_claims_postgres() {
    if let Some(world) = World::postgres().await {
        race(&world, FULL).await;
    }
}

on_both! {
    async fn of_many_claims_by_two_projects_one_project_wins(world: World) {
        race(&world, SLICE).await;
    }

    async fn a_host_that_is_given_up_is_the_next_ones(world: World) {
        let (one, other) = (world.place("lemon").await, world.place("walnut").await);
        let theirs = planned(&world, &other, &[HOST]).await;
        let ours = planned(&world, &one, &[HOST]).await;
        assert!(is_ours(&accept(&world, &one, &ours).await));
        assert!(told(&accept(&world, &other, &theirs).await).contains(HOST));
        let without = planned(&world, &one, &[]).await;
        assert!(is_ours(&accept(&world, &one, &without).await));
        assert!(is_ours(&accept(&world, &other, &theirs).await));
        let back = plan(&world, &one, &[HOST]).await;
        back.problem(422, "host-taken");
    }

    async fn a_wildcard_owns_what_is_below_it(world: World) {
        let (one, other) = (world.place("lemon").await, world.place("walnut").await);
        let ours = planned(&world, &one, &["*.shop.example"]).await;
        let theirs = planned(&world, &other, &["api.shop.example"]).await;
        let beside = planned(&world, &other, &["shop.example", "api.other.example"]).await;
        assert!(is_ours(&accept(&world, &one, &ours).await));
        assert!(told(&accept(&world, &other, &theirs).await).contains("api.shop.example"));
        assert!(is_ours(&accept(&world, &other, &beside).await));
        let above = plan(&world, &one, &["*.shop.example", "*.other.example"]).await;
        let Problem { detail, .. } = above.problem(422, "host-taken");
        assert!(detail.contains("*.other.example"), "{detail}");
    }

    async fn hosts_under_the_platforms_domain_are_the_platforms(world: World) {
        let place = world.place("lemon").await;
        let other = world.place("orange").await;
        let path = format!("/v1/clusters/{}/settings", other.cluster);
        let profile = ClusterProfile { base_domain: "apps.eu.example.org".to_owned(), ..ClusterProfile::default() };
        let changed = world.ask(Method::PATCH, Some(&world.admin), &path, &[], &json!({"profile": profile})).await;
        let _: Cluster = changed.expect(200);
        // Of another cluster too, and a wildcard takes in what is any number of labels below it.
        for host in ["mine.starform.localhost", "*.starform.localhost", "a.apps.eu.example.org", "*.eu.example.org", "*.example.org"] {
            let Problem { detail, .. } = plan(&world, &place, &[host]).await.problem(422, "cluster-lacks");
            assert!(detail.contains("starform.kdl:") && detail.contains(host), "{detail}");
        }
        let beside = planned(&world, &place, &["notstarform.localhost", "*.shop.example.org"]).await;
        assert!(is_ours(&accept(&world, &place, &beside).await));
        // The same project may ask as often as it likes.
        let path = format!("/v1/plans/{beside}/apply");
        let headers = [("idempotency-key", "1")];
        let again = world.ask(Method::POST, Some(&world.admin), &path, &headers, &json!({})).await;
        again.problem(409, "plan-consumed");
    }
}
