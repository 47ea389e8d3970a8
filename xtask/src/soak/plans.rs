//! Plans at full size: all views of more than 100 000 generated plans, hostile texts in every place, held against
//! every law of a view; and their fields, which turn what was into what will be.
//!
//! Effects: builds and runs tests of `starform-plan` in release.
//! Read on in `reconciler/plan/tests/it/cases/`.

use anyhow::Result;

use crate::process;
use crate::tally::Tally;

pub(super) fn run() -> Result<()> {
    let arguments = "test --release --package starform-plan --test it -- --ignored --nocapture cases::generated::soak_";
    Tally::held(&mut process::cargo(arguments.split(' ')), 1)
}
