//! Desired state to a converged cluster: the loop, and the program, on the real API server.
//!
//! Effects: the real API server, processes of `starform-shuttle`.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use kube::Client;
use serde_json::{Value, json};
use starform_contract::{ObjectKey, report::Health};
use starform_shuttle::{
    call::{CallError, call, get, request},
    engine::io::Desired,
    kinds::kind_of,
    run::{ConvergeError, Converged, Ended, Options, Stop, converge},
};
use tokio::sync::watch;

use crate::{
    shell_shop::{ENVIRONMENT, Shop, nothing, nothing_here},
    shell_support::{cluster, empty_system, eventually, rights},
};

/// Runs one apply to its end.
pub(crate) async fn apply(client: &Client, shop: &Shop, desired: Desired) -> Converged {
    let (_keep, stop) = watch::channel(Stop::No);
    let options = Options {
        places: [shop.place()].into(),
        wait: Duration::from_secs(90),
        stop,
    };
    converge(client, desired, options, |_| {}).await.unwrap()
}

pub(crate) async fn read(client: &Client, key: &ObjectKey) -> Option<Value> {
    match call(client, get(&kind_of(key).unwrap().path(key))).await {
        Ok(object) => Some(object),
        Err(CallError::Refused(refusal)) if refusal.code == 404 => None,
        Err(error) => panic!("{error}"),
    }
}

