//! Accepting: once per plan, in some order, never lost; stale plans, repeated requests, crashes.

use starform_contract::{
    Generation, Report,
    report::{Health, Outcome},
};
use starform_plan::{Proposal, Refusal};
use starform_reconciler::{
    api::body::ApplyState,
    store::{AcceptRequest, AcceptResult, Idempotency, Recorded},
    time::Timestamp,
};

use crate::{
    fixture::{accepted, applied, index, planned, report},
    world::{Place, World, on_both},
};

async fn with_key(
    world: &World,
    place: &Place,
    proposal: &Proposal,
    key: &str,
    operation: &str,
) -> AcceptResult {
    let once = Idempotency {
        key: key.to_owned(),
        operation: operation.to_owned(),
    };
    let request = AcceptRequest {
        actor: &world.actor,
        project: place.project.id,
        plan_id: &proposal.plan.plan_id,
        once: Some(&once),
        now: Timestamp::now(),
    };
    world.store.accept(&request).await.unwrap()
}

async fn record(world: &World, place: &Place, report: &Report) {
    let now = Timestamp::now();
    let recorded = world.store.record_report(place.cluster, "a", report, now);
    assert_eq!(recorded.await.unwrap(), Recorded::New);
}

/// The generations of the plans whose consents still hold.
async fn carried(world: &World, place: &Place) -> Vec<u64> {
    let index = index(world, place).await;
    let entry = &index.projects[&place.project.id];
    let plans = entry.accepted.iter();
    plans.map(|plan| plan.generation.number()).collect()
}

