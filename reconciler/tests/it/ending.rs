//! The end of a project: what its reports make of it, of its name, and of what only served it.

use axum::http::Method;
use serde_json::json;
use starform_contract::{
    Generation, Index, ObjectKey, Report,
    report::{Health, ObjectReport, Outcome},
};
use starform_plan::document::Plans;
use starform_reconciler::{
    api::body::{Apply, ApplyState, HistoryEntry, Items, Project},
    store::AcceptResult,
    time::Timestamp,
};

use crate::{
    fixture::{accepted, applied, index, planned, report},
    world::{Place, World, on_both},
};

async fn removal(world: &World, place: &Place) -> Plans {
    let path = format!("/v1/projects/{}/removal", place.project.id);
    world
        .post(&world.admin, &path, &json!({}))
        .await
        .expect(201)
}

/// Plans the deletion and accepts it.
async fn ended(world: &World, place: &Place) -> Apply {
    let mut last = None;
    for plan in removal(world, place).await.plans {
        let path = format!("/v1/plans/{}/apply", plan.plan_id);
        last = Some(
            world
                .post(&world.admin, &path, &json!({}))
                .await
                .expect(202),
        );
    }
    last.unwrap()
}

/// Finished, with this to say of the Namespace.
async fn told(world: &World, place: &Place, sequence: u64, outcome: Outcome) -> Report {
    let mut report = report(world, place, "production", sequence, Health::Current).await;
    report.services.clear();
    report.objects = vec![ObjectReport {
        key: ObjectKey::new("", "Namespace", None, &place.project.namespace),
        outcome,
        reason: None,
        health: Health::NotFound,
    }];
    report
}

async fn record(world: &World, place: &Place, report: &Report) {
    let now = Timestamp::now();
    let recorded = world
        .store
        .record_report(place.cluster, "a", report, now)
        .await;
    recorded.unwrap();
}

async fn project(world: &World, place: &Place) -> Project {
    let path = format!("/v1/projects/{}", place.project.id);
    world.get(&world.admin, &path).await.expect(200)
}

async fn names(world: &World, query: &str) -> Vec<String> {
    let path = format!("/v1/projects{query}");
    let all: Items<Project> = world.get(&world.admin, &path).await.expect(200);
    all.items
        .into_iter()
        .map(|project| project.name.to_string())
        .collect()
}

fn has(index: &Index, place: &Place) -> bool {
    index.projects.contains_key(&place.project.id)
}

