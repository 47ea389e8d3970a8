//! The tree is the text, and every mistake has its place.
//! The law is `starform-dsl/tests/it/properties/parsed.rs`; docs/fuzzing.md says how to run it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| starform_fuzz::parse(bytes));
