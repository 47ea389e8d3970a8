//! What may be typed between the braces of variables: keys, annotations, and references inside values.
//! Pure. Values of variables are never offered, so no secret is; names of secrets are.
//! Read on in `completion` for everything else.

use std::collections::BTreeSet;

use starform_contract::{SecretName, ServiceKind};

use super::Analysis;
use super::completion::{Completion, CompletionKind, Insertion, own_name, snippet};
use super::cursor::{Cursor, Head, Part, Quotes};
use super::index::{NameKind, Symbol};
use super::scope::walk;
use super::snippet;
use super::values::{self, Sort};
use crate::project::Model;
use crate::source::Span;
use crate::syntax::{TextRange, Value};
use crate::vars::{Annotation, Generator, Output, credential};

/// What stands after an annotation as a snippet, and what it means.
fn written(annotation: Annotation) -> (&'static str, &'static str) {
    match annotation {
        Annotation::Ref => (
            "\"${1:service.output}\"",
            "An output of a service, such as `catalog.private-url`.",
        ),
        Annotation::Template => (
            "\"$1\"",
            "Text with outputs in it, such as `https://{self.public-host}/`.",
        ),
        Annotation::Secret => (
            "${1:name}",
            "The name of a secret that is kept outside of the file: `starform secret set` gives it a value, for each environment by itself.",
        ),
        Annotation::Generate => (
            "bytes32",
            "A value that is made once in each environment and kept: 32 random bytes, as 43 characters of base64url.",
        ),
    }
}

/// What an annotation means.
pub(crate) fn annotation_doc(word: &str) -> Option<&'static str> {
    Some(written(Annotation::parse(word)?).1)
}

/// Keys that other places give and this block does not.
pub(super) fn keys(
    analysis: &Analysis,
    cursor: &Cursor<'_>,
    present: &BTreeSet<String>,
) -> Vec<Completion> {
    let mut seen = BTreeSet::new();
    analysis
        .index
        .declared(NameKind::Variable)
        .filter(|symbol| !present.contains(&symbol.name) && !is_typed(analysis, cursor, symbol))
        .filter(|symbol| seen.insert(symbol.name.as_str()))
        .map(|symbol| Completion {
            label: symbol.name.clone(),
            kind: CompletionKind::Name(NameKind::Variable),
            detail: owner(symbol),
            doc: String::new(),
            edit: snippet(cursor.word, snippet::of_variable(&symbol.name)),
            sort: "2".to_owned(),
        })
        .collect()
}

/// Whether a key is declared nowhere but at the cursor.
fn is_typed(analysis: &Analysis, cursor: &Cursor<'_>, symbol: &Symbol) -> bool {
    let mut declarations = analysis.index.declarations(symbol);
    let file = cursor.cst.file();
    declarations.all(|found| found.span == Span::new(file, cursor.word.range))
}

/// `var-group shared`
fn owner(symbol: &Symbol) -> String {
    symbol.owner.as_ref().map_or_else(String::new, |owner| {
        format!("{} {}", owner.kind.title(), owner.name)
    })
}

/// The value of a variable.
pub(super) fn values(analysis: &Analysis, cursor: &Cursor<'_>, head: &Head<'_>) -> Vec<Completion> {
    if let Part::Annotation(_) = cursor.part {
        return annotation_names(cursor, head.name);
    }
    match (head.annotation, head.annotation.and_then(Annotation::parse)) {
        (_, _) if head.args > 0 => Vec::new(),
        (None, _) if cursor.word.quotes == Quotes::None => literals(cursor, head.name),
        (_, Some(Annotation::Ref)) => references(analysis, cursor, whole_word(cursor)),
        (_, Some(Annotation::Template)) => template(analysis, cursor),
        (_, Some(Annotation::Secret)) => {
            let names = secrets(analysis, cursor).into_iter();
            let names =
                names.map(|name| values::candidate(&name, Annotation::Secret.as_str(), Sort::Word));
            super::completion::offer(cursor.word, names.collect())
        }
        (_, Some(Annotation::Generate)) => {
            let made = values::candidate(Generator::Bytes32.as_str(), "", Sort::Word);
            super::completion::offer(cursor.word, vec![made])
        }
        (None | Some(_), None) => Vec::new(),
    }
}

/// The rank of an annotation for a key: a key that is called like a credential takes a secret first.
fn rank(rank: usize, annotation: Annotation, key: &str) -> usize {
    if annotation == Annotation::Secret && credential::key_says_so(key) {
        0
    } else {
        rank
    }
}

/// The names of the project's secrets, without the one that is being typed.
fn secrets(analysis: &Analysis, cursor: &Cursor<'_>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for parse in analysis.project.parses.values() {
        for visit in walk(&parse.cst, analysis.top(parse.cst.file())) {
            let args = visit.node.args().filter(|arg| {
                let here = arg.value_span().range.contains(cursor.word.range.start());
                arg.ty()
                    .is_some_and(|ty| Annotation::parse(&ty.text) == Some(Annotation::Secret))
                    && !(here && parse.cst.file() == cursor.cst.file())
            });
            names.extend(args.filter_map(|arg| {
                match arg.value() {
                    Value::String(name) => SecretName::new(name.as_ref())
                        .ok()
                        .map(|_| name.into_owned()),
                    Value::Integer(_)
                    | Value::Decimal(_)
                    | Value::Bool(_)
                    | Value::Null
                    | Value::Invalid => None,
                }
            }));
        }
    }
    names
}

