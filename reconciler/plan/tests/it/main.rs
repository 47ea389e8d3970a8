//! The tests of this crate, in one binary: structure, laws as properties, health.
//!
//! Pure, as the crate is.

// In a test a panic is the report; clippy's own switch covers only functions marked `#[test]`.
#![allow(clippy::unwrap_used)]

mod arbitrary;
mod cases;
mod digests;
mod health;
mod plan;
mod render;
mod sample;
