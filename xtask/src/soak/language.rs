//! The language at full size: hostile and heavy texts of 1 MiB within 100 ms each, optimised, on a small stack.
//!
//! Effects: builds and runs tests of `starform-dsl` in release, those that are too slow or too exact for every run.
//! Read on in `starform-dsl/tests/it/heavy.rs` and `hostile.rs`.

use anyhow::{Result, ensure};

use crate::process;
use crate::tally::Tally;

pub(super) fn run() -> Result<()> {
    let arguments =
        "test --release --package starform-dsl --test it -- --ignored --test-threads=1 soak_";
    let text = process::output(&mut process::cargo(arguments.split(' ')))?;
    let mut tally = Tally::default();
    text.lines().for_each(|line| tally.read(line));
    ensure!(tally.passed > 0, "no test of that name was found:\n{text}");
    Ok(())
}
