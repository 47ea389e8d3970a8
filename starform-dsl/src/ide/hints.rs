//! Words that an editor shows inside the text: what a name stands for that is written elsewhere.
//! Pure. Few: the children that a partial brings.
//! Read on in `hover` for everything that holds.

use super::Analysis;
use super::scope::{Visit, is_service, walk};
use crate::source::FileId;
use crate::syntax::{TextRange, Value};

/// Shown at an offset, not part of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InlayHint {
    pub offset: u32,
    pub label: String,
}

/// The hints of a range.
pub fn inlay_hints(analysis: &Analysis, file: FileId, range: TextRange) -> Vec<InlayHint> {
    let Some(cst) = analysis.cst(file) else {
        return Vec::new();
    };
    walk(cst, analysis.top(file))
        .skip_while(|visit| visit.node.head_span().range.end() < range.start())
        .take_while(|visit| visit.node.span().range.start() <= range.end())
        .filter_map(|visit| like(analysis, visit))
        .collect()
}

/// What a partial brings, after `like=`.
fn like(analysis: &Analysis, visit: Visit<'_>) -> Option<InlayHint> {
    visit.spec.filter(|spec| is_service(spec))?;
    let like = visit
        .node
        .props()
        .find(|prop| prop.name().is_some_and(|name| name.text == "like"))?;
    let Value::String(name) = like.value() else {
        return None;
    };
    let partial = analysis.project.model.as_ref()?.partial(&name)?;
    let mut names: Vec<&str> = partial.children.iter().map(|(name, _)| *name).collect();
    names.dedup();
    (!names.is_empty()).then(|| InlayHint {
        offset: like.span().range.end(),
        label: format!(": {}", names.join(", ")),
    })
}
