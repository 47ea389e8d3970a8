//! What may stand in a block, and a walk over all nodes of a tree that knows it for each of them.
//! Pure. Follows the node table alone, so it works on text that no project can be made of.
//! Read on in `cursor` (one place) and `index` (all names).

use starform_contract::ServiceKind;

use crate::syntax::{Cst, Node, Nodes};
use crate::table::{self, Block, NodeSpec, Place};

/// What may stand in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    /// Whose rows; `None` where the table knows of none.
    pub(super) rows: Option<table::Scope>,
    /// `KEY VALUE` nodes.
    pub(super) variables: bool,
    /// Of the service around it.
    pub(super) kind: Option<ServiceKind>,
}

/// A node and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Visit<'a> {
    pub(super) node: Node<'a>,
    pub(super) scope: Scope,
    pub(super) spec: Option<&'static NodeSpec>,
    /// Blocks around it.
    pub(super) depth: usize,
}

/// See [`walk`].
pub(super) struct Walk<'a> {
    open: Vec<(Nodes<'a>, Scope)>,
}

/// Every node in the order of the text, without what `/-` leaves out.
pub(super) fn walk(cst: &Cst, top: Scope) -> Walk<'_> {
    Walk {
        open: vec![(cst.nodes(), top)],
    }
}

impl Scope {
    /// The top level of a file.
    pub(super) fn top(place: Place) -> Scope {
        Scope {
            rows: Some(table::Scope::of(place)),
            variables: false,
            kind: None,
        }
    }

    /// The row of a node that stands here.
    pub(super) fn spec(self, name: &str) -> Option<&'static NodeSpec> {
        table::find(self.rows?.place, name)
    }

    /// Whether a node here is a variable and `name` its key.
    pub(super) fn is_variable(self, name: &str) -> bool {
        self.variables && self.spec(name).is_none()
    }

    /// Whether a row may stand here.
    pub(super) fn admits(self, spec: &NodeSpec) -> bool {
        self.rows.is_some_and(|scope| scope.admits(spec))
    }

    /// Whether it is the block of a project, or the top of a file that is included there.
    pub(super) fn is_project(self) -> bool {
        self.rows.is_some_and(|scope| scope.place == Place::Project)
    }

    /// What may stand in the block of a node of this row, which stands here.
    pub(super) fn inside(self, spec: Option<&NodeSpec>) -> Scope {
        let kind = match spec {
            Some(spec) if is_service(spec) => spec.kinds.first().copied(),
            Some(_) | None => self.kind,
        };
        Scope {
            rows: self
                .rows
                .zip(spec)
                .and_then(|(scope, spec)| scope.inside(spec)),
            variables: spec.is_some_and(|spec| spec.block == Block::Variables),
            kind,
        }
    }
}

/// Whether a row is one of the kinds of service.
pub(super) fn is_service(spec: &NodeSpec) -> bool {
    spec.block == Block::Of(Place::Service)
}

impl<'a> Iterator for Walk<'a> {
    type Item = Visit<'a>;

    fn next(&mut self) -> Option<Visit<'a>> {
        loop {
            let depth = self.open.len().checked_sub(1)?;
            let (nodes, scope) = self.open.last_mut()?;
            let scope = *scope;
            let Some(node) = nodes.next() else {
                self.open.pop();
                continue;
            };
            let spec = scope.spec(&node.name());
            if let Some(children) = node.children() {
                self.open.push((children, scope.inside(spec)));
            }
            return Some(Visit {
                node,
                scope,
                spec,
                depth,
            });
        }
    }
}
