//! Diagnostics for people and for tools: with snippets, one a line, and in the formats that machines read.
//! Pure: gives texts, prints nothing; whether a terminal wants colour is the caller's to know.
//! No rendering lets a control character of a source through, so a file cannot steer the terminal that shows it.
//! Read on in `human`, `short`, `json`, `sarif` and `github`.

mod github;
mod human;
mod json;
mod page;
mod sarif;
mod short;

pub use github::github;
pub use human::{Human, human};
pub use json::json;
pub use page::{page, wrap};
pub use sarif::sarif;
pub use short::short;

use std::borrow::Cow;

use crate::diag::Diagnostic;

/// How many diagnostics are shown to a person.
pub const SHOWN: usize = 50;

/// Errors and warnings among diagnostics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub errors: usize,
    pub warnings: usize,
}

pub fn counts(diagnostics: &[Diagnostic]) -> Counts {
    let errors = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .count();
    Counts {
        errors,
        warnings: diagnostics.len() - errors,
    }
}

/// What to do about it: the help, else what the best fix does.
fn next_step(diagnostic: &Diagnostic) -> Option<&str> {
    let fix = diagnostic.fixes.first().map(|fix| fix.title.as_str());
    diagnostic.help.as_deref().or(fix)
}

/// A text without characters that act on a terminal. Every character keeps its bytes' count, so that places stay right.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.chars()
            .map(|character| {
                if acts(character) {
                    stand_in(character)
                } else {
                    character
                }
            })
            .collect(),
    )
}

fn acts(character: char) -> bool {
    let direction = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    direction
        || character == '\u{feff}'
        || (character.is_control() && !matches!(character, '\n' | '\r' | '\t'))
}

fn stand_in(character: char) -> char {
    match character.len_utf8() {
        1 => '?',
        2 => '\u{bf}',
        _ => '\u{fffd}',
    }
}
