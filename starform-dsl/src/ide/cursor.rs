//! Where an offset stands: in which block, in which part of which node, and which word is being typed.
//! Pure. Reads the tokens of the line backwards, so it needs no whole node; blocks come from the tree.
//! Read on in `completion`, which offers what may stand there.

use super::Analysis;
use super::scope::{Scope, Visit};
use crate::source::FileId;
use crate::syntax::{Cst, Node, TextRange, Token, TokenKind};

/// An offset in a tree.
pub(super) struct Cursor<'a> {
    pub(super) cst: &'a Cst,
    pub(super) scope: Scope,
    /// The nodes whose blocks are around it, the outermost first.
    pub(super) around: Vec<Visit<'a>>,
    pub(super) word: Word,
    pub(super) part: Part<'a>,
}

/// What is being typed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    /// What a completion replaces: the whole word, without its quotes.
    pub(super) range: TextRange,
    /// Where the cursor stands in it.
    pub(super) offset: u32,
    pub(super) quotes: Quotes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    None,
    Closed,
    /// The closing quote is missing.
    Open,
}

/// The part of a node that is being typed.
pub(super) enum Part<'a> {
    /// The name of a node.
    Name,
    /// An argument, or the name of a property.
    Entry(Head<'a>),
    /// The value of a property.
    Value(Head<'a>, &'a str),
    /// What stands in `(…)` before a value.
    Annotation(Head<'a>),
}

/// A node as far as it stands before the cursor.
pub(super) struct Head<'a> {
    pub(super) name: &'a str,
    /// The whole node, where the tree has it.
    pub(super) node: Option<Node<'a>>,
    /// The annotation before the word.
    pub(super) annotation: Option<&'a str>,
    /// Arguments before the word.
    pub(super) args: usize,
}

/// `None` where nothing can be typed that means something: in comments, after a block, in what is left out.
pub(super) fn find(analysis: &Analysis, file: FileId, offset: u32) -> Option<Cursor<'_>> {
    let cst = analysis.cst(file)?;
    let left_out = |range: &TextRange| range.start() < offset && offset <= range.end();
    if cst.left_out().iter().any(left_out) {
        return None;
    }
    let (word, before) = word(cst, offset)?;
    let (scope, around) = blocks(cst, analysis.top(file), offset);
    let siblings = around.last().map_or_else(
        || Some(cst.nodes()),
        |parent: &Visit<'_>| parent.node.children(),
    )?;
    let line = line(cst, before)?;
    let node = line.first().and_then(|first| {
        siblings
            .take_while(|node| node.span().range.start() < offset)
            .find(|node| first.range.start() == node.span().range.start())
    });
    let part = part(cst, &line, node)?;
    Some(Cursor {
        cst,
        scope,
        around,
        word,
        part,
    })
}

