//! Formatting as edits: only the white space that changes, place by place, so an editor keeps its cursors and folds.
//! Pure. Applied to the text they give what [`super::format`] gives; none touches more than white space, `;`, `\` and
//! the blanks at the end of a `//` comment, and one may write `contract=`. They are in order and apart.
//! Read on in `same` for what a word is.

use super::{MeaningChanged, contract, same};
use crate::diag::{self, Edit};
use crate::source::{FileId, Span};
use crate::syntax::{self, Survey, TextRange};

/// All edits that format a text; none where [`super::format`] would leave it alone.
///
/// # Errors
/// As [`super::format`].
pub fn edits(file: FileId, text: &str) -> Result<Vec<Edit>, MeaningChanged> {
    let before = syntax::survey(text);
    let after = super::styled(&before, contract::written(&before))?;
    Ok(after.map_or_else(Vec::new, |after| between(file, &before, &after)))
}

/// The edits that touch a range, without `contract=`. None where a part of them alone would change the meaning, as
/// where a range ends between a `\` and the line that it continues.
///
/// # Errors
/// As [`super::format`].
pub fn edits_within(
    file: FileId,
    text: &str,
    range: TextRange,
) -> Result<Vec<Edit>, MeaningChanged> {
    let before = syntax::survey(text);
    let Some(after) = super::styled(&before, None)? else {
        return Ok(Vec::new());
    };
    let mut edits = between(file, &before, &after);
    edits.retain(|edit| {
        let at = edit.span.range;
        at.start() <= range.end() && range.start() <= at.end()
    });
    let partly = syntax::survey(diag::edited(text, &edits));
    if !same::reads_the_same(&before, &partly) {
        edits.clear();
    }
    Ok(edits)
}

/// What stands between the words of `new` and otherwise between those of `old`. All words of `old` are in `new`.
fn between(file: FileId, old: &Survey, new: &Survey) -> Vec<Edit> {
    let (old_text, new_text) = (old.cst.text(), new.cst.text());
    let mut edits = Vec::new();
    let mut gap = |from: (usize, usize), to: (usize, usize)| {
        let written = &new_text[from.1..to.1];
        if old_text[from.0..to.0] != *written {
            edits.push(Edit {
                span: Span::new(file, text_range(from.0, to.0)),
                text: written.to_owned(),
            });
        }
    };
    let mut words = same::words(&old.cst).peekable();
    // Where the last word ends in both texts.
    let mut done = (0, 0);
    for (kind, place) in same::words(&new.cst) {
        let known = words
            .next_if(|(of, old)| *of == kind && old_text[old.clone()] == new_text[place.clone()]);
        // A word that is new belongs to what stands between two others.
        if let Some((_, old)) = known {
            gap(done, (old.start, place.start));
            done = (old.end, place.end);
        }
    }
    gap(done, (old_text.len(), new_text.len()));
    edits
}

fn text_range(start: usize, end: usize) -> TextRange {
    let offset = |at| u32::try_from(at).expect("a text of at most 1 MiB");
    TextRange::new(offset(start), offset(end))
}
