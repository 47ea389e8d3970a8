//! What is rendered, on the real API server: taken as it is, down to every field, and read back as it was written.
//!
//! Effects: network, reads `golden/`. Always holds: every golden is tried with all of its objects, whatever they are; what
//! the strategies of `reconciler/plan` make is tried beside them. Read on in `server.rs` for how the server is asked.

mod generated;
mod golden;
mod hands;
mod kept;
mod pods;
mod server;
