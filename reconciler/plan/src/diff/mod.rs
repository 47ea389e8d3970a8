//! What differs between two bundles: in the language's words, and field by field.
//!
//! Pure. Always holds: the diff of equal values is empty, and applying the fields of a change to its
//! *before* gives its *after*.
//!
//! | module | what it compares |
//! |---|---|
//! | [`identity`] | which element of a list is which: the table of Kubernetes list map keys |
//! | [`align`] | two lists: what stayed, came, went, moved |
//! | [`fields`] | two manifests, by JSON pointer; secrets only as words |
//! | [`model`] | two services, in the language's words |
//! | [`risk`] | what a changed field may do; which fields cannot change in place |
//! | [`objects`] | all objects of two states, each with its owner |
//! | [`settings`] | what an environment and a project are themselves |

pub mod align;
pub mod fields;
pub mod identity;
pub mod model;
pub(crate) mod objects;
pub mod risk;
pub(crate) mod settings;
