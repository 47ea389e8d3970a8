//! What an editor is told: goldens for each feature, laws of renaming, and every prefix of every text.
//! Reads `golden/` and `examples/`.
//! Read on in `prefixes`.

mod prefixes;
