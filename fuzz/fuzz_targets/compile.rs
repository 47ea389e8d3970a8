//! A project or an error, whatever the files are; what is said keeps its laws in every form.
//! The law is `starform-dsl/tests/it/properties/compiled.rs`; docs/fuzzing.md says how to run it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| starform_fuzz::compile(bytes));
