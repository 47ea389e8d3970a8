//! The API server is killed and comes back, or has forgotten what a watch wants to go on from: the program is at work
//! again within two ticks, and nothing that ran was touched.
//!
//! Effects: a testbed of its own, processes of `starform-shuttle`.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Command, id},
    time::{Duration, Instant},
};

use kube::Client;
use serde_json::{Value, json};
use starform_contract::{Index, ObjectKey};
use starform_shuttle::{
    call::{call, get, request},
    client,
    kinds::kind_of,
};

use crate::{
    shell_faults::finished,
    shell_proxy::Proxy,
    shell_shop::{Shop, nothing_here},
    shell_support::{eventually_within, rights},
    shell_thread::{Program, meddle, read, write},
};

const SERVER: &str = "kube-apiserver";
/// Two of the agent's intervals.
const TWO_TICKS: Duration = Duration::from_secs(60);

/// A cluster that other tests do not notice; ends with the value.
struct Testbed {
    folder: tempfile::TempDir,
}

/// What runs there, and what makes it so.
struct Scene {
    testbed: Testbed,
    client: Client,
    proxy: Proxy,
    program: Program,
    folder: tempfile::TempDir,
    shop: Shop,
    index: Index,
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_was_away_or_has_forgotten_finds_everything_as_it_was() {
    outages(1, Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "five times two outages of half a minute: `cargo xtask soak agent-faults`"]
async fn soak_an_api_server_that_was_away_or_has_forgotten_finds_everything_as_it_was() {
    outages(5, Duration::from_secs(30)).await;
}

async fn outages(rounds: usize, away: Duration) {
    if std::env::var_os("STARFORM_TEST_FAST").is_some() {
        return;
    }
    let mut scene = Scene::begin().await;
    for round in 1..=rounds {
        let back = scene.the_server_is_killed(round, away).await;
        let caught_up = scene.the_past_is_forgotten(round, away).await;
        println!("round {round}: back after {back:?}, caught up after {caught_up:?}");
    }
    scene.program.terminate();
    let (code, log) = scene.program.wait().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("ERROR"), "{log}");
}

impl Scene {
    async fn begin() -> Self {
        let testbed = Testbed::start();
        client::install_tls();
        let kubeconfig = testbed.kubeconfig();
        let client = client::cluster(Some(&kubeconfig)).await.unwrap();
        rights(&client).await;
        let proxy = Proxy::start(&kubeconfig, Duration::MAX).await;
        let shop = Shop::new(
            "outage",
            &[("one", "a:1"), ("two", "a:1"), ("three", "a:1")],
        );
        let desired = shop.after(&nothing_here(&client).await);
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &desired);
        let program = Program::start_at(proxy.kubeconfig(), folder.path(), &["--log-json"]);
        finished(&program, desired.index.generation).await;
        Self {
            testbed,
            client,
            proxy,
            program,
            folder,
            shop,
            index: desired.index,
        }
    }

    /// While it is away another image is wanted; gives how long that took once it was back.
    async fn the_server_is_killed(&mut self, round: usize, away: Duration) -> Duration {
        let before = self.running().await;
        self.testbed.run(&["kill-part", SERVER]);
        self.shop = self.shop.clone().image("two", &format!("b:{round}"));
        let desired = self.shop.after(&self.index);
        write(self.folder.path(), &desired);
        self.index = desired.index;
        tokio::time::sleep(away).await;
        self.testbed.run(&["restart-part", SERVER]);
        let began = Instant::now();
        let changed = self.shop.key("apps", "Deployment", "two");
        let image = async || {
            let live = read(&self.client, &changed).await?;
            let containers = &live["spec"]["template"]["spec"]["containers"];
            (containers[0]["image"] == format!("b:{round}")).then_some(())
        };
        eventually_within(TWO_TICKS, "the other image", image).await;
        let took = began.elapsed();
        // Nodes that could not say that they live, and their pods, take longer to be well.
        let generation = self.index.generation.to_string();
        let told = async || {
            let log = self.program.log();
            let mut lines = log.lines();
            let told = lines.any(|line| {
                let line: Value = serde_json::from_str(line).unwrap_or_default();
                let of = (&line["fields"]["service"], &line["fields"]["health"]);
                of == (&json!("two"), &json!("Current")) && line["span"]["generation"] == generation
            });
            told.then_some(())
        };
        eventually_within(2 * TWO_TICKS, "its pods, and the word of them", told).await;
        self.nothing_else_moved(before, round).await;
        took
    }

