//! Who has a host: the first project that shows it to be its own, on any cluster, until it gives the host
//! up; and that a claim which is not shown keeps nobody off.

use axum::http::Method;
use futures::future::join_all;
use serde_json::json;
use starform_contract::{ClusterProfile, PlanId};
use starform_plan::{
    Refusal,
    document::{FindingSeverity, Plans},
};
use starform_reconciler::{
    api::body::{Cluster, EnvironmentStatus, HostState, Problem},
    store::{AcceptRequest, AcceptResult, GRACE, StoreError},
    time::Timestamp,
};

use crate::world::{Place, Reply, World, on_both};

const HOST: &str = "shop.example";
/// Requests of each of two projects at once: in the tests on Postgres, whose connections a thousand wait
/// for, and in full. `cargo xtask soak claims` runs the full size on both databases.
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

/// The record of each zone says that it is every one of the projects'.
fn show(world: &World, zones: &[&str], places: &[&Place]) {
    let ids: Vec<String> = places
        .iter()
        .map(|place| place.project.id.to_string())
        .collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    for zone in zones {
        world.dns.set(&format!("_starform.{zone}"), &ids);
    }
}

/// What a new plan says of hosts, and whether it forbids applying it.
async fn told_by_plan(
    world: &World,
    place: &Place,
    domains: &[&str],
) -> Vec<(String, bool, String)> {
    let reply = plan(world, place, domains).await;
    let plans: Plans = reply.expect(201);
    let findings = plans.plans[0].findings.iter();
    findings
        .map(|finding| {
            let at = finding.at.as_deref().unwrap_or_default();
            assert!(at.starts_with("starform.kdl:6:"), "{finding:?}");
            (
                finding.code.clone(),
                finding.severity == FindingSeverity::Blocking,
                finding.title.clone(),
            )
        })
        .collect()
}

