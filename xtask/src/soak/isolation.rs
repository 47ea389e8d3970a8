//! Many projects in many environments on one cluster: every pair of pods on every port, judged by an independent matcher.
//!
//! Effects: builds the testbed and the binaries, starts a cluster, applies the projects.
//! Read on in `cli/tests/it/isolation/` and `testbed/reach.go`.

use anyhow::Result;

use crate::tally::Tally;
use crate::{process, testbed};

pub(super) fn run() -> Result<()> {
    let testbed = testbed::build()?;
    let arguments =
        "test --package starform-cli --test it -- --ignored --nocapture isolation::soak_";
    let mut tests = process::cargo(arguments.split(' '));
    tests.env("TESTBED_BIN_FOR_TESTS", testbed.binary);
    Tally::held(&mut tests, 1)
}
