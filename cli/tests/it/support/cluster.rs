//! A real API server with simulated nodes for one scenario, and questions to it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, id},
    sync::OnceLock,
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::{Client, Config, config::KubeConfigOptions, config::Kubeconfig};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::fence::EMERGENCY;

/// A testbed of its own: scenarios stop agents, kill servers and count requests.
pub(crate) struct Cluster {
    pub(crate) kubeconfig: PathBuf,
    folder: TempDir,
    /// The administrator in the group for emergencies: tests change what nobody may change.
    client: Client,
    /// The administrator as it is.
    plain: Client,
}

/// What was answered, whatever it was.
pub(crate) struct Answer {
    pub(crate) code: u16,
    /// Why not; empty where it was done.
    pub(crate) message: String,
}

impl Cluster {
    /// `None` where servers are left out on purpose (`cargo xtask test --fast`).
    pub(crate) fn start() -> Option<Self> {
        if super::fast() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let ran = super::process::run(
            testbed()
                .args(["up", "--audit", "--nodes", "3", "--dir"])
                .arg(folder.path())
                .args(["--owner-pid", &id().to_string()]),
        )
        .expect(0);
        drop(ran);
        let kubeconfig = folder.path().join("kubeconfig");
        let client = runtime().block_on(client(&kubeconfig, &EMERGENCY));
        let plain = runtime().block_on(self::client(&kubeconfig, &[]));
        Some(Self {
            kubeconfig,
            folder,
            client,
            plain,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// `None` for 404.
    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        match self.request("GET", path, None, "application/json") {
            Ok(value) => Some(value),
            Err(kube::Error::Api(status)) if status.code == 404 => None,
            Err(error) => panic!("GET {path}: {error}"),
        }
    }

    pub(crate) fn list(&self, path: &str) -> Vec<Value> {
        self.get(path).map_or_else(Vec::new, |list| {
            list["items"].as_array().cloned().unwrap_or_default()
        })
    }

    /// The namespace of the only project of this name.
    pub(crate) fn namespace(&self, project: &str) -> Option<String> {
        let prefix = format!("sf-{project}-");
        let names = self.list("/api/v1/namespaces").into_iter();
        let mut names = names.filter_map(|ns| ns["metadata"]["name"].as_str().map(str::to_owned));
        names.find(|name| name.starts_with(&prefix))
    }

    /// Creates an object; its API version and kind are the path's.
    pub(crate) fn create(&self, path: &str, object: &Value) {
        self.request("POST", path, Some(object), "application/json")
            .unwrap();
    }

    pub(crate) fn delete(&self, path: &str) {
        self.request("DELETE", path, None, "application/json")
            .unwrap();
    }

    /// A merge patch as `kubectl edit` would send it.
    pub(crate) fn patch(&self, path: &str, patch: &Value) {
        let path = format!("{path}?fieldManager=kubectl-edit");
        self.request("PATCH", &path, Some(patch), "application/merge-patch+json")
            .unwrap();
    }

    /// One request with these headers, such as whom it is for.
    pub(crate) fn ask(
        &self,
        headers: &[(&'static str, String)],
        method: &str,
        path: &str,
        body: Option<&Value>,
        kind: &str,
    ) -> Answer {
        let body = body.map(|body| serde_json::to_vec(body).unwrap());
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, value)
        });
        let request = request.body(body.unwrap_or_default().into()).unwrap();
        runtime().block_on(async {
            let response = self.plain.send(request).await.unwrap();
            let code = response.status().as_u16();
            let body = response.into_body().collect_bytes().await.unwrap();
            let message = if code < 300 {
                String::new()
            } else {
                String::from_utf8_lossy(&body).into_owned()
            };
            Answer { code, message }
        })
    }

    /// Every object that the API server lists, with its collection's path and name.
    pub(crate) fn everything(&self) -> Vec<(String, Value)> {
        let mut groups = vec!["/api/v1".to_owned()];
        for group in self.get("/apis").unwrap()["groups"].as_array().unwrap() {
            let version = text_of(&group["preferredVersion"]["groupVersion"]);
            groups.push(format!("/apis/{version}"));
        }
        let mut all = Vec::new();
        for group in groups {
            let resources = self.get(&group).unwrap();
            let listed = resources["resources"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|resource| {
                    let verbs = resource["verbs"].as_array();
                    verbs.is_some_and(|verbs| verbs.contains(&Value::from("list")))
                });
            for resource in listed {
                let name = text_of(&resource["name"]);
                for object in self.list(&format!("{group}/{name}")) {
                    let metadata = &object["metadata"];
                    let of = match metadata["namespace"].as_str() {
                        Some(namespace) => format!("{group}/namespaces/{namespace}/{name}"),
                        None => format!("{group}/{name}"),
                    };
                    all.push((format!("{of}/{}", text_of(&metadata["name"])), object));
                }
            }
        }
        all
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        kind: &str,
    ) -> kube::Result<Value> {
        let body = body
            .map(|body| serde_json::to_vec(body).unwrap())
            .unwrap_or_default();
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind)
            .body(body)
            .unwrap();
        runtime().block_on(self.client.request(request))
    }

