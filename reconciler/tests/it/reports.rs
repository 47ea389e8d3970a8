//! Reports: counted once, in order; what they make of applies, status, history and event streams.

use axum::http::Method;
use starform_contract::{Digest, Generation, report::Health};
use starform_reconciler::{
    api::body::{
        Apply, ApplyEvent, ApplyState, EnvironmentAt, EnvironmentStatus, HistoryEntry, Items,
    },
    store::Recorded,
    time::Timestamp,
};

use crate::{
    fixture::{applied, index, report, report_of},
    world::{Place, World, on_both},
};

async fn record(
    world: &World,
    place: &Place,
    instance: &str,
    sequence: u64,
    health: Health,
) -> Recorded {
    let report = report(world, place, "production", sequence, health).await;
    world
        .store
        .record_report(place.cluster, instance, &report, Timestamp::now())
        .await
        .unwrap()
}

/// Events as (id, name, state).
fn events(text: &str) -> Vec<(String, String, ApplyState)> {
    text.split("\n\n")
        .filter(|event| !event.trim().is_empty())
        .map(|event| {
            let field = |name: &str| {
                let line = event.lines().find_map(|line| line.strip_prefix(name));
                line.unwrap_or_else(|| panic!("no {name} in {event}"))
                    .trim()
                    .to_owned()
            };
            let data: ApplyEvent = serde_json::from_str(&field("data:")).unwrap();
            (field("id:"), field("event:"), data.state)
        })
        .collect()
}

