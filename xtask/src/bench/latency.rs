//! How long after a plan is accepted its first write begins, with the real control plane and agent on a real API server.
//!
//! Effects: builds the testbed and the binaries as the tests do, starts a cluster.
//! Read on in `cli/tests/it/latency_bench.rs`.

use anyhow::Result;

use super::{Measure, package};

pub(super) fn measure() -> Result<Vec<Measure>> {
    package::of_command_line("latency_bench")
}
