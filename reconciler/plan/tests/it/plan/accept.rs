//! Accepting: what is stale, what is merged, what is refused.
//!
//! Pure.
