//! The tokens of KDL v1.
//! Pure. One pass; the tokens' texts joined are the text; nothing where a token is none of v1.
//! Read on in `super`. The rules are those of the specification of KDL 1.0.0.

use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Space,
    Newline,
    LineComment,
    BlockComment,
    Backslash,
    Slashdash,
    Semicolon,
    BraceOpen,
    BraceClose,
    ParenOpen,
    ParenClose,
    Equals,
    Ident,
    /// `true`, `false`, `null`
    Keyword,
    Number,
    /// Quotes, perhaps around several lines.
    Quoted,
    /// `r"…"` or `r#"…"#`
    Raw,
}

pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
}

/// The tokens, or where a token is none of v1.
pub(super) fn lex(text: &str) -> Result<Vec<Token>, usize> {
    let mut tokens = Vec::with_capacity(text.len() / 4);
    let mut at = 0;
    while at < text.len() {
        let (kind, length) = token(&text[at..]).ok_or(at)?;
        tokens.push(Token {
            kind,
            range: at..at + length,
        });
        at += length;
    }
    Ok(tokens)
}

pub(super) fn is_newline(c: char) -> bool {
    matches!(
        c,
        '\r' | '\n' | '\u{85}' | '\u{c}' | '\u{2028}' | '\u{2029}'
    )
}

fn is_space(c: char) -> bool {
    matches!(
        c,
        '\u{feff}' | '\t' | ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

fn is_ident(c: char) -> bool {
    !is_space(c)
        && !is_newline(c)
        && !matches!(
            c,
            '\\' | '/' | '(' | ')' | '{' | '}' | '<' | '>' | ';' | '[' | ']' | '=' | ',' | '"'
        )
}

/// The first token of a text that is not empty, and its bytes.
fn token(rest: &str) -> Option<(Kind, usize)> {
    let first = rest.chars().next()?;
    let single = |kind| Some((kind, 1));
    match first {
        _ if is_newline(first) => {
            let length = if rest.starts_with("\r\n") {
                2
            } else {
                first.len_utf8()
            };
            Some((Kind::Newline, length))
        }
        _ if is_space(first) => Some((Kind::Space, run(rest, is_space))),
        '\\' => single(Kind::Backslash),
        ';' => single(Kind::Semicolon),
        '{' => single(Kind::BraceOpen),
        '}' => single(Kind::BraceClose),
        '(' => single(Kind::ParenOpen),
        ')' => single(Kind::ParenClose),
        '=' => single(Kind::Equals),
        '"' => Some((Kind::Quoted, quoted(rest)?)),
        '/' if rest.starts_with("//") => Some((Kind::LineComment, run(rest, |c| !is_newline(c)))),
        '/' if rest.starts_with("/*") => Some((Kind::BlockComment, block_comment(rest)?)),
        '/' if rest.starts_with("/-") => Some((Kind::Slashdash, 2)),
        'r' if is_raw(rest) => Some((Kind::Raw, raw(rest)?)),
        _ if is_ident(first) => Some(word(rest)),
        _ => None,
    }
}

fn run(rest: &str, part: impl Fn(char) -> bool) -> usize {
    rest.find(|c| !part(c)).unwrap_or(rest.len())
}

fn word(rest: &str) -> (Kind, usize) {
    let length = run(rest, is_ident);
    let word = &rest[..length];
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let kind = if unsigned.starts_with(|c: char| c.is_ascii_digit()) {
        Kind::Number
    } else if matches!(word, "true" | "false" | "null") {
        Kind::Keyword
    } else {
        Kind::Ident
    };
    (kind, length)
}

fn quoted(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => {
                let known = b"nrt\\/\"bfu".contains(bytes.get(at + 1)?);
                at += if known { 2 } else { return None };
            }
            _ => at += 1,
        }
    }
}

/// Comments nest.
fn block_comment(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        match bytes.get(at..at + 2)? {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

fn hashes(rest: &str) -> usize {
    rest[1..].bytes().take_while(|&byte| byte == b'#').count()
}

fn is_raw(rest: &str) -> bool {
    rest[1 + hashes(rest)..].starts_with('"')
}

fn raw(rest: &str) -> Option<usize> {
    let open = hashes(rest) + 2;
    let close = format!("\"{}", "#".repeat(open - 2));
    let end = rest[open..].find(&close)?;
    Some(open + end + close.len())
}
