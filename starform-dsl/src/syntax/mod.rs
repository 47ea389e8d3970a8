//! The syntax layer: KDL v2 text to a lossless tree.
//! Pure. `parse` never fails and never recurses; the tree's tokens joined are the text; every mistake is one diagnostic.
//! Read on in `lex` (text to tokens), `parse` (tokens to tree) and `cst` (the views that the language is checked on).

mod chars;
mod cst;
mod entry;
mod fault;
mod lex;
mod lex_string;
mod number;
mod parse;
mod say;
mod string;
mod text;
mod token;
mod value;

pub use cst::{Cst, Entry, Ident, Node, Nodes};
pub use text::TextRange;
pub use token::{Token, TokenKind, Tokens};
pub use value::Value;

use std::sync::Arc;

use crate::diag::{self, Diagnostic};
use crate::source::FileId;

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

/// Reads a text; never fails. Of the mistakes at most [`diag::KEPT`] are kept, the first ones.
pub fn parse(file: FileId, text: impl Into<Arc<str>>) -> Parse {
    let parse::Parsed { cst, faults, sound } = parse::parse(file, text.into());
    let kept = faults.iter().take(diag::KEPT + 1);
    let diagnostics = kept
        .map(|&fault| say::diagnostic(fault, file, cst.text()))
        .collect();
    Parse {
        diagnostics: diag::settle(diagnostics),
        cst,
        sound,
    }
}
