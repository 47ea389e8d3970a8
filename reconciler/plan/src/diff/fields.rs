//! Two objects field by field, as JSON pointers with *before* and *after*.
//!
//! Pure. Always holds: equal objects give nothing; what is listed turns *before* into *after*; the
//! values of Secrets never appear, only words. How lists are compared: [`super::identity`].

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use starform_contract::Object;

use crate::{
    diff::{
        align::{self, Alignment},
        identity,
    },
    document::{FieldChange, Op, SecretChange},
    view::values,
};

/// The fields that differ, in the order of their paths through the manifest.
///
/// An object on one side only lists its top-level fields whole (a Secret's content key by key).
pub fn between(before: Option<&Object>, after: Option<&Object>) -> Vec<FieldChange> {
    let mut walk = Walk {
        secret: is_secret(before) || is_secret(after),
        path: Path::default(),
        out: Vec::new(),
    };
    let nothing = Map::new();
    walk.objects(
        before.and_then(top_level).unwrap_or(&nothing),
        after.and_then(top_level).unwrap_or(&nothing),
    );
    let mut fields = walk.out;
    fields.extend(sealed(before, after));
    fields.extend(handling(before, after));
    fields
}

/// The path of the pseudo-fields: how an object is handled, beside its manifest.
const WAVE: &str = "@wave";
const DELETION: &str = "@deletion";

struct Walk<'a> {
    secret: bool,
    path: Path<'a>,
    out: Vec<FieldChange>,
}

/// One place in a manifest, written three ways.
#[derive(Default)]
struct Path<'a> {
    /// As a JSON pointer.
    pointer: String,
    /// Object keys only: what the identity table knows lists by.
    steps: Vec<&'a str>,
    /// For people, with list elements by name: `.spec.containers[api]`.
    words: String,
    /// Whether a step was a named list element, so that `words` says more than the pointer.
    named: usize,
}

impl<'a> Walk<'a> {
    fn objects(&mut self, before: &'a Map<String, Value>, after: &'a Map<String, Value>) {
        let keys: BTreeSet<&'a String> = before.keys().chain(after.keys()).collect();
        for key in keys {
            let (old, new) = (before.get(key), after.get(key));
            if old == new {
                continue;
            }
            let length = self.path.push_key(key);
            match (old, new) {
                (Some(before), Some(after)) => self.values(before, after),
                (Some(before), None) => self.one_side(before, Op::Remove),
                (None, Some(after)) => self.one_side(after, Op::Add),
                (None, None) => {}
            }
            self.path.pop(length);
            self.path.steps.pop();
        }
    }

    /// Of two values that differ.
    fn values(&mut self, before: &'a Value, after: &'a Value) {
        match (before, after) {
            (Value::Object(before), Value::Object(after)) => self.objects(before, after),
            (Value::Array(before), Value::Array(after)) => self.lists(before, after),
            _ => self.push(Op::Set, Some(before), Some(after)),
        }
    }

    fn lists(&mut self, before: &'a [Value], after: &'a [Value]) {
        let steps = &self.path.steps;
        let identities =
            identity::identities(steps, before).zip(identity::identities(steps, after));
        match identities {
            Some((old, new)) => {
                let alignment = align::by_identity(&old, &new);
                if alignment.moved() {
                    self.moved(&alignment, &old, &new);
                }
                self.aligned(&alignment, before, after, Some((&old, &new)));
            }
            None if align::is_reordered(before, after) => {
                let (old, new) = (before.to_vec().into(), after.to_vec().into());
                self.push(Op::Move, Some(&old), Some(&new));
            }
            None => self.aligned(&align::by_sequence(before, after), before, after, None),
        }
    }

    fn aligned(
        &mut self,
        alignment: &Alignment,
        before: &'a [Value],
        after: &'a [Value],
        identities: Option<(&[Value], &[Value])>,
    ) {
        let label = |side: Option<&[Value]>, position: usize| {
            side.map(|identities| identity::label(&identities[position]))
        };
        let (old, new) = (identities.map(|i| i.0), identities.map(|i| i.1));
        for &position in &alignment.removed {
            let length = self.path.push_position(position, label(old, position));
            self.one_side(&before[position], Op::Remove);
            self.path.pop(length);
            self.path.named -= usize::from(old.is_some());
        }
        let mut there: Vec<(usize, Option<usize>)> = alignment
            .pairs
            .iter()
            .map(|&(origin, position)| (position, Some(origin)))
            .chain(alignment.added.iter().map(|&position| (position, None)))
            .collect();
        there.sort_unstable();
        for (position, origin) in there {
            let old = origin.map(|origin| &before[origin]);
            if old == Some(&after[position]) {
                continue;
            }
            let length = self.path.push_position(position, label(new, position));
            match old {
                Some(before) => self.values(before, &after[position]),
                None => self.one_side(&after[position], Op::Add),
            }
            self.path.pop(length);
            self.path.named -= usize::from(new.is_some());
        }
    }

    /// The identities of what stayed, in the old and the new order.
    fn moved(&mut self, alignment: &Alignment, old: &[Value], new: &[Value]) {
        let mut origins: Vec<usize> = alignment.pairs.iter().map(|pair| pair.0).collect();
        origins.sort_unstable();
        let before: Value = origins.iter().map(|&at| old[at].clone()).collect();
        let after: Value = alignment
            .pairs
            .iter()
            .map(|&(_, at)| new[at].clone())
            .collect();
        self.push(Op::Move, Some(&before), Some(&after));
    }

