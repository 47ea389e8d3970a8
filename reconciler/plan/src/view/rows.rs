//! One changed value: on a line, as two lines where it is long, as a line diff where it has lines.
//!
//! Pure. Always holds: both sides are shown whole, except equal lines of a long text, which are counted.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::{
    document::{FieldChange, ModelChange, Op, SecretChange},
    view::{
        page::{Page, Paint, Text},
        values,
    },
};

/// A changed value of a model, a setting or an object.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    op: Op,
    pub(crate) path: String,
    before: Option<Value>,
    after: Option<Value>,
    secret: Option<SecretChange>,
    place: Option<String>,
}

/// Equal lines shown around a changed one.
const CONTEXT: usize = 2;

/// Longer paths do not push the values of all others to the right.
const WIDEST_PATH: usize = 28;

impl Row {
    pub(crate) fn of_model(change: &ModelChange) -> Self {
        Self {
            op: match (&change.before, &change.after) {
                (None, Some(_)) => Op::Add,
                (Some(_), None) => Op::Remove,
                (Some(_), Some(_)) | (None, None) => Op::Set,
            },
            path: values::visible(&change.path),
            before: change.before.clone(),
            after: change.after.clone(),
            secret: None,
            place: change.at.clone(),
        }
    }

    /// One row for a changed field; a value that came or went whole gives one for each of its leaves.
    pub(crate) fn of_field(field: &FieldChange) -> Vec<Self> {
        let path = match &field.words {
            Some(words) => values::visible(words),
            None => values::visible(&values::words(&field.path)),
        };
        let row = Self {
            op: field.op,
            path,
            before: field.before.clone(),
            after: field.after.clone(),
            secret: field.secret,
            place: None,
        };
        let whole = match field.op {
            Op::Add => field.after.as_ref(),
            Op::Remove => field.before.as_ref(),
            Op::Set | Op::Move => None,
        };
        match whole {
            Some(value) => row.leaves(value),
            None => vec![row],
        }
    }

    fn leaves(&self, value: &Value) -> Vec<Self> {
        let below = |path: String, value: &Value| {
            let side = Some(value.clone());
            let is_new = self.op == Op::Add;
            let leaf = Self {
                path,
                before: side.clone().filter(|_| !is_new),
                after: side.filter(|_| is_new),
                ..self.clone()
            };
            leaf.leaves(value)
        };
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                let mut keys: Vec<&String> = fields.keys().collect();
                keys.sort();
                keys.into_iter()
                    .flat_map(|key| below(values::step(&self.path, key), &fields[key]))
                    .collect()
            }
            Value::Array(items) if !items.is_empty() => items
                .iter()
                .zip(0u32..)
                .flat_map(|(item, n)| below(format!("{}[{n}]", self.path), item))
                .collect(),
            Value::Object(_)
            | Value::Array(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_) => vec![self.clone()],
        }
    }
}

/// The rows under each other, values in one column.
pub(crate) fn print(page: &mut Page, indent: usize, rows: &[Row]) {
    let widths = rows.iter().map(|row| Text::plain(&row.path).width());
    let column = widths.filter(|width| *width <= WIDEST_PATH).max();
    for row in rows {
        row.print(page, indent, column.unwrap_or(0));
    }
}

impl Row {
    fn print(&self, page: &mut Page, indent: usize, column: usize) {
        let head = self.symbol().and(Paint::Plain, " ");
        let head = head.then(Text::plain(&self.path).padded(column));
        let hanging = indent + 4;
        let place = self.place.as_deref();
        if self.secret.is_none()
            && let Some((before, after)) = self.texts()
        {
            page.placed(indent, hanging, &head, place);
            lines(page, hanging, before, after);
            return;
        }
        let value = self.value();
        let line = head.clone().and(Paint::Plain, "  ").then(value);
        let fits = indent + line.width() <= page.width();
        match (&self.before, &self.after) {
            (Some(before), Some(after)) if !fits && self.op == Op::Set => {
                page.placed(indent, hanging, &head, place);
                let old = Text::new(Paint::Red, "- ").and(Paint::Plain, values::inline(before));
                let new = Text::new(Paint::Green, "+ ").and(Paint::Plain, values::inline(after));
                page.line(hanging, hanging + 2, &old);
                page.line(hanging, hanging + 2, &new);
            }
            _ => page.placed(indent, hanging, &line, place),
        }
    }

    fn symbol(&self) -> Text {
        match self.op {
            Op::Add => Text::new(Paint::Green, "+"),
            Op::Remove => Text::new(Paint::Red, "-"),
            Op::Set | Op::Move => Text::new(Paint::Yellow, "~"),
        }
    }

    fn value(&self) -> Text {
        if let Some(word) = self.secret {
            return Text::new(Paint::Dim, values::secret(word));
        }
        let side = |value: &Option<Value>| value.as_ref().map(values::inline);
        let order = if self.op == Op::Move { "order " } else { "" };
        match (side(&self.before), side(&self.after)) {
            (Some(before), Some(after)) => Text::plain(format!("{order}{before}"))
                .and(Paint::Yellow, " → ")
                .and(Paint::Plain, after),
            (Some(only), None) | (None, Some(only)) => Text::plain(only),
            (None, None) => Text::default(),
        }
    }

    /// Both sides as text, where at least one has several lines.
    fn texts(&self) -> Option<(&str, &str)> {
        let (before, after) = (text_of(&self.before)?, text_of(&self.after)?);
        (before.contains('\n') || after.contains('\n')).then_some((before, after))
    }
}

/// A side that is not there is an empty text.
fn text_of(side: &Option<Value>) -> Option<&str> {
    side.as_ref().map_or(Some(""), Value::as_str)
}

/// A line diff; runs of equal lines are counted.
fn lines(page: &mut Page, indent: usize, before: &str, after: &str) {
    let diff = TextDiff::from_lines(before, after);
    let mut last_shown = None;
    for group in diff.grouped_ops(CONTEXT) {
        for op in &group {
            let start = op.old_range().start;
            skipped(page, indent, last_shown.unwrap_or(0), start);
            last_shown = Some(op.old_range().end);
            for change in diff.iter_changes(op) {
                let (symbol, paint) = match change.tag() {
                    ChangeTag::Equal => (" ", Paint::Plain),
                    ChangeTag::Delete => ("-", Paint::Red),
                    ChangeTag::Insert => ("+", Paint::Green),
                };
                let line = change.value();
                let shown = values::visible(line.strip_suffix('\n').unwrap_or(line));
                let text = Text::new(paint, symbol).and(paint, format!(" {shown}"));
                page.line(indent, indent + 2, &text);
                if !line.ends_with('\n') {
                    page.line(
                        indent,
                        indent + 2,
                        &Text::new(Paint::Dim, "\\ no newline at the end"),
                    );
                }
            }
        }
    }
    let total = before.lines().count();
    skipped(page, indent, last_shown.unwrap_or(0), total);
}

fn skipped(page: &mut Page, indent: usize, from: usize, to: usize) {
    if to > from {
        let text = format!("  … {}", values::count(to - from, "equal line"));
        page.line(indent, indent + 2, &Text::new(Paint::Dim, text));
    }
}
