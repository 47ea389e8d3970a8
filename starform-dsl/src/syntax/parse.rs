//! Tokens to tree: one pass over the tokens with a list of the open blocks, so depth costs no stack.
//! Pure. Never fails: what does not fit is reported once and stepped over, and the rest is read on.
//! Read on in `entry` for arguments and properties, and in `cst` for the lists that are built.

use std::sync::Arc;

use super::TextRange;
use super::cst::{Cst, EntryData, NONE, NodeData};
use super::fault::{Fault, FaultKind};
use super::lex::{Lexed, lex};
use super::token::{TokenKind, Tokens};
use crate::source::FileId;

/// Bytes of a file.
pub const MAX_FILE: usize = 1 << 20;
/// Blocks inside each other.
pub(crate) const MAX_DEPTH: usize = 64;
/// Nodes of a file.
pub(crate) const MAX_NODES: usize = 100_000;

/// The tree and all faults, in the order of the text.
pub(super) struct Parsed {
    pub(super) cst: Cst,
    pub(super) faults: Vec<Fault>,
    pub(super) sound: bool,
}

pub(super) fn parse(file: FileId, text: Arc<str>) -> Parsed {
    if text.len() > MAX_FILE {
        return too_large(file, text);
    }
    let Lexed {
        tokens,
        faults,
        cut,
    } = lex(&text);
    let version_1 = version_1(&text, &tokens);
    let mut parser = Parser::new(&text, tokens, faults, cut);
    while parser.step() {}
    parser.close_all();
    let Parser {
        tokens,
        nodes,
        entries,
        mut faults,
        mut sound,
        ..
    } = parser;
    sound &= version_1.is_none();
    faults.sort_by_key(|fault| (fault.range.start(), fault.range.end()));
    if let Some(range) = version_1 {
        faults = vec![Fault {
            kind: FaultKind::Version1,
            range,
        }];
    }
    Parsed {
        cst: Cst {
            file,
            text,
            tokens,
            nodes,
            entries,
        },
        faults,
        sound,
    }
}

pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: Tokens,
    /// The next token.
    pos: u32,
    pub(super) nodes: Vec<NodeData>,
    pub(super) entries: Vec<EntryData>,
    faults: Vec<Fault>,
    /// Nodes whose block is open, the outermost first.
    pub(super) open: Vec<Open>,
    /// The node whose head is read, if any.
    pub(super) node: Option<Head>,
    pub(super) cut: bool,
    pub(super) sound: bool,
    /// The `{` of the first block whose `}` is not indented as its line.
    pub(super) suspect: Option<u32>,
    pub(super) too_deep: bool,
    pub(super) full: bool,
}

/// A node of which something may still come.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) index: u32,
    /// The `{` of its real block.
    pub(super) block: u32,
    /// The `{` of its last block, left out or not.
    pub(super) last_block: u32,
    /// Something is so wrong that what follows on this line is not reported again.
    pub(super) quiet: bool,
    /// The last comma or colon of another language, which has been reported.
    pub(super) separator: u32,
}

