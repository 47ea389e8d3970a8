//! The tests of the language: the official suite of KDL, laws over arbitrary text, hostile input, and what is said.
//! Reads the file system (the suite's package and the goldens) and starts `cargo metadata`.
//! Every module fails on its own; none depends on the order.
//! Read on in `suite`.
#![allow(
    clippy::disallowed_methods,
    reason = "tests read the suite and the goldens from disk"
)]

mod abstract_tree;
mod emission;
mod faults;
mod hostile;
mod laws;
mod project;
mod suite;
