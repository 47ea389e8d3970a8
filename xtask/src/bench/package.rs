//! Benchmarks that belong to a package: its own, built and run in release, each in a process of its own; and those among
//! the command line's tests.
//!
//! Effects: runs cargo. Always holds: what such a benchmark prints is one JSON object a line, as `bench --json` does.

use anyhow::{Context, Result};
use serde_json::Value;

use super::Measure;
use crate::{process, testbed};

const TESTS: &str = "test --quiet --package starform-cli --test it -- --ignored --nocapture";

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

/// The figures that one module of the command line's ignored tests prints: they start their own clusters.
pub(super) fn of_command_line(module: &str) -> Result<Vec<Measure>> {
    let testbed = testbed::build()?;
    process::run(&mut process::cargo(["build", "--workspace", "--bins"]))?;
    let mut tests = process::cargo(TESTS.split(' '));
    tests.arg(format!("{module}::"));
    tests.env("TESTBED_BIN_FOR_TESTS", testbed.binary);
    figures(&process::output(&mut tests)?)
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
