//! A plan for people and for machines; every view is a function of the document and nothing else.
//!
//! Pure. The JSON view is the document itself ([`crate::document::Plans`]).
//!
//! | module | what it makes |
//! |---|---|
//! | `outline` | what is told, in which order, without a layout |
//! | `fold` | equal changes together, over objects, services and environments |
//! | [`values`] | one value, path or piece of user text, so that nothing in it can deceive |
//! | `terminal` | the outline on a terminal |
//! | `markdown` | the outline as a comment on a forge |
//! | `html` | the outline as a page |
//! | `findings` | the findings as SARIF and as workflow commands of GitHub |
//! | `events` | the document as NDJSON |

mod events;
mod findings;
mod fold;
mod html;
mod markdown;
mod outline;
mod terminal;
pub mod values;

use crate::document::Plan;

pub use events::{PlanEvent, PlanEventSchema, What, ndjson};
pub use findings::{github, sarif};
pub use html::html;
pub use markdown::{MarkdownOptions, markdown};
use outline::Form;
pub use outline::{refused, summary};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextOptions {
    /// Columns; at least 40 are taken.
    pub width: usize,
    pub color: bool,
    /// Every value and every field.
    pub full: bool,
}

/// Several plans under each other, as a terminal shows them. Ends with a line break.
pub fn text(plans: &[Plan], options: &TextOptions) -> String {
    let form = if options.full {
        Form::Full
    } else {
        Form::Short
    };
    terminal::text(&outline::outline(plans, form), options)
}
