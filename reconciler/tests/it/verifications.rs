//! What an agent is asked about plans: signed, once, bounded, for its own cluster; and what becomes of the
//! answer.

use std::time::Duration;

use axum::http::Method;
use starform_contract::{
    Index,
    signature::{Signed as _, verify_digest},
    verify::{ObjectVerdict, Verdict, Verdicts, Verifications},
};
use starform_plan::{
    propose::Proposal,
    verified::{Answer, Verified},
};
use starform_reconciler::{
    api::body::ShownPlan,
    store::{AcceptResult, Answered},
    time::Timestamp,
};

use crate::{
    fixture::{accepted, applied, index, planned},
    world::{Place, Reply, World, on_both},
};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// The agent asks: from now on plans ask it.
async fn ready(world: &World, place: &Place) {
    let reply = world.agent(place, "a", "verifications", &[]).await;
    assert_eq!(reply.status.as_u16(), 204, "{}", reply.text);
}

async fn open(world: &World, place: &Place) -> Verifications {
    world
        .agent(place, "a", "verifications", &[])
        .await
        .expect(200)
}

async fn answer(world: &World, place: &Place, id: &str, verdicts: &Verdicts) -> Reply {
    let path = format!("/v1/clusters/{}/verifications/{id}", place.cluster);
    let headers = [("starform-agent-instance", "a")];
    world
        .ask(Method::POST, Some(&place.agent), &path, &headers, verdicts)
        .await
}

/// The same of all that was asked.
fn all(asked: &Verifications, verdict: &Verdict) -> Verdicts {
    let objects = asked.verifications[0].objects.iter();
    let verdicts = objects.map(|asked| ObjectVerdict {
        key: asked.object.key().unwrap(),
        digest: asked.object.digest.clone(),
        verdict: verdict.clone(),
    });
    Verdicts::new(verdicts.collect())
}

async fn shown(world: &World, proposal: &Proposal) -> Option<Verified> {
    let path = format!("/v1/plans/{}", proposal.plan.plan_id);
    let shown: ShownPlan = world.get(&world.admin, &path).await.expect(200);
    shown.verification
}

fn verified(index: &Index) -> usize {
    let accepted = index.projects.values().flat_map(|entry| &entry.accepted);
    accepted
        .map(|accepted| accepted.consent.verified.len())
        .sum()
}

