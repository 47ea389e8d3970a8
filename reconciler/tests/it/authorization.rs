//! Every route against every kind of token: what a stranger, another project or an agent gets.

use axum::http::Method;
use serde_json::json;

use crate::{
    fixture::{applied, planned},
    world::on_both,
};

const ROUTES: &[(&str, &str)] = &[
    ("GET", "/v1/workspaces"),
    ("POST", "/v1/workspaces"),
    ("GET", "/v1/clusters"),
    ("POST", "/v1/clusters"),
    ("PATCH", "/v1/clusters/{cluster}/settings"),
    ("POST", "/v1/clusters/{cluster}/reset-generation"),
    ("GET", "/v1/signing-keys"),
    ("GET", "/v1/projects"),
    ("POST", "/v1/projects"),
    ("GET", "/v1/projects/{project}"),
    ("DELETE", "/v1/projects/{project}"),
    ("POST", "/v1/tokens"),
    ("POST", "/v1/projects/{project}/plans"),
    ("POST", "/v1/projects/{project}/removal"),
    ("GET", "/v1/plans/{plan}"),
    ("POST", "/v1/plans/{plan}/apply"),
    ("POST", "/v1/plans/{plan}/approve"),
    ("GET", "/v1/applies/{apply}"),
    ("GET", "/v1/applies/{apply}/events"),
    (
        "GET",
        "/v1/projects/{project}/environments/production/status",
    ),
    (
        "GET",
        "/v1/projects/{project}/environments/production/history",
    ),
    (
        "GET",
        "/v1/projects/{project}/environments/production/generations/1",
    ),
    (
        "GET",
        "/v1/projects/{project}/environments/production/diff?from=1&to=1",
    ),
    (
        "GET",
        "/v1/projects/{project}/environments/production/drift",
    ),
    (
        "POST",
        "/v1/projects/{project}/environments/production/rollback",
    ),
    ("GET", "/v1/clusters/{cluster}/desired-state"),
    ("GET", "/v1/clusters/{cluster}/bundles/{digest}"),
    ("POST", "/v1/clusters/{cluster}/reports"),
    ("PUT", "/v1/clusters/{cluster}/key"),
    ("DELETE", "/v1/clusters/{cluster}/key"),
    ("POST", "/v1/clusters/{cluster}/sealed"),
    ("GET", "/v1/clusters/{cluster}/secrets"),
    ("PUT", "/v1/clusters/{cluster}/secrets/registry"),
    ("DELETE", "/v1/clusters/{cluster}/secrets/registry"),
    (
        "GET",
        "/v1/projects/{project}/environments/production/secrets",
    ),
    (
        "PUT",
        "/v1/projects/{project}/environments/production/secrets/token",
    ),
    (
        "DELETE",
        "/v1/projects/{project}/environments/production/secrets/token",
    ),
    ("GET", "/v1/unknown"),
    ("GET", "/"),
];

/// A body that the route can read, so that an answer is about the token and nothing else.
fn readable(path: &str) -> serde_json::Value {
    match path {
        "/v1/workspaces" => json!({"name": "other"}),
        "/v1/clusters" => json!({"name": "other"}),
        "/v1/projects" => json!({"name": "other", "cluster": "x"}),
        "/v1/tokens" => json!({"kind": "admin"}),
        path if path.ends_with("/plans") => json!({"source": {"files": {}}}),
        path if path.ends_with("/reports") => json!({
            "schema": "starform.report/v1", "sequence": 1, "generation": 1,
            "digest": format!("sha256:{}", "0".repeat(64)),
            "project_id": uuid::Uuid::nil(), "environment": "production",
            "objects": [], "services": [], "finished": true,
        }),
        path if path.ends_with("/key") => {
            json!({"public_key": "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="})
        }
        path if path.ends_with("/sealed") => json!({
            "bundle": format!("sha256:{}", "0".repeat(64)), "object": "core/Secret/shop/token",
        }),
        path if path.contains("/secrets/") => json!({"value": "swordfish"}),
        _ => json!({}),
    }
}

