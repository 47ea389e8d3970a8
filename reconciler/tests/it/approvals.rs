//! Approvals: who may give one, what it is for, and that it is used once.

use starform_plan::Proposal;
use starform_reconciler::{
    access::{Actor, Role, Scope},
    api::body::{Apply, PlanApproval, ShownPlan},
    store::{AcceptRequest, AcceptResult, NewToken},
    time::Timestamp,
    token::Token,
};

use crate::{
    fixture::{index, proposal_at},
    world::{Place, World, on_both},
};

const BOTH: &[(&str, &str)] = &[("mailer", "mailer:1"), ("web", "web:1")];
const ONE: &[(&str, &str)] = &[("web", "web:1")];

/// A project with a protected production of two services, and people.
struct Scene {
    world: World,
    place: Place,
    ci: Token,
    ada: Token,
    bob: Token,
}

impl Scene {
    async fn new(world: World) -> Self {
        let place = world.place("shop").await;
        let project = place.project.id;
        let scene = Self {
            ci: world.ci(project, None).await,
            ada: world.user(project, "ada", Role::Admin).await,
            bob: world.user(project, "bob", Role::Admin).await,
            world,
            place,
        };
        let first = scene.planned(&scene.ci, BOTH, "first").await;
        scene.apply(&scene.ci, &first).await.expect::<Apply>(202);
        scene
    }

    fn actor(&self, token: &Token, person: Option<&str>) -> Actor {
        let project = self.place.project.id;
        let scope = match person {
            Some(name) => Scope::User {
                person: name.parse().unwrap(),
                project,
                role: Role::Admin,
            },
            None => Scope::Ci {
                project,
                environments: None,
            },
        };
        Actor {
            token: token.id(),
            scope,
        }
    }

    /// By whoever holds the token.
    async fn planned(&self, token: &Token, services: &[(&str, &str)], revision: &str) -> Proposal {
        let project = self.place.project.id;
        let planning = self.world.store.planning(project).await.unwrap().unwrap();
        let made = proposal_at(&planning, "production", services, (true, revision));
        let actor = self.actor(token, None);
        let proposals = [made.clone()];
        let now = Timestamp::now();
        let saved = self
            .world
            .store
            .save_plans(&actor, project, &proposals, now);
        saved.await.unwrap();
        made
    }

    async fn apply(&self, token: &Token, plan: &Proposal) -> crate::world::Reply {
        let path = format!("/v1/plans/{}/apply", plan.plan.plan_id);
        self.world.post(token, &path, &serde_json::json!({})).await
    }

    async fn approve(&self, token: &Token, plan: &Proposal) -> crate::world::Reply {
        let path = format!("/v1/plans/{}/approve", plan.plan.plan_id);
        self.world.post(token, &path, &serde_json::json!({})).await
    }

    async fn shown(&self, plan: &Proposal) -> ShownPlan {
        let path = format!("/v1/plans/{}", plan.plan.plan_id);
        self.world.get(&self.ci, &path).await.expect(200)
    }
}

