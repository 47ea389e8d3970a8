//! The testbed is what the other tests take it for: pods misbehave as named, requests are counted, nothing is left.
//!
//! Starts clusters of its own. Left out when `STARFORM_TEST_FAST` is set.
//! Read on in `testbed/`.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};
use xtask::testbed::Testbed;
use xtask::{process, soak};

use crate::given_testbed;

#[test]
fn a_killed_owner_leaves_nothing() {
    let Some(Testbed { binary }) = given_testbed() else {
        return;
    };
    soak::testbed::owner_killed_early_leaves_nothing(&binary).expect("nothing is left");
    soak::testbed::killed_owner_leaves_nothing(&binary).expect("nothing is left");
}

#[test]
fn pods_misbehave_and_requests_are_counted() {
    let Some(Testbed { binary }) = given_testbed() else {
        return;
    };
    let cluster = tempfile::tempdir().expect("a temporary folder");
    let folder = cluster.path().join("cluster");
    let here = Bench {
        binary: &binary,
        folder: &folder,
    };
    let owner = format!("--owner-pid={}", std::process::id());
    assert_success(&here.testbed(&["up", "--nodes=2", "--audit", &owner]));
    assert!(
        !here.testbed(&["up"]).status.success(),
        "a second cluster in the same folder is refused"
    );
    here.pods_misbehave();
    here.requests_are_counted();
    here.a_killed_server_comes_back();
    assert_success(&here.testbed(&["down"]));
    assert_success(&here.testbed(&["down"]));
    assert!(
        !here.testbed(&["status"]).status.success(),
        "nothing runs there any more"
    );
}

#[test]
fn a_run_passes_the_code_on_and_cleans_up() {
    let Some(Testbed { binary }) = given_testbed() else {
        return;
    };
    let output = Command::new(binary)
        .args([
            "run",
            "--nodes=1",
            "--",
            "sh",
            "-c",
            "echo $TESTBED_DIR_FOR_TESTS; kubectl get nodes -o name; exit 7",
        ])
        .env_remove("KUBECONFIG_FOR_TESTS")
        .output()
        .expect("the testbed starts");
    assert_eq!(
        output.status.code(),
        Some(7),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.get(1), Some(&"node/node-1"));
    assert!(!Path::new(lines[0]).exists(), "{} is left", lines[0]);
}

struct Bench<'a> {
    binary: &'a Path,
    folder: &'a Path,
}

impl Bench<'_> {
    fn testbed(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(self.binary);
        command
            .args(arguments)
            .arg("--dir")
            .arg(self.folder)
            .output()
            .expect("the testbed starts")
    }

    fn kubectl(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(self.binary);
        command
            .arg("kubectl")
            .args(arguments)
            .env("KUBECONFIG", self.folder.join("kubeconfig"));
        command.output().expect("kubectl starts")
    }

    /// Each pod's end as its status says it; `run` creates a bare pod.
    fn pods_misbehave(&self) {
        let expected = [
            ("plain", "plain", ".status.phase", "Running"),
            (
                "crash",
                "behave-crash",
                ".status.containerStatuses[0].state.waiting.reason",
                "CrashLoopBackOff",
            ),
            (
                "pullfail",
                "behave-pullfail",
                ".status.containerStatuses[0].state.waiting.reason",
                "ImagePullBackOff",
            ),
            (
                "neverready",
                "behave-neverready",
                ".status.containerStatuses[0].ready",
                "false",
            ),
            (
                "slow",
                "behave-slow2",
                ".status.containerStatuses[0].ready",
                "true",
            ),
            ("jobok", "behave-jobok1", ".status.phase", "Succeeded"),
            (
                "jobfail",
                "behave-jobfail1",
                ".status.containerStatuses[0].state.terminated.exitCode",
                "1",
            ),
        ];
        for (name, tag, _, _) in expected {
            let image = format!("--image=registry.example/app:{tag}");
            assert_success(&self.kubectl(&["run", name, &image, "--restart=Never"]));
        }
        for (name, _, path, value) in expected {
            let path = format!("-o=jsonpath={{{path}}}");
            let mut last = String::new();
            let reached = process::await_some(Duration::from_secs(20), || {
                last = String::from_utf8_lossy(&self.kubectl(&["get", "pod", name, &path]).stdout)
                    .into_owned();
                (last == value).then_some(())
            });
            assert!(
                reached.is_some(),
                "pod {name}: {path} is {last:?}, not {value:?}"
            );
        }
    }

    fn requests_are_counted(&self) {
        let before = self.counted();
        assert_success(&self.kubectl(&["create", "configmap", "one", "--from-literal=a=b"]));
        assert_success(&self.kubectl(&[
            "create",
            "configmap",
            "two",
            "--from-literal=a=b",
            "--dry-run=server",
        ]));
        let creates = |sum: &Value, dry_run: bool| {
            let requests = sum["requests"].as_array().cloned().unwrap_or_default();
            requests
                .iter()
                .filter(|r| {
                    r["verb"] == "create" && r["kind"] == "configmaps" && r["dry_run"] == dry_run
                })
                .map(|r| r["count"].as_u64().unwrap_or_default())
                .sum::<u64>()
        };
        let after = self.counted();
        assert_eq!(
            json!([creates(&before, false), creates(&before, true)]),
            json!([0, 0])
        );
        assert_eq!(
            json!([creates(&after, false), creates(&after, true)]),
            json!([1, 1])
        );
        let later = self.testbed(&[
            "audit",
            "--json",
            "--user-agent=kubectl",
            "--since=2999-01-01T00:00:00Z",
        ]);
        assert_eq!(parse(&later)["total"], 0);
    }

    fn counted(&self) -> Value {
        parse(&self.testbed(&["audit", "--json", "--user-agent=kubectl"]))
    }

    fn a_killed_server_comes_back(&self) {
        let newest = || {
            let listed = parse(&self.kubectl(&["get", "--raw", "/api/v1/configmaps?limit=1"]));
            listed["metadata"]["resourceVersion"].clone()
        };
        let old = newest();
        assert_success(&self.kubectl(&["label", "configmap", "one", "newer=yes"]));
        assert_success(&self.testbed(&["compact"]));
        assert_success(&self.testbed(&["kill-part", "kube-apiserver"]));
        assert!(
            !self
                .kubectl(&["get", "nodes", "--request-timeout=2s"])
                .status
                .success(),
            "no server answers"
        );
        assert_success(&self.testbed(&["restart-part", "kube-apiserver"]));
        assert_success(&self.kubectl(&["get", "configmap", "one"]));
        let listed_at = |version: &Value| {
            let version = version.as_str().expect("a list has a version");
            let uri =
                format!("/api/v1/configmaps?resourceVersion={version}&resourceVersionMatch=Exact");
            self.kubectl(&["get", "--raw", &uri])
        };
        assert_success(&listed_at(&newest()));
        let forgotten = listed_at(&old);
        let told = String::from_utf8_lossy(&forgotten.stderr);
        assert!(told.contains("too old"), "what etcd forgot is gone: {told}");
    }
}

fn parse(output: &Output) -> Value {
    assert_success(output);
    serde_json::from_slice(&output.stdout).expect("the testbed prints JSON")
}

fn assert_success(output: &Output) {
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
