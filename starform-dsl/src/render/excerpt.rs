//! The lines around the labels of a diagnostic, each cut to the columns that a terminal has for it.
//! Pure. Cuts a text that is already covered, so nothing hidden comes back; every label keeps its characters and its place.
//! Read on in `human`, which has them printed.

use std::collections::BTreeSet;
use std::ops::Range;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::source::SourceFile;

/// A part of a line that is underlined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Bytes of the file, on one line.
    pub(super) range: Range<usize>,
    /// Columns of what is said under it.
    pub(super) said: usize,
}

/// Lines of a file, in a text of their own.
pub(super) struct Excerpt {
    text: String,
    lines: Vec<Line>,
}

struct Line {
    number: u32,
    /// Bytes of the excerpt, newline included.
    range: Range<usize>,
    pieces: Vec<Piece>,
}

/// What is shown of a line without a gap.
struct Piece {
    /// Where it begins in the excerpt.
    at: usize,
    /// Bytes of the file.
    of: Range<usize>,
}

/// Stands where a line goes on.
const CUT: char = '…';

/// Columns from one tab stop to the next.
const TAB: usize = 4;

/// Columns between the edge and a line, besides those of its number.
const GUTTER: usize = 4;

/// Columns from an underline's middle to what is said about it.
const HOOK: usize = 4;

/// A terminal with fewer columns than this wraps.
const NARROWEST: usize = 20;

/// No line shows more bytes than these on one side of a label, however little room its characters take.
const MOST_BYTES: usize = 1_000;

