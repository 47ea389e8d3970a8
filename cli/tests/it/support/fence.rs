//! The agent's manifests in a cluster as an operator would install them, and the agent's own identity.
//!
//! Effects: `starform-shuttle manifests`, kubectl, a token from the API server.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use kube::config::Kubeconfig;
use serde_json::json;

use super::{
    cluster::Cluster,
    process::{run, run_with, shuttle_bin},
};

const AGENT: &str = "starform-shuttle";

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

    pub(crate) fn kubectl(&self) -> Command {
        let mut kubectl = Command::new(self.path().join("bin").join("kubectl"));
        kubectl.env("KUBECONFIG", &self.kubeconfig);
        kubectl
    }
}
