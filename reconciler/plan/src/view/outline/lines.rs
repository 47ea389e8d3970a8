//! Two texts of several lines, compared line by line.
//!
//! Pure. Always holds: a line ends at `\n` and at nothing else, so that a changed line end shows as a
//! changed line; lines that are left out are equal on both sides and counted.

use similar::{ChangeTag, TextDiff};

use crate::view::values;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    Equal(String),
    Removed(String),
    Added(String),
    /// The line before has no line break: the text ends with it.
    Unended,
    /// So many equal lines are not told.
    Skipped(usize),
}

/// Equal lines told around a changed one.
const CONTEXT: usize = 2;

pub(crate) fn between(before: &str, after: &str) -> Vec<Line> {
    let (before, after) = (split(before), split(after));
    let diff = TextDiff::from_slices(&before, &after);
    let mut lines = Vec::new();
    let mut told = 0;
    for group in diff.grouped_ops(CONTEXT) {
        for op in &group {
            skip(&mut lines, told, op.old_range().start);
            told = op.old_range().end;
            for change in diff.iter_changes(op) {
                push(&mut lines, change.tag(), change.value());
            }
        }
    }
    skip(&mut lines, told, before.len());
    lines
}

fn split(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn push(lines: &mut Vec<Line>, tag: ChangeTag, line: &str) {
    let ended = line.strip_suffix('\n');
    let text = values::line(ended.unwrap_or(line));
    lines.push(match tag {
        ChangeTag::Equal => Line::Equal(text),
        ChangeTag::Delete => Line::Removed(text),
        ChangeTag::Insert => Line::Added(text),
    });
    if ended.is_none() {
        lines.push(Line::Unended);
    }
}

fn skip(lines: &mut Vec<Line>, from: usize, to: usize) {
    if to > from {
        lines.push(Line::Skipped(to - from));
    }
}