/// The projects to which the store gives the host now.
async fn shown_to(world: &World, places: &[Place], host: &str) -> Vec<usize> {
    let mut owners = Vec::new();
    for (n, place) in places.iter().enumerate() {
        let planning = world.store.planning(place.project.id).await.unwrap();
        if planning.unwrap().hosts.contains(host) {
            owners.push(n);
        }
    }
    owners
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

/// The hosts of the project, as its status tells them, without the platform's.
async fn states(world: &World, place: &Place) -> Vec<(String, HostState, Option<String>)> {
    let path = format!(
        "/v1/projects/{}/environments/production/status",
        place.project.id
    );
    let status: EnvironmentStatus = world.get(&world.admin, &path).await.expect(200);
    let hosts = status
        .services
        .into_iter()
        .flat_map(|service| service.hosts);
    let own = hosts.filter(|host| !host.host.ends_with(".starform.localhost"));
    own.map(|host| (host.url, host.state, host.record.map(|record| record.name)))
        .collect()
}

fn later(milliseconds: i64) -> Timestamp {
    Timestamp::from_millis(Timestamp::now().millis() + milliseconds)
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
    show(world, &[HOST], &[&places[0], &places[1]]);
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
    let found = told_by_plan(world, loser, &[HOST]).await;
    let [(code, true, title)] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(code, "SF6114");
    says_nothing_of(title, &places[winner]);
}

#[tokio::test]
async fn of_a_thousand_claims_by_two_projects_one_project_wins_sqlite() {
    race(&World::sqlite().await, FULL).await;
}

#[tokio::test]
async fn of_many_claims_by_two_projects_one_project_wins_postgres() {
    if let Some(world) = World::postgres().await {
        race(&world, SLICE).await;
    }
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
    async fn a_host_that_is_given_up_is_the_next_ones(world: World) {
        let (one, other) = (world.place("lemon").await, world.place("walnut").await);
        show(&world, &[HOST], &[&one, &other]);
        let theirs = planned(&world, &other, &[HOST]).await;
        let ours = planned(&world, &one, &[HOST]).await;
        assert!(is_ours(&accept(&world, &one, &ours).await));
        assert!(told(&accept(&world, &other, &theirs).await).contains(HOST));
        let without = planned(&world, &one, &[]).await;
        assert!(is_ours(&accept(&world, &one, &without).await));
        assert!(is_ours(&accept(&world, &other, &theirs).await));
        let back = told_by_plan(&world, &one, &[HOST]).await;
        assert!(matches!(&back[..], [(code, true, _)] if code == "SF6114"), "{back:?}");
    }

    async fn a_wildcard_owns_what_is_below_it(world: World) {
        let (one, other) = (world.place("lemon").await, world.place("walnut").await);
        show(&world, &["shop.example", "api.shop.example", "api.other.example"], &[&one, &other]);
        let ours = planned(&world, &one, &["*.shop.example"]).await;
        let theirs = planned(&world, &other, &["api.shop.example"]).await;
        let beside = planned(&world, &other, &["shop.example", "api.other.example"]).await;
        assert!(is_ours(&accept(&world, &one, &ours).await));
        assert!(told(&accept(&world, &other, &theirs).await).contains("api.shop.example"));
        assert!(is_ours(&accept(&world, &other, &beside).await));
        let above = told_by_plan(&world, &one, &["*.shop.example", "*.other.example"]).await;
        let [(code, true, title)] = &above[..] else { panic!("{above:?}") };
        assert!(code == "SF6114" && title.contains("*.other.example"), "{title}");
    }

    async fn a_claim_that_is_not_shown_keeps_nobody_off(world: World) {
        let (squatter, owner) = (world.place("lemon").await, world.place("walnut").await);
        let third = world.place("orange").await;
        // Both wait for the record at the same time, and neither is in the other's way.
        for place in [&squatter, &owner] {
            let claim = planned(&world, place, &[HOST, "*.shop.example"]).await;
            assert!(is_ours(&accept(&world, place, &claim).await));
        }
        let url = format!("https://{HOST}");
        let waits = (url.clone(), HostState::Unproved, Some(format!("_starform.{HOST}")));
        assert_eq!(states(&world, &owner).await[0], waits);
        show(&world, &[HOST], &[&owner]);
        let found = told_by_plan(&world, &owner, &[HOST, "*.shop.example"]).await;
        assert!(found.is_empty(), "{found:?}");
        assert_eq!(states(&world, &owner).await[0], (url.clone(), HostState::Proved, None));
        let routed = planned(&world, &owner, &[HOST, "*.shop.example"]).await;
        assert!(is_ours(&accept(&world, &owner, &routed).await));
        assert_eq!(states(&world, &owner).await[0], (url.clone(), HostState::Routed, None));
        assert_eq!(states(&world, &squatter).await[0], (url.clone(), HostState::Taken, None));
        // Whoever asked earlier hears whose it is not, and goes on with the rest; a record comes too late.
        show(&world, &[HOST], &[&owner, &squatter]);
        let found = told_by_plan(&world, &squatter, &[HOST]).await;
        let [(code, false, title)] = &found[..] else { panic!("{found:?}") };
        assert!(code == "SF6114" && title.contains("is not routed, since it belongs to another project"), "{title}");
        let rest = planned(&world, &squatter, &[HOST]).await;
        assert!(is_ours(&accept(&world, &squatter, &rest).await));
        let places = [squatter, owner, third];
        world.store.look_at_hosts(&world.dns.proofs(), later(GRACE)).await.unwrap();
        assert_eq!(shown_to(&world, &places, HOST).await, [1]);
        let found = told_by_plan(&world, &places[1], &[HOST, "*.shop.example"]).await;
        assert!(found.is_empty(), "{found:?}");
        // Nobody else comes to it, shown or not.
        let found = told_by_plan(&world, &places[2], &["www.shop.example"]).await;
        assert!(matches!(&found[..], [(code, true, _)] if code == "SF6114"), "{found:?}");
    }

    async fn of_many_that_show_a_host_at_once_one_has_it(world: World) {
        let mut places = Vec::new();
        for name in ["lemon", "walnut", "orange", "plum", "fig"] {
            let place = world.place(name).await;
            // Some wait for the wildcard, some for a host below it.
            let host = if places.len() % 2 == 0 { "*.shop.example" } else { "a.shop.example" };
            let claim = planned(&world, &place, &[host]).await;
            assert!(is_ours(&accept(&world, &place, &claim).await));
            places.push(place);
        }
        show(&world, &["shop.example", "a.shop.example"], &places.iter().collect::<Vec<_>>());
        let proofs = world.dns.proofs();
        let looks = (0..4).map(|_| async { world.store.look_at_hosts(&proofs, later(GRACE)).await.unwrap() });
        let plans = places.iter().enumerate().map(|(n, place)| {
            let host = if n % 2 == 0 { "*.shop.example" } else { "a.shop.example" };
            let world = &world;
            async move {
                let id = planned(world, place, &[host]).await;
                accept(world, place, &id).await
            }
        });
        futures::future::join(join_all(looks), join_all(plans)).await;
        let zone = shown_to(&world, &places, "*.shop.example").await;
        let below = shown_to(&world, &places, "a.shop.example").await;
        assert_eq!(zone.len() + below.len(), 1, "{zone:?} {below:?}");
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
