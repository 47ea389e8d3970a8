//! The control plane: stored projects, plans and accepted state behind an HTTP API.
//!
//! Effects: database, sockets, clock, randomness, each in the module that names it; `access`,
//! `compile`, `fit`, `outcome` are pure. The API is a thin layer over stored plans.
//!
//! | module | what it holds |
//! |---|---|
//! | [`serve`](mod@serve) | the running server: store, sockets, admin token, stopping |
//! | [`api`] | the HTTP API and its bodies |
//! | [`access`] | who may do what |
//! | [`compile`] | text to plans, also for the command line without a server |
//! | [`fit`] | whether a cluster has what a project names |
//! | [`outcome`] | what a report means for an apply |
//! | [`store`] | SQLite or Postgres behind one function per transaction |
//! | [`keys`] | the keys that sign desired state |
//! | [`vault`] | secrets at rest, and the keys that they are under |
//! | [`proof`] | asking the DNS whether a host is a project's |
//! | [`keyfile`] | the files that keep both sorts of keys |
//! | [`name`], [`time`], [`token`] | names, moments, API tokens |

pub mod access;
pub mod api;
pub mod compile;
pub mod fit;
pub mod keyfile;
pub mod keys;
pub mod name;
pub mod outcome;
mod private;
pub mod proof;
pub mod serve;
pub mod store;
pub mod time;
pub mod token;
pub mod vault;

pub use serve::{Notice, ServeConfig, ServeError, serve};
