//! Shuttle's integration tests, one binary: `shell_*` on the real API server.
//!
//! Effects: network.
// In a test a panic is the report; clippy's own switch covers only functions marked `#[test]`.
#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm)]

mod shell_cluster;
mod shell_persist;
mod shell_pull;
mod shell_support;
