//! The language of `starform.kdl`: text to tree to checked project to the state of an environment.
//! Pure: no clock, environment, file system, network or randomness; the same bytes in give the same bytes out.
//! Read on in `syntax` for the tree and in `diag` for what is said about it.

mod check;
mod compile;
pub mod diag;
mod emit;
pub mod explain;
pub mod fix;
pub mod fmt;
pub mod ide;
pub mod include;
mod lower;
pub mod project;
pub mod reference;
pub mod render;
mod resolve;
pub mod schema;
mod secrets;
pub mod source;
pub mod syntax;
pub mod table;
pub mod values;
pub mod vars;

pub use compile::{Compiled, MOST_BYTES, ROOT_FILE, compile};
pub use emit::{Bindings, Emitted, VerifiedHosts, describe, emit};
pub use project::Project;
