//! Every name of a project that something declares or refers to: environments, groups, partials, services, variables.
//! Pure. Made from the trees alone, so names are found in text that does not hold yet; one pass over each file.
//! Read on in `collect` for how it is filled, in `navigate` and `rename` for what is done with it.

use std::collections::BTreeMap;

use super::takes::Takes;
use crate::source::{FileId, Span};
use crate::table::NameOf;

/// What a name is the name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameKind {
    Environment,
    Group,
    Partial,
    Service,
    /// A key of a group, a partial or a service.
    Variable,
}

/// Whose variable it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner {
    pub(super) kind: NameKind,
    pub(super) name: String,
}

/// One thing that has a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Symbol {
    pub(super) kind: NameKind,
    /// Of a variable.
    pub(super) owner: Option<Owner>,
    pub(super) name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Declaration,
    Use,
    /// In `was=` and `removed`: what had the name once.
    Former,
}

/// One place where a name is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Occurrence {
    /// Without quotes where the text stands as it is.
    pub(super) span: Span,
    pub(super) role: Role,
    pub(super) form: Form,
}

/// How a name is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    Bare,
    /// Inside quotes without escapes.
    Inside,
    /// With escapes, so that the span is that of the whole string.
    Escaped,
}

/// All names, by symbol and by place.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    symbols: BTreeMap<Symbol, Vec<Occurrence>>,
    /// Sorted by place.
    places: Vec<(Span, Symbol)>,
    pub(super) takes: Takes,
}

impl Owner {
    pub(super) fn new(kind: NameKind, name: impl Into<String>) -> Owner {
        let name = name.into();
        Owner { kind, name }
    }
}

impl Symbol {
    pub(super) fn new(kind: NameKind, name: impl Into<String>) -> Symbol {
        Symbol {
            kind,
            owner: None,
            name: name.into(),
        }
    }

    pub(super) fn variable(owner: Owner, key: impl Into<String>) -> Symbol {
        Symbol {
            kind: NameKind::Variable,
            owner: Some(owner),
            name: key.into(),
        }
    }
}

impl Index {
    pub(super) fn add(&mut self, symbol: Symbol, occurrence: Occurrence) {
        self.symbols.entry(symbol).or_default().push(occurrence);
    }

    /// To be called once, when all is added.
    pub(super) fn finish(mut self) -> Index {
        for (symbol, occurrences) in &mut self.symbols {
            occurrences.sort();
            let places = occurrences.iter().map(|found| (found.span, symbol.clone()));
            self.places.extend(places);
        }
        self.places.sort();
        self
    }

    /// The name that an offset touches, at either end too.
    pub(super) fn at(&self, file: FileId, offset: u32) -> Option<(Span, &Symbol)> {
        let after = self
            .places
            .partition_point(|(span, _)| (span.file, span.range.start()) <= (file, offset));
        let (span, symbol) = self.places.get(after.checked_sub(1)?)?;
        (span.file == file && offset <= span.range.end()).then_some((*span, symbol))
    }

    /// Whether a symbol cannot have a name because something else has it.
    pub(super) fn is_taken(&self, symbol: &Symbol, name: &str) -> bool {
        match &symbol.owner {
            Some(owner) => self.takes.gives(owner, name),
            None => self.declares(&Symbol::new(symbol.kind, name)),
        }
    }

    /// In the order of the files.
    pub(super) fn occurrences(&self, symbol: &Symbol) -> &[Occurrence] {
        self.symbols.get(symbol).map_or(&[], Vec::as_slice)
    }

    pub(super) fn declarations(&self, symbol: &Symbol) -> impl Iterator<Item = &Occurrence> {
        self.occurrences(symbol)
            .iter()
            .filter(|found| found.role == Role::Declaration)
    }

    pub(super) fn declares(&self, symbol: &Symbol) -> bool {
        self.declarations(symbol).next().is_some()
    }

    /// The declared names of a kind, in order.
    pub(super) fn declared(&self, kind: NameKind) -> impl Iterator<Item = &Symbol> {
        let first = Symbol::new(kind, "");
        self.symbols
            .range(first..)
            .take_while(move |(symbol, _)| symbol.kind == kind)
            .filter(|(_, found)| found.iter().any(|found| found.role == Role::Declaration))
            .map(|(symbol, _)| symbol)
    }
}

impl NameKind {
    /// `None`: the index knows no such names.
    pub(super) fn of(name: NameOf) -> Option<NameKind> {
        match name {
            NameOf::Environment => Some(NameKind::Environment),
            NameOf::Group => Some(NameKind::Group),
            NameOf::Partial => Some(NameKind::Partial),
            NameOf::Service => Some(NameKind::Service),
            NameOf::Project | NameOf::Volume => None,
        }
    }

    /// As messages call it.
    pub fn title(self) -> &'static str {
        match self {
            NameKind::Environment => "environment",
            NameKind::Group => "var-group",
            NameKind::Partial => "partial",
            NameKind::Service => "service",
            NameKind::Variable => "variable",
        }
    }
}

/// How a string is written, and where its text stands: `text` if that is known, else the whole.
pub(super) fn placed(whole: Span, text: Option<Span>) -> (Span, Form) {
    match text {
        None => (whole, Form::Escaped),
        Some(text) if text == whole => (whole, Form::Bare),
        Some(text) => (text, Form::Inside),
    }
}
