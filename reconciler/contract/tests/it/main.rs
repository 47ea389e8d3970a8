//! The laws of the contract: names, amounts, digests, schemas.
//!
//! Reads `schemas/` at the workspace root; `UPDATE_GOLDEN=1` rewrites it.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod canonical;
mod digests;
mod frozen;
mod names;
mod profiles;
mod quantities;
mod registry;
mod released;
mod schemas;
mod sealed;
mod secrets;
mod signatures;
