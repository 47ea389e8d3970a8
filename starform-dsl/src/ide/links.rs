//! Words of a file that lead to another file: what `include` names.
//! Pure. Only a path that one file of the tree has is a link; a pattern that stands for several is none.
//! Read on in `navigate` for names that lead to their declaration.

use super::Analysis;
use super::scope::walk;
use crate::source::{FileId, Span};
use crate::syntax::Value;

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
    let includes = walk(cst, analysis.top(file))
        .filter(|visit| visit.spec.is_some_and(|spec| spec.name == "include"));
    let entries = includes.flat_map(|visit| visit.node.args());
    entries
        .filter_map(|entry| match entry.value() {
            Value::String(path) => Some(Link {
                span: entry.text_span().unwrap_or(entry.value_span()),
                target: analysis.sources.find(&path)?,
            }),
            Value::Integer(_)
            | Value::Decimal(_)
            | Value::Bool(_)
            | Value::Null
            | Value::Invalid => None,
        })
        .collect()
}
