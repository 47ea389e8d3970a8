//! What a cluster's agent gets: desired state and its waiting, bundles, the lease.

use std::time::{Duration, Instant};

use starform_contract::{Bundle, Digest, Generation, Index};
use starform_reconciler::{store::Lease, time::Timestamp};

use tokio_util::sync::CancellationToken;

use crate::{
    fixture::{applied, index, planned},
    world::on_both,
};

on_both! {
    async fn the_index_is_sent_once_and_then_only_its_tag(world: World) {
        let place = world.place("shop").await;
        let first = world.agent(&place, "a", "desired-state", &[]).await;
        let empty: Index = first.expect(200);
        assert_eq!(Index { signature: None, ..empty.clone() }, Index::empty(place.cluster));
        assert_eq!(first.header("etag"), empty.etag());
        let tag = empty.etag();
        let second = world.agent(&place, "a", "desired-state", &[("if-none-match", &tag)]).await;
        assert_eq!((second.status.as_u16(), second.text.as_str()), (304, ""));
        assert_eq!(second.header("etag"), tag);
        applied(&world, &place, "production", &[("web", "web:1")]).await;
        let third: Index = world.agent(&place, "a", "desired-state", &[("if-none-match", &tag)]).await.expect(200);
        assert_eq!(third.generation, Generation::new(1));
        assert_eq!(third.parent, Some(empty.digest));
        assert!(third.digest_holds());
    }

    async fn a_waiting_agent_is_woken_by_an_accept(world: World) {
        let place = world.place("shop").await;
        let tag = Index::empty(place.cluster).etag();
        let headers = [("if-none-match", tag.as_str()), ("prefer", "wait=30")];
        let begun = Instant::now();
        let accept = async {
            world.awaited(place.cluster).await;
            applied(&world, &place, "production", &[("web", "web:1")]).await
        };
        let (reply, _) = tokio::join!(world.agent(&place, "a", "desired-state", &headers), accept);
        let woken: Index = reply.expect(200);
        assert_eq!(woken.generation, Generation::new(1));
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    }

    async fn an_accept_in_another_process_wakes_too(world: World) {
        let place = world.place("shop").await;
        let other = world.twin().await;
        let tag = Index::empty(place.cluster).etag();
        let headers = [("if-none-match", tag.as_str()), ("prefer", "wait=30")];
        let stop = CancellationToken::new();
        let watching = tokio::spawn({
            let (store, stop) = (world.store.clone(), stop.clone());
            async move { store.watch_changes(stop).await }
        });
        let accept = async {
            world.awaited(place.cluster).await;
            applied(&other, &place, "production", &[("web", "web:1")]).await
        };
        let begun = Instant::now();
        let (reply, _) = tokio::join!(world.agent(&place, "a", "desired-state", &headers), accept);
        let _: Index = reply.expect(200);
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
        stop.cancel();
        watching.await.unwrap();
    }

    async fn waiting_ends_with_304(world: World) {
        let place = world.place("shop").await;
        let tag = Index::empty(place.cluster).etag();
        let headers = [("if-none-match", tag.as_str()), ("prefer", "wait=1")];
        let begun = Instant::now();
        let reply = world.agent(&place, "a", "desired-state", &headers).await;
        assert_eq!(reply.status.as_u16(), 304);
        assert!(begun.elapsed() >= Duration::from_secs(1));
    }

    async fn bundles_are_served_to_their_cluster_once_accepted(world: World) {
        let place = world.place("shop").await;
        let other = world.place("blog").await;
        let proposal = planned(&world, &place, "production", &[("web", "web:1")]).await;
        let path = format!("bundles/{}", proposal.environment.digest());
        world.agent(&place, "a", &path, &[]).await.problem(404, "not-found");
        applied(&world, &place, "production", &[("web", "web:1")]).await;
        for digest in index(&world, &place).await.bundles() {
            let path = format!("bundles/{digest}");
            let reply = world.agent(&place, "a", &path, &[]).await;
            let bundle: Bundle = reply.expect(200);
            assert_eq!(bundle.digest(), *digest);
            assert_eq!(Digest::of_bytes(reply.text.as_bytes()), *digest);
            assert_eq!(reply.header("cache-control"), "private, max-age=31536000, immutable");
            assert_eq!(reply.header("vary"), "accept-encoding");
            world.agent(&other, "a", &path, &[]).await.problem(404, "not-found");
        }
        world.agent(&place, "a", "bundles/sha256:1", &[]).await.problem(404, "not-found");
    }

    async fn what_is_large_goes_encoded_to_who_reads_it(world: World) {
        let place = world.place("shop").await;
        applied(&world, &place, "production", &[("web", "web:1")]).await;
        let mut paths = vec!["desired-state".to_owned()];
        let index = index(&world, &place).await;
        paths.extend(index.bundles().into_iter().map(|digest| format!("bundles/{digest}")));
        for path in paths {
            let plain = world.agent(&place, "a", &path, &[]).await;
            assert!(!plain.headers.contains_key("content-encoding"), "{path}");
            let reads = [("accept-encoding", "gzip, zstd")];
            let encoded = world.agent(&place, "a", &path, &reads).await;
            assert_eq!(encoded.status.as_u16(), 200);
            assert_eq!(encoded.header("content-encoding"), "zstd", "{path}");
            assert!(encoded.sent.len() < plain.sent.len(), "{path}");
            assert_eq!(encoded.text, plain.text);
            for name in ["etag", "cache-control", "content-type", "vary"] {
                assert_eq!(encoded.header(name), plain.header(name), "{path}");
            }
            for other in ["identity", "zstd;q=0", "br"] {
                let reply = world.agent(&place, "a", &path, &[("accept-encoding", other)]).await;
                assert!(!reply.headers.contains_key("content-encoding"), "{path} {other}");
            }
        }
        let known = [("accept-encoding", "zstd"), ("if-none-match", &*index.etag())];
        let unchanged = world.agent(&place, "a", "desired-state", &known).await;
        assert_eq!(unchanged.status.as_u16(), 304);
        assert_eq!(unchanged.header("etag"), index.etag());
        assert!(unchanged.sent.is_empty() && !unchanged.headers.contains_key("content-encoding"));
        let missing = format!("bundles/{}", Digest::of_bytes(b"none"));
        world.agent(&place, "a", &missing, &known).await.problem(404, "not-found");
    }

    async fn one_instance_at_a_time_holds_the_lease(world: World) {
        let place = world.place("shop").await;
        assert_eq!(world.agent(&place, "a", "desired-state", &[]).await.status.as_u16(), 200);
        let standby = world.agent(&place, "b", "desired-state", &[]).await;
        standby.problem(409, "standby");
        let seconds: u64 = standby.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
        assert_eq!(world.agent(&place, "a", "desired-state", &[]).await.status.as_u16(), 200);
        world.agent(&place, "", "desired-state", &[]).await.problem(400, "invalid-header");
    }

    async fn a_lease_is_renewed_and_ends(world: World) {
        let place = world.place("shop").await;
        let begin = Timestamp::from_millis(1_000_000_000);
        let at = |seconds| begin.plus(Duration::from_secs(seconds));
        let standby = |seconds| Lease::Standby(Duration::from_secs(seconds));
        for (instance, second, expected) in [
            ("a", 0, Lease::Held),
            ("b", 20, standby(40)),
            ("a", 20, Lease::Held),
            ("a", 40, Lease::Held),
            ("b", 99, standby(1)),
            ("b", 100, Lease::Held),
            ("a", 101, standby(59)),
        ] {
            let lease = world.store.lease(place.cluster, instance, at(second)).await.unwrap();
            assert_eq!(lease, expected, "{instance} at {second} s");
        }
        let nowhere = starform_contract::ClusterId::new(uuid::Uuid::nil());
        assert_eq!(world.store.lease(nowhere, "a", begin).await.unwrap(), Lease::NoCluster);
    }
}
