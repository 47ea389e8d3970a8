//! The language told to people and to tools, all of it made from the node table.
//! Pure. Nothing is said here that the table or the code that checks does not say too.
//! Read on in `words` for single facts and in `node` for one node on a terminal.

mod elsewhere;
mod limits;
mod node;
mod page;
mod textmate;
pub(crate) mod words;

pub use elsewhere::{Elsewhere, elsewhere};
pub use node::{list, node};
pub use page::markdown;
pub use textmate::textmate;

use crate::table::{self, closest};

/// The node that is spelled most like a word.
pub fn closest_node(word: &str) -> Option<&'static str> {
    closest(word, table::nodes().map(|spec| spec.name()))
}
