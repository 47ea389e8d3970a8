//! The language at full size: hostile and heavy texts of 1 MiB within 100 ms each, optimised, on a small stack;
//! and every golden typed into the running server, 99 of 100 characters answered within 10 ms.
//!
//! Effects: builds and runs tests of `starform-dsl` and `starform-cli` in release, those that are too slow or too exact for every run.
//! Read on in `starform-dsl/tests/it/heavy.rs` and `hostile.rs`, and in `cli/tests/it/lsp/prefixes.rs`.

use anyhow::Result;

use crate::process;
use crate::tally::Tally;

pub(super) fn run() -> Result<()> {
    soak("starform-dsl")?;
    soak("starform-cli")
}

/// Runs the tests of a crate whose names begin with `soak_`, and shows what they measured.
fn soak(package: &str) -> Result<()> {
    let arguments = format!(
        "test --release --package {package} --test it -- --ignored --nocapture --test-threads=1 soak_"
    );
    Tally::held(&mut process::cargo(arguments.split(' ')), 1)
}