impl Excerpt {
    /// `shown` is the file's text, covered, with as many bytes; `width` is that of the terminal.
    pub(super) fn new(file: &SourceFile, shown: &str, marks: &[Mark], width: usize) -> Excerpt {
        let numbers: BTreeSet<u32> = marks
            .iter()
            .flat_map(|mark| {
                let line = line_of(file, mark);
                line.saturating_sub(1).max(1)..=(line + 1).min(file.line_count())
            })
            .collect();
        let digits = numbers.last().map_or(0, |last| last.to_string().len());
        let room = width.saturating_sub(GUTTER + digits).max(NARROWEST);
        let mut excerpt = Excerpt {
            text: String::new(),
            lines: Vec::new(),
        };
        for number in numbers {
            let content = file.line_content(number).as_range();
            let ends = file.line_range(number).end() as usize > content.end;
            let mut marks: Vec<&Mark> = marks
                .iter()
                .filter(|mark| line_of(file, mark) == number)
                .collect();
            marks.sort_by_key(|mark| (mark.range.start, mark.range.end));
            let parts = if fits(&shown[content.clone()], room) {
                vec![content.clone()]
            } else {
                windows(shown, &content, &marks, room)
            };
            excerpt.push(number, shown, &content, parts, ends);
        }
        excerpt
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The place in the excerpt of a part of a line that was marked.
    pub(super) fn place(&self, file: &SourceFile, mark: &Mark) -> Range<usize> {
        let number = line_of(file, mark);
        let line = self.lines.iter().find(|line| line.number == number);
        let piece = line.and_then(|line| {
            let before = |piece: &&Piece| piece.of.start <= mark.range.start;
            line.pieces.iter().rev().find(before)
        });
        let Some(piece) = piece else {
            return 0..0;
        };
        let inside = |offset: usize| piece.at + offset.min(piece.of.end) - piece.of.start;
        inside(mark.range.start)..inside(mark.range.end)
    }

    /// The byte of the file that a byte of the excerpt shows, or the one before a cut.
    pub(super) fn origin(&self, offset: usize) -> usize {
        let pieces = self.lines.iter().flat_map(|line| &line.pieces);
        pieces
            .take_while(|piece| piece.at <= offset)
            .last()
            .map_or(0, |piece| {
                (piece.of.start + offset - piece.at).min(piece.of.end)
            })
    }

    /// The number of the line that a byte of the excerpt lies on.
    pub(super) fn number(&self, offset: usize) -> u32 {
        let before = self
            .lines
            .partition_point(|line| line.range.start <= offset);
        self.lines
            .get(before.saturating_sub(1))
            .map_or(1, |line| line.number)
    }

    /// The bytes of the lines with these numbers, as far as they are here.
    pub(super) fn span(&self, numbers: Range<u32>) -> Range<usize> {
        let mut lines = self
            .lines
            .iter()
            .filter(|line| numbers.contains(&line.number));
        let Some(first) = lines.next() else {
            return 0..0;
        };
        first.range.start..lines.next_back().unwrap_or(first).range.end
    }

    fn push(
        &mut self,
        number: u32,
        shown: &str,
        content: &Range<usize>,
        parts: Vec<Range<usize>>,
        ends: bool,
    ) {
        let start = self.text.len();
        let mut pieces = Vec::new();
        let mut done = content.start;
        for of in parts {
            if of.start > done {
                self.text.push(CUT);
            }
            done = of.end;
            let at = self.text.len();
            self.text.push_str(&shown[of.clone()]);
            pieces.push(Piece { at, of });
        }
        if done < content.end {
            self.text.push(CUT);
        }
        if ends {
            self.text.push('\n');
        }
        self.lines.push(Line {
            number,
            range: start..self.text.len(),
            pieces,
        });
    }
}

fn line_of(file: &SourceFile, mark: &Mark) -> u32 {
    file.line(u32::try_from(mark.range.start).unwrap_or(u32::MAX))
}

/// Whether a line needs no cut.
fn fits(line: &str, room: usize) -> bool {
    let mut column = 0;
    line.len() <= 2 * MOST_BYTES
        && line.chars().all(|character| {
            column += match character {
                '\t' => TAB - column % TAB,
                _ => columns(character),
            };
            column <= room
        })
}

/// At most so many columns a character takes.
fn columns(character: char) -> usize {
    match character {
        '\t' => TAB,
        _ => character.width().unwrap_or(0),
    }
}

/// The parts of a long line to show: one around all marks where they fit together, else one around each.
fn windows(shown: &str, content: &Range<usize>, marks: &[&Mark], room: usize) -> Vec<Range<usize>> {
    let Some(first) = marks.first() else {
        let (end, _) = ahead(shown, content.clone(), room - 1);
        let head = content.start..end;
        return vec![head];
    };
    let end = marks.iter().map(|mark| mark.range.end).max();
    let all = first.range.start..end.unwrap_or(first.range.end);
    if fits(&shown[all], room - 2) {
        return vec![window(shown, content, marks, room, room)];
    }
    let share = (room / marks.len()).max(4);
    let mut parts: Vec<Range<usize>> = Vec::new();
    for (index, mark) in marks.iter().enumerate() {
        let left = room.saturating_sub(index * share);
        let next = window(shown, content, &[mark], share, left);
        match parts.last_mut() {
            Some(last) if next.start <= last.end => {
                last.start = last.start.min(next.start);
                last.end = last.end.max(next.end);
            }
            Some(_) | None => parts.push(next),
        }
    }
    parts
}

/// The part of a line around marks, in `share` columns with a cut at each end.
/// It begins late enough that what is said under the marks ends within `room`.
fn window(
    shown: &str,
    content: &Range<usize>,
    marks: &[&Mark],
    share: usize,
    room: usize,
) -> Range<usize> {
    let inner = share - 2;
    let start = marks.first().map_or(content.start, |mark| mark.range.start);
    let end = marks.iter().map(|mark| mark.range.end).max();
    let (_, marked) = ahead(shown, start..end.unwrap_or(start), inner);
    let (_, right) = ahead(shown, start..content.end, inner);
    let under = marks.iter().map(|mark| {
        let (_, before) = ahead(shown, start..mark.range.start, inner);
        let (_, half) = ahead(shown, mark.range.clone(), inner - before.min(inner));
        before + half / 2 + HOOK + mark.said + 1
    });
    let spare = room.saturating_sub(under.max().unwrap_or(0));
    // From its beginning on, a line is read best.
    let (head, before) = behind(shown, content.start..start, (inner - marked).min(spare));
    if head == content.start {
        return head..ahead(shown, start..content.end, inner + 1 - before).0;
    }
    let most = if marked < inner {
        inner - marked
    } else {
        inner / 3
    };
    let wanted = (inner / 3).max(inner - right).min(most).min(spare);
    let (from, before) = behind(shown, content.start..start, wanted);
    let (to, _) = ahead(shown, start..content.end, inner - before);
    from..to
}

/// Where so many columns from the start of a range end, and how many they are.
fn ahead(shown: &str, range: Range<usize>, room: usize) -> (usize, usize) {
    let mut width = 0;
    for (at, character) in shown[range.clone()].char_indices() {
        if width + columns(character) > room || at > MOST_BYTES {
            return (range.start + at, width);
        }
        width += columns(character);
    }
    (range.end, width)
}

/// Where so many columns before the end of a range begin, and how many they are.
fn behind(shown: &str, range: Range<usize>, room: usize) -> (usize, usize) {
    let (mut from, mut width) = (range.end, 0);
    for (at, character) in shown[range.clone()].char_indices().rev() {
        if width + columns(character) > room || range.len() - at > MOST_BYTES {
            break;
        }
        from = range.start + at;
        width += columns(character);
    }
    if from > range.start {
        // What joins a character that is cut off would join the sign of the cut.
        let rest = &shown[from..range.end];
        from += rest.len() - rest.trim_start_matches(|c| columns(c) == 0).len();
    }
    (from, width)
}

/// The columns of a text that is said under a mark.
pub(super) fn said(text: &str) -> usize {
    text.width()
}
