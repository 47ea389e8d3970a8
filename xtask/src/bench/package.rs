//! Benchmarks that belong to a package: built and run in release, each in a process of its own.
//!
//! Effects: runs cargo. Always holds: what such a benchmark prints is one JSON object a line, as `bench --json` does.

use anyhow::{Context, Result};
use serde_json::Value;

use super::Measure;
use crate::process;

/// The figures of these benchmarks of `package`, in their order.
pub(super) fn measure(package: &str, benches: &[&str]) -> Result<Vec<Measure>> {
    let mut measures = Vec::new();
    for bench in benches {
        let text = process::output(&mut process::cargo([
            "bench",
            "--quiet",
            "--package",
            package,
            "--bench",
            bench,
        ]))?;
        measures.extend(figures(&text)?);
    }
    Ok(measures)
}

/// Of what a benchmark prints, the lines that are figures.
pub(super) fn figures(text: &str) -> Result<Vec<Measure>> {
    let lines = text.lines().filter(|line| line.starts_with('{'));
    lines
        .map(|line| read(line).with_context(|| format!("no figure: {line}")))
        .collect()
}

fn read(line: &str) -> Result<Measure> {
    let figure: Value = serde_json::from_str(line)?;
    let text = |field: &str| figure[field].as_str().map(str::to_owned).context("a text");
    Ok(Measure {
        name: text("name")?,
        ours: figure["ours"].as_f64().context("a number")?,
        floor: figure["floor"].as_f64(),
        unit: text("unit")?.into(),
        n: figure["n"]
            .as_u64()
            .and_then(|n| n.try_into().ok())
            .context("a count")?,
    })
}
