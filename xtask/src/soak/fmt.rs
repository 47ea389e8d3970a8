//! Formatting at full size: the suite, every golden, 10 000 generated documents and as many broken ones keep all that
//! they say, and so do a million texts of pieces and a million of any characters.
//!
//! Effects: builds and runs tests of `starform-dsl` in release, one of which is ignored otherwise; they print counts.
//! Read on in `starform-dsl/tests/it/formatting`.

use anyhow::Result;

use crate::process;
use crate::tally::Tally;

const TESTS: &str = "test --release --package starform-dsl --test it -- --include-ignored --nocapture \
                     formatting::all_texts formatting::any_";

pub(super) fn run() -> Result<()> {
    let mut tests = process::cargo(TESTS.split_whitespace());
    Tally::held(tests.env("PROPTEST_CASES", "1000000"), 3)
}
