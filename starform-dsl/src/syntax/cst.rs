//! The tree of a text: nodes and entries in flat lists that point at tokens.
//! Pure. Every byte of the text is in exactly one token; what `/-` leaves out is in the lists, but
//! the views here skip it, as they skip nodes without a usable name, which have been reported.
//! Read on in `parse`, which builds it, and `value` for what tokens mean.

use std::borrow::Cow;
use std::sync::Arc;

use super::TextRange;
use super::token::{Token, Tokens};
use super::value::{self, Value};
use crate::source::{FileId, Span};

/// No token.
pub(super) const NONE: u32 = u32::MAX;

/// The text of one file, its tokens and its tree.
#[derive(Clone, Debug)]
pub struct Cst {
    pub(super) file: FileId,
    pub(super) text: Arc<str>,
    pub(super) tokens: Tokens,
    /// In the order of the text: a node is followed by all that is below it.
    pub(super) nodes: Vec<NodeData>,
    pub(super) entries: Vec<EntryData>,
}

/// Token indices; [`NONE`] where there is no such token.
#[derive(Clone, Copy, Debug)]
pub(super) struct NodeData {
    /// The `(` of its type, else its name.
    pub(super) first: u32,
    /// The string inside its type's parentheses.
    pub(super) ty: u32,
    pub(super) name: u32,
    /// The token after its last one.
    pub(super) end: u32,
    pub(super) first_entry: u32,
    pub(super) end_entry: u32,
    /// The `{` of its block.
    pub(super) open: u32,
    /// The `}` of its block.
    pub(super) close: u32,
    /// The index of the next node that is not below this one.
    pub(super) next: u32,
    /// Left out by `/-`, or without a usable name.
    pub(super) skipped: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct EntryData {
    /// Its name, or the `(` of its type, or its value.
    pub(super) first: u32,
    /// A property's name.
    pub(super) name: u32,
    /// The string inside its type's parentheses.
    pub(super) ty: u32,
    pub(super) value: u32,
    /// The token after its last one.
    pub(super) end: u32,
    /// Left out by `/-`.
    pub(super) skipped: bool,
}

/// A node of the tree.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    cst: &'a Cst,
    index: u32,
}

/// Sibling nodes in the order of the text.
#[derive(Clone)]
pub struct Nodes<'a> {
    cst: &'a Cst,
    next: u32,
    end: u32,
}

/// An argument (without a name) or a property (with one) of a node.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    cst: &'a Cst,
    data: &'a EntryData,
}

/// A name as its text says it, without quotes, and its place, quotes included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ident<'a> {
    pub text: Cow<'a, str>,
    pub span: Span,
}

impl Cst {
    pub fn file(&self) -> FileId {
        self.file
    }

    /// The whole text, as it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Every byte of the text, in order.
    pub fn tokens(&self) -> impl Iterator<Item = Token> {
        self.tokens.iter()
    }

    pub(crate) fn token_list(&self) -> &Tokens {
        &self.tokens
    }

    /// Whether both trees have the same nodes and entries in the same places; what their tokens say is not compared.
    pub(crate) fn has_shape_of(&self, other: &Cst) -> bool {
        self.nodes.len() == other.nodes.len()
            && self.entries.len() == other.entries.len()
            && self
                .nodes
                .iter()
                .zip(&other.nodes)
                .all(|(a, b)| a.shape() == b.shape())
            && self
                .entries
                .iter()
                .zip(&other.entries)
                .all(|(a, b)| a.shape() == b.shape())
    }

    /// The nodes at top level.
    pub fn nodes(&self) -> Nodes<'_> {
        Nodes {
            cst: self,
            next: 0,
            end: count(&self.nodes),
        }
    }

    /// The node whose head, without its block, holds a range. Nodes begin in the order of the text, so this is a
    /// binary search; only behind a block that `/-` leaves out it takes more.
    pub(crate) fn node_at(&self, range: TextRange) -> Option<Node<'_>> {
        let begins = |data: &NodeData| self.tokens.start(data.first) <= range.start();
        let holds = |node: &Node<'_>| {
            let head = node.head_span().range;
            head.start() <= range.start() && range.end() <= head.end()
        };
        let before = self.nodes.partition_point(begins);
        (0..u32::try_from(before).ok()?)
            .rev()
            .map(|index| Node { cst: self, index })
            .filter(|node| !node.data().skipped)
            .find(holds)
    }

    pub(super) fn span(&self, range: TextRange) -> Span {
        Span {
            file: self.file,
            range,
        }
    }

    fn token_span(&self, token: u32) -> Span {
        self.span(self.tokens.range(token))
    }

    /// From the first byte of one token up to the first byte of another.
    fn span_of(&self, first: u32, end: u32) -> Span {
        self.span(TextRange::new(
            self.tokens.start(first),
            self.tokens.start(end),
        ))
    }

    fn ident(&self, token: u32) -> Option<Ident<'_>> {
        let kind = self.tokens.kind(token)?;
        let span = self.token_span(token);
        Some(Ident {
            text: value::string(kind, &self.text[span.range.as_range()]),
            span,
        })
    }
}

