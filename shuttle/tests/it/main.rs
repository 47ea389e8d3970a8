//! Shuttle's integration tests, one binary: `engine_*` on a model cluster, `shell_*` and `objects` on the real API server.
//!
//! Effects: network.
// In a test a panic is the report; clippy's own switch covers only functions marked `#[test]`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm
)]

// One set of strategies for all that is rendered.
#[path = "../../../reconciler/plan/tests/it/arbitrary/mod.rs"]
mod arbitrary;
mod bench_apply;
mod bench_counts;
mod engine_accepted;
mod engine_break_glass;
mod engine_deletions;
mod engine_drift;
mod engine_ending;
mod engine_forged;
mod engine_histories;
mod engine_laws;
mod engine_leftovers;
mod engine_newer;
mod engine_pair;
mod engine_releases;
mod engine_same;
mod engine_scenarios;
mod engine_situations;
mod engine_staleness;
mod engine_transitions;
mod engine_trouble;
mod engine_world;
mod kstatus;
mod model_cluster;
mod model_object;
mod objects;
mod shell_agent;
mod shell_annotate;
mod shell_audit;
mod shell_cluster;
mod shell_faults;
mod shell_feed;
mod shell_fleet;
mod shell_health;
mod shell_killed;
mod shell_outage;
mod shell_pair;
mod shell_persist;
mod shell_proxy;
mod shell_pull;
mod shell_rights;
mod shell_shop;
mod shell_support;
mod shell_surface;
mod shell_thread;
mod shell_trust;
