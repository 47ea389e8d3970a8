//! Workspaces, clusters, projects, tokens and the schema, through the API where it has a route.

use std::time::Duration;

use axum::http::Method;
use serde_json::json;
use starform_contract::ClusterProfile;
use starform_reconciler::{
    access::Scope,
    api::body::{Cluster, IssuedToken, Items, Project, RegisteredCluster, Workspace},
    store::{NewToken, Store},
    time::Timestamp,
    token::Token,
};

use crate::world::on_both;

on_both! {
    async fn what_is_made_is_listed_and_found_by_name(world: World) {
        let admin = &world.admin;
        let workspace: Workspace = world.post(admin, "/v1/workspaces", &json!({"name": "main"})).await.expect(201);
        assert_eq!(workspace.tier, "standard");
        assert_eq!(workspace.id.uuid().get_version_num(), 7);
        let made: RegisteredCluster = world.post(admin, "/v1/clusters", &json!({"name": "eu-1"})).await.expect(201);
        assert_eq!(made.cluster.profile, ClusterProfile::default());
        for name in ["shop", "blog"] {
            let body = json!({"name": name, "cluster": "eu-1", "workspace": "main"});
            let project: Project = world.post(admin, "/v1/projects", &body).await.expect(201);
            assert_eq!(project.cluster_id, made.cluster.id);
            assert_eq!(project.workspace_id, workspace.id);
            assert!(project.namespace.starts_with(&format!("sf-{name}-")));
        }
        let all: Items<Project> = world.get(admin, "/v1/projects").await.expect(200);
        let names: Vec<&str> = all.items.iter().map(|project| project.name.as_str()).collect();
        assert_eq!(names, ["blog", "shop"]);
        let one: Items<Project> = world.get(admin, "/v1/projects?name=shop").await.expect(200);
        assert_eq!(one.items.len(), 1);
        let none: Items<Workspace> = world.get(admin, "/v1/workspaces?name=other").await.expect(200);
        assert!(none.items.is_empty());
        let clusters: Items<Cluster> = world.get(admin, "/v1/clusters?name=eu-1").await.expect(200);
        assert_eq!(clusters.items, [made.cluster]);
    }

    async fn names_are_taken_once_and_keys_make_one_thing(world: World) {
        let admin = &world.admin;
        let ask = |key: &'static str, name: &'static str| {
            let world = &world;
            async move {
                let headers = [("idempotency-key", key)];
                world.ask(Method::POST, Some(admin), "/v1/workspaces", &headers, &json!({"name": name})).await
            }
        };
        let first: Workspace = ask("k1", "main").await.expect(201);
        let again: Workspace = ask("k1", "main").await.expect(200);
        assert_eq!(first, again);
        ask("k1", "other").await.problem(422, "idempotency-key-reused");
        ask("k2", "main").await.problem(409, "name-taken");
    }

    async fn a_profile_of_a_newer_version_is_told_with_the_side_to_upgrade(world: World) {
        let body = json!({"name": "eu", "profile": {"schema": "starform.cluster-profile/v2", "zone": 1}});
        let problem = world.post(&world.admin, "/v1/clusters", &body).await.problem(400, "invalid-body");
        let told = "profile.schema: it is of schema `starform.cluster-profile/v2`, which a newer Starform wrote, and `starform.cluster-profile/v1` is understood here; upgrade";
        assert!(problem.detail.contains(told), "{}", problem.detail);
    }

    async fn what_cannot_be_is_refused_with_a_code(world: World) {
        let admin = &world.admin;
        for (path, body, status, code) in [
            ("/v1/workspaces", json!({"name": "Main"}), 400, "invalid-body"),
            ("/v1/workspaces", json!({"name": "main", "teir": "x"}), 400, "invalid-body"),
            ("/v1/projects", json!({"name": "shop", "cluster": "eu-1"}), 422, "unknown-parent"),
            ("/v1/tokens", json!({"kind": "ci"}), 422, "invalid-token-scope"),
            ("/v1/tokens", json!({"kind": "cluster"}), 422, "invalid-token-scope"),
        ] {
            world.post(admin, path, &body).await.problem(status, code);
        }
        world.ask(Method::DELETE, Some(admin), "/v1/workspaces", &[], &json!(null)).await
            .problem(405, "method-not-allowed");
        world.get(admin, "/v1/nothing").await.problem(404, "not-found");
        world.get(admin, "/v1/projects?name=a&name=b").await.problem(400, "invalid-request");
        world.get(admin, "/v1/projects/%FF").await.problem(400, "invalid-request");
        let long = "x".repeat(300 * 1024);
        world.post(admin, "/v1/workspaces", &json!({"name": long})).await.problem(413, "too-large");
    }

    async fn what_a_project_should_belong_to_is_named_with_what_there_is(world: World) {
        let create = |cluster: &str, workspace: Option<&str>| {
            let body = json!({"name": "till", "cluster": cluster, "workspace": workspace});
            let world = &world;
            async move {
                let reply = world.post(&world.admin, "/v1/projects", &body).await;
                reply.problem(422, "unknown-parent").detail
            }
        };
        assert_eq!(create("prod", None).await, "there is no workspace yet; make one with `starform workspace create NAME`");
        let place = world.place("lemon").await;
        let cluster: Vec<Cluster> = world.get(&world.admin, "/v1/clusters").await.expect::<Items<Cluster>>(200).items;
        let name = cluster[0].name.as_str();
        let near = format!("{name}x");
        let told = create(&near, None).await;
        assert_eq!(told, format!("there is no cluster `{near}`; did you mean `{name}`?"));
        let told = create("quite-another", None).await;
        assert_eq!(told, format!("there is no cluster `quite-another`; there is {name}"));
        let told = create(name, Some("nobodys")).await;
        assert!(told.starts_with("there is no workspace `nobodys`; there is "), "{told}");
        drop(place);
    }

    async fn a_profile_is_changed_on_its_cluster(world: World) {
        let place = world.place("shop").await;
        let path = format!("/v1/clusters/{}/settings", place.cluster);
        let profile = ClusterProfile { base_domain: "example.org".to_owned(), ..ClusterProfile::default() };
        let changed: Cluster = world.ask(Method::PATCH, Some(&world.admin), &path, &[], &json!({"profile": profile})).await.expect(200);
        assert_eq!(changed.profile, profile);
        let planning = world.store.planning(place.project.id).await.unwrap().unwrap();
        assert_eq!(planning.profile, profile);
    }

    async fn tokens_expire_and_survive_a_restart(world: World) {
        let mut world = world;
        let place = world.place("shop").await;
        let body = json!({"kind": "ci", "project": place.project.id, "expires_in": 3600});
        let issued: IssuedToken = world.post(&world.admin, "/v1/tokens", &body).await.expect(201);
        let token = Token::parse(&issued.token).unwrap();
        world.reopen().await;
        let path = format!("/v1/projects/{}", place.project.id);
        let _: Project = world.get(&token, &path).await.expect(200);
        let scope = Scope::Admin;
        let past = NewToken { scope: &scope, expires_at: Some(Timestamp::now()) };
        let dead = world.store.issue_token(&world.actor, &past, Timestamp::now()).await.unwrap();
        world.get(&dead, &path).await.problem(401, "unauthenticated");
        let later = Timestamp::now().plus(Duration::from_secs(3601));
        assert_eq!(world.store.authenticate(&token, later).await.unwrap(), None);
    }

    async fn a_new_store_has_one_workspace_however_many_start_on_it(world: World) {
        let twin = world.twin().await;
        let now = Timestamp::now();
        let (a, b) = tokio::join!(world.store.ensure_workspace(now), twin.store.ensure_workspace(now));
        a.and(b).unwrap();
        let all = world.store.workspaces().await.unwrap();
        let names: Vec<&str> = all.iter().map(|workspace| workspace.name.as_str()).collect();
        assert_eq!(names, ["default"]);
        assert_eq!(all[0].id.uuid().get_version_num(), 7);
    }

    async fn a_store_opens_twice_and_answers(world: World) {
        let second = Store::open(&world.url).await.unwrap();
        second.ready().await.unwrap();
        second.close().await;
        assert_eq!(world.get(&world.admin, "/readyz").await.text, "ok\n");
    }
}
