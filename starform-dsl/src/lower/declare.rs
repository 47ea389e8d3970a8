//! Declarations by name: the first holds, a second is reported with both places.
//! Pure.
//! Read on in `project`, which declares environments, var-groups, partials and services.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::{Cx, MOST_DECLARATIONS};
use crate::diag::{Diagnostic, codes};
use crate::source::Span;

/// The names of one kind that were declared so far, with their places.
pub(super) struct Names<N> {
    what: &'static str,
    places: BTreeMap<N, Span>,
    /// That there are more than fit was said.
    full: bool,
}

impl<N: Ord + Clone + Display> Names<N> {
    /// `what` with its article, as messages call it.
    pub(super) fn new(what: &'static str) -> Self {
        Self {
            what,
            places: BTreeMap::new(),
            full: false,
        }
    }

    /// Whether one more fits; says once that it does not.
    pub(super) fn has_room(&mut self, cx: &mut Cx, span: Span) -> bool {
        let room = self.places.len() < MOST_DECLARATIONS;
        if !room && !self.full {
            self.full = true;
            let title = format!("{} more than the {MOST_DECLARATIONS} that fit", self.what);
            let help = "take out those that nothing uses, or divide the project";
            cx.error(codes::TOO_MANY_OF_ONE_THING, span, title, help);
        }
        room
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
