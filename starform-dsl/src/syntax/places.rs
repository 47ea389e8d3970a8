//! Where an offset stands in a tree, and which bytes `/-` leaves out: what an editor asks.
//! Pure. Searches are binary; `left_out` is one pass over the tokens.
//! Read on in `cst` for the tree and in `crate::ide` for who asks.

use super::TextRange;
use super::cst::{Cst, Entry, NONE, Node};
use super::token::{Token, TokenKind};
use crate::source::Span;

impl Cst {
    pub fn token(&self, index: usize) -> Option<Token> {
        let index = u32::try_from(index).ok()?;
        let kind = self.tokens.kind(index)?;
        let range = self.tokens.range(index);
        Some(Token { kind, range })
    }

    /// The token that holds the byte before `offset`; `None` at the beginning.
    pub fn token_before(&self, offset: u32) -> Option<usize> {
        let last = self.tokens.len().checked_sub(1)?;
        let byte = offset.checked_sub(1)?;
        Some(self.tokens.ends_up_to(byte).min(last))
    }

    /// What `/-` leaves out, the `/-` included: in the order of the text, none inside another.
    pub fn left_out(&self) -> Vec<TextRange> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(token) = self.token(at) {
            at += 1;
            if token.kind == TokenKind::Slashdash {
                at = self.end_of_left_out(at);
                let end = self.token(at - 1).map_or(token.range, |last| last.range);
                found.push(token.range.cover(end));
            }
        }
        found
    }

    /// The token after what begins at or after `at`, which follows a `/-`.
    fn end_of_left_out(&self, at: usize) -> usize {
        let between = |kind| {
            use TokenKind::{BlockComment, LineComment, Newline, Space};
            matches!(kind, Space | Newline | LineComment | BlockComment)
        };
        let mut first = at;
        while self.token(first).is_some_and(|token| between(token.kind)) {
            first += 1;
        }
        let Some(token) = self.token(first) else {
            return at;
        };
        if token.kind == TokenKind::BraceOpen {
            return self.after_block(first);
        }
        let Ok(index) = u32::try_from(first) else {
            return at;
        };
        if let Ok(node) = self.nodes.binary_search_by_key(&index, |node| node.first) {
            return self.nodes[node].end as usize;
        }
        match self
            .entries
            .binary_search_by_key(&index, |entry| entry.first)
        {
            Ok(entry) => self.entries[entry].end as usize,
            Err(_) => at,
        }
    }

    /// The token after the `}` that closes the `{` at `open`.
    fn after_block(&self, open: usize) -> usize {
        let mut depth = 0_usize;
        let mut at = open;
        while let Some(token) = self.token(at) {
            at += 1;
            if token.kind == TokenKind::BraceOpen {
                depth += 1;
            } else if token.kind == TokenKind::BraceClose {
                depth -= 1;
            }
            if depth == 0 {
                break;
            }
        }
        at
    }
}

impl Node<'_> {
    /// Where its name stands, without quotes; `None` where escapes part the two.
    pub fn name_text_span(self) -> Option<Span> {
        self.cst().text_span(self.data().name)
    }

    /// Whether an offset stands between the braces of its block; one that is never closed goes on to the end.
    pub fn block_holds(self, offset: u32) -> bool {
        self.block_span().is_some_and(|block| {
            let closed = self.data().close != NONE;
            block.range.start() < offset && (!closed || offset < block.range.end())
        })
    }
}

impl Entry<'_> {
    /// Where the text of its value stands, without quotes; `None` where escapes part the two.
    pub fn text_span(self) -> Option<Span> {
        self.cst().text_span(self.value_token())
    }
}

impl Cst {
    /// Where the value of a string token stands, without quotes.
    pub(super) fn text_span(&self, token: u32) -> Option<Span> {
        let kind = self.tokens.kind(token)?;
        let range = self.tokens.range(token);
        let raw = &self.text[range.as_range()];
        let (before, after) = if kind == TokenKind::Ident {
            (0, 0)
        } else if kind == TokenKind::Punctuated {
            (0, raw.len() - raw.trim_end_matches([':', ',']).len())
        } else if matches!(kind, TokenKind::Quoted | TokenKind::Raw) {
            let quote = raw.bytes().take_while(|&byte| byte == b'#').count() + 1;
            (quote, quote)
        } else {
            return None;
        };
        let shorten = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let start = range.start() + shorten(before);
        let end = range.end() - shorten(after);
        Some(self.span(TextRange::new(start, end)))
    }
}