on_both! {
    async fn an_apply_moves_with_its_reports(world: World) {
        let place = world.place("shop").await;
        let id = applied(&world, &place, "production", &[("web", "web:1")]).await;
        let path = format!("/v1/applies/{id}");
        for (sequence, health, state) in [
            (1, Health::InProgress, ApplyState::Progressing),
            (2, Health::InProgress, ApplyState::Progressing),
            (3, Health::Current, ApplyState::Converged),
            (4, Health::Failed, ApplyState::Converged),
        ] {
            assert_eq!(record(&world, &place, "a", sequence, health).await, Recorded::New);
            let apply: Apply = world.get(&world.admin, &path).await.expect(200);
            assert_eq!(apply.state, state, "report {sequence}");
            assert_eq!(apply.finished_at.is_some(), state.is_final());
            assert_eq!(apply.objects.len(), 1);
        }
    }

    async fn a_failed_service_makes_the_apply_partial_with_its_reason(world: World) {
        let place = world.place("shop").await;
        let id = applied(&world, &place, "production", &[("web", "web:1")]).await;
        record(&world, &place, "a", 1, Health::Failed).await;
        let apply = world.store.apply(&id).await.unwrap().unwrap();
        assert_eq!(apply.state, ApplyState::Partial);
        let status: EnvironmentStatus = world
            .get(&world.admin, &format!("/v1/projects/{}/environments/production/status", place.project.id))
            .await
            .expect(200);
        assert_eq!(status.services[0].health, Health::Failed);
        assert_eq!(status.services[0].reason.as_deref(), Some("the image cannot be pulled"));
    }

    async fn a_report_counts_once_and_never_goes_back(world: World) {
        let place = world.place("shop").await;
        applied(&world, &place, "production", &[("web", "web:1")]).await;
        let expected = [
            ("a", 5, Recorded::New),
            ("a", 5, Recorded::Before),
            ("a", 4, Recorded::Before),
            ("a", 6, Recorded::New),
            ("b", 1, Recorded::New),
            ("b", 1, Recorded::Before),
        ];
        for (instance, sequence, recorded) in expected {
            let got = record(&world, &place, instance, sequence, Health::InProgress).await;
            assert_eq!(got, recorded, "{instance} {sequence}");
        }
    }

    async fn reports_about_what_was_never_made_are_refused(world: World) {
        let place = world.place("shop").await;
        let other = world.place("blog").await;
        let now = Timestamp::now();
        let early = report(&world, &place, "production", 1, Health::Current).await;
        let recorded = world.store.record_report(place.cluster, "a", &early, now).await.unwrap();
        assert_eq!(recorded, Recorded::NoEnvironment);
        applied(&world, &place, "production", &[("web", "web:1")]).await;
        let made = index(&world, &place).await;
        for at in [
            (Generation::new(2), made.digest.clone()),
            (Generation::new(1), Digest::of_bytes(b"another")),
        ] {
            let wrong = report_of(&place, "production", 1, at, Health::Current);
            let recorded = world.store.record_report(place.cluster, "a", &wrong, now).await.unwrap();
            assert_eq!(recorded, Recorded::NoGeneration);
        }
        let right = report(&world, &place, "production", 1, Health::Current).await;
        let recorded = world.store.record_report(other.cluster, "a", &right, now).await.unwrap();
        assert_eq!(recorded, Recorded::NoEnvironment);
    }

    async fn a_report_of_a_newer_agent_is_refused_with_the_side_to_upgrade(world: World) {
        let place = world.place("shop").await;
        applied(&world, &place, "production", &[("web", "web:1")]).await;
        let report = report(&world, &place, "production", 1, Health::Current).await;
        let path = format!("/v1/clusters/{}/reports", place.cluster);
        let headers = [("starform-agent-instance", "a")];
        let post = async |body: &serde_json::Value| {
            world.ask(Method::POST, Some(&place.agent), &path, &headers, body).await
        };
        // Whatever else is in it.
        let newer = serde_json::json!({"schema": "starform.report/v2", "generation": "new"});
        let problem = post(&newer).await.problem(400, "unknown-schema");
        assert!(problem.detail.starts_with("the control plane ("), "{}", problem.detail);
        let told = "`starform.report/v2`, which a newer Starform wrote, and `starform.report/v1` is understood here; upgrade the side that reads it";
        assert!(problem.detail.contains(told), "{}", problem.detail);
        let other = serde_json::json!({"schema": "starform.plan/v1"});
        post(&other).await.problem(400, "invalid-body");
        let taken = post(&serde_json::to_value(&report).unwrap()).await;
        assert_eq!(taken.status.as_u16(), 201, "{}", taken.text);
    }

    async fn a_later_generation_finishes_earlier_applies(world: World) {
        let place = world.place("shop").await;
        let first = applied(&world, &place, "production", &[("web", "web:1")]).await;
        let old = index(&world, &place).await;
        let second = applied(&world, &place, "production", &[("web", "web:2")]).await;
        let late = report_of(&place, "production", 1, (old.generation, old.digest), Health::InProgress);
        world.store.record_report(place.cluster, "a", &late, Timestamp::now()).await.unwrap();
        let state = |id: String| {
            let store = world.store.clone();
            async move { store.apply(&id).await.unwrap().unwrap().state }
        };
        assert_eq!(state(first.clone()).await, ApplyState::Progressing);
        assert_eq!(state(second.clone()).await, ApplyState::Pending);
        record(&world, &place, "a", 2, Health::Current).await;
        assert_eq!(state(first).await, ApplyState::Converged);
        assert_eq!(state(second).await, ApplyState::Converged);
    }

    async fn status_and_history_say_what_is_accepted_and_what_is_reported(world: World) {
        let place = world.place("shop").await;
        let base = format!("/v1/projects/{}/environments/production", place.project.id);
        world.get(&world.admin, &format!("{base}/status")).await.problem(404, "not-found");
        applied(&world, &place, "production", &[("api", "api:1"), ("web", "web:1")]).await;
        let status: EnvironmentStatus = world.get(&world.admin, &format!("{base}/status")).await.expect(200);
        let health: Vec<_> = status.services.iter().map(|service| (service.name.as_str(), service.health)).collect();
        assert_eq!(health, [("api", Health::Unknown), ("web", Health::Unknown)]);
        assert_eq!((status.reported, status.agent_seen_at), (None, None));
        record(&world, &place, "a", 1, Health::Current).await;
        applied(&world, &place, "production", &[("web", "web:2")]).await;
        let status: EnvironmentStatus = world.get(&world.admin, &format!("{base}/status")).await.expect(200);
        let reported = status.reported.unwrap();
        assert_eq!((status.generation, reported.generation), (Generation::new(2), Generation::new(1)));
        assert!(reported.finished && status.agent_seen_at.is_some());
        assert_eq!(status.services.len(), 1);
        let history: Items<HistoryEntry> = world.get(&world.admin, &format!("{base}/history")).await.expect(200);
        let seen: Vec<_> = history.items.iter().map(|entry| (entry.generation.number(), entry.state)).collect();
        assert_eq!(seen, [(2, ApplyState::Pending), (1, ApplyState::Converged)]);
        assert_eq!(history.items[0].revision.as_deref(), Some("0123abc"));
        assert_eq!(status.last_apply, Some(history.items[0].clone()));
        let old: EnvironmentAt = world.get(&world.admin, &format!("{base}/generations/1")).await.expect(200);
        assert_eq!(old.bundle.services.len(), 2);
        world.get(&world.admin, &format!("{base}/generations/0")).await.problem(404, "not-found");
        world.get(&world.admin, &format!("{base}/generations/9")).await.problem(404, "not-found");
    }

    async fn an_event_stream_shows_every_report_and_ends(world: World) {
        let place = world.place("shop").await;
        let id = applied(&world, &place, "production", &[("web", "web:1")]).await;
        let path = format!("/v1/applies/{id}/events");
        let work = async {
            world.awaited(place.cluster).await;
            record(&world, &place, "a", 1, Health::InProgress).await;
            record(&world, &place, "a", 2, Health::Current).await;
            record(&world, &place, "a", 3, Health::Failed).await;
        };
        let (reply, ()) = tokio::join!(world.get(&world.admin, &path), work);
        assert_eq!(reply.header("content-type"), "text/event-stream");
        let expected = [
            ("0", "accepted", ApplyState::Pending),
            ("1", "progress", ApplyState::Progressing),
            ("2", "finished", ApplyState::Converged),
        ];
        let expected = expected.map(|(id, name, state)| (id.to_owned(), name.to_owned(), state));
        assert_eq!(events(&reply.text), expected);
    }

    async fn an_event_stream_resumes_behind_any_event_after_a_restart(world: World) {
        let mut world = world;
        let place = world.place("shop").await;
        let id = applied(&world, &place, "production", &[("web", "web:1")]).await;
        let path = format!("/v1/applies/{id}/events");
        for sequence in 1..=60 {
            record(&world, &place, "a", sequence, Health::InProgress).await;
        }
        record(&world, &place, "a", 61, Health::Failed).await;
        world.reopen().await;
        let whole = events(&world.get(&world.admin, &path).await.text);
        assert_eq!(whole.len(), 62);
        assert_eq!(whole[61].2, ApplyState::Partial);
        for at in [0, 1, 30, 60] {
            let headers = [("last-event-id", whole[at].0.as_str())];
            let reply = world
                .ask(axum::http::Method::GET, Some(&world.admin), &path, &headers, &serde_json::Value::Null)
                .await;
            assert_eq!(events(&reply.text), whole[at + 1..]);
        }
        let headers = [("last-event-id", whole[61].0.as_str())];
        let reply = world
            .ask(axum::http::Method::GET, Some(&world.admin), &path, &headers, &serde_json::Value::Null)
            .await;
        assert_eq!(reply.status.as_u16(), 204);
    }

    async fn how_an_apply_ended_is_known_for_ever(world: World) {
        let place = world.place("shop").await;
        let first = applied(&world, &place, "production", &[("web", "web:1")]).await;
        record(&world, &place, "a", 1, Health::Failed).await;
        for sequence in 2..=502 {
            record(&world, &place, "a", sequence, Health::InProgress).await;
        }
        // Nothing is left to accept, so this one stands where the first one ended.
        let repeated = applied(&world, &place, "production", &[("web", "web:1")]).await;
        for id in [first, repeated] {
            let path = format!("/v1/applies/{id}");
            let apply: Apply = world.get(&world.admin, &path).await.expect(200);
            assert_eq!((apply.state, apply.services.len()), (ApplyState::Partial, 1));
            let text = world.get(&world.admin, &format!("{path}/events")).await.text;
            let line = text.lines().rfind(|line| line.starts_with("data:")).unwrap();
            let end: ApplyEvent = serde_json::from_str(&line["data:".len()..]).unwrap();
            assert_eq!(end.state, ApplyState::Partial);
            assert_eq!((end.services.len(), end.failed.len(), end.objects.failed), (1, 1, 1));
        }
    }

    async fn an_apply_of_nothing_ends_its_stream_at_once(world: World) {
        let place = world.place("shop").await;
        applied(&world, &place, "production", &[("web", "web:1")]).await;
        record(&world, &place, "a", 1, Health::Current).await;
        let id = applied(&world, &place, "production", &[("web", "web:1")]).await;
        let reply = world.get(&world.admin, &format!("/v1/applies/{id}/events")).await;
        let names: Vec<String> = events(&reply.text).into_iter().map(|(_, name, _)| name).collect();
        assert_eq!(names, ["accepted", "finished"]);
    }
}
