//! Text to tokens: where each begins and ends, and what is wrong inside one.
//! Pure. One pass without recursion; the tokens' texts joined are the text; time grows with the length of the text alone.
//! Read on in `lex_string` for quotes, `number` for numbers, and `fault` for what is said about a mistake.

use super::TextRange;
use super::chars::{self, CharClass};
use super::fault::{Fault, FaultKind};
use super::lex_string::Closing;
use super::number::{self, NumberFault};
use super::token::{TokenKind, Tokens};

/// What `lex` found.
pub(super) struct Lexed {
    pub(super) tokens: Tokens,
    /// In the order in which they were found.
    pub(super) faults: Vec<Fault>,
    /// A string or comment of several lines never ends: the text after it was not read.
    pub(super) cut: bool,
}

pub(super) fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer::new(text);
    if text.starts_with(BOM) {
        lexer.pos = BOM.len_utf8();
        lexer.push(TokenKind::Bom, 0);
    }
    while lexer.pos < lexer.bytes.len() {
        lexer.token();
    }
    Lexed {
        tokens: lexer.tokens,
        faults: lexer.faults,
        cut: lexer.cut,
    }
}

/// A byte order mark; other characters that may stand nowhere may not stand first either.
const BOM: char = '\u{feff}';

pub(super) struct Lexer<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) pos: usize,
    tokens: Tokens,
    faults: Vec<Fault>,
    pub(super) cut: bool,
    /// Where the last `*/` of the text begins, once it has been looked for.
    last_comment_end: Option<Option<usize>>,
    /// The closings of raw strings of several lines, once one has been looked for.
    pub(super) last_closings: Option<Vec<Closing>>,
    /// Where the last search for a `]` stopped.
    searched: usize,
}

