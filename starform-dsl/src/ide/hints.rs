//! Words that an editor shows inside the text: what holds there without being written there.
//! Pure. Few: the children that a partial brings, and the defaults beside what a node does say.
//! Read on in `hover` for everything that holds, and in `crate::emit` for the defaults.

use super::Analysis;
use super::scope::{Visit, is_service, walk};
use crate::emit::{COOLDOWN, CPU, CPU_TARGET, GRACE, MEMORY};
use crate::source::FileId;
use crate::syntax::{Entry, TextRange, Value};
use crate::table::{LayerNode, NodeName};

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
        .filter_map(|visit| like(analysis, visit).or_else(|| left_out(visit)))
        .collect()
}

/// What a partial brings, after `like=`.
fn like(analysis: &Analysis, visit: Visit<'_>) -> Option<InlayHint> {
    visit.spec.filter(|spec| is_service(spec))?;
    let like = visit.node.prop("like")?;
    let Value::String(name) = like.value() else {
        return None;
    };
    let partial = analysis.project.model.as_ref()?.partial(&name)?;
    let mut names: Vec<&str> = partial
        .children
        .iter()
        .map(|child| child.node.as_str())
        .collect();
    names.dedup();
    (!names.is_empty()).then(|| InlayHint {
        offset: like.span().range.end(),
        label: format!(": {}", names.join(", ")),
    })
}

const SIZE: NodeName = LayerNode::Size.node();
const SCALE: NodeName = LayerNode::Scale.node();
const DRAIN: NodeName = LayerNode::Drain.node();

/// The defaults of what a node leaves out while it says something else.
fn left_out(visit: Visit<'_>) -> Option<InlayHint> {
    let spec = visit.spec?;
    let value = |name: &str| visit.node.prop(name).map(Entry::raw);
    let written = |name: &str| value(name).is_some();
    visit.node.props().next()?;
    let cooldown = || ("cooldown", COOLDOWN.to_string());
    let defaults: Vec<(&str, String)> = if spec.node == SIZE {
        vec![("cpu", CPU.to_string()), ("memory", MEMORY.to_string())]
    } else if spec.node == DRAIN {
        vec![("grace", GRACE.to_string())]
    } else if spec.node != SCALE || value("min") == value("max") {
        // Not a range, so nothing moves.
        Vec::new()
    } else if written("memory") {
        vec![cooldown()]
    } else {
        vec![("cpu", CPU_TARGET.to_string()), cooldown()]
    };
    let missing: Vec<String> = defaults
        .into_iter()
        .filter(|(name, _)| !written(name))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    (!missing.is_empty()).then(|| InlayHint {
        offset: visit.node.head_span().range.end(),
        label: format!(" {}", missing.join(" ")),
    })
}
