//! What holds of a formatted text, as the tests of `starform-dsl` judge it.
//! Pure.
//! Read on in the file that is taken in.

#[path = "../../starform-dsl/tests/it/formatting/laws.rs"]
pub(crate) mod laws;
