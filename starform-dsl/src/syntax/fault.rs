//! Mistakes of a text as the lexer and the parser note them.
//! Pure. A fault is a few bytes; only those that are kept become diagnostics with words.
//! Read on in `say` for the words.

use super::TextRange;
use super::format::Format;
use super::string::LineFault;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    /// The culprit.
    pub(super) range: TextRange,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    UnterminatedString,
    /// `"…"` that goes on over the end of its line.
    NewlineInString,
    UnterminatedLines,
    UnterminatedComment,
    NeedsQuotes,
    /// `services/*.kdl`, where `/*` begins a comment.
    Glob,
    BadNumber,
    NumberTooLarge,
    BadKeyword,
    BareKeyword,
    BadEscape,
    BadUnicodeEscape,
    BadLines(LineFault),
    Forbidden,
    UnexpectedCharacter,
    V1RawString,
    List,
    /// `[name]` alone on a line.
    Section,
    Comma,
    Colon,
    /// `- item` of YAML.
    ListItem,
    /// `'some words'`
    SingleQuotes,
    /// `'` that nothing closes.
    SingleQuote,
    /// `https://…`, where `//` begins a comment.
    CommentInText,
    MissingSpace,
    /// `name=` with nothing after it, with the name.
    MissingValue {
        name: TextRange,
    },
    /// `name = value` of a node, with the node's name.
    AssignedNode {
        name: TextRange,
    },
    UnexpectedEquals,
    BadPropertyName,
    /// `(t)name=value`, with the place where the type belongs.
    TypedPropertyName {
        value: u32,
    },
    BadNodeName,
    BadType,
    /// `(t)` and no value or name after it.
    TypeOfNothing,
    /// So many `}` are missing.
    UnclosedBlock {
        missing: u32,
    },
    UnopenedBlock,
    MissingTerminator,
    SecondBlock {
        first: TextRange,
    },
    EntryAfterBlock {
        block: TextRange,
    },
    BlockWithoutNode,
    EmptySlashdash,
    EmptyNode,
    BadContinuation,
    Version1,
    /// The file is no KDL at all.
    OtherFormat(Format),
    FileTooLarge,
    TooDeep,
    TooManyNodes,
}
