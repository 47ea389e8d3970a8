//! Places of a text that look like secrets.
//! Pure. Judges every value of the tree, so that what is broken elsewhere in its line is covered too.
//! Read on in `crate::vars::credential` for what looks like one, and in `cover` for diagnostics that do not repeat them.

use std::collections::BTreeSet;

use starform_contract::SecretName;

use crate::diag::Diagnostic;
use crate::source::{FileId, SourceTree, Span};
use crate::syntax::{Cst, Entry, Node, TextRange, Token, TokenKind, Value};
use crate::table::{ImageNode, LayerNode};
use crate::vars::{Annotation, Generator, Reference, credential, template};

mod cover;
mod line;

pub(crate) use cover::cover;

/// What stands in for a secret in words: of a diagnostic, a difference, an explanation.
pub(crate) const HIDDEN: &str = "…";

/// A place of a text that must not be shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Secret {
    pub(crate) span: Span,
    /// What the text there means, where that is a string.
    text: Option<String>,
}

/// In the order of the text.
pub(crate) fn find(cst: &Cst) -> Vec<Secret> {
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
            found.push(name_of(node));
            found.extend(node.entries().map(value_of));
        } else {
            found.extend(in_node(node));
        }
        let inside = under || credential::key_says_so(&node.name());
        open.extend(node.children().map(|nodes| (nodes, inside)));
    }
    found.sort();
    found.dedup();
    let comments = in_comments(cst, &found);
    found.extend(comments);
    found.sort();
    found
}

/// Adds what looks like a credential in and beside the lines that hold these mistakes, where no tree said so.
pub(crate) fn add_lines_of(
    secrets: &mut Vec<Secret>,
    diagnostics: &[Diagnostic],
    sources: &SourceTree,
) {
    let more: Vec<Secret> = in_lines_of(diagnostics, sources)
        .into_iter()
        .filter(|found| {
            let range = found.span.range;
            let after = secrets.partition_point(|known| {
                (known.span.file, known.span.range.start()) <= (found.span.file, range.start())
            });
            // Places of trees do not overlap: only the last one that begins before can hold it.
            after.checked_sub(1).is_none_or(|before| {
                let known = secrets[before].span;
                known.file != found.span.file || known.range.end() < range.end()
            })
        })
        .collect();
    secrets.extend(more);
    secrets.sort();
}

fn in_lines_of(diagnostics: &[Diagnostic], sources: &SourceTree) -> Vec<Secret> {
    let lines: BTreeSet<(FileId, u32)> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .flat_map(|diagnostic| {
            let Span { file, range } = diagnostic.primary.span;
            let text = sources.file(file);
            // Excerpts show the lines beside it too.
            let first = text.line(range.start()).saturating_sub(1).max(1);
            (first..=text.line(range.end()) + 1).map(move |line| (file, line))
        })
        .collect();
    lines
        .into_iter()
        .flat_map(|(file, line)| {
            let text = sources.file(file);
            in_text(file, text.text(), text.line_range(line))
        })
        .collect()
}

/// What looks like a credential in these bytes of a text, whatever language they are.
pub(crate) fn in_text(file: FileId, text: &str, range: TextRange) -> Vec<Secret> {
    let found = line::find(&text[range.as_range()]);
    let secret = |(start, end): (usize, usize)| {
        let at = |offset: usize| {
            range.start() + u32::try_from(offset).expect("texts are smaller than 4 GiB")
        };
        let range = TextRange::new(at(start), at(end));
        Secret {
            span: Span::new(file, range),
            text: Some(text[range.as_range()].to_owned()),
        }
    };
    found.into_iter().map(secret).collect()
}

/// Comments that hold a credential, and those that touch one: `key abc/*def*/`.
fn in_comments(cst: &Cst, found: &[Secret]) -> Vec<Secret> {
    let file = cst.file();
    let comments = cst
        .tokens()
        .filter(|token| matches!(token.kind, TokenKind::LineComment | TokenKind::BlockComment));
    let touches = |token: &Token| {
        let start = token.range.start();
        let next = found.partition_point(|secret| secret.span.range.end() < start);
        found
            .get(next)
            .is_some_and(|secret| secret.span.range.end() == start && !secret.span.range.is_empty())
    };
    comments
        .filter(|token| {
            let text = &cst.text()[token.range.as_range()];
            touches(token) || credential::sign_of_value(text).is_some()
        })
        .map(|token| Secret {
            span: Span::new(file, token.range),
            text: None,
        })
        .collect()
}

