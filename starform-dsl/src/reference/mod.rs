//! The language told to people and to tools, all of it made from the node table.
//! Pure. Nothing is said here that the table or the code that checks does not say too.
//! Read on in `words` for single facts and in `node` for one node on a terminal.

mod limits;
mod node;
mod page;
mod textmate;
pub(crate) mod words;

pub use node::{list, node};
pub use page::markdown;
pub use textmate::textmate;

use crate::table::{self, closest, foreign_node};

/// The node that a word may have meant, by spelling or by what other platforms call it.
pub fn closest_node(word: &str) -> Option<&'static str> {
    let names = || table::nodes().map(|spec| spec.name);
    closest(word, names()).or_else(|| foreign_node(word, names()))
}