on_both! {
    async fn a_project_ends_by_the_report_that_its_namespace_is_gone(world: World) {
        let place = world.place("shop").await;
        applied(&world, &place, "production", &[("web", "web:1")]).await;
        assert_eq!(project(&world, &place).await.ended_at, None);
        let apply = ended(&world, &place).await;
        assert!(project(&world, &place).await.ended_at.is_some());

        record(&world, &place, &told(&world, &place, 1, Outcome::Retained).await).await;
        assert!(has(&index(&world, &place).await, &place), "it holds something");
        let standing = project(&world, &place).await;
        assert_eq!(standing.deleted_at, None);
        // The same command again: what had to stay is asked for once more.
        let again = ended(&world, &place).await;
        assert_eq!(again.generation, apply.generation.next());

        record(&world, &place, &told(&world, &place, 2, Outcome::Deleted).await).await;
        let after = index(&world, &place).await;
        assert!(!has(&after, &place));
        assert_eq!(after.generation, again.generation.next());
        assert!(project(&world, &place).await.deleted_at.is_some());
        let path = format!("/v1/applies/{}", again.id);
        let done: Apply = world.get(&world.admin, &path).await.expect(200);
        assert_eq!((done.state, done.project.as_str()), (ApplyState::Converged, "shop"));
        record(&world, &place, &told(&world, &place, 3, Outcome::Deleted).await).await;
        assert_eq!(index(&world, &place).await.generation, after.generation, "it ends once");
    }

    async fn an_agent_that_was_started_since_has_nothing_to_tell_of_it(world: World) {
        let place = world.place("shop").await;
        applied(&world, &place, "production", &[("web", "web:1")]).await;
        ended(&world, &place).await;
        let mut nothing = told(&world, &place, 1, Outcome::Deleted).await;
        nothing.objects.clear();
        let unfinished = Report { finished: false, ..nothing.clone() };
        record(&world, &place, &unfinished).await;
        assert!(has(&index(&world, &place).await, &place));
        let orphaned = Report {
            sequence: 2,
            orphans: vec![ObjectKey::new("", "Namespace", None, &place.project.namespace)],
            ..nothing.clone()
        };
        record(&world, &place, &orphaned).await;
        assert!(has(&index(&world, &place).await, &place));
        record(&world, &place, &Report { sequence: 3, ..nothing }).await;
        assert!(!has(&index(&world, &place).await, &place));
    }

    async fn a_report_of_before_ends_nothing(world: World) {
        let place = world.place("shop").await;
        applied(&world, &place, "production", &[("web", "web:1")]).await;
        ended(&world, &place).await;
        let late = told(&world, &place, 1, Outcome::Deleted).await;
        // Applied again before the report came: it stands.
        applied(&world, &place, "production", &[("web", "web:2")]).await;
        record(&world, &place, &late).await;
        assert!(has(&index(&world, &place).await, &place));
        assert_eq!(project(&world, &place).await.ended_at, None);
        ended(&world, &place).await;
        record(&world, &place, &Report { sequence: 2, ..late }).await;
        assert!(has(&index(&world, &place).await, &place), "it tells of what was deleted before");
    }

    async fn a_deleted_project_keeps_its_history_and_gives_its_name_back(world: World) {
        let place = world.place("shop").await;
        let ci = world.ci(place.project.id, None).await;
        applied(&world, &place, "production", &[("web", "web:1")]).await;
        let path = format!("/v1/projects/{}/environments/production", place.project.id);
        let secret = format!("{path}/secrets/key");
        let put = world.ask(Method::PUT, Some(&world.admin), &secret, &[], &json!({"value": "dmFsdWU="})).await;
        assert!(put.status.is_success(), "{}", put.text);
        let stale = planned(&world, &place, "staging", &[("web", "web:1")]).await;
        let new = json!({"name": "shop", "cluster": "shop-cluster", "workspace": "main"});
        ended(&world, &place).await;
        world.post(&world.admin, "/v1/projects", &new).await.problem(409, "name-taken");
        record(&world, &place, &told(&world, &place, 1, Outcome::Deleted).await).await;

        let made: Project = world.post(&world.admin, "/v1/projects", &new).await.expect(201);
        assert_ne!(made.id, place.project.id);
        assert_ne!(made.namespace, place.project.namespace);
        assert_eq!(names(&world, "?name=shop").await, ["shop"]);
        assert_eq!(names(&world, "?name=shop&deleted=true").await, ["shop", "shop"]);
        assert_eq!(project(&world, &place).await.name.as_str(), "shop");
        let history: Items<HistoryEntry> = world.get(&world.admin, &format!("{path}/history")).await.expect(200);
        assert_eq!(history.items.len(), 2);
        let at = history.items.iter().map(|entry| entry.generation).min().unwrap_or(Generation::default());
        let then = world.get(&world.admin, &format!("{path}/generations/{at}")).await;
        assert_eq!(then.status, 200, "{}", then.text);

        // What only served it is gone, and nothing brings it back.
        let secrets: serde_json::Value = world.get(&world.admin, &format!("{path}/secrets")).await.expect(200);
        assert_eq!(secrets["items"], json!([]));
        world.get(&ci, &path).await.problem(401, "unauthenticated");
        assert_eq!(accepted(&world, &place, &stale).await, AcceptResult::Deleted);
        let removal = format!("/v1/projects/{}/removal", place.project.id);
        let problem = world.post(&world.admin, &removal, &json!({})).await.problem(409, "project-deleted");
        assert!(problem.detail.contains("project create shop"), "{}", problem.detail);
    }

    async fn a_project_that_nothing_was_applied_to_goes_at_once(world: World) {
        let place = world.place("shop").await;
        let removal = format!("/v1/projects/{}/removal", place.project.id);
        world.post(&world.admin, &removal, &json!({})).await.problem(422, "nothing-accepted");
        let path = format!("/v1/projects/{}", place.project.id);
        let delete = || world.ask(Method::DELETE, Some(&world.admin), &path, &[], &json!(null));
        assert_eq!(delete().await.status, 204);
        delete().await.problem(404, "not-found");
        assert_eq!(names(&world, "").await, [] as [&str; 0]);
        let other = world.place("blog").await;
        applied(&world, &other, "production", &[("web", "web:1")]).await;
        let path = format!("/v1/projects/{}", other.project.id);
        world.ask(Method::DELETE, Some(&world.admin), &path, &[], &json!(null)).await
            .problem(409, "project-in-use");
    }
}
