//! Diagnostics for people and for tools: with snippets, one a line, and in the formats that machines read.
//! Pure: gives texts, prints nothing; whether a terminal wants colour is the caller's to know.
//! No rendering lets a control character of a source through, so a file cannot steer the terminal that shows it:
//! for people another character stands there, in JSON and SARIF its escape, so that programs read it as it is.
//! Read on in `human`, `short`, `json`, `sarif` and `github`.

mod excerpt;
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
use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::diag::{Code, Diagnostic, Severity};

/// How many diagnostics are shown to a person.
pub const SHOWN: usize = 50;

/// How many warnings of one code are shown: more of them say nothing new.
const SHOWN_OF_A_WARNING: usize = 10;

/// What a person is shown of many diagnostics.
struct Shown<'d> {
    /// In their order.
    diagnostics: Vec<&'d Diagnostic>,
    /// How many of each code are left out.
    left_out: BTreeMap<Code, usize>,
}

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

/// The first errors, then the first warnings of each code as far as there is room: no warning hides an error.
fn shown(diagnostics: &[Diagnostic]) -> Shown<'_> {
    let mut room = SHOWN.saturating_sub(counts(diagnostics).errors);
    let mut errors = SHOWN;
    let mut warnings: BTreeMap<Code, usize> = BTreeMap::new();
    let mut shown = Shown {
        diagnostics: Vec::new(),
        left_out: BTreeMap::new(),
    };
    for diagnostic in diagnostics {
        let (room, few) = match diagnostic.severity {
            Severity::Error => (&mut errors, true),
            Severity::Warning => {
                let said = warnings.entry(diagnostic.code).or_default();
                *said += 1;
                (&mut room, *said <= SHOWN_OF_A_WARNING)
            }
        };
        if few && *room > 0 {
            *room -= 1;
            shown.diagnostics.push(diagnostic);
        } else {
            *shown.left_out.entry(diagnostic.code).or_default() += 1;
        }
    }
    shown
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

/// A JSON text that means the same, with escapes for what acts on a terminal: such a character stands only in strings.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if acts(character) {
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}

fn acts(character: char) -> bool {
    let direction = matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
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
