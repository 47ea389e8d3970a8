//! The part of the lexer that reads strings in quotes, of one line and of several.
//! Pure. A string of one line that never ends is the rest of its line; one of several lines is the rest of the text.
//! Read on in `string` for what a string's text stands for.

use super::chars;
use super::fault::FaultKind;
use super::lex::Lexer;
use super::string::{self, LineFault};
use super::token::TokenKind;

/// A `"""` and how many `#` follow it.
pub(super) struct Closing {
    at: usize,
    hashes: usize,
}

impl Lexer<'_> {
    pub(super) fn quoted(&mut self) {
        if self.text[self.pos..].starts_with("\"\"\"") {
            return self.multiline();
        }
        let start = self.pos;
        self.pos += 1;
        let (mut escaped, mut sound) = (false, true);
        loop {
            match self.peek(0) {
                Some(b'"') => {
                    self.pos += 1;
                    break;
                }
                Some(b'\\') => {
                    escaped = true;
                    sound &= self.escape(sound);
                }
                Some(0x20..=0x7e) => self.pos += 1,
                Some(_) if chars::newline_len(self.bytes, self.pos) == 0 => self.pos += 1,
                Some(_) | None => match prose_end(self.text, self.pos) {
                    Some(end) => return self.end_prose(start, end),
                    None => return self.end_unterminated(start),
                },
            }
        }
        let sound = !self.report_forbidden(start) && sound;
        self.push(
            string_kind(
                sound,
                if escaped {
                    TokenKind::QuotedEscaped
                } else {
                    TokenKind::Quoted
                },
            ),
            start,
        );
    }

    /// Takes an escape; reports an unknown one if it shall. Tells whether it is known.
    fn escape(&mut self, report: bool) -> bool {
        let rest = &self.text[self.pos..];
        let (meaning, length) = string::escape_meaning(rest);
        let known = meaning.is_some() || string::white_space_len(&rest[1..]) > 0;
        if !known && report {
            let kind = if rest.starts_with("\\u") {
                FaultKind::BadUnicodeEscape
            } else {
                FaultKind::BadEscape
            };
            self.fault(kind, self.pos, self.pos + length);
        }
        self.pos += length;
        known
    }

    /// From `"""` to the next `"""`.
    fn multiline(&mut self) {
        let start = self.pos;
        self.pos += 3;
        let mut sound = true;
        while !self.bytes[self.pos..].starts_with(b"\"\"\"") {
            match self.peek(0) {
                Some(b'\\') => sound &= self.escape(sound),
                Some(byte) if byte.is_ascii() => self.pos += 1,
                Some(_) => self.pos += chars::char_len(self.bytes, self.pos),
                None => return self.end_text(start, start + 3),
            }
        }
        self.pos += 3;
        let body = start + 3..self.pos - 3;
        let sound = !self.report_forbidden(start) && sound;
        let sound = sound
            && !self.report_lines(
                start,
                body.start,
                string::line_fault(&self.text[body], true),
            );
        self.push(string_kind(sound, TokenKind::Multiline), start);
    }

    /// A raw string that begins here with so many `#` and a quote.
    pub(super) fn raw(&mut self, hashes: usize) {
        let start = self.pos;
        let open = start + hashes;
        if self.text[open..].starts_with("\"\"\"") {
            return self.raw_multiline(hashes);
        }
        self.pos = open + 1;
        while self.pos < self.bytes.len() && chars::newline_len(self.bytes, self.pos) == 0 {
            self.pos += 1;
            if self.bytes[self.pos - 1] == b'"' && self.closes(self.pos, hashes) {
                self.pos += hashes;
                let sound = !self.report_forbidden(start);
                return self.push(string_kind(sound, TokenKind::Raw), start);
            }
        }
        match raw_end(self.text, self.pos, hashes) {
            Some(end) => self.end_prose(start, end),
            None => self.end_unterminated(start),
        }
    }

    fn raw_multiline(&mut self, hashes: usize) {
        let start = self.pos;
        let open = start + hashes + 3;
        if !self.is_closed_later(open, hashes) {
            return self.raw_single_of_three(start, open, hashes);
        }
        self.pos = open;
        while !(self.bytes[self.pos..].starts_with(b"\"\"\"") && self.closes(self.pos + 3, hashes))
        {
            self.pos += 1;
        }
        let body = open..self.pos;
        self.pos += 3 + hashes;
        let sound = !self.report_forbidden(start);
        let sound =
            sound && !self.report_lines(start, open, string::line_fault(&self.text[body], false));
        self.push(string_kind(sound, TokenKind::RawMultiline), start);
    }

    /// Whether `"""` and so many `#` stand anywhere from a place on. The text is searched once for all that ask.
    fn is_closed_later(&mut self, from: usize, hashes: usize) -> bool {
        let bytes = self.bytes;
        let last = self.last_closings.get_or_insert_with(|| closings(bytes));
        let enough = last.partition_point(|closing| closing.hashes < hashes);
        last.get(enough).is_some_and(|closing| closing.at >= from)
    }

    /// `#"""…` that nothing closes: if a quote on its line could close `#"`, it was meant to be of one line.
    fn raw_single_of_three(&mut self, start: usize, open: usize, hashes: usize) {
        let quote = (open - 2..self.bytes.len())
            .take_while(|&at| chars::newline_len(self.bytes, at) == 0)
            .find(|&at| self.bytes[at] == b'"' && self.closes(at + 1, hashes));
        let Some(quote) = quote else {
            return self.end_text(start, open);
        };
        self.pos = quote + 1 + hashes;
        self.fault(
            FaultKind::BadLines(LineFault::TextAfterOpening),
            start,
            self.pos,
        );
        self.push(TokenKind::Invalid, start);
    }

    /// `r"…"` and `r#"…"#` of KDL v1; the `r` is behind.
    pub(super) fn v1_raw(&mut self, start: usize) {
        let hashes = self.bytes[self.pos..]
            .iter()
            .take_while(|&&byte| byte == b'#')
            .count();
        self.pos += hashes;
        if self.peek(0) != Some(b'"') {
            self.fault(FaultKind::NeedsQuotes, start, self.pos);
            return self.push(TokenKind::Invalid, start);
        }
        self.pos += 1;
        while self.pos < self.bytes.len() {
            self.pos += 1;
            if self.bytes[self.pos - 1] == b'"' && self.closes(self.pos, hashes) {
                self.pos += hashes;
                self.fault(FaultKind::V1RawString, start, self.pos);
                return self.push(TokenKind::Invalid, start);
            }
        }
        self.end_text(start, start + hashes + 2);
    }

    fn closes(&self, at: usize, hashes: usize) -> bool {
        self.bytes.len() >= at + hashes
            && self.bytes[at..at + hashes].iter().all(|&byte| byte == b'#')
    }

    /// Ends a string of one line that has no closing quote. A brace or `;` at the end of the line stays outside.
    fn end_unterminated(&mut self, start: usize) {
        let line = &self.text[start..self.pos];
        let rest =
            line.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '{' | '}' | ';'));
        self.pos = start + rest.len().max(1);
        self.fault(FaultKind::UnterminatedString, start, self.pos);
        self.push(TokenKind::Invalid, start);
    }

    /// Ends a string of one line that goes on over further lines up to its closing quote.
    fn end_prose(&mut self, start: usize, end: usize) {
        self.pos = end;
        if !self.report_forbidden(start) {
            self.fault(FaultKind::NewlineInString, start, end);
        }
        self.push(TokenKind::Invalid, start);
    }

    /// Ends the text at a string of several lines that has no closing quotes; reports its opening ones.
    fn end_text(&mut self, start: usize, open_end: usize) {
        self.pos = self.bytes.len();
        self.cut = true;
        self.fault(FaultKind::UnterminatedLines, start, open_end);
        self.push(TokenKind::Invalid, start);
    }

    fn report_lines(&mut self, start: usize, body: usize, fault: Option<LineFault>) -> bool {
        let Some(fault) = fault else { return false };
        let from = match fault {
            LineFault::TextAfterOpening => start,
            LineFault::TextBeforeClosing { line } | LineFault::Prefix { line } => body + line,
        };
        let to = (from..self.pos)
            .find(|&at| chars::newline_len(self.bytes, at) > 0)
            .unwrap_or(self.pos);
        self.fault(FaultKind::BadLines(fault), from, to);
        true
    }
}

