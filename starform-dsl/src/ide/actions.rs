//! The repairs that the diagnostics of a place offer.
//! Pure. Edits are those of the diagnostics; nothing new is made here.
//! Read on in `crate::diag` for what a fix is and in `crate::fix` for applying all of them.

use super::Analysis;
use crate::diag::{Diagnostic, Fix};
use crate::source::FileId;
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
