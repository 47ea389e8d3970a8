//! The places that `starform_dsl::ide` gives, in the types of the Language Server Protocol, each way.
//!
//! Pure. Always holds: nothing is counted here. Columns are UTF-16 units unless the editor takes UTF-8.
//! Read on in `starform_dsl::ide::Encoding`.

use lsp_types::{Position, PositionEncodingKind, Range, TextDocumentContentChangeEvent};
use starform_dsl::{
    ide::{self, Change, EditorPosition},
    source::SourceFile,
    syntax::TextRange,
};

/// What a column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoding(ide::Encoding);

impl Encoding {
    /// Bytes where the editor takes them: nothing is counted then.
    pub(super) fn agreed(offered: Option<&[PositionEncodingKind]>) -> Encoding {
        Encoding(match offered {
            Some(kinds) if kinds.contains(&PositionEncodingKind::UTF8) => ide::Encoding::Utf8,
            Some(_) | None => ide::Encoding::Utf16,
        })
    }

    pub(super) fn kind(self) -> PositionEncodingKind {
        match self.0 {
            ide::Encoding::Utf8 => PositionEncodingKind::UTF8,
            ide::Encoding::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    /// What the columns of changes count.
    pub(super) fn units(self) -> ide::Encoding {
        self.0
    }

    pub(super) fn len(self, text: &str) -> u32 {
        self.0.len(text)
    }

    pub(super) fn position(self, file: &SourceFile, offset: u32) -> Position {
        of_editor(self.0.position(file, offset))
    }

    /// For places in the order of the text.
    pub(super) fn along(self, file: &SourceFile) -> ide::Along<'_> {
        self.0.along(file)
    }

    pub(super) fn range(self, file: &SourceFile, range: TextRange) -> Range {
        Range::new(
            self.position(file, range.start()),
            self.position(file, range.end()),
        )
    }

    pub(super) fn offset(self, file: &SourceFile, position: Position) -> u32 {
        self.0.offset(file, place(position))
    }

    pub(super) fn text_range(self, file: &SourceFile, range: Range) -> TextRange {
        self.0
            .text_range(file, place(range.start), place(range.end))
    }
}

pub(super) fn of_editor(position: EditorPosition) -> Position {
    Position::new(position.line, position.character)
}

pub(super) fn change(event: TextDocumentContentChangeEvent) -> Change {
    Change {
        range: event
            .range
            .map(|range| (place(range.start), place(range.end))),
        text: event.text,
    }
}

fn place(position: Position) -> EditorPosition {
    EditorPosition {
        line: position.line,
        character: position.character,
    }
}
