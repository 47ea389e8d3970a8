//! Signed desired state: who signs, how keys change, and going on after a restored store.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Value, json};
use starform_contract::{
    Generation, Index,
    signature::{Unsigned, verify},
};
use starform_reconciler::api::body::{
    Cluster, Items, RegisteredCluster, ResetGeneration, SigningKeys,
};

use crate::{
    fixture::applied,
    world::{keys, on_both},
};

on_both! {
    async fn what_is_served_is_signed_by_a_key_that_agents_are_told_of(world: World) {
        let registered: RegisteredCluster = world
            .post(&world.admin, "/v1/clusters", &json!({"name": "own"}))
            .await
            .expect(201);
        assert_eq!(registered.trusted_keys, world.keys.trusted());
        let place = world.place("shop").await;
        applied(&world, &place, "production", &[("web", "web:1")]).await;
        let index: Index = world.agent(&place, "a", "desired-state", &[]).await.expect(200);
        assert_eq!(verify(&registered.trusted_keys, &index), Ok(()));
    }

    async fn keys_change_while_an_agent_goes_on(world: World) {
        let mut world = world;
        let place = world.place("shop").await;
        let old = world.keys.trusted();
        world.keys = keys(&[("test", 7), ("next", 8)]);
        let all: SigningKeys = world.get(&world.admin, "/v1/signing-keys").await.expect(200);
        let ids: BTreeSet<&str> = all.trusted_keys.iter().map(|key| key.id()).collect();
        assert_eq!(ids, BTreeSet::from(["next", "test"]));
        let before: Index = world.agent(&place, "a", "desired-state", &[]).await.expect(200);
        assert_eq!(verify(&old, &before), Ok(()));
        assert_eq!(verify(&all.trusted_keys, &before), Ok(()));
        world.keys = keys(&[("next", 8), ("test", 7)]);
        let after: Index = world.agent(&place, "a", "desired-state", &[]).await.expect(200);
        // Another signature is no other state.
        assert_eq!(after.digest, before.digest);
        assert_eq!(verify(&all.trusted_keys, &after), Ok(()));
        assert_eq!(verify(&old, &after), Err(Unsigned::UnknownKey("next".to_owned())));
    }

    async fn a_restored_store_goes_on_after_its_agent(world: World) {
        let place = world.place("shop").await;
        applied(&world, &place, "production", &[("web", "web:1")]).await;
        let reset = format!("/v1/clusters/{}/reset-generation", place.cluster);
        let early = world.post(&world.admin, &reset, &Value::Null).await;
        let told = early.problem(409, "agent-unknown").detail;
        assert!(told.contains("start it"), "{told}");
        let says = [("starform-agent-generation", "41"), ("starform-agent-refuses", "went-back")];
        let _: Index = world.agent(&place, "a", "desired-state", &says).await.expect(200);
        let all: Items<Cluster> = world.get(&world.admin, "/v1/clusters").await.expect(200);
        let agent = &all.items[0].agent;
        assert_eq!(agent.generation, Some(Generation::new(41)));
        assert_eq!(agent.refuses.as_deref(), Some("went-back"));
        let made: ResetGeneration = world.post(&world.admin, &reset, &Value::Null).await.expect(200);
        assert_eq!((made.agent.number(), made.generation.number()), (41, 42));
        let says = [("starform-agent-generation", "42")];
        let index: Index = world.agent(&place, "a", "desired-state", &says).await.expect(200);
        assert_eq!(index.generation, Generation::new(42));
        assert_eq!(index.projects.len(), 1);
        let all: Items<Cluster> = world.get(&world.admin, "/v1/clusters").await.expect(200);
        assert_eq!(all.items[0].agent.refuses, None);
        // What comes next comes after it.
        applied(&world, &place, "production", &[("web", "web:2")]).await;
        let next: Index = world.agent(&place, "a", "desired-state", &[]).await.expect(200);
        assert_eq!(next.generation, Generation::new(43));
        assert_eq!(next.parent, Some(index.digest));
    }

    async fn what_an_agent_says_is_a_number_and_a_word(world: World) {
        let place = world.place("shop").await;
        for says in [
            ("starform-agent-generation", "-1"),
            ("starform-agent-generation", "many"),
            ("starform-agent-refuses", "<script>"),
            ("starform-agent-refuses", ""),
        ] {
            let path = format!("/v1/clusters/{}/desired-state", place.cluster);
            let headers = [("starform-agent-instance", "a"), says];
            world
                .ask(Method::GET, Some(&place.agent), &path, &headers, &Value::Null)
                .await
                .problem(400, "invalid-header");
        }
    }
}
