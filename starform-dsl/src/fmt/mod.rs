//! The one style of `starform.kdl`: text to the same text as everybody would have written it.
//! Pure. Total, and formatting what is formatted changes nothing. Every comment, every spelling of a number or string
//! and the order of everything stay; lines that are broken stay byte for byte. Before a text is given out, it is read
//! again and compared.
//! Read on in `print` for the style, `broken` for what stays, and `docs/formatting.md` for both in words.

mod broken;
mod contract;
mod edits;
mod print;
mod same;
mod spacing;
mod v1;

pub use edits::{edits, edits_within};
pub use v1::{Migration, migrate};

use crate::diag::{Diagnostic, codes};
use crate::secrets;
use crate::source::{FileId, SourceTree, Span};
use crate::syntax::{self, Survey, TextRange};

/// What became of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formatted {
    pub text: String,
    /// Whether `text` differs from what was given.
    pub changed: bool,
    /// Places of the syntax mistakes in what was given, in its order. Nodes that hold one were left as they are; with
    /// braces that do not match, or a text that is cut off or too large, everything was.
    pub mistakes: Vec<TextRange>,
}

/// The formatted text would not say the same: a mistake of the formatter, whose output is not given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "formatting would change what the file says, so it was left alone; this is an error of Starform: please report it with the file"
)]
pub struct MeaningChanged;

/// Formats a text; also writes `contract=` on a `project` that does not say it.
///
/// # Errors
/// [`MeaningChanged`] if the result does not read as the text did, which never happens as far as is known.
pub fn format(text: &str) -> Result<Formatted, MeaningChanged> {
    let before = syntax::survey(text);
    let after = styled(&before, contract::written(&before))?;
    let formatted = after.as_ref().map_or(text, |after| after.cst.text());
    Ok(Formatted {
        text: formatted.to_owned(),
        changed: after.is_some(),
        mistakes: before.mistakes,
    })
}

/// A text, or the same with its contract, in the one style; `None` where that is the text as it is, or it has to be
/// left alone.
fn styled(
    survey: &Survey,
    with_contract: Option<Survey>,
) -> Result<Option<Survey>, MeaningChanged> {
    if !survey.sound {
        return Ok(None);
    }
    let before = with_contract.as_ref().unwrap_or(survey);
    let Some(formatted) = print::print(before) else {
        return Ok(None);
    };
    if formatted == before.cst.text() {
        return Ok(with_contract);
    }
    let after = syntax::survey(formatted);
    if same::reads_the_same(before, &after) {
        Ok(Some(after))
    } else {
        Err(MeaningChanged)
    }
}

impl MeaningChanged {
    /// To be shown like all that is said about the file.
    pub fn diagnostic(self, file: FileId) -> Diagnostic {
        let start = Span::new(file, TextRange::at(0));
        let title = "formatting would change what the file says";
        Diagnostic::new(codes::MEANING_CHANGED, start, title)
            .help("the file was left alone: please report it with the file")
    }
}

/// What is said about the mistakes that a text was left alone for, and places that must not be shown.
pub fn mistakes(sources: &SourceTree, file: FileId) -> (Vec<Diagnostic>, Vec<Span>) {
    let parse = sources.parse(file);
    let mut secrets = secrets::find(&parse.cst);
    secrets::add_lines_of(&mut secrets, &parse.diagnostics, sources);
    let mut diagnostics = parse.diagnostics.clone();
    secrets::cover(&mut diagnostics, &secrets, sources);
    let places = secrets.into_iter().map(|secret| secret.span).collect();
    (diagnostics, places)
}

/// A text to be shown: every place that looks like a credential is covered.
pub fn covered(text: &str) -> String {
    let parse = syntax::read(FileId(0), text);
    let mut shown = String::with_capacity(text.len());
    let mut done = 0;
    let mut found = secrets::find(&parse.cst);
    // Nobody has judged these lines: whatever language they are in.
    let whole = u32::try_from(text.len()).expect("texts are smaller than 4 GiB");
    found.extend(secrets::in_text(FileId(0), text, TextRange::new(0, whole)));
    found.sort();
    for secret in found {
        let range = secret.span.range.as_range();
        if range.start >= done {
            shown.push_str(&text[done..range.start]);
            shown.push_str(secrets::HIDDEN);
            done = range.end;
        }
    }
    shown.push_str(&text[done..]);
    shown
}
