//! The testbed itself: how long a cluster takes to start and stop, and what it holds idle.
//!
//! Effects: starts three clusters, one after the other.
//! Read on in `testbed/supervise.go`.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use super::{Measure, median};
use crate::process;
use crate::testbed::{self, Cluster};

const ROUNDS: usize = 3;

pub(super) fn measure() -> Result<Vec<Measure>> {
    let testbed = testbed::build()?;
    let (mut starts, mut stops, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let cluster = Cluster::start(&testbed, 3)?;
        starts.push(begun.elapsed().as_secs_f64());
        memory.push(mebibytes(&testbed.binary, &cluster)?);
        let begun = Instant::now();
        drop(cluster);
        stops.push(begun.elapsed().as_secs_f64());
    }
    let measure = |name: &str, samples: Vec<f64>, unit: &'static str| Measure {
        name: format!("testbed/{name}"),
        n: samples.len(),
        ours: median(samples),
        floor: None,
        unit: unit.into(),
    };
    Ok(vec![
        measure("start", starts, "s"),
        measure("stop", stops, "s"),
        measure("memory", memory, "MiB"),
    ])
}

/// What the testbed's own `status` says all parts hold together.
fn mebibytes(binary: &Path, cluster: &Cluster) -> Result<f64> {
    let text = process::output(
        Command::new(binary)
            .arg("status")
            .arg("--dir")
            .arg(cluster.folder()),
    )?;
    let line = text
        .lines()
        .find(|line| line.trim_start().starts_with("together"));
    let amount = line
        .and_then(|line| line.split_whitespace().nth(1))
        .context("status names no sum")?;
    amount
        .parse()
        .with_context(|| format!("status names no amount: {text}"))
}