/// Whose arguments are a command, in any block: a text that is broken may have moved them.
const COMMANDS: [LayerNode; 2] = [LayerNode::Run, LayerNode::Release];

/// Whose arguments name a host, where other tools take a login too.
const PLACES: [LayerNode; 2] = [LayerNode::Image(ImageNode::Image), LayerNode::Domain];

fn in_node(node: Node<'_>) -> impl Iterator<Item = Secret> {
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
    let is_command = COMMANDS.map(LayerNode::as_str).contains(&&*name);
    let is_place = PLACES.map(LayerNode::as_str).contains(&&*name);
    let named = key_beside_value(node);
    let key_at = node.args().next().map(|entry| entry.span());
    let mut before = None;
    node.entries()
        .filter(move |entry| {
            let option = before.replace(*entry);
            let follows =
                is_command && option.is_some_and(|option| is_secret_after(option, *entry));
            if follows || (is_place && is_text(*entry, credential::has_login)) {
                return true;
            }
            let beside = first.as_deref().filter(|_| Some(entry.span()) != key_at);
            let own = entry.name().map(|name| name.text.into_owned());
            let other = named.as_deref().filter(|_| own.as_deref() == Some("value"));
            let keys = [Some(&*name), beside, own.as_deref(), other];
            let of_command = is_command && is_secret_argument(*entry);
            of_command
                || keys
                    .into_iter()
                    .flatten()
                    .any(|key| looks_secret(key, *entry))
        })
        .map(value_of)
}

fn name_of(node: Node<'_>) -> Secret {
    Secret {
        span: node.name_span(),
        text: Some(node.name().into_owned()),
    }
}

fn value_of(entry: Entry<'_>) -> Secret {
    let text = match entry.value() {
        Value::String(text) => Some(text.into_owned()),
        Value::Integer(_) | Value::Decimal(_) | Value::Bool(_) | Value::Null | Value::Invalid => {
            None
        }
    };
    Secret {
        span: entry.value_span(),
        text,
    }
}

fn is_secret_argument(entry: Entry<'_>) -> bool {
    is_text(entry, |text| credential::sign_of_argument(text).is_some())
}

/// Of two arguments of a command: `"--token" "…"`.
fn is_secret_after(option: Entry<'_>, entry: Entry<'_>) -> bool {
    is_text(option, |option| {
        is_text(entry, |text| {
            credential::sign_after_option(option, text).is_some()
        })
    })
}

/// `key=NAME value=…`, as other platforms write a variable.
fn key_beside_value(node: Node<'_>) -> Option<String> {
    let is_key = |entry: &Entry<'_>| {
        entry
            .name()
            .is_some_and(|name| matches!(&*name.text, "key" | "name"))
    };
    match node.entries().find(is_key)?.value() {
        Value::String(text) => Some(text.into_owned()),
        Value::Integer(_) | Value::Decimal(_) | Value::Bool(_) | Value::Null | Value::Invalid => {
            None
        }
    }
}

fn is_text(entry: Entry<'_>, holds: impl Fn(&str) -> bool) -> bool {
    match entry.value() {
        Value::String(text) => holds(&text),
        Value::Integer(_) | Value::Decimal(_) | Value::Bool(_) | Value::Null | Value::Invalid => {
            false
        }
    }
}

/// Bytes of a name that is judged.
const LONGEST_KEY: usize = 256;

fn looks_secret(key: &str, entry: Entry<'_>) -> bool {
    let text = match entry.value() {
        Value::String(text) => text,
        Value::Integer(_) | Value::Decimal(_) | Value::Invalid => entry.raw().into(),
        Value::Bool(_) | Value::Null => return false,
    };
    match entry.ty().and_then(|ty| Annotation::parse(&ty.text)) {
        // Its references stand open for all to read; what stands between them may not.
        Some(Annotation::Template) if template::parse(&text).1.is_empty() => {
            let whole = !text.contains('{') && credential::sign(key, &text).is_some();
            whole || credential::sign_of_value(&text).is_some()
        }
        // What is no name may be the secret.
        Some(Annotation::Secret) => {
            SecretName::new(text.as_ref()).is_err() && text.len() >= SHORTEST
        }
        Some(Annotation::Ref) if Reference::parse(&text).is_ok() => false,
        Some(Annotation::Generate) if text == Generator::Bytes32.as_str() => false,
        Some(Annotation::Template | Annotation::Ref | Annotation::Generate) | None => {
            credential::sign(key, &text).is_some()
        }
    }
}

/// Bytes of a secret's name that could be the secret itself.
const SHORTEST: usize = 4;
