//! The agent's manifests in a cluster as an operator would install them, and the agent's own identity.
//!
//! Effects: `starform-shuttle manifests`, kubectl, a token from the API server.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use kube::config::Kubeconfig;
use serde_json::{Value, json};

use super::{
    cluster::Cluster,
    process::{run, run_with, shuttle_bin},
    wait_for,
};

const AGENT: &str = "starform-shuttle";
/// In what groups tests change what nobody may change.
pub(super) const EMERGENCY: [&str; 2] = ["system:masters", "starform:break-glass"];

impl Cluster {
    /// Namespace, rights and policies for an agent.
    pub(crate) fn install_manifests(&self) {
        self.install(&[]);
    }

    /// As [`Self::install_manifests`], for a cluster of this profile.
    pub(crate) fn install_manifests_of(&self, profile: &Path) {
        self.install(&["--profile".as_ref(), profile.as_os_str()]);
    }

    fn install(&self, words: &[&OsStr]) {
        let mut manifests = Command::new(shuttle_bin());
        let printed = run(manifests.arg("manifests").args(words)).expect(0);
        let mut apply = self.kubectl();
        apply.args(["apply", "--server-side", "--force-conflicts", "-f", "-"]);
        run_with(&mut apply, &printed.stdout).expect(0);
    }

    /// A kubeconfig with the agent's own token and no other right.
    pub(crate) fn agent_kubeconfig(&self) -> PathBuf {
        let mut create = self.kubectl();
        create.args(["create", "token", AGENT, "-n", "starform-system"]);
        let token = run(&mut create).expect(0).stdout;
        let admin = Kubeconfig::read_from(&self.kubeconfig).unwrap();
        let mut config = serde_json::to_value(&admin).unwrap();
        config["users"] = json!([{ "name": AGENT, "user": { "token": token.trim() } }]);
        config["contexts"][0]["context"]["user"] = json!(AGENT);
        let path = self.path().join("agent.kubeconfig");
        fs::write(&path, config.to_string()).unwrap();
        path
    }

    /// A kubeconfig of the administrator in the group for emergencies, as a person would have it.
    pub(crate) fn emergency_kubeconfig(&self) -> PathBuf {
        let admin = Kubeconfig::read_from(&self.kubeconfig).unwrap();
        let mut config = serde_json::to_value(&admin).unwrap();
        let user = &mut config["users"][0]["user"];
        user["as"] = json!("tests");
        user["as-groups"] = json!(EMERGENCY);
        let path = self.path().join("emergency.kubeconfig");
        fs::write(&path, config.to_string()).unwrap();
        path
    }

    /// Takes a policy out of force while `work` is done, as only an administrator can.
    pub(crate) fn without_policy(&self, policy: &str, work: impl FnOnce()) {
        let bindings = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";
        let path = format!("{bindings}/{policy}");
        let mut binding = self.get(&path).unwrap();
        self.delete(&path);
        work();
        binding["metadata"] = json!({ "name": policy });
        self.create(bindings, &binding);
    }

    /// As [`Cluster::create`], as soon as no policy refuses it any more.
    pub(crate) fn create_once_free(&self, path: &str, object: &Value) {
        let mut headers = vec![("impersonate-user", "tests".to_owned())];
        let groups = EMERGENCY.map(|group| ("impersonate-group", group.to_owned()));
        headers.extend(groups);
        let what = format!("{path} to be free");
        wait_for(&what, Duration::from_secs(20), || {
            let answer = self.ask(&headers, "POST", path, Some(object), "application/json");
            let refused = answer.message.contains("ValidatingAdmissionPolicy");
            assert!(refused || answer.code == 201, "{}", answer.message);
            (!refused).then_some(())
        });
    }

    pub(crate) fn kubectl(&self) -> Command {
        let mut kubectl = Command::new(self.path().join("bin").join("kubectl"));
        kubectl.env("KUBECONFIG", &self.kubeconfig);
        kubectl
    }
}
