//! What is said about each fault: title, the words under the culprit, the next step and the edit that takes it.
//! Pure. Titles name what the author wrote; edits are safe where only one meaning is possible.
//! Read on in `diag::codes` for the rule behind each.

use super::TextRange;
use super::fault::{Fault, FaultKind};
use super::string;
use crate::diag::{Code, Diagnostic, Fix};
use crate::source::{FileId, Span};

mod text;
mod tree;

pub(super) use text::is_hash_comment;

/// Where a fault lies.
struct Place<'a> {
    file: FileId,
    text: &'a str,
    range: TextRange,
}

pub(super) fn diagnostic(fault: Fault, file: FileId, text: &str) -> Diagnostic {
    let at = Place {
        file,
        text,
        range: fault.range,
    };
    match fault.kind {
        FaultKind::UnterminatedString => text::unterminated_string(&at),
        FaultKind::NewlineInString => text::newline_in_string(&at),
        FaultKind::UnterminatedLines => text::unterminated_lines(&at),
        FaultKind::UnterminatedComment => text::unterminated_comment(&at),
        FaultKind::BadEscape => text::bad_escape(&at),
        FaultKind::BadUnicodeEscape => text::bad_unicode_escape(&at),
        FaultKind::BadLines(fault) => text::bad_lines(fault, &at),
        FaultKind::Forbidden => text::forbidden(&at),
        FaultKind::V1RawString => text::v1_raw_string(&at),
        FaultKind::NeedsQuotes => text::needs_quotes(&at),
        FaultKind::Glob => text::glob(&at),
        FaultKind::BadNumber => text::bad_number(&at),
        FaultKind::NumberTooLarge => text::number_too_large(&at),
        FaultKind::BadKeyword => text::bad_keyword(&at),
        FaultKind::BareKeyword => text::bare_keyword(&at),
        FaultKind::UnexpectedCharacter => text::unexpected_character(&at),
        FaultKind::List => text::list(&at),
        FaultKind::Section => text::section(&at),
        FaultKind::Comma => text::comma(&at),
        FaultKind::Colon => text::colon(&at),
        FaultKind::ListItem => text::list_item(&at),
        FaultKind::SingleQuotes => text::single_quotes(&at),
        FaultKind::SingleQuote => text::single_quote(&at),
        FaultKind::CommentInText => text::comment_in_text(&at),
        FaultKind::MissingSpace => tree::missing_space(&at),
        FaultKind::MissingValue { name } => tree::missing_value(name, &at),
        FaultKind::AssignedNode { name } => tree::assigned_node(name, &at),
        FaultKind::UnexpectedEquals => tree::unexpected_equals(&at),
        FaultKind::BadPropertyName => tree::bad_property_name(&at),
        FaultKind::TypedPropertyName { value } => tree::typed_property_name(value, &at),
        FaultKind::BadNodeName => tree::bad_node_name(&at),
        FaultKind::BadType => tree::bad_type(&at),
        FaultKind::TypeOfNothing => tree::type_of_nothing(&at),
        FaultKind::UnclosedBlock { missing } => tree::unclosed_block(missing, &at),
        FaultKind::UnopenedBlock => tree::unopened_block(&at),
        FaultKind::SecondBlock { first } => tree::second_block(first, &at),
        FaultKind::EntryAfterBlock { block } => tree::entry_after_block(block, &at),
        FaultKind::BlockWithoutNode => tree::block_without_node(&at),
        FaultKind::MissingTerminator => tree::missing_terminator(&at),
        FaultKind::EmptySlashdash => tree::empty_slashdash(&at),
        FaultKind::EmptyNode => tree::empty_node(&at),
        FaultKind::BadContinuation => tree::bad_continuation(&at),
        FaultKind::Version1 => tree::version_1(&at),
        FaultKind::OtherFormat(format) => tree::other_format(format, &at),
        FaultKind::FileTooLarge => tree::file_too_large(&at),
        FaultKind::TooDeep => tree::too_deep(&at),
        FaultKind::TooManyNodes => tree::too_many_nodes(&at),
    }
}

impl<'a> Place<'a> {
    fn slice(&self) -> &'a str {
        self.text_of(self.range)
    }

    fn text_of(&self, range: TextRange) -> &'a str {
        &self.text[range.as_range()]
    }

    fn span(&self, range: TextRange) -> Span {
        Span {
            file: self.file,
            range,
        }
    }

    fn error(&self, code: Code, title: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, self.span(self.range), title)
    }

    /// Safe: the culprit becomes `text`.
    fn replace(&self, title: &str, text: impl Into<String>) -> Fix {
        Fix::replace(title, self.span(self.range), text)
    }

    fn insert(&self, title: &str, at: u32, text: &str) -> Fix {
        Fix::replace(title, self.span(TextRange::at(at)), text)
    }

    fn quoted(&self) -> String {
        string::quoted(self.slice())
    }

    /// Help and fix: quote the culprit.
    fn quote_it(&self, error: Diagnostic) -> Diagnostic {
        error
            .help(format!("quote it: {}", self.quoted()))
            .fix(self.replace("quote it", self.quoted()))
    }
}

/// The beginning of a text's first line, short enough for a title.
fn clip(text: &str) -> String {
    const CHARACTERS: usize = 30;
    let line = text.lines().next().unwrap_or("");
    match line.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}
