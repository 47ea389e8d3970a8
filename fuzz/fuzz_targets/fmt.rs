//! Formatting twice is formatting once; meaning and comments stay.
//! The law is `starform-dsl/tests/it/formatting/laws.rs`; docs/fuzzing.md says how to run it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| starform_fuzz::fmt(bytes));
