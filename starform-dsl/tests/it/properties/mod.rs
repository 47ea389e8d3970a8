//! What holds of every text, one function for each fuzz target: the targets, the replayed corpora and the random tests
//! call the same.
//! Pure. A property panics where it does not hold; every sequence of bytes is a case of every target.
//! Read on in the file of each property, and in `corpora` for the cases that are kept.

pub(crate) mod agree;
pub(crate) mod compiled;
pub(crate) mod edits;
pub(crate) mod lexed;
pub(crate) mod parsed;
pub(crate) mod pieces;
pub(crate) mod questions;
pub(crate) mod repaired;
pub(crate) mod said;

use std::borrow::Cow;

/// What is fuzzed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Lex,
    Parse,
    Compile,
    Fmt,
    LspEdits,
    Differential,
}

impl Target {
    pub(crate) const ALL: [Target; 6] = [
        Target::Lex,
        Target::Parse,
        Target::Compile,
        Target::Fmt,
        Target::LspEdits,
        Target::Differential,
    ];

    /// As its binary and the folder of its corpus are called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Target::Lex => "lex",
            Target::Parse => "parse",
            Target::Compile => "compile",
            Target::Fmt => "fmt",
            Target::LspEdits => "lsp_edits",
            Target::Differential => "differential",
        }
    }

    /// Panics where the property does not hold of these bytes.
    pub(crate) fn check(self, bytes: &[u8]) {
        match self {
            Target::Lex => lexed::check(&text(bytes)),
            Target::Parse => parsed::check(&text(bytes)),
            Target::Compile => compiled::check_files(&text(bytes)),
            Target::Fmt => drop(crate::formatting::laws::judge(&text(bytes))),
            Target::LspEdits => edits::check(bytes),
            Target::Differential => agree::check(&text(bytes)),
        }
    }
}

/// What an editor or a checkout would give: text, whatever the bytes are.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
