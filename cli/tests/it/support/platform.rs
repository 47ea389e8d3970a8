//! A control plane and an agent as processes, as an operator would run them.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tempfile::TempDir;

use super::{
    cluster::Cluster,
    process::{Ran, Running, run, shuttle_bin, starform},
    project::Project,
    wait_for,
};

/// How long a server or an agent may take to be ready, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Platform {
    folder: TempDir,
    port: u16,
    pub(crate) server: Running,
    /// `None`: the cluster reaches no control plane.
    pub(crate) agent: Option<Running>,
    /// The agent's own rights, and no others.
    kubeconfig: PathBuf,
}

impl Platform {
    /// A registered cluster with its agent; projects are still to be created.
    pub(crate) fn start(cluster: &Cluster) -> Self {
        let mut platform = Self::start_apart(cluster);
        platform.restart_agent();
        platform
    }

    /// As [`Self::start`], of a cluster that no agent connects with the control plane.
    pub(crate) fn start_apart(cluster: &Cluster) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let server = start_server(&folder, port);
        let mut command = starform();
        command
            .args(["cluster", "register", "test", "--agent-file"])
            .arg(folder.path().join("agent.json"));
        run(with_server(&mut command, &folder, port)).expect(0);
        cluster.install_manifests();
        let kubeconfig = cluster.agent_kubeconfig();
        Self {
            folder,
            port,
            server,
            agent: None,
            kubeconfig,
        }
    }

    /// As [`Self::start`], of a cluster that is registered and not there: what is accepted stays pending.
    pub(crate) fn start_alone() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let server = start_server(&folder, port);
        let platform = Self {
            folder,
            port,
            server,
            agent: None,
            kubeconfig: PathBuf::from("/dev/null"),
        };
        let file = platform.agent_file();
        platform
            .operate(&["register", "test", "--agent-file", file.to_str().unwrap()])
            .expect(0);
        platform
    }

    /// A token for the project: `words` say of which kind.
    pub(crate) fn token(&self, project: &str, words: &[&str]) -> String {
        let mut command = starform();
        command.args(["token", "create", "--project", project]);
        let made = run(with_server(command.args(words), &self.folder, self.port)).expect(0);
        made.stdout.trim().to_owned()
    }

    /// `starform` in the project's folder, with this token.
    pub(crate) fn starform_as(&self, token: &str, project: &Project, words: &[&str]) -> Ran {
        run(self.command_as(token, project).args(words))
    }

    pub(crate) fn command_as(&self, token: &str, project: &Project) -> Command {
        let mut command = starform();
        command
            .current_dir(project.path())
            .env("STARFORM_TOKEN", token)
            .args(["--server", &self.url()]);
        command
    }

    pub(crate) fn create_project(&self, name: &str) {
        let mut command = starform();
        command.args(["project", "create", name, "--cluster", "test"]);
        run(with_server(&mut command, &self.folder, self.port)).expect(0);
    }

    /// `starform` in the project's folder against the control plane.
    pub(crate) fn starform(&self, project: &Project, words: &[&str]) -> Ran {
        run(self.command(project).args(words))
    }

    pub(crate) fn command(&self, project: &Project) -> Command {
        let mut command = starform();
        command.current_dir(project.path());
        with_server(&mut command, &self.folder, self.port);
        command
    }

    pub(crate) fn apply(&self, project: &Project) -> Ran {
        self.starform(project, &["apply", "--auto-approve"])
    }

    pub(crate) fn kill_server(&mut self) {
        self.server.kill();
    }

    pub(crate) fn restart_server(&mut self) {
        self.server = start_server(&self.folder, self.port);
    }

    pub(crate) fn restart_agent(&mut self) {
        self.agent = None;
        self.agent = Some(start_agent(&self.folder, &self.kubeconfig));
    }

    /// `starform-shuttle …` with no rights in the cluster but the agent's own.
    pub(crate) fn shuttle(&self, words: &[&str]) -> Ran {
        let mut command = Command::new(shuttle_bin());
        run(command.args(words).env("KUBECONFIG", &self.kubeconfig))
    }

    /// The file of the keys that sign desired state.
    pub(crate) fn signing_keys(&self) -> PathBuf {
        self.folder.path().join("signing-keys")
    }

    /// Where both keep their files: the store, keys, tokens, logs.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(crate) fn agent_file(&self) -> PathBuf {
        self.folder.path().join("agent.json")
    }

    /// `starform cluster …` as the operator.
    pub(crate) fn operate(&self, words: &[&str]) -> Ran {
        let mut command = starform();
        command.arg("cluster").args(words);
        run(with_server(&mut command, &self.folder, self.port))
    }

    pub(crate) fn url(&self) -> String {
        url(self.port)
    }

    pub(crate) fn agent_token(&self) -> String {
        let text = fs::read_to_string(self.folder.path().join("agent.json")).unwrap();
        let file: serde_json::Value = serde_json::from_str(&text).unwrap();
        file["token"].as_str().unwrap().to_owned()
    }
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn with_server<'c>(command: &'c mut Command, folder: &TempDir, port: u16) -> &'c mut Command {
    command
        .args(["--server", &url(port), "--token-file"])
        .arg(folder.path().join("admin-token"))
}

fn start_server(folder: &TempDir, port: u16) -> Running {
    let log = folder.path().join("server.log");
    let seen = fs::read_to_string(&log)
        .unwrap_or_default()
        .matches("listening on")
        .count();
    let mut running = Running::start(
        starform()
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
            .args([
                "--database",
                &format!("sqlite://{}", folder.path().join("store.db").display()),
            ])
            .arg("--admin-token-file")
            .arg(folder.path().join("admin-token"))
            .arg("--signing-key-file")
            .arg(folder.path().join("signing-keys"))
            .arg("--secrets-key-file")
            .arg(folder.path().join("secrets-keys")),
        &log,
    );
    wait_for("the control plane to listen", PATIENCE, || {
        running.assert_running();
        (running.log().matches("listening on").count() > seen).then_some(())
    });
    running
}

fn start_agent(folder: &TempDir, kubeconfig: &Path) -> Running {
    let mut command = Command::new(shuttle_bin());
    command
        .args(["run", "--interval", "1s", "--agent-file"])
        .arg(folder.path().join("agent.json"));
    command.arg("--kubeconfig").arg(kubeconfig);
    Running::start(&mut command, &folder.path().join("agent.log"))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
