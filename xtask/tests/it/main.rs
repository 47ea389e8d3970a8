//! The tests of the house: how files are written, that purity is held, that the testbed cleans up.
//!
//! Reads the checkout; runs clippy on a scratch crate and, unless `STARFORM_TEST_FAST` is set, clusters.
//! Always holds: a rule that nothing can break is proved by a case that breaks it.
#![allow(clippy::print_stdout, reason = "what is left out says so")]

mod purity;
mod testbed;
mod tidy;
