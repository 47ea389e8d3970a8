//! The way from an agent to the real API server, with faults on it: answers that refuse, come late, break off, or
//! never come.
//!
//! Effects: a listener on loopback, the real API server as whom the tests' kubeconfig names. Always holds: what is
//! passed on goes unchanged and once; each fault is drawn from a seed; every request is counted.

use std::{
    collections::BTreeMap,
    io::{Error, Write as _},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{HeaderName, HeaderValue, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use kube::{Client, client::Body};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;
use starform_shuttle::client;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
};

/// One request of so many meets a fault.
const ONE_OF: u32 = 10;
/// What a slow answer is cut into, and how often it stops.
const PIECES: usize = 6;
const PAUSES: usize = 6;
const PAUSE: Duration = Duration::from_millis(500);
/// A watch that is lost lives so long.
const LOST_WATCH: Duration = Duration::from_millis(300);
/// What a request must keep: the rest is between two hosts.
const KEPT: [&str; 3] = ["accept", "content-type", "impersonate-user"];

/// Ends with the value.
pub(crate) struct Proxy {
    way: Arc<Way>,
    kubeconfig: tempfile::NamedTempFile,
    accepting: AbortHandle,
}

struct Way {
    client: Client,
    weather: Mutex<Weather>,
    seen: Mutex<Seen>,
    /// Changes when every connection has to break.
    cut: watch::Sender<u64>,
    /// How long a lost answer keeps its connection open, at most.
    patience: Duration,
}

enum Weather {
    Clear,
    /// The first request meets one, whatever the dice say: least is known at a start.
    Faults {
        dice: Box<StdRng>,
        begun: bool,
    },
    /// Nobody gets through.
    Cut,
}

/// What came by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Every one, watches too.
    pub(crate) requests: usize,
    pub(crate) faults: BTreeMap<Fault, usize>,
    /// Watches that the API server could not resume (410).
    pub(crate) expired: usize,
    /// `verb path` of each, as it came.
    pub(crate) asked: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    TooMany,
    Internal,
    Unavailable,
    /// The connection breaks before anything was performed.
    Reset,
    /// It is performed, and no answer comes.
    Lost,
    /// The answer comes in pieces.
    Slow,
}

pub(crate) const FAULTS: [Fault; 6] = [
    Fault::TooMany,
    Fault::Internal,
    Fault::Unavailable,
    Fault::Reset,
    Fault::Lost,
    Fault::Slow,
];

enum Fate {
    Passes,
    Meets(Fault),
    Cut,
}

struct Asked {
    request: Request<Vec<u8>>,
    is_watch: bool,
}

