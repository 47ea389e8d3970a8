//! What a value token means: the text of a string, the number of an integer.
//! Pure. Total: tokens hold only what the lexer has accepted, and the rest is `Value::Invalid`.
//! Read on in `string` for escapes and the lines of a string.

use std::borrow::Cow;

use super::string;
use super::token::TokenKind;

/// The value of an argument or property.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    String(Cow<'a, str>),
    Integer(i128),
    /// A number with a fraction or an exponent, or `#inf`, `#-inf`, `#nan`: as it is written.
    Decimal(&'a str),
    Bool(bool),
    Null,
    /// Missing or broken. It has been reported, so it is never the cause of a second diagnostic.
    Invalid,
}

pub(super) fn value(kind: TokenKind, raw: &str) -> Value<'_> {
    match kind {
        TokenKind::Ident
        | TokenKind::Punctuated
        | TokenKind::Quoted
        | TokenKind::QuotedEscaped
        | TokenKind::Multiline
        | TokenKind::Raw
        | TokenKind::RawMultiline => Value::String(self::string(kind, raw)),
        TokenKind::Integer => integer(raw).map_or(Value::Invalid, Value::Integer),
        TokenKind::Decimal => Value::Decimal(raw),
        TokenKind::True => Value::Bool(true),
        TokenKind::False => Value::Bool(false),
        TokenKind::Null => Value::Null,
        TokenKind::Bom
        | TokenKind::Space
        | TokenKind::Newline
        | TokenKind::LineComment
        | TokenKind::BlockComment
        | TokenKind::Backslash
        | TokenKind::Slashdash
        | TokenKind::Semicolon
        | TokenKind::BraceOpen
        | TokenKind::BraceClose
        | TokenKind::ParenOpen
        | TokenKind::ParenClose
        | TokenKind::Equals
        | TokenKind::Stray
        | TokenKind::Invalid => Value::Invalid,
    }
}

/// The text of a string token of any form; any other token's text as it is.
pub(super) fn string(kind: TokenKind, raw: &str) -> Cow<'_, str> {
    if kind == TokenKind::Punctuated {
        return Cow::Borrowed(raw.trim_end_matches([':', ',']));
    }
    let hashes = raw.bytes().take_while(|&byte| byte == b'#').count();
    let inside = |quotes: usize| &raw[hashes + quotes..raw.len() - hashes - quotes];
    if matches!(kind, TokenKind::Quoted | TokenKind::Raw) {
        Cow::Borrowed(inside(1))
    } else if kind == TokenKind::QuotedEscaped {
        Cow::Owned(string::unescape(inside(1)))
    } else if kind == TokenKind::Multiline {
        Cow::Owned(string::unescape(&string::dedent_escaped(inside(3))))
    } else if kind == TokenKind::RawMultiline {
        Cow::Owned(string::dedent(inside(3)))
    } else {
        Cow::Borrowed(raw)
    }
}

/// A whole number of any radix; `None` where it does not fit.
pub(super) fn integer(raw: &str) -> Option<i128> {
    let (sign, unsigned) = match raw.as_bytes().first()? {
        b'-' => ("-", &raw[1..]),
        b'+' => ("", &raw[1..]),
        _ => ("", raw),
    };
    let (radix, digits) = match unsigned.get(..2) {
        Some("0x") => (16, &unsigned[2..]),
        Some("0o") => (8, &unsigned[2..]),
        Some("0b") => (2, &unsigned[2..]),
        Some(_) | None => (10, unsigned),
    };
    let digits: String = sign
        .chars()
        .chain(digits.chars().filter(|&c| c != '_'))
        .collect();
    i128::from_str_radix(&digits, radix).ok()
}