on_both! {
    async fn an_accepted_plan_is_the_desired_state(world: World) {
        let place = world.place("shop").await;
        let proposal = planned(&world, &place, "production", &[("web", "web:1")]).await;
        let AcceptResult::Applied(id) = accepted(&world, &place, &proposal).await else {
            panic!("not applied");
        };
        let apply = world.store.apply(&id).await.unwrap().unwrap();
        assert_eq!((apply.state, apply.generation), (ApplyState::Pending, Generation::new(1)));
        let index = index(&world, &place).await;
        let entry = &index.projects[&place.project.id];
        assert_eq!(entry.bundle, proposal.project.digest());
        assert_eq!(entry.environments[&proposal.plan.environment], proposal.environment.digest());
        assert_eq!(entry.accepted[0].plan_id, proposal.plan.plan_id);
        let again = planned(&world, &place, "production", &[("web", "web:1")]).await;
        assert!(again.plan.is_empty());
    }

    async fn a_plan_is_accepted_once(world: World) {
        let place = world.place("shop").await;
        let proposal = planned(&world, &place, "production", &[("web", "web:1")]).await;
        let AcceptResult::Applied(id) = accepted(&world, &place, &proposal).await else {
            panic!("not applied");
        };
        assert_eq!(accepted(&world, &place, &proposal).await, AcceptResult::Consumed(id));
        assert_eq!(index(&world, &place).await.generation, Generation::new(1));
    }

    async fn a_repeated_request_gets_the_same_apply(world: World) {
        let place = world.place("shop").await;
        let proposal = planned(&world, &place, "production", &[("web", "web:1")]).await;
        let AcceptResult::Applied(id) = with_key(&world, &place, &proposal, "k", "apply").await else {
            panic!("not applied");
        };
        assert_eq!(with_key(&world, &place, &proposal, "k", "apply").await, AcceptResult::Before(id.clone()));
        assert_eq!(with_key(&world, &place, &proposal, "k", "other").await, AcceptResult::KeyReused);
        assert_eq!(with_key(&world, &place, &proposal, "k2", "apply").await, AcceptResult::Consumed(id));
    }

    async fn plans_of_different_services_both_go_through_together(world: World) {
        let place = world.place("shop").await;
        applied(&world, &place, "production", &[("api", "api:1"), ("web", "web:1")]).await;
        let one = planned(&world, &place, "production", &[("api", "api:2"), ("web", "web:1")]).await;
        let two = planned(&world, &place, "production", &[("api", "api:1"), ("web", "web:2")]).await;
        let three = planned(&world, &place, "staging", &[("web", "web:2")]).await;
        let twin = world.twin().await;
        let (a, b, c) = tokio::join!(
            accepted(&world, &place, &one),
            accepted(&twin, &place, &two),
            accepted(&world, &place, &three),
        );
        for result in [a, b, c] {
            assert!(matches!(result, AcceptResult::Applied(_)), "{result:?}");
        }
        let index = index(&world, &place).await;
        assert_eq!(index.generation, Generation::new(4));
        let merged = planned(&world, &place, "production", &[("api", "api:2"), ("web", "web:2")]).await;
        assert!(merged.plan.is_empty(), "{:?}", merged.plan.objects);
        assert_eq!(index.projects[&place.project.id].accepted.len(), 4);
    }

    async fn of_two_plans_for_one_service_one_wins(world: World) {
        let place = world.place("shop").await;
        applied(&world, &place, "production", &[("web", "web:1")]).await;
        let one = planned(&world, &place, "production", &[("web", "web:2")]).await;
        let two = planned(&world, &place, "production", &[("web", "web:3")]).await;
        let twin = world.twin().await;
        let (a, b) = tokio::join!(accepted(&world, &place, &one), accepted(&twin, &place, &two));
        let refusals: Vec<Refusal> = [a, b]
            .into_iter()
            .filter_map(|result| match result {
                AcceptResult::Refused(refusal) => Some(refusal),
                AcceptResult::Applied(_) => None,
                other @ (AcceptResult::Before(_)
                | AcceptResult::NoPlan
                | AcceptResult::Consumed(_)
                | AcceptResult::Deleted
                | AcceptResult::KeyReused) => panic!("{other:?}"),
            })
            .collect();
        let [Refusal::Stale(stale)] = refusals.as_slice() else {
            panic!("{refusals:?}");
        };
        assert!(!stale.is_empty());
        assert_eq!(index(&world, &place).await.generation, Generation::new(2));
    }

    async fn one_plan_raced_from_many_sides_is_one_generation(world: World) {
        let place = world.place("shop").await;
        let proposal = planned(&world, &place, "production", &[("web", "web:1")]).await;
        let twin = world.twin().await;
        let racers = (0..8).map(|n| {
            let from = if n % 2 == 0 { &world } else { &twin };
            accepted(from, &place, &proposal)
        });
        let results = futures::future::join_all(racers).await;
        let count = |wanted: fn(&AcceptResult) -> bool| results.iter().filter(|result| wanted(result)).count();
        assert_eq!(count(|result| matches!(result, AcceptResult::Applied(_))), 1);
        assert_eq!(count(|result| matches!(result, AcceptResult::Consumed(_))), 7);
        assert_eq!(index(&world, &place).await.generation, Generation::new(1));
    }

    async fn a_plan_of_nothing_changes_nothing_and_may_be_applied_again(world: World) {
        let place = world.place("shop").await;
        applied(&world, &place, "production", &[("web", "web:1")]).await;
        let done = report(&world, &place, "production", 1, Health::Current).await;
        world.store.record_report(place.cluster, "a", &done, Timestamp::now()).await.unwrap();
        for _ in 0..2 {
            let id = applied(&world, &place, "production", &[("web", "web:1")]).await;
            let apply = world.store.apply(&id).await.unwrap().unwrap();
            assert_eq!((apply.state, apply.generation), (ApplyState::Converged, Generation::new(1)));
        }
        assert_eq!(index(&world, &place).await.generation, Generation::new(1));
    }

    async fn what_was_accepted_survives_a_crash(world: World) {
        let mut world = world;
        let place = world.place("shop").await;
        let id = applied(&world, &place, "production", &[("web", "web:1")]).await;
        let before = index(&world, &place).await;
        world.reopen().await;
        assert_eq!(index(&world, &place).await, before);
        let apply = world.store.apply(&id).await.unwrap().unwrap();
        assert_eq!(apply.state, ApplyState::Pending);
        let report = report(&world, &place, "production", 1, Health::Current).await;
        world.store.record_report(place.cluster, "a", &report, Timestamp::now()).await.unwrap();
        world.reopen().await;
        let apply = world.store.apply(&id).await.unwrap().unwrap();
        assert_eq!(apply.state, ApplyState::Converged);
    }

    async fn consents_go_when_a_finished_report_covers_them(world: World) {
        let place = world.place("shop").await;
        applied(&world, &place, "production", &[("old", "old:1"), ("web", "web:1")]).await;
        applied(&world, &place, "production", &[("web", "web:1")]).await;
        applied(&world, &place, "staging", &[("web", "web:1")]).await;
        let entry = index(&world, &place).await.projects[&place.project.id].clone();
        assert_eq!(entry.accepted.len(), 3);
        assert_eq!(entry.accepted[1].consent.delete.len(), 1);
        let finished = report(&world, &place, "production", 1, Health::Current).await;
        world.store.record_report(place.cluster, "a", &finished, Timestamp::now()).await.unwrap();
        applied(&world, &place, "production", &[("web", "web:2")]).await;
        let entry = index(&world, &place).await.projects[&place.project.id].clone();
        let left: Vec<(u64, &str)> = entry
            .accepted
            .iter()
            .map(|accepted| (accepted.generation.number(), accepted.environment.as_str()))
            .collect();
        assert_eq!(left, [(3, "staging"), (4, "production")]);
    }

    async fn consents_stay_after_a_partial_end_until_a_report_converges(world: World) {
        let place = world.place("shop").await;
        applied(&world, &place, "production", &[("old", "old:1"), ("web", "web:1")]).await;
        applied(&world, &place, "production", &[("web", "web:1")]).await;
        let mut partial = report(&world, &place, "production", 1, Health::Current).await;
        partial.objects[0].outcome = Outcome::Skipped;
        record(&world, &place, &partial).await;
        applied(&world, &place, "production", &[("web", "web:2")]).await;
        assert_eq!(carried(&world, &place).await, [1, 2, 3]);
        let converged = report(&world, &place, "production", 2, Health::Current).await;
        record(&world, &place, &converged).await;
        applied(&world, &place, "production", &[("web", "web:3")]).await;
        assert_eq!(carried(&world, &place).await, [4]);
    }
}