    /// A value that only one side has; a Secret's content is listed key by key, never whole.
    fn one_side(&mut self, value: &'a Value, op: Op) {
        match value {
            Value::Object(content) if self.at_secret_content() && !content.is_empty() => {
                for (key, value) in content {
                    let length = self.path.push_key(key);
                    self.one_side(value, op);
                    self.path.pop(length);
                    self.path.steps.pop();
                }
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => self.one_value(value, op),
        }
    }

    fn one_value(&mut self, value: &Value, op: Op) {
        match op {
            Op::Add => self.push(op, None, Some(value)),
            Op::Remove | Op::Set | Op::Move => self.push(op, Some(value), None),
        }
    }

    fn push(&mut self, op: Op, before: Option<&Value>, after: Option<&Value>) {
        let secret = self.inside_secret_content().then(|| word(op));
        let values = |value: Option<&Value>| value.filter(|_| secret.is_none()).cloned();
        self.out.push(FieldChange {
            path: self.path.pointer.clone(),
            words: self.path.words(),
            op,
            before: values(before),
            after: values(after),
            secret,
        });
    }

    fn at_secret_content(&self) -> bool {
        self.path.steps.len() == 1 && self.inside_secret_content()
    }

    /// At or below `data` and `stringData`.
    fn inside_secret_content(&self) -> bool {
        let first = self.path.steps.first();
        self.secret && first.is_some_and(|field| is_content(field))
    }
}

/// How long a path was before a step.
#[derive(Clone, Copy)]
struct Length {
    pointer: usize,
    words: usize,
}

impl<'a> Path<'a> {
    fn push_key(&mut self, key: &'a str) -> Length {
        let length = self.length();
        self.pointer.push('/');
        if key.contains(['~', '/']) {
            self.pointer += &key.replace('~', "~0").replace('/', "~1");
        } else {
            self.pointer += key;
        }
        self.steps.push(key);
        values::push_step(&mut self.words, key);
        length
    }

    fn push_position(&mut self, position: usize, label: Option<String>) -> Length {
        let length = self.length();
        let position = position.to_string();
        self.pointer.push('/');
        self.pointer += &position;
        self.named += usize::from(label.is_some());
        values::push_in_brackets(&mut self.words, label.as_deref().unwrap_or(&position));
        length
    }

    fn length(&self) -> Length {
        Length {
            pointer: self.pointer.len(),
            words: self.words.len(),
        }
    }

    fn pop(&mut self, to: Length) {
        self.pointer.truncate(to.pointer);
        self.words.truncate(to.words);
    }

    fn words(&self) -> Option<String> {
        (self.named > 0).then(|| self.words.clone())
    }
}

/// Sealed keys are part of a Secret's content: a name and a version here, a value in the cluster.
fn sealed(before: Option<&Object>, after: Option<&Object>) -> Vec<FieldChange> {
    let old = before.map(|object| &object.sealed);
    let new = after.map(|object| &object.sealed);
    let keys: BTreeSet<&String> = old
        .into_iter()
        .chain(new)
        .flat_map(|sealed| sealed.keys())
        .collect();
    keys.into_iter()
        .filter_map(|key| {
            let op = match (old.and_then(|s| s.get(key)), new.and_then(|s| s.get(key))) {
                (Some(old), Some(new)) if old == new => return None,
                (Some(_), Some(_)) => Op::Set,
                (Some(_), None) => Op::Remove,
                (None, _) => Op::Add,
            };
            let mut path = Path::default();
            path.push_key("data");
            path.push_key(key);
            Some(FieldChange {
                path: path.pointer,
                words: None,
                op,
                before: None,
                after: None,
                secret: Some(word(op)),
            })
        })
        .collect()
}

/// When the object is written and when it may be deleted; of an object on both sides only, since
/// nothing is decided about one that comes or goes.
fn handling(before: Option<&Object>, after: Option<&Object>) -> Vec<FieldChange> {
    let Some((before, after)) = before.zip(after) else {
        return Vec::new();
    };
    let deletion =
        |object: &Object| serde_json::to_value(object.deletion).expect("a word always serialises");
    [
        (WAVE, Value::from(before.wave.0), Value::from(after.wave.0)),
        (DELETION, deletion(before), deletion(after)),
    ]
    .into_iter()
    .filter(|(_, before, after)| before != after)
    .map(|(path, before, after)| FieldChange {
        path: path.to_owned(),
        words: None,
        op: Op::Set,
        before: Some(before),
        after: Some(after),
        secret: None,
    })
    .collect()
}

fn top_level(object: &Object) -> Option<&Map<String, Value>> {
    object.manifest.as_object()
}

fn is_secret(object: Option<&Object>) -> bool {
    object.is_some_and(|object| {
        object.manifest.get("kind").and_then(Value::as_str) == Some("Secret")
            || !object.sealed.is_empty()
    })
}

fn is_content(field: &str) -> bool {
    matches!(field, "data" | "stringData")
}

fn word(op: Op) -> SecretChange {
    match op {
        Op::Add => SecretChange::Added,
        Op::Remove => SecretChange::Removed,
        Op::Set | Op::Move => SecretChange::Changed,
    }
}
