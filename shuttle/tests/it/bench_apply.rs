//! What an apply costs next to the least that it could: `cargo xtask bench apply`; a slice of its counts in every test run.
//!
//! Effects: the real API server and its audit log, processes of `starform-shuttle`; prints a figure a line, as
//! `bench --json` does. Always holds: floor and agent write the same objects, rendered as they always are, into
//! namespaces that are not there yet, on the same API server.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::{HeaderValue, Request, header::ACCEPT};
use kube::Client;
use serde_json::{Value, json};
use starform_contract::Object;
use starform_shuttle::{
    call::{call, get},
    cluster::patch,
    engine::io::{Apply, FieldManager},
    kinds::kind_of,
    manifests::agent_user,
};

use crate::{
    shell_agent::{Agent, Identity},
    shell_audit::{Asked, Mark, silence_of},
    shell_fleet::Fleet,
    shell_shop::nothing_here,
    shell_support::{cluster, empty_system, eventually, rights},
};

/// More than these at once do not make the API server faster.
const AT_ONCE: usize = 8;
/// Nothing that an apply leaves to do takes longer to begin.
const SILENCE: Duration = Duration::from_millis(1500);

#[derive(Debug, Clone, Copy)]
struct Size {
    projects: usize,
    services: usize,
}

/// What one apply from nothing took, in milliseconds.
struct Took {
    /// From the start of the process until the last object was written.
    written: f64,
    /// From the first of these requests on.
    writing: f64,
    /// Until every project was told to be finished.
    finished: f64,
    objects: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_takes_one_request_an_object_and_what_is_there_none() {
    let Some(client) = cluster().await else {
        return;
    };
    let size = Size {
        projects: 2,
        services: 3,
    };
    let _alone = empty_system(&client).await;
    let mut scene = Scene::begin(&client, size).await;
    scene.everything().await;
    scene.nothing_again().await;
    scene.one_image(false).await;
    scene.one_image(true).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a minute, and its times mean something in release only: `cargo xtask bench apply`"]
async fn bench_an_apply_next_to_its_floor() {
    let Some(client) = cluster().await else {
        return;
    };
    let size = Size {
        projects: 20,
        services: 50,
    };
    let _alone = empty_system(&client).await;
    rights(&client).await;
    let first = floor(&client, size).await;
    let mut scene = Scene::begin(&client, size).await;
    let took = scene.everything().await;
    let second = floor(&client, size).await;
    // What the API server holds slows it down: the floor is taken before and after.
    let floor = f64::midpoint(first, second);
    print(
        "apply/from nothing, to the last write",
        took.written,
        Some(floor),
        "ms",
    );
    print(
        "apply/from nothing, first to last write",
        took.writing,
        Some(floor),
        "ms",
    );
    print(
        "apply/from nothing, to finished",
        took.finished,
        Some(floor),
        "ms",
    );
    print("apply/floor, before", first, None, "ms");
    print("apply/floor, after", second, None, "ms");
    print("apply/objects", took.objects as f64, None, "objects");
    let (_, most) = scene.agent.mebibytes();
    print("apply/memory at most", most, None, "MiB");
    let processor = scene.agent.processor_seconds();
    print("apply/processor", processor, None, "s");
    let again = scene.nothing_again().await;
    print(
        "apply/requests of the same again",
        again as f64,
        None,
        "requests",
    );
    for (name, verified) in [("one image", false), ("one verified image", true)] {
        let (outside, inside) = scene.one_image(verified).await;
        print(
            &format!("apply/requests of {name}"),
            outside as f64,
            None,
            "requests",
        );
        let name = format!("apply/requests of {name} in starform-system");
        print(&name, inside as f64, None, "requests");
    }
}

struct Scene {
    fleet: Fleet,
    folder: tempfile::TempDir,
    agent: Agent,
    user: String,
    began: i64,
    mark: Mark,
    /// Of images.
    changes: usize,
}

impl Scene {
    /// An agent that has just started, and everything still to do.
    async fn begin(client: &Client, size: Size) -> Self {
        let identity = Identity::install(client).await;
        let index = nothing_here(client).await;
        let mut fleet = Fleet::new(index, size.projects, size.services);
        let folder = tempfile::tempdir().unwrap();
        fleet.accept(folder.path());
        let (began, mark) = (micros_now(), Mark::now());
        let agent = identity.start(folder.path(), &[]);
        Self {
            agent,
            user: agent_user(),
            fleet,
            folder,
            began,
            mark,
            changes: 0,
        }
    }

    async fn everything(&self) -> Took {
        let finished = self.all_finished(1).await;
        silence_of(&self.user, SILENCE).await;
        let asked = self.mark.asked_by(&self.user);
        let objects = self.fleet.objects().len();
        let outside: Vec<&Asked> = asked.iter().filter(|asked| !asked.is_inside()).collect();
        let writes: Vec<&&Asked> = outside.iter().filter(|asked| asked.is_write()).collect();
        let dry_runs = outside.iter().filter(|asked| asked.is_dry_run()).count();
        let told = by_verb(&asked);
        assert_eq!((writes.len(), dry_runs), (objects, 0), "{told:#?}");
        assert!(writes.iter().all(|write| write.code < 300), "{told:#?}");
        let first = writes.iter().map(|write| write.received).min().unwrap();
        let last = writes.iter().map(|write| write.answered).max().unwrap();
        eprintln!("{told:#?}");
        Took {
            written: (last - self.began) as f64 / 1e3,
            writing: (last - first) as f64 / 1e3,
            finished: finished.as_secs_f64() * 1e3,
            objects,
        }
    }

    /// The same is there once more, and a generation that wants the same.
    async fn nothing_again(&mut self) -> usize {
        let index = self.folder.path().join("index.json");
        let mark = Mark::now();
        std::fs::write(&index, std::fs::read(&index).unwrap()).unwrap();
        tokio::time::sleep(SILENCE).await;
        let asked = mark.asked_beside_watches(&self.user);
        assert!(asked.is_empty(), "{asked:#?}");
        let mark = Mark::now();
        let generation = self.fleet.accept(self.folder.path());
        self.all_finished(generation).await;
        silence_of(&self.user, SILENCE).await;
        let asked = mark.asked_beside_watches(&self.user);
        let (inside, outside): (Vec<&Asked>, Vec<&Asked>) =
            asked.iter().partition(|asked| asked.is_inside());
        assert!(outside.is_empty(), "{outside:#?}");
        assert!(inside.len() <= 1, "the index is kept, no more: {inside:#?}");
        outside.len()
    }

    /// Requests outside of starform-system, and inside.
    async fn one_image(&mut self, verified: bool) -> (usize, usize) {
        self.changes += 1;
        let image = format!("registry.test/app:changed-{}", self.changes);
        self.fleet.change_image(0, "app1", &image, verified);
        let mark = Mark::now();
        let generation = self.fleet.accept(self.folder.path());
        self.all_finished(generation).await;
        silence_of(&self.user, SILENCE).await;
        let asked = mark.asked_beside_watches(&self.user);
        let (inside, outside): (Vec<&Asked>, Vec<&Asked>) =
            asked.iter().partition(|asked| asked.is_inside());
        let dry_runs = outside.iter().filter(|asked| asked.is_dry_run()).count();
        let expected = if verified { (1, 0) } else { (2, 1) };
        assert_eq!((outside.len(), dry_runs), expected, "{outside:#?}");
        assert!(inside.len() <= 4, "{inside:#?}");
        (outside.len(), inside.len())
    }

    /// How long after the agent's start that was told.
    async fn all_finished(&self, generation: u64) -> Duration {
        let projects = self.fleet.projects();
        let last = self.agent.all_finished(generation, projects).await;
        Duration::from_micros(u64::try_from(last - self.began).unwrap())
    }
}

/// One server-side apply for each object, as bare and as many at once as is of use: milliseconds.
async fn floor(client: &Client, size: Size) -> f64 {
    let fleet = Fleet::new(nothing_here(client).await, size.projects, size.services);
    let (namespaces, others): (Vec<&Object>, Vec<&Object>) = fleet
        .objects()
        .into_iter()
        .partition(|object| object.manifest["kind"] == "Namespace");
    let [namespaces, others] = [namespaces, others].map(|objects| {
        let requests = objects.into_iter().map(bare);
        requests.collect::<Vec<_>>()
    });
    let began = Instant::now();
    for requests in [namespaces, others] {
        let answers = stream::iter(requests).map(|request| call(client, request));
        let answers = answers.buffer_unordered(AT_ONCE);
        answers.try_for_each(|_| async { Ok(()) }).await.unwrap();
    }
    let took = began.elapsed();
    controllers_have_seen(client).await;
    took.as_secs_f64() * 1e3
}

/// Without the label by which the agent would take notice of it.
fn bare(object: &Object) -> Request<Vec<u8>> {
    const METADATA: HeaderValue =
        HeaderValue::from_static("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
    let key = object.key().unwrap();
    let mut manifest = object.manifest.clone();
    manifest["metadata"]["labels"]["app.kubernetes.io/managed-by"] = json!("floor");
    let apply = Apply {
        key: key.clone(),
        manifest: std::sync::Arc::new(Value::Null),
        manager: FieldManager::Shuttle,
        force: false,
        dry_run: false,
        sealed: None,
    };
    let mut request = patch(kind_of(&key).unwrap(), &apply, &manifest);
    request.headers_mut().insert(ACCEPT, METADATA);
    request
}

/// What they still have to do is not measured with what comes next.
async fn controllers_have_seen(client: &Client) {
    eventually("the controllers to be through", async || {
        let all = call(client, get("/apis/apps/v1/deployments"))
            .await
            .unwrap();
        let all = all["items"].as_array().unwrap().iter();
        let mut behind = all.filter(|deployment| {
            deployment["status"]["observedGeneration"] != deployment["metadata"]["generation"]
        });
        behind.next().is_none().then_some(())
    })
    .await;
}

fn by_verb(asked: &[Asked]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for asked in asked {
        let place = if asked.is_inside() {
            "inside"
        } else {
            "outside"
        };
        let dry = if asked.is_dry_run() { " (dry run)" } else { "" };
        let verb = format!("{place}: {}{dry} {}", asked.verb, asked.resource);
        *counts.entry(verb).or_default() += 1;
    }
    counts
}

fn micros_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_micros()).unwrap()
}

pub(crate) fn print(name: &str, ours: f64, floor: Option<f64>, unit: &str) {
    let ratio = floor.map(|floor| ours / floor);
    println!(
        "{}",
        json!({"name": name, "ours": ours, "floor": floor, "ratio": ratio, "unit": unit, "n": 1})
    );
}
