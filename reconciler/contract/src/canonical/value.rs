//! The canonical form of a JSON value, written without the detour over a serialiser.
//!
//! Pure. Always holds: the bytes are those of [`super::to_vec`], which the tests compare. Manifests are nearly all of
//! what is ever hashed, and their maps are in order already.

use std::{cmp::Ordering, io::Write as _};

use serde::Serialize;
use serde_json::{Map, Number, Value};

/// Appends the canonical bytes of `value`.
pub(crate) fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => list(items, out, write),
        Value::Object(fields) => write_map(fields, out),
    }
}

/// Appends `[…]`, each item as `item` writes it.
pub(crate) fn list<T>(items: &[T], out: &mut Vec<u8>, item: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (position, one) in items.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        item(one, out);
    }
    out.push(b']');
}

/// Appends a string, escaped as RFC 8785, 3.2.2.2 says.
pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) {
    // The quotes too: most of what is written is short, and asking for room is a good part of it.
    out.reserve(text.len() + 2);
    out.push(b'"');
    if has(text.as_bytes(), escaped_in) {
        write_escaped(text.as_bytes(), out);
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
}

/// One document's map, field by field in the order of their names.
pub(crate) struct Fields<'a> {
    out: &'a mut Vec<u8>,
    last: &'static str,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, last: "" }
    }

    /// Where the value of `name` is to be written.
    pub(crate) fn field(&mut self, name: &'static str) -> &mut Vec<u8> {
        debug_assert!(self.last < name, "{name} stands before {}", self.last);
        if !self.last.is_empty() {
            self.out.push(b',');
        }
        self.last = name;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    pub(crate) fn text(&mut self, name: &'static str, text: &str) {
        write_text(text, self.field(name));
    }

    /// Anything small.
    ///
    /// # Panics
    /// Where it does not serialise, which no contract type does.
    pub(crate) fn any<T: Serialize>(&mut self, name: &'static str, value: &T) {
        let bytes = super::to_vec(value).expect("contract types always serialise");
        self.field(name).extend_from_slice(&bytes);
    }

    pub(crate) fn end(self) {
        self.out.push(b'}');
    }
}

/// Whether `of` finds anything in the bytes, looked at eight at a time: most texts are a few words long, too short for
/// what a compiler makes of a plain loop.
fn has(bytes: &[u8], of: impl Fn(u64) -> u64) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    let found = words
        .iter()
        .fold(0, |found, word| found | of(u64::from_le_bytes(*word)));
    // The last eight again, or what there is, behind what nothing is looked for.
    let last = bytes.last_chunk::<8>().map_or_else(
        || {
            let filler = u64::from_le_bytes([b'x'; 8]);
            let next = |word: u64, byte: &u8| word << 8 | u64::from(*byte);
            rest.iter().fold(filler, next)
        },
        |last| u64::from_le_bytes(*last),
    );
    found | of(last) != 0
}

const ONES: u64 = u64::from_le_bytes([1; 8]);
const HIGHS: u64 = ONES << 7;

/// Not zero where one of the eight bytes stands escaped in a string: below ` `, `"` or `\`. What is said of each byte
/// says nothing of which one it is: a borrow may mark the next ones too.
fn escaped_in(word: u64) -> u64 {
    let below = |limit: u8, word: u64| word.wrapping_sub(ONES * u64::from(limit)) & !word & HIGHS;
    let is = |byte: u8| below(1, word ^ (ONES * u64::from(byte)));
    below(b' ', word) | is(b'"') | is(b'\\')
}

/// Not zero where one of the eight bytes is no ASCII.
fn beyond_ascii_in(word: u64) -> u64 {
    word & HIGHS
}

fn write_escaped(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            0x00..0x20 => write!(out, "\\u{byte:04x}").expect("writing to memory cannot fail"),
            _ => out.push(byte),
        }
    }
}

fn write_number(number: &Number, out: &mut Vec<u8>) {
    /// Up to here an integer is what is written (RFC 8785, 3.2.2.3): 2^53 − 1.
    const LARGEST: u64 = (1 << 53) - 1;
    let is_exact = |whole: &i64| whole.unsigned_abs() <= LARGEST;
    match number.as_i64().filter(is_exact) {
        Some(whole) => write!(out, "{whole}").expect("writing to memory cannot fail"),
        None => {
            let double = number.as_f64().expect("a JSON number is a double at least");
            let mut digits = ryu_js::Buffer::new();
            out.extend_from_slice(digits.format_finite(double).as_bytes());
        }
    }
}

fn write_map(fields: &Map<String, Value>, out: &mut Vec<u8>) {
    if are_in_order(fields) {
        write_fields(fields.iter(), out);
    } else {
        let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
        sorted.sort_by(|a, b| compare(a.0, b.0));
        write_fields(sorted.into_iter(), out);
    }
}

/// Whether the names are as they are written; known at once as long as they are ASCII.
fn are_in_order(fields: &Map<String, Value>) -> bool {
    let mut last: Option<&str> = None;
    fields.keys().all(|name| {
        let follows = last.is_none_or(|last| last < name.as_str());
        last = Some(name);
        follows && !has(name.as_bytes(), beyond_ascii_in)
    })
}

fn write_fields<'a>(fields: impl Iterator<Item = (&'a String, &'a Value)>, out: &mut Vec<u8>) {
    out.push(b'{');
    for (position, (name, value)) in fields.enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write_text(name, out);
        out.push(b':');
        write(value, out);
    }
    out.push(b'}');
}

/// By UTF-16 units (RFC 8785, 3.2.3), which is the order of bytes as long as a name is ASCII.
fn compare(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}
