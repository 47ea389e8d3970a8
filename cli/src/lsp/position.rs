//! Places of the Language Server Protocol (lines and columns from 0) and byte offsets, each way.
//!
//! Pure. Always holds: an offset lies on a character's border inside the text; a place past a line's
//! end is that end, as the protocol wants. Columns are UTF-16 units unless the editor takes UTF-8.

use lsp_types::{Position, PositionEncodingKind, Range};
use starform_dsl::{source::SourceFile, syntax::TextRange};

/// What a column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16,
}

impl Encoding {
    /// Bytes where the editor takes them: nothing is counted then.
    pub(super) fn agreed(offered: Option<&[PositionEncodingKind]>) -> Encoding {
        match offered {
            Some(kinds) if kinds.contains(&PositionEncodingKind::UTF8) => Encoding::Utf8,
            Some(_) | None => Encoding::Utf16,
        }
    }

    pub(super) fn kind(self) -> PositionEncodingKind {
        match self {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
        }
    }

    pub(super) fn len(self, text: &str) -> u32 {
        let units = match self {
            Encoding::Utf8 => text.len(),
            Encoding::Utf16 => text.encode_utf16().count(),
        };
        u32::try_from(units).unwrap_or(u32::MAX)
    }

    pub(super) fn position(self, file: &SourceFile, offset: u32) -> Position {
        let end = file.text().floor_char_boundary(offset as usize);
        let line = file.position(offset).line;
        let start = file.line_range(line).as_range().start.min(end);
        Position::new(line - 1, self.len(&file.text()[start..end]))
    }

    pub(super) fn range(self, file: &SourceFile, range: TextRange) -> Range {
        Range::new(
            self.position(file, range.start()),
            self.position(file, range.end()),
        )
    }

    pub(super) fn offset(self, file: &SourceFile, position: Position) -> u32 {
        let range = file.line_range(position.line.saturating_add(1)).as_range();
        let line = file.text()[range.clone()].trim_end_matches(['\r', '\n']);
        let within = match self {
            Encoding::Utf8 => line.floor_char_boundary(position.character as usize),
            Encoding::Utf16 => bytes_of(line, position.character),
        };
        u32::try_from(range.start + within).expect("texts are far smaller than 4 GiB")
    }

    pub(super) fn text_range(self, file: &SourceFile, range: Range) -> TextRange {
        let start = self.offset(file, range.start);
        TextRange::new(start, self.offset(file, range.end).max(start))
    }
}

/// Bytes of a line before its UTF-16 unit `units`; half of a pair is its beginning.
fn bytes_of(line: &str, units: u32) -> usize {
    let mut left = units as usize;
    for (index, character) in line.char_indices() {
        if left < character.len_utf16() {
            return index;
        }
        left -= character.len_utf16();
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use starform_dsl::source::SourceTree;

    #[test]
    fn places_and_offsets_agree_in_both_encodings() {
        let text = "a ä 😀 z\r\nsecond\n\nlast";
        let sources = SourceTree::single("x.kdl", text);
        let (_, file) = sources.files().next().expect("one file");
        for encoding in [Encoding::Utf8, Encoding::Utf16] {
            for (offset, _) in text.char_indices() {
                let offset = u32::try_from(offset).expect("short");
                let place = encoding.position(file, offset);
                let line_end = matches!(text.as_bytes()[offset as usize], b'\n')
                    && offset > 0
                    && text.as_bytes()[offset as usize - 1] == b'\r';
                if !line_end {
                    assert_eq!(
                        encoding.offset(file, place),
                        offset,
                        "{encoding:?} {place:?}"
                    );
                }
            }
        }
        let after_face = Position::new(0, 6);
        assert_eq!(Encoding::Utf16.offset(file, after_face), 9);
        assert_eq!(Encoding::Utf16.offset(file, Position::new(0, 5)), 5);
        assert_eq!(Encoding::Utf8.offset(file, Position::new(0, 99)), 11);
        assert_eq!(Encoding::Utf16.offset(file, Position::new(99, 0)), 25);
    }
}
