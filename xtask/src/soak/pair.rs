//! Two agents on one cluster whose leases are lost, for ten minutes: no field goes back to what it was.
//!
//! Effects: builds the testbed, starts a cluster, runs a test of `starform-shuttle` in it.
//! Read on in `shuttle/tests/it/shell_pair.rs`.

use anyhow::Result;

use crate::process;
use crate::tally::Tally;
use crate::testbed::{self, Cluster};

const TEST: &str =
    "test --package starform-shuttle --test it -- --ignored --nocapture shell_pair::soak_";

pub(super) fn run() -> Result<()> {
    let testbed = testbed::build()?;
    let cluster = Cluster::start(&testbed, 3)?;
    let mut test = process::cargo(TEST.split(' '));
    test.envs(cluster.variables());
    Tally::held(&mut test, 1)
}
