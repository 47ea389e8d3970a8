//! The repairs that the diagnostics of a place offer, and all safe ones of the project at once.
//! Pure. Edits are those of the diagnostics; nothing new is made here.
//! Read on in `crate::diag` for what a fix is and in `crate::fix` for applying all of them.

use super::Analysis;
use crate::diag::{Applicability, Diagnostic, Edit, Fix};
use crate::fix::{Level, repair};
use crate::source::{FileId, Span};
use crate::syntax::TextRange;

/// One repair of one diagnostic.
#[derive(Clone, Copy, Debug)]
pub struct Action<'a> {
    pub diagnostic: &'a Diagnostic,
    pub fix: &'a Fix,
}

/// The fixes of the diagnostics whose culprit a range touches.
pub fn actions(analysis: &Analysis, file: FileId, range: TextRange) -> Vec<Action<'_>> {
    let touches = |diagnostic: &&Diagnostic| {
        let span = diagnostic.primary.span;
        span.file == file && span.range.start() <= range.end() && range.start() <= span.range.end()
    };
    analysis
        .diagnostics()
        .iter()
        .filter(touches)
        .flat_map(|diagnostic| {
            diagnostic
                .fixes
                .iter()
                .map(move |fix| Action { diagnostic, fix })
        })
        .collect()
}

/// Whether anything in the project has a safe fix.
pub fn has_safe_fix(analysis: &Analysis) -> bool {
    let safe = |fix: &Fix| fix.applicability == Applicability::Safe;
    let mut diagnostics = analysis.diagnostics().iter();
    diagnostics.any(|said| said.fixes.iter().any(safe))
}

/// What the safe fixes of all files change, one edit for each file; empty where there is none. It compiles the project
/// as often as it takes to find out which of them do no harm.
pub fn fix_all(analysis: &Analysis) -> Vec<Edit> {
    if !has_safe_fix(analysis) {
        return Vec::new();
    }
    let repaired = repair(&analysis.sources, Level::Safe);
    let files = analysis.sources.files();
    files
        .filter_map(|(id, file)| difference(id, file.text(), repaired.sources.file(id).text()))
        .collect()
}

/// One edit that makes one text of another, without what both begin and end with.
fn difference(file: FileId, from: &str, to: &str) -> Option<Edit> {
    if from == to {
        return None;
    }
    let same = |(a, b): &(char, char)| a == b;
    let both = from.chars().zip(to.chars()).take_while(same);
    let start: usize = both.map(|(letter, _)| letter.len_utf8()).sum();
    let (old, new) = (&from[start..], &to[start..]);
    let both = old.chars().rev().zip(new.chars().rev()).take_while(same);
    let end: usize = both.map(|(letter, _)| letter.len_utf8()).sum();
    let offset = |bytes: usize| u32::try_from(bytes).expect("texts are far smaller than 4 GiB");
    let range = TextRange::new(offset(start), offset(from.len() - end));
    Some(Edit {
        span: Span::new(file, range),
        text: new[..new.len() - end].to_owned(),
    })
}