impl NodeData {
    /// All that does not depend on white space.
    fn shape(&self) -> ([u32; 3], [bool; 4]) {
        let has = [self.ty, self.name, self.open].map(|token| token != NONE);
        (
            [self.first_entry, self.end_entry, self.next],
            [has[0], has[1], has[2], self.skipped],
        )
    }
}

impl EntryData {
    fn shape(&self) -> [bool; 4] {
        let has = [self.ty, self.name, self.value].map(|token| token != NONE);
        [has[0], has[1], has[2], self.skipped]
    }
}

impl<'a> Node<'a> {
    pub(super) fn cst(self) -> &'a Cst {
        self.cst
    }

    pub(super) fn data(self) -> &'a NodeData {
        &self.cst.nodes[self.index as usize]
    }

    pub fn name(self) -> Cow<'a, str> {
        self.cst
            .ident(self.data().name)
            .map_or(Cow::Borrowed(""), |ident| ident.text)
    }

    /// Quotes included.
    pub fn name_span(self) -> Span {
        self.cst.token_span(self.data().name)
    }

    /// The annotation before the name: `t` in `(t)node`.
    pub fn ty(self) -> Option<Ident<'a>> {
        self.cst.ident(self.data().ty)
    }

    /// From its type or name to its last argument or its `}`.
    pub fn span(self) -> Span {
        self.cst.span_of(self.data().first, self.data().end)
    }

    /// From its type or name to its last argument, without the block.
    pub fn head_span(self) -> Span {
        let data = self.data();
        let last = self.entries().last().map_or(self.name_span(), Entry::span);
        self.cst.span_of(data.first, data.first).cover(last)
    }

    /// Arguments and properties in the order of the text.
    pub fn entries(self) -> impl Iterator<Item = Entry<'a>> {
        let (cst, data) = (self.cst, self.data());
        let entries = &cst.entries[data.first_entry as usize..data.end_entry as usize];
        entries
            .iter()
            .filter(|data| !data.skipped)
            .map(move |data| Entry { cst, data })
    }

    pub fn args(self) -> impl Iterator<Item = Entry<'a>> {
        self.entries().filter(|entry| entry.is_arg())
    }

    pub fn props(self) -> impl Iterator<Item = Entry<'a>> {
        self.entries().filter(|entry| !entry.is_arg())
    }

    /// The first property of a name.
    pub fn prop(self, name: &str) -> Option<Entry<'a>> {
        self.props()
            .find(|prop| prop.name().is_some_and(|found| found.text == name))
    }

    /// The nodes of its block; `None` without a block, empty for `{}`.
    pub fn children(self) -> Option<Nodes<'a>> {
        let data = self.data();
        (data.open != NONE).then_some(Nodes {
            cst: self.cst,
            next: self.index + 1,
            end: data.next,
        })
    }

    /// From `{` to `}`, both included.
    pub fn block_span(self) -> Option<Span> {
        let data = self.data();
        let end = if data.close == NONE {
            data.end
        } else {
            data.close + 1
        };
        (data.open != NONE).then(|| self.cst.span_of(data.open, end))
    }
}

impl<'a> Iterator for Nodes<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        while self.next < self.end {
            let node = Node {
                cst: self.cst,
                index: self.next,
            };
            self.next = node.data().next;
            if !node.data().skipped {
                return Some(node);
            }
        }
        None
    }
}

impl<'a> Entry<'a> {
    pub(super) fn cst(self) -> &'a Cst {
        self.cst
    }

    pub(super) fn value_token(self) -> u32 {
        self.data.value
    }

    pub fn is_arg(self) -> bool {
        self.data.name == NONE
    }

    /// A property's name.
    pub fn name(self) -> Option<Ident<'a>> {
        self.cst.ident(self.data.name)
    }

    /// The annotation before the value: `secret` in `key=(secret)name`.
    pub fn ty(self) -> Option<Ident<'a>> {
        self.cst.ident(self.data.ty)
    }

    /// [`Value::Invalid`] where the value is missing or broken, which has been reported.
    pub fn value(self) -> Value<'a> {
        match self.cst.tokens.kind(self.data.value) {
            Some(kind) => value::value(kind, self.raw()),
            None => Value::Invalid,
        }
    }

    /// The value as it is written, quotes included; empty where it is missing.
    pub fn raw(self) -> &'a str {
        &self.cst.text[self.value_span().range.as_range()]
    }

    /// The value without its type; the empty place after the entry where it is missing.
    pub fn value_span(self) -> Span {
        match self.data.value {
            NONE => self
                .cst
                .span(TextRange::at(self.cst.tokens.start(self.data.end))),
            token => self.cst.token_span(token),
        }
    }

    /// The whole entry with name and type.
    pub fn span(self) -> Span {
        self.cst.span_of(self.data.first, self.data.end)
    }

    /// The whole entry and the spaces and tabs before it: what is deleted to take it out.
    pub fn span_with_space(self) -> Span {
        let range = self.span().range;
        let before = &self.cst.text[..range.start() as usize];
        let spaces = before.len() - before.trim_end_matches([' ', '\t']).len();
        let start = range.start() - u32::try_from(spaces).unwrap_or(0);
        self.cst.span(TextRange::new(start, range.end()))
    }
}

fn count<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}
