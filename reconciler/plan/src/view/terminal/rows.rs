//! One changed value on a terminal: on a line, or beneath its path where a line has no room.
//!
//! Pure. Always holds: nothing of the outline's row is left out; no two values stand on a line that a terminal
//! might turn around.

use super::page::{Page, Paint, Text};
use crate::{
    document::Op,
    view::{
        outline::{self, Body, Branch, Leaf, Line, Row},
        values,
    },
};

/// The rows under each other, values in one column.
pub(super) fn print(page: &mut Page, indent: usize, rows: &[Row]) {
    let column = outline::column(rows, |path| Text::plain(path).width());
    for row in rows {
        one(page, indent, column, row);
    }
}

fn one(page: &mut Page, indent: usize, column: usize, row: &Row) {
    let head = symbol(row.op).and(Paint::Plain, " ");
    let head = head.then(Text::plain(&row.path).padded(column)).of_user();
    let hanging = indent + 4;
    let place = row.at.as_deref();
    let value = match &row.body {
        Body::Nothing => Text::default(),
        Body::Secret(word) => Text::new(Paint::Dim, values::secret(*word)),
        Body::Only(text) => Text::plain(text),
        Body::Order { before, after } => change(&format!("order {before}"), after),
        Body::Change { before, after } => {
            let value = change(before, after);
            let is_wide = indent + head.width() + 2 + value.width() > page.width();
            if is_wide || values::runs_left(before) || values::runs_left(after) {
                page.placed(indent, hanging, &head, place);
                let old = Text::new(Paint::Red, "- ")
                    .and(Paint::Plain, before)
                    .of_user();
                let new = Text::new(Paint::Green, "+ ")
                    .and(Paint::Plain, after)
                    .of_user();
                page.line(hanging, hanging + 2, &old);
                page.line(hanging, hanging + 2, &new);
                return;
            }
            value
        }
        Body::Tree(branches) => {
            page.placed(indent, hanging, &head, place);
            for branch in branches {
                grown(page, indent, row.op, branch);
            }
            return;
        }
        Body::Lines(all) => {
            page.placed(indent, hanging, &head, place);
            lines(page, hanging, all);
            return;
        }
    };
    let line = head.and(Paint::Plain, "  ").then(value);
    page.placed(indent, hanging, &line, place);
}

fn change(before: &str, after: &str) -> Text {
    Text::plain(before)
        .and(Paint::Yellow, " → ")
        .and(Paint::Plain, after)
}

fn symbol(op: Op) -> Text {
    let paint = match op {
        Op::Add => Paint::Green,
        Op::Remove => Paint::Red,
        Op::Set | Op::Move => Paint::Yellow,
    };
    Text::new(paint, outline::sign(op))
}

/// Indented as its place in the value is.
fn grown(page: &mut Page, indent: usize, op: Op, branch: &Branch) {
    let gap = " ".repeat(2 * branch.depth + 1);
    let head = symbol(op)
        .and(Paint::Plain, format!("{gap}{}", branch.name))
        .of_user();
    let hanging = indent + 2 * branch.depth + 4;
    match &branch.leaf {
        Leaf::Deeper => page.line(indent, hanging, &head),
        Leaf::Value(text) => {
            page.line(indent, hanging, &head.and(Paint::Plain, format!(" {text}")))
        }
        Leaf::Lines(all) => {
            page.line(indent, hanging, &head);
            lines(page, hanging, all);
        }
    }
}

/// What is ours stands where a line of the text has its mark, so that no text can look like it.
fn lines(page: &mut Page, indent: usize, lines: &[Line]) {
    for line in lines {
        let text = match line {
            Line::Equal(text) => Text::plain(format!("  {text}")),
            Line::Removed(text) => Text::new(Paint::Red, "-").and(Paint::Red, format!(" {text}")),
            Line::Added(text) => Text::new(Paint::Green, "+").and(Paint::Green, format!(" {text}")),
            Line::Unended => Text::new(Paint::Dim, "\\ no newline at the end"),
            Line::Skipped(words) => Text::new(Paint::Dim, format!("… {words}")),
        };
        page.line(indent, indent + 2, &text.of_user());
    }
}
