//! The program is killed at random moments while what is wanted changes at random: it comes to what is wanted, its
//! inventory names exactly that, and nothing was deleted that no plan lists.
//!
//! Effects: the real API server, processes of `starform-shuttle`, the API server's audit log.

use std::{collections::BTreeSet, ops::Range, path::PathBuf, time::Duration};

use kube::Client;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::Value;
use starform_contract::{Index, ObjectKey, bundle::DIGEST_ANNOTATION};
use starform_shuttle::{kinds::kind_of, persist::load_inventory};

use crate::{
    shell_shop::{Shop, nothing_here},
    shell_support::{cluster, empty_system, rights},
    shell_thread::{Program, read, write},
};

const NAMES: [&str; 5] = ["one", "two", "three", "four", "five"];
const IMAGES: [&str; 3] = ["a:1", "a:2", "a:3"];

/// What is wanted, as plans make it one after the other, and where it is written down.
struct Walk {
    dice: StdRng,
    shop: Shop,
    index: Index,
    folder: tempfile::TempDir,
    /// Bytes of the audit log before it.
    mark: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_killed_at_random_comes_to_what_is_wanted() {
    kill(1, 4).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "forty kills: `cargo xtask soak agent-killed`"]
async fn soak_the_program_killed_at_random_comes_to_what_is_wanted() {
    for seed in 1..=4 {
        kill(seed, 10).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_state_follows_any_other_on_the_real_api_server() {
    transit(1, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "two hundred applies: `cargo xtask soak agent-killed`"]
async fn soak_any_state_follows_any_other_on_the_real_api_server() {
    for seed in 1..=4 {
        transit(seed, 50).await;
    }
}

async fn kill(seed: u64, kills: usize) {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let mut walk = Walk::begin(&client, seed).await;
    for number in 0..kills {
        walk.step();
        let program = Program::start(walk.folder.path(), &[]);
        // From its first requests to the last of an apply.
        let wait = walk.pause(100..2_500);
        tokio::time::sleep(wait).await;
        program.kill();
        walk.only_what_is_listed_went(&format!("seed {seed}, kill {number} after {wait:?}"));
    }
    walk.step();
    walk.converge(&client, &format!("seed {seed}, after {kills} kills"))
        .await;
}

async fn transit(seed: u64, steps: usize) {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let mut walk = Walk::begin(&client, seed).await;
    for number in 0..steps {
        walk.step();
        walk.converge(&client, &format!("seed {seed}, step {number}"))
            .await;
    }
}

impl Walk {
    async fn begin(client: &Client, seed: u64) -> Self {
        rights(client).await;
        Self {
            dice: StdRng::seed_from_u64(seed),
            shop: Shop::new("walk", &[("one", "a:1")]),
            index: nothing_here(client).await,
            folder: tempfile::tempdir().unwrap(),
            mark: std::fs::read(audit_log()).unwrap().len(),
        }
    }

    fn pause(&mut self, millis: Range<u64>) -> Duration {
        Duration::from_millis(self.dice.random_range(millis))
    }

    /// Another plan is accepted: each service comes, goes, stays or gets another image.
    fn step(&mut self) {
        for name in NAMES {
            let image = IMAGES[self.dice.random_range(0..IMAGES.len())];
            let wanted = self.shop.services().any(|service| service == name);
            let last = self.shop.services().count() == 1;
            let shop = self.shop.clone();
            self.shop = match self.dice.random_range(0..3) {
                0 if wanted && !last => shop.without(name),
                0 => shop,
                1 => shop.image(name, image),
                _ => shop,
            };
        }
        let desired = self.shop.after(&self.index);
        write(self.folder.path(), &desired);
        self.index = desired.index;
    }

    /// A process that is not killed ends well, and a second one has nothing to write.
    async fn converge(&self, client: &Client, place: &str) {
        let once = async || {
            let (code, log) = Program::start(self.folder.path(), &["--once"]).wait().await;
            assert_eq!(code, Some(0), "{place}: {log}");
        };
        once().await;
        everything_is_as_wanted(client, &self.shop, place).await;
        self.only_what_is_listed_went(place);
        let mark = self.audited().len();
        once().await;
        let again = self.audited().split_off(mark);
        let written: Vec<&Value> = again.iter().filter(|entry| wrote(entry)).collect();
        assert!(written.is_empty(), "{place}: {written:#?}");
    }

    fn only_what_is_listed_went(&self, place: &str) {
        let listed: BTreeSet<String> = self
            .shop
            .dropped()
            .map(|key| kind_of(key).unwrap().path(key))
            .collect();
        for entry in self.audited() {
            let uri = entry["requestURI"].as_str().unwrap_or_default();
            let path = uri.split('?').next().unwrap_or_default();
            let went = entry["verb"] == "delete" || entry["verb"] == "deletecollection";
            assert!(!went || listed.contains(path), "{place}: {uri} went");
        }
    }

    /// What agents asked about the project since the walk began.
    fn audited(&self) -> Vec<Value> {
        let log = std::fs::read(audit_log()).unwrap();
        let namespace = self.shop.namespace();
        let lines = String::from_utf8_lossy(&log[self.mark..]).into_owned();
        lines
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|entry| entry["stage"] == "ResponseComplete")
            .filter(|entry| {
                let of = &entry["objectRef"];
                let agent = entry["userAgent"].as_str().unwrap_or_default();
                let here =
                    of["namespace"] == namespace.as_str() || of["name"] == namespace.as_str();
                agent.starts_with("starform-shuttle") && here
            })
            .collect()
    }
}

/// Every object of the shop lives as it is wanted, the inventory names exactly those, and what plans dropped is gone.
pub(crate) async fn everything_is_as_wanted(client: &Client, shop: &Shop, place: &str) {
    let shards = load_inventory(client).await.unwrap();
    let mut entries: Vec<_> = shards.into_iter().flat_map(|shard| shard.entries).collect();
    let namespace = shop.namespace();
    // Other tests leave projects behind, which no desired state names.
    entries.retain(|(key, _)| key.namespace.as_ref().unwrap_or(&key.name) == &namespace);
    let listed: BTreeSet<ObjectKey> = entries.iter().map(|(key, _)| key.clone()).collect();
    let environment = shop.environment();
    for object in environment.all_objects() {
        let key = object.key().unwrap();
        let live = read(client, &key).await;
        let live = live.unwrap_or_else(|| panic!("{place}: {key} is missing"));
        let stamp = &live["metadata"]["annotations"][DIGEST_ANNOTATION];
        assert_eq!(*stamp, object.digest.to_string(), "{place}: {key}");
        assert!(
            listed.contains(&key),
            "{place}: {key} is not in the inventory"
        );
    }
    let wanted: BTreeSet<ObjectKey> = shop.wanted();
    assert_eq!(listed, wanted, "{place}");
    for (key, entry) in entries {
        let live = read(client, &key).await;
        let live = live.unwrap_or_else(|| panic!("{place}: {key} is missing"));
        assert_eq!(
            entry.uid.as_deref(),
            live["metadata"]["uid"].as_str(),
            "{place}: {key}"
        );
    }
    for gone in shop.dropped().filter(|key| !wanted.contains(key)) {
        assert_eq!(read(client, gone).await, None, "{place}: {gone}");
    }
}

fn wrote(entry: &Value) -> bool {
    let verb = entry["verb"].as_str().unwrap_or_default();
    !["get", "list", "watch"].contains(&verb)
}

fn audit_log() -> PathBuf {
    let folder = std::env::var_os("TESTBED_DIR_FOR_TESTS").expect("the testbed's folder");
    PathBuf::from(folder).join("audit.log")
}
