//! How long what somebody edits by hand stays, with the real agent on a real API server: 200 edits of fields that Starform
//! states, 20 additions.
//!
//! Effects: builds the testbed and the binaries as the tests do, starts a cluster.
//! Read on in `cli/tests/it/drift_bench.rs`.

use anyhow::Result;

use super::{Measure, package};

pub(super) fn measure() -> Result<Vec<Measure>> {
    package::of_command_line("drift_bench")
}
