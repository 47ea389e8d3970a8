//! What stands under the pointer: a node or property of the language, or a name of the project.
//! Pure. Markdown; values that look secret are never repeated.
//! Read on in `resolved` for values by environment and in `crate::reference` for the words about the language.

use super::Analysis;
use super::cursor;
use super::index::{NameKind, Role, Symbol};
use super::names;
use super::resolved;
use super::scope::{Visit, walk};
use super::variables::output_doc;
use crate::reference::words;
use crate::source::{FileId, Span};
use crate::syntax::{Entry, TextRange};
use crate::table::{NodeSpec, PropSpec};
use crate::vars::Reference;

/// Words about a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    pub range: TextRange,
    pub markdown: String,
}

pub fn hover(analysis: &Analysis, file: FileId, offset: u32) -> Option<Hover> {
    // The place after the last character belongs to the word that is hovered over.
    let secret = |span: &Span| {
        let range = span.range;
        span.file == file && range.start() <= offset && offset <= range.end()
    };
    if analysis.secrets().iter().any(secret) {
        return None;
    }
    let cst = analysis.cst(file)?;
    let touches = |range: TextRange| range.start() <= offset && offset <= range.end();
    let visit = walk(cst, analysis.top(file))
        .take_while(|visit| visit.node.span().range.start() <= offset)
        .filter(|visit| touches(visit.node.head_span().range))
        .last()?;
    let node = visit.node;
    // `TOKEN:value` is one name to KDL.
    let named = node.name_span();
    let within = |span: &Span| {
        span.file == file
            && named.range.start() <= span.range.start()
            && span.range.end() <= named.range.end()
    };
    if touches(named.range) && analysis.secrets().iter().any(within) {
        return None;
    }
    let (_, around) = cursor::blocks(cst, analysis.top(file), offset);
    let holds = |part: Option<&str>| {
        let path = path(&around, visit, part)?;
        resolved::markdown(analysis, &path)
    };
    let entry = node.entries().find(|entry| touches(entry.span().range));
    let name = entry.and_then(Entry::name);
    let (range, words, holds) = if touches(node.name_span().range) && visit.spec.is_some() {
        let range = node.name_span().range;
        (range, visit.spec.map(about_node), holds(None))
    } else if let Some(name) = name.filter(|name| touches(name.span.range)) {
        let spec = visit.spec?;
        let words = about_property(spec, spec.prop(&name.text)?);
        (name.span.range, Some(words), holds(Some(&name.text)))
    } else if let Some((span, symbol)) = analysis.index.at(file, offset) {
        let variable = symbol.kind == NameKind::Variable;
        let holds = variable.then(|| holds(None)).flatten();
        (span.range, Some(about_name(analysis, symbol)), holds)
    } else {
        let (range, words) = output(entry?, offset)?;
        (range, Some(words), holds(None))
    };
    let parts: Vec<String> = words.into_iter().chain(holds).collect();
    Some(Hover {
        range,
        markdown: parts.join("\n\n"),
    })
}

/// What `crate::explain` calls a node, or a property of it: `web.api.scale.min`, `var-group.shared.LOG_LEVEL`.
/// `None` for what has no value of its own.
fn path(around: &[Visit<'_>], visit: Visit<'_>, part: Option<&str>) -> Option<String> {
    let top = around.iter().position(|visit| visit.scope.is_project())?;
    let (kind, name) = names::declared(around[top])?;
    match kind {
        NameKind::Service | NameKind::Group | NameKind::Environment => {}
        NameKind::Partial | NameKind::Variable => return None,
    }
    let inside = around[top + 1..].iter().map(|visit| visit.node.name());
    let own = visit.node.name();
    let segments: Vec<String> = [around[top].node.name(), name.into()]
        .into_iter()
        .chain(inside.filter(|name| name != "in"))
        .chain([own])
        .chain(part.map(Into::into))
        .map(std::borrow::Cow::into_owned)
        .collect();
    Some(segments.join("."))
}

/// A row of the node table.
pub(super) fn about_node(spec: &NodeSpec) -> String {
    let mut text = format!("```kdl\n{}\n```\n\n{}", spec.form, spec.doc);
    if let Some(missing) = words::missing(spec.availability) {
        text.push_str(&format!("\n\n**{}**", words::capital(&missing)));
    }
    text.push_str(&format!("\n\nLeft out: {}.", spec.default));
    if !spec.example.is_empty() {
        text.push_str(&format!("\n\n```kdl\n{}\n```", spec.example));
    }
    text
}

fn about_property(spec: &NodeSpec, prop: &PropSpec) -> String {
    let needed = if prop.required { ", needed" } else { "" };
    let mut text = format!(
        "`{}=` of `{}`: {}{needed}\n\n{}",
        prop.name,
        spec.name(),
        words::value(prop.ty),
        prop.doc
    );
    if let Some(missing) = words::missing(prop.availability) {
        text.push_str(&format!("\n\n**{}**", words::capital(&missing)));
    }
    text
}

fn about_name(analysis: &Analysis, symbol: &Symbol) -> String {
    let places = |role: Role| {
        let found = analysis.index.occurrences(symbol).iter();
        let places: Vec<String> = found
            .filter(|found| found.role == role)
            .map(|found| place(analysis, found.span))
            .collect();
        places.join(", ")
    };
    let mut text = format!("**{}** `{}`", symbol.kind.title(), symbol.name);
    if let (NameKind::Variable, Some(owner)) = (symbol.kind, &symbol.owner) {
        text.push_str(&format!(" of {} `{}`", owner.kind.title(), owner.name));
    }
    let (declared, former) = (places(Role::Declaration), places(Role::Former));
    text.push_str(&match (declared.as_str(), former.as_str()) {
        ("", "") => "\n\nnot declared".to_owned(),
        ("", former) => format!("\n\nnot declared any more: what was, at {former}"),
        (declared, _) => format!("\n\ndeclared at {declared}"),
    });
    text
}

fn place(analysis: &Analysis, span: Span) -> String {
    let file = analysis.sources.file(span.file);
    let position = file.position(span.range.start());
    format!("{}:{}:{}", file.path(), position.line, position.column)
}

/// The output that a reference names.
fn output(entry: Entry<'_>, offset: u32) -> Option<(TextRange, String)> {
    names::references(entry).into_iter().find_map(|found| {
        let range = found.range?;
        let reference = Reference::parse(&found.text).ok()?;
        let touched = range.start() <= offset && offset <= range.end();
        touched.then(|| (range, output_doc(reference.output).to_owned()))
    })
}
