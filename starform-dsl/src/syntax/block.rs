//! The part of the parser that opens and closes blocks of children, and blames the right one that is never closed.
//! Pure. The open blocks are a list, so depth costs no stack; blocks too deep are read but do not count.
//! Read on in `parse` for what stands in a block.

use super::cst::NONE;
use super::fault::FaultKind;
use super::parse::{Head, MAX_DEPTH, Open, Parser, len};
use super::token::TokenKind;

impl Parser<'_> {
    pub(super) fn open_block(&mut self, mut head: Head, left_out: bool) {
        let brace = self.advance();
        let second = !left_out && head.block != NONE;
        if second && !head.quiet {
            let first = self.range(head.block);
            self.fault(FaultKind::SecondBlock { first }, brace);
        }
        if self.open.len() == MAX_DEPTH && !self.too_deep {
            self.too_deep = true;
            self.fault(FaultKind::TooDeep, brace);
        }
        let node = &mut self.nodes[head.index as usize];
        if !left_out && !second {
            head.block = brace;
            node.open = brace;
        }
        head.last_block = brace;
        let hidden = node.skipped || left_out || second || self.open.len() >= MAX_DEPTH;
        self.open.push(Open {
            head,
            brace,
            hidden,
        });
        self.node = None;
    }

    pub(super) fn close_block(&mut self) {
        let close = self.advance();
        let Some(open) = self.open.pop() else {
            self.sound = false;
            return self.fault(FaultKind::UnopenedBlock, close);
        };
        let first = self.nodes[open.head.index as usize].first;
        if let (None, Some(before), Some(after)) =
            (self.suspect, self.indent(first), self.indent(close))
            && after < before
        {
            self.suspect = Some(open.brace);
        }
        let node = &mut self.nodes[open.head.index as usize];
        if node.open == open.brace {
            node.close = close;
        }
        node.end = close + 1;
        self.node = Some(open.head);
    }

    /// The bytes of white space before a token that is the first on its line.
    fn indent(&self, token: u32) -> Option<u32> {
        let before = token.checked_sub(1)?;
        let begins = |token: u32| self.kind_of(token) == Some(TokenKind::Newline);
        if begins(before) {
            return Some(0);
        }
        let indented = self.kind_of(before) == Some(TokenKind::Space)
            && before.checked_sub(1).is_none_or(begins);
        indented.then(|| self.range(before).len())
    }

    /// At the end of the text: one report for all blocks that are still open.
    pub(super) fn close_all(&mut self) {
        if let Some(head) = self.node {
            self.end_node(head);
        }
        let missing = len(&self.open);
        let brace = self.suspect.or(self.open.last().map(|open| open.brace));
        if let Some(brace) = brace.filter(|_| missing > 0 && !self.cut && !self.full) {
            self.fault(FaultKind::UnclosedBlock { missing }, brace);
        }
        self.sound &= missing == 0;
        while let Some(open) = self.open.pop() {
            self.nodes[open.head.index as usize].end = self.pos();
            self.end_node(open.head);
        }
    }
}
