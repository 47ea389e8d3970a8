//! Diagnostics for people and for tools: with snippets, one a line, and as JSON.
//! Pure: gives texts, prints nothing; whether a terminal wants colour is the caller's to know.
//! No rendering lets a control character of a source through, so a file cannot steer the terminal that shows it.
//! Read on in `human`, `short` and `json`.

mod human;
mod json;
mod short;

pub use human::{Human, human};
pub use json::json;
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

/// A text without characters that act on a terminal. Every character keeps its bytes' count, so that places stay right.
fn harmless(text: &str) -> Cow<'_, str> {
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
