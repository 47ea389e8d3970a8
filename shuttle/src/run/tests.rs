//! What an agent does when it is told to stand by, against an API server that is slow to answer.
//!
//! Effects: a listener on loopback.

use super::*;
use std::sync::Arc;

use starform_contract::{
    Bundle, Deletion, Index, Object, ProjectBundle, ProjectEntry, WorkspaceId,
    bundle::{BundleSchema, Wave},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

/// An API server that has nothing, lets everybody do everything, and answers a write only when `answers` lets it.
async fn slow_server(written: Arc<Semaphore>, answers: Arc<Semaphore>) -> Client {
    client::install_tls();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&written), Arc::clone(&answers)));
        }
    });
    Client::try_from(kube::Config::new(url.parse().unwrap())).unwrap()
}

async fn serve(mut stream: TcpStream, written: Arc<Semaphore>, answers: Arc<Semaphore>) {
    let mut text = Vec::new();
    while !text.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut text).await.unwrap_or_default() == 0 {
            return;
        }
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    if text.contains("watch=") {
        std::future::pending::<()>().await;
    }
    if !text.starts_with("GET ") && !text.contains("selfsubjectaccessreviews") {
        written.add_permits(1);
        answers.acquire().await.unwrap().forget();
    }
    let body = r#"{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[],"status":{"allowed":true}}"#;
    let answer = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    // The client may have gone.
    let _ = stream.write_all(answer.as_bytes()).await;
}

fn wanted() -> Desired {
    let project = "shop".parse().unwrap();
    let project_id = ProjectId::local(&project);
    let manifest = serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": "sf-shop", "labels": {
            "app.kubernetes.io/managed-by": "starform",
            "starform.io/workspace-id": WorkspaceId::local(),
            "starform.io/project-id": project_id,
        },
    }});
    let bundle = Bundle::Project(ProjectBundle {
        schema: BundleSchema::V1,
        workspace_id: WorkspaceId::local(),
        project_id,
        project,
        namespace: "sf-shop".to_owned(),
        tier: "standard".to_owned(),
        objects: vec![Object::new(manifest, Wave(0), Deletion::WithProject)],
        names: Vec::new(),
    });
    let entry = ProjectEntry {
        namespace: "sf-shop".to_owned(),
        bundle: bundle.digest(),
        environments: BTreeMap::new(),
        accepted: Vec::new(),
    };
    let cluster = "6f1c3c5e-0c4b-4f0e-9c2f-7a1d3b5e9f00".parse().unwrap();
    Desired {
        index: Index::empty(cluster).successor(BTreeMap::from([(project_id, entry)])),
        bundles: BTreeMap::from([(bundle.digest(), Arc::new(bundle))]),
    }
}

#[tokio::test]
async fn a_standby_lets_its_last_write_end() {
    let (written, answers) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let client = slow_server(Arc::clone(&written), Arc::clone(&answers)).await;
    let mut tasks = JoinSet::new();
    let mut agent = Agent {
        keeper: Keeper::start(client.clone(), &mut tasks),
        values: Values::Home(client.clone()),
        client,
        plane: None,
        driver: None,
        journal: Journal::default(),
        generation: Generation::default(),
        standby: false,
        metrics: Metrics::default(),
        vitals: Vitals::since(Instant::now()),
        busy_since: None,
    };
    agent.hear(Word::Act(Box::new(wanted()))).await;
    let writing = async {
        loop {
            next(&mut agent.driver).await;
        }
    };
    tokio::select! {
        () = writing => {}
        begun = written.acquire() => begun.unwrap().forget(),
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("nothing is written"),
    }
    let mut standby = Box::pin(agent.hear(Word::Standby));
    tokio::select! {
        biased;
        () = &mut standby => panic!("the write was given up"),
        () = std::future::ready(()) => {}
    }
    answers.add_permits(100);
    let ended = tokio::time::timeout(Duration::from_secs(20), standby).await;
    ended.expect("it ends with the write");
    assert!(agent.driver.is_none());
}
