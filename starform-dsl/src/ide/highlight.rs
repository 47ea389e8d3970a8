//! What every word of a file is, for colours: from the tree where it knows, else from the token.
//! Pure. In the order of the text, none over another, none over the end of a line; all bytes that `/-` leaves out are comment.
//! Read on in `scope` for how a node meets its row.

use super::Analysis;
use super::index::NameKind;
use super::names::{self, Named};
use super::scope::{Visit, walk};
use crate::source::FileId;
use crate::syntax::{Entry, TextRange, Token, TokenKind, Value};
use crate::table::Availability;

/// A piece of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SemanticToken {
    pub range: TextRange,
    pub class: TokenClass,
    pub modifiers: Modifiers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenClass {
    /// Also what `/-` leaves out.
    Comment,
    /// The name of a node that the table knows.
    Keyword,
    /// The name of a node that it does not know.
    Unknown,
    Property,
    /// `ref` of `(ref)"…"`.
    Annotation,
    Name(NameKind),
    /// `private-url` of `catalog.private-url`.
    Output,
    String,
    Number,
    /// `#true`, `#false`, `#null`.
    Literal,
    /// The braces of a template, `=`.
    Operator,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modifiers {
    /// The name is declared here.
    pub declaration: bool,
    /// Known, but not available in this version.
    pub unavailable: bool,
}

pub fn semantic_tokens(analysis: &Analysis, file: FileId) -> Vec<SemanticToken> {
    let Some(cst) = analysis.cst(file) else {
        return Vec::new();
    };
    let mut marks = Marks::default();
    for visit in walk(cst, analysis.top(file)) {
        marks.visit(visit);
    }
    marks.found.sort_by_key(|mark| mark.range);
    let mut painter = Painter {
        text: cst.text(),
        painted: Vec::new(),
    };
    let mut left_out = cst.left_out().into_iter().peekable();
    let mut marks = marks.found.into_iter().peekable();
    for token in cst.tokens() {
        left_out.next_if(|range| range.end() <= token.range.start());
        if let Some(range) = left_out
            .peek()
            .filter(|range| range.start() <= token.range.start())
        {
            if range.start() == token.range.start() {
                painter.paint(*range, TokenClass::Comment, Modifiers::default());
            }
            continue;
        }
        let mut at = token.range.start();
        while let Some(mark) = marks.next_if(|mark| mark.range.start() < token.range.end()) {
            if mark.range.start() >= at {
                painter.base(TextRange::new(at, mark.range.start()), token);
                painter.paint(mark.range, mark.class, mark.modifiers);
                at = mark.range.end();
            }
        }
        painter.base(TextRange::new(at, token.range.end()), token);
    }
    painter.painted
}

/// What the tree knows, in any order.
#[derive(Default)]
struct Marks {
    found: Vec<SemanticToken>,
}

impl Marks {
    fn put(&mut self, range: TextRange, class: TokenClass, modifiers: Modifiers) {
        if !range.is_empty() {
            self.found.push(SemanticToken {
                range,
                class,
                modifiers,
            });
        }
    }

    fn plain(&mut self, range: TextRange, class: TokenClass) {
        self.put(range, class, Modifiers::default());
    }

    fn visit(&mut self, visit: Visit<'_>) {
        let node = visit.node;
        let variable = visit.scope.is_variable(&node.name());
        let (class, modifiers) = match visit.spec {
            Some(spec) => {
                let unavailable = spec.availability != Availability::Ready;
                let modifiers = Modifiers {
                    unavailable,
                    ..Modifiers::default()
                };
                (TokenClass::Keyword, modifiers)
            }
            None if variable => {
                let modifiers = Modifiers {
                    declaration: true,
                    ..Modifiers::default()
                };
                (TokenClass::Name(NameKind::Variable), modifiers)
            }
            None => (TokenClass::Unknown, Modifiers::default()),
        };
        self.put(node.name_span().range, class, modifiers);
        for entry in node.entries() {
            if let Some(name) = entry.name() {
                self.plain(name.span.range, TokenClass::Property);
            }
            if let Some(ty) = entry.ty() {
                self.plain(ty.span.range, TokenClass::Annotation);
            }
            if variable {
                self.references(entry);
            }
        }
        for (entry, named) in names::in_node(visit) {
            let (kind, declaration) = match named {
                Named::Declares(kind) => (kind, true),
                Named::Uses(kind) | Named::Formerly(kind) => (kind, false),
            };
            let modifiers = Modifiers {
                declaration,
                ..Modifiers::default()
            };
            if matches!(entry.value(), Value::String(_)) {
                self.put(entry.value_span().range, TokenClass::Name(kind), modifiers);
            }
        }
    }

    /// References in the value of a variable.
    fn references(&mut self, entry: Entry<'_>) {
        for reference in names::references(entry) {
            let Some(range) = reference.range else {
                continue;
            };
            if reference.in_braces {
                let (open, close) = (range.start() - 1, range.end());
                self.plain(TextRange::new(open, open + 1), TokenClass::Operator);
                self.plain(TextRange::new(close, close + 1), TokenClass::Operator);
            }
            let Some((service, _)) = reference.text.split_once('.') else {
                continue;
            };
            let dot = range.start() + u32::try_from(service.len()).unwrap_or(u32::MAX);
            let class = match service {
                "self" => TokenClass::Keyword,
                _ => TokenClass::Name(NameKind::Service),
            };
            self.plain(TextRange::new(range.start(), dot), class);
            self.plain(TextRange::new(dot + 1, range.end()), TokenClass::Output);
        }
    }
}

struct Painter<'a> {
    text: &'a str,
    painted: Vec<SemanticToken>,
}

impl Painter<'_> {
    /// A part of a token of which the tree knows nothing.
    fn base(&mut self, range: TextRange, token: Token) {
        if let Some(class) = class_of(token.kind) {
            self.paint(range, class, Modifiers::default());
        }
    }

    /// One piece for each line.
    fn paint(&mut self, range: TextRange, class: TokenClass, modifiers: Modifiers) {
        let mut start = range.start() as usize;
        for line in self.text[range.as_range()].split_inclusive(['\n', '\r']) {
            let visible = line.trim_end_matches(['\n', '\r']).len();
            let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            if visible > 0 {
                self.painted.push(SemanticToken {
                    range: TextRange::new(offset(start), offset(start + visible)),
                    class,
                    modifiers,
                });
            }
            start += line.len();
        }
    }
}

fn class_of(kind: TokenKind) -> Option<TokenClass> {
    match kind {
        TokenKind::LineComment | TokenKind::BlockComment => Some(TokenClass::Comment),
        TokenKind::Ident
        | TokenKind::Punctuated
        | TokenKind::Quoted
        | TokenKind::QuotedEscaped
        | TokenKind::Multiline
        | TokenKind::Raw
        | TokenKind::RawMultiline => Some(TokenClass::String),
        TokenKind::Integer | TokenKind::Decimal => Some(TokenClass::Number),
        TokenKind::True | TokenKind::False | TokenKind::Null => Some(TokenClass::Literal),
        TokenKind::Equals => Some(TokenClass::Operator),
        TokenKind::Bom
        | TokenKind::Space
        | TokenKind::Newline
        | TokenKind::Backslash
        | TokenKind::Slashdash
        | TokenKind::Semicolon
        | TokenKind::BraceOpen
        | TokenKind::BraceClose
        | TokenKind::ParenOpen
        | TokenKind::ParenClose
        | TokenKind::Stray
        | TokenKind::Invalid => None,
    }
}
