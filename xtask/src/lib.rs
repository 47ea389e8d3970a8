//! The project's own commands: test, demo, benchmarks, soak, testbed.
//!
//! Effects: starts processes and servers on loopback, writes below the target folder and in temporary folders.
//! Whatever a command starts ends with it, also when it is killed: see [`guard`] and `testbed/`.
//! Read on in `main.rs` for the command line.
#![allow(
    clippy::print_stdout,
    reason = "what these commands print is their result"
)]

pub mod bench;
pub mod demo;
pub mod fuzz;
pub mod guard;
pub mod place;
pub mod postgres;
pub mod process;
pub mod soak;
pub mod tally;
pub mod test;
pub mod testbed;