/// A block that is read.
pub(super) struct Open {
    pub(super) head: Head,
    pub(super) brace: u32,
    /// Its nodes do not count.
    pub(super) hidden: bool,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, tokens: Tokens, faults: Vec<Fault>, cut: bool) -> Parser<'a> {
        Parser {
            text,
            nodes: Vec::with_capacity(tokens.len() / 8),
            entries: Vec::with_capacity(tokens.len() / 6),
            tokens,
            pos: 0,
            faults,
            open: Vec::new(),
            node: None,
            cut,
            sound: !cut,
            suspect: None,
            too_deep: false,
            full: false,
        }
    }

    pub(super) fn kind(&self) -> Option<TokenKind> {
        self.tokens.kind(self.pos)
    }

    pub(super) fn pos(&self) -> u32 {
        self.pos
    }

    pub(super) fn advance(&mut self) -> u32 {
        self.pos += 1;
        self.pos - 1
    }

    pub(super) fn back_to(&mut self, token: u32) {
        self.pos = token;
    }

    pub(super) fn kind_of(&self, token: u32) -> Option<TokenKind> {
        self.tokens.kind(token)
    }

    pub(super) fn range(&self, token: u32) -> TextRange {
        self.tokens.range(token)
    }

    pub(super) fn text_of(&self, token: u32) -> &'a str {
        &self.text[self.tokens.range(token).as_range()]
    }

    pub(super) fn fault_at(&mut self, kind: FaultKind, range: TextRange) {
        self.faults.push(Fault { kind, range });
    }

    pub(super) fn fault(&mut self, kind: FaultKind, token: u32) {
        self.fault_at(kind, self.tokens.range(token));
    }

    /// White space inside a node: spaces, block comments and continued lines. Tells whether there was any.
    pub(super) fn node_space(&mut self) -> bool {
        let start = self.pos;
        loop {
            match self.kind() {
                Some(TokenKind::Space | TokenKind::BlockComment) => self.pos += 1,
                Some(TokenKind::Backslash) => self.continuation(),
                _ => return self.pos > start,
            }
        }
    }

    /// White space where newlines are nothing special.
    pub(super) fn line_space(&mut self) {
        loop {
            match self.kind() {
                Some(
                    TokenKind::Space
                    | TokenKind::BlockComment
                    | TokenKind::Newline
                    | TokenKind::LineComment
                    | TokenKind::Bom,
                ) => self.pos += 1,
                Some(TokenKind::Backslash) => self.continuation(),
                _ => return,
            }
        }
    }

    /// `\`, white space, perhaps a comment, and the end of the line or text.
    fn continuation(&mut self) {
        let backslash = self.advance();
        while matches!(
            self.kind(),
            Some(TokenKind::Space | TokenKind::BlockComment)
        ) {
            self.pos += 1;
        }
        if self.kind() == Some(TokenKind::LineComment) {
            self.pos += 1;
        }
        match self.kind() {
            Some(TokenKind::Newline) => self.pos += 1,
            None => {}
            Some(_) => self.fault(FaultKind::BadContinuation, backslash),
        }
    }

    /// Reads one piece; tells whether there is more.
    fn step(&mut self) -> bool {
        match self.node {
            Some(head) => self.in_node(head),
            None => self.between_nodes(),
        }
    }

    /// Where a node may begin.
    fn between_nodes(&mut self) -> bool {
        self.line_space();
        match self.kind() {
            None => return false,
            Some(TokenKind::BraceClose) => self.close_block(),
            Some(TokenKind::Slashdash) => self.slashdashed_node(),
            Some(TokenKind::Semicolon) => {
                let semicolon = self.advance();
                self.fault(FaultKind::EmptyNode, semicolon);
            }
            Some(TokenKind::BraceOpen) => self.block_without_node(),
            Some(_) => self.begin_node(false),
        }
        !self.full
    }

    fn slashdashed_node(&mut self) {
        let slashdash = self.advance();
        self.line_space();
        match self.kind() {
            Some(TokenKind::ParenOpen) => self.begin_node(true),
            Some(kind) if kind.is_value() => self.begin_node(true),
            Some(TokenKind::BraceOpen) => self.block_without_node(),
            Some(_) | None => self.fault(FaultKind::EmptySlashdash, slashdash),
        }
    }

    fn block_without_node(&mut self) {
        self.fault(FaultKind::BlockWithoutNode, self.pos);
        self.push_node(self.pos, NONE, NONE, true);
        self.be_quiet();
    }

    fn be_quiet(&mut self) {
        if let Some(head) = &mut self.node {
            head.quiet = true;
        }
    }

    fn begin_node(&mut self, left_out: bool) {
        let first = self.pos;
        let ty = self.annotation(false).unwrap_or(NONE);
        let typed = self.between(first, self.pos);
        if first != self.pos {
            self.node_space();
        }
        let name = match self.kind() {
            Some(kind) if kind.is_string() => Some(self.advance()),
            Some(TokenKind::Invalid) => {
                self.advance();
                None
            }
            kind => {
                let reported = first != self.pos && ty == NONE;
                let missing = (ty != NONE).then_some(typed);
                self.no_name(missing, kind, reported);
                None
            }
        };
        self.push_node(first, ty, name.unwrap_or(NONE), left_out || name.is_none());
        if name.is_none() {
            self.be_quiet();
        }
    }

    /// Steps over what stands where a node's name should, unless the node ends there.
    fn no_name(&mut self, typed: Option<TextRange>, kind: Option<TokenKind>, reported: bool) {
        use TokenKind::{BraceClose, BraceOpen, Equals, LineComment, Newline, Semicolon};
        let ends = |kind| {
            matches!(
                kind,
                Newline | LineComment | Semicolon | BraceOpen | BraceClose
            )
        };
        if kind.is_none_or(ends) {
            if let Some(typed) = typed {
                self.fault_at(FaultKind::TypeOfNothing, typed);
            }
            return;
        }
        let fault = match kind {
            Some(Equals) => FaultKind::UnexpectedEquals,
            Some(kind) if kind.is_value() => FaultKind::BadNodeName,
            Some(_) | None => FaultKind::UnexpectedCharacter,
        };
        let token = self.advance();
        if !reported {
            self.fault(fault, token);
        }
    }

    fn push_node(&mut self, first: u32, ty: u32, name: u32, skipped: bool) {
        if self.nodes.len() == MAX_NODES {
            self.fault(FaultKind::TooManyNodes, first);
            (self.full, self.sound) = (true, false);
            return;
        }
        let hidden = self.open.last().is_some_and(|open| open.hidden);
        let index = len(&self.nodes);
        let entry = len(&self.entries);
        self.nodes.push(NodeData {
            first,
            ty,
            name,
            end: self.pos,
            first_entry: entry,
            end_entry: entry,
            open: NONE,
            close: NONE,
            next: index + 1,
            skipped: skipped || hidden,
        });
        self.node = Some(Head {
            index,
            block: NONE,
            last_block: NONE,
            quiet: false,
            separator: NONE,
        });
    }

    /// After a node's name, an entry or a block of it.
    fn in_node(&mut self, head: Head) -> bool {
        let spaced = self.node_space();
        match self.kind() {
            None | Some(TokenKind::BraceClose) => self.end_node(head),
            Some(TokenKind::Newline | TokenKind::LineComment | TokenKind::Semicolon) => {
                self.pos += 1;
                self.end_node(head);
            }
            Some(TokenKind::BraceOpen) => self.open_block(head, false),
            Some(TokenKind::Slashdash) => self.slashdash(head),
            Some(kind) if head.block != NONE && !head.quiet => self.after_block(head, kind),
            Some(_) => self.entry(head, spaced, false),
        }
        true
    }

    pub(super) fn end_node(&mut self, head: Head) {
        let next = len(&self.nodes);
        self.nodes[head.index as usize].next = next;
        self.node = None;
    }

    /// `/-` inside a node leaves out an entry or a block.
    fn slashdash(&mut self, head: Head) {
        let slashdash = self.advance();
        self.line_space();
        match self.kind() {
            Some(TokenKind::BraceOpen) => self.open_block(head, true),
            Some(TokenKind::ParenOpen) => self.entry(head, true, true),
            Some(kind) if kind.is_value() => self.entry(head, true, true),
            _ if head.quiet => {}
            _ => {
                self.fault(FaultKind::EmptySlashdash, slashdash);
                self.node = Some(Head {
                    quiet: true,
                    ..head
                });
            }
        }
    }

    /// Something that is no block follows a real block: a name is most likely that of the next node,
    /// unless `=` makes it that of a property.
    fn after_block(&mut self, head: Head, kind: TokenKind) {
        let property = self.kind_of(self.pos + 1) == Some(TokenKind::Equals);
        if (kind.is_string() && !property) || kind == TokenKind::ParenOpen {
            self.fault(FaultKind::MissingTerminator, self.pos);
        } else if kind != TokenKind::Invalid {
            return self.entry(head, true, false);
        }
        self.end_node(head);
    }

    fn entry(&mut self, mut head: Head, spaced: bool, left_out: bool) {
        if head.last_block != NONE && !head.quiet {
            let block = self.range(head.last_block);
            self.fault(FaultKind::EntryAfterBlock { block }, self.pos);
            head.quiet = true;
        }
        let before = self.pos;
        self.read_entry(&mut head, spaced, left_out);
        debug_assert!(self.pos > before, "an entry takes at least one token");
        let node = &mut self.nodes[head.index as usize];
        node.end_entry = len(&self.entries);
        node.end = self.pos;
        self.node = Some(head);
    }

    /// The name of a node.
    pub(super) fn name_range(&self, head: Head) -> TextRange {
        self.range(self.nodes[head.index as usize].name)
    }

    /// Whether a token follows the node's name with only white space between.
    pub(super) fn is_first_after_name(&self, head: Head) -> bool {
        let node = &self.nodes[head.index as usize];
        node.end_entry == node.first_entry && head.last_block == NONE
    }

    /// From the first byte of one token up to the first byte of another.
    pub(super) fn between(&self, first: u32, end: u32) -> TextRange {
        TextRange::new(self.tokens.start(first), self.tokens.start(end))
    }
}

