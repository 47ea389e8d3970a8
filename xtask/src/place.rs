//! Where things are: the checkout, the target folder, cargo.
//!
//! Reads the environment that cargo sets. Every path is absolute.
//! Read on in `process.rs`.

use std::env;
use std::path::{Path, PathBuf};

/// The root of the checkout.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this crate lies in a folder of the workspace")
}

/// The target folder, also where `CARGO_TARGET_DIR` moves it.
#[must_use]
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// Where a debug build leaves `starform` and `starform-shuttle`.
#[must_use]
pub fn binaries() -> PathBuf {
    target().join("debug")
}

/// The cargo that runs this command.
#[must_use]
pub fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}
