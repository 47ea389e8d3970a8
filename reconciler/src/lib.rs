//! The control plane: stored projects, plans and accepted state behind an HTTP API.
//!
//! Effects: database, sockets, clock, randomness; each in the module that names it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`api`] | the HTTP API, a thin layer over stored plans |
//! | [`name`], [`time`], [`token`] | names, moments, API tokens |

pub mod api;
pub mod name;
pub mod time;
pub mod token;
