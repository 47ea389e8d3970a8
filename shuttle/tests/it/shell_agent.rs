//! The program as it runs in a cluster: with the agent's own rights and no others, its log in a file.
//!
//! Effects: the real API server, processes of `starform-shuttle`, reads what the kernel says of them.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use http::Method;
use kube::{Client, config::Kubeconfig};
use serde_json::{Value, json};
use starform_contract::ClusterProfile;
use starform_shuttle::{
    call::{APPLY, JSON, call, request},
    manifests::{AGENT, manifests},
};

use crate::shell_audit::micros;

/// Many projects on a busy machine.
const PATIENCE: Duration = Duration::from_secs(600);

/// A token of the agent's ServiceAccount, in a kubeconfig.
pub(crate) struct Identity {
    folder: Arc<tempfile::TempDir>,
}

/// A running program, ended with the test.
pub(crate) struct Agent {
    child: Child,
    log: PathBuf,
    /// Of its kubeconfig and its log.
    _folder: Arc<tempfile::TempDir>,
}

impl Identity {
    /// Its rights are those of the manifests; the policies beside them stay out of a cluster that tests share.
    pub(crate) async fn install(client: &Client) -> Self {
        for object in manifests(&ClusterProfile::default()) {
            if let Some(path) = path(&object) {
                let uri = format!("{path}?fieldManager=tests&force=true");
                let apply = request(Method::PATCH, &uri, Some((APPLY, &object)));
                call(client, apply).await.unwrap();
            }
        }
        let uri = format!("/api/v1/namespaces/starform-system/serviceaccounts/{AGENT}/token");
        let ask = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": 7200},
        });
        let made = request(Method::POST, &uri, Some((JSON, &ask)));
        let made = call(client, made).await.unwrap();
        let admin = std::env::var_os("KUBECONFIG_FOR_TESTS").unwrap();
        let mut config = serde_json::to_value(Kubeconfig::read_from(admin).unwrap()).unwrap();
        config["users"] = json!([{"name": AGENT, "user": {"token": made["status"]["token"]}}]);
        config["contexts"][0]["context"]["user"] = json!(AGENT);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("kubeconfig"), config.to_string()).unwrap();
        Self {
            folder: Arc::new(folder),
        }
    }

    /// `starform-shuttle run --desired-state` of this folder.
    pub(crate) fn start(&self, desired: &Path, more: &[&str]) -> Agent {
        let log = self.folder.path().join("log");
        let child = Command::new(env!("CARGO_BIN_EXE_starform-shuttle"))
            .args(["run", "--log-json", "--desired-state"])
            .arg(desired)
            .args(more)
            .env("KUBECONFIG", self.folder.path().join("kubeconfig"))
            .stderr(File::create(&log).unwrap())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Agent {
            child,
            log,
            _folder: Arc::clone(&self.folder),
        }
    }
}

impl Agent {
    /// Projects whose environment has finished this generation and failed in nothing, and when: microseconds
    /// since 1970.
    pub(crate) fn finished(&self, generation: u64) -> BTreeMap<String, i64> {
        let (text, generation) = (self.log(), generation.to_string());
        text.lines()
            .filter(|line| line.contains("\"finished\""))
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| line["fields"]["failed"] == false)
            .filter(|line| line["span"]["generation"] == generation.as_str())
            .map(|line| {
                (
                    line["span"]["project"].to_string(),
                    micros(&line["timestamp"]),
                )
            })
            .collect()
    }

    /// Waits until so many projects have finished this generation; when the last one did.
    pub(crate) async fn all_finished(&self, generation: u64, projects: usize) -> i64 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let finished = self.finished(generation);
            if finished.len() == projects {
                return finished.into_values().max().unwrap_or_default();
            }
            let told = finished.len();
            assert!(
                Instant::now() < deadline,
                "{told} of {projects} are finished"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Seconds that a processor has worked for it.
    pub(crate) fn processor_seconds(&self) -> f64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let nanoseconds = tasks.map(|task| {
            // One that has ended meanwhile does no more.
            let text = fs::read_to_string(task.unwrap().path().join("schedstat"));
            let text = text.unwrap_or_default();
            let first = text.split_whitespace().next();
            first.map_or(0, |number| number.parse::<u64>().unwrap())
        });
        nanoseconds.sum::<u64>() as f64 / 1e9
    }

    /// MiB that it has in memory now, and had at most.
    pub(crate) fn mebibytes(&self) -> (f64, f64) {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let field = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            let number = line.split_whitespace().nth(1).unwrap();
            number.parse::<f64>().unwrap() / 1024.0
        };
        (field("VmRSS:"), field("VmHWM:"))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the object is written; `None` for admission policies.
fn path(object: &Value) -> Option<String> {
    const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let name = text(&object["metadata"]["name"]);
    let namespaced = |root: &str, plural: &str| {
        let namespace = text(&object["metadata"]["namespace"]);
        Some(format!("{root}/namespaces/{namespace}/{plural}/{name}"))
    };
    match object["kind"].as_str().unwrap() {
        "Namespace" => Some(format!("/api/v1/namespaces/{name}")),
        "ServiceAccount" => namespaced("/api/v1", "serviceaccounts"),
        "ClusterRole" => Some(format!("{RBAC}/clusterroles/{name}")),
        "ClusterRoleBinding" => Some(format!("{RBAC}/clusterrolebindings/{name}")),
        "Role" => namespaced(RBAC, "roles"),
        "RoleBinding" => namespaced(RBAC, "rolebindings"),
        "ValidatingAdmissionPolicy" | "ValidatingAdmissionPolicyBinding" => None,
        other => panic!("a manifest of kind {other}"),
    }
}
