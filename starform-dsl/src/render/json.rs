//! Diagnostics as JSON of the shape `schemas/diagnostic.v1.json`.
//! Pure. Lines and columns count from 1, columns in characters; an end is the place after the last character.
//! Read on in the schema for what each field means.

use serde::Serialize;

use super::{Counts, counts, escaped};
use crate::diag::{Diagnostic, Edit, Fix};
use crate::source::{SourceTree, Span};

/// One object on several lines, with a newline at the end.
pub fn json(sources: &SourceTree, diagnostics: &[Diagnostic]) -> String {
    let Counts { errors, warnings } = counts(diagnostics);
    let diagnostics = diagnostics
        .iter()
        .map(|diagnostic| object(sources, diagnostic))
        .collect();
    let report = Report {
        diagnostics,
        errors,
        warnings,
    };
    let text = serde_json::to_string_pretty(&report).expect("strings and numbers are always JSON");
    let mut text = escaped(&text);
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Report<'a> {
    diagnostics: Vec<Object<'a>>,
    errors: usize,
    warnings: usize,
}

#[derive(Serialize)]
struct Object<'a> {
    code: String,
    severity: &'static str,
    title: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
    label: &'a str,
    labels: Vec<LabelObject<'a>>,
    notes: &'a [String],
    help: Option<&'a str>,
    fixes: Vec<FixObject<'a>>,
    node_path: &'a str,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Serialize)]
struct LabelObject<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    text: &'a str,
}

#[derive(Serialize)]
struct FixObject<'a> {
    title: &'a str,
    applicability: &'static str,
    edits: Vec<EditObject<'a>>,
}

#[derive(Serialize)]
struct EditObject<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    text: &'a str,
}

fn object<'a>(sources: &'a SourceTree, diagnostic: &'a Diagnostic) -> Object<'a> {
    let labels = diagnostic.labels.iter();
    Object {
        code: diagnostic.code.to_string(),
        severity: diagnostic.severity.word(),
        title: &diagnostic.title,
        place: place(sources, diagnostic.primary.span),
        label: &diagnostic.primary.text,
        labels: labels
            .map(|label| LabelObject {
                place: place(sources, label.span),
                text: &label.text,
            })
            .collect(),
        notes: &diagnostic.notes,
        help: diagnostic.help.as_deref(),
        fixes: diagnostic
            .fixes
            .iter()
            .map(|fix| fix_object(sources, fix))
            .collect(),
        node_path: &diagnostic.node_path,
    }
}

fn fix_object<'a>(sources: &'a SourceTree, fix: &'a Fix) -> FixObject<'a> {
    let edit = |edit: &'a Edit| EditObject {
        place: place(sources, edit.span),
        text: &edit.text,
    };
    FixObject {
        title: &fix.title,
        applicability: fix.applicability.word(),
        edits: fix.edits.iter().map(edit).collect(),
    }
}

fn place(sources: &SourceTree, span: Span) -> Place<'_> {
    let file = sources.file(span.file);
    let (start, end) = (
        file.position(span.range.start()),
        file.position(span.range.end()),
    );
    Place {
        file: file.path(),
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
    }
}
