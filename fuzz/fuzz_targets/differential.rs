//! The crate `kdl` reads the same.
//! The law is `starform-dsl/tests/it/properties/agree.rs`; docs/fuzzing.md says how to run it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| starform_fuzz::differential(bytes));