fn too_large(file: FileId, text: Arc<str>) -> Parsed {
    let mut tokens = Tokens::default();
    let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
    tokens.push(TokenKind::Invalid, end);
    let fault = Fault {
        kind: FaultKind::FileTooLarge,
        range: TextRange::at(0),
    };
    let cst = Cst {
        file,
        text,
        tokens,
        nodes: Vec::new(),
        entries: Vec::new(),
    };
    Parsed {
        cst,
        faults: vec![fault],
        sound: false,
    }
}

/// The words by which a file says that it is KDL v1, at its beginning.
pub(crate) const VERSION_1: [&str; 3] = ["/-", "kdl-version", "1"];

/// `/- kdl-version 1` at the beginning: all that the rest is refused for follows from that.
fn version_1(text: &str, tokens: &Tokens) -> Option<TextRange> {
    let mut tokens = tokens
        .iter()
        .filter(|token| !matches!(token.kind, TokenKind::Space | TokenKind::Bom));
    let (slashdash, name, version) = (tokens.next()?, tokens.next()?, tokens.next()?);
    let words = [slashdash, name, version].map(|token| &text[token.range.as_range()]);
    (words == VERSION_1).then(|| slashdash.range.cover(version.range))
}

pub(super) fn len<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).expect("a text of at most 1 MiB has fewer items")
}
