//! One value, path or piece of user text as a view shows it.
//!
//! Pure. Always holds: no control character, terminal sequence or invisible character of a text that passes here
//! reaches the reader as such; strings are quoted, words of ours (such as `(secret changed)`) are not, so that a
//! text can never look like one. Titles and paths stand without quotes: a writer marks where they go on.

use serde_json::Value;

use crate::document::{FieldChange, Finding, SecretChange};

/// What stands around the word for a name in a change that is told once for several places, and is
/// shown as `‹service›`. [`super::fold`] sees to it that no text of a user has these (Unicode gives
/// them to nobody); a user's own `‹` and `›` are written out.
pub(crate) const PLACEHOLDER: (char, char) = ('\u{fdd0}', '\u{fdd1}');

/// User text without quotes, for names and paths: what cannot be seen is written out.
///
/// Different texts stay different: a backslash that could be taken for one of ours is doubled.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut run = 0;
    while let Some(c) = rest.next() {
        if c == '\\' {
            run += 1;
            out.push(c);
            let escapes = |next: &char| "nrtu".contains(*next) || escape(*next).is_some();
            if rest.peek().is_some_and(escapes) {
                out.push_str(&"\\".repeat(run));
            }
            continue;
        }
        run = 0;
        match escape(c) {
            Some(escape) => out.push_str(&escape),
            None => out.push(c),
        }
    }
    out
}

/// A line of a text as [`visible`], a space at its end written out.
pub fn line(text: &str) -> String {
    match text.strip_suffix(' ') {
        Some(start) => {
            let backslashes = start.len() - start.trim_end_matches('\\').len();
            let doubled = "\\".repeat(backslashes);
            format!("{}{doubled}\\u{{20}}", visible(start))
        }
        None => visible(text),
    }
}

/// The name of an element of a map, quoted where it has other characters than usual.
pub fn key(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if !name.is_empty() && name.chars().all(is_plain) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// The name or kind of an object, quoted where no object of Kubernetes is called so.
pub fn name(text: &str) -> String {
    let own = |c: char| c == PLACEHOLDER.0 || c == PLACEHOLDER.1;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c) || own(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        visible(text)
    } else {
        quoted(text)
    }
}

/// A finding in a line of a message: where, which, what.
pub fn finding(finding: &Finding) -> String {
    let told = format!("{}: {}", visible(&finding.code), visible(&finding.title));
    match &finding.at {
        Some(at) => format!("{}: {told}", visible(at)),
        None => told,
    }
}

/// A value on one line: strings quoted, lists and maps as JSON, secrets by name and version.
pub fn inline(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, usize::MAX);
    out
}

/// Whether [`inline`] has at most so many characters; of a large value only its beginning is looked at.
pub(crate) fn is_within(value: &Value, most: usize) -> bool {
    let mut out = String::new();
    // No character takes more bytes than four.
    let bytes = most.saturating_mul(4);
    write(&mut out, value, bytes);
    out.len() <= bytes && out.chars().count() <= most
}

/// Stops once there are more than `most` bytes.
fn write(out: &mut String, value: &Value, most: usize) {
    if out.len() > most {
        return;
    }
    match value {
        Value::String(text) => quote(out, text),
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                out.push_str(if n == 0 { "" } else { ", " });
                write(out, item, most);
            }
            out.push(']');
        }
        Value::Object(fields) => match secret_reference(fields) {
            Some(text) => out.push_str(&text),
            None => {
                let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
                fields.sort_by_key(|(key, _)| *key);
                out.push('{');
                for (n, (key, value)) in fields.into_iter().enumerate() {
                    out.push_str(if n == 0 { "" } else { ", " });
                    out.push_str(&self::key(key));
                    out.push_str(": ");
                    write(out, value, most);
                }
                out.push('}');
            }
        },
    }
}

/// A JSON pointer in the way people write paths: `/spec/rules/0/x.y` as `spec.rules[0][x.y]`.
pub fn words(pointer: &str) -> String {
    let Some(steps) = pointer.strip_prefix('/') else {
        return visible(pointer);
    };
    steps.split('/').fold(String::new(), |mut path, escaped| {
        let key = escaped.replace("~1", "/").replace("~0", "~");
        let is_position = !key.is_empty() && key.bytes().all(|b| b.is_ascii_digit());
        if is_position && !path.is_empty() {
            path.push_str(&format!("[{key}]"));
        } else {
            push_step(&mut path, &key);
        }
        path
    })
}

/// A field's path as people write it.
pub fn path(field: &FieldChange) -> String {
    match &field.words {
        Some(words) => visible(words),
        None => words(&field.path),
    }
}

/// `path` and one more field; a name with other characters than usual stands in brackets.
pub fn step(path: &str, key: &str) -> String {
    let mut path = path.to_owned();
    push_step(&mut path, key);
    path
}

/// As [`step`], in place.
pub(crate) fn push_step(path: &mut String, key: &str) {
    let is_plain = !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !is_plain {
        return push_in_brackets(path, key);
    }
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}

