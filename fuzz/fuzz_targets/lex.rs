//! Tokens are the text.
//! The law is `starform-dsl/tests/it/properties/lexed.rs`; docs/fuzzing.md says how to run it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| starform_fuzz::lex(bytes));
