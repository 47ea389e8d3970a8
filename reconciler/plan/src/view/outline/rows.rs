//! One changed value: in a word, on a line, as a tree where it is large, as a line diff where it has lines.
//!
//! Pure. Always holds: both sides are told whole, but for equal lines and what the short form leaves out of a long
//! text, which are counted; every text has passed [`values`], so that a writer only lays it out.

use serde_json::Value;

use crate::{
    document::{FieldChange, ModelChange, Op, SecretChange},
    view::{
        outline::{
            Form, excerpt,
            lines::{self, Line},
        },
        values,
    },
};

/// A changed value of a model, a setting or an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) op: Op,
    pub(crate) path: String,
    pub(crate) body: Body,
    /// The place that made it, as the document has it: a writer shows it by [`values::visible`].
    pub(crate) at: Option<String>,
    /// Too long for the short form, which tells a part of it.
    pub(crate) is_long: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    Nothing,
    Secret(SecretChange),
    /// One value that came or went.
    Only(String),
    /// One value in the place of another.
    Change {
        before: String,
        after: String,
    },
    /// The same elements in another order.
    Order {
        before: String,
        after: String,
    },
    /// A map or list that came or went and is too large for a line.
    Tree(Vec<Branch>),
    /// A text of several lines.
    Lines(Vec<Line>),
}

/// One element of a tree, `depth` levels below its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Branch {
    pub(crate) depth: usize,
    /// `name:` or `[0]`.
    pub(crate) name: String,
    pub(crate) leaf: Leaf,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Leaf {
    /// Its own elements follow, one level deeper.
    Deeper,
    Value(String),
    Lines(Vec<Line>),
}

/// Before and after.
type Sides<'a> = (Option<&'a Value>, Option<&'a Value>);

/// A map or list of at most so many columns stands on one line.
const SHORT: usize = 48;

/// A longer path does not move the values of the others.
const WIDEST_PATH: usize = 34;

/// The column that the values of these rows stand in, by the width of a path.
pub(crate) fn column<'a>(
    rows: impl IntoIterator<Item = &'a Row>,
    width: impl Fn(&str) -> usize,
) -> usize {
    let widths = rows.into_iter().map(|row| width(&row.path));
    let widest = widths.filter(|width| *width <= WIDEST_PATH).max();
    widest.unwrap_or(0)
}

/// The mark of what happens to a value.
pub(crate) const fn sign(op: Op) -> char {
    match op {
        Op::Add => '+',
        Op::Remove => '-',
        Op::Set | Op::Move => '~',
    }
}

impl Row {
    pub(super) fn of_model(change: &ModelChange, form: Form) -> Self {
        let op = match (&change.before, &change.after) {
            (None, Some(_)) => Op::Add,
            (Some(_), None) => Op::Remove,
            (Some(_), Some(_)) | (None, None) => Op::Set,
        };
        let sides = (change.before.as_ref(), change.after.as_ref());
        Self {
            op,
            path: values::visible(&change.path),
            body: Body::of(op, sides, form),
            at: change.at.clone(),
            is_long: is_long(sides),
        }
    }

    pub(super) fn of_field(field: &FieldChange, form: Form) -> Self {
        let sides = (field.before.as_ref(), field.after.as_ref());
        Self {
            op: field.op,
            path: values::path(field),
            body: match field.secret {
                Some(word) => Body::Secret(word),
                None => Body::of(field.op, sides, form),
            },
            at: None,
            is_long: is_long(sides),
        }
    }
}

impl Body {
    fn of(op: Op, sides: Sides<'_>, form: Form) -> Self {
        if let Some((before, after)) = texts(sides) {
            return Self::Lines(lines::between(before, after, form));
        }
        match sides {
            (None, None) => Self::Nothing,
            (Some(before), Some(after)) => {
                let (before, after) = if form == Form::Short && is_long(sides) {
                    excerpt::of_values(before, after)
                } else {
                    (values::inline(before), values::inline(after))
                };
                match op {
                    Op::Move => Self::Order { before, after },
                    Op::Add | Op::Set | Op::Remove => Self::Change { before, after },
                }
            }
            (Some(only), None) | (None, Some(only)) if is_large(only) => {
                let mut branches = Vec::new();
                grow(&mut branches, (op, form), 1, only);
                Self::Tree(branches)
            }
            (Some(only), None) | (None, Some(only)) => Self::Only(inline(only, form)),
        }
    }
}

/// On one line, in the short form the beginning of what is long.
pub(super) fn inline(value: &Value, form: Form) -> String {
    if form == Form::Short && excerpt::is_long_value(value) {
        excerpt::of_value(value)
    } else {
        values::inline(value)
    }
}

/// Whether the short form leaves out a part of it.
fn is_long(sides: Sides<'_>) -> bool {
    if let Some((before, after)) = texts(sides) {
        return lines::has_long(before) || lines::has_long(after);
    }
    match sides {
        (None, None) => false,
        (Some(before), Some(after)) => {
            excerpt::is_long_value(before) || excerpt::is_long_value(after)
        }
        (Some(only), None) | (None, Some(only)) => has_long(only),
    }
}

/// Of a map or list, whether one of its elements is.
fn has_long(value: &Value) -> bool {
    let has_lines = |text: &&str| text.contains('\n');
    match value {
        Value::String(_) => match value.as_str().filter(has_lines) {
            Some(text) => lines::has_long(text),
            None => excerpt::is_long_value(value),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::Array(items) => items.iter().any(has_long),
        Value::Object(fields) => fields.values().any(has_long),
    }
}

/// Both sides as text, where at least one has several lines; a side that is not there is empty.
fn texts<'a>((before, after): Sides<'a>) -> Option<(&'a str, &'a str)> {
    let text = |side: Option<&'a Value>| side.map_or(Some(""), Value::as_str);
    let (before, after) = (text(before)?, text(after)?);
    (before.contains('\n') || after.contains('\n')).then_some((before, after))
}

/// A map or list that is not short enough for the line.
fn is_large(value: &Value) -> bool {
    let has_elements = match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    has_elements && !values::is_within(value, SHORT)
}

/// One branch for each element, in the order of the names.
fn grow(branches: &mut Vec<Branch>, (op, form): (Op, Form), depth: usize, value: &Value) {
    for (name, child) in elements(value) {
        let text = child.as_str().filter(|text| text.contains('\n'));
        let leaf = match text {
            Some(text) if op == Op::Remove => Leaf::Lines(lines::between(text, "", form)),
            Some(text) => Leaf::Lines(lines::between("", text, form)),
            None if is_large(child) => Leaf::Deeper,
            None => Leaf::Value(inline(child, form)),
        };
        let goes_deeper = leaf == Leaf::Deeper;
        branches.push(Branch { depth, name, leaf });
        if goes_deeper {
            grow(branches, (op, form), depth + 1, child);
        }
    }
}

fn elements(value: &Value) -> Vec<(String, &Value)> {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            let named = |(key, value): (&String, _)| (format!("{}:", values::key(key)), value);
            fields.into_iter().map(named).collect()
        }
        Value::Array(items) => {
            let numbered = items.iter().zip(0u32..);
            numbered.map(|(item, n)| (format!("[{n}]"), item)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}
