//! The files of one revision, already in memory, and where a byte of them lies.
//! Pure. A `FileId` is the position of its file in path order, so equal trees give equal ids. A file is read as KDL once,
//! when that is first asked for; clones of a tree share what was read.
//! Read on in `syntax` for what becomes of a file's text.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::syntax::{self, Parse, TextRange, newline_len};

/// A file of a [`SourceTree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A byte range of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub file: FileId,
    pub range: TextRange,
}

/// A place as people count it: lines and columns from 1, columns in characters; a byte order mark is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

/// One file: its path as the repository names it, its text, and where its lines begin.
#[derive(Debug)]
pub struct SourceFile {
    path: String,
    text: Arc<str>,
    /// Of the lines that people and KDL count.
    line_starts: Vec<u32>,
    /// Of the lines that editors count.
    editor_line_starts: Vec<u32>,
    /// By the id that the file has in its tree.
    parse: OnceLock<Arc<Parse>>,
}

/// The files of one revision by path.
#[derive(Clone, Debug, Default)]
pub struct SourceTree {
    files: Vec<Arc<SourceFile>>,
}

impl Span {
    pub fn new(file: FileId, range: TextRange) -> Span {
        Span { file, range }
    }

    /// The smallest span over both; `other` must be of the same file.
    pub fn cover(self, other: Span) -> Span {
        Span {
            file: self.file,
            range: self.range.cover(other.range),
        }
    }
}

impl SourceTree {
    pub fn new(files: BTreeMap<String, Arc<str>>) -> SourceTree {
        SourceTree::default().with(files)
    }

    /// A tree of other files. Those that are as they were in this one, at the same place of it, are not read anew.
    pub fn with(&self, files: BTreeMap<String, Arc<str>>) -> SourceTree {
        let known = |at: usize, path: &str, text: &Arc<str>| {
            let file = self.files.get(at)?;
            (file.path == path && Arc::ptr_eq(&file.text, text)).then(|| Arc::clone(file))
        };
        let files = files.into_iter().enumerate();
        SourceTree {
            files: files
                .map(|(at, (path, text))| {
                    known(at, &path, &text).unwrap_or_else(|| Arc::new(SourceFile::new(path, text)))
                })
                .collect(),
        }
    }

    /// A tree of one file, whose id is `FileId(0)`.
    pub fn single(path: &str, text: &str) -> SourceTree {
        SourceTree {
            files: vec![Arc::new(SourceFile::new(path.to_owned(), Arc::from(text)))],
        }
    }

    pub fn find(&self, path: &str) -> Option<FileId> {
        let index = self
            .files
            .binary_search_by(|file| file.path.as_str().cmp(path))
            .ok()?;
        u32::try_from(index).ok().map(FileId)
    }

    /// Whether it has a file of this id.
    pub(crate) fn holds(&self, id: FileId) -> bool {
        (id.0 as usize) < self.files.len()
    }

    /// The file of an id that this tree gave out.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// All files in path order.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        (0..).map(FileId).zip(self.files.iter().map(Arc::as_ref))
    }

    /// A file as [`syntax::read`] has it.
    pub(crate) fn parse(&self, id: FileId) -> &Arc<Parse> {
        let file = self.file(id);
        file.parse
            .get_or_init(|| Arc::new(syntax::read(id, Arc::clone(&file.text))))
    }

    /// Gives a file another text; its path and id stay.
    pub fn replace(&mut self, id: FileId, text: impl Into<Arc<str>>) {
        let file = &mut self.files[id.0 as usize];
        *file = Arc::new(SourceFile::new(file.path.clone(), text.into()));
    }

    /// The same tree with every path below a folder: `apps/shop/` for people who stand above it.
    #[must_use]
    pub fn below(&self, folder: &str) -> SourceTree {
        let below = |file: &Arc<SourceFile>| {
            SourceFile::new(format!("{folder}{}", file.path), Arc::clone(&file.text))
        };
        SourceTree {
            files: self
                .files
                .iter()
                .map(|file| Arc::new(below(file)))
                .collect(),
        }
    }

    /// The text under a span.
    pub fn text(&self, span: Span) -> &str {
        &self.file(span.file).text[span.range.as_range()]
    }
}

