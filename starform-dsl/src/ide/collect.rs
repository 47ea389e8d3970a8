//! Fills the index: one walk over each tree, then variables find whose key they give.
//! Pure. A key of a service belongs to the last group it uses that declares it, else to its partial, else to itself.
//! Read on in `index` for what is stored and in `names` for which values are names.

use super::index::{Form, Index, NameKind, Occurrence, Owner, Role, Symbol, placed};
use super::names::{self, Named};
use super::scope::{Scope, Visit, is_service, walk};
use crate::project::PREVIEW;
use crate::source::Span;
use crate::syntax::{Cst, Entry, TextRange, Value};
use crate::table::{LayerNode, Place};

/// A key of a block of variables, whose owner is found when all is read.
struct Key {
    owner: Owner,
    key: String,
    occurrence: Occurrence,
}

#[derive(Default)]
struct Collector {
    index: Index,
    keys: Vec<Key>,
    /// The group, partial or service whose block is read.
    owner: Option<Owner>,
}

/// The index of some files; each comes with what may stand at its top.
pub(super) fn collect<'a>(files: impl Iterator<Item = (&'a Cst, Place)>) -> Index {
    let mut collector = Collector::default();
    for (cst, top) in files {
        for visit in walk(cst, Scope::top(top)) {
            collector.visit(visit);
        }
    }
    collector.finish()
}

impl Collector {
    fn visit(&mut self, visit: Visit<'_>) {
        if visit.scope.is_project() {
            self.preview(visit);
            self.owner = names::declared(visit).map(|(kind, name)| Owner::new(kind, name));
        }
        let name = visit.node.name();
        if visit.scope.is_variable(&name) {
            return self.variable(visit, &name);
        }
        for (entry, named) in names::in_node(visit) {
            self.name(visit, entry, named);
        }
        if let Some((entry, service)) = names::owner_of_removed_volume(visit) {
            let occurrence = beginning(entry.value_span(), entry.text_span(), &service);
            let symbol = Symbol::new(NameKind::Service, service);
            self.index.add(symbol, occurrence);
        }
    }

    /// The node `preview` stands for all preview environments, which others call by its name.
    fn preview(&mut self, visit: Visit<'_>) {
        if visit.node.name() == PREVIEW {
            let occurrence = Occurrence {
                span: visit.node.name_span(),
                role: Role::Declaration,
                form: Form::Bare,
            };
            let symbol = Symbol::new(NameKind::Environment, PREVIEW);
            self.index.add(symbol, occurrence);
        }
    }

    fn name(&mut self, visit: Visit<'_>, entry: Entry<'_>, named: Named) {
        let Value::String(text) = entry.value() else {
            return;
        };
        let (kind, role) = match named {
            Named::Declares(kind) => (kind, Role::Declaration),
            Named::Uses(kind) => (kind, Role::Use),
            Named::Formerly(kind) => (kind, Role::Former),
        };
        self.note_source(visit, kind, &text);
        let occurrence = Occurrence {
            role,
            ..whole(entry)
        };
        self.index.add(Symbol::new(kind, text), occurrence);
    }

    fn note_source(&mut self, visit: Visit<'_>, kind: NameKind, text: &str) {
        let Some(owner) = &self.owner else { return };
        if kind == NameKind::Group
            && visit
                .spec
                .is_some_and(|spec| spec.node == LayerNode::Use.node())
        {
            self.index.takes.uses(owner, text);
        } else if kind == NameKind::Partial && visit.spec.is_some_and(is_service) {
            self.index.takes.like(owner, text);
        }
    }

    fn variable(&mut self, visit: Visit<'_>, key: &str) {
        if let Some(owner) = &self.owner {
            let (span, form) = placed(visit.node.name_span(), visit.node.name_text_span());
            self.keys.push(Key {
                owner: owner.clone(),
                key: key.to_owned(),
                occurrence: Occurrence {
                    span,
                    role: Role::Declaration,
                    form,
                },
            });
        }
        for entry in visit.node.args() {
            self.references(entry);
        }
    }

    /// The services that a `(ref)` or `(template)` names.
    fn references(&mut self, entry: Entry<'_>) {
        for reference in names::references(entry) {
            let service = match reference.text.split_once('.') {
                Some((service, _)) => service,
                None => reference.text.as_str(),
            };
            if service.is_empty() || service == "self" {
                continue;
            }
            let whole = entry.value_span();
            let text = reference.range.map(|range| Span::new(whole.file, range));
            let occurrence = beginning(whole, text, service);
            let symbol = Symbol::new(NameKind::Service, service);
            self.index.add(symbol, occurrence);
        }
    }

    fn finish(mut self) -> Index {
        for key in &self.keys {
            self.index.takes.add(&key.owner, &key.key);
        }
        self.index.takes.settle();
        for key in self.keys {
            let mut occurrence = key.occurrence;
            let whose = self.index.takes.whose(&key.owner, &key.key);
            let owner = whose.unwrap_or(&key.owner).clone();
            if owner != key.owner {
                occurrence.role = Role::Use;
            }
            self.index.add(Symbol::variable(owner, key.key), occurrence);
        }
        self.index.finish()
    }
}

/// A name that a text begins with; `text`: where that stands, if no escapes hide it.
fn beginning(whole: Span, text: Option<Span>, name: &str) -> Occurrence {
    let (span, form) = match text {
        None => (whole, Form::Escaped),
        Some(text) => {
            let start = text.range.start();
            let end = start + u32::try_from(name.len()).unwrap_or(u32::MAX);
            (
                Span::new(text.file, TextRange::new(start, end)),
                Form::Inside,
            )
        }
    };
    Occurrence {
        span,
        role: Role::Use,
        form,
    }
}

/// A name that is the whole value of an entry.
fn whole(entry: Entry<'_>) -> Occurrence {
    let (span, form) = placed(entry.value_span(), entry.text_span());
    Occurrence {
        span,
        role: Role::Use,
        form,
    }
}
