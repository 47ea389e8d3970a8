//! The agent's program on the real API server: killed forty times at random, and led through two hundred states.
//!
//! Effects: builds the testbed, starts a cluster, runs tests of `starform-shuttle` in it.
//! Read on in `shuttle/tests/it/shell_killed.rs`.

use anyhow::Result;

use crate::process;
use crate::tally::Tally;
use crate::testbed::{self, Cluster};

const TESTS: &str =
    "test --package starform-shuttle --test it -- --ignored --nocapture shell_killed::soak_";

pub(super) fn run() -> Result<()> {
    let testbed = testbed::build()?;
    let cluster = Cluster::start(&testbed, 3)?;
    let mut tests = process::cargo(TESTS.split(' '));
    tests.envs(cluster.variables());
    Tally::held(&mut tests, 2)
}
