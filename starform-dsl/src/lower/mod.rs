//! From the tree to the checked project's parts: one file per section, each driven by the node table.
//! Pure. Reads everything it can, reports every mistake once, and marks what is broken so that nothing is concluded from it.
//! Read on in `read` for how a node meets its row, and in `project` for the top.

mod amount;
mod annotated;
mod declare;
mod domain;
mod health;
mod image;
mod include;
mod known;
mod layer;
mod meant;
mod path;
mod placeholder;
mod project;
mod read;
mod removed;
mod runtime;
mod schedule;
mod secret;
mod service;
mod traffic;
mod unknown;
mod value;
mod vars;

use std::collections::BTreeSet;

use starform_contract::ProjectName;

use crate::diag::{Code, Diagnostic, KEPT, codes};
use crate::project::{Model, Spanned, Suspected};
use crate::source::Span;

pub(crate) use known::Known;
pub(crate) use project::{CONTRACT, lower};
pub(crate) use unknown::wrong_kind_diagnostic as wrong_kind;
pub(crate) use value::{duration_within, expected, text_value};
pub(crate) use vars::key_diagnostic;

/// Ports, domains, aliases, groups and `in` blocks of one service, each.
pub(crate) const MOST_OF_A_KIND: usize = 100;

/// Arguments of one node, services that one lets in, variables of one block.
pub(crate) const MOST_ENTRIES: usize = 1_000;

/// Var-groups and partials of a project, each.
pub(crate) const MOST_DECLARATIONS: usize = 1_000;

/// So many mistakes are compared with what would be right: twice what is shown.
const SUGGESTIONS: usize = 100;

/// After so many mistakes nothing more is read: the ones that are kept stand before.
const MOST_MISTAKES: usize = 2 * KEPT;

/// Characters of a name in the path of a node.
const LONGEST_SEGMENT: usize = 200;

/// What was read of one project.
pub(crate) struct Lowered {
    pub(crate) name: Option<Spanned<ProjectName>>,
    pub(crate) model: Model,
    pub(crate) known: Known,
}

/// What lowering carries: the diagnostics, and the path of the node at hand.
pub(crate) struct Cx {
    pub(crate) diagnostics: Vec<Diagnostic>,
    path: Vec<String>,
    known: Known,
    /// What the project's `environment` nodes are called, and `preview` where it has them.
    environments: BTreeSet<String>,
    /// What is wrong if there is such a service.
    suspected: Vec<Suspected>,
}

impl Cx {
    fn report(&mut self, diagnostic: Diagnostic) {
        let kept = self.diagnostics.len() < KEPT;
        let path = if kept {
            self.path.join(".")
        } else {
            String::new()
        };
        self.diagnostics.push(diagnostic.node_path(path));
    }

    /// Keeps no more than mistakes are read.
    fn suspect(&mut self, suspected: Suspected) {
        if self.suspected.len() < MOST_MISTAKES {
            self.suspected.push(suspected);
        }
    }

    /// A diagnostic at the node at hand.
    fn error(&mut self, code: Code, span: Span, title: impl Into<String>, help: impl Into<String>) {
        self.report(Diagnostic::new(code, span, title).help(help));
    }

    /// What is understood and checked, but would be missing in the cluster.
    fn checked_only(&mut self, what: &str, span: Span, instead: &str) {
        let title = format!("{what} is checked but not deployed by this version");
        self.error(codes::CHECKED_ONLY, span, title, instead);
    }

    /// More of one thing than fits: said once, where the first too many stands.
    fn too_many(&mut self, span: Span, what: &str, most: usize) {
        let title = format!("more than {most} {what}");
        let help = format!("at most {most} fit: divide the service or the group");
        self.error(codes::TOO_MANY_OF_ONE_THING, span, title, help);
    }

    /// Whether what is wrong may still be compared with what is known: that costs, and nobody reads more.
    fn may_suggest(&self) -> bool {
        self.diagnostics.len() < SUGGESTIONS
    }

    /// Whether there are more mistakes than anybody is told, so that the rest may stay unread.
    fn is_full(&self) -> bool {
        self.diagnostics.len() >= MOST_MISTAKES
    }

    /// Adds to the path, of a name that is longer than any may be only the beginning.
    fn enter(&mut self, segment: &str) {
        self.path
            .push(segment.chars().take(LONGEST_SEGMENT).collect());
    }

    /// Runs `read` with `segment` added to the path.
    fn within<T>(&mut self, segment: &str, read: impl FnOnce(&mut Cx) -> T) -> T {
        self.enter(segment);
        let result = read(self);
        self.path.pop();
        result
    }
}
