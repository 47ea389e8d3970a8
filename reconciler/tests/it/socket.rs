//! The server as a process sees it: a socket, a token file, an orderly end.

use std::{net::SocketAddr, os::unix::fs::PermissionsExt as _, sync::mpsc, time::Duration};

use starform_contract::{ClusterId, Index};
use starform_reconciler::{
    Notice, ServeConfig, ServeError,
    api::body::Cluster,
    serve,
    store::DatabaseUrl,
    token::{Token, TokenKind},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    fixture::applied,
    world::{World, on_both},
};

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    ended: JoinHandle<Result<(), ServeError>>,
    notices: Vec<Notice>,
}

fn config(world_url: &DatabaseUrl, folder: &std::path::Path) -> ServeConfig {
    ServeConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        database: world_url.clone(),
        admin_token_file: folder.join("admin.token"),
        signing_key_file: folder.join("signing.keys"),
        secrets_key_file: folder.join("secrets.keys"),
        dns_server: Some("127.0.0.1:9".parse().unwrap()),
    }
}

/// Up to the word that it listens.
async fn start(config: ServeConfig) -> Running {
    let (send, receive) = mpsc::channel();
    let stop = CancellationToken::new();
    let ended = tokio::spawn({
        let stop = stop.clone();
        async move {
            serve(config, stop.cancelled(), move |notice| {
                send.send(notice).unwrap()
            })
            .await
        }
    });
    let mut notices = Vec::new();
    loop {
        match receive.try_recv() {
            Ok(Notice::Listening(address)) => {
                return Running {
                    address,
                    stop,
                    ended,
                    notices,
                };
            }
            Ok(notice) => notices.push(notice),
            Err(mpsc::TryRecvError::Empty) => tokio::task::yield_now().await,
            Err(mpsc::TryRecvError::Disconnected) => panic!("{:?}", ended.await),
        }
    }
}

/// One request on a connection of its own; status and body.
async fn get(address: SocketAddr, token: &Token, path: &str, headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {}\r\n{headers}\r\n",
        token.reveal()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (
        head.split(' ').nth(1).unwrap().parse().unwrap(),
        body.to_owned(),
    )
}

on_both! {
    async fn a_server_makes_its_token_once_and_stops_in_order(world: World) {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&world.url, folder.path());
        let file = config.admin_token_file.clone();
        let first = start(config.clone()).await;
        let keys = config.signing_key_file.clone();
        let secrets = config.secrets_key_file.clone();
        let made = [
            Notice::AdminTokenCreated(file.clone()),
            Notice::SigningKeyCreated(keys.clone()),
            Notice::SecretsKeyCreated(secrets.clone()),
        ];
        assert_eq!(first.notices, made);
        for made in [&file, &keys, &secrets] {
            assert_eq!(std::fs::metadata(made).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let token = Token::parse(std::fs::read_to_string(&file).unwrap().trim()).unwrap();
        assert_eq!(get(first.address, &token, "/v1/workspaces", "").await.0, 200);
        first.stop.cancel();
        first.ended.await.unwrap().unwrap();
        let second = start(config).await;
        assert!(second.notices.is_empty());
        assert_eq!(get(second.address, &token, "/v1/workspaces", "").await.0, 200);
        second.stop.cancel();
        second.ended.await.unwrap().unwrap();
    }

    async fn a_long_poll_over_a_socket_is_woken_from_outside(world: World) {
        let place = world.place("shop").await;
        let folder = tempfile::tempdir().unwrap();
        let running = start(config(&world.url, folder.path())).await;
        let waiting = tokio::spawn(long_poll(running.address, place.agent.clone(), place.cluster));
        seen(&world, place.cluster).await;
        // Not the server's process, so it hears of it by looking.
        applied(&world, &place, "production", &[("web", "web:1")]).await;
        let (status, body) = tokio::time::timeout(LIMIT, waiting).await.unwrap().unwrap();
        assert_eq!(status, 200);
        let index: Index = serde_json::from_str(&body).unwrap();
        assert_eq!(index.generation.number(), 1);
        running.stop.cancel();
        running.ended.await.unwrap().unwrap();
    }

    async fn a_long_poll_does_not_hold_up_the_end(world: World) {
        let place = world.place("shop").await;
        let folder = tempfile::tempdir().unwrap();
        let running = start(config(&world.url, folder.path())).await;
        let waiting = tokio::spawn(long_poll(running.address, place.agent.clone(), place.cluster));
        seen(&world, place.cluster).await;
        running.stop.cancel();
        tokio::time::timeout(LIMIT, running.ended).await.unwrap().unwrap().unwrap();
        assert_eq!(waiting.await.unwrap().0, 304);
    }
}

/// Far below what a poll asks for, far above what anything here needs.
const LIMIT: Duration = Duration::from_secs(20);

/// Of an agent that has the empty index and waits for another.
async fn long_poll(address: SocketAddr, agent: Token, cluster: ClusterId) -> (u16, String) {
    let tag = Index::empty(cluster).etag();
    let headers =
        format!("starform-agent-instance: a\r\nprefer: wait=50\r\nif-none-match: {tag}\r\n");
    get(
        address,
        &agent,
        &format!("/v1/clusters/{cluster}/desired-state"),
        &headers,
    )
    .await
}

/// Until the server has heard from the cluster's agent.
async fn seen(world: &World, cluster: ClusterId) {
    let is_seen = |found: &Cluster| found.id == cluster && found.agent_seen_at.is_some();
    while !world.store.clusters().await.unwrap().iter().any(is_seen) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(folder.path().join("starform.db"));
    let nowhere = DatabaseUrl::Sqlite(folder.path().join("no/folder/starform.db"));
    let fails = |config: ServeConfig| async {
        serve(config, async {}, |_| {})
            .await
            .unwrap_err()
            .to_string()
    };
    let text = fails(config(&nowhere, folder.path())).await;
    assert!(
        text.contains("no/folder/starform.db") && text.contains("writable"),
        "{text}"
    );
    std::fs::write(
        folder.path().join("text.db"),
        "not a database, but a text of some length".repeat(40),
    )
    .unwrap();
    let other = DatabaseUrl::Sqlite(folder.path().join("text.db"));
    let text = fails(config(&other, folder.path())).await;
    assert!(
        text.contains("text.db") && text.contains("--database"),
        "{text}"
    );
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let gone: DatabaseUrl = format!("postgres://starform:hidden@{closed}/starform")
        .parse()
        .unwrap();
    let text = fails(config(&gone, folder.path())).await;
    assert!(
        text.contains(&closed.to_string()) && text.contains("--database"),
        "{text}"
    );
    assert!(!text.contains("hidden"), "{text}");
    let token = folder.path().join("admin.token");
    for content in ["hello", Token::issue(TokenKind::Ci).reveal()] {
        std::fs::write(&token, content).unwrap();
        let text = fails(config(&url, folder.path())).await;
        assert!(
            text.contains("admin.token") && text.contains("remove it"),
            "{text}"
        );
    }
    std::fs::remove_file(&token).unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap();
    let text = fails(ServeConfig {
        listen,
        ..config(&url, folder.path())
    })
    .await;
    assert!(
        text.contains(&listen.to_string()) && text.contains("--listen"),
        "{text}"
    );
}
