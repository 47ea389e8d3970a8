//! The language: text to tree, project to contract, memory of a tree, beside `kdl`, `toml` and `serde_json`.
//!
//! Effects: builds and runs the benchmarks of `starform-dsl` in release. Always holds: time is measured without the
//! allocator that counts, in a process of its own.
//! Read on in `starform-dsl/benches/time.rs` and `memory.rs`.

use anyhow::{Context, Result};
use serde_json::Value;

use super::Measure;
use crate::process;

pub(super) fn measure() -> Result<Vec<Measure>> {
    let mut measures = Vec::new();
    for bench in ["time", "memory"] {
        let text = process::output(&mut process::cargo([
            "bench",
            "--quiet",
            "--package",
            "starform-dsl",
            "--bench",
            bench,
        ]))?;
        for line in text.lines().filter(|line| line.starts_with('{')) {
            measures.push(read(line).with_context(|| format!("no figure: {line}"))?);
        }
    }
    Ok(measures)
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
