//! The text that a string stands for: escapes resolved, lines of a multi-line string lined up.
//! Pure. Decoding is total: what the lexer would refuse stays as it is written.
//! Read on in `value` for which token is decoded how.

use std::borrow::Cow;

use super::chars;

/// What is wrong with the lines of a multi-line string; offsets are bytes of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineFault {
    /// Something stands after the opening quotes.
    TextAfterOpening,
    /// Something stands before the closing quotes, in the line that begins at `line`.
    TextBeforeClosing { line: usize },
    /// A line does not begin with the white space that stands before the closing quotes.
    Prefix { line: usize },
}

/// A line as it is before its prefix is taken off, and where it begins in the body.
struct Line<'a> {
    text: Cow<'a, str>,
    start: usize,
}

/// A string in quotes that stands for a text: what may not stand in a line as it is becomes an escape.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\t' => out.push_str("\\t"),
            _ if is_newline(c) || chars::is_forbidden(c) => out.push_str(&escaped(c)),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The escape that stands for a character.
pub(crate) fn escaped(c: char) -> String {
    match c {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        _ => format!("\\u{{{:x}}}", u32::from(c)),
    }
}

fn is_newline(c: char) -> bool {
    chars::newline_len(c.encode_utf8(&mut [0; 4]).as_bytes(), 0) > 0
}

/// Resolves every escape, also that of white space.
pub(super) fn unescape(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at..];
        let (meaning, length) = escape_meaning(escape);
        match meaning {
            Some(character) => out.push(character),
            None if white_space_len(&escape[1..]) > 0 => {}
            None => out.push_str(&escape[..length]),
        }
        rest = &escape[length..];
    }
    out.push_str(rest);
    out
}

/// The text of a body between `"""` and `"""` where white space escapes count; other escapes stay.
pub(super) fn dedent_escaped(body: &str) -> String {
    join(lines(body, true))
}

/// The text of a body between `#"""` and `"""#`.
pub(super) fn dedent(body: &str) -> String {
    join(lines(body, false))
}

/// The first fault of a multi-line string's body.
pub(super) fn line_fault(body: &str, escapes: bool) -> Option<LineFault> {
    if chars::newline_len(body.as_bytes(), 0) == 0 {
        return Some(LineFault::TextAfterOpening);
    }
    let lines = lines(body, escapes);
    let (last, between) = lines.split_last()?;
    if !is_blank(&last.text) {
        return Some(LineFault::TextBeforeClosing { line: last.start });
    }
    let fault = between
        .iter()
        .find(|line| !is_blank(&line.text) && !line.text.starts_with(&*last.text));
    fault.map(|line| LineFault::Prefix { line: line.start })
}

/// What `\…` at the beginning of `text` stands for, and how many bytes it has.
/// `None` for an escape of white space, whose white space is counted, and for an unknown escape.
pub(super) fn escape_meaning(text: &str) -> (Option<char>, usize) {
    let simple = |character| (Some(character), 2);
    match text[1..].chars().next() {
        Some('n') => simple('\n'),
        Some('r') => simple('\r'),
        Some('t') => simple('\t'),
        Some('b') => simple('\u{8}'),
        Some('f') => simple('\u{c}'),
        Some('s') => simple(' '),
        Some('"') => simple('"'),
        Some('\\') => simple('\\'),
        Some('u') => unicode_escape(text),
        Some(other) => match white_space_len(&text[1..]) {
            0 => (None, 1 + other.len_utf8()),
            length => (None, 1 + length),
        },
        None => (None, 1),
    }
}

/// The bytes of white space and newlines at the beginning.
pub(super) fn white_space_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        let length = chars::space_len(bytes, at).max(chars::newline_len(bytes, at));
        if length == 0 {
            return at;
        }
        at += length;
    }
}

fn unicode_escape(text: &str) -> (Option<char>, usize) {
    let Some(digits) = text[2..].strip_prefix('{') else {
        return (None, 2);
    };
    let count = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
    if digits.as_bytes().get(count) != Some(&b'}') {
        return (None, 3 + count);
    }
    let value = u32::from_str_radix(&digits[..count], 16).ok();
    let character = value
        .filter(|_| (1..=6).contains(&count))
        .and_then(char::from_u32);
    (character, 4 + count)
}

/// The lines after the opening quotes; the last one is what stands before the closing quotes.
fn lines(body: &str, escapes: bool) -> Vec<Line<'_>> {
    let bytes = body.as_bytes();
    let mut lines = Vec::new();
    let mut at = chars::newline_len(bytes, 0);
    let mut line = Line {
        text: Cow::Borrowed(""),
        start: at,
    };
    let mut from = at;
    while at < bytes.len() {
        let newline = chars::newline_len(bytes, at);
        if newline > 0 {
            line.text += &body[from..at];
            at += newline;
            from = at;
            lines.push(std::mem::replace(
                &mut line,
                Line {
                    text: Cow::Borrowed(""),
                    start: at,
                },
            ));
        } else if escapes && bytes[at] == b'\\' {
            let white_space = white_space_len(&body[at + 1..]);
            if white_space > 0 {
                line.text += &body[from..at];
                from = at + 1 + white_space;
            }
            // A backslash takes the next character with it, so that `\\` is not read as an escape of what follows.
            at += 1 + white_space.max(chars::char_len(bytes, at + 1));
        } else {
            at += 1;
        }
    }
    line.text += &body[from.min(body.len())..];
    lines.push(line);
    lines
}

fn join(mut lines: Vec<Line<'_>>) -> String {
    let prefix = lines.pop().map_or(Cow::Borrowed(""), |line| line.text);
    let stripped: Vec<&str> = lines
        .iter()
        .map(|line| {
            if is_blank(&line.text) {
                ""
            } else {
                line.text.strip_prefix(&*prefix).unwrap_or(&line.text)
            }
        })
        .collect();
    stripped.join("\n")
}

fn is_blank(line: &str) -> bool {
    white_space_len(line) == line.len()
}
