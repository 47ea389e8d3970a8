//! Words of a file that lead to another file: what `include` names.
//! Pure. A pattern that stands for several files of the tree is no link.
//! Read on in `navigate` for names that lead to their declaration.

use super::Analysis;
use super::scope::walk;
use crate::include::Glob;
use crate::source::{FileId, Span};
use crate::syntax::Value;
use crate::table::ProjectNode;

/// A place that leads to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    pub span: Span,
    pub target: FileId,
}

pub fn links(analysis: &Analysis, file: FileId) -> Vec<Link> {
    let Some(cst) = analysis.cst(file) else {
        return Vec::new();
    };
    let includes = walk(cst, analysis.top(file)).filter(|visit| {
        visit
            .spec
            .is_some_and(|spec| spec.node == ProjectNode::Include.node())
    });
    let entries = includes.flat_map(|visit| visit.node.args());
    entries
        .filter_map(|entry| match entry.value() {
            Value::String(pattern) => Some(Link {
                span: entry.text_span().unwrap_or(entry.value_span()),
                target: only(analysis, &pattern.parse().ok()?)?,
            }),
            Value::Integer(_)
            | Value::Decimal(_)
            | Value::Bool(_)
            | Value::Null
            | Value::Invalid => None,
        })
        .collect()
}

/// The file that a pattern stands for, if it is one.
fn only(analysis: &Analysis, pattern: &Glob) -> Option<FileId> {
    let mut matching = analysis
        .sources
        .files()
        .filter(|(_, file)| pattern.matches(file.path()));
    let (first, _) = matching.next()?;
    matching.next().is_none().then_some(first)
}
