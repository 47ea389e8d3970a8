//! What may be typed at an offset: nodes, properties and values that hold there, and nothing else.
//! Pure. Only what goes on with the letters already typed; what needs quotes comes with them.
//! Read on in `cursor` (where), `values` (what values), `variables` (between `vars` braces) and `snippet` (what is inserted).

use std::collections::{BTreeMap, BTreeSet};

use super::Analysis;
use super::cursor::{self, Cursor, Head, Part, Quotes, Word};
use super::index::NameKind;
use super::names;
use super::snippet;
use super::values::{self, Candidate, Sort};
use super::variables;
use crate::compile::ROOT_FILE;
use crate::project::GoneKind;
use crate::reference::words;
use crate::source::FileId;
use crate::syntax::{self, TextRange, Value};
use crate::table::{self, ArgSpec, NameOf, NodeName, NodeSpec, Repeat, RootNode, Type, Word as _};

/// One thing that may be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    pub label: String,
    pub kind: CompletionKind,
    /// A few words beside the label.
    pub detail: String,
    /// Sentences; may be empty.
    pub doc: String,
    pub edit: Insertion,
    /// Completions are shown in the order of this text.
    pub sort: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CompletionKind {
    Node,
    Property,
    /// A word of the language.
    Word,
    /// A value that serves as an example.
    Example,
    Name(NameKind),
    /// `(ref)` and the like.
    Annotation,
    /// What a reference stands for.
    Output,
}

/// Replaces a range by a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insertion {
    pub range: TextRange,
    pub text: String,
    /// The text is a snippet of the Language Server Protocol.
    pub snippet: bool,
}

/// What may stand at an offset, the best first.
pub fn completions(analysis: &Analysis, file: FileId, offset: u32) -> Vec<Completion> {
    let Some(cursor) = cursor::find(analysis, file, offset) else {
        return Vec::new();
    };
    let found = match &cursor.part {
        Part::Name => nodes(analysis, &cursor),
        Part::Entry(head) | Part::Annotation(head) if cursor.scope.is_variable(head.name) => {
            variables::values(analysis, &cursor, head)
        }
        Part::Entry(head) => entries(analysis, &cursor, head),
        Part::Value(head, name) => property_values(analysis, &cursor, head, name),
        Part::Annotation(_) => Vec::new(),
    };
    ranked(found, &cursor)
}

/// Files for an `include` at an offset, of those below the root file's folder; `None` where none is written there.
/// Those of the project are left out, and a folder of several is offered as a pattern first.
pub fn include_paths(
    analysis: &Analysis,
    file: FileId,
    offset: u32,
    below: impl FnOnce() -> Vec<String>,
) -> Option<Vec<Completion>> {
    let cursor = cursor::find(analysis, file, offset)?;
    let Part::Entry(head) = &cursor.part else {
        return None;
    };
    let arg = cursor.scope.spec(head.name)?.args.at(head.args)?;
    if arg.ty != Type::IncludeGlob {
        return None;
    }
    let known: BTreeSet<&str> = analysis
        .files()
        .map(|file| analysis.sources.file(file).path())
        .collect();
    let mut files = below();
    files.retain(|path| path != ROOT_FILE && !known.contains(path.as_str()));
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for path in &files {
        if let Some((folder, _)) = path.rsplit_once('/') {
            *folders.entry(folder).or_default() += 1;
        }
    }
    let patterns = folders.into_iter().filter(|(_, count)| *count > 1);
    let patterns = patterns.map(|(folder, count)| {
        let detail = format!("{count} files");
        values::candidate(&format!("{folder}/*.kdl"), &detail, Sort::Word)
    });
    let single = |path: &String| values::candidate(path, "file", Sort::Word);
    let candidates = patterns.chain(files.iter().map(single)).collect();
    Some(ranked(offer(cursor.word, candidates), &cursor))
}

/// Those that go on with what is typed, the nearest first.
fn ranked(mut found: Vec<Completion>, cursor: &Cursor<'_>) -> Vec<Completion> {
    found.retain_mut(|completion| {
        let typed = TextRange::new(completion.edit.range.start(), cursor.word.offset);
        let nearness = nearness(&cursor.cst.text()[typed.as_range()], &completion.label);
        if let Some(nearness) = nearness {
            completion.sort.insert(0, nearness);
        }
        nearness.is_some()
    });
    found.sort_by(|a, b| (&a.sort, &a.label).cmp(&(&b.sort, &b.label)));
    found
}

