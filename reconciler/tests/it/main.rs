//! The control plane's tests: the store on both databases, the API through its router and a socket.
//!
//! Effects: temporary files, sockets on loopback, databases of their own in the server that
//! `POSTGRES_URL_FOR_TESTS` names. Every test that touches the store runs on SQLite and on Postgres.

// A test stops at the first thing that is not as it must be.
#![allow(clippy::unwrap_used)]

mod agent;
mod approvals;
mod authorization;
#[path = "../../../cli/tests/it/support/canary.rs"]
mod canary;
mod dns;
mod ending;
mod fixture;
mod hosts;
mod plans;
mod profiles;
mod proofs;
mod race;
mod registry;
mod reports;
mod secrets;
mod signing;
mod socket;
mod tables;
mod verifications;
mod world;
