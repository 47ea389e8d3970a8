//! Plans of ten thousand objects and their views, beside one plain pass over the same bytes and their SHA-256.
//!
//! Effects: builds and runs the benchmarks of `starform-plan` in release, time and memory apart.
//! Read on in `reconciler/plan/benches/time.rs` and `memory.rs`.

use anyhow::Result;

use super::{Measure, package};

pub(super) fn measure() -> Result<Vec<Measure>> {
    package::measure("starform-plan", &["time", "memory"])
}
