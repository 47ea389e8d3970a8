//! The outline of a file: the project, what it declares, and what services and groups hold.
//! Pure. Values that look secret are not in it, values of variables never.
//! Read on in `folding` for what can be folded away.

use super::Analysis;
use super::index::NameKind;
use super::names::{self, Named};
use super::scope::{Visit, walk};
use crate::source::{FileId, Span};
use crate::syntax::Value;
use crate::table::RootNode;

/// A node of the outline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutlineNode {
    pub name: String,
    /// A few words beside the name; may be empty.
    pub detail: String,
    pub kind: OutlineKind,
    /// The whole node.
    pub span: Span,
    /// What to select; inside `span`.
    pub selection: Span,
    pub children: Vec<OutlineNode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutlineKind {
    Project,
    Name(NameKind),
    /// Any other node.
    Node,
}

/// Blocks inside each other that the outline shows.
const DEPTH: usize = 5;

pub fn symbols(analysis: &Analysis, file: FileId) -> Vec<OutlineNode> {
    let Some(cst) = analysis.cst(file) else {
        return Vec::new();
    };
    // The nodes above the one at hand, the outermost first.
    let mut open: Vec<OutlineNode> = Vec::new();
    let mut top = Vec::new();
    for visit in walk(cst, analysis.top(file)) {
        if visit.depth >= DEPTH {
            continue;
        }
        close(&mut open, visit.depth, &mut top);
        open.push(outline(analysis, visit));
    }
    close(&mut open, 0, &mut top);
    top
}

/// Hangs every open node that is not above `depth` below its parent.
fn close(open: &mut Vec<OutlineNode>, depth: usize, top: &mut Vec<OutlineNode>) {
    while open.len() > depth {
        let Some(node) = open.pop() else { return };
        match open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => top.push(node),
        }
    }
}

fn outline(analysis: &Analysis, visit: Visit<'_>) -> OutlineNode {
    let node = visit.node;
    let word = node.name();
    let declared = names::in_node(visit).find_map(|(entry, named)| match named {
        Named::Declares(kind) => Some((entry, OutlineKind::Name(kind))),
        Named::Uses(_) | Named::Formerly(_) => None,
    });
    let project = || {
        let entry = node
            .args()
            .next()
            .filter(|_| word == RootNode::Project.as_str())?;
        Some((entry, OutlineKind::Project))
    };
    let (name, detail, kind, selection) = match declared.or_else(project) {
        Some((entry, kind)) => match entry.value() {
            Value::String(name) => (
                name.into_owned(),
                word.into_owned(),
                kind,
                entry.value_span(),
            ),
            Value::Integer(_)
            | Value::Decimal(_)
            | Value::Bool(_)
            | Value::Null
            | Value::Invalid => (word.into_owned(), String::new(), kind, node.name_span()),
        },
        None if visit.scope.is_variable(&word) => {
            let kind = OutlineKind::Name(NameKind::Variable);
            (word.into_owned(), String::new(), kind, node.name_span())
        }
        None => {
            let detail = arguments(analysis, visit);
            (
                word.into_owned(),
                detail,
                OutlineKind::Node,
                node.name_span(),
            )
        }
    };
    OutlineNode {
        name: if name.is_empty() {
            "\"\"".to_owned()
        } else {
            name
        },
        detail,
        kind,
        span: node.span(),
        selection,
        children: Vec::new(),
    }
}

/// The arguments as they are written.
fn arguments(analysis: &Analysis, visit: Visit<'_>) -> String {
    let args: Vec<_> = visit.node.args().collect();
    if args.iter().any(|arg| analysis.is_secret(arg.value_span())) {
        return String::new();
    }
    let args: Vec<&str> = args.iter().map(|arg| arg.raw()).collect();
    args.join(" ")
}
