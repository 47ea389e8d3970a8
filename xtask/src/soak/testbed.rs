//! A cluster whose owner is killed leaves nothing: no process, no folder.
//!
//! Effects: starts clusters and kills `testbed run` with SIGKILL.
//! Read on in `testbed/supervise.go` and `testbed/process.go`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{process, testbed};

const ROUNDS: u32 = 20;

/// What a killed run must not leave: a process is a pid with the moment it was started.
struct Traces {
    folder: PathBuf,
    processes: Vec<(u64, u64)>,
}

pub(super) fn run() -> Result<()> {
    let testbed = testbed::build()?;
    for round in 1..=ROUNDS {
        owner_killed_early_leaves_nothing(&testbed.binary)
            .and_then(|()| killed_owner_leaves_nothing(&testbed.binary))
            .with_context(|| format!("round {round} of {ROUNDS}"))?;
    }
    Ok(())
}

/// One round. The command in the cluster leaves its process group, as daemons do, and must end all the same.
///
/// # Errors
/// Names what is left after ten seconds.
pub fn killed_owner_leaves_nothing(binary: &Path) -> Result<()> {
    let mut owner = Command::new(binary)
        .args(["run", "--nodes=1", "--", "sh", "-c"])
        .arg("setsid sleep 3600 & echo $!; echo $TESTBED_DIR_FOR_TESTS; exec sleep 3600")
        // Also where this process itself was given a cluster, the run needs one of its own.
        .env_remove("KUBECONFIG_FOR_TESTS")
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start the testbed")?;
    let traces = read_traces(BufReader::new(
        owner.stdout.take().context("standard output was piped")?,
    ));
    owner.kill()?;
    owner.wait()?;
    let traces = traces?;
    ensure!(
        traces.processes.len() >= 7,
        "fewer processes than a cluster has: {:?}",
        traces.processes
    );
    traces.vanish()
}

/// The same for an owner that is killed while its cluster starts.
///
/// # Errors
/// Names what is left after ten seconds.
pub fn owner_killed_early_leaves_nothing(binary: &Path) -> Result<()> {
    let place = tempfile::tempdir()?;
    let mut owner = Command::new(binary)
        .args(["run", "--nodes=1", "--", "sleep", "3600"])
        .env_remove("KUBECONFIG_FOR_TESTS")
        .env("TMPDIR", place.path())
        .spawn()
        .context("cannot start the testbed")?;
    let traces = process::await_some(Duration::from_secs(20), || {
        let folder = fs::read_dir(place.path()).ok()?.flatten().next()?.path();
        let processes = recorded(&folder).ok()?;
        Some(Traces { folder, processes })
    });
    owner.kill()?;
    owner.wait()?;
    let traces = traces.context("no cluster began to start")?;
    ensure!(
        traces.processes.len() < 6,
        "the cluster was up already: {:?}",
        traces.processes
    );
    traces.vanish()
}

fn read_traces(mut lines: impl BufRead) -> Result<Traces> {
    let mut line = || -> Result<String> {
        let mut text = String::new();
        lines.read_line(&mut text)?;
        Ok(text.trim().to_owned())
    };
    let stray: u64 = line()?
        .parse()
        .context("the run printed no pid: did the cluster start?")?;
    let folder = PathBuf::from(line()?);
    let mut processes = vec![(
        stray,
        process::started(stray).context("the stray process is gone already")?,
    )];
    processes.extend(recorded(&folder)?);
    Ok(Traces { folder, processes })
}

/// The supervisor and the parts, as the cluster's own state file names them.
fn recorded(folder: &Path) -> Result<Vec<(u64, u64)>> {
    let state: Value = serde_json::from_slice(&fs::read(folder.join("state.json"))?)?;
    let parts = state["parts"]
        .as_object()
        .context("state.json names no parts")?;
    let mut processes = Vec::new();
    for part in parts.values().chain([&state["supervisor"]]) {
        let number = |field: &str| {
            part[field]
                .as_u64()
                .with_context(|| format!("state.json: {part} has no {field}"))
        };
        processes.push((number("pid")?, number("started")?));
    }
    Ok(processes)
}

impl Traces {
    fn vanish(&self) -> Result<()> {
        let gone = process::await_some(Duration::from_secs(10), || {
            (self.left().is_empty() && !self.folder.exists()).then_some(())
        });
        if gone.is_none() {
            bail!(
                "left behind: processes {:?}, folder {}: {}",
                self.left(),
                self.folder.display(),
                self.folder.exists()
            );
        }
        Ok(())
    }

    fn left(&self) -> Vec<u64> {
        self.processes
            .iter()
            .filter(|(pid, start)| process::started(*pid) == Some(*start))
            .map(|(pid, _)| *pid)
            .collect()
    }
}
