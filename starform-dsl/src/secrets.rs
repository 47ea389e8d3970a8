//! Places of a text that look like secrets, and diagnostics that do not repeat them.
//! Pure. Judges every value of the tree, so that what is broken elsewhere in its line is covered too.
//! Read on in `crate::vars::credential` for what looks like one, and in `crate::render`, which covers the places.

use std::collections::BTreeSet;

use crate::diag::{Diagnostic, Fix};
use crate::source::{SourceTree, Span};
use crate::syntax::{Cst, Entry, Node, Value};
use crate::vars::credential;

/// What stands in for a secret in the words of a diagnostic.
pub(crate) const HIDDEN: &str = "…";

/// In the order of the text.
pub(crate) fn find(cst: &Cst) -> Vec<Span> {
    let mut found = Vec::new();
    let mut open = vec![cst.nodes()];
    while let Some(nodes) = open.last_mut() {
        let Some(node) = nodes.next() else {
            open.pop();
            continue;
        };
        found.extend(in_node(node));
        open.extend(node.children());
    }
    found.sort();
    found
}

fn in_node(node: Node<'_>) -> impl Iterator<Item = Span> {
    let name = node.name();
    node.entries()
        .filter(move |entry| looks_secret(&name, *entry))
        .map(Entry::value_span)
}

fn looks_secret(name: &str, entry: Entry<'_>) -> bool {
    let text = match entry.value() {
        Value::String(text) => text,
        Value::Integer(_) | Value::Decimal(_) | Value::Invalid => entry.raw().into(),
        Value::Bool(_) | Value::Null => return false,
    };
    match entry.ty() {
        None => credential::sign(name, &text).is_some(),
        // Its references stand open for all to read; what stands between them may not.
        Some(ty) if ty.text == "template" => {
            let whole = !text.contains('{') && credential::sign(name, &text).is_some();
            whole || credential::sign_of_value(&text).is_some()
        }
        Some(_) => false,
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
            let text = sources.text(secret).trim_matches('"');
            if !text.is_empty() {
                conceal(diagnostic, text);
            }
        }
    }
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
