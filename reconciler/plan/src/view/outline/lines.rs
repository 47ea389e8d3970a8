//! Two texts of several lines, compared line by line.
//!
//! Pure. Always holds: a line ends at `\n` and at nothing else, so that a changed line end shows as a
//! changed line; lines that are left out are equal on both sides and counted, as is what is left out of a long
//! line.

use similar::{ChangeTag, DiffTag, TextDiff};

use crate::view::{
    outline::{Form, excerpt},
    values,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    Equal(String),
    Removed(String),
    Added(String),
    /// The line before has no line break: the text ends with it.
    Unended,
    /// What is not told here: `3 equal lines`, `9940 equal characters`.
    Skipped(String),
}

/// Whether one of the lines is too long for the short form.
pub(super) fn has_long(text: &str) -> bool {
    text.split('\n').any(excerpt::is_long)
}

/// Equal lines told around a changed one.
const CONTEXT: usize = 2;

pub(super) fn between(before: &str, after: &str, form: Form) -> Vec<Line> {
    let (before, after) = (split(before), split(after));
    let diff = TextDiff::from_slices(&before, &after);
    let mut lines = Vec::new();
    let mut told = 0;
    for group in diff.grouped_ops(CONTEXT) {
        for op in &group {
            skip(&mut lines, told, op.old_range().start);
            told = op.old_range().end;
            let (old, new) = (&before[op.old_range()], &after[op.new_range()]);
            for (tag, n) in told_of(op.tag(), old.len(), new.len()) {
                let (line, other) = match tag {
                    ChangeTag::Equal => (old[n], None),
                    ChangeTag::Delete => (old[n], new.get(n)),
                    ChangeTag::Insert => (new[n], old.get(n)),
                };
                if form == Form::Short && excerpt::is_long(line) {
                    long(&mut lines, tag, line, other.copied());
                } else {
                    push(&mut lines, tag, line, true);
                }
            }
        }
    }
    skip(&mut lines, told, before.len());
    lines
}

/// What is told, by its place among the old or the new lines: what goes before what comes.
fn told_of(op: DiffTag, old: usize, new: usize) -> Vec<(ChangeTag, usize)> {
    let all = |tag: ChangeTag, count: usize| (0..count).map(move |n| (tag, n));
    match op {
        DiffTag::Equal => all(ChangeTag::Equal, old).collect(),
        DiffTag::Delete | DiffTag::Insert | DiffTag::Replace => all(ChangeTag::Delete, old)
            .chain(all(ChangeTag::Insert, new))
            .collect(),
    }
}

fn split(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// A part of it: where it differs from the line in whose place it stands, or its beginning.
fn long(lines: &mut Vec<Line>, tag: ChangeTag, line: &str, other: Option<&str>) {
    let told = match other {
        Some(other) => excerpt::between(line, other).0,
        None => excerpt::head(line),
    };
    lines.extend(told.in_front().map(Line::Skipped));
    push(lines, tag, told.text, told.behind().is_none());
    lines.extend(told.behind().map(Line::Skipped));
}

/// `ends`: with the line's own end.
fn push(lines: &mut Vec<Line>, tag: ChangeTag, line: &str, ends: bool) {
    let ended = line.strip_suffix('\n');
    let text = values::line(ended.unwrap_or(line));
    lines.push(match tag {
        ChangeTag::Equal => Line::Equal(text),
        ChangeTag::Delete => Line::Removed(text),
        ChangeTag::Insert => Line::Added(text),
    });
    if ended.is_none() && ends {
        lines.push(Line::Unended);
    }
}

fn skip(lines: &mut Vec<Line>, from: usize, to: usize) {
    if to > from {
        lines.push(Line::Skipped(values::count(to - from, "equal line")));
    }
}
