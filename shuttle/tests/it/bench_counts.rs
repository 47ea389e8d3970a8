//! What many projects cost while nothing changes: `cargo xtask soak counts`; a slice of it in every test run.
//!
//! Effects: the real API server and its audit log, a process of `starform-shuttle`, what the kernel says of it; prints a
//! figure a line, as `bench --json` does. Always holds: what is counted was asked with the agent's own token; the LISTs
//! of the safety net are counted apart.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::Method;
use kube::Client;
use serde_json::json;
use starform_contract::ObjectKey;
use starform_shuttle::{
    call::{APPLY, call, request},
    kinds::kind_of,
    manifests::agent_user,
};

use crate::{
    bench_apply::print,
    shell_agent::{Agent, Identity},
    shell_audit::{Asked, Mark, silence_of},
    shell_fleet::Fleet,
    shell_shop::nothing_here,
    shell_support::{cluster, empty_system},
};

/// A folder is looked at so often: each look is a tick.
const TICK: Duration = Duration::from_secs(1);
const SILENCE: Duration = Duration::from_millis(1500);
/// Objects of a project with two services.
const OBJECTS: usize = 14;

struct Size {
    projects: usize,
    ticks: u32,
    /// What release reaches is asked for.
    release: bool,
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_while_nothing_changes() {
    count(Size {
        projects: 10,
        ticks: 3,
        release: false,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "some minutes: `cargo xtask soak counts`"]
async fn soak_nothing_is_asked_while_nothing_changes() {
    count(Size {
        projects: 500,
        ticks: 20,
        release: true,
    })
    .await;
}

async fn count(size: Size) {
    let Some(client) = cluster().await else {
        return;
    };
    let _alone = empty_system(&client).await;
    let identity = Identity::install(&client).await;
    let mut fleet = Fleet::new(nothing_here(&client).await, size.projects, 2);
    assert_eq!(fleet.objects().len(), size.projects * OBJECTS);
    let folder = tempfile::tempdir().unwrap();
    let generation = fleet.accept(folder.path());
    let mark = Mark::now();
    let agent = identity.start(folder.path(), &["--listen", "127.0.0.1:0"]);
    agent.all_finished(generation, size.projects).await;
    silence_of(&agent_user(), SILENCE).await;
    let writes = mark.asked_by(&agent_user());
    let writes = writes
        .iter()
        .filter(|asked| asked.is_write() && !asked.is_inside());
    assert_eq!(writes.count(), size.projects * OBJECTS);
    idle(&agent, &size).await;
    statuses(&client, &agent, &fleet).await;
    let (now, most) = agent.mebibytes();
    print("counts/memory", now, None, "MiB");
    print("counts/memory at most", most, None, "MiB");
    assert!(!size.release || now < 100.0, "{now} MiB");
}

/// Ticks without a change.
async fn idle(agent: &Agent, size: &Size) {
    let (mark, before) = (Mark::now(), agent.processor_seconds());
    tokio::time::sleep(TICK * size.ticks).await;
    let each = (agent.processor_seconds() - before) / f64::from(size.ticks) * 1e3;
    let asked = mark.asked_beside_watches(&agent_user());
    let (safety, others): (Vec<&Asked>, Vec<&Asked>) =
        asked.iter().partition(|asked| asked.verb == "list");
    assert!(others.is_empty(), "{others:#?}");
    print(
        "counts/requests without a change",
        others.len() as f64,
        None,
        "requests",
    );
    print(
        "counts/LISTs of the safety net meanwhile",
        safety.len() as f64,
        None,
        "requests",
    );
    print("counts/processor a tick", each, None, "ms");
    assert!(!size.release || each < 5.0, "{each} ms a tick");
}

/// Every Deployment's status changes, and nothing of what is wanted.
async fn statuses(client: &Client, agent: &Agent, fleet: &Fleet) {
    let keys: Vec<ObjectKey> = fleet
        .objects()
        .into_iter()
        .filter_map(|object| object.key())
        .filter(|key| key.kind == "Deployment")
        .collect();
    let (mark, before) = (Mark::now(), agent.processor_seconds());
    let changes = stream::iter(&keys).map(async |key| {
        let status = json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": key.name, "namespace": key.namespace},
            "status": {"conditions": [{"type": "Seen", "status": "True", "reason": "Told", "message": "by nobody"}]},
        });
        let path = kind_of(key).unwrap().path(key);
        let uri = format!("{path}/status?fieldManager=tests&force=true");
        call(client, request(Method::PATCH, &uri, Some((APPLY, &status)))).await
    });
    let changed = changes
        .buffer_unordered(8)
        .try_fold(0, async |count, _| Ok(count + 1));
    assert_eq!(changed.await.unwrap(), keys.len());
    // Longer than it waits before it looks for the reason of a rollout that does not move.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let asked = mark.asked_beside_watches(&agent_user());
    let asked: Vec<&Asked> = asked.iter().filter(|asked| asked.verb != "list").collect();
    assert!(asked.is_empty(), "{asked:#?}");
    let name = format!("counts/requests after {} statuses", keys.len());
    print(&name, asked.len() as f64, None, "requests");
    let each = (agent.processor_seconds() - before) / keys.len() as f64 * 1e3;
    print("counts/processor a status", each, None, "ms");
}
