//! What the API server's audit log says that the agent asked.
//!
//! Effects: reads the audit log of the testbed. Always holds: a request counts once, when it is answered; a watch counts
//! when it is opened and when it ends, for it may stay open.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::PathBuf,
    time::Duration,
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use serde_json::Value;

/// From here on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark(u64);

/// One request of the agent.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) verb: String,
    pub(crate) uri: String,
    pub(crate) resource: String,
    /// Empty where it is about no object in a namespace.
    pub(crate) namespace: String,
    pub(crate) code: u64,
    /// Microseconds since 1970.
    pub(crate) received: i64,
    pub(crate) answered: i64,
}

impl Mark {
    pub(crate) fn now() -> Self {
        Self(std::fs::metadata(path()).unwrap().len())
    }

    /// What the one who has this name for the API server has asked since.
    pub(crate) fn asked_by(self, user: &str) -> Vec<Asked> {
        let mut log = File::open(path()).unwrap();
        log.seek(SeekFrom::Start(self.0)).unwrap();
        let mut text = Vec::new();
        log.read_to_end(&mut text).unwrap();
        String::from_utf8_lossy(&text)
            .lines()
            // Most lines are of others, and reading JSON takes time from those who are measured.
            .filter(|line| line.contains(user))
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|entry| entry["user"]["username"] == user)
            .filter(|entry| entry["stage"] == "ResponseComplete" || entry["verb"] == "watch")
            .map(|entry| Asked::of(&entry))
            .collect()
    }

    /// The same without watches, which stay open or are opened again.
    pub(crate) fn asked_beside_watches(self, user: &str) -> Vec<Asked> {
        let mut asked = self.asked_by(user);
        asked.retain(|asked| asked.verb != "watch");
        asked
    }
}

/// Waits until nothing was asked for so long.
pub(crate) async fn silence_of(user: &str, span: Duration) {
    for _ in 0..60 {
        let mark = Mark::now();
        tokio::time::sleep(span).await;
        if mark.asked_beside_watches(user).is_empty() {
            return;
        }
    }
    panic!("{user} goes on asking");
}

impl Asked {
    fn of(entry: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            verb: text(&entry["verb"]),
            uri: text(&entry["requestURI"]),
            resource: text(&entry["objectRef"]["resource"]),
            namespace: text(&entry["objectRef"]["namespace"]),
            code: entry["responseStatus"]["code"].as_u64().unwrap_or_default(),
            received: micros(&entry["requestReceivedTimestamp"]),
            answered: micros(&entry["stageTimestamp"]),
        }
    }

    pub(crate) fn is_dry_run(&self) -> bool {
        self.uri.contains("dryRun=All")
    }

    /// A write that may have taken effect.
    pub(crate) fn is_write(&self) -> bool {
        let reads = ["get", "list", "watch"].contains(&self.verb.as_str());
        // Asking for one's own rights is a POST that keeps nothing.
        !reads && !self.is_dry_run() && !self.uri.contains("accessreviews")
    }

    /// About what the agent keeps for itself.
    pub(crate) fn is_inside(&self) -> bool {
        self.namespace == "starform-system"
    }
}

/// Microseconds since 1970 of a time as logs write it.
pub(crate) fn micros(text: &Value) -> i64 {
    let time: MicroTime = serde_json::from_value(text.clone()).unwrap();
    time.0.as_microsecond()
}

fn path() -> PathBuf {
    let folder = std::env::var_os("TESTBED_DIR_FOR_TESTS").expect("the testbed's folder");
    PathBuf::from(folder).join("audit.log")
}
