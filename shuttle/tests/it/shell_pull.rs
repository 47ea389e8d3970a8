//! The agent's side of the control plane's API, against a server that answers by script.
//!
//! Effects: a listener on loopback. Always holds: the script sees every request whole.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use starform_contract::Index;
use starform_shuttle::{
    client,
    config::AgentFile,
    pull::{ControlPlane, Polled, PullError, Standing},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::shell_support::{project, signing_key, some_cluster};

/// Answers by script, one connection each; remembers what it was asked.
pub(crate) struct Script {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Script {
    pub(crate) async fn play(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut answers: VecDeque<String> = answers.into();
            while let Some(answer) = answers.pop_front() {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read_request(&mut stream).await;
                heard.lock().unwrap().push(request.to_lowercase());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { url, asked }
    }

    pub(crate) fn plane(&self) -> ControlPlane {
        client::install_tls();
        let agent = AgentFile {
            server: self.url.clone(),
            cluster_id: some_cluster(),
            token: "sf_cluster_secret".to_owned(),
            trusted_keys: vec![signing_key().trusted()],
        };
        ControlPlane::new(
            client::control_plane().unwrap(),
            &agent,
            uuid::Uuid::now_v7(),
        )
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).await.unwrap();
        text.extend_from_slice(&chunk[..read]);
        if read == 0 || text.windows(4).any(|end| end == b"\r\n\r\n") {
            return String::from_utf8(text).unwrap();
        }
    }
}

pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

pub(crate) fn json<T: serde::Serialize>(value: &T) -> String {
    answer("200 OK", "", &serde_json::to_string(value).unwrap())
}

#[tokio::test]
async fn an_index_is_asked_for_with_what_is_known() {
    let index = Index::empty(some_cluster());
    let script = Script::play(vec![
        json(&index),
        answer("304 Not Modified", "", ""),
        answer(
            "409 Conflict",
            "retry-after: 9\r\n",
            r#"{"code":"standby","title":"standby"}"#,
        ),
    ])
    .await;
    let plane = script.plane();
    let Polled::New(found) = plane.poll(None, Standing::default(), false).await.unwrap() else {
        panic!("an index was served");
    };
    assert_eq!(*found, index);
    let told = Standing {
        generation: Some(found.generation),
        refuses: Some("went-back"),
        annotations: Some("absent"),
    };
    let again = plane.poll(Some(&found), told, true).await.unwrap();
    assert!(matches!(again, Polled::Unchanged), "{again:?}");
    let third = plane.poll(Some(&found), told, true).await.unwrap();
    assert!(
        matches!(third, Polled::Standby(wait) if wait == Duration::from_secs(9)),
        "{third:?}"
    );

    let asked = script.asked();
    let path = format!("get /v1/clusters/{}/desired-state ", some_cluster());
    assert!(asked[0].starts_with(&path), "{}", asked[0]);
    assert!(asked[0].contains("authorization: bearer sf_cluster_secret"));
    assert!(
        !asked[0].contains("starform-agent-generation"),
        "{}",
        asked[0]
    );
    assert!(
        asked[1].contains("starform-agent-generation: 0\r\n"),
        "{}",
        asked[1]
    );
    assert!(
        asked[1].contains("starform-agent-refuses: went-back\r\n")
            && asked[1].contains("starform-agent-annotations: absent\r\n"),
        "{}",
        asked[1]
    );
    assert!(asked[0].contains(concat!(
        "user-agent: starform-shuttle/",
        env!("CARGO_PKG_VERSION")
    )));
    assert!(!asked[0].contains("if-none-match") && !asked[0].contains("prefer"));
    assert!(asked[1].contains(&format!("if-none-match: {}", index.etag().to_lowercase())));
    assert!(asked[1].contains("prefer: wait=25"));
    let instance = |request: &str| {
        let line = request
            .lines()
            .find(|line| line.starts_with("starform-agent-instance: "));
        line.unwrap().to_owned()
    };
    assert_eq!(
        instance(&asked[0]),
        instance(&asked[2]),
        "one process is one instance"
    );
}

#[tokio::test]
async fn a_bundle_is_what_its_digest_says_or_an_error() {
    let bundle = project("one", "a");
    let other = project("one", "b");
    let script = Script::play(vec![
        json(&bundle),
        json(&other),
        answer("404 Not Found", "", "{}"),
        answer("200 OK", "", r#"{"schema":"starform.bundle/v9"}"#),
    ])
    .await;
    let plane = script.plane();
    assert_eq!(plane.bundle(&bundle.digest()).await.unwrap(), bundle);
    let forged = plane.bundle(&bundle.digest()).await.unwrap_err();
    assert!(
        matches!(&forged, PullError::Digest { found, .. } if *found == other.digest()),
        "{forged}"
    );
    assert!(matches!(
        plane.bundle(&bundle.digest()).await,
        Err(PullError::Gone(_))
    ));
    let newer = plane
        .bundle(&bundle.digest())
        .await
        .unwrap_err()
        .to_string();
    let told = "`starform.bundle/v9`, which a newer Starform wrote, and `starform.bundle/v1` is understood here; upgrade";
    assert!(
        newer.contains("starform-shuttle ") && newer.contains(told),
        "{newer}"
    );
}

#[tokio::test]
async fn errors_say_what_to_do_and_hide_the_token() {
    let script = Script::play(vec![
        answer("401 Unauthorized", "", "{}"),
        answer("404 Not Found", "", "{}"),
        answer(
            "503 Service Unavailable",
            "retry-after: 3\r\n",
            r#"{"detail":"starting"}"#,
        ),
        format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}",
            " ".repeat(5 << 20)
        ),
    ])
    .await;
    let plane = script.plane();
    let mut texts = Vec::new();
    for wanted in [
        "starform cluster register",
        "cluster_id",
        "starting",
        "above",
    ] {
        let error = plane
            .poll(None, Standing::default(), false)
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(text.contains(wanted), "{text}");
        texts.push((text, error.retry_after()));
    }
    assert_eq!(texts[2].1, Some(Duration::from_secs(3)));
    let unreachable = plane
        .poll(None, Standing::default(), false)
        .await
        .unwrap_err()
        .to_string();
    assert!(unreachable.contains("cannot be reached"), "{unreachable}");
    assert!(!format!("{texts:?}{unreachable}{plane:?}").contains("sf_cluster_secret"));
}