/// A project may be written many times, so that a second one can be refused; one is offered.
const PROJECT: NodeName = RootNode::Project.node();

/// Nodes that may stand in the block, and keys of variables.
fn nodes(analysis: &Analysis, cursor: &Cursor<'_>) -> Vec<Completion> {
    if cursor.word.quotes != Quotes::None {
        return Vec::new();
    }
    let present = present(cursor);
    let missing = |spec: &&NodeSpec| {
        cursor.scope.admits(spec)
            && spec.availability.is_usable()
            && (spec.repeat == Repeat::Many || !is_present(&present, spec))
            && !(spec.node == PROJECT && present.contains(PROJECT.as_str()))
    };
    let rows = (1..)
        .zip(table::nodes().filter(missing))
        .map(|(rank, spec)| node(cursor, rank, spec));
    let mut found: Vec<Completion> = rows.collect();
    if cursor.scope.variables {
        found.extend(variables::keys(analysis, cursor, &present));
    }
    found
}

fn node(cursor: &Cursor<'_>, rank: usize, spec: &NodeSpec) -> Completion {
    Completion {
        label: spec.name().to_owned(),
        kind: CompletionKind::Node,
        detail: spec.form.to_owned(),
        doc: format!("{}\n\nLeft out: {}.", spec.doc, spec.default),
        edit: snippet(cursor.word, snippet::of_node(spec)),
        sort: format!("1{rank:03}"),
    }
}

/// Names of the nodes that stand in the block already, without the one that is being typed.
fn present(cursor: &Cursor<'_>) -> BTreeSet<String> {
    let siblings = match cursor.around.last() {
        Some(parent) => parent.node.children(),
        None => Some(cursor.cst.nodes()),
    };
    siblings
        .into_iter()
        .flatten()
        .filter(|node| node.name_span().range.start() != cursor.word.range.start())
        .map(|node| node.name().into_owned())
        .collect()
}

/// Whether the block holds the node or one that shares its slot.
fn is_present(present: &BTreeSet<String>, spec: &NodeSpec) -> bool {
    let shared = |rival: &&NodeSpec| rival.node.slot() == spec.node.slot();
    table::nodes()
        .filter(shared)
        .any(|rival| present.contains(rival.name()))
}

/// Arguments and names of properties.
fn entries(analysis: &Analysis, cursor: &Cursor<'_>, head: &Head<'_>) -> Vec<Completion> {
    let Some(spec) = cursor.scope.spec(head.name) else {
        return Vec::new();
    };
    let mut found = arguments(analysis, cursor, head, spec);
    if cursor.word.quotes == Quotes::None && head.annotation.is_none() {
        found.extend(properties(cursor, head, spec));
    }
    found
}

fn arguments(
    analysis: &Analysis,
    cursor: &Cursor<'_>,
    head: &Head<'_>,
    spec: &NodeSpec,
) -> Vec<Completion> {
    let Some(arg) = spec.args.at(head.args) else {
        return Vec::new();
    };
    let mut candidates = values::of(&analysis.index, spec, arg.ty);
    let given = given(cursor, head, arg);
    candidates.retain(|candidate| !given.contains(&candidate.text));
    let typed = &cursor.cst.text()[cursor.word.range.as_range()];
    if arg.ty == Type::FormerName
        && given.contains(GoneKind::Volume.as_str())
        && !typed.contains('.')
    {
        candidates.extend(values::owners(&analysis.index));
    }
    if spec.unset && head.args == 0 && head.node.is_none_or(|node| node.props().count() == 0) {
        candidates.push(Candidate {
            detail: "takes back what a lower layer says".to_owned(),
            ..values::keyword("#null")
        });
    }
    offer(cursor.word, candidates)
}

