//! One node against its row of the node table: arguments, properties and block, each reported where it does not fit.
//! Pure. A [`Read`] that is not `sound` has been reported; its values may be used, its absence of values may not.
//! Read on in `value` for single values and in `unknown` for what the table does not know.

use std::str::FromStr;

use super::{Cx, MOST_ENTRIES, unknown, value};
use crate::diag::{Diagnostic, codes};
use crate::project::{Child, Setting, Slot, Spanned};
use crate::source::Span;
use crate::syntax::{Entry, Node, Value};
use crate::table::{
    self, Availability, Block, NodeName, NodeSpec, Nodes, PropSpec, Repeat, Scope, Word,
};

/// A node that has met its row.
pub(super) struct Read<'a> {
    pub(super) node: Node<'a>,
    pub(super) spec: &'static NodeSpec,
    args: Vec<Entry<'a>>,
    props: Vec<(&'static str, Entry<'a>)>,
    /// How many arguments are written, whether they fit or not.
    pub(super) arguments: usize,
    /// The properties of the row that are written, whether their values fit or not.
    pub(super) given: Vec<&'static str>,
    /// Properties that arguments were meant as; it was said.
    pub(super) meant: Vec<&'static str>,
    /// The argument that is missing was given in another way; it was said.
    argument_meant: bool,
    /// `NODE #null`
    pub(super) unset: bool,
    pub(super) sound: bool,
}

/// What was met in a block.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) children: Vec<Child>,
    /// Something in it could not be understood.
    pub(super) incomplete: bool,
}

impl<'a> Read<'a> {
    pub(super) fn span(&self) -> Span {
        self.node.head_span()
    }

    pub(super) fn arg<T: FromStr>(&self, index: usize) -> Option<Spanned<T>> {
        parsed(*self.args.get(index)?)
    }

    pub(super) fn args<T: FromStr>(&self) -> Vec<Spanned<T>> {
        self.args
            .iter()
            .filter_map(|entry| parsed(*entry))
            .collect()
    }

    pub(super) fn has_args(&self) -> bool {
        !self.args.is_empty()
    }

    pub(super) fn prop<T: FromStr>(&self, name: &str) -> Option<Spanned<T>> {
        parsed(self.prop_entry(name)?)
    }

    pub(super) fn arg_word<T: Word>(&self, index: usize) -> Option<Spanned<T>> {
        word(*self.args.get(index)?)
    }

    pub(super) fn prop_word<T: Word>(&self, name: &str) -> Option<Spanned<T>> {
        word(self.prop_entry(name)?)
    }

    /// The property and the space before it.
    pub(super) fn prop_with_space(&self, name: &str) -> Option<Span> {
        self.prop_entry(name).map(Entry::span_with_space)
    }

    pub(super) fn has_prop(&self, name: &str) -> bool {
        self.prop_entry(name).is_some()
    }

    pub(super) fn has_props(&self) -> bool {
        !self.props.is_empty()
    }

    fn prop_entry(&self, name: &str) -> Option<Entry<'a>> {
        self.props
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, entry)| *entry)
    }

    /// What a layer holds for this node.
    pub(super) fn slot<T>(&self, value: Option<T>) -> Slot<T> {
        let value = match value {
            _ if self.unset => Setting::Unset,
            Some(value) if self.sound => Setting::Set(value),
            Some(_) | None => Setting::Broken,
        };
        Some(Spanned {
            value,
            span: self.span(),
        })
    }
}

/// A value's text, parsed; `None` where it has been reported as something else.
fn parsed<T: FromStr>(entry: Entry<'_>) -> Option<Spanned<T>> {
    let text = match entry.value() {
        Value::String(text) => text.into_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Decimal(raw) => raw.to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Invalid => return None,
    };
    text.parse().ok().map(|value| Spanned {
        value,
        span: entry.value_span(),
    })
}

/// What a word means; `None` where it has been reported as none of its words.
fn word<T: Word>(entry: Entry<'_>) -> Option<Spanned<T>> {
    let Value::String(text) = entry.value() else {
        return None;
    };
    Some(Spanned {
        value: T::parse(&text)?,
        span: entry.value_span(),
    })
}