/// What a run of characters without white space is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    /// Only characters that need no quotes.
    Plain,
    NeedsQuotes,
    /// Holds a character that may stand nowhere, which has been reported.
    Reported,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str) -> Lexer<'a> {
        Lexer {
            text,
            bytes: text.as_bytes(),
            pos: 0,
            tokens: Tokens::with_capacity(text.len() / 4),
            faults: Vec::new(),
            cut: false,
            last_comment_end: None,
            last_closings: None,
            searched: 0,
        }
    }

    /// Ends a token of `kind`, which began at `start`, at the current place.
    pub(super) fn push(&mut self, kind: TokenKind, start: usize) {
        debug_assert!(self.pos > start, "a token has at least one byte");
        self.tokens.push(kind, offset(self.pos));
    }

    pub(super) fn fault(&mut self, kind: FaultKind, start: usize, end: usize) {
        self.faults.push(Fault {
            kind,
            range: TextRange::new(offset(start), offset(end)),
        });
    }

    pub(super) fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.pos + ahead).copied()
    }

    fn token(&mut self) {
        let start = self.pos;
        match self.bytes[start] {
            b' ' | b'\t' => self.space(),
            b'/' => self.slash(),
            b'"' => self.quoted(),
            b'#' => self.hash(),
            b'[' => self.bracket(),
            b'\\' => self.single(TokenKind::Backslash),
            b';' => self.single(TokenKind::Semicolon),
            b'{' => self.single(TokenKind::BraceOpen),
            b'}' => self.single(TokenKind::BraceClose),
            b'(' => self.single(TokenKind::ParenOpen),
            b')' => self.single(TokenKind::ParenClose),
            b'=' => self.single(TokenKind::Equals),
            b']' => self.single(TokenKind::Stray),
            _ => match chars::class(self.bytes, start) {
                (CharClass::Newline, length) => {
                    self.pos += length;
                    self.push(TokenKind::Newline, start);
                }
                (CharClass::Space, _) => self.space(),
                (CharClass::Ident | CharClass::Forbidden | CharClass::Punctuation, _) => {
                    self.word()
                }
            },
        }
    }

    fn single(&mut self, kind: TokenKind) {
        self.pos += 1;
        self.push(kind, self.pos - 1);
    }

    fn space(&mut self) {
        let start = self.pos;
        loop {
            let length = chars::space_len(self.bytes, self.pos);
            if length == 0 {
                break;
            }
            self.pos += length;
        }
        self.push(TokenKind::Space, start);
    }

    fn slash(&mut self) {
        match self.peek(1) {
            Some(b'/') => self.line_comment(),
            Some(b'*') => self.block_comment(),
            Some(b'-') => {
                self.pos += 2;
                self.push(TokenKind::Slashdash, self.pos - 2);
            }
            Some(_) | None => self.word(),
        }
    }

    fn line_comment(&mut self) {
        let start = self.pos;
        while self.pos < self.bytes.len() && chars::newline_len(self.bytes, self.pos) == 0 {
            self.pos += 1;
        }
        self.push(TokenKind::LineComment, start);
        self.report_forbidden(start);
    }

    /// Comments nest. One that never ends is the rest of the text, or a glob that lacks its quotes.
    fn block_comment(&mut self) {
        let start = self.pos;
        let last_end = *self
            .last_comment_end
            .get_or_insert_with(|| self.text.rfind("*/"));
        if last_end.is_none_or(|end| end < start + 2) && self.glob(start) {
            return;
        }
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(b'/'), Some(b'*')) => {
                    depth += 1;
                    self.pos += 2;
                }
                (Some(b'*'), Some(b'/')) => {
                    depth -= 1;
                    self.pos += 2;
                }
                (Some(_), _) => self.pos += 1,
                (None, _) => {
                    self.cut = true;
                    self.fault(FaultKind::UnterminatedComment, start, start + 2);
                    break;
                }
            }
            if depth == 0 {
                break;
            }
        }
        self.push(TokenKind::BlockComment, start);
        self.report_forbidden(start);
    }

    /// Whether `/*` at `start` goes on a word, as in `services/*.kdl`: then both become one that needs quotes.
    fn glob(&mut self, start: usize) -> bool {
        let Some(before) = self.tokens.pop_word(offset(start)) else {
            return false;
        };
        while self.pos < self.bytes.len() {
            match (self.bytes[self.pos], chars::class(self.bytes, self.pos)) {
                (_, (CharClass::Space | CharClass::Newline, _))
                | (b';' | b'{' | b'}' | b'"', _) => break,
                (_, (_, length)) => self.pos += length,
            }
        }
        self.faults.pop_if(|fault| fault.range.start() >= before);
        self.fault(FaultKind::Glob, before as usize, self.pos);
        self.push(TokenKind::Invalid, before as usize);
        true
    }

    /// `[80, 443]` on one line is one mistake.
    fn bracket(&mut self) {
        let start = self.pos;
        if start >= self.searched {
            let end = self.bytes[start..]
                .iter()
                .position(|byte| matches!(byte, b']' | b'\n' | b'\r' | b'{' | b'}'));
            self.searched = end.map_or(self.bytes.len(), |end| start + end);
        }
        if self.bytes.get(self.searched) != Some(&b']') {
            self.fault(FaultKind::UnexpectedCharacter, start, start + 1);
            return self.single(TokenKind::Invalid);
        }
        self.pos = self.searched + 1;
        let kind = if self.tokens.at_line_start() {
            FaultKind::Section
        } else {
            FaultKind::List
        };
        self.fault(kind, start, self.pos);
        self.push(TokenKind::Invalid, start);
    }

    /// `#true` and its like, or a raw string.
    fn hash(&mut self) {
        let start = self.pos;
        let hashes = self.bytes[start..]
            .iter()
            .take_while(|&&byte| byte == b'#')
            .count();
        if self.bytes.get(start + hashes) == Some(&b'"') {
            return self.raw(hashes);
        }
        self.pos += hashes;
        let word = self.scan_word();
        let kind = match &self.text[start + 1..self.pos] {
            "true" => TokenKind::True,
            "false" => TokenKind::False,
            "null" => TokenKind::Null,
            "inf" | "-inf" | "nan" => TokenKind::Decimal,
            _ => TokenKind::Invalid,
        };
        if kind == TokenKind::Invalid && word != Word::Reported {
            self.fault(FaultKind::BadKeyword, start, self.pos);
        }
        self.push(kind, start);
    }

    /// An identifier, a number, or what should have been quoted.
    fn word(&mut self) {
        let start = self.pos;
        let word = self.scan_word();
        if &self.bytes[start..self.pos] == b"r" && matches!(self.peek(0), Some(b'"' | b'#')) {
            return self.v1_raw(start);
        }
        let text = &self.text[start..self.pos];
        let kind = match word {
            Word::Reported => TokenKind::Invalid,
            Word::NeedsQuotes => {
                self.fault(FaultKind::NeedsQuotes, start, self.pos);
                TokenKind::Invalid
            }
            Word::Plain if number::looks_like_number(text) => self.number(start),
            Word::Plain if is_keyword(text) => {
                self.fault(FaultKind::BareKeyword, start, self.pos);
                TokenKind::Invalid
            }
            Word::Plain => TokenKind::Ident,
        };
        self.push(kind, start);
    }

    fn number(&mut self, start: usize) -> TokenKind {
        let fault = match number::kind(&self.text[start..self.pos]) {
            Ok(kind) => return kind,
            Err(NumberFault::NeedsQuotes) => FaultKind::NeedsQuotes,
            Err(NumberFault::Malformed) => FaultKind::BadNumber,
            Err(NumberFault::Comma) => FaultKind::Comma,
            Err(NumberFault::TooLarge) => FaultKind::NumberTooLarge,
        };
        self.fault(fault, start, self.pos);
        TokenKind::Invalid
    }

    /// Takes a run of characters that people write without quotes, whether KDL allows it or not.
    fn scan_word(&mut self) -> Word {
        let start = self.pos;
        let mut word = Word::Plain;
        let mut bracket = false;
        while let Some(byte) = self.peek(0) {
            if chars::is_ascii_ident(byte) {
                self.pos += 1;
                continue;
            }
            match (byte, self.peek(1)) {
                (b'/', Some(b'/' | b'*' | b'-')) if word == Word::Plain => break,
                (b'#', Some(b'"' | b'#')) => break,
                (b'[', _) if self.pos > start => bracket = true,
                (b']', _) if bracket => bracket = false,
                (b'#', _) if self.pos > start => {}
                (b'\\', Some(next)) if chars::is_ascii_ident(next) && self.pos > start => {}
                (b'/', _) => {}
                _ => match chars::class(self.bytes, self.pos) {
                    (CharClass::Ident, length) => {
                        self.pos += length;
                        continue;
                    }
                    (CharClass::Forbidden, length) => {
                        if word != Word::Reported {
                            self.fault(FaultKind::Forbidden, self.pos, self.pos + length);
                        }
                        word = Word::Reported;
                        self.pos += length;
                        continue;
                    }
                    (CharClass::Space | CharClass::Newline | CharClass::Punctuation, _) => break,
                },
            }
            self.pos += 1;
            if word == Word::Plain {
                word = Word::NeedsQuotes;
            }
        }
        word
    }

    /// Reports the first character from `start` on that may stand nowhere; tells whether there is one.
    pub(super) fn report_forbidden(&mut self, start: usize) -> bool {
        let mut at = start;
        while at < self.pos {
            let length = match self.bytes[at] {
                0x20..=0x7e => 0,
                _ => chars::forbidden_len(self.bytes, at),
            };
            if length > 0 {
                self.fault(FaultKind::Forbidden, at, at + length);
                return true;
            }
            at += 1;
        }
        false
    }
}

/// What needs a `#`.
pub(super) fn is_keyword(word: &str) -> bool {
    matches!(word, "true" | "false" | "null" | "inf" | "-inf" | "nan")
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).expect("a text that is lexed is at most 1 MiB")
}
