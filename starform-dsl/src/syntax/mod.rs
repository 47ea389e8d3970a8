//! The syntax layer: KDL v2 text to a lossless tree.
//! Pure. `parse` never fails and never recurses; the tree's tokens joined are the text; every mistake is one diagnostic.
//! Read on in `lex` (text to tokens), `parse` (tokens to tree) and `cst` (the views that the language is checked on).

mod block;
mod chars;
mod cst;
mod entry;
mod fault;
mod foreign;
mod format;
mod lex;
mod lex_string;
mod number;
mod parse;
mod places;
mod say;
mod string;
mod text;
mod token;
mod value;

pub use cst::{Cst, Entry, Ident, Node, Nodes};
pub use text::TextRange;
pub use token::{Token, TokenKind, Tokens};
pub use value::Value;

pub(crate) use chars::{is_forbidden, newline_len};
pub use parse::MAX_FILE;
pub(crate) use parse::{MAX_DEPTH, MAX_NODES, VERSION_1};
pub(crate) use string::{escaped, quoted};

use std::sync::Arc;

use crate::diag::{self, Diagnostic};
use crate::source::FileId;
use chars::CharClass;
use fault::FaultKind;

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

/// Reads a text as KDL v2; never fails. Of the mistakes at most [`diag::KEPT`] are kept, the first ones.
pub fn parse(file: FileId, text: impl Into<Arc<str>>) -> Parse {
    told(file, parse::parse(file, text.into()))
}

/// Reads a text as Starform does: as [`parse`], and what is KDL by accident (`replicas: 3`, `a, b`, `'text'`,
/// `https://example.org`) is a mistake too, but is read as it was meant.
pub fn read(file: FileId, text: impl Into<Arc<str>>) -> Parse {
    told(file, all(file, text.into()))
}

/// A text as [`read`] has it, with the places of its mistakes instead of words about them.
pub(crate) struct Survey {
    pub(crate) cst: Cst,
    /// The culprits, in the order of the text.
    pub(crate) mistakes: Vec<TextRange>,
    /// As in [`Parse`].
    pub(crate) sound: bool,
}

pub(crate) fn survey(text: impl Into<Arc<str>>) -> Survey {
    let parse::Parsed { cst, faults, sound } = all(FileId(0), text.into());
    Survey {
        cst,
        mistakes: faults.iter().map(|fault| fault.range).collect(),
        sound,
    }
}

fn all(file: FileId, text: Arc<str>) -> parse::Parsed {
    let mut parsed = parse::parse(file, text);
    // Of a text that is not read at all nothing else is said.
    let unread = [FaultKind::Version1, FaultKind::FileTooLarge];
    if !parsed
        .faults
        .iter()
        .any(|fault| unread.contains(&fault.kind))
    {
        parsed.faults.extend(foreign::foreign(&mut parsed.cst));
        parsed
            .faults
            .sort_by_key(|fault| (fault.range.start(), fault.range.end()));
        drop_faults_of_comments(&mut parsed);
        if !parsed.faults.is_empty() {
            tell_other_format(&mut parsed);
        }
    }
    parsed
}

/// Of a text that is of another format as a whole, this is all that is said.
fn tell_other_format(parsed: &mut parse::Parsed) {
    if let Some((format, range)) = format::format(parsed.cst.text()) {
        let kind = FaultKind::OtherFormat(format);
        parsed.faults = vec![fault::Fault { kind, range }];
        parsed.sound = false;
    }
}

/// What follows `# ` on its line was meant as a comment: its apostrophes and commas are no mistakes of their own.
fn drop_faults_of_comments(parsed: &mut parse::Parsed) {
    let text = parsed.cst.text();
    let mut end = 0;
    parsed.faults.retain(|fault| {
        if fault.range.start() < end {
            return false;
        }
        if fault.kind == FaultKind::BadKeyword && say::is_hash_comment(text, fault.range) {
            let rest = &text[fault.range.end() as usize..];
            let ends = |&(at, _): &(usize, char)| chars::newline_len(rest.as_bytes(), at) > 0;
            let line = rest
                .char_indices()
                .find(ends)
                .map_or(rest.len(), |(at, _)| at);
            end = fault.range.end() + u32::try_from(line).unwrap_or(u32::MAX);
        }
        true
    });
}

/// Whether a text can stand as a string without quotes.
pub fn is_bare(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let (CharClass::Ident, length) = chars::class(bytes, at) else {
            return false;
        };
        at += length;
    }
    !text.is_empty() && !number::looks_like_number(text) && !lex::is_keyword(text)
}

/// Whether it can also be a name: what other languages mean by it is none, as [`read`] has it.
pub(crate) fn is_bare_name(text: &str) -> bool {
    is_bare(text) && !foreign::is_meant_otherwise(text)
}

fn told(file: FileId, parsed: parse::Parsed) -> Parse {
    let parse::Parsed { cst, faults, sound } = parsed;
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
