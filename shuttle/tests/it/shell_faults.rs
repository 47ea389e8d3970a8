//! The program between a desired state that changes and an API server of which one answer in ten fails: it comes to
//! the same objects as without faults, in time, and asks for little more.
//!
//! Effects: the real API server behind a proxy, processes of `starform-shuttle`.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use kube::Client;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::Value;
use starform_contract::{Generation, Index, ObjectKey};

use crate::{
    shell_killed::everything_is_as_wanted,
    shell_proxy::{FAULTS, Proxy, Seen},
    shell_shop::{Shop, nothing_here, yearly},
    shell_support::{cluster, empty_system, rights},
    shell_thread::{Program, read, write},
};

/// Of the services of each; a tick waits for the pods of what serves, and not for what runs once a year.
const SERVING: [&str; 2] = ["web", "api"];
const YEARLY: [&str; 3] = ["one", "two", "three"];
/// No tick may take longer, whatever fails.
const TICK: Duration = Duration::from_secs(60);

/// Which desired states, and before what.
#[derive(Clone, Copy)]
struct Plot<'a> {
    seed: u64,
    ticks: usize,
    services: &'a [&'a str],
    /// How long a lost answer is waited for, at most.
    patience: Duration,
}

/// What a way through the same desired states came to.
struct Way {
    seen: Seen,
    ticks: Vec<Duration>,
    objects: BTreeMap<ObjectKey, Value>,
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failing_answer_in_ten_changes_nothing_but_the_time() {
    // Whoever waits for a lost answer here is told soon that none comes.
    let plot = Plot {
        seed: 3,
        ticks: 6,
        services: &YEARLY,
        patience: Duration::from_secs(1),
    };
    compare(plot).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "two hundred ticks: `cargo xtask soak agent-faults`"]
async fn soak_one_failing_answer_in_ten_changes_nothing_but_the_time() {
    let rough = compare(Plot {
        seed: 1,
        ticks: 200,
        services: &[SERVING.as_slice(), &YEARLY].concat(),
        patience: Duration::MAX,
    })
    .await;
    for fault in FAULTS {
        assert!(rough.faults.contains_key(&fault), "no {fault:?}: {rough:?}");
    }
}

async fn compare(plot: Plot<'_>) -> Seen {
    let Some(client) = cluster().await else {
        return Seen::default();
    };
    let _alone = empty_system(&client).await;
    rights(&client).await;
    let mut index = nothing_here(&client).await;
    let first: Vec<(&str, &str)> = plot.services.iter().map(|name| (*name, "a:0")).collect();
    let shop = YEARLY
        .iter()
        .fold(Shop::new("faults", &first), |shop, name| {
            shop.with(name, yearly())
        });
    let calm = lead(&client, &shop, &mut index, plot, false).await;
    let rough = lead(&client, &shop, &mut index, plot, true).await;
    let Plot { seed, ticks, .. } = plot;
    println!(
        "seed {seed}, {ticks} ticks: {} requests and at most {:?} a tick, with faults {} and {:?}: {:?}",
        calm.seen.requests,
        calm.longest(),
        rough.seen.requests,
        rough.longest(),
        rough.seen.faults,
    );
    assert!(!rough.seen.faults.is_empty(), "nothing failed");
    assert!(
        rough.seen.requests <= 2 * calm.seen.requests,
        "seed {seed}: {} requests, {} without faults: {:#?}",
        rough.seen.requests,
        calm.seen.requests,
        rough.seen.asked
    );
    assert_eq!(calm.objects, rough.objects, "seed {seed}");
    rough.seen
}

/// Leads the shop from its first state through as many others, of which each has one other image.
async fn lead(
    client: &Client,
    shop: &Shop,
    index: &mut Index,
    plot: Plot<'_>,
    faults: bool,
) -> Way {
    let Plot {
        seed,
        ticks,
        services,
        patience,
    } = plot;
    let folder = tempfile::tempdir().unwrap();
    accept(folder.path(), shop, index);
    let (code, log) = Program::start(folder.path(), &["--once"]).wait().await;
    assert_eq!(code, Some(0), "{log}");
    let kubeconfig = std::env::var_os("KUBECONFIG_FOR_TESTS").unwrap();
    let proxy = Proxy::start(kubeconfig.as_ref(), patience).await;
    if faults {
        proxy.faults(seed);
    }
    let program = Program::start_at(proxy.kubeconfig(), folder.path(), &["--log-json"]);
    let mut took = vec![finished(&program, index.generation).await];
    let mut dice = StdRng::seed_from_u64(seed);
    let mut shop = shop.clone();
    for tick in 1..=ticks {
        let name = services[dice.random_range(0..services.len())];
        shop = shop.image(name, &format!("a:{tick}"));
        accept(folder.path(), &shop, index);
        took.push(finished(&program, index.generation).await);
    }
    let seen = proxy.seen();
    program.terminate();
    let (code, log) = program.wait().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("ERROR"), "{log}");
    let place = format!("seed {seed}, faults: {faults}");
    // What was left to write down when it was stopped is written by the next one, and nothing else.
    let objects = lasting(client, &shop).await;
    let (code, log) = Program::start(folder.path(), &["--once"]).wait().await;
    assert_eq!(code, Some(0), "{place}: {log}");
    everything_is_as_wanted(client, &shop, &place).await;
    assert_eq!(lasting(client, &shop).await, objects, "{place}");
    Way {
        seen,
        ticks: took,
        objects,
    }
}

fn accept(folder: &Path, shop: &Shop, index: &mut Index) {
    let desired = shop.after(index);
    write(folder, &desired);
    *index = desired.index;
}

/// How long it took from now until the program said so.
pub(crate) async fn finished(program: &Program, generation: Generation) -> Duration {
    let began = Instant::now();
    let generation = generation.to_string();
    loop {
        let log = program.log();
        let said = log.lines().rev().find(|line| {
            let line: Value = serde_json::from_str(line).unwrap_or_default();
            line["fields"]["message"] == "finished" && line["span"]["generation"] == generation
        });
        if let Some(said) = said {
            assert!(said.contains(r#""failed":false"#), "{log}");
            return began.elapsed();
        }
        assert!(began.elapsed() < TICK, "generation {generation}: {log}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Every object of the shop, without what each write changes.
async fn lasting(client: &Client, shop: &Shop) -> BTreeMap<ObjectKey, Value> {
    let mut objects = BTreeMap::new();
    for key in shop.wanted() {
        let live = read(client, &key).await;
        let mut live = live.unwrap_or_else(|| panic!("{key} is missing"));
        let object = live.as_object_mut().unwrap();
        object.remove("status");
        let metadata = object["metadata"].as_object_mut().unwrap();
        metadata.retain(|field, _| {
            !["generation", "managedFields", "resourceVersion"].contains(&field.as_str())
        });
        if let Some(annotations) = metadata.get_mut("annotations") {
            let annotations = annotations.as_object_mut().unwrap();
            annotations.retain(|name, _| {
                name != "starform.io/generation" && name != "deployment.kubernetes.io/revision"
            });
        }
        objects.insert(key, live);
    }
    objects
}

impl Way {
    fn longest(&self) -> Duration {
        self.ticks.iter().copied().max().unwrap_or_default()
    }
}