on_both! {
    async fn a_plan_asks_an_agent_that_answers(world: World) {
        let place = world.place("shop").await;
        let before = planned(&world, &place, "production", &[("web", "web:0")]).await;
        assert_eq!(shown(&world, &before).await, None, "no agent was ever heard");
        ready(&world, &place).await;
        let tag = index(&world, &place).await.etag();
        let proposal = planned(&world, &place, "production", &[("web", "web:1")]).await;
        assert_eq!(index(&world, &place).await.etag(), tag, "a plan desires nothing");
        let waiting = shown(&world, &proposal).await.unwrap();
        assert!(waiting.is_waiting(), "{waiting:?}");
        let asked = open(&world, &place).await;
        assert_eq!(asked.cluster_id, place.cluster);
        let keys = world.keys.trusted();
        assert_eq!(verify_digest(&keys, &asked.digest(), asked.signature.as_ref()), Ok(()));
        let [one] = &asked.verifications[..] else { panic!("{asked:?}") };
        assert_eq!(one.project_id, place.project.id);
        assert_eq!(one.objects.len(), proposal.plan.objects.len());
        assert!(one.objects.iter().all(|asked| asked.object.digest_holds()));
        let verdicts = all(&asked, &Verdict::Accepted);
        assert_eq!(answer(&world, &place, &one.id, &verdicts).await.status.as_u16(), 201);
        assert_eq!(answer(&world, &place, &one.id, &verdicts).await.status.as_u16(), 200);
        let told = shown(&world, &proposal).await.unwrap();
        assert_eq!((told.cluster.as_str(), told.verdicts()), ("shop-cluster", &verdicts.verdicts[..]));
        ready(&world, &place).await;
    }

    async fn who_waits_for_the_answer_is_woken(world: World) {
        let place = world.place("shop").await;
        ready(&world, &place).await;
        let proposal = planned(&world, &place, "production", &[("web", "web:1")]).await;
        let path = format!("/v1/plans/{}", proposal.plan.plan_id);
        let wait = [("prefer", "wait=30")];
        let waiting = world.ask(Method::GET, Some(&world.admin), &path, &wait, &serde_json::Value::Null);
        let answering = async {
            world.awaited(place.cluster).await;
            let asked = open(&world, &place).await;
            let id = &asked.verifications[0].id;
            answer(&world, &place, id, &all(&asked, &Verdict::Accepted)).await
        };
        let (reply, _) = tokio::join!(waiting, answering);
        let shown: ShownPlan = reply.expect(200);
        assert!(!shown.verification.unwrap().is_waiting());
    }

    async fn what_was_accepted_saves_a_dry_run_of_what_runs(world: World) {
        let place = world.place("shop").await;
        ready(&world, &place).await;
        let mut known = 0;
        let mut verdict_then_accept = async |image: &str, verdict: Verdict| {
            let proposal = planned(&world, &place, "production", &[("web", image)]).await;
            let asked = open(&world, &place).await;
            let id = asked.verifications[0].id.clone();
            answer(&world, &place, &id, &all(&asked, &verdict)).await;
            let applied = accepted(&world, &place, &proposal).await;
            assert!(matches!(applied, AcceptResult::Applied(_)), "{applied:?}");
            let index = index(&world, &place).await;
            assert!(index.digest_holds());
            // Consents of earlier plans stay until a report converges.
            let before = std::mem::replace(&mut known, verified(&index));
            (verified(&index) - before, proposal)
        };
        let (new, _) = verdict_then_accept("web:1", Verdict::Accepted).await;
        assert_eq!(new, 1, "the project's own: nothing of a new service is tried before it is written");
        let why = "it is new".to_owned();
        let (doubtful, _) = verdict_then_accept("web:2", Verdict::Approximate { why }).await;
        assert_eq!(doubtful, 0);
        let (saved, proposal) = verdict_then_accept("web:3", Verdict::Accepted).await;
        assert_eq!(saved, proposal.plan.objects.len());
    }

    async fn only_what_was_asked_is_answered(world: World) {
        let place = world.place("shop").await;
        let other = world.place("blog").await;
        ready(&world, &place).await;
        ready(&world, &other).await;
        let proposal = planned(&world, &place, "production", &[("web", "web:1")]).await;
        let asked = open(&world, &place).await;
        let id = &asked.verifications[0].id;
        let good = all(&asked, &Verdict::Accepted);
        let mut forged = good.clone();
        forged.verdicts[0].digest = starform_contract::Digest::of_bytes(b"forged");
        answer(&world, &place, id, &forged).await.problem(422, "other-objects");
        let mut twice = good.clone();
        twice.verdicts.push(twice.verdicts[0].clone());
        answer(&world, &place, id, &twice).await.problem(422, "other-objects");
        answer(&world, &other, id, &good).await.problem(404, "not-found");
        answer(&world, &place, "00000000", &good).await.problem(404, "not-found");
        let path = format!("/v1/clusters/{}/verifications", place.cluster);
        let headers = [("starform-agent-instance", "a")];
        let nothing = serde_json::Value::Null;
        for token in [&other.agent, &world.admin] {
            let reply = world.ask(Method::GET, Some(token), &path, &headers, &nothing).await;
            assert!([403, 404].contains(&reply.status.as_u16()), "{}", reply.text);
        }
        world.agent(&place, "b", "verifications", &[]).await.problem(409, "standby");
        assert!(shown(&world, &proposal).await.unwrap().is_waiting());
    }

    async fn an_agent_that_went_is_told_and_an_old_question_given_up(world: World) {
        let place = world.place("shop").await;
        ready(&world, &place).await;
        let proposal = planned(&world, &place, "production", &[("web", "web:1")]).await;
        let asked = open(&world, &place).await;
        let plans = std::slice::from_ref(&proposal.plan);
        let at = async |later: u64| {
            let now = Timestamp::now().plus(Duration::from_secs(later));
            let found = world.store.verifications(place.project.id, plans, now).await.unwrap();
            found[&proposal.plan.plan_id].answer.clone()
        };
        assert!(matches!(at(5).await, Answer::Waiting { .. }));
        assert!(matches!(at(300).await, Answer::Away { .. }));
        assert_eq!(at(3600).await, Answer::Expired);
        let later = Timestamp::now().plus(HOUR);
        let open = world.store.open_verifications(place.cluster, later).await.unwrap();
        assert!(open.is_empty());
        let id = &asked.verifications[0].id;
        let verdicts = all(&asked, &Verdict::Accepted);
        let late = world.store.answer_verification(place.cluster, id, &verdicts, later);
        assert_eq!(late.await.unwrap(), Answered::Unasked);
    }

    async fn questions_and_words_are_bounded(world: World) {
        let place = world.place("shop").await;
        applied(&world, &place, "production", &[("web", "web:0")]).await;
        ready(&world, &place).await;
        let mut proposals = Vec::new();
        for n in 0..66 {
            let image = format!("web:{}", n + 1);
            proposals.push(planned(&world, &place, "production", &[("web", &image)]).await);
        }
        let oldest = shown(&world, &proposals[0]).await.unwrap();
        assert_eq!(oldest.answer, Answer::Expired);
        assert!(shown(&world, &proposals[65]).await.unwrap().is_waiting());
        let asked = open(&world, &place).await;
        assert_eq!(asked.verifications.len(), 8, "the latest first, a few at a time");
        let id = &asked.verifications[0].id;
        let long = Verdict::Rejected {
            reason: "Invalid".to_owned(),
            message: Some("x".repeat(100_000)),
            fields: vec!["spec".to_owned(); 1000],
        };
        assert_eq!(answer(&world, &place, id, &all(&asked, &long)).await.status.as_u16(), 201);
        let told = shown(&world, &proposals[65]).await.unwrap();
        let Verdict::Rejected { message, fields, .. } = &told.verdicts()[0].verdict else {
            panic!("{told:?}");
        };
        assert!(message.as_ref().unwrap().chars().count() <= Verdict::LONGEST + 1);
        assert_eq!(fields.len(), Verdict::MOST_PATHS);
    }
}
