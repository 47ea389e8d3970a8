//! How long after a plan is accepted its first write begins, with the real control plane and agent on a real API server.
//!
//! Effects: builds the testbed and the binaries as the tests do, starts a cluster.
//! Read on in `cli/tests/it/latency_bench.rs`.

use anyhow::Result;

use super::{Measure, package};
use crate::{process, testbed};

const TESTS: &str =
    "test --quiet --package starform-cli --test it -- --ignored --nocapture latency_bench::";

pub(super) fn measure() -> Result<Vec<Measure>> {
    let testbed = testbed::build()?;
    process::run(&mut process::cargo(["build", "--workspace", "--bins"]))?;
    let mut tests = process::cargo(TESTS.split(' '));
    tests.env("TESTBED_BIN_FOR_TESTS", testbed.binary);
    package::figures(&process::output(&mut tests)?)
}
