//! The nodes of a project as they are written: found again by their place, printed on one line.
//! Pure. Values at places that look like credentials are left out of everything that is printed.
//! Read on in `crate::syntax` for the tree.

use super::Place;
use crate::project::Project;
use crate::secrets::HIDDEN;
use crate::source::Span;
use crate::syntax::{Entry, Node};

pub(super) struct Written<'p> {
    project: &'p Project,
    secrets: &'p [Span],
}

impl<'p> Written<'p> {
    pub(super) fn new(project: &'p Project, secrets: &'p [Span]) -> Self {
        Self { project, secrets }
    }

    pub(super) fn place(&self, span: Span) -> Place {
        let file = self.project.sources.file(span.file);
        let position = file.position(span.range.start());
        Place {
            file: file.path().to_owned(),
            line: position.line,
            column: position.column,
        }
    }

    /// The node whose head holds a place.
    pub(super) fn node(&self, span: Span) -> Option<Node<'_>> {
        self.project
            .sources
            .parse(span.file)
            .cst
            .node_at(span.range)
    }

    /// The whole node at a place, block included.
    pub(super) fn text(&self, span: Span) -> String {
        self.node(span)
            .map_or_else(String::new, |node| self.line(node))
    }

    /// The value of the variable at a place, as it is written.
    pub(super) fn first_argument(&self, span: Span) -> String {
        self.node(span)
            .and_then(|node| node.args().next())
            .map_or_else(String::new, |entry| self.entry(entry))
    }

    /// Whether the node at a place holds a credential anywhere.
    pub(super) fn is_secret(&self, span: Span) -> bool {
        let whole = self.node(span).map_or(span, Node::span);
        self.secrets.iter().any(|secret| {
            secret.file == whole.file
                && whole.range.start() <= secret.range.start()
                && secret.range.end() <= whole.range.end()
        })
    }

    pub(super) fn entry(&self, entry: Entry<'_>) -> String {
        let value = if self.secrets.contains(&entry.value_span()) {
            HIDDEN
        } else {
            entry.raw()
        };
        let ty = entry
            .ty()
            .map_or(String::new(), |ty| format!("({})", ty.text));
        let name = entry
            .name()
            .map_or(String::new(), |name| format!("{}=", name.text));
        format!("{name}{ty}{value}")
    }

    /// Ends within `MAX_DEPTH` calls: the parser reads no deeper, `x-` nodes included.
    fn line(&self, node: Node<'_>) -> String {
        let entries = node.entries().map(|entry| self.entry(entry));
        let head: Vec<String> = std::iter::once(node.name().into_owned())
            .chain(entries)
            .collect();
        let head = head.join(" ");
        match node.children() {
            None => head,
            Some(children) => {
                let inner: Vec<String> = children.map(|child| self.line(child)).collect();
                format!("{head} {{ {}; }}", inner.join("; "))
            }
        }
    }
}
