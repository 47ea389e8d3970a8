//! The language: text to tree, project to contract, memory of a tree, beside `kdl`, `toml` and `serde_json`.
//!
//! Effects: builds and runs the benchmarks of `starform-dsl` in release. Always holds: time is measured without the
//! allocator that counts, in a process of its own.
//! Read on in `starform-dsl/benches/time.rs` and `memory.rs`.

use anyhow::Result;

use super::{Measure, package};

pub(super) fn measure() -> Result<Vec<Measure>> {
    package::measure("starform-dsl", &["time", "memory"])
}
