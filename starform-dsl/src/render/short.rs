//! One line for each diagnostic: `FILE:LINE:COLUMN: error[SF2004]: title`.
//! Pure. Editors and `grep` read this form.
//! Read on in `human` for the long one.

use std::fmt::Write as _;

use super::harmless;
use crate::diag::Diagnostic;
use crate::source::SourceTree;

pub fn short(sources: &SourceTree, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        let span = diagnostic.primary.span;
        let file = sources.file(span.file);
        let at = file.position(span.range.start());
        let (path, title) = (harmless(file.path()), harmless(&diagnostic.title));
        let (severity, code) = (diagnostic.severity.word(), diagnostic.code);
        let _ = writeln!(
            out,
            "{path}:{}:{}: {severity}[{code}]: {title}",
            at.line, at.column
        );
    }
    out
}
