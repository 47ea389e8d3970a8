//! The HTTP API.

pub mod body;
