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
        killed_owner_leaves_nothing(&testbed.binary)
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
    let gone = process::await_some(Duration::from_secs(10), || {
        (traces.left().is_empty() && !traces.folder.exists()).then_some(())
    });
    if gone.is_none() {
        bail!(
            "left behind: processes {:?}, folder {}: {}",
            traces.left(),
            traces.folder.display(),
            traces.folder.exists()
        );
    }
    Ok(())
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
    let state: Value = serde_json::from_slice(&fs::read(folder.join("state.json"))?)?;
    let mut processes = vec![(
        stray,
        process::started(stray).context("the stray process is gone already")?,
    )];
    let parts = state["parts"]
        .as_object()
        .context("state.json names no parts")?;
    for part in parts.values().chain([&state["supervisor"]]) {
        let number = |field: &str| {
            part[field]
                .as_u64()
                .with_context(|| format!("state.json: {part} has no {field}"))
        };
        processes.push((number("pid")?, number("started")?));
    }
    Ok(Traces { folder, processes })
}

impl Traces {
    fn left(&self) -> Vec<u64> {
        self.processes
            .iter()
            .filter(|(pid, start)| process::started(*pid) == Some(*start))
            .map(|(pid, _)| *pid)
            .collect()
    }
}
