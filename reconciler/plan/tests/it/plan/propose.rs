//! What a plan says about one change of a small shop.
//!
//! Pure.
