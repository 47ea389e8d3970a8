//! The syntax layer: KDL v2 text to a lossless tree.
//! Pure. `parse` never fails and never recurses; the tree's tokens joined are the text; every mistake is one diagnostic.
//! Read on in `lex` (text to tokens), `parse` (tokens to tree) and `cst` (the views that the language is checked on).

mod chars;
mod cst;
mod string;
mod text;
mod token;
mod value;

pub use cst::{Cst, Entry, Ident, Node, Nodes};
pub use text::TextRange;
pub use token::{Token, TokenKind, Tokens};
pub use value::Value;

use crate::diag::Diagnostic;

/// What became of a text.
#[derive(Clone, Debug)]
pub struct Parse {
    pub cst: Cst,
    /// In the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether braces match and the whole text was read. If not, a node may hang in the wrong place,
    /// so what a check of the tree says about missing or misplaced nodes may only follow from that.
    pub sound: bool,
}