/// The nodes whose blocks hold an offset, and what may stand in the innermost.
pub(super) fn blocks(cst: &Cst, top: Scope, offset: u32) -> (Scope, Vec<Visit<'_>>) {
    let (mut scope, mut around) = (top, Vec::<Visit<'_>>::new());
    let mut nodes = cst.nodes();
    while let Some(node) = nodes
        .by_ref()
        .take_while(|node| node.span().range.start() < offset)
        .find(|node| node.block_holds(offset))
    {
        let spec = scope.spec(&node.name());
        around.push(Visit {
            node,
            scope,
            spec,
            depth: around.len(),
        });
        scope = scope.inside(spec);
        match node.children() {
            Some(children) => nodes = children,
            None => break,
        }
    }
    (scope, around)
}

/// The word at an offset, and how many tokens stand before it.
fn word(cst: &Cst, offset: u32) -> Option<(Word, usize)> {
    let empty = |before| {
        let range = TextRange::at(offset);
        let quotes = Quotes::None;
        let word = Word {
            range,
            offset,
            quotes,
        };
        Some((word, before))
    };
    let Some(index) = cst.token_before(offset) else {
        return empty(0);
    };
    let token = cst.token(index)?;
    let inside = offset < token.range.end();
    if token.kind == TokenKind::LineComment || (token.kind == TokenKind::BlockComment && inside) {
        return None;
    }
    if !token.kind.is_value() {
        // In the middle of `/-`, CR LF and the like.
        return if inside && token.kind != TokenKind::Space {
            None
        } else {
            empty(index + 1)
        };
    }
    let raw = &cst.text()[token.range.as_range()];
    let opening = raw.bytes().take_while(|&byte| byte == b'#').count();
    let quoted = raw.as_bytes().get(opening) == Some(&b'"');
    if !quoted {
        let (range, quotes) = (token.range, Quotes::None);
        let word = Word {
            range,
            offset,
            quotes,
        };
        return Some((word, index));
    }
    let edge = u32::try_from(opening + 1).ok()?;
    let start = token.range.start() + edge;
    if offset < start {
        return None;
    }
    let closed = token.kind != TokenKind::Invalid;
    if closed && offset > token.range.end().saturating_sub(edge) {
        return None;
    }
    let (end, quotes) = if closed {
        (token.range.end() - edge, Quotes::Closed)
    } else {
        (offset, Quotes::Open)
    };
    let word = Word {
        range: TextRange::new(start, end),
        offset,
        quotes,
    };
    Some((word, index))
}

/// The tokens of the node's head that stand before the token `end`, without white space; empty where a node may begin.
/// `None` after a block.
fn line(cst: &Cst, end: usize) -> Option<Vec<Token>> {
    use TokenKind::{
        Backslash, BlockComment, Bom, BraceClose, BraceOpen, LineComment, Newline, Semicolon,
        Slashdash, Space,
    };
    let mut line = Vec::new();
    let mut at = end;
    while let Some(index) = at.checked_sub(1) {
        at = index;
        let token = cst.token(index)?;
        let ends = matches!(token.kind, Semicolon | BraceOpen | LineComment | Bom);
        if ends || (token.kind == Newline && !continued(cst, index)) {
            break;
        }
        if token.kind == BraceClose {
            // What follows a block on its line is no node.
            return None;
        }
        let skip = matches!(
            token.kind,
            Space | BlockComment | Newline | Backslash | Slashdash
        );
        if !skip {
            line.push(token);
        }
    }
    line.reverse();
    Some(line)
}

/// Whether a newline does not end the node, because `\` stands before it.
fn continued(cst: &Cst, newline: usize) -> bool {
    let before = (0..newline)
        .rev()
        .filter_map(|index| cst.token(index))
        .find(|token| {
            use TokenKind::{BlockComment, LineComment, Space};
            !matches!(token.kind, Space | BlockComment | LineComment)
        });
    before.is_some_and(|token| token.kind == TokenKind::Backslash)
}

/// Which part of the node whose head so far is `line` comes next; `None` where nothing fits.
fn part<'a>(cst: &'a Cst, line: &[Token], node: Option<Node<'a>>) -> Option<Part<'a>> {
    let text = |token: &Token| &cst.text()[token.range.as_range()];
    let mut rest = line;
    if let [open, ..] = rest
        && open.kind == TokenKind::ParenOpen
    {
        rest = rest.get(3..)?;
    }
    let Some((name, mut rest)) = rest.split_first() else {
        return Some(Part::Name);
    };
    let mut head = Head {
        name: text(name).trim_matches('"'),
        node,
        annotation: None,
        args: 0,
    };
    let mut value_of = None;
    while let Some((token, after)) = rest.split_first() {
        rest = after;
        if token.kind == TokenKind::ParenOpen {
            match after {
                [word, close, ..] if close.kind == TokenKind::ParenClose => {
                    head.annotation = Some(text(word));
                    rest = &after[2..];
                }
                [] => return Some(Part::Annotation(head)),
                _ => return None,
            }
        } else if token.kind == TokenKind::Equals {
            return None;
        } else if let [equals, after @ ..] = rest
            && equals.kind == TokenKind::Equals
        {
            value_of = Some(text(token).trim_matches('"'));
            rest = after;
        } else {
            head.annotation = None;
            if value_of.take().is_none() {
                head.args += 1;
            }
        }
    }
    Some(match value_of {
        Some(name) => Part::Value(head, name),
        None => Part::Entry(head),
    })
}
