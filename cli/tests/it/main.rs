//! The whole thread through the binaries: goldens of the examples, bad input, and what happens on a
//! real Kubernetes API server.
//!
//! Effects: starts `starform`, `starform-shuttle` and testbeds; everything it starts ends with it.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used
)]

mod admission;
mod agent;
mod approvals;
mod bad_files;
mod bad_input;
mod bad_usage;
mod carried;
mod control_plane;
mod controllers;
mod data;
mod deletion;
mod drift_bench;
mod drifted;
mod embedded;
mod exit_codes;
mod explain;
mod formatting;
mod golden;
mod isolation;
mod language;
mod latency_bench;
mod lsp;
mod manual;
mod older;
mod plan_files;
mod quota;
mod redaction;
mod secrets;
mod served;
mod settings;
mod support;
mod truth;
mod verified;
mod versions;