impl Cx {
    /// Checks a node against its row.
    pub(super) fn read<'a>(&mut self, node: Node<'a>, spec: &'static NodeSpec) -> Read<'a> {
        let mut read = Read {
            node,
            spec,
            args: Vec::new(),
            props: Vec::new(),
            arguments: node.args().count(),
            given: given(node, spec),
            meant: Vec::new(),
            argument_meant: false,
            unset: false,
            sound: true,
        };
        if let Some(ty) = node.ty() {
            read.sound = false;
            let title = format!("`({})` does not belong before a node", ty.text);
            self.error(codes::UNEXPECTED_ANNOTATION, ty.span, title, "take it out");
        }
        read.unset = spec.unset && is_unset(node);
        if !read.unset {
            if !self.volume_of_compose(&mut read) {
                self.read_args(&mut read);
            }
            self.read_props(&mut read);
            if read.meant.is_empty() || !read.args.is_empty() {
                self.missing_argument(&mut read);
            }
        }
        if let (Block::None, Some(block)) = (spec.block, node.block_span()) {
            read.sound = false;
            let title = format!("`{}` has no block", spec.name());
            self.error(
                codes::UNEXPECTED_BLOCK,
                block,
                title,
                format!("it is written `{}`", spec.form),
            );
        }
        read
    }

