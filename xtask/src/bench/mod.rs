//! `cargo xtask bench`: what is measured, and how it is shown.
//!
//! Effects: as the benchmark that is named. Always holds: every entry measures the real thing, and what a figure is
//! compared with was measured in the same run.
//! Read on in the module of each benchmark.

mod apply;
mod compile;
mod drift;
mod latency;
mod package;
mod plan;
mod testbed;

use std::borrow::Cow;

use anyhow::{Result, bail};
use serde_json::json;

/// One figure.
pub struct Measure {
    pub name: String,
    pub ours: f64,
    /// What the same work costs at least, or costs a peer, measured in this run.
    pub floor: Option<f64>,
    pub unit: Cow<'static, str>,
    /// How many times it was measured; `ours` is the median.
    pub n: usize,
}

struct Bench {
    name: &'static str,
    measure: fn() -> Result<Vec<Measure>>,
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "apply",
        measure: apply::measure,
    },
    Bench {
        name: "compile",
        measure: compile::measure,
    },
    Bench {
        name: "drift",
        measure: drift::measure,
    },
    Bench {
        name: "latency",
        measure: latency::measure,
    },
    Bench {
        name: "plan",
        measure: plan::measure,
    },
    Bench {
        name: "testbed",
        measure: testbed::measure,
    },
];

/// Runs one benchmark, or all of them, and prints a table or one JSON object a line.
///
/// # Errors
/// Where no benchmark has that name, or one fails.
pub fn run(name: Option<&str>, as_json: bool) -> Result<()> {
    let chosen: Vec<&Bench> = BENCHES
        .iter()
        .filter(|bench| name.is_none_or(|name| name == bench.name))
        .collect();
    if chosen.is_empty() {
        let names: Vec<&str> = BENCHES.iter().map(|bench| bench.name).collect();
        bail!(
            "there is no benchmark {}; there are: {}",
            name.unwrap_or_default(),
            names.join(", ")
        );
    }
    for bench in chosen {
        for measure in (bench.measure)()? {
            print(&measure, as_json);
        }
    }
    Ok(())
}

/// The middle one; of an even number the larger of the two.
#[must_use]
pub fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

fn print(measure: &Measure, as_json: bool) {
    let ratio = measure.floor.map(|floor| measure.ours / floor);
    if as_json {
        println!(
            "{}",
            json!({"name": measure.name, "ours": measure.ours, "floor": measure.floor, "ratio": ratio,
                   "unit": measure.unit, "n": measure.n})
        );
        return;
    }
    let compared = match (measure.floor, ratio) {
        (Some(floor), Some(ratio)) => {
            format!("floor {floor:.3} {}, ratio {ratio:.2}", measure.unit)
        }
        (_, _) => String::new(),
    };
    println!(
        "{:<52} {:>12.3} {:<6} n={:<4} {compared}",
        measure.name, measure.ours, measure.unit, measure.n
    );
}
