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

/// A map or list of at most so many columns stands on one line.
const SHORT: usize = 48;

/// Longer paths do not push the values of all others to the right.
const WIDEST_PATH: usize = 34;

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

    pub(crate) fn of_field(field: &FieldChange) -> Self {
        Self {
            op: field.op,
            path: match &field.words {
                Some(words) => values::visible(words),
                None => values::words(&field.path),
            },
            before: field.before.clone(),
            after: field.after.clone(),
            secret: field.secret,
            place: None,
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
        if let Some(whole) = self.whole() {
            page.placed(indent, hanging, &head, place);
            self.tree(page, indent, 1, whole);
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

    /// A map or list that came or went whole, unless it is short enough for the line.
    fn whole(&self) -> Option<&Value> {
        let only = match (&self.before, &self.after) {
            (Some(only), None) | (None, Some(only)) => only,
            (Some(_), Some(_)) | (None, None) => return None,
        };
        let is_short = || values::inline(only).chars().count() <= SHORT;
        match only {
            Value::Object(fields) if !fields.is_empty() && !is_short() => Some(only),
            Value::Array(items) if !items.is_empty() && !is_short() => Some(only),
            Value::Object(_)
            | Value::Array(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_) => None,
        }
    }

    /// One line for each leaf, indented as its place in the value is.
    fn tree(&self, page: &mut Page, indent: usize, depth: usize, value: &Value) {
        let children: Vec<(String, &Value)> = match value {
            Value::Object(fields) => {
                let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
                fields.sort_by_key(|(key, _)| *key);
                let named =
                    |(key, value): (&String, _)| (format!("{}:", values::visible(key)), value);
                fields.into_iter().map(named).collect()
            }
            Value::Array(items) => {
                let numbered = items.iter().zip(0u32..);
                numbered.map(|(item, n)| (format!("[{n}]"), item)).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        };
        for (name, child) in children {
            let gap = " ".repeat(2 * depth + 1);
            let head = self.symbol().and(Paint::Plain, format!("{gap}{name}"));
            let leaf = Self {
                before: Some(child.clone()),
                after: None,
                ..self.clone()
            };
            let hanging = indent + 2 * depth + 4;
            match (
                leaf.whole(),
                child.as_str().filter(|text| text.contains('\n')),
            ) {
                (Some(inner), _) => {
                    page.line(indent, hanging, &head);
                    self.tree(page, indent, depth + 1, inner);
                }
                (None, Some(text)) => {
                    page.line(indent, hanging, &head);
                    let (before, after) = if self.op == Op::Add {
                        ("", text)
                    } else {
                        (text, "")
                    };
                    lines(page, hanging, before, after);
                }
                (None, None) => {
                    let line = head.and(Paint::Plain, format!(" {}", values::inline(child)));
                    page.line(indent, hanging, &line);
                }
            }
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