fn version(object: &Value) -> String {
    object["metadata"]["resourceVersion"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// resourceVersions of every object of the shop's services.
async fn versions(client: &Client, shop: &Shop) -> BTreeMap<ObjectKey, String> {
    let mut versions = BTreeMap::new();
    for object in shop
        .environment()
        .services
        .iter()
        .flat_map(|service| &service.objects)
    {
        let key = object.key().unwrap();
        // Of a Deployment the status moves too.
        let live = read(client, &key)
            .await
            .unwrap_or_else(|| panic!("{key} is missing"));
        let version = match live["metadata"]["generation"].as_i64() {
            Some(generation) => generation.to_string(),
            None => version(&live),
        };
        versions.insert(key, version);
    }
    versions
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_creates_updates_one_object_and_deletes_by_consent() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let shop = Shop::new(
        "thread",
        &[("one", "a:1"), ("two", "a:1"), ("three", "a:1")],
    );
    let first = shop.after(&nothing_here(&client).await);
    let index = first.index.clone();
    let done = apply(&client, &shop, first).await;
    assert_eq!(done.ended, Ended::Converged, "{done:#?}");
    let report = &done.reports[&shop.place()];
    assert!(
        report
            .services
            .iter()
            .all(|service| service.health == Health::Current)
    );
    // A run that counts from nought would need as many reports to get here.
    let first_sequence = report.sequence + 50;
    let before = versions(&client, &shop).await;

    let shop = shop.image("two", "a:2");
    let second = shop.after(&index);
    let index = second.index.clone();
    let done = apply(&client, &shop, second).await;
    assert_eq!(done.ended, Ended::Converged, "{done:#?}");
    assert!(
        done.reports[&shop.place()].sequence > first_sequence,
        "a later run's reports count on"
    );
    let after = versions(&client, &shop).await;
    let written: Vec<_> = after
        .iter()
        .filter(|(key, version)| before.get(key) != Some(version))
        .collect();
    assert_eq!(written.len(), 1, "{written:?}");
    assert_eq!(*written[0].0, shop.key("apps", "Deployment", "two"));

    let former = shop.key("apps", "Deployment", "three");
    let shop = shop.without("three");
    let done = apply(&client, &shop, shop.after(&index)).await;
    assert_eq!(done.ended, Ended::Converged, "{done:#?}");
    eventually("the deletion", async || {
        read(&client, &former).await.is_none().then_some(())
    })
    .await;
    assert_eq!(versions(&client, &shop).await.len(), after.len() * 2 / 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_never_gets_ready_fails_alone_with_a_reason() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let shop = Shop::new(
        "partial",
        &[("good", "a:1"), ("bad", "example.com/behave-pullfail:1")],
    );
    let done = apply(&client, &shop, shop.after(&nothing_here(&client).await)).await;
    assert_eq!(done.ended, Ended::Partial, "{done:#?}");
    let health: BTreeMap<&str, (Health, Option<&str>)> = done.reports[&shop.place()]
        .services
        .iter()
        .map(|service| {
            (
                service.name.as_str(),
                (service.health, service.reason.as_deref()),
            )
        })
        .collect();
    assert_eq!(health["good"].0, Health::Current, "{health:?}");
    assert_eq!(health["bad"].0, Health::Failed, "{health:?}");
    assert!(
        health["bad"]
            .1
            .is_some_and(|reason| reason.contains("image")),
        "{health:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_to_stop_is_heard_and_the_next_apply_goes_on() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let shop = Shop::new("stopped", &[("one", "a:1"), ("two", "a:1")]);
    let desired = shop.after(&nothing_here(&client).await);
    let (asking, stop) = watch::channel(Stop::No);
    asking.send(Stop::Gently).unwrap();
    let options = Options {
        places: [shop.place()].into(),
        wait: Duration::from_secs(90),
        stop,
    };
    let began = Instant::now();
    let stopped = converge(&client, desired.clone(), options, |_| {})
        .await
        .unwrap();
    assert_eq!(stopped.ended, Ended::Stopped);
    assert!(began.elapsed() < Duration::from_secs(5));
    let done = apply(&client, &shop, desired).await;
    assert_eq!(done.ended, Ended::Converged, "{done:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_was_overtaken_ends_and_writes_nothing_back() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let shop = Shop::new("overtaken", &[("one", "a:1")]);
    let old = shop.after(&nothing_here(&client).await);
    let new = shop.clone().image("one", "a:2").after(&old.index);
    let done = apply(&client, &shop, new).await;
    assert_eq!(done.ended, Ended::Converged, "{done:#?}");
    let before = versions(&client, &shop).await;
    let (_keep, stop) = watch::channel(Stop::No);
    let options = Options {
        places: [shop.place()].into(),
        wait: Duration::from_secs(90),
        stop,
    };
    let ended = converge(&client, old, options, |_| {}).await;
    let error = ended.unwrap_err().to_string();
    assert!(error.contains("generation 2"), "{error}");
    assert_eq!(versions(&client, &shop).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desired_state_of_another_cluster_is_refused() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let shop = Shop::new("elsewhere", &[("one", "a:1")]);
    let (_keep, stop) = watch::channel(Stop::No);
    let options = Options {
        places: [shop.place()].into(),
        wait: Duration::from_secs(90),
        stop,
    };
    let ended = converge(&client, shop.after(&nothing()), options, |_| {}).await;
    let refused = ended.unwrap_err();
    assert!(
        matches!(&refused, ConvergeError::Refused(why) if why.contains("this is cluster")),
        "{refused}"
    );
    assert_eq!(live(&client, &shop).await, 0);
}

/// `starform-shuttle run --desired-state`, ended with the test.
pub(crate) struct Program {
    child: Child,
    log: Arc<Mutex<String>>,
    reading: Option<JoinHandle<()>>,
}

impl Program {
    pub(crate) fn start(folder: &Path, more: &[&str]) -> Self {
        let kubeconfig = std::env::var_os("KUBECONFIG_FOR_TESTS").unwrap();
        Self::start_at(kubeconfig.as_ref(), folder, more)
    }

    pub(crate) fn start_at(kubeconfig: &Path, folder: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_starform-shuttle"))
            .args(["run", "--desired-state"])
            .arg(folder)
            .args(more)
            .env("KUBECONFIG", kubeconfig)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let told = BufReader::new(child.stderr.take().unwrap());
        let kept = Arc::clone(&log);
        let reading = std::thread::spawn(move || {
            for line in told.lines().map_while(Result::ok) {
                *kept.lock().unwrap() += &(line + "\n");
            }
        });
        Self {
            child,
            log,
            reading: Some(reading),
        }
    }

    /// What it said so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn terminate(&self) {
        let ended = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(ended.unwrap().success());
    }

    pub(crate) async fn wait(mut self) -> (Option<i32>, String) {
        let reading = self.reading.take().unwrap();
        let read = tokio::task::spawn_blocking(move || reading.join().unwrap());
        let read = tokio::time::timeout(Duration::from_secs(120), read).await;
        read.expect("the program to end").unwrap();
        (self.child.wait().unwrap().code(), self.log())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn write(folder: &Path, desired: &Desired) {
    let bundles = folder.join("bundles");
    std::fs::create_dir_all(&bundles).unwrap();
    for (digest, bundle) in &desired.bundles {
        let text = serde_json::to_vec(&**bundle).unwrap();
        std::fs::write(bundles.join(format!("{digest}.json")), text).unwrap();
    }
    // In one step, as whoever replaces a folder under a running agent has to.
    let next = folder.join("index.next");
    std::fs::write(&next, serde_json::to_vec(&desired.index).unwrap()).unwrap();
    std::fs::rename(next, folder.join("index.json")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_survives_kills_in_the_middle_of_an_apply() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    rights(&client).await;
    let names: Vec<String> = (0..50).map(|number| format!("s{number}")).collect();
    let services: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "a:1")).collect();
    let shop = Shop::new("killed", &services);
    assert!(shop.environment().all_objects().count() >= 200);
    let desired = shop.after(&nothing_here(&client).await);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &desired);
    for written in [5, 60, 150] {
        let program = Program::start(folder.path(), &[]);
        eventually("some objects", async || {
            (live(&client, &shop).await >= written).then_some(())
        })
        .await;
        program.kill();
    }
    let (code, log) = Program::start(folder.path(), &["--once"]).wait().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("ERROR"), "{log}");
    let before = versions(&client, &shop).await;

    // Once more from nothing in memory: nothing to write.
    let (code, log) = Program::start(folder.path(), &["--once"]).wait().await;
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(versions(&client, &shop).await, before);
}

/// How many objects of the shop live, by kinds that each service has.
async fn live(client: &Client, shop: &Shop) -> usize {
    let mut count = 0;
    for path in [
        "/api/v1/namespaces/{}/serviceaccounts",
        "/api/v1/namespaces/{}/services",
        "/apis/apps/v1/namespaces/{}/deployments",
    ] {
        let path = path.replace("{}", &shop.namespace());
        if let Ok(list) = call(client, get(&path)).await {
            count += list["items"].as_array().unwrap().len();
        }
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_corrects_drift_leaves_foreign_labels_and_takes_new_states() {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    rights(&client).await;
    let shop = Shop::new("drifting", &[("one", "a:1")]);
    let desired = shop.after(&nothing_here(&client).await);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &desired);
    let program = Program::start(folder.path(), &[]);
    let deployment = shop.key("apps", "Deployment", "one");
    let available = async || {
        let live = read(&client, &deployment).await?;
        (live["status"]["availableReplicas"] == 1).then_some(live)
    };
    eventually("an available deployment", available).await;

    let edit = json!({"spec": {"replicas": 4}});
    meddle(&client, &deployment, edit).await;
    eventually("the correction", async || {
        (read(&client, &deployment).await?["spec"]["replicas"] == 1).then_some(())
    })
    .await;

    let service = shop.key("", "Service", "one");
    meddle(
        &client,
        &service,
        json!({"metadata": {"labels": {"team": "blue"}}}),
    )
    .await;
    let labelled = version(&read(&client, &service).await.unwrap());

    let uid = read(&client, &deployment).await.unwrap()["metadata"]["uid"].clone();
    let path = kind_of(&deployment).unwrap().path(&deployment);
    call(&client, request(http::Method::DELETE, &path, None))
        .await
        .unwrap();
    let began = Instant::now();
    eventually("the deployment to be back", async || {
        let live = read(&client, &deployment).await?;
        (live["metadata"]["uid"] != uid).then_some(())
    })
    .await;
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(
        version(&read(&client, &service).await.unwrap()),
        labelled,
        "a foreign label was touched"
    );

    write(
        folder.path(),
        &shop.clone().image("one", "a:2").after(&desired.index),
    );
    eventually("the new image", async || {
        let live = read(&client, &deployment).await?;
        (live["spec"]["template"]["spec"]["containers"][0]["image"] == "a:2").then_some(())
    })
    .await;
    program.terminate();
    let (code, log) = program.wait().await;
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("drift") && log.contains(ENVIRONMENT), "{log}");
    assert!(!log.contains("ERROR"), "{log}");
}

pub(crate) async fn meddle(client: &Client, key: &ObjectKey, patch: Value) {
    let uri = format!(
        "{}?fieldManager=kubectl-edit",
        kind_of(key).unwrap().path(key)
    );
    let body = Some(("application/merge-patch+json", &patch));
    call(client, request(http::Method::PATCH, &uri, body))
        .await
        .unwrap();
}
