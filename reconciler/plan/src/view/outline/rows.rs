//! One changed value: in a word, on a line, as a tree where it is large, as a line diff where it has lines.
//!
//! Pure. Always holds: both sides are told whole, except equal lines of a long text, which are counted;
//! every text has passed [`values`], so that a writer only lays it out.

use serde_json::Value;

use crate::{
    document::{FieldChange, ModelChange, Op, SecretChange},
    view::{
        outline::lines::{self, Line},
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

/// A map or list of at most so many columns stands on one line.
const SHORT: usize = 48;

impl Row {
    pub(crate) fn of_model(change: &ModelChange) -> Self {
        let op = match (&change.before, &change.after) {
            (None, Some(_)) => Op::Add,
            (Some(_), None) => Op::Remove,
            (Some(_), Some(_)) | (None, None) => Op::Set,
        };
        Self {
            op,
            path: values::visible(&change.path),
            body: Body::of(op, change.before.as_ref(), change.after.as_ref()),
            at: change.at.clone(),
        }
    }

    pub(crate) fn of_field(field: &FieldChange) -> Self {
        Self {
            op: field.op,
            path: path(field),
            body: match field.secret {
                Some(word) => Body::Secret(word),
                None => Body::of(field.op, field.before.as_ref(), field.after.as_ref()),
            },
            at: None,
        }
    }
}

/// A field's path as people write it.
pub(crate) fn path(field: &FieldChange) -> String {
    match &field.words {
        Some(words) => values::visible(words),
        None => values::words(&field.path),
    }
}

impl Body {
    fn of(op: Op, before: Option<&Value>, after: Option<&Value>) -> Self {
        if let Some((before, after)) = texts(before, after) {
            return Self::Lines(lines::between(before, after));
        }
        match (before, after) {
            (None, None) => Self::Nothing,
            (Some(before), Some(after)) => {
                let (before, after) = (values::inline(before), values::inline(after));
                match op {
                    Op::Move => Self::Order { before, after },
                    Op::Add | Op::Set | Op::Remove => Self::Change { before, after },
                }
            }
            (Some(only), None) | (None, Some(only)) if is_large(only) => {
                let mut branches = Vec::new();
                grow(&mut branches, op, 1, only);
                Self::Tree(branches)
            }
            (Some(only), None) | (None, Some(only)) => Self::Only(values::inline(only)),
        }
    }
}

/// Both sides as text, where at least one has several lines; a side that is not there is empty.
fn texts<'a>(before: Option<&'a Value>, after: Option<&'a Value>) -> Option<(&'a str, &'a str)> {
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
fn grow(branches: &mut Vec<Branch>, op: Op, depth: usize, value: &Value) {
    for (name, child) in elements(value) {
        let text = child.as_str().filter(|text| text.contains('\n'));
        let leaf = match text {
            Some(text) if op == Op::Remove => Leaf::Lines(lines::between(text, "")),
            Some(text) => Leaf::Lines(lines::between("", text)),
            None if is_large(child) => Leaf::Deeper,
            None => Leaf::Value(values::inline(child)),
        };
        let goes_deeper = leaf == Leaf::Deeper;
        branches.push(Branch { depth, name, leaf });
        if goes_deeper {
            grow(branches, op, depth + 1, child);
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
