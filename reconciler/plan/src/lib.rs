//! From a resolved environment to the exact list of changes.
//!
//! Pure: no clock, no environment, no files, no network. Same input, same bytes.
//!
//! | step | what it does |
//! |---|---|
//! | [`render`] | environment and cluster profile to Kubernetes objects; total, cannot fail |
//! | [`propose`] | accepted state and a wanted environment to bundles and a [`document::Plan`] |
//! | [`former`] | `was=` and `removed`, held against what was ever accepted |
//! | [`removal`] | the plans that delete an environment or a project |
//! | [`older`] | the plan that goes back to a generation, and what lies between two |
//! | [`document`], [`schema`] | what a plan is |
//! | [`accept`] | a plan onto the state that is accepted now: merged service by service, or refused |
//! | [`approval`] | whether a plan needs one |
//! | [`verified`] | what the cluster itself says of a plan's objects |
//! | [`standing`] | what of the accepted state the cluster does not show, beside a plan |
//! | [`health`] | what a live object says about itself |
//! | [`view`] | a plan for people and for machines |
//! | [`yaml`] | manifests as people read them |

pub mod accept;
pub mod accepted;
pub mod approval;
mod closing;
pub mod codes;
pub mod crosscheck;
pub mod diff;
pub mod document;
pub mod ending;
pub mod former;
pub mod health;
mod hold;
pub mod hosts;
pub mod ids;
mod kept;
mod merge;
pub mod names;
pub mod older;
pub mod opening;
mod pairs;
pub mod propose;
mod quota;
mod releases;
pub mod removal;
pub mod render;
pub mod schema;
mod secrets;
mod size;
mod sound;
pub mod stale;
pub mod standing;
mod summary;
pub mod verified;
pub mod view;
mod words;
pub mod yaml;

pub use accept::{AcceptOutcome, Refusal};
pub use accepted::{AcceptedProject, MissingBundle};
pub use names::bind_names;
pub use propose::{Proposal, ProposeInput};
