//! Formatting at full size: 10 000 generated documents and 10 000 broken ones keep all that they say.
//!
//! Effects: runs a test of `starform-dsl` that is ignored otherwise.
//! Read on in `starform-dsl/tests/it/formatting`.

use anyhow::Result;

use crate::process;

const TEST: &str = "formatting::ten_thousand_generated_documents_keep_their_meaning";

pub(super) fn run() -> Result<()> {
    process::run(&mut process::cargo([
        "test",
        "-p",
        "starform-dsl",
        "--test",
        "it",
        "--",
        "--ignored",
        "--exact",
        TEST,
    ]))
}
