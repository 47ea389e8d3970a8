//! The language of `starform.kdl`: text to tree to checked project to the state of an environment.
//! Pure: no clock, environment, file system, network or randomness; the same bytes in give the same bytes out.
//! Read on in `syntax` for the tree and in `diag` for what is said about it.

pub mod diag;
pub mod source;
pub mod syntax;
