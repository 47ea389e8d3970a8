//! Tokens are the text: one follows the other, each has the look of its kind, and words without quotes are known as such.
//! Pure.
//! Read on in `parsed` for the tree over them.

use starform_dsl::source::FileId;
use starform_dsl::syntax::{Token, TokenKind, Value, is_bare, parse};

pub(crate) fn check(text: &str) {
    let parse = parse(FileId(0), text);
    let mut at = 0;
    for token in parse.cst.tokens() {
        assert_eq!(token.range.start(), at, "tokens follow each other");
        assert!(!token.range.is_empty(), "a token has a text");
        let word = text.get(token.range.as_range());
        looks_like_its_kind(token, word.expect("a token ends between characters"));
        at = token.range.end();
    }
    assert_eq!(at as usize, text.len(), "the tokens are the whole text");
    if is_bare(text) {
        stands_as_a_value(text);
    }
}

fn looks_like_its_kind(token: Token, word: &str) {
    let looks = match token.kind {
        TokenKind::Bom => word == "\u{feff}" && token.range.start() == 0,
        TokenKind::Space => !word.contains(['\n', '\r']),
        TokenKind::Newline => word.chars().count() == 1 || word == "\r\n",
        TokenKind::LineComment => word.starts_with("//") && !word.contains(['\n', '\r']),
        TokenKind::BlockComment => word.starts_with("/*"),
        TokenKind::Backslash => word == "\\",
        TokenKind::Slashdash => word == "/-",
        TokenKind::Semicolon => word == ";",
        TokenKind::BraceOpen => word == "{",
        TokenKind::BraceClose => word == "}",
        TokenKind::ParenOpen => word == "(",
        TokenKind::ParenClose => word == ")",
        TokenKind::Equals => word == "=",
        TokenKind::Ident => is_bare(word),
        TokenKind::Punctuated => word.ends_with([',', ':']),
        TokenKind::Quoted => word.starts_with('"') && !word.contains('\\'),
        TokenKind::QuotedEscaped => word.starts_with('"') && word.contains('\\'),
        TokenKind::Multiline => word.starts_with("\"\"\""),
        TokenKind::Raw | TokenKind::RawMultiline => word.starts_with('#') && word.contains('"'),
        TokenKind::Integer => word.contains(|c: char| c.is_ascii_hexdigit()),
        TokenKind::Decimal => word.starts_with('#') || word.contains(['.', 'e', 'E']),
        TokenKind::True => word == "#true",
        TokenKind::False => word == "#false",
        TokenKind::Null => word == "#null",
        TokenKind::Stray | TokenKind::Invalid => true,
    };
    assert!(looks, "{word:?} is called {:?}", token.kind);
}

/// A word that needs no quotes is itself as a value.
fn stands_as_a_value(word: &str) {
    let parse = parse(FileId(0), format!("node {word}\n"));
    let values: Vec<Value<'_>> = parse
        .cst
        .nodes()
        .flat_map(|node| node.args().map(|entry| entry.value()).collect::<Vec<_>>())
        .collect();
    assert_eq!(values, [Value::String(word.into())], "{word:?} is bare");
    assert!(parse.diagnostics.is_empty(), "{word:?} is bare");
}
