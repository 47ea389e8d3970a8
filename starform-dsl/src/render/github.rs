//! Diagnostics as the workflow commands that GitHub shows beside the lines of a change.
//! Pure. At most [`super::SHOWN`] are shown, errors first; nothing of a source can end a command or begin another.
//! Read on in `super` for the other forms.

use std::fmt::Write as _;

use super::{harmless, next_step};
use crate::diag::Diagnostic;
use crate::source::SourceTree;

/// One command a line.
///
/// `folder` stands before each file's path: the project's folder as the repository names it, or nothing.
pub fn github(sources: &SourceTree, diagnostics: &[Diagnostic], folder: &str) -> String {
    let mut out = String::new();
    let few = super::shown(diagnostics);
    for diagnostic in few.diagnostics {
        let span = diagnostic.primary.span;
        let file = sources.file(span.file);
        let start = file.position(span.range.start());
        let end = file.position(span.range.end());
        let path = property(&format!("{folder}{}", file.path()));
        let mut place = format!("file={path},line={},endLine={}", start.line, end.line);
        // GitHub drops columns where a place has several lines.
        if start.line == end.line {
            let _ = write!(place, ",col={},endColumn={}", start.column, end.column);
        }
        let title = property(&format!("{}: {}", diagnostic.code, diagnostic.title));
        let message = data(next_step(diagnostic).unwrap_or(&diagnostic.title));
        let severity = diagnostic.severity.word();
        let _ = writeln!(out, "::{severity} {place},title={title}::{message}");
    }
    let hidden: usize = few.left_out.values().sum();
    if hidden > 0 {
        let _ = writeln!(out, "::notice title=starform::{hidden} more are not shown");
    }
    out
}

fn data(text: &str) -> String {
    harmless(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
