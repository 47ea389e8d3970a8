//! The agent's engine at full size, against a model of an API server: lost at every request and once more at every request
//! of the one that takes over; told late, twice, never or in another order what lives;
//! led from one desired state to another ten thousand times; and given two thousand forged documents.
//!
//! Effects: builds and runs tests of `starform-shuttle` in release. Always holds: the cases are the same every time.
//! Read on in `shuttle/tests/it/engine_laws.rs`, `engine_staleness.rs`,
//! `engine_transitions.rs` and `engine_forged.rs`.

use anyhow::Result;

use crate::process;
use crate::tally::Tally;

const TESTS: &str =
    "test --release --package starform-shuttle --test it -- --ignored --nocapture engine_";

pub(super) fn run() -> Result<()> {
    Tally::held(&mut process::cargo(TESTS.split(' ')), 5)
}
