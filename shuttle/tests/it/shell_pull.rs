//! The agent's side of the control plane's API, against a server that answers by script.
//!
//! Effects: a listener on loopback. Always holds: the script sees every request whole.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use starform_contract::{Bundle, Index};
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
    pub(crate) async fn play<A: Into<Vec<u8>> + Send + 'static>(answers: Vec<A>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut answers: VecDeque<A> = answers.into();
            while let Some(answer) = answers.pop_front() {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read_request(&mut stream).await;
                heard.lock().unwrap().push(request.to_lowercase());
                // Who has read enough hangs up.
                let _ = stream.write_all(&answer.into()).await;
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

/// This body, as a control plane sends it to who reads zstd.
fn encoded(body: &[u8]) -> Vec<u8> {
    let body = zstd::encode_all(body, 3).unwrap();
    let head = answer_head("content-encoding: zstd\r\n", body.len());
    [head.into_bytes(), body].concat()
}

fn answer_head(headers: &str, length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n")
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
async fn what_comes_encoded_is_what_its_digest_says_and_a_bomb_is_refused() {
    let bundle = project("one", &"a".repeat(10_000));
    let text = serde_json::to_vec(&bundle).unwrap();
    let index = serde_json::to_vec(&Index::empty(some_cluster())).unwrap();
    let bomb = |limit: usize| encoded(&vec![b' '; 2 * limit]);
    let bombs = [bomb(Bundle::LARGEST), bomb(Index::LARGEST)];
    assert!(
        bombs.iter().all(|bomb| bomb.len() < 10_000),
        "on the wire they are small"
    );
    let whole = encoded(&text);
    assert!(whole.len() < text.len() / 10);
    let damaged = [&whole[..whole.len() - 20], &[0; 20]].concat();
    let [of_bundle, of_index] = bombs;
    let answers = vec![whole, encoded(&index), of_bundle, of_index, damaged];
    let script = Script::play(answers).await;
    let plane = script.plane();
    assert_eq!(plane.bundle(&bundle.digest()).await.unwrap(), bundle);
    let poll = async || plane.poll(None, Standing::default(), false).await;
    let polled = poll().await.unwrap();
    assert!(matches!(polled, Polled::New(_)), "{polled:?}");
    for asked in script.asked() {
        assert!(asked.contains("accept-encoding: zstd\r\n"), "{asked}");
    }
    let limits = [Bundle::LARGEST, Index::LARGEST + (4 << 10)];
    let refused = [
        plane.bundle(&bundle.digest()).await.unwrap_err(),
        poll().await.unwrap_err(),
    ];
    for (error, expected) in refused.iter().zip(limits) {
        let counted = matches!(error, PullError::TooLarge { limit, .. } if *limit == expected);
        assert!(counted, "{error}");
        assert_eq!(error.word(), Some("too-large"));
    }
    let broken = plane.bundle(&bundle.digest()).await.unwrap_err();
    assert!(matches!(broken, PullError::Broken { .. }), "{broken}");
    assert_eq!(broken.word(), None);
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