/// Arguments of the node but the one that is being typed, and the service around it.
fn given(cursor: &Cursor<'_>, head: &Head<'_>, arg: ArgSpec) -> BTreeSet<String> {
    let args = head.node.into_iter().flat_map(|node| node.args());
    let mut given: BTreeSet<String> = args
        .filter(|arg| {
            let span = arg.value_span().range;
            !(span.start() <= cursor.word.offset && cursor.word.offset <= span.end())
        })
        .filter_map(|arg| match arg.value() {
            Value::String(text) => Some(text.into_owned()),
            Value::Integer(_)
            | Value::Decimal(_)
            | Value::Bool(_)
            | Value::Null
            | Value::Invalid => None,
        })
        .collect();
    // No service lets itself in or runs the image of itself.
    if arg.ty == Type::Reference(NameOf::Service) {
        given.extend(own_name(cursor));
    }
    given
}

/// The name of the service around the cursor.
pub(super) fn own_name(cursor: &Cursor<'_>) -> Option<String> {
    let service = cursor
        .around
        .iter()
        .find_map(|visit| names::declared(*visit));
    service
        .filter(|(kind, _)| *kind == NameKind::Service)
        .map(|(_, name)| name)
}

fn properties<'c>(
    cursor: &'c Cursor<'_>,
    head: &'c Head<'_>,
    spec: &'static NodeSpec,
) -> impl Iterator<Item = Completion> {
    let taken: BTreeSet<String> = head
        .node
        .into_iter()
        .flat_map(|node| node.props())
        .filter_map(|prop| prop.name())
        .filter(|name| name.span.range.start() != cursor.word.range.start())
        .map(|name| name.text.into_owned())
        .collect();
    (1..)
        .zip(spec.props)
        .filter(|(_, prop)| prop.availability.is_usable())
        .filter(move |(_, prop)| !taken.contains(prop.name))
        .map(|(rank, prop)| Completion {
            label: format!("{}=", prop.name),
            kind: CompletionKind::Property,
            detail: words::value(prop.ty),
            doc: prop.doc.to_owned(),
            edit: snippet(cursor.word, snippet::of_property(prop)),
            sort: format!("{}{rank:03}", if prop.required { 2 } else { 3 }),
        })
}

fn property_values(
    analysis: &Analysis,
    cursor: &Cursor<'_>,
    head: &Head<'_>,
    name: &str,
) -> Vec<Completion> {
    let prop = cursor.scope.spec(head.name).and_then(|spec| {
        let prop = spec.prop(name)?;
        Some(values::of(&analysis.index, spec, prop.ty))
    });
    offer(cursor.word, prop.unwrap_or_default())
}

/// The candidates as they are written at the word.
pub(super) fn offer(word: Word, candidates: Vec<Candidate>) -> Vec<Completion> {
    (1..)
        .zip(candidates)
        .filter(|(_, candidate)| !candidate.keyword || word.quotes == Quotes::None)
        .map(|(rank, candidate)| Completion {
            kind: match candidate.sort {
                Sort::Word => CompletionKind::Word,
                Sort::Name(kind) => CompletionKind::Name(kind),
                Sort::Example => CompletionKind::Example,
            },
            edit: Insertion {
                range: word.range,
                text: written(&candidate, word.quotes),
                snippet: false,
            },
            label: candidate.text,
            detail: candidate.detail,
            doc: String::new(),
            sort: format!("1{rank:04}"),
        })
        .collect()
}

/// A value with the quotes that it needs and the word has not.
fn written(candidate: &Candidate, quotes: Quotes) -> String {
    let text = &candidate.text;
    match quotes {
        Quotes::None if candidate.keyword || syntax::is_bare(text) => text.clone(),
        Quotes::None => syntax::quoted(text),
        Quotes::Closed => text.clone(),
        Quotes::Open => format!("{text}\""),
    }
}

pub(super) fn snippet(word: Word, text: String) -> Insertion {
    Insertion {
        range: word.range,
        text,
        snippet: true,
    }
}

/// How well a label goes on with what is typed, case aside: `0` if it begins so, `1` if the letters occur
/// in this order, `None` if not.
fn nearness(typed: &str, label: &str) -> Option<char> {
    let fold = |text: &str| {
        text.chars()
            .flat_map(char::to_lowercase)
            .collect::<String>()
    };
    let (typed, label) = (fold(typed), fold(label));
    if label.starts_with(&typed) {
        return Some('0');
    }
    let mut rest = label.chars();
    let occurs = typed
        .chars()
        .all(|letter| rest.any(|other| other == letter));
    occurs.then_some('1')
}
