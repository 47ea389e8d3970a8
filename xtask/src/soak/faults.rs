//! The agent's program before an API server that fails, two hundred ticks long; and before one that is killed, and
//! that has forgotten what watches go on from, five times for half a minute; and a pod that is never ready, until
//! its deadline is over.
//!
//! Effects: builds the testbed, starts clusters, runs tests of `starform-shuttle` in them.
//! Read on in `shuttle/tests/it/shell_faults.rs`, `shell_outage.rs` and `shell_health.rs`.

use anyhow::Result;

use crate::process;
use crate::tally::Tally;
use crate::testbed::{self, Cluster};

const FAULTS: &str = "test --package starform-shuttle --test it -- --ignored --nocapture shell_faults::soak_ shell_health::soak_";
const OUTAGES: &str =
    "test --package starform-shuttle --test it -- --ignored --nocapture shell_outage::soak_";

pub(super) fn run() -> Result<()> {
    let testbed = testbed::build()?;
    let mut outages = process::cargo(OUTAGES.split(' '));
    outages.env("TESTBED_BIN_FOR_TESTS", &testbed.binary);
    Tally::held(&mut outages, 1)?;
    let cluster = Cluster::start(&testbed, 3)?;
    let mut faults = process::cargo(FAULTS.split(' '));
    faults.envs(cluster.variables());
    Tally::held(&mut faults, 2)
}
