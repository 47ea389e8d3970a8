//! The part of the parser that reads type annotations, arguments and properties.
//! Pure. Every call takes at least one token; a mistake is reported unless something on its line has been.
//! Read on in `parse` for what stands around them.

use super::cst::{EntryData, NONE};
use super::fault::FaultKind;
use super::parse::{Head, Parser};
use super::token::TokenKind;

impl Parser<'_> {
    /// One argument or property at the current token, or what stands in its place.
    pub(super) fn read_entry(&mut self, head: &mut Head, spaced: bool, left_out: bool) {
        let first = self.pos();
        match self.kind() {
            Some(TokenKind::Equals) => return self.stray_equals(head),
            Some(kind) if kind.is_value() || kind == TokenKind::ParenOpen => {}
            Some(_) | None => {
                self.advance();
                if !head.quiet {
                    self.fault(FaultKind::UnexpectedCharacter, first);
                    head.quiet = true;
                }
                return;
            }
        }
        if !spaced && !head.quiet && self.touching(head, first) {
            return;
        }
        let ty = self.annotation(head.quiet);
        head.quiet |= ty == Some(NONE);
        let typed = self.between(first, self.pos());
        if ty.is_some() {
            self.node_space();
        }
        let entry = EntryData {
            first,
            name: NONE,
            ty: ty.unwrap_or(NONE),
            value: NONE,
            end: NONE,
            skipped: left_out,
        };
        let Some(kind) = self.kind().filter(|kind| kind.is_value()) else {
            if ty.is_some_and(|ty| ty != NONE) {
                if !head.quiet {
                    self.fault_at(FaultKind::TypeOfNothing, typed);
                }
                self.push_entry(entry);
                // That what follows touches it, or seems to, is no second mistake.
                head.separator = self.pos() - 1;
            }
            return;
        };
        let value = self.advance();
        let after = self.pos();
        self.node_space();
        if self.kind() == Some(TokenKind::Equals) {
            self.property(
                head,
                EntryData {
                    name: value,
                    ..entry
                },
                kind,
            );
        } else {
            self.back_to(after);
            self.push_entry(EntryData { value, ..entry });
        }
    }

    /// `(name)`: tells which token is the name; nothing if there is no `(`.
    /// What is no annotation is stepped over up to its `)`, if that is on this line.
    pub(super) fn annotation(&mut self, quiet: bool) -> Option<u32> {
        if self.kind() != Some(TokenKind::ParenOpen) {
            return None;
        }
        let open = self.advance();
        self.node_space();
        let name = self.pos();
        let reported = self.kind() == Some(TokenKind::Invalid);
        if self.kind().is_some_and(TokenKind::is_string) || reported {
            self.advance();
            self.node_space();
            if self.kind() == Some(TokenKind::ParenClose) {
                self.advance();
                return Some(name);
            }
        }
        if !reported && !quiet {
            self.fault(FaultKind::BadType, open);
        }
        self.leave_annotation();
        Some(NONE)
    }

    fn leave_annotation(&mut self) {
        let start = self.pos();
        while let Some(kind) = self.kind().filter(|&kind| !ends_annotation(kind)) {
            self.advance();
            if kind == TokenKind::ParenClose {
                return;
            }
        }
        self.back_to(start);
    }

    fn property(&mut self, head: &mut Head, entry: EntryData, name_kind: TokenKind) {
        let equals = self.advance();
        let typed = entry.ty;
        if !name_kind.is_string() && name_kind != TokenKind::Invalid && !head.quiet {
            self.fault(FaultKind::BadPropertyName, entry.name);
        }
        if self.node_space() && self.names_the_next_property() {
            self.missing_value(head, &entry, equals);
            self.back_to(equals + 1);
            return self.push_entry(entry);
        }
        if self.kind() == Some(TokenKind::Equals) {
            let second = self.advance();
            if !head.quiet {
                self.fault(FaultKind::UnexpectedCharacter, second);
            }
            self.node_space();
        }
        let value_start = self.range(self.pos()).start();
        if entry.first != entry.name && !head.quiet {
            let ty = self.between(entry.first, entry.name);
            self.fault_at(FaultKind::TypedPropertyName { value: value_start }, ty);
        }
        let ty = self.annotation(head.quiet);
        if ty.is_some() {
            self.node_space();
        }
        let entry = EntryData {
            ty: ty.unwrap_or(typed),
            ..entry
        };
        if self.kind().is_some_and(TokenKind::is_value) {
            let value = self.advance();
            return self.push_entry(EntryData { value, ..entry });
        }
        self.missing_value(head, &entry, equals);
        self.push_entry(entry);
    }

    fn missing_value(&mut self, head: &Head, entry: &EntryData, equals: u32) {
        if !head.quiet {
            let name = self.range(entry.name);
            let range = name.cover(self.range(equals));
            self.fault_at(FaultKind::MissingValue { name }, range);
        }
    }

    /// In `a= b=1` the `b` is no value.
    fn names_the_next_property(&self) -> bool {
        let is_string = self.kind().is_some_and(TokenKind::is_string);
        is_string && self.kind_of(self.pos() + 1) == Some(TokenKind::Equals)
    }

    /// `=` where an entry may begin.
    fn stray_equals(&mut self, head: &mut Head) {
        let equals = self.advance();
        if head.quiet {
            return;
        }
        if self.is_first_after_name(*head) {
            let name = self.name_range(*head);
            self.fault(FaultKind::AssignedNode { name }, equals);
        } else {
            self.fault(FaultKind::UnexpectedEquals, equals);
        }
        head.quiet = true;
    }

    /// Reports an entry that touches what stands before it. Tells whether it was foreign punctuation and is taken.
    fn touching(&mut self, head: &mut Head, token: u32) -> bool {
        let before = self.kind_of(token - 1);
        let silent = [before, self.kind_of(token)].contains(&Some(TokenKind::Invalid));
        let foreign = match self.text_of(token).as_bytes() {
            [b',', ..] => Some(FaultKind::Comma),
            [b':', ..] => Some(FaultKind::Colon),
            _ => None,
        };
        match (silent, foreign) {
            (true, _) => false,
            (false, Some(kind)) => {
                self.fault(kind, token);
                head.separator = self.advance();
                true
            }
            (false, None) => {
                if head.separator != token - 1 {
                    self.fault(FaultKind::MissingSpace, token);
                }
                false
            }
        }
    }

    fn push_entry(&mut self, entry: EntryData) {
        let end = self.pos();
        self.entries.push(EntryData { end, ..entry });
    }
}

/// Where the search for a `)` ends; also at a further `(`, so that no token is looked at twice.
fn ends_annotation(kind: TokenKind) -> bool {
    use TokenKind::{BraceClose, BraceOpen, LineComment, Newline, ParenOpen, Semicolon};
    matches!(
        kind,
        ParenOpen | Newline | LineComment | Semicolon | BraceOpen | BraceClose
    )
}
