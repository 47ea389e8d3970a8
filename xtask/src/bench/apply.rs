//! What an apply costs next to the least that it could: 1 000 services of 4 objects in 20 projects from nothing, the same
//! again, and one image changed.
//!
//! Effects: builds the testbed, and `starform-shuttle` in release; starts three clusters, one after the other. Always
//! holds: the floor, one bare request an object and eight at a time, was measured on the same API server.
//! Read on in `shuttle/tests/it/bench_apply.rs`.

use anyhow::Result;

use super::{Measure, median, package};
use crate::process;
use crate::testbed::{self, Cluster};

const TESTS: &str = "test --quiet --release --package starform-shuttle --test it";
const FILTER: &str = "--ignored --nocapture bench_apply::";
const ROUNDS: usize = 3;

pub(super) fn measure() -> Result<Vec<Measure>> {
    let testbed = testbed::build()?;
    let tests = || process::cargo(TESTS.split(' '));
    process::run(tests().arg("--no-run"))?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let cluster = Cluster::start(&testbed, 3)?;
        let mut tests = tests();
        tests.arg("--").args(FILTER.split(' '));
        tests.envs(cluster.variables());
        rounds.push(package::figures(&process::output(&mut tests)?)?);
    }
    Ok(middle(rounds))
}

/// Of each figure the median, and of its floor.
fn middle(rounds: Vec<Vec<Measure>>) -> Vec<Measure> {
    let mut names: Vec<(String, String)> = Vec::new();
    for measure in rounds.iter().flatten() {
        let name = (measure.name.clone(), measure.unit.to_string());
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let of = |name: &str| {
        let all = rounds.iter().flatten();
        all.filter(|measure| measure.name == name)
            .collect::<Vec<_>>()
    };
    names
        .into_iter()
        .map(|(name, unit)| {
            let all = of(&name);
            let floors: Vec<f64> = all.iter().filter_map(|measure| measure.floor).collect();
            Measure {
                n: all.len(),
                ours: median(all.iter().map(|measure| measure.ours).collect()),
                floor: (!floors.is_empty()).then(|| median(floors)),
                unit: unit.into(),
                name,
            }
        })
        .collect()
}
