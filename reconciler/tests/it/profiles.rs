//! What the profile of a cluster keeps from being planned, and what is said of it.

use axum::http::Method;
use serde_json::{Value, json};
use starform_contract::{ClusterProfile, Index};
use starform_plan::document::Plans;
use starform_reconciler::api::body::{Cluster, Items, Problem};

use crate::world::{Place, Reply, World, on_both};

fn shop(volume: &str) -> String {
    format!(
        r#"project shop {{
    environment production branch=main
    worker mailer {{
        image "ghcr.io/example/mailer:1"
        {volume}
    }}
}}
"#
    )
}

async fn plan(world: &World, place: &Place, text: &str) -> Reply {
    let body = json!({"source": {"files": {"starform.kdl": text}}});
    let path = format!("/v1/projects/{}/plans", place.project.id);
    world.post(&world.admin, &path, &body).await
}

async fn set(world: &World, place: &Place, profile: Value) -> Reply {
    let path = format!("/v1/clusters/{}/settings", place.cluster);
    world
        .ask(
            Method::PATCH,
            Some(&world.admin),
            &path,
            &[],
            &json!({"profile": profile}),
        )
        .await
}

on_both! {
    async fn a_profile_that_does_not_fit_is_refused_at_its_place(world: World) {
        let place = world.place("shop").await;
        let wrong = json!({"egress": {"allowed": ["::/0"]}, "base_domain": "-"});
        let Problem { detail, .. } = set(&world, &place, wrong).await.problem(422, "invalid-profile");
        assert!(detail.contains("\nbase_domain: `-` is no domain"), "{detail}");
        assert!(detail.contains("\negress.allowed[0]: `::/0` opens everything"), "{detail}");
        let shape = json!({"tiers": {"free": {"quota": {"cpu": "many"}}}});
        let Problem { detail, .. } = set(&world, &place, shape).await.problem(400, "invalid-body");
        assert!(detail.contains("profile.tiers.free.quota.cpu: `many` is not an amount of CPU"), "{detail}");
        let body = json!({"name": "other", "profile": {"tiers": {}}});
        world.post(&world.admin, "/v1/clusters", &body).await.problem(422, "invalid-profile");
        let planning = world.store.planning(place.project.id).await.unwrap().unwrap();
        assert_eq!(planning.profile, ClusterProfile::default());
    }

    async fn a_tier_that_the_cluster_does_not_know_is_told_with_those_it_knows(world: World) {
        let place = world.place("shop").await;
        let tiers = json!({"tiers": {"bronze": {}, "silver": {}}});
        let _: Cluster = set(&world, &place, tiers).await.expect(200);
        let Problem { detail, .. } = plan(&world, &place, &shop("")).await.problem(422, "cluster-lacks");
        assert!(detail.contains("of tier `standard`"), "{detail}");
        assert!(detail.contains("it knows `bronze`, `silver`"), "{detail}");
    }

    async fn a_storage_class_that_the_cluster_lacks_is_told_at_its_place(world: World) {
        let place = world.place("shop").await;
        let classes = json!({"storage_classes": {"slow": {"class": "hdd"}}});
        let _: Cluster = set(&world, &place, classes).await.expect(200);
        let fast = shop(r#"volume data mount="/data" size="1Gi" class=fast"#);
        let Problem { detail, .. } = plan(&world, &place, &fast).await.problem(422, "cluster-lacks");
        assert!(detail.contains("starform.kdl:5:"), "{detail}");
        assert!(detail.contains("mailer: the volume data names the storage class `fast`"), "{detail}");
        assert!(detail.contains("it has `slow`"), "{detail}");
    }

    async fn a_volume_grows_only_where_its_class_does(world: World) {
        let place = world.place("shop").await;
        let volume = |size: &str| shop(&format!(r#"volume data mount="/data" size="{size}" class=slow"#));
        let class = |grows: bool| json!({"storage_classes": {"slow": {"class": "hdd", "grows": grows}}});
        let _: Cluster = set(&world, &place, class(false)).await.expect(200);
        let plans: Plans = plan(&world, &place, &volume("1Gi")).await.expect(201);
        let path = format!("/v1/plans/{}/apply", plans.plans[0].plan_id);
        let applied = world.ask(Method::POST, Some(&world.admin), &path, &[("idempotency-key", "1")], &json!({})).await;
        assert!(applied.status.is_success(), "{}", applied.text);
        let Problem { detail, .. } = plan(&world, &place, &volume("2Gi")).await.problem(422, "cluster-lacks");
        assert!(detail.contains("the volume data cannot grow from 1Gi to 2Gi"), "{detail}");
        // Nor under another name of its service.
        let renamed = volume("2Gi").replace("worker mailer", "worker post was=mailer");
        let Problem { detail, .. } = plan(&world, &place, &renamed).await.problem(422, "cluster-lacks");
        assert!(detail.contains("post: the volume data cannot grow from 1Gi to 2Gi"), "{detail}");
        let _: Cluster = set(&world, &place, class(true)).await.expect(200);
        let _: Plans = plan(&world, &place, &volume("2Gi")).await.expect(201);
    }

    async fn what_follows_from_a_profile_is_the_platforms_in_the_next_plan(world: World) {
        let place = world.place("shop").await;
        let plans: Plans = plan(&world, &place, &shop("")).await.expect(201);
        let path = format!("/v1/plans/{}/apply", plans.plans[0].plan_id);
        let applied = world.ask(Method::POST, Some(&world.admin), &path, &[("idempotency-key", "1")], &json!({})).await;
        assert!(applied.status.is_success(), "{}", applied.text);
        let denied = json!({"egress": {"denied": ["203.0.113.0/24"]}, "registry_secret": {"name": "registry"}});
        let _: Cluster = set(&world, &place, denied).await.expect(200);
        let plans: Plans = plan(&world, &place, &shop("")).await.expect(201);
        let changes = &plans.plans[0].objects;
        let kinds: Vec<&str> = changes.iter().map(|change| change.key.kind.as_str()).collect();
        assert!(kinds.contains(&"NetworkPolicy") && kinds.contains(&"ServiceAccount"), "{kinds:?}");
        let owner = serde_json::to_value(&changes[0].owner).unwrap();
        assert!(changes.iter().all(|change| serde_json::to_value(&change.owner).unwrap() == owner));
        assert_eq!(owner, "platform");
    }

    async fn the_size_of_the_load_balancer_is_a_generation_of_its_own(world: World) {
        let place = world.place("shop").await;
        let path = format!("/v1/clusters/{}/settings", place.cluster);
        let ask = |body: Value| {
            let (world, path) = (&world, &path);
            async move { world.ask(Method::PATCH, Some(&world.admin), path, &[], &body).await }
        };
        ask(json!({"lb_size_units": 2})).await.problem(422, "no-load-balancer");
        let gateway = json!({"name": "gw", "namespace": "gws", "load_balancer": {"service": "lb"}});
        let profile = json!({"gateway": gateway, "people": ["ops-*"]});
        let set: Cluster = ask(json!({"profile": profile, "lb_size_units": 2})).await.expect(200);
        assert_eq!((set.generation.number(), set.lb_size_units), (1, Some(2)));
        let index: Index = world.agent(&place, "a", "desired-state", &[]).await.expect(200);
        assert!(index.digest_holds());
        assert_eq!(index.people, ["ops-*"]);
        let [patch] = index.annotation_patches.as_slice() else { panic!("{index:?}") };
        assert_eq!(patch.key.to_string(), "core/Service/gws/lb");
        let units = &patch.annotations["service.beta.kubernetes.io/do-loadbalancer-size-unit"];
        assert_eq!(units, "2");
        // What is so already makes no generation; an accept carries it on.
        let set: Cluster = ask(json!({"lb_size_units": 2})).await.expect(200);
        assert_eq!(set.generation.number(), 1);
        let plans: Plans = plan(&world, &place, &shop("")).await.expect(201);
        let apply = format!("/v1/plans/{}/apply", plans.plans[0].plan_id);
        let applied = world.ask(Method::POST, Some(&world.admin), &apply, &[("idempotency-key", "1")], &json!({})).await;
        assert!(applied.status.is_success(), "{}", applied.text);
        let index: Index = world.agent(&place, "a", "desired-state", &[]).await.expect(200);
        assert_eq!((index.generation.number(), index.annotation_patches.len()), (2, 1));
        let says = [("starform-agent-annotations", "absent")];
        let _: Index = world.agent(&place, "a", "desired-state", &says).await.expect(200);
        let all: Items<Cluster> = world.get(&world.admin, "/v1/clusters").await.expect(200);
        assert_eq!(all.items[0].agent.annotations.as_deref(), Some("absent"));
        let set: Cluster = ask(json!({"lb_size_units": 0})).await.expect(200);
        assert_eq!((set.generation.number(), set.lb_size_units), (3, None));
        let index: Index = world.agent(&place, "a", "desired-state", &[]).await.expect(200);
        assert_eq!(index.annotation_patches, []);
    }
}