/// Annotations with a place for their text, and the words of KDL.
fn literals(cursor: &Cursor<'_>, key: &str) -> Vec<Completion> {
    let annotations = (1..).zip(Annotation::ALL).map(|(place, annotation)| {
        let rank = rank(place, annotation, key);
        let (name, (value, doc)) = (annotation.as_str(), written(annotation));
        let text = format!("({name}){value}");
        Completion {
            label: format!("({name})"),
            kind: CompletionKind::Annotation,
            detail: String::new(),
            doc: doc.to_owned(),
            edit: snippet(cursor.word, text),
            sort: format!("1{rank}"),
        }
    });
    let words = ["#true", "#false", "#null"].map(values::keyword);
    let words = super::completion::offer(cursor.word, words.into());
    let words = words.into_iter().map(|word| Completion {
        sort: format!("2{}", word.sort),
        ..word
    });
    annotations.chain(words).collect()
}

/// What may stand between the parentheses.
fn annotation_names(cursor: &Cursor<'_>, key: &str) -> Vec<Completion> {
    let after = cursor.word.range.end() as usize;
    let closed = cursor.cst.text()[after..].starts_with(')');
    (1..)
        .zip(Annotation::ALL)
        .map(|(place, annotation)| Completion {
            label: annotation.as_str().to_owned(),
            kind: CompletionKind::Annotation,
            detail: String::new(),
            doc: written(annotation).1.to_owned(),
            edit: Insertion {
                range: cursor.word.range,
                text: format!("{}{}", annotation.as_str(), if closed { "" } else { ")" }),
                snippet: false,
            },
            sort: format!("1{}", rank(place, annotation, key)),
        })
        .collect()
}

/// Where a reference is written, and what must be written around it.
struct Site {
    range: TextRange,
    before: &'static str,
    after: &'static str,
}

fn whole_word(cursor: &Cursor<'_>) -> Site {
    let (before, after) = match cursor.word.quotes {
        Quotes::None => ("\"", "\""),
        Quotes::Closed => ("", ""),
        Quotes::Open => ("", "\""),
    };
    Site {
        range: cursor.word.range,
        before,
        after,
    }
}

/// Inside the braces of a template.
fn template(analysis: &Analysis, cursor: &Cursor<'_>) -> Vec<Completion> {
    let word = cursor.word;
    if word.quotes == Quotes::None {
        return Vec::new();
    }
    let text = cursor.cst.text();
    let before = &text[word.range.start() as usize..word.offset as usize];
    let Some(open) = open_brace(before) else {
        return Vec::new();
    };
    let after = &text[word.offset as usize..word.range.end() as usize];
    let rest = after
        .find(|c: char| c == '}' || c == '{' || c.is_whitespace())
        .unwrap_or(after.len());
    let closed = after[rest..].starts_with('}');
    let offset = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let start = word.range.start() + offset(open + 1);
    let site = Site {
        range: TextRange::new(start, word.offset + offset(if closed { rest } else { 0 })),
        before: "",
        after: if closed { "" } else { "}" },
    };
    references(analysis, cursor, site)
}

/// The last `{` that opens a reference and is not closed.
fn open_brace(text: &str) -> Option<usize> {
    let mut open = None;
    let mut at = 0;
    while let Some(offset) = text[at..].find(['{', '}']) {
        let brace = at + offset;
        let double =
            open.is_none() && (text[brace..].starts_with("{{") || text[brace..].starts_with("}}"));
        if double {
            at = brace + 2;
            continue;
        }
        open = text[brace..].starts_with('{').then_some(brace);
        at = brace + 1;
    }
    open
}

/// Every output of every service.
fn references(analysis: &Analysis, cursor: &Cursor<'_>, site: Site) -> Vec<Completion> {
    let Some(model) = &analysis.project.model else {
        return Vec::new();
    };
    let own = cursor.scope.kind;
    let own_name = own.and_then(|_| own_name(cursor));
    let mut found = Vec::new();
    for output in own.map_or(&[][..], Output::of) {
        found.push(reference(&site, "self", *output, own, 0));
    }
    for (name, kind) in serving(model) {
        if own_name.as_deref() != Some(name) {
            for output in Output::of(kind) {
                found.push(reference(&site, name, *output, Some(kind), 1));
            }
        }
    }
    found
}

fn serving(model: &Model) -> impl Iterator<Item = (&str, ServiceKind)> {
    let services = model.services.iter();
    services.map(|(name, service)| (name.as_str(), service.kind.kind()))
}

fn reference(
    site: &Site,
    service: &str,
    output: Output,
    kind: Option<ServiceKind>,
    rank: u8,
) -> Completion {
    let label = format!("{service}.{}", output.as_str());
    Completion {
        kind: CompletionKind::Output,
        detail: kind.map_or_else(String::new, |kind| format!("{} service", kind.as_str())),
        doc: output_doc(output).to_owned(),
        edit: Insertion {
            range: site.range,
            text: format!("{}{label}{}", site.before, site.after),
            snippet: false,
        },
        sort: format!("{rank}{label}"),
        label,
    }
}

/// What an output is.
pub(super) fn output_doc(output: Output) -> &'static str {
    match output {
        Output::Host => "The service's host name inside the cluster.",
        Output::Port => "The number of its first port.",
        Output::HostPort => "Host name and first port, as `host:port`.",
        Output::PrivateUrl => "The address inside the cluster, with scheme and port.",
        Output::PublicHost => {
            "The host that the outside reaches: its first domain, else the platform's."
        }
        Output::PublicUrl => "The address that the outside reaches, with `https://`.",
    }
}
