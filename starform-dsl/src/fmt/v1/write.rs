//! How a token of KDL v1 is spelt in v2.
//! Pure. Values stay the same; what v2 may not hold as it is becomes an escape, in a comment the words of one.
//! Read on in `super`.

use std::fmt::Write as _;

use super::lex::{Kind, is_newline};
use crate::syntax;

pub(super) fn token(out: &mut String, kind: Kind, text: &str) {
    match kind {
        Kind::Keyword => {
            out.push('#');
            out.push_str(text);
        }
        Kind::Ident => name(out, text),
        Kind::Quoted => quoted(out, &text[1..text.len() - 1]),
        Kind::Raw => raw(out, text),
        // v1 takes a byte order mark anywhere for white space.
        Kind::Space if out.is_empty() => out.push_str(text),
        Kind::Space => out.push_str(&text.replace('\u{feff}', " ")),
        Kind::LineComment | Kind::BlockComment => comment(out, text),
        Kind::Newline
        | Kind::Backslash
        | Kind::Slashdash
        | Kind::Semicolon
        | Kind::BraceOpen
        | Kind::BraceClose
        | Kind::ParenOpen
        | Kind::ParenClose
        | Kind::Equals
        | Kind::Number => out.push_str(text),
    }
}

/// Whether v2 does not take the character as v1 does: it may stand nowhere, or ends a line.
fn is_refused(c: char) -> bool {
    c == '\u{b}' || syntax::is_forbidden(c)
}

fn comment(out: &mut String, text: &str) {
    for c in text.chars() {
        if is_refused(c) {
            out.push_str(&syntax::escaped(c));
        } else {
            out.push(c);
        }
    }
}

/// A name stays without quotes where v2 reads it so.
fn name(out: &mut String, text: &str) {
    if syntax::is_bare_name(text) {
        out.push_str(text);
    } else {
        out.push_str(&syntax::quoted(text));
    }
}

/// The body of a string whose escapes are those of v1.
fn quoted(out: &mut String, body: &str) {
    if keeps_lines(body) {
        out.push_str("\"\"\"\n");
        escapes(out, body, true);
        out.push_str("\n\"\"\"");
    } else {
        out.push('"');
        escapes(out, body, false);
        out.push('"');
    }
}

/// Whether a body of several lines can stand between triple quotes: these know LF alone, and empty lines of blanks.
fn keeps_lines(body: &str) -> bool {
    let lines =
        body.contains('\n') && !body.contains(|c| (c != '\n' && is_newline(c)) || is_refused(c));
    let blank = |line: &str| !line.is_empty() && line.trim().is_empty();
    lines && !body.split('\n').any(blank) && !body.contains("\"\"\"")
}

fn escapes(out: &mut String, body: &str, keep_newlines: bool) {
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('/') => out.push('/'),
                Some(next) => out.extend(['\\', next]),
                None => {}
            },
            '\n' if keep_newlines => out.push('\n'),
            _ if is_newline(c) || is_refused(c) => out.push_str(&syntax::escaped(c)),
            _ => out.push(c),
        }
    }
}

fn raw(out: &mut String, text: &str) {
    let hashes = text
        .bytes()
        .skip(1)
        .take_while(|&byte| byte == b'#')
        .count();
    let body = &text[hashes + 2..text.len() - hashes - 1];
    let fence = "#".repeat(hashes.max(1));
    let one_line = !body.contains(|c| is_newline(c) || is_refused(c));
    if one_line && !body.starts_with('"') {
        let _ = write!(out, "{fence}\"{body}\"{fence}");
    } else if keeps_lines(body) {
        let _ = write!(out, "{fence}\"\"\"\n{body}\n\"\"\"{fence}");
    } else {
        out.push_str(&syntax::quoted(body));
    }
}
