//! A text that an editor has open, and its changes as the editor sends them.
//! Pure. Lines and columns count from 0; a place past its line's end is that end, one past the text is the text's end;
//! an offset lies on a character's border.
//! Read on in `super::Analysis` for what is asked about a text.

use std::sync::Arc;

use crate::source::{FileId, SourceFile, SourceTree};
use crate::syntax::TextRange;

/// What a column counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Utf16,
}

/// A place as the Language Server Protocol has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct EditorPosition {
    pub line: u32,
    /// In units of the [`Encoding`].
    pub character: u32,
}

/// Places of one text, each counted on from the one before where it lies further on in the same line. There may be
/// a hundred thousand on one line.
#[derive(Debug)]
pub struct Along<'f> {
    encoding: Encoding,
    file: &'f SourceFile,
    offset: usize,
    place: EditorPosition,
}

/// What stands between two places becomes `text`; without places the whole text does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub range: Option<(EditorPosition, EditorPosition)>,
    pub text: String,
}

/// An open text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    text: Arc<str>,
    version: i32,
}

impl Document {
    pub fn new(text: impl Into<Arc<str>>, version: i32) -> Document {
        Document {
            text: text.into(),
            version,
        }
    }

    /// Applies changes in their order: the places of each are those after the one before.
    pub fn change(
        &mut self,
        version: i32,
        changes: impl IntoIterator<Item = Change>,
        encoding: Encoding,
    ) {
        self.version = version;
        for Change { range, text } in changes {
            self.text = match range {
                None => Arc::from(text),
                Some((start, end)) => {
                    let sources = SourceTree::single("", &self.text);
                    let range = encoding.text_range(sources.file(FileId(0)), start, end);
                    let mut changed = self.text.to_string();
                    changed.replace_range(range.as_range(), &text);
                    Arc::from(changed)
                }
            };
        }
    }

    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    pub fn version(&self) -> i32 {
        self.version
    }
}

impl Encoding {
    /// The units of a text.
    pub fn len(self, text: &str) -> u32 {
        let units = match self {
            Encoding::Utf8 => text.len(),
            Encoding::Utf16 => text.encode_utf16().count(),
        };
        u32::try_from(units).unwrap_or(u32::MAX)
    }

    pub fn position(self, file: &SourceFile, offset: u32) -> EditorPosition {
        let end = file.text().floor_char_boundary(offset as usize);
        let line = file.editor_line(offset);
        let start = file.editor_line_range(line).as_range().start.min(end);
        EditorPosition {
            line: line - 1,
            character: self.len(&file.text()[start..end]),
        }
    }

    pub fn along(self, file: &SourceFile) -> Along<'_> {
        Along {
            encoding: self,
            file,
            offset: 0,
            place: EditorPosition::default(),
        }
    }

    pub fn offset(self, file: &SourceFile, position: EditorPosition) -> u32 {
        let range = file
            .editor_line_range(position.line.saturating_add(1))
            .as_range();
        let line = file.text()[range.clone()].trim_end_matches(['\r', '\n']);
        let within = match self {
            Encoding::Utf8 => line.floor_char_boundary(position.character as usize),
            Encoding::Utf16 => bytes_of(line, position.character),
        };
        u32::try_from(range.start + within).expect("texts are far smaller than 4 GiB")
    }

    /// Of two places in the wrong order, the first one alone.
    pub fn text_range(
        self,
        file: &SourceFile,
        start: EditorPosition,
        end: EditorPosition,
    ) -> TextRange {
        let start = self.offset(file, start);
        TextRange::new(start, self.offset(file, end).max(start))
    }
}

impl Along<'_> {
    pub fn position(&mut self, offset: u32) -> EditorPosition {
        let text = self.file.text();
        let end = text.floor_char_boundary(offset as usize);
        match text.get(self.offset..end) {
            Some(between) if !between.contains(['\n', '\r']) => {
                self.place.character += self.encoding.len(between);
            }
            Some(_) | None => self.place = self.encoding.position(self.file, offset),
        }
        self.offset = end;
        self.place
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
