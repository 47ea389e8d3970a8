//! Two agents that both hold the cluster, for their leases are lost, of which one hears of each change late and is
//! killed now and then: no field goes back to what it was.
//!
//! Effects: the real API server, processes of `starform-shuttle`.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use kube::Client;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use starform_contract::ObjectKey;

use crate::{
    shell_faults::finished,
    shell_killed::everything_is_as_wanted,
    shell_shop::{Shop, nothing_here, yearly},
    shell_support::{cluster, empty_system, eventually, rights},
    shell_thread::{Program, meddle, read, write},
};

const NAMES: [&str; 3] = ["one", "two", "three"];
/// Until then the two may still be finding each other.
const TICKS_TO_SETTLE: usize = 3;

/// One agent and what it is told.
struct Agent {
    folder: tempfile::TempDir,
    program: Program,
}

#[tokio::test(flavor = "multi_thread")]
async fn two_agents_without_a_lease_do_not_undo_each_other() {
    contend(1, Duration::from_secs(8)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "ten minutes: `cargo xtask soak agent-pair`"]
async fn soak_two_agents_without_a_lease_do_not_undo_each_other() {
    contend(1, Duration::from_secs(600)).await;
}

async fn contend(seed: u64, long: Duration) {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    rights(&client).await;
    let mut dice = StdRng::seed_from_u64(seed);
    let shop = Shop::new("pair", &NAMES.map(|name| (name, "a:0")));
    let mut shop = NAMES
        .iter()
        .fold(shop, |shop, name| shop.with(name, yearly()));
    let mut index = nothing_here(&client).await;
    let desired = shop.after(&index);
    index = desired.index.clone();
    let [first, mut second] = [(); 2].map(|()| Agent::start(&desired));
    finished(&first.program, index.generation).await;
    let mut allowed: BTreeMap<ObjectKey, i64> = BTreeMap::new();
    let mut others = BTreeMap::new();
    let (began, mut tick) = (Instant::now(), 0);
    while tick <= TICKS_TO_SETTLE || began.elapsed() < long {
        tick += 1;
        let place = format!("seed {seed}, tick {tick}");
        if tick == TICKS_TO_SETTLE + 1 {
            allowed = generations(&client, &shop).await;
            others = versions(&client, &shop).await;
        }
        let name = NAMES[dice.random_range(0..NAMES.len())];
        let changed = shop.key("batch", "CronJob", name);
        shop = shop.image(name, &format!("a:{tick}"));
        let desired = shop.after(&index);
        index = desired.index.clone();
        *allowed.entry(changed.clone()).or_default() += 1;
        write(first.folder.path(), &desired);
        let late = Duration::from_millis(dice.random_range(0..2_500));
        tokio::time::sleep(late).await;
        if dice.random_range(0..4) == 0 {
            // It goes on from what it was told before.
            second = second.again();
        }
        write(second.folder.path(), &desired);
        finished(&first.program, index.generation).await;
        finished(&second.program, index.generation).await;
        if dice.random_range(0..3) == 0 {
            meddle(&client, &changed, json!({"spec": {"suspend": true}})).await;
            eventually("the correction", async || {
                (read(&client, &changed).await?["spec"]["suspend"] == false).then_some(())
            })
            .await;
            // The edit, and its correction.
            *allowed.entry(changed).or_default() += 2;
        }
        if tick > TICKS_TO_SETTLE {
            assert_eq!(generations(&client, &shop).await, allowed, "{place}");
            assert_eq!(versions(&client, &shop).await, others, "{place}");
        }
    }
    println!("seed {seed}: {tick} ticks");
    for agent in [first, second] {
        agent.program.terminate();
        let (code, log) = agent.program.wait().await;
        assert_eq!(code, Some(0), "{log}");
        assert!(!log.contains("ERROR"), "{log}");
    }
    everything_is_as_wanted(&client, &shop, "at the end").await;
}

impl Agent {
    fn start(desired: &starform_shuttle::engine::io::Desired) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), desired);
        Self::of(folder)
    }

    fn of(folder: tempfile::TempDir) -> Self {
        let program = Program::start(folder.path(), &["--log-json"]);
        Self { folder, program }
    }

    fn again(self) -> Self {
        self.program.kill();
        Self::of(self.folder)
    }
}

/// How often what is declared in each CronJob has changed: the API server counts.
async fn generations(client: &Client, shop: &Shop) -> BTreeMap<ObjectKey, i64> {
    let mut found = BTreeMap::new();
    for name in NAMES {
        let key = shop.key("batch", "CronJob", name);
        let live = read(client, &key).await.unwrap();
        found.insert(key, live["metadata"]["generation"].as_i64().unwrap());
    }
    found
}

/// Of what nobody changes.
async fn versions(client: &Client, shop: &Shop) -> BTreeMap<ObjectKey, Value> {
    let mut found = BTreeMap::new();
    for name in NAMES {
        let key = shop.key("", "ServiceAccount", name);
        let live = read(client, &key).await.unwrap();
        found.insert(key, live["metadata"]["resourceVersion"].clone());
    }
    found
}