impl SourceFile {
    fn new(path: String, text: Arc<str>) -> SourceFile {
        let line_starts = line_starts(&text);
        let editor_line_starts = editor_line_starts(&text);
        SourceFile {
            path,
            text,
            line_starts,
            editor_line_starts,
            parse: OnceLock::new(),
        }
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Where a byte offset lies; an offset past the end or inside a character is moved back.
    pub fn position(&self, offset: u32) -> Position {
        let line = self.line(offset) as usize;
        let start = self.line_starts[line - 1] as usize;
        let end = self.text.floor_char_boundary(offset as usize);
        let column = self.text[start.min(end)..end].chars().count() + 1;
        Position {
            line: as_u32(line),
            column: as_u32(column),
        }
    }

    /// The line, from 1, that an offset lies on.
    pub fn line(&self, offset: u32) -> u32 {
        line_at(&self.line_starts, offset)
    }

    pub fn line_count(&self) -> u32 {
        as_u32(self.line_starts.len())
    }

    /// The bytes of a line (from 1), its newline included; empty past the last line.
    pub fn line_range(&self, line: u32) -> TextRange {
        range_at(&self.line_starts, line, &self.text)
    }

    /// The line, from 1, that an offset lies on for an editor.
    pub fn editor_line(&self, offset: u32) -> u32 {
        line_at(&self.editor_line_starts, offset)
    }

    /// The bytes of an editor's line (from 1), its newline included; empty past the last line.
    pub fn editor_line_range(&self, line: u32) -> TextRange {
        range_at(&self.editor_line_starts, line, &self.text)
    }

    /// The bytes of a line (from 1) without its newline.
    pub fn line_content(&self, line: u32) -> TextRange {
        let range = self.line_range(line);
        let bytes = self.text.as_bytes();
        let newline = (range.start()..range.end())
            .rev()
            .take(LONGEST_NEWLINE)
            .filter(|&at| newline_len(bytes, at as usize) > 0)
            .min();
        TextRange::new(range.start(), newline.unwrap_or(range.end()))
    }
}

/// Bytes of LS and PS.
const LONGEST_NEWLINE: usize = 3;

/// Lines end at every newline of KDL. A byte order mark is no part of the first one.
fn line_starts(text: &str) -> Vec<u32> {
    let bytes = text.as_bytes();
    let mut at = text
        .strip_prefix('\u{feff}')
        .map_or(0, |rest| text.len() - rest.len());
    let mut starts = vec![as_u32(at)];
    while at < bytes.len() {
        let newline = newline_len(bytes, at);
        at += newline.max(1);
        if newline > 0 {
            starts.push(as_u32(at));
        }
    }
    starts
}

/// Lines end as the Language Server Protocol says: at LF, CR LF or a lone CR. Every character is a part of one.
fn editor_line_starts(text: &str) -> Vec<u32> {
    let bytes = text.as_bytes();
    let mut starts = vec![0];
    for (index, &byte) in bytes.iter().enumerate() {
        let ends = byte == b'\n' || (byte == b'\r' && bytes.get(index + 1) != Some(&b'\n'));
        if ends {
            starts.push(as_u32(index + 1));
        }
    }
    starts
}

fn line_at(starts: &[u32], offset: u32) -> u32 {
    let before = starts.partition_point(|&start| start <= offset);
    as_u32(before.max(1))
}

fn range_at(starts: &[u32], line: u32, text: &str) -> TextRange {
    let end_of_text = as_u32(text.len());
    let at = |line: usize| starts.get(line).copied().unwrap_or(end_of_text);
    let index = (line.max(1) - 1) as usize;
    TextRange::new(at(index), at(index + 1))
}

fn as_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
