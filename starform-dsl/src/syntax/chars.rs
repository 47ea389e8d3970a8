//! The classes of characters that KDL v2 knows (its tables of newlines, white space and disallowed code points).
//! Pure. Every length is that of a whole UTF-8 character (CR LF counts as one newline), or 0 where there is none.
//! Read on in `lex`.

/// What a character can be outside quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CharClass {
    /// May stand in a string without quotes.
    Ident,
    Space,
    Newline,
    /// May stand nowhere.
    Forbidden,
    /// One of `\ / ( ) { } ; [ ] " # =`.
    Punctuation,
}

/// The class of each ASCII character; `None` beyond ASCII.
const ASCII: [CharClass; 128] = ascii_classes();

const fn ascii_classes() -> [CharClass; 128] {
    let mut table = [CharClass::Ident; 128];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = match byte as u8 {
            b' ' | b'\t' => CharClass::Space,
            b'\n' | b'\r' | 0x0b | 0x0c => CharClass::Newline,
            0..=0x1f | 0x7f => CharClass::Forbidden,
            b'\\' | b'/' | b'(' | b')' | b'{' | b'}' | b';' | b'[' | b']' | b'"' | b'#' | b'=' => {
                CharClass::Punctuation
            }
            _ => CharClass::Ident,
        };
        byte += 1;
    }
    table
}

/// The class and the bytes of the character at `at`, which must be inside the text.
pub(super) fn class(bytes: &[u8], at: usize) -> (CharClass, usize) {
    let byte = bytes[at];
    if byte.is_ascii() {
        let length = newline_len(bytes, at).max(1);
        return (ASCII[byte as usize], length);
    }
    let length = char_len(bytes, at);
    let class = if newline_len(bytes, at) > 0 {
        CharClass::Newline
    } else if space_len(bytes, at) > 0 {
        CharClass::Space
    } else if forbidden_len(bytes, at) > 0 {
        CharClass::Forbidden
    } else {
        CharClass::Ident
    };
    (class, length)
}

/// Whether an ASCII byte may stand in a string without quotes.
pub(super) fn is_ascii_ident(byte: u8) -> bool {
    byte.is_ascii() && matches!(ASCII[byte as usize], CharClass::Ident)
}

/// CR LF, CR, LF, NEL, VT, FF, LS, PS.
pub(crate) fn newline_len(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(b'\r') => 1 + usize::from(bytes.get(at + 1) == Some(&b'\n')),
        Some(b'\n' | 0x0b | 0x0c) => 1,
        Some(0xc2) if bytes.get(at + 1) == Some(&0x85) => 2,
        Some(0xe2) if matches!(bytes.get(at + 1..at + 3), Some([0x80, 0xa8 | 0xa9])) => 3,
        Some(_) | None => 0,
    }
}

/// Unicode white space that is no newline.
pub(super) fn space_len(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(b' ' | b'\t') => 1,
        Some(0xc2) if bytes.get(at + 1) == Some(&0xa0) => 2,
        Some(0xe1) if matches!(bytes.get(at + 1..at + 3), Some([0x9a, 0x80])) => 3,
        Some(0xe2) => match bytes.get(at + 1..at + 3) {
            Some([0x80, 0x80..=0x8a | 0xaf] | [0x81, 0x9f]) => 3,
            Some(_) | None => 0,
        },
        Some(0xe3) if matches!(bytes.get(at + 1..at + 3), Some([0x80, 0x80])) => 3,
        Some(_) | None => 0,
    }
}

/// Control characters, direction controls and a byte order mark that is not the first character.
pub(super) fn forbidden_len(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(0x00..=0x08 | 0x0e..=0x1f | 0x7f) => 1,
        Some(0xe2) => match bytes.get(at + 1..at + 3) {
            Some([0x80, 0x8e | 0x8f | 0xaa..=0xae] | [0x81, 0xa6..=0xa9]) => 3,
            Some(_) | None => 0,
        },
        Some(0xef) if matches!(bytes.get(at + 1..at + 3), Some([0xbb, 0xbf])) => 3,
        Some(_) | None => 0,
    }
}

/// The bytes of the character at `at`; 0 at the end.
pub(super) fn char_len(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        None => 0,
        Some(0x00..=0x7f) => 1,
        Some(0x80..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xff) => 4,
    }
}

/// Whether a character may stand nowhere in a text. (A byte order mark may stand first.)
pub(crate) fn is_forbidden(character: char) -> bool {
    forbidden_len(character.encode_utf8(&mut [0; 4]).as_bytes(), 0) > 0
}