/// So many lines may follow the first one of a string that was meant to go on. Empty ones do not count: how many there
/// are is style.
const PROSE_LINES: usize = 20;

/// The end of the text that goes on at the end of a line: behind the next quote, if that one closes and what stands
/// before it looks like prose. Looks no further than that quote, so all searches of a text read it once.
fn prose_end(text: &str, line_end: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut line, mut lines) = (line_end, line_end, 0);
    while *bytes.get(at)? != b'"' {
        match chars::newline_len(bytes, at) {
            0 => at += 1,
            _ if lines == PROSE_LINES => return None,
            newline => {
                lines += usize::from(!text[line..at].trim().is_empty());
                at += newline;
                line = at;
            }
        }
    }
    let (between, after) = (&text[line_end..at], &text[at + 1..]);
    let alone = text[line..at].trim().is_empty();
    let ends_word = !between.ends_with(|c: char| c.is_whitespace() || "=()#\\".contains(c));
    let at_end = after.is_empty() || chars::newline_len(bytes, at + 1) > 0;
    let parted = at_end || after.starts_with([' ', '\t', ';', '}']);
    let closes = if alone { at_end } else { ends_word && parted };
    let is_prose = !between.contains(['{', '}', ';', '=', '\\']) && !between.contains("//");
    (closes && is_prose).then_some(at + 1)
}

/// The end of the raw string of so many `#` that goes on at the end of a line: behind what closes it, where no other raw
/// string begins before that. Looks no further than the next one, so all searches of a text read it once.
fn raw_end(text: &str, line_end: usize, hashes: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let closing = vec![b'#'; hashes];
    let (mut at, mut line, mut lines) = (line_end, line_end, 0);
    while at < bytes.len() {
        match (bytes[at], chars::newline_len(bytes, at)) {
            (b'"', _) if bytes[at - 1] == b'#' => return None,
            (b'"', _) if bytes[at + 1..].starts_with(&closing) => return Some(at + 1 + hashes),
            (_, 0) => at += 1,
            _ if lines == PROSE_LINES => return None,
            (_, newline) => {
                lines += usize::from(!text[line..at].trim().is_empty());
                at += newline;
                line = at;
            }
        }
    }
    None
}

/// Every `"""` that has more `#` than all that come later, the last first.
fn closings(bytes: &[u8]) -> Vec<Closing> {
    let mut closings: Vec<Closing> = Vec::new();
    let mut hashes = 0;
    for at in (0..bytes.len()).rev() {
        if bytes[at] == b'#' {
            hashes += 1;
            continue;
        }
        let quotes = bytes[..=at].ends_with(b"\"\"\"");
        if quotes && closings.last().is_none_or(|last| last.hashes < hashes) {
            closings.push(Closing { at: at - 2, hashes });
        }
        hashes = 0;
    }
    closings
}

fn string_kind(sound: bool, kind: TokenKind) -> TokenKind {
    if sound { kind } else { TokenKind::Invalid }
}
