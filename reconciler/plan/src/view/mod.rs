//! A plan for people and for machines; every view is a function of the document and nothing else.
//!
//! Pure. The JSON view is the document itself ([`crate::document::Plans`]).
//!
//! | module | what it makes |
//! |---|---|
//! | [`terminal`] | the terminal's view |
//! | [`values`] | one value, path or piece of user text, so that nothing in it can deceive |
//! | `page` | wrapped, painted lines |
//! | `rows` | one changed value |
//! | `services`, `objects` | the two levels of a plan |
//! | `widening` | what would be reachable, or allowed, that was not |

mod objects;
mod page;
mod rows;
mod services;
pub mod terminal;
pub mod values;
mod widening;

pub use terminal::{TextOptions, summary, text};