    fn read_args<'a>(&mut self, read: &mut Read<'a>) {
        let args = read.spec.args;
        let mut entries: Vec<Entry<'a>> = read.node.args().take(MOST_ENTRIES + 1).collect();
        let beyond = entries.get(MOST_ENTRIES).copied();
        entries.truncate(MOST_ENTRIES);
        if let Some(from) = self.words_for_properties(read, &entries) {
            read.sound = false;
            entries.truncate(from);
        }
        for (index, entry) in entries.iter().copied().enumerate() {
            match args.at(index) {
                Some(arg) => {
                    let name = format!("`{}`", read.spec.name());
                    read.sound &= self.value(arg.ty, &name, entry);
                    read.args.push(entry);
                }
                None => {
                    read.sound = false;
                    self.extra_arguments(read, &entries[index..]);
                    return;
                }
            }
        }
        if let Some(beyond) = beyond {
            read.sound = false;
            let what = format!("arguments of one `{}`", read.spec.name());
            self.too_many(beyond.span(), &what, MOST_ENTRIES);
        }
    }

    fn missing_argument(&mut self, read: &mut Read<'_>) {
        let given = read.args.len();
        let Some(arg) = read
            .spec
            .args
            .at(given)
            .filter(|_| given < read.spec.args.least())
        else {
            return;
        };
        read.sound = false;
        let in_a_block = read.spec.block == Block::None && read.node.block_span().is_some();
        if read.argument_meant || in_a_block {
            return;
        }
        let title = format!("`{}` needs its {}", read.spec.name(), arg.name);
        let help = format!("it is written `{}`", read.spec.form);
        self.error(codes::MISSING_ARGUMENT, read.node.name_span(), title, help);
    }

    fn read_props<'a>(&mut self, read: &mut Read<'a>) {
        if read.spec.block == Block::Variables && read.node.props().next().is_some() {
            read.sound = false;
            self.variables_as_properties(read);
            return;
        }
        for entry in read.node.props() {
            if self.is_full() {
                read.sound = false;
                return;
            }
            let Some(name) = entry.name() else { continue };
            let Some(prop) = read.spec.prop(&name.text) else {
                read.sound = false;
                if !read.argument_meant && self.named_argument(read, &name.text, entry) {
                    read.argument_meant = true;
                } else {
                    unknown::property(self, read.spec, &name.text, name.span);
                }
                continue;
            };
            if let Some(first) = read.prop_entry(prop.name) {
                read.sound = false;
                let title = format!("`{}` is given twice", prop.name);
                let diagnostic = Diagnostic::new(codes::DUPLICATE_PROPERTY, entry.span(), title)
                    .label("second")
                    .also(first.span(), "first")
                    .help("keep one of the two");
                self.report(diagnostic);
                continue;
            }
            read.sound &=
                !self.root_by_number(read, prop.name, entry) && self.property_value(prop, entry);
            read.props.push((prop.name, entry));
        }
        for prop in read.spec.props.iter().filter(|prop| prop.required) {
            if read.meant.contains(&prop.name) {
                read.sound = false;
            } else if !read.has_prop(prop.name) {
                read.sound = false;
                let title = format!("`{}` needs `{}=`", read.spec.name(), prop.name);
                let help = format!("add `{}=` with {}", prop.name, value::expected(prop.ty));
                self.error(codes::MISSING_PROPERTY, read.node.head_span(), title, help);
            }
        }
    }

    fn property_value(&mut self, prop: &PropSpec, entry: Entry<'_>) -> bool {
        match prop.availability {
            Availability::Ready => self.value(prop.ty, &format!("`{}`", prop.name), entry),
            Availability::Checked { instead } => {
                let what = format!("`{}=`", prop.name);
                self.checked_only(&what, entry.span(), instead);
                self.value(prop.ty, &format!("`{}`", prop.name), entry)
            }
            Availability::Later { instead } => {
                let title = format!("`{}=` is not available in this version", prop.name);
                self.error(codes::NOT_AVAILABLE, entry.span(), title, instead);
                false
            }
        }
    }

    /// Whether the value fits; says so where it does not.
    fn value(&mut self, ty: table::Type, name: &str, entry: Entry<'_>) -> bool {
        if let Some(annotation) = entry.ty() {
            let title = format!("`({})` does not belong here", annotation.text);
            self.error(
                codes::UNEXPECTED_ANNOTATION,
                annotation.span,
                title,
                "take it out",
            );
            return false;
        }
        match value::check(ty, name, entry, self.may_suggest()) {
            Some(diagnostic) => {
                self.report(diagnostic);
                false
            }
            None => !matches!(entry.value(), Value::Invalid),
        }
    }

    /// Reads the nodes of a block by their rows in `scope`; hands each that is to be used to `each`, with which of the
    /// nodes of the place it is.
    pub(super) fn block<'a, N: Nodes>(
        &mut self,
        nodes: impl Iterator<Item = Node<'a>>,
        parent: &str,
        scope: Scope,
        mut each: impl FnMut(&mut Cx, N, Read<'a>),
    ) -> Seen {
        let mut seen = Seen::default();
        let mut once: Vec<(NodeName, Span)> = Vec::new();
        for node in nodes {
            if self.is_full() {
                seen.incomplete = true;
                break;
            }
            let name = node.name();
            if name.starts_with("x-") {
                continue;
            }
            let Some((named, spec)) = self.row(node, &name, parent, scope) else {
                seen.incomplete = true;
                continue;
            };
            let first = match spec.repeat {
                Repeat::Once => once.iter().find(|(known, _)| *known == spec.node),
                Repeat::Many => None,
            };
            if let Some((_, first)) = first {
                let title = format!("`{name}` is given twice");
                let diagnostic = Diagnostic::new(codes::DUPLICATE_NODE, node.head_span(), title)
                    .label("second")
                    .also(*first, "first")
                    .help("keep one of the two");
                self.report(diagnostic);
                continue;
            }
            if spec.repeat == Repeat::Once {
                once.push((spec.node, node.head_span()));
            }
            self.enter(&name);
            let read = self.read(node, spec);
            seen.children.push(Child {
                node: spec.node,
                span: node.head_span(),
                unset: read.unset,
            });
            let warn = read.sound && !read.unset;
            if let (Availability::Checked { instead }, true) = (spec.availability, warn) {
                self.checked_only(&format!("`{}`", spec.name()), read.span(), instead);
            }
            each(self, named, read);
            self.path.pop();
        }
        seen
    }

    /// The row of a node that may stand here; reports every other.
    fn row<N: Nodes>(
        &mut self,
        node: Node<'_>,
        name: &str,
        parent: &str,
        scope: Scope,
    ) -> Option<(N, &'static NodeSpec)> {
        let found = table::find(scope.place, name);
        let Some((named, spec)) = found.and_then(|spec| Some((N::of(spec.node)?, spec))) else {
            unknown::report(self, node, name, parent, scope);
            return None;
        };
        if let Availability::Later { instead } = spec.availability {
            let title = format!("`{name}` is not available in this version");
            self.error(codes::NOT_AVAILABLE, node.head_span(), title, instead);
            return None;
        }
        match scope.kind {
            Some(kind) if !scope.admits(spec) => {
                unknown::wrong_kind(self, node.head_span(), spec, kind);
                None
            }
            Some(_) | None => Some((named, spec)),
        }
    }
}

/// The properties of the row that a node has.
fn given(node: Node<'_>, spec: &'static NodeSpec) -> Vec<&'static str> {
    let mut given = Vec::new();
    for name in node.props().filter_map(Entry::name) {
        match spec.prop(&name.text) {
            Some(prop) if !given.contains(&prop.name) => given.push(prop.name),
            Some(_) | None => {}
        }
    }
    given
}

/// `NODE #null` and nothing else.
fn is_unset(node: Node<'_>) -> bool {
    let mut entries = node.entries();
    let only = entries
        .next()
        .is_some_and(|entry| entry.is_arg() && entry.value() == Value::Null);
    only && entries.next().is_none() && node.children().is_none()
}
