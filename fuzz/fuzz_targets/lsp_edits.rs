//! Edits of open documents: the text is what they say, and every question has an answer.
//! The law is `starform-dsl/tests/it/properties/edits.rs`; docs/fuzzing.md says how to run it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| starform_fuzz::lsp_edits(bytes));