impl Proxy {
    /// Before the API server of this kubeconfig.
    pub(crate) async fn start(kubeconfig: &Path, patience: Duration) -> Self {
        client::install_tls();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let way = Arc::new(Way {
            client: client::cluster(Some(kubeconfig)).await.unwrap(),
            weather: Mutex::new(Weather::Clear),
            seen: Mutex::default(),
            cut: watch::Sender::default(),
            patience,
        });
        let shared = Arc::clone(&way);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let way = Arc::clone(&shared);
                // Whoever hangs up has what they wanted.
                tokio::spawn(async move { carry(&way, stream).await.ok() });
            }
        });
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let server = format!("http://{address}");
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "proxy", "cluster": {"server": server}}],
            "users": [{"name": "proxy", "user": {}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
            "current-context": "proxy",
        });
        file.write_all(config.to_string().as_bytes()).unwrap();
        Self {
            way,
            kubeconfig: file,
            accepting: accepting.abort_handle(),
        }
    }

    pub(crate) fn kubeconfig(&self) -> &Path {
        self.kubeconfig.path()
    }

    /// From now on one request of ten meets a fault, and the next one does.
    pub(crate) fn faults(&self, seed: u64) {
        self.becomes(Weather::Faults {
            dice: Box::new(StdRng::seed_from_u64(seed)),
            begun: false,
        });
    }

    pub(crate) fn clear(&self) {
        self.becomes(Weather::Clear);
    }

    /// Breaks every connection, and lets nobody through.
    pub(crate) fn cut(&self) {
        self.becomes(Weather::Cut);
        self.way.cut.send_modify(|times| *times += 1);
    }

    /// Since the last time.
    pub(crate) fn seen(&self) -> Seen {
        std::mem::take(&mut *self.way.seen.lock().unwrap())
    }

    fn becomes(&self, weather: Weather) {
        *self.way.weather.lock().unwrap() = weather;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Way {
    fn fate(&self, asked: &Asked) -> Fate {
        let fate = match &mut *self.weather.lock().unwrap() {
            Weather::Clear => Fate::Passes,
            Weather::Cut => Fate::Cut,
            Weather::Faults { dice, begun } => {
                let first = !std::mem::replace(begun, true);
                if first || dice.random_range(0..ONE_OF) == 0 {
                    Fate::Meets(FAULTS[dice.random_range(0..FAULTS.len())])
                } else {
                    Fate::Passes
                }
            }
        };
        let mut seen = self.seen.lock().unwrap();
        seen.requests += 1;
        let method = asked.request.method();
        seen.asked.push(format!("{method} {}", asked.request.uri()));
        if let Fate::Meets(fault) = fate {
            *seen.faults.entry(fault).or_default() += 1;
        }
        fate
    }

    fn expired(&self) {
        self.seen.lock().unwrap().expired += 1;
    }
}

async fn carry(way: &Way, mut stream: TcpStream) -> Result<(), Error> {
    let mut cut = way.cut.subscribe();
    let carried = tokio::select! {
        carried = carry_all(way, &mut stream) => carried,
        _ = cut.changed() => Err(Error::other("cut")),
    };
    if carried.is_err() {
        // Closed so, the other end is told that it broke.
        stream.set_zero_linger()?;
    }
    carried
}

async fn carry_all(way: &Way, stream: &mut TcpStream) -> Result<(), Error> {
    while let Some(asked) = Asked::read(stream).await? {
        match way.fate(&asked) {
            Fate::Passes => pass(way, stream, asked, false).await?,
            Fate::Cut => return Err(Error::other("cut")),
            Fate::Meets(Fault::TooMany) => {
                let text = "Too many requests, please try again later.\n";
                refuse(stream, 429, "Retry-After: 1\r\n", text).await?;
            }
            Fate::Meets(Fault::Internal) => {
                refuse(stream, 500, "", &status(500, "InternalError")).await?;
            }
            Fate::Meets(Fault::Unavailable) => {
                refuse(stream, 503, "", &status(503, "ServiceUnavailable")).await?;
            }
            Fate::Meets(Fault::Reset) => return Err(Error::other("reset")),
            Fate::Meets(Fault::Slow) => pass(way, stream, asked, true).await?,
            Fate::Meets(Fault::Lost) if asked.is_watch => {
                let watched = pass(way, stream, asked, false);
                let _ = tokio::time::timeout(LOST_WATCH, watched).await;
                return Err(Error::other("lost"));
            }
            Fate::Meets(Fault::Lost) => {
                let answer = send(way, asked).await?;
                answer.into_body().collect_bytes().await.ok();
                hung_up(stream, way.patience).await;
                return Err(Error::other("lost"));
            }
        }
    }
    Ok(())
}

async fn send(way: &Way, asked: Asked) -> Result<http::Response<Body>, Error> {
    let sent = way.client.send(asked.request.map(Body::from)).await;
    sent.map_err(Error::other)
}

/// Passes a request on and its answer back, whole or in pieces.
async fn pass(way: &Way, stream: &mut TcpStream, asked: Asked, slowly: bool) -> Result<(), Error> {
    let is_watch = asked.is_watch;
    let answer = send(way, asked).await?;
    if is_watch && answer.status() == StatusCode::GONE {
        way.expired();
    }
    let mut head = format!(
        "HTTP/1.1 {}\r\ntransfer-encoding: chunked\r\n",
        answer.status()
    );
    for name in [header::CONTENT_TYPE, header::RETRY_AFTER] {
        if let Some(value) = answer.headers().get(&name) {
            head += &format!("{name}: {}\r\n", value.to_str().unwrap());
        }
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).await?;
    let mut body = answer.into_body();
    let mut pauses = if slowly { PAUSES } else { 0 };
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            () = hung_up(stream, Duration::MAX), if is_watch => return Err(Error::other("hung up")),
        };
        let Some(frame) = frame else { break };
        let Ok(data) = frame.map_err(Error::other)?.into_data() else {
            continue;
        };
        let text = String::from_utf8_lossy(&data);
        if is_watch && text.contains(r#""type":"ERROR""#) && text.contains(r#""code":410"#) {
            way.expired();
        }
        let pieces = if pauses > 0 { PIECES } else { 1 };
        for piece in data.chunks(data.len().div_ceil(pieces).max(1)) {
            if pauses > 0 {
                pauses -= 1;
                tokio::time::sleep(PAUSE).await;
            }
            let size = format!("{:x}\r\n", piece.len());
            stream
                .write_all(&[size.as_bytes(), piece, b"\r\n"].concat())
                .await?;
        }
    }
    stream.write_all(b"0\r\n\r\n").await
}

/// Returns when the other end has closed the connection, or after `patience`.
async fn hung_up(stream: &mut TcpStream, patience: Duration) {
    // Nothing more is sent on a connection before its answer.
    let _ = tokio::time::timeout(patience, stream.read(&mut [0])).await;
}

async fn refuse(stream: &mut TcpStream, code: u16, headers: &str, body: &str) -> Result<(), Error> {
    let code = StatusCode::from_u16(code).unwrap();
    let answer = format!(
        "HTTP/1.1 {code}\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await
}

fn status(code: u16, reason: &str) -> String {
    json!({
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": reason,
        "message": "it is not one of its good days",
        "code": code,
    })
    .to_string()
}

impl Asked {
    /// The next request of a connection; `None` once it is closed.
    async fn read(stream: &mut TcpStream) -> Result<Option<Self>, Error> {
        let mut read = Vec::new();
        let end = loop {
            if let Some(end) = read.windows(4).position(|end| end == b"\r\n\r\n") {
                break end;
            }
            if stream.read_buf(&mut read).await? == 0 {
                return Ok(None);
            }
        };
        let mut body = read.split_off(end + 4);
        let head = String::from_utf8(read).unwrap();
        let mut lines = head.lines();
        let mut words = lines.next().unwrap().split(' ');
        let mut request = Request::new(Vec::new());
        *request.method_mut() = words.next().unwrap().parse().unwrap();
        *request.uri_mut() = words.next().unwrap().parse().unwrap();
        let mut length = 0;
        for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
            let name = name.to_lowercase();
            assert_ne!(name, "transfer-encoding", "a request of unknown length");
            if name == "content-length" {
                length = value.parse().unwrap();
            } else if KEPT.contains(&name.as_str()) {
                let name: HeaderName = name.parse().unwrap();
                let value = HeaderValue::from_str(value).unwrap();
                request.headers_mut().insert(name, value);
            }
        }
        while body.len() < length {
            if stream.read_buf(&mut body).await? == 0 {
                return Ok(None);
            }
        }
        *request.body_mut() = body;
        let query = request.uri().query().unwrap_or_default();
        let is_watch = query.contains("watch=true");
        Ok(Some(Self { request, is_watch }))
    }
}
