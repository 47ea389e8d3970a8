//! Places of a text that look like secrets, and diagnostics that do not repeat them.
//! Pure. Judges every value of the tree, so that what is broken elsewhere in its line is covered too.
//! Read on in `crate::vars::credential` for what looks like one, and in `crate::render`, which covers the places.

use std::collections::BTreeSet;

use starform_contract::SecretName;

use crate::diag::{Diagnostic, Fix};
use crate::source::{SourceTree, Span};
use crate::syntax::{Cst, Entry, Node, Value};
use crate::vars::{Annotation, Generator, Reference, credential, template};

/// What stands in for a secret in the words of a diagnostic.
pub(crate) const HIDDEN: &str = "…";

/// In the order of the text.
pub(crate) fn find(cst: &Cst) -> Vec<Span> {
    let mut found = Vec::new();
    // With whether all of it stands under a name that says so.
    let mut open = vec![(cst.nodes(), false)];
    while let Some((nodes, under)) = open.last_mut() {
        let under = *under;
        let Some(node) = nodes.next() else {
            open.pop();
            continue;
        };
        if under {
            found.push(node.name_span());
            found.extend(node.entries().map(Entry::value_span));
        } else {
            found.extend(in_node(node));
        }
        let inside = under || credential::key_says_so(&node.name());
        open.extend(node.children().map(|nodes| (nodes, inside)));
    }
    found.sort();
    found.dedup();
    found
}

fn in_node(node: Node<'_>) -> impl Iterator<Item = Span> {
    let name = node.name();
    // `arg NPM_TOKEN …`
    let first = node.args().next().and_then(|entry| match entry.value() {
        Value::String(text) if text.len() < LONGEST_KEY => Some(text.into_owned()),
        Value::String(_)
        | Value::Integer(_)
        | Value::Decimal(_)
        | Value::Bool(_)
        | Value::Null
        | Value::Invalid => None,
    });
    let key_at = node.args().next().map(|entry| entry.span());
    node.entries()
        .filter(move |entry| {
            let beside = first.as_deref().filter(|_| Some(entry.span()) != key_at);
            let own = entry.name().map(|name| name.text.into_owned());
            let keys = [Some(&*name), beside, own.as_deref()];
            keys.into_iter()
                .flatten()
                .any(|key| looks_secret(key, *entry))
        })
        .map(Entry::value_span)
}

/// Bytes of a name that is judged.
const LONGEST_KEY: usize = 256;

fn looks_secret(key: &str, entry: Entry<'_>) -> bool {
    let text = match entry.value() {
        Value::String(text) => text,
        Value::Integer(_) | Value::Decimal(_) | Value::Invalid => entry.raw().into(),
        Value::Bool(_) | Value::Null => return false,
    };
    match entry.ty() {
        // Its references stand open for all to read; what stands between them may not.
        Some(ty) if ty.text == "template" && template::parse(&text).1.is_empty() => {
            let whole = !text.contains('{') && credential::sign(key, &text).is_some();
            whole || credential::sign_of_value(&text).is_some()
        }
        Some(ty) if names_something(&ty.text, &text) => false,
        Some(ty) if ty.text == "secret" => text.len() >= SHORTEST_PART,
        Some(_) | None => credential::sign(key, &text).is_some(),
    }
}

/// Whether an annotated value is what the annotation says: no value, but the name of one.
fn names_something(annotation: &str, text: &str) -> bool {
    match Annotation::parse(annotation) {
        Some(Annotation::Secret) => SecretName::new(text).is_ok(),
        Some(Annotation::Ref) => Reference::parse(text).is_ok(),
        Some(Annotation::Generate) => text == Generator::Bytes32.as_str(),
        Some(Annotation::Template) | None => false,
    }
}

/// Takes what stands at the places out of titles, labels, helps and fixes.
pub(crate) fn cover(diagnostics: &mut [Diagnostic], secrets: &[Span], sources: &SourceTree) {
    if secrets.is_empty() {
        return;
    }
    for diagnostic in diagnostics {
        let touched: BTreeSet<Span> = places(diagnostic)
            .flat_map(|place| near(secrets, place))
            .copied()
            .collect();
        for secret in touched {
            for text in pieces(sources.text(secret)) {
                conceal(diagnostic, text);
            }
        }
    }
}

/// The text of a value without its quotes; of a list in brackets, that of each of its values.
fn pieces(raw: &str) -> impl Iterator<Item = &str> {
    let list: &[char] = if raw.starts_with('[') {
        &['[', ']', ',']
    } else {
        &[]
    };
    raw.split(list)
        .map(|piece| piece.trim().trim_matches(['"', '\'', '#']))
        .filter(|piece| !piece.is_empty())
}

/// Every place that a diagnostic speaks of.
fn places(diagnostic: &Diagnostic) -> impl Iterator<Item = Span> {
    let labels = diagnostic.labels.iter().map(|label| label.span);
    let edits = diagnostic.fixes.iter().flat_map(|fix| &fix.edits);
    std::iter::once(diagnostic.primary.span)
        .chain(labels)
        .chain(edits.map(|edit| edit.span))
}

/// The secrets that overlap or touch a place. They are sorted and do not overlap each other.
fn near(secrets: &[Span], place: Span) -> &[Span] {
    let first = secrets.partition_point(|secret| {
        (secret.file, secret.range.end()) < (place.file, place.range.start())
    });
    let after = secrets.partition_point(|secret| {
        (secret.file, secret.range.start()) <= (place.file, place.range.end())
    });
    &secrets[first..after.max(first)]
}

fn conceal(diagnostic: &mut Diagnostic, text: &str) {
    let hide = |words: &mut String| {
        if words.contains(text) {
            *words = words.replace(text, HIDDEN);
        }
        hide_parts(words, text);
    };
    hide(&mut diagnostic.title);
    hide(&mut diagnostic.primary.text);
    diagnostic
        .labels
        .iter_mut()
        .for_each(|label| hide(&mut label.text));
    diagnostic.notes.iter_mut().for_each(hide);
    diagnostic.help.iter_mut().for_each(hide);
    let repeats = |fix: &Fix| {
        fix.title.contains(text) || fix.edits.iter().any(|edit| edit.text.contains(text))
    };
    diagnostic.fixes.retain(|fix| !repeats(fix));
}

/// Parts of a secret that are quoted, such as the word of a reference that is none.
fn hide_parts(words: &mut String, secret: &str) {
    let quoted: Vec<&str> = words.split('`').skip(1).step_by(2).collect();
    let parts: Vec<String> = quoted
        .into_iter()
        .filter(|part| part.len() >= SHORTEST_PART && secret.contains(part))
        .map(|part| format!("`{part}`"))
        .collect();
    for part in parts {
        *words = words.replace(&part, "`…`");
    }
}

/// Bytes of a part of a secret that give it away.
const SHORTEST_PART: usize = 4;