    /// The agent is cut off while others write and the versions are forgotten that it knows; gives how long it took
    /// until it had put right what it could not see.
    async fn the_past_is_forgotten(&mut self, round: usize, away: Duration) -> Duration {
        let before = self.running().await;
        self.proxy.cut();
        let edited = self.shop.key("apps", "Deployment", "two");
        meddle(&self.client, &edited, json!({"spec": {"replicas": 3}})).await;
        let deleted = self.shop.key("", "Service", "two");
        let path = kind_of(&deleted).unwrap().path(&deleted);
        let delete = request(http::Method::DELETE, &path, None);
        call(&self.client, delete).await.unwrap();
        self.testbed.run(&["compact"]);
        // Its cache of events goes with it.
        self.testbed.run(&["restart-part", SERVER]);
        meddle(
            &self.client,
            &self.shop.key("", "Service", "one"),
            json!({"metadata": {"labels": {"round": round.to_string()}}}),
        )
        .await;
        tokio::time::sleep(away).await;
        self.proxy.seen();
        self.proxy.clear();
        let began = Instant::now();
        eventually_within(TWO_TICKS, "what others did to be put right", async || {
            let replicas = read(&self.client, &edited).await?["spec"]["replicas"].clone();
            let back = read(&self.client, &deleted).await.is_some();
            (replicas == 1 && back).then_some(())
        })
        .await;
        let took = began.elapsed();
        let expired = self.proxy.seen().expired;
        assert!(expired > 0, "round {round}: every watch went on");
        self.nothing_else_moved(before, round).await;
        took
    }

    /// Everything of the services that nobody changes, and their pods, by uid and what is declared.
    async fn running(&self) -> BTreeMap<String, Value> {
        let namespace = self.shop.namespace();
        let mut found = BTreeMap::new();
        for service in ["one", "three"] {
            for key in [
                self.shop.key("apps", "Deployment", service),
                self.shop.key("", "Service", service),
                self.shop.key("", "ServiceAccount", service),
            ] {
                let live = read(&self.client, &key).await.unwrap();
                found.insert(key.to_string(), declared(&key, &live));
            }
        }
        let pods = format!("/api/v1/namespaces/{namespace}/pods");
        let pods = call(&self.client, get(&pods)).await.unwrap();
        for pod in pods["items"].as_array().unwrap() {
            let name = pod["metadata"]["name"].as_str().unwrap();
            if !name.starts_with("two") {
                found.insert(name.to_owned(), pod["metadata"]["uid"].clone());
            }
        }
        assert_eq!(found.len(), 8, "{found:#?}");
        found
    }

    async fn nothing_else_moved(&self, before: BTreeMap<String, Value>, round: usize) {
        assert_eq!(self.running().await, before, "round {round}");
    }
}

/// Labels are others' to write.
fn declared(key: &ObjectKey, live: &Value) -> Value {
    let mut live = live.clone();
    let uid = live["metadata"]["uid"].take();
    assert!(!uid.is_null(), "{key} has no uid");
    let stamps = live["metadata"]["annotations"].take();
    json!([uid, live["spec"], stamps])
}

impl Testbed {
    fn start() -> Self {
        let testbed = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        testbed.run(&["up", "--nodes=1", &format!("--owner-pid={}", id())]);
        testbed
    }

    fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    fn run(&self, words: &[&str]) {
        let binary = std::env::var_os("TESTBED_BIN_FOR_TESTS");
        let binary =
            binary.expect("TESTBED_BIN_FOR_TESTS names no testbed; run `cargo xtask test`");
        let mut command = Command::new(binary);
        command.args(words).arg("--dir").arg(self.folder.path());
        let ran = command.output().unwrap();
        let told = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{words:?}: {told}");
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        self.run(&["down"]);
    }
}
