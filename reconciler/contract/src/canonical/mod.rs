//! JSON in its canonical form (RFC 8785), written in one pass.
//!
//! Pure. Always holds: the bytes are those of the crate `serde_json_canonicalizer`, which the tests compare. That
//! crate keeps every entry of every map in buffers of its own, at a tenth of the speed, and the digests of bundles are
//! most of the work of a plan. Used through [`crate::digest`].
//!
//! The text is written as it comes; a map whose names turn out not to be in order is put in order when it closes. The
//! maps of a manifest are sorted already and cost nothing more. Manifests themselves go through [`value`].

pub(crate) mod value;

use std::{cmp::Ordering, io};

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};

use crate::numbers::LARGEST_INTEGER;

/// The canonical bytes of `value`.
///
/// # Errors
/// A map's name is no string or stands twice, a number is not finite, or the value's own serialisation fails.
pub(crate) fn to_vec<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut text = Text::default();
    // The text is the formatter's: it reaches back into it, which it could not do with a writer's.
    let mut serializer = Serializer::with_formatter(io::sink(), Canonical(&mut text));
    value.serialize(&mut serializer)?;
    Ok(text.out)
}

#[derive(Default)]
struct Text {
    out: Vec<u8>,
    /// Of the maps that are open, the outermost first.
    entries: Vec<Entry>,
    /// Where each open map's entries begin in `entries`.
    maps: Vec<usize>,
}

/// One name with its value.
struct Entry {
    /// From the quote that opens the name.
    start: usize,
    /// After the quote that closes it.
    name_end: usize,
    /// After the value.
    end: usize,
}

struct Canonical<'a>(&'a mut Text);

impl Text {
    /// The innermost map closes: its names in the order of their UTF-16 units (RFC 8785, 3.2.3).
    fn sort_map(&mut self) -> io::Result<()> {
        let first = self.maps.pop().expect("a map that closes was opened");
        let entries = self.entries.split_off(first);
        let name = |entry: &Entry| &self.out[entry.start..entry.name_end];
        let order = |a: &Entry, b: &Entry| compare(name(a), name(b));
        if entries.is_sorted_by(|a, b| order(a, b).is_lt()) {
            return Ok(());
        }
        let mut sorted: Vec<&Entry> = entries.iter().collect();
        sorted.sort_by(|a, b| order(a, b));
        if sorted
            .windows(2)
            .any(|pair| order(pair[0], pair[1]).is_eq())
        {
            return Err(io::Error::other("a map has a name twice"));
        }
        let from = entries[0].start;
        let mut text = Vec::with_capacity(self.out.len() - from);
        for entry in sorted {
            if !text.is_empty() {
                text.push(b',');
            }
            text.extend_from_slice(&self.out[entry.start..entry.end]);
        }
        self.out.truncate(from);
        self.out.append(&mut text);
        Ok(())
    }

    fn entry(&mut self) -> &mut Entry {
        self.entries.last_mut().expect("a name was begun")
    }
}

/// Two names as they are written, quotes and escapes included.
fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let is_plain = |name: &[u8]| name.iter().all(|&byte| byte.is_ascii() && byte != b'\\');
    if is_plain(a) && is_plain(b) {
        // The quote at the end would stand after ` ` and `!`.
        return inside(a).cmp(inside(b));
    }
    units(a).cmp(&units(b))
}

fn inside(name: &[u8]) -> &[u8] {
    &name[1..name.len() - 1]
}

fn units(name: &[u8]) -> Vec<u16> {
    let name: String = serde_json::from_slice(name).expect("it was written as a string");
    name.encode_utf16().collect()
}

macro_rules! written_as_always {
    ($($write:ident($($value:ident: $type:ty)?);)*) => {$(
        fn $write<W: ?Sized + io::Write>(&mut self, _: &mut W $(, $value: $type)?) -> io::Result<()> {
            CompactFormatter.$write(&mut self.0.out $(, $value)?)
        }
    )*};
}

macro_rules! numbers {
    ($($write:ident: $type:ty,)*) => {$(
        fn $write<W: ?Sized + io::Write>(&mut self, to: &mut W, value: $type) -> io::Result<()> {
            let double = value as f64;
            if double.abs() <= LARGEST_INTEGER as f64 {
                CompactFormatter.$write(&mut self.0.out, value)
            } else {
                self.write_f64(to, double)
            }
        }
    )*};
}

impl Formatter for Canonical<'_> {
    written_as_always! {
        write_null();
        write_bool(value: bool);
        begin_string();
        end_string();
        write_string_fragment(fragment: &str);
        write_char_escape(escape: CharEscape);
        begin_array();
        end_array();
        begin_array_value(is_first: bool);
    }

    numbers! {
        write_i8: i8,
        write_i16: i16,
        write_i32: i32,
        write_i64: i64,
        write_i128: i128,
        write_u8: u8,
        write_u16: u16,
        write_u32: u32,
        write_u64: u64,
        write_u128: u128,
    }

    fn write_f32<W: ?Sized + io::Write>(&mut self, to: &mut W, value: f32) -> io::Result<()> {
        self.write_f64(to, value.into())
    }

    /// As ECMAScript does (RFC 8785, 3.2.2.3).
    fn write_f64<W: ?Sized + io::Write>(&mut self, _: &mut W, value: f64) -> io::Result<()> {
        if !value.is_finite() {
            return Err(io::Error::other("a number that is not finite"));
        }
        let mut digits = ryu_js::Buffer::new();
        let digits = digits.format_finite(value);
        self.0.out.extend_from_slice(digits.as_bytes());
        Ok(())
    }

    fn write_number_str<W: ?Sized + io::Write>(
        &mut self,
        to: &mut W,
        value: &str,
    ) -> io::Result<()> {
        let value = value.parse().map_err(io::Error::other)?;
        self.write_f64(to, value)
    }

    fn write_raw_fragment<W: ?Sized + io::Write>(&mut self, _: &mut W, _: &str) -> io::Result<()> {
        Err(io::Error::other(
            "text of which nobody knows that it is canonical",
        ))
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.0.maps.push(self.0.entries.len());
        self.0.out.push(b'{');
        Ok(())
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        _: &mut W,
        is_first: bool,
    ) -> io::Result<()> {
        if !is_first {
            self.0.out.push(b',');
        }
        let start = self.0.out.len();
        self.0.entries.push(Entry {
            start,
            name_end: start,
            end: start,
        });
        Ok(())
    }

    fn end_object_key<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.0.entry().name_end = self.0.out.len();
        Ok(())
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.0.out.push(b':');
        Ok(())
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.0.entry().end = self.0.out.len();
        Ok(())
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.0.sort_map()?;
        self.0.out.push(b'}');
        Ok(())
    }
}
