//! The tests of the language: the official suite of KDL, laws over arbitrary text, hostile input, and what is said.
//! Reads the file system (the suite's package and the goldens) and starts `cargo metadata`.
//! Every module fails on its own; none depends on the order.
//! Read on in `suite`.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests read the suite and the goldens from disk, and ask cargo where the suite is"
)]

mod abstract_tree;
mod blocks;
mod corpora;
mod differential;
#[allow(
    dead_code,
    reason = "tests take the projects, benchmarks also what the peers read"
)]
#[path = "../../benches/documents/mod.rs"]
mod documents;
mod emission;
mod examples;
mod explain;
mod faults;
mod fixes;
mod formatting;
mod heavy;
mod hostile;
mod hostile_projects;
mod ide;
mod include;
mod laws;
mod limits;
mod mutation;
mod order;
mod outputs;
mod pages;
mod previews;
mod project;
mod properties;
mod redaction;
mod reference;
mod renderings;
mod schema;
mod secrets;
mod seeded;
mod suite;
mod table;
mod textmate;
mod ui;
mod values;
mod words;