/// An element by its name or position; quoted where it could end the brackets or look like a value.
pub(crate) fn push_in_brackets(path: &mut String, key: &str) {
    let is_quiet = |c: char| c.is_ascii_graphic() && !"\"'`[]<>\\".contains(c);
    path.push('[');
    if !key.is_empty() && key.chars().all(is_quiet) {
        path.push_str(key);
    } else {
        quote(path, key);
    }
    path.push(']');
}

/// With a capital letter, as a sentence begins.
pub(crate) fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(rest).collect()
}

/// `1 field`, `2 fields`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list<T: AsRef<str>>(parts: impl IntoIterator<Item = T>) -> String {
    let parts: Vec<T> = parts.into_iter().collect();
    let mut text = String::new();
    for (at, part) in parts.iter().enumerate() {
        text.push_str(match at {
            0 => "",
            at if at + 1 == parts.len() => " and ",
            _ => ", ",
        });
        text.push_str(part.as_ref());
    }
    text
}

/// A secret's change, in words that no quoted text can be mistaken for.
pub fn secret(change: SecretChange) -> &'static str {
    match change {
        SecretChange::Added => "(secret added)",
        SecretChange::Changed => "(secret changed)",
        SecretChange::Removed => "(secret removed)",
    }
}

/// A text in quotes, on one line.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote(&mut out, text);
    out
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match escape(c) {
            Some(escape) => out.push_str(&escape),
            None => {
                if matches!(c, '"' | '\\') {
                    out.push('\\');
                }
                out.push(c);
            }
        }
    }
    out.push('"');
}

fn secret_reference(fields: &serde_json::Map<String, Value>) -> Option<String> {
    let known =
        |key: &String| matches!(key.as_str(), "secret" | "version" | "group" | "environment");
    let name = fields.get("secret")?.as_str()?;
    let version = fields.get("version")?.as_u64()?;
    let said = |key: &str, word: &str| {
        let text = fields.get(key).and_then(Value::as_str);
        text.map_or_else(String::new, |text| format!(" {word} {}", visible(text)))
    };
    fields.keys().all(known).then(|| {
        let (group, environment) = (said("group", "of"), said("environment", "in"));
        format!(
            "(secret {}{group}{environment}, version {version})",
            visible(name)
        )
    })
}

/// What is written for a character that would move the cursor, reverse the text, hide, or look like
/// a space or a letter that it is not.
fn escape(c: char) -> Option<String> {
    match c {
        '\n' => Some("\\n".to_owned()),
        '\r' => Some("\\r".to_owned()),
        '\t' => Some("\\t".to_owned()),
        ' '..='~' => None,
        c if c == PLACEHOLDER.0 => Some("‹".to_owned()),
        c if c == PLACEHOLDER.1 => Some("›".to_owned()),
        c => deceives(c).then(|| format!("\\u{{{:x}}}", u32::from(c))),
    }
}

fn deceives(c: char) -> bool {
    let is_a_noncharacter = u32::from(c) & 0xfffe == 0xfffe;
    c.is_control()
        || is_a_noncharacter
        || matches!(c, '‹' | '›')
        // Spaces of other kinds than the usual.
        || (c.is_whitespace() && c != ' ')
        || matches!(c,
            // Invisible: soft hyphen, joiners, fillers, marks of direction and order, selectors, tags.
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fdd0}'..='\u{fdef}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffc}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
            // Of private use: any picture at all.
            | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}'
            // A mark on the letter before, which would look like the one character for both.
            | '\u{0300}'..='\u{036f}' | '\u{0483}'..='\u{0489}' | '\u{1ab0}'..='\u{1aff}'
            | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{302a}'..='\u{302f}'
            | '\u{3099}' | '\u{309a}' | '\u{a66f}'..='\u{a672}' | '\u{fe20}'..='\u{fe2f}'
            // Jamo, which join to the one character for two or three of them.
            | '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97f}' | '\u{d7b0}'..='\u{d7ff}'
            // Other characters for the same letter (canonical equivalents of one character).
            | '\u{0374}' | '\u{037e}' | '\u{0387}' | '\u{1f71}' | '\u{1f73}' | '\u{1f75}'
            | '\u{1f77}' | '\u{1f79}' | '\u{1f7b}' | '\u{1f7d}' | '\u{1fbb}' | '\u{1fbe}'
            | '\u{1fc9}' | '\u{1fcb}' | '\u{1fd3}' | '\u{1fdb}' | '\u{1fe3}' | '\u{1feb}'
            | '\u{1fee}' | '\u{1fef}' | '\u{1ff9}' | '\u{1ffb}' | '\u{1ffd}' | '\u{2126}'
            | '\u{212a}' | '\u{212b}' | '\u{2329}' | '\u{232a}' | '\u{f900}'..='\u{faff}'
            | '\u{2f800}'..='\u{2fa1f}')
}

/// Whether a terminal that turns what runs to the left would turn what stands beside it too.
pub(crate) fn runs_left(text: &str) -> bool {
    text.chars().any(|c| {
        matches!(c, '\u{0590}'..='\u{08ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
            | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
    })
}