on_both! {
    async fn an_approval_of_somebody_else_opens_a_plan_once(world: World) {
        let scene = Scene::new(world).await;
        let plan = scene.planned(&scene.ci, ONE, "a").await;
        let problem = scene.apply(&scene.ci, &plan).await.problem(403, "approval-needed");
        assert!(problem.detail.contains("starform approve"), "{}", problem.detail);
        assert_eq!(problem.findings[0].code, "SF6121");
        assert_eq!(scene.shown(&plan).await.approval, None);

        let approval: PlanApproval = scene.approve(&scene.ada, &plan).await.expect(201);
        assert_eq!((approval.approved.by.as_str(), &approval.effect_id), ("ada", &plan.plan.effect_id));
        let again: PlanApproval = scene.approve(&scene.ada, &plan).await.expect(200);
        assert_eq!(again, approval);
        let shown = scene.shown(&plan).await;
        assert_eq!((shown.plan, shown.approval), (plan.plan.clone(), Some(approval.approved)));

        scene.apply(&scene.ci, &plan).await.expect::<Apply>(202);
        scene.apply(&scene.ci, &plan).await.problem(409, "plan-consumed");
        scene.approve(&scene.bob, &plan).await.problem(409, "plan-consumed");
        // The same effect once more: it was undone, and its approval is used up.
        let back = scene.planned(&scene.ci, BOTH, "b").await;
        scene.apply(&scene.ci, &back).await.expect::<Apply>(202);
        let same = scene.planned(&scene.ci, ONE, "c").await;
        scene.apply(&scene.ci, &same).await.problem(403, "approval-needed");
    }

    async fn who_asks_does_not_approve(world: World) {
        let scene = Scene::new(world).await;
        let project = scene.place.project.id;
        let other = scene.world.user(project, "ada", Role::Admin).await;
        let own = scene.planned(&scene.ada, ONE, "a").await;
        // Another token of the same person is the same person.
        for token in [&scene.ada, &other] {
            scene.approve(token, &own).await.problem(403, "approval-own");
        }
        let by_ci = scene.planned(&scene.ci, ONE, "b").await;
        scene.approve(&scene.ada, &by_ci).await.expect::<PlanApproval>(201);
        // She has approved it: somebody else applies, and none that she made.
        for token in [&scene.ada, &other] {
            scene.apply(token, &by_ci).await.problem(403, "approval-needed");
        }
        scene.apply(&scene.bob, &own).await.problem(403, "approval-needed");
        scene.apply(&scene.bob, &by_ci).await.expect::<Apply>(202);
    }

    async fn only_an_admin_of_the_project_approves(world: World) {
        let scene = Scene::new(world).await;
        let plan = scene.planned(&scene.ci, ONE, "a").await;
        let project = scene.place.project.id;
        for role in [Role::Developer, Role::Viewer] {
            let token = scene.world.user(project, "eve", role).await;
            let problem = scene.approve(&token, &plan).await.problem(403, "forbidden");
            assert!(problem.detail.contains("Admin"), "{}", problem.detail);
        }
        scene.approve(&scene.ci, &plan).await.problem(403, "forbidden");
        let elsewhere = scene.world.place("blog").await.project.id;
        let stranger = scene.world.user(elsewhere, "eve", Role::Admin).await;
        scene.approve(&stranger, &plan).await.problem(404, "not-found");
        scene.apply(&scene.ci, &plan).await.problem(403, "approval-needed");
        let admin = scene.world.admin.clone();
        scene.approve(&admin, &plan).await.expect::<PlanApproval>(201);
        scene.apply(&scene.ci, &plan).await.expect::<Apply>(202);
    }

    async fn an_approval_is_for_one_effect(world: World) {
        let scene = Scene::new(world).await;
        let plan = scene.planned(&scene.ci, ONE, "a").await;
        scene.approve(&scene.ada, &plan).await.expect::<PlanApproval>(201);
        // An unrelated commit keeps it, any difference voids it.
        let other = scene.planned(&scene.ci, &[("web", "web:2")], "b").await;
        scene.apply(&scene.ci, &other).await.problem(403, "approval-needed");
        let later = scene.planned(&scene.ci, ONE, "c").await;
        assert_ne!(later.plan.plan_id, plan.plan.plan_id);
        assert_eq!(scene.shown(&later).await.approval.unwrap().by, "ada");
        scene.apply(&scene.ci, &later).await.expect::<Apply>(202);
        // What needs none is not approved.
        let harmless = scene.planned(&scene.ci, &[("web", "web:3")], "d").await;
        scene.approve(&scene.ada, &harmless).await.problem(409, "approval-not-needed");
        scene.apply(&scene.ci, &harmless).await.expect::<Apply>(202);
    }

    async fn of_two_applies_with_one_approval_one_passes(world: World) {
        let scene = Scene::new(world).await;
        let one = scene.planned(&scene.ci, ONE, "a").await;
        let two = scene.planned(&scene.ci, ONE, "b").await;
        assert_eq!(one.plan.effect_id, two.plan.effect_id);
        scene.approve(&scene.ada, &one).await.expect::<PlanApproval>(201);
        let twin = scene.world.twin().await;
        let actor = scene.actor(&scene.ci, None);
        let request = |plan| AcceptRequest {
            actor: &actor,
            project: scene.place.project.id,
            plan_id: plan,
            once: None,
            now: Timestamp::now(),
        };
        let before = index(&scene.world, &scene.place).await.generation;
        // Of one plan: the second finds it consumed. Of two plans: nothing is left to do for it.
        let (first, second) = (request(&one.plan.plan_id), request(&one.plan.plan_id));
        let (a, b) = tokio::join!(scene.world.store.accept(&first), twin.store.accept(&second));
        let results = [a.unwrap(), b.unwrap()];
        let count = |is: fn(&AcceptResult) -> bool| results.iter().filter(|one| is(one)).count();
        assert_eq!(count(|one| matches!(one, AcceptResult::Applied(_))), 1, "{results:?}");
        assert_eq!(count(|one| matches!(one, AcceptResult::Consumed(_))), 1, "{results:?}");
        scene.world.store.accept(&request(&two.plan.plan_id)).await.unwrap();
        assert_eq!(index(&scene.world, &scene.place).await.generation, before.next());
    }

    async fn an_apply_with_nothing_to_do_uses_its_approval_up(world: World) {
        let scene = Scene::new(world).await;
        let plan = scene.planned(&scene.ci, ONE, "a").await;
        let twin = scene.planned(&scene.ci, ONE, "b").await;
        scene.approve(&scene.ada, &plan).await.expect::<PlanApproval>(201);
        scene.apply(&scene.ci, &plan).await.expect::<Apply>(202);
        // Approved once more, although it is done.
        scene.approve(&scene.ada, &twin).await.expect::<PlanApproval>(201);
        scene.apply(&scene.ci, &twin).await.expect::<Apply>(202);
        assert_eq!(scene.shown(&twin).await.approval, None);
    }

    async fn who_is_no_admin_any_more_approves_nothing(world: World) {
        let scene = Scene::new(world).await;
        let now = Timestamp::now();
        let eve = scene.actor(&scene.ada, Some("eve"));
        let end = now.plus(std::time::Duration::from_secs(60));
        let new = NewToken { scope: &eve.scope, expires_at: Some(end) };
        let token = scene.world.store.issue_token(&eve, &new, now).await.unwrap();
        let plan = scene.planned(&scene.ci, ONE, "a").await;
        scene.approve(&token, &plan).await.expect::<PlanApproval>(201);
        let actor = scene.actor(&scene.ci, None);
        let apply_at = |now| AcceptRequest {
            actor: &actor,
            project: scene.place.project.id,
            plan_id: &plan.plan.plan_id,
            once: None,
            now,
        };
        let later = scene.world.store.accept(&apply_at(end)).await.unwrap();
        assert!(matches!(later, AcceptResult::Refused(_)), "{later:?}");
        let in_time = scene.world.store.accept(&apply_at(now)).await.unwrap();
        assert!(matches!(in_time, AcceptResult::Applied(_)), "{in_time:?}");
    }
}
