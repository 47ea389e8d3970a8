//! Two hundred edits of a project, each planned and applied: what the audit log says was written is what the plan listed.
//!
//! Effects: builds the testbed and the binaries, starts a cluster. `TRUTH_SEED` gives other edits.
//! Read on in `cli/tests/it/truth/`.

use anyhow::Result;

use crate::tally::Tally;
use crate::{process, testbed};

pub(super) fn run() -> Result<()> {
    let testbed = testbed::build()?;
    let arguments = "test --package starform-cli --test it -- --ignored --nocapture truth::soak_";
    let mut tests = process::cargo(arguments.split(' '));
    tests.env("TESTBED_BIN_FOR_TESTS", testbed.binary);
    Tally::held(&mut tests, 1)
}
