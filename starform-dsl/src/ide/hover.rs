//! What stands under the pointer: a node or property of the language, or a name of the project.
//! Pure. Markdown; values that look secret are never repeated.
//! Read on in `crate::reference` for the words about the language.

use super::Analysis;
use super::index::{NameKind, Symbol};
use super::names;
use super::scope::walk;
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
    let cst = analysis.cst(file)?;
    let touches = |range: TextRange| range.start() <= offset && offset <= range.end();
    let visit = walk(cst, analysis.top(file))
        .take_while(|visit| visit.node.span().range.start() <= offset)
        .filter(|visit| touches(visit.node.head_span().range))
        .last()?;
    let node = visit.node;
    if let (true, Some(spec)) = (touches(node.name_span().range), visit.spec) {
        return Some(Hover {
            range: node.name_span().range,
            markdown: about_node(spec),
        });
    }
    let entry = node.entries().find(|entry| touches(entry.span().range));
    let on_name = |entry: &Entry<'_>| entry.name().is_some_and(|name| touches(name.span.range));
    if let (Some(spec), Some(entry)) = (visit.spec, entry.filter(on_name)) {
        let name = entry.name()?;
        return Some(Hover {
            range: name.span.range,
            markdown: about_property(spec, spec.prop(&name.text)?),
        });
    }
    if let Some((span, symbol)) = analysis.index.at(file, offset) {
        return Some(Hover {
            range: span.range,
            markdown: about_name(analysis, symbol),
        });
    }
    output(entry?, offset)
}

/// A row of the node table.
pub(super) fn about_node(spec: &NodeSpec) -> String {
    let mut text = format!("```kdl\n{}\n```\n\n{}", spec.form, spec.doc);
    if let Some(missing) = words::missing(spec.availability) {
        text.push_str(&format!("\n\n**{}**", capital(&missing)));
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
        spec.name,
        words::value(prop.ty),
        prop.doc
    );
    if let Some(missing) = words::missing(prop.availability) {
        text.push_str(&format!("\n\n**{}**", capital(&missing)));
    }
    text
}

fn about_name(analysis: &Analysis, symbol: &Symbol) -> String {
    let declarations: Vec<Span> = analysis
        .index
        .declarations(symbol)
        .map(|found| found.span)
        .collect();
    let mut text = format!("**{}** `{}`", symbol.kind.title(), symbol.name);
    if let (NameKind::Variable, Some(owner)) = (symbol.kind, &symbol.owner) {
        text.push_str(&format!(" of {} `{}`", owner.kind.title(), owner.name));
    }
    let places: Vec<String> = declarations
        .iter()
        .map(|span| {
            let file = analysis.sources.file(span.file);
            let position = file.position(span.range.start());
            format!("{}:{}:{}", file.path(), position.line, position.column)
        })
        .collect();
    match places.len() {
        0 => text.push_str("\n\nnot declared"),
        _ => text.push_str(&format!("\n\ndeclared at {}", places.join(", "))),
    }
    text
}

/// The output that a reference names.
fn output(entry: Entry<'_>, offset: u32) -> Option<Hover> {
    names::references(entry).into_iter().find_map(|found| {
        let range = found.range?;
        let reference = Reference::parse(&found.text).ok()?;
        (range.start() <= offset && offset <= range.end()).then(|| Hover {
            range,
            markdown: output_doc(reference.output).to_owned(),
        })
    })
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
