//! What stands between two tokens of a node, and how wide a block is when it stands on one line.
//! Pure. Both the measuring and the printing of a block on one line go through [`Flat`], so they agree.
//! Read on in `print`.

use crate::syntax::{TokenKind, Tokens};

/// The style's widest line: a block on one line may not pass it.
pub(super) const WIDTH: usize = 100;

/// A block of children in the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) open: u32,
    pub(super) close: u32,
    /// Columns from `{` to `}` on one line; `None` if it was not written on one line or holds a comment.
    pub(super) width: Option<usize>,
}

/// Between a token and the next one of the same node: whether a space stands there.
pub(super) fn spaced(before: TokenKind, after: TokenKind) -> bool {
    use TokenKind::{Equals, ParenClose, ParenOpen, Slashdash};
    !matches!(before, ParenOpen | ParenClose | Equals | Slashdash)
        && !matches!(after, ParenClose | Equals)
}

/// Walks over the tokens of a block on one line.
#[derive(Clone, Copy, Default)]
pub(super) struct Flat {
    last: Option<TokenKind>,
    /// The last token is a `/-` that leaves out a node.
    leaves_node_out: bool,
}

impl Flat {
    /// What stands before the next token; the token may not be white space.
    pub(super) fn before(&mut self, kind: TokenKind) -> &'static str {
        let Some(last) = self.last.replace(kind) else {
            return "";
        };
        let first = matches!(last, TokenKind::BraceOpen | TokenKind::Semicolon);
        let leaves_node_out = self.leaves_node_out;
        self.leaves_node_out = first && kind == TokenKind::Slashdash;
        let space = first || leaves_node_out || spaced(last, kind);
        let closes = kind == TokenKind::BraceClose;
        if closes && !first {
            "; "
        } else if kind == TokenKind::Semicolon || (closes && last == TokenKind::BraceOpen) || !space
        {
            ""
        } else {
            " "
        }
    }
}

/// All blocks in the order of their `{`. Braces must match.
pub(super) fn blocks(text: &str, tokens: &Tokens) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    // The blocks that are open: which it is, and the column of its `{`.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut flat = Flat::default();
    let mut column = 0;
    // The last token that cannot stand in a block on one line.
    let mut obstacle = None;
    for (index, token) in (0..).zip(tokens.iter()) {
        let kind = token.kind;
        if kind == TokenKind::Space {
            continue;
        }
        if is_obstacle(kind) {
            obstacle = Some(index);
            flat = Flat::default();
            continue;
        }
        column += flat.before(kind).len();
        if kind == TokenKind::BraceOpen {
            open.push((blocks.len(), column));
            blocks.push(Block {
                open: index,
                close: index,
                width: None,
            });
        }
        column += text[token.range.as_range()].chars().count();
        if kind == TokenKind::BraceClose
            && let Some((block, start)) = open.pop()
        {
            let block = &mut blocks[block];
            block.close = index;
            block.width = obstacle
                .is_none_or(|obstacle| obstacle < block.open)
                .then_some(column - start);
        }
    }
    blocks
}

fn is_obstacle(kind: TokenKind) -> bool {
    use TokenKind::{Backslash, BlockComment, LineComment, Multiline, Newline, RawMultiline};
    matches!(
        kind,
        Newline | LineComment | BlockComment | Backslash | Multiline | RawMultiline
    )
}
