//! Declarations by name: the first holds, a second is reported with both places.
//! Pure.
//! Read on in `project`, which declares environments, var-groups, partials and services.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::Cx;
use crate::diag::{Diagnostic, codes};
use crate::source::Span;

/// The names of one kind that were declared so far, with their places.
pub(super) struct Names<N> {
    what: &'static str,
    places: BTreeMap<N, Span>,
}

impl<N: Ord + Clone + Display> Names<N> {
    /// `what` with its article, as messages call it.
    pub(super) fn new(what: &'static str) -> Self {
        Self {
            what,
            places: BTreeMap::new(),
        }
    }

    /// Whether the name is new.
    pub(super) fn declare(&mut self, cx: &mut Cx, name: &N, span: Span) -> bool {
        let Some(first) = self.places.get(name) else {
            self.places.insert(name.clone(), span);
            return true;
        };
        let title = format!("{} named `{name}` exists already", self.what);
        let diagnostic = Diagnostic::new(codes::DUPLICATE_NAME, span, title)
            .label("second")
            .also(*first, "first")
            .help("give one of the two another name");
        cx.report(diagnostic);
        false
    }
}