    /// Who may connect to whom by the NetworkPolicies, one JSON line a pair: see `testbed/reach.go`.
    pub(crate) fn reach(&self, ports: &str, addresses: &str) -> String {
        let ran = super::process::run(
            testbed()
                .args(["reach", "--ports", ports, "--addresses", addresses, "--dir"])
                .arg(self.path()),
        );
        ran.expect(0).stdout
    }

    /// The API server answers nothing until what is given back is let go.
    pub(crate) fn freeze(&self) -> Frozen {
        let state = fs::read(self.path().join("state.json")).unwrap();
        let state: Value = serde_json::from_slice(&state).unwrap();
        let process = state["parts"]["kube-apiserver"]["pid"].as_u64().unwrap();
        let process = u32::try_from(process).unwrap();
        super::process::signal("-STOP", process);
        Frozen(process)
    }

    /// Lines of the audit log from now on.
    pub(crate) fn audit_mark(&self) -> u64 {
        fs::metadata(self.path().join("audit.log")).unwrap().len()
    }

    /// Completed requests of an agent since `mark`: (verb, resource, dry-run, URI).
    pub(crate) fn audited(&self, mark: u64, user_agent: &str) -> Vec<Audited> {
        let text = fs::read(self.path().join("audit.log")).unwrap();
        String::from_utf8_lossy(&text[usize::try_from(mark).unwrap()..])
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            // A watch that is still open has only begun.
            .filter(|entry| entry["stage"] == "ResponseComplete" || entry["verb"] == "watch")
            .filter(|entry| {
                entry["userAgent"]
                    .as_str()
                    .is_some_and(|agent| agent.starts_with(user_agent))
            })
            .map(|entry| Audited {
                verb: text_of(&entry["verb"]),
                resource: text_of(&entry["objectRef"]["resource"]),
                namespace: text_of(&entry["objectRef"]["namespace"]),
                name: text_of(&entry["objectRef"]["name"]),
                uri: text_of(&entry["requestURI"]),
                user: text_of(&entry["user"]["username"]),
                impersonated: entry["impersonatedUser"]["username"]
                    .as_str()
                    .map(str::to_owned),
                code: entry["responseStatus"]["code"].as_u64().unwrap_or(0),
                received: micros(&entry["requestReceivedTimestamp"]),
            })
            .collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = super::process::run(testbed().args(["down", "--dir"]).arg(self.folder.path()));
    }
}

/// An API server that was stopped by [`Cluster::freeze`].
pub(crate) struct Frozen(u32);

impl Drop for Frozen {
    fn drop(&mut self) {
        super::process::signal("-CONT", self.0);
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Audited {
    pub(crate) verb: String,
    pub(crate) resource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uri: String,
    /// Whose credentials it came with.
    pub(crate) user: String,
    /// As whom it was made.
    pub(crate) impersonated: Option<String>,
    pub(crate) code: u64,
    /// Microseconds since 1970.
    pub(crate) received: i64,
}

impl Audited {
    pub(crate) fn is_dry_run(&self) -> bool {
        self.uri.contains("dryRun=All")
    }

    /// A write that took effect.
    pub(crate) fn wrote(&self) -> bool {
        let write = matches!(
            self.verb.as_str(),
            "create" | "update" | "patch" | "apply" | "delete"
        );
        write && !self.is_dry_run() && self.code < 300
    }
}

fn testbed() -> Command {
    let bin = env::var_os("TESTBED_BIN_FOR_TESTS").map_or_else(
        || super::root().join("target/testbed/testbed"),
        PathBuf::from,
    );
    assert!(
        bin.is_file(),
        "{} is not built; run `cargo xtask test`",
        bin.display()
    );
    Command::new(bin)
}

fn micros(time: &Value) -> i64 {
    let time: MicroTime = serde_json::from_value(time.clone()).unwrap();
    time.0.as_microsecond()
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Runtime::new().unwrap()
    })
}

/// In these groups; in none: as whoever the kubeconfig names.
async fn client(kubeconfig: &Path, groups: &[&str]) -> Client {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap();
    // What is refused is an answer.
    config.default_retry = false;
    if !groups.is_empty() {
        config.auth_info.impersonate = Some("tests".to_owned());
        let groups = groups.iter().map(ToString::to_string).collect();
        config.auth_info.impersonate_groups = Some(groups);
    }
    Client::try_from(config).unwrap()
}
