//! Writes the tokens of a text in the one style.
//! Pure. One pass with a count of the open blocks, so depth costs no stack. Every token but white space and `;` is
//! written as it is and in its place; lines that are broken are copied.
//! Read on in `spacing` for what stands between tokens and `broken` for what is copied.

use std::ops::Range;

use super::broken;
use super::spacing::{self, Block, Flat, WIDTH, spaced};
use crate::syntax::{MAX_FILE, Survey, TokenKind, Tokens};

/// Bytes of white space before the lines of a block, for each block around them.
const INDENT: usize = 2;

/// What stands last on the line that is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// Nothing but indentation.
    Nothing,
    Token(TokenKind),
    /// `/-` before a node.
    NodeSlashdash,
    /// A block comment that the next node stands behind.
    LeadingComment,
    Comment,
    LineComment,
    /// A line that is copied.
    Untouched,
}

struct Printer<'a> {
    text: &'a str,
    tokens: &'a Tokens,
    untouched: std::iter::Peekable<std::vec::IntoIter<Range<u32>>>,
    blocks: std::iter::Peekable<std::vec::IntoIter<Block>>,
    newline: &'static str,
    /// The next token.
    pos: u32,
    out: String,
    /// Where the line that is written begins.
    line: usize,
    /// The blocks that are open.
    depth: usize,
    last: Last,
    /// Inside a node; else where one may begin.
    in_node: bool,
    copied_to_the_end: bool,
    /// No line of the block has been written yet; comments behind its `{` may have.
    begins_block: bool,
}

/// The text in the one style; `None` where it would be longer than a file may be. Braces must match.
pub(super) fn print(survey: &Survey) -> Option<String> {
    let text = survey.cst.text();
    let tokens = survey.cst.token_list();
    let mut printer = Printer {
        text,
        tokens,
        untouched: broken::untouched(survey).into_iter().peekable(),
        blocks: spacing::blocks(text, tokens).into_iter().peekable(),
        newline: newline_of(text),
        pos: 0,
        out: String::with_capacity(text.len() + text.len() / 8 + 16),
        line: 0,
        depth: 0,
        last: Last::Nothing,
        in_node: false,
        copied_to_the_end: false,
        begins_block: false,
    };
    if printer.kind() == Some(TokenKind::Bom) {
        printer.token();
        (printer.last, printer.line) = (Last::Nothing, printer.out.len());
    }
    while printer.pos < count(tokens) {
        if printer.in_node {
            printer.node();
        } else {
            printer.between();
        }
        if printer.out.len() > MAX_FILE {
            return None;
        }
    }
    printer.end();
    (printer.out.len() <= MAX_FILE).then_some(printer.out)
}

/// Files with CR LF alone keep it, as editors on Windows and `core.autocrlf` want; all others get LF.
fn newline_of(text: &str) -> &'static str {
    let bytes = text.as_bytes();
    let mut crlf = false;
    for (at, _) in text.match_indices('\n') {
        if at == 0 || bytes[at - 1] != b'\r' {
            return "\n";
        }
        crlf = true;
    }
    if crlf { "\r\n" } else { "\n" }
}

fn count(tokens: &Tokens) -> u32 {
    u32::try_from(tokens.len()).expect("a text of at most 1 MiB has fewer tokens")
}

impl<'a> Printer<'a> {
    fn kind(&self) -> Option<TokenKind> {
        self.tokens.kind(self.pos)
    }

