//! `cargo xtask demo`: the main job on this machine, from nothing to a second plan that is empty.
//!
//! Effects: builds, starts the testbed, `starform serve` and `starform-shuttle`, works in a temporary folder.
//! Always holds: every process and the folder are gone at the end, also after Ctrl-C, an error or kill -9.
//! Read on in `testbed.rs` and `guard.rs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use signal_hook::consts::{SIGINT, SIGTERM};
use tempfile::TempDir;

use crate::guard::{Guarded, Terms};
use crate::testbed::{self, Cluster, Testbed};
use crate::{place, process};

const CLUSTER: &str = "demo";
const OWNER: &str = "demo";
/// The agent's ServiceAccount.
const AGENT: &str = "starform-shuttle";

/// A running control plane with one agent. Fields drop in order: clients before what they talk to.
struct Stage {
    shuttle: Option<Guarded>,
    control_plane: Guarded,
    cluster: Cluster,
    folder: TempDir,
    project: PathBuf,
    server: String,
    token: String,
}

/// Shows the project in `path`; with `exit` it stops by itself.
///
/// # Errors
/// Where a part does not start or a command of `starform` ends with another code than 0; the last lines of the
/// parts' logs are shown then.
pub fn run(path: &Path, exit: bool) -> Result<()> {
    // Heard only when we ask: an interrupted wait is no end, and everything stops in order.
    let asked_to_stop = Arc::new(AtomicBool::new(false));
    let project =
        fs::canonicalize(path).with_context(|| format!("there is no folder {}", path.display()))?;
    let name = project_name(&project)?;
    // The whole workspace, not only two crates of it: with the same features, nothing is built twice for the tests.
    process::run(&mut process::cargo(["build", "--workspace", "--bins"]))?;
    let testbed = testbed::build()?;
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&asked_to_stop))?;
    }
    let mut stage = Stage::raise(&testbed, project)?;
    let shown = stage.show(&testbed, &name);
    if shown.is_err() && !asked_to_stop.load(Ordering::Relaxed) {
        stage.print_logs();
    }
    shown?;
    stage.print_places();
    if !exit {
        println!("Ctrl-C stops everything.");
        stage.wait(&asked_to_stop)?;
    }
    println!("stopping");
    Ok(())
}

