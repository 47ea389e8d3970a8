//! Plans: made, accepted, shown.
//!
//! Pure. [`world`] is a store in memory: an index and its bundles.

mod accept;
mod applied;
mod approval;
mod codes;
mod exact;
mod former;
mod hold;
mod hosts;
pub(crate) mod laws;
mod lists;
mod names;
mod older;
mod propose;
mod quota;
mod released;
mod removal;
pub(crate) mod renames;
mod schemas;
mod sound;
mod view;
mod volumes;
pub(crate) mod world;
