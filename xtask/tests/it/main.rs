//! The tests of the house: how files are written, that purity is held, that the testbed cleans up.
//!
//! Reads the checkout; runs clippy on a scratch crate and, unless `STARFORM_TEST_FAST` is set, clusters.
//! Always holds: a rule that nothing can break is proved by a case that breaks it.
#![allow(clippy::print_stdout, reason = "what is left out says so")]

mod guard;
mod postgres;
mod purity;
mod testbed;
mod tidy;

use std::env;
use std::path::PathBuf;

use xtask::testbed::Testbed;

/// The built testbed; `None` where servers are left out.
fn given_testbed() -> Option<Testbed> {
    match (
        env::var_os("TESTBED_BIN_FOR_TESTS"),
        env::var_os("STARFORM_TEST_FAST"),
    ) {
        (Some(binary), _) => Some(Testbed {
            binary: PathBuf::from(binary),
        }),
        (None, Some(_)) => None,
        (None, None) => panic!("this test needs the testbed: run cargo xtask test"),
    }
}