on_both! {
    async fn no_route_but_health_answers_without_a_token(world: World) {
        for (method, path) in ROUTES {
            let method: Method = method.parse().unwrap();
            let reply = world.ask(method.clone(), None, path, &[], &readable(path)).await;
            let problem = reply.problem(401, "unauthenticated");
            assert!(problem.detail.contains("Authorization"), "{path}: {}", problem.detail);
            assert_eq!(reply.header("www-authenticate"), "Bearer");
            for value in ["Bearer sf_admin_x_y", "Basic eDp5", "Bearer", ""] {
                let headers = [("authorization", value)];
                world.ask(method.clone(), None, path, &headers, &readable(path)).await
                    .problem(401, "unauthenticated");
            }
            let unknown = starform_reconciler::token::Token::issue(starform_reconciler::token::TokenKind::Admin);
            world.ask(method, Some(&unknown), path, &[], &readable(path)).await
                .problem(401, "unauthenticated");
        }
        for path in ["/healthz", "/readyz"] {
            let reply = world.ask(Method::GET, None, path, &[], &json!(null)).await;
            assert_eq!((reply.status.as_u16(), reply.text.as_str()), (200, "ok\n"));
        }
    }

    async fn each_token_opens_what_it_is_for(world: World) {
        let place = world.place("shop").await;
        let other = world.place("blog").await;
        let apply = applied(&world, &place, "production", &[("web", "web:1")]).await;
        let plan = planned(&world, &place, "production", &[("web", "web:2")]).await.plan.plan_id;
        let bundle = crate::fixture::index(&world, &place).await.projects[&place.project.id].bundle.clone();
        let foreign_ci = world.ci(other.project.id, None).await;
        let own_ci = world.ci(place.project.id, Some(&["staging"])).await;
        let fill = |path: &str| {
            path.replace("{cluster}", &place.cluster.to_string())
                .replace("{project}", &place.project.id.to_string())
                .replace("{plan}", plan.as_str())
                .replace("{apply}", &apply)
                .replace("{digest}", bundle.as_str())
        };
        let operating = |method: &str, path: &str| {
            if path.starts_with("/v1/clusters/{cluster}/secrets") || (method, path) == ("DELETE", "/v1/clusters/{cluster}/key") {
                return true;
            }
            let last = path.rsplit('/').next().unwrap_or_default();
            ["workspaces", "clusters", "settings", "tokens", "reset-generation", "signing-keys"].contains(&last)
        };
        for (method, template) in ROUTES {
            let path = fill(template);
            let agents = ["desired-state", "reports", "bundles", "sealed"].iter().any(|word| path.contains(word))
                || (*method, *template) == ("PUT", "/v1/clusters/{cluster}/key");
            let headers = [("starform-agent-instance", "a")];
            let method: Method = method.parse().unwrap();
            let ask = |token| {
                let (world, method, path) = (&world, method.clone(), &path);
                async move { world.ask(method, Some(token), path, &headers, &readable(path)).await.status.as_u16() }
            };
            // An agent: its own cluster's agent routes; nothing else exists for it.
            let expected = |status: u16| if agents { status != 403 && status != 401 } else { status == 404 };
            assert!(expected(ask(&place.agent).await), "agent {method} {path}");
            assert_eq!(ask(&other.agent).await, 404, "other agent {method} {path}");
            // A ci token of another project: may know that operating exists, never sees ours.
            let status = ask(&foreign_ci).await;
            let creates = method == Method::POST && template.ends_with("/projects");
            let lists = method == Method::GET && template.ends_with("/projects");
            match (operating(method.as_str(), template) || creates, lists) {
                (true, _) => assert_eq!(status, 403, "foreign ci {method} {path}"),
                (_, true) => assert_eq!(status, 200, "foreign ci {method} {path}"),
                (false, false) => assert_eq!(status, 404, "foreign ci {method} {path}"),
            }
            // The project's own, for another environment: reads, and changes nothing here.
            let changes = template.ends_with("/apply")
                || template.ends_with("/approve")
                || template.ends_with("/removal")
                || (method.as_str(), *template) == ("DELETE", "/v1/projects/{project}")
                || template.ends_with("/rollback")
                || template.contains("production/secrets");
            if changes {
                assert_eq!(ask(&own_ci).await, 403, "own ci {method} {path}");
            }
            // The operator's token opens no agent's route.
            if agents {
                assert_eq!(ask(&world.admin).await, 404, "admin {method} {path}");
            }
        }
        let seen: starform_reconciler::api::body::Items<starform_reconciler::api::body::Project> =
            world.get(&foreign_ci, "/v1/projects").await.expect(200);
        assert_eq!(seen.items, [other.project]);
    }
}