    fn text_of(&self, token: u32) -> &'a str {
        &self.text[self.tokens.range(token).as_range()]
    }

    /// Writes the next token as it is.
    fn token(&mut self) {
        let kind = self.kind().expect("there is a next token");
        let text = self.text_of(self.pos);
        if kind == TokenKind::LineComment {
            self.out.push_str(text.trim_end());
        } else {
            self.out.push_str(text);
        }
        if matches!(
            kind,
            TokenKind::BlockComment | TokenKind::Multiline | TokenKind::RawMultiline
        ) && let Some(newline) = text.rfind('\n')
        {
            self.line = self.out.len() - (text.len() - newline - 1);
        }
        self.last = if kind == TokenKind::BlockComment {
            Last::Comment
        } else if kind == TokenKind::LineComment {
            Last::LineComment
        } else {
            Last::Token(kind)
        };
        self.pos += 1;
    }

    /// Ends the line that is written. Behind the CR of a copied line LF would be a part of that one newline.
    fn end_line(&mut self) {
        let joins = self.out.ends_with('\r') && self.newline.starts_with('\n');
        self.out.push_str(if joins { "\r" } else { self.newline });
    }

    /// Ends the line and indents the next one.
    fn next_line(&mut self, depth: usize) {
        self.end_line();
        self.line = self.out.len();
        self.out.extend(std::iter::repeat_n(' ', depth * INDENT));
        self.last = Last::Nothing;
    }

    /// Begins the line of a node or comment of its own, after an empty one if there was one between the two.
    fn own_line(&mut self, newlines: usize, depth: usize) {
        if self.out.len() > self.line {
            if newlines > 1 && !self.begins_block {
                self.end_line();
            }
            self.next_line(depth);
        }
        self.begins_block = false;
    }

    /// Where a node may begin: takes all up to its first token, or a comment, or the end of the block.
    fn between(&mut self) {
        let newlines = self.take_newlines();
        if let Some(lines) = self.untouched.next_if(|lines| lines.start == self.pos) {
            return self.copy(lines, newlines);
        }
        match self.kind() {
            None => {}
            Some(TokenKind::BraceClose) => self.close_block(),
            Some(TokenKind::BlockComment | TokenKind::LineComment) => self.comments(newlines),
            Some(kind) => {
                if self.last == Last::LeadingComment {
                    self.out.push(' ');
                } else {
                    self.own_line(newlines, self.depth);
                }
                self.token();
                self.in_node = true;
                if kind == TokenKind::Slashdash {
                    self.last = Last::NodeSlashdash;
                }
            }
        }
    }

    /// Steps over white space up to the next token or the next line that is copied; counts the newlines.
    fn take_newlines(&mut self) -> usize {
        let stop = self.untouched.peek().map_or(u32::MAX, |lines| lines.start);
        let mut newlines = 0;
        while self.pos < stop {
            match self.kind() {
                Some(TokenKind::Newline) => newlines += 1,
                Some(TokenKind::Space | TokenKind::Backslash) => {}
                Some(_) | None => break,
            }
            self.pos += 1;
        }
        newlines
    }

    fn copy(&mut self, lines: Range<u32>, newlines: usize) {
        self.own_line(newlines, 0);
        let (start, end) = (self.tokens.start(lines.start), self.tokens.start(lines.end));
        let lines_text = &self.text[start as usize..end as usize];
        // At the beginning it would be the byte order mark of the file.
        if self.out.is_empty() && lines_text.starts_with('\u{feff}') {
            self.out.push_str(self.newline);
        }
        self.out.push_str(lines_text);
        self.pos = lines.end;
        self.copied_to_the_end = lines.end == count(self.tokens);
        self.last = Last::Untouched;
    }

    /// Comments of one line: behind what stands there, before the node that follows, or on a line of their own.
    fn comments(&mut self, newlines: usize) {
        use TokenKind::{BlockComment, BraceClose, BraceOpen, LineComment, Newline, Space};
        let mut end = self.pos;
        while matches!(self.tokens.kind(end), Some(Space | BlockComment)) {
            end += 1;
        }
        let (leads, closes) = match self.tokens.kind(end) {
            Some(LineComment) => {
                end += 1;
                (false, false)
            }
            None | Some(Newline | TokenKind::Backslash) => (false, false),
            Some(BraceClose) => (false, true),
            Some(_) => (true, false),
        };
        let behind = newlines == 0
            && self.out.len() > self.line
            && !leads
            && !(closes && self.last == Last::Token(BraceOpen))
            && self.last != Last::LineComment;
        if !behind {
            self.own_line(newlines, self.depth);
        }
        while self.pos < end {
            if self.kind() == Some(Space) {
                self.pos += 1;
                continue;
            }
            if self.last != Last::Nothing {
                self.out.push(' ');
            }
            self.token();
        }
        if leads {
            self.last = Last::LeadingComment;
        }
    }

    /// Inside a node: takes white space and comments and the token after them, or the node's end.
    fn node(&mut self) {
        let (end, ends) = self.node_space_end();
        if ends {
            self.last_comments(end);
            self.in_node = false;
            if self.kind() == Some(TokenKind::Semicolon) {
                self.pos += 1;
            }
            return;
        }
        self.node_space(end);
        let kind = self.kind().expect("the node goes on");
        let space = match self.last {
            Last::Nothing => false,
            Last::Token(last) => spaced(last, kind),
            Last::NodeSlashdash
            | Last::LeadingComment
            | Last::Comment
            | Last::LineComment
            | Last::Untouched => true,
        };
        if space {
            self.out.push(' ');
        }
        if kind == TokenKind::BraceOpen {
            self.open_block();
        } else {
            self.token();
        }
    }

    /// Where the white space and comments at the current place inside a node end, and whether the node ends there.
    fn node_space_end(&self) -> (u32, bool) {
        use TokenKind::{
            Backslash, BlockComment, BraceClose, LineComment, Newline, Semicolon, Slashdash, Space,
        };
        let leaves_out = matches!(self.last, Last::NodeSlashdash | Last::Token(Slashdash));
        let mut continued = false;
        let mut end = self.pos;
        loop {
            match self.tokens.kind(end) {
                Some(Space | BlockComment) => {}
                Some(Backslash) => continued = true,
                Some(LineComment) if continued || leaves_out => {}
                Some(Newline) if continued || leaves_out => continued = false,
                None | Some(LineComment | Newline | Semicolon | BraceClose) => return (end, true),
                Some(_) => return (end, false),
            }
            end += 1;
        }
    }

    /// White space and comments inside a node: comments stay, and so do lines that `\` ends.
    fn node_space(&mut self, end: u32) {
        let mut continued = false;
        while self.pos < end {
            match self.kind() {
                Some(TokenKind::BlockComment | TokenKind::LineComment) => self.node_comment(),
                Some(TokenKind::Backslash) => {
                    continued = self.last != Last::Nothing || self.comment_follows();
                    if continued {
                        self.out.push_str(if self.last == Last::Nothing {
                            "\\"
                        } else {
                            " \\"
                        });
                        self.last = Last::Token(TokenKind::Backslash);
                    }
                    self.pos += 1;
                }
                Some(TokenKind::Newline) => {
                    if continued || self.last == Last::LineComment {
                        self.next_line(self.depth + 1);
                    }
                    continued = false;
                    self.pos += 1;
                }
                Some(_) | None => self.pos += 1,
            }
        }
    }

    fn node_comment(&mut self) {
        let tight = matches!(self.last, Last::Nothing | Last::Token(TokenKind::ParenOpen));
        if !tight {
            self.out.push(' ');
        }
        self.token();
    }

    /// Whether a comment stands between a `\` and the end of its line.
    fn comment_follows(&self) -> bool {
        let next = self.tokens.kind(self.pos + 1);
        let next = match next {
            Some(TokenKind::Space) => self.tokens.kind(self.pos + 2),
            next => next,
        };
        matches!(next, Some(TokenKind::BlockComment | TokenKind::LineComment))
    }

    /// Comments at the end of a node; a `\` that nothing follows goes.
    fn last_comments(&mut self, end: u32) {
        while self.pos < end {
            match self.kind() {
                Some(TokenKind::BlockComment | TokenKind::LineComment) => {
                    if self.last == Last::LineComment {
                        self.next_line(self.depth);
                    } else {
                        self.out.push(' ');
                    }
                    self.token();
                }
                Some(_) | None => self.pos += 1,
            }
        }
    }

    /// Columns that are written of the line; more than [`WIDTH`] counts as one more than that.
    fn column(&self) -> usize {
        let line = &self.out[self.line..];
        if line.len() > WIDTH * 4 {
            WIDTH + 1
        } else {
            line.chars().count()
        }
    }

    fn open_block(&mut self) {
        while self.blocks.next_if(|block| block.open < self.pos).is_some() {}
        let block = self.blocks.peek().copied();
        let fits = block
            .and_then(|block| block.width)
            .is_some_and(|width| self.column() + width <= WIDTH);
        match block.filter(|_| fits) {
            Some(block) => self.block_on_one_line(block),
            None => {
                self.token();
                self.depth += 1;
                self.in_node = false;
                self.begins_block = true;
            }
        }
    }

    fn block_on_one_line(&mut self, block: Block) {
        let mut flat = Flat::default();
        while self.pos <= block.close {
            let kind = self.kind().expect("a block ends in the text");
            if kind == TokenKind::Space {
                self.pos += 1;
                continue;
            }
            self.out.push_str(flat.before(kind));
            self.token();
        }
    }

    fn close_block(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if self.last != Last::Token(TokenKind::BraceOpen) {
            self.next_line(self.depth);
        }
        self.token();
        self.in_node = true;
        self.begins_block = false;
    }

    /// The last line ends as every line does, unless it is copied with all that comes after.
    fn end(&mut self) {
        if self.out.len() > self.line && !self.copied_to_the_end {
            self.end_line();
        }
    }
}
