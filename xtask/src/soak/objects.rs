//! What is rendered, at full size: 2 000 environments of any shape, every object tried on the real API server, and
//! every pod under Pod Security Admission.
//!
//! Effects: builds the testbed, starts a cluster. Read on in `shuttle/tests/it/objects/`.

use anyhow::Result;

use crate::process;
use crate::tally::Tally;
use crate::testbed::{self, Cluster};

pub(super) fn run() -> Result<()> {
    let testbed = testbed::build()?;
    let arguments = "test --package starform-shuttle --test it -- --ignored --nocapture objects::generated::soak_";
    let mut tests = process::cargo(arguments.split(' '));
    let cluster = Cluster::start(&testbed, 3)?;
    tests
        .env("KUBECONFIG_FOR_TESTS", cluster.kubeconfig())
        .env("PROPTEST_CASES", "2000");
    Tally::held(&mut tests, 1)
}