impl Stage {
    fn raise(testbed: &Testbed, project: PathBuf) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("starform-demo-")
            .tempdir()?;
        let cluster = Cluster::start(testbed, 3)?;
        let token_file = folder.path().join("admin.token");
        let log = folder.path().join("control-plane.log");
        let mut serve = Command::new(place::binaries().join("starform"));
        serve.args(["serve", "--listen", "127.0.0.1:0", "--database"]);
        serve.arg(format!(
            "sqlite://{}",
            folder.path().join("starform.db").display()
        ));
        serve
            .arg("--admin-token-file")
            .arg(&token_file)
            .current_dir(folder.path());
        let terms = Terms {
            log: Some(log.clone()),
            remove: Some(folder.path().to_owned()),
            ..Terms::default()
        };
        let mut control_plane = Guarded::start(&testbed.binary, &terms, &serve)?;
        let server = await_address(&mut control_plane, &log)?;
        let token = fs::read_to_string(&token_file)
            .context("the control plane wrote no token")?
            .trim()
            .to_owned();
        Ok(Self {
            shuttle: None,
            control_plane,
            cluster,
            folder,
            project,
            server,
            token,
        })
    }

    fn show(&mut self, testbed: &Testbed, project: &str) -> Result<()> {
        let agent_file = self.folder.path().join("agent.json");
        let agent_argument = agent_file
            .to_str()
            .context("the temporary folder's name is no text")?;
        self.starform(&[
            "cluster",
            "register",
            CLUSTER,
            "--agent-file",
            agent_argument,
        ])?;
        self.starform(&["workspace", "create", OWNER])?;
        self.starform(&[
            "project",
            "create",
            project,
            "--cluster",
            CLUSTER,
            "--workspace",
            OWNER,
        ])?;
        let kubeconfig = self.admit_agent()?;
        let mut shuttle = Command::new(place::binaries().join("starform-shuttle"));
        shuttle
            .args(["run", "--agent-file", agent_argument, "--kubeconfig"])
            .arg(kubeconfig);
        let terms = Terms {
            log: Some(self.log("shuttle")),
            ..Terms::default()
        };
        self.shuttle = Some(Guarded::start(&testbed.binary, &terms, &shuttle)?);
        self.starform(&["plan"])?;
        self.starform(&["apply", "--auto-approve"])?;
        self.starform(&["plan", "--exit-code"])
            .context("the second plan should have been empty")
    }

    /// Installs what an agent needs in the cluster; returns a kubeconfig with its rights alone.
    fn admit_agent(&self) -> Result<PathBuf> {
        let manifests = self.folder.path().join("manifests.yaml");
        let mut print = Command::new(place::binaries().join("starform-shuttle"));
        fs::write(&manifests, process::output(print.arg("manifests"))?)?;
        let mut apply = self.kubectl();
        apply.args(["apply", "--server-side", "-f"]).arg(manifests);
        process::output(&mut apply)?;
        let mut create = self.kubectl();
        create.args(["create", "token", AGENT, "-n", "starform-system"]);
        let token = process::output(&mut create)?;
        // The testbed writes its administrator's certificate as one line; no command's line shall show the token.
        let administrators = fs::read_to_string(self.cluster.kubeconfig())?;
        let agents = administrators.lines().map(|line| match line {
            credentials if credentials.starts_with("  user: {") => {
                format!("  user: {{token: {:?}}}\n", token.trim())
            }
            other => format!("{other}\n"),
        });
        let kubeconfig = self.folder.path().join("agent.kubeconfig");
        fs::write(&kubeconfig, agents.collect::<String>())?;
        Ok(kubeconfig)
    }

    fn kubectl(&self) -> Command {
        let mut kubectl = Command::new(self.cluster.folder().join("bin/kubectl"));
        kubectl.env("KUBECONFIG", self.cluster.kubeconfig());
        kubectl
    }

    /// Runs one command in the project's folder, on this terminal.
    fn starform(&self, arguments: &[&str]) -> Result<()> {
        process::run(
            Command::new(place::binaries().join("starform"))
                .args(arguments)
                .current_dir(&self.project)
                .env("STARFORM_SERVER", &self.server)
                .env("STARFORM_TOKEN", &self.token),
        )
    }

    fn print_places(&self) {
        println!("\ncontrol plane  {}", self.server);
        println!(
            "token          {}",
            self.folder.path().join("admin.token").display()
        );
        println!(
            "cluster        export KUBECONFIG={}",
            self.cluster.kubeconfig().display()
        );
        println!(
            "               {} get deployments -A",
            self.cluster.folder().join("bin/kubectl").display()
        );
        println!("logs           {}", self.folder.path().display());
    }

    fn print_logs(&self) {
        for part in ["control-plane", "shuttle"] {
            let Ok(text) = fs::read_to_string(self.log(part)) else {
                continue;
            };
            let lines: Vec<&str> = text.lines().collect();
            eprintln!("\nthe last lines of {part}:");
            for line in lines.iter().skip(lines.len().saturating_sub(30)) {
                eprintln!("  {line}");
            }
        }
    }

    /// Returns when a person asks; a part that ends by itself is an error.
    fn wait(&mut self, asked: &AtomicBool) -> Result<()> {
        while !asked.load(Ordering::Relaxed) {
            if !self.control_plane.runs()
                || self.shuttle.as_mut().is_some_and(|shuttle| !shuttle.runs())
            {
                self.print_logs();
                bail!("a part ended by itself");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    fn log(&self, part: &str) -> PathBuf {
        self.folder.path().join(format!("{part}.log"))
    }
}

/// The control plane says where it listens, on a line of its own.
fn await_address(control_plane: &mut Guarded, log: &Path) -> Result<String> {
    let address = process::await_some(Duration::from_secs(30), || {
        let text = fs::read_to_string(log).unwrap_or_default();
        let address = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("listening on ").map(str::to_owned));
        match (address, control_plane.runs()) {
            (Some(address), true) => Some(Some(address)),
            (None, true) => None,
            (_, false) => Some(None),
        }
    });
    address.flatten().with_context(|| {
        format!(
            "the control plane did not start:\n{}",
            fs::read_to_string(log).unwrap_or_default()
        )
    })
}

/// The word behind `project` on the first line that has one; `starform` itself checks the rest.
fn project_name(folder: &Path) -> Result<String> {
    let file = folder.join("starform.kdl");
    let text =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    text.lines()
        .filter_map(|line| line.trim().strip_prefix("project "))
        .find_map(|rest| rest.split_whitespace().next())
        .map(|word| word.trim_matches(['"', '{', ';']).to_owned())
        .with_context(|| {
            format!(
                "{} has no line that begins with `project NAME`",
                file.display()
            )
        })
}
