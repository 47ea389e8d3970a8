//! What 500 projects of 14 objects cost the API server while nothing changes, and the agent itself: requests, processor,
//! memory.
//!
//! Effects: builds the testbed, and `starform-shuttle` in release; starts a cluster.
//! Read on in `shuttle/tests/it/bench_counts.rs`.

use anyhow::Result;

use crate::process;
use crate::tally::Tally;
use crate::testbed::{self, Cluster};

const TESTS: &str = "test --release --package starform-shuttle --test it";
const FILTER: &str = "--ignored --nocapture bench_counts::";

pub(super) fn run() -> Result<()> {
    let testbed = testbed::build()?;
    let tests = || process::cargo(TESTS.split(' '));
    process::run(tests().arg("--no-run"))?;
    let cluster = Cluster::start(&testbed, 3)?;
    let mut tests = tests();
    tests.arg("--").args(FILTER.split(' '));
    tests.envs(cluster.variables());
    Tally::held(&mut tests, 1)
}
