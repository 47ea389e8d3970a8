//! What a text is made of: kinds of tokens and where each ends.
//! Pure. The tokens of a text follow each other without a gap, so their texts joined are the text.
//! Read on in `lex`, which makes them, and `cst`, which points at them.

use super::TextRange;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A byte order mark at the beginning.
    Bom,
    /// A run of white space without newlines.
    Space,
    /// One newline of any kind; CR LF is one.
    Newline,
    /// From `//` to the newline, which is a token of its own.
    LineComment,
    BlockComment,
    /// `\` outside quotes: the node goes on in the next line.
    Backslash,
    /// `/-`
    Slashdash,
    Semicolon,
    BraceOpen,
    BraceClose,
    ParenOpen,
    ParenClose,
    Equals,
    /// A string without quotes.
    Ident,
    /// A string without quotes and a comma or colon of another language at its end, which is not part of its text.
    Punctuated,
    /// A quoted string whose value is its text.
    Quoted,
    /// A quoted string with escapes.
    QuotedEscaped,
    /// `"""` and lines.
    Multiline,
    /// `#"…"#`
    Raw,
    /// `#"""` and lines.
    RawMultiline,
    /// A whole number of any radix that fits in an `i128`.
    Integer,
    /// A number with a fraction or an exponent, or `#inf`, `#-inf`, `#nan`.
    Decimal,
    True,
    False,
    Null,
    /// `[`, `]` and other characters that KDL has no use for here; the parser reports them.
    Stray,
    /// Stands where a value or name could, but is none; the lexer has reported it.
    Invalid,
}

/// All tokens of a text, as two parallel lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    kinds: Vec<TokenKind>,
    ends: Vec<u32>,
}

/// One token with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    pub range: TextRange,
}

impl Tokens {
    pub(super) fn with_capacity(capacity: usize) -> Tokens {
        Tokens {
            kinds: Vec::with_capacity(capacity),
            ends: Vec::with_capacity(capacity),
        }
    }

    pub(super) fn push(&mut self, kind: TokenKind, end: u32) {
        self.kinds.push(kind);
        self.ends.push(end);
    }

    /// Takes back the last token if it is a word that ends at `end`, and tells where it began.
    pub(super) fn pop_word(&mut self, end: u32) -> Option<u32> {
        let last = u32::try_from(self.len().checked_sub(1)?).ok()?;
        let is_word = matches!(self.kind(last), Some(TokenKind::Ident | TokenKind::Invalid));
        let start = self.start(last);
        (is_word && self.start(last + 1) == end).then(|| {
            self.kinds.pop();
            self.ends.pop();
            start
        })
    }

    /// Whether nothing but white space stands before the next token on its line.
    pub(super) fn at_line_start(&self) -> bool {
        let before = self
            .kinds
            .iter()
            .rev()
            .find(|&&kind| kind != TokenKind::Space);
        before.is_none_or(|&kind| matches!(kind, TokenKind::Newline | TokenKind::Bom))
    }

    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    pub(crate) fn kind(&self, index: u32) -> Option<TokenKind> {
        self.kinds.get(index as usize).copied()
    }

    pub(super) fn set_kind(&mut self, index: u32, kind: TokenKind) {
        self.kinds[index as usize] = kind;
    }

    /// Where a token begins; past the last one, where the text ends.
    pub(crate) fn start(&self, index: u32) -> u32 {
        match index.checked_sub(1) {
            None => 0,
            Some(before) => self
                .ends
                .get(before as usize)
                .or(self.ends.last())
                .copied()
                .unwrap_or(0),
        }
    }

    pub(crate) fn range(&self, index: u32) -> TextRange {
        TextRange::new(self.start(index), self.start(index + 1))
    }

    /// How many tokens end at or before an offset.
    pub(super) fn ends_up_to(&self, offset: u32) -> usize {
        self.ends.partition_point(|&end| end <= offset)
    }

    /// In the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = Token> {
        let mut start = 0;
        self.kinds.iter().zip(&self.ends).map(move |(&kind, &end)| {
            let range = TextRange::new(start, end);
            start = end;
            Token { kind, range }
        })
    }
}

impl TokenKind {
    /// Whether it is a string of any form, so a name or a value.
    pub fn is_string(self) -> bool {
        use TokenKind::{Ident, Multiline, Punctuated, Quoted, QuotedEscaped, Raw, RawMultiline};
        matches!(
            self,
            Ident | Punctuated | Quoted | QuotedEscaped | Multiline | Raw | RawMultiline
        )
    }

    /// Whether it is a value of any form; what the lexer has reported counts as one.
    pub fn is_value(self) -> bool {
        use TokenKind::{Decimal, False, Integer, Invalid, Null, True};
        self.is_string() || matches!(self, Integer | Decimal | True | False | Null | Invalid)
    }
}
