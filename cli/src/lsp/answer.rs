//! Answers of the language's `ide` in the words of the Language Server Protocol.
//!
//! Pure.

use std::collections::HashMap;

use lsp_types as lsp;
use starform_dsl::{
    diag::{Applicability, Diagnostic, Edit, Severity},
    ide::{
        self, Completion, CompletionKind, EditorPosition, Fold, FoldKind, Modifiers, NameKind,
        OutlineKind, OutlineNode, SemanticToken, TokenClass,
    },
    source::{FileId, SourceFile, Span},
};

use super::{
    client::Client,
    documents::Project,
    position::{self, Encoding},
};
use crate::sources::SourceError;

/// Every type that [`token_type`] gives; a token names its type by the position in this list.
pub(super) const TOKEN_TYPES: [lsp::SemanticTokenType; 12] = [
    lsp::SemanticTokenType::COMMENT,
    lsp::SemanticTokenType::KEYWORD,
    lsp::SemanticTokenType::PROPERTY,
    lsp::SemanticTokenType::DECORATOR,
    lsp::SemanticTokenType::NAMESPACE,
    lsp::SemanticTokenType::STRUCT,
    lsp::SemanticTokenType::CLASS,
    lsp::SemanticTokenType::VARIABLE,
    lsp::SemanticTokenType::STRING,
    lsp::SemanticTokenType::NUMBER,
    lsp::SemanticTokenType::ENUM_MEMBER,
    lsp::SemanticTokenType::OPERATOR,
];

/// A token has the bit of each of its modifiers' positions in this list.
pub(super) const TOKEN_MODIFIERS: [lsp::SemanticTokenModifier; 2] = [
    lsp::SemanticTokenModifier::DECLARATION,
    lsp::SemanticTokenModifier::DEPRECATED,
];

pub(super) fn location(project: &Project, encoding: Encoding, span: Span) -> Option<lsp::Location> {
    let file = project.analysis.sources().file(span.file);
    Some(lsp::Location::new(
        project.address(span.file)?,
        encoding.range(file, span.range),
    ))
}

pub(super) fn diagnostic(
    project: &Project,
    encoding: Encoding,
    said: &Diagnostic,
) -> lsp::Diagnostic {
    let file = project.analysis.sources().file(said.primary.span.file);
    let labels = said.labels.iter().filter_map(|label| {
        Some(lsp::DiagnosticRelatedInformation {
            location: location(project, encoding, label.span)?,
            message: label.text.clone(),
        })
    });
    let lines: Vec<&str> = [said.title.as_str()]
        .into_iter()
        .chain(said.notes.iter().map(String::as_str))
        .chain(said.help.as_deref())
        .collect();
    lsp::Diagnostic {
        range: encoding.range(file, said.primary.span.range),
        severity: Some(match said.severity {
            Severity::Error => lsp::DiagnosticSeverity::ERROR,
            Severity::Warning => lsp::DiagnosticSeverity::WARNING,
        }),
        code: Some(lsp::NumberOrString::String(said.code.to_string())),
        source: Some("starform".to_owned()),
        message: lines.join("\n"),
        related_information: Some(labels.collect()),
        ..lsp::Diagnostic::default()
    }
}

/// Why a file that is included is not read, said at its beginning.
pub(super) fn unread(error: &SourceError) -> lsp::Diagnostic {
    lsp::Diagnostic {
        severity: Some(lsp::DiagnosticSeverity::ERROR),
        code: Some(lsp::NumberOrString::String(error.code().to_string())),
        source: Some("starform".to_owned()),
        message: error.to_string(),
        ..lsp::Diagnostic::default()
    }
}

/// Edits of one or several files.
pub(super) fn workspace_edit(
    project: &Project,
    encoding: Encoding,
    edits: &[Edit],
) -> Option<lsp::WorkspaceEdit> {
    let mut changes: HashMap<lsp::Url, Vec<lsp::TextEdit>> = HashMap::new();
    for edit in edits {
        let file = project.analysis.sources().file(edit.span.file);
        let range = encoding.range(file, edit.span.range);
        changes
            .entry(project.address(edit.span.file)?)
            .or_default()
            .push(lsp::TextEdit::new(range, edit.text.clone()));
    }
    Some(lsp::WorkspaceEdit::new(changes))
}

/// Edits of one file in the order of its text.
pub(super) fn text_edits(
    file: &SourceFile,
    encoding: Encoding,
    edits: Vec<Edit>,
) -> Vec<lsp::TextEdit> {
    let mut along = encoding.along(file);
    let mut position = |offset| position::of_editor(along.position(offset));
    let edits = edits.into_iter().map(|edit| {
        let range = edit.span.range;
        let start = position(range.start());
        lsp::TextEdit::new(lsp::Range::new(start, position(range.end())), edit.text)
    });
    edits.collect()
}

pub(super) fn action(
    project: &Project,
    encoding: Encoding,
    found: &starform_dsl::ide::Action<'_>,
) -> Option<lsp::CodeActionOrCommand> {
    Some(lsp::CodeActionOrCommand::CodeAction(lsp::CodeAction {
        title: found.fix.title.clone(),
        kind: Some(lsp::CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![diagnostic(project, encoding, found.diagnostic)]),
        edit: Some(workspace_edit(project, encoding, &found.fix.edits)?),
        is_preferred: Some(found.fix.applicability == Applicability::Safe),
        ..lsp::CodeAction::default()
    }))
}

/// What an action changes: known, or found out from these data when it is chosen.
pub(super) enum Edits {
    Now(lsp::WorkspaceEdit),
    Later(serde_json::Value),
}

/// All safe fixes at once.
pub(super) fn fix_all(edits: Edits) -> lsp::CodeActionOrCommand {
    let (edit, data) = match edits {
        Edits::Now(edit) => (Some(edit), None),
        Edits::Later(data) => (None, Some(data)),
    };
    lsp::CodeActionOrCommand::CodeAction(lsp::CodeAction {
        title: "apply all safe fixes of the project".to_owned(),
        kind: Some(lsp::CodeActionKind::SOURCE_FIX_ALL),
        edit,
        data,
        ..lsp::CodeAction::default()
    })
}

/// Whether a kind is the other or below it: `source.fixAll` is a kind of `source`.
pub(super) fn is_kind_of(kind: &lsp::CodeActionKind, other: &lsp::CodeActionKind) -> bool {
    let rest = kind.as_str().strip_prefix(other.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || other.as_str().is_empty())
}

pub(super) fn completion(
    file: &SourceFile,
    client: Client,
    found: Completion,
) -> lsp::CompletionItem {
    let kind = match found.kind {
        CompletionKind::Node => lsp::CompletionItemKind::KEYWORD,
        CompletionKind::Property => lsp::CompletionItemKind::PROPERTY,
        CompletionKind::Word => lsp::CompletionItemKind::ENUM_MEMBER,
        CompletionKind::Example => lsp::CompletionItemKind::VALUE,
        CompletionKind::Name(_) => lsp::CompletionItemKind::REFERENCE,
        CompletionKind::Annotation => lsp::CompletionItemKind::FUNCTION,
        CompletionKind::Output => lsp::CompletionItemKind::FIELD,
    };
    let (text, format) = match (found.edit.snippet, client.snippets) {
        (true, true) => (found.edit.text, lsp::InsertTextFormat::SNIPPET),
        (true, false) => (
            ide::plain(&found.edit.text),
            lsp::InsertTextFormat::PLAIN_TEXT,
        ),
        (false, _) => (found.edit.text, lsp::InsertTextFormat::PLAIN_TEXT),
    };
    let text_edit = lsp::TextEdit::new(client.encoding.range(file, found.edit.range), text);
    lsp::CompletionItem {
        label: found.label,
        kind: Some(kind),
        detail: Some(found.detail).filter(|detail| !detail.is_empty()),
        documentation: (!found.doc.is_empty()).then_some(lsp::Documentation::MarkupContent(
            lsp::MarkupContent {
                kind: lsp::MarkupKind::Markdown,
                value: found.doc,
            },
        )),
        sort_text: Some(found.sort),
        // What is typed already stands under the edit, so an editor compares with that.
        filter_text: Some(file.text()[found.edit.range.as_range()].to_owned())
            .filter(|typed| typed.contains(['"', '/', '=', '('])),
        insert_text_format: Some(format),
        text_edit: Some(lsp::CompletionTextEdit::Edit(text_edit)),
        ..lsp::CompletionItem::default()
    }
}

/// Tokens in the protocol's relative form.
pub(super) fn tokens(
    file: &SourceFile,
    encoding: Encoding,
    found: &[SemanticToken],
) -> Vec<lsp::SemanticToken> {
    let mut last = EditorPosition::default();
    let mut along = encoding.along(file);
    let relative = |token: &SemanticToken| {
        let start = along.position(token.range.start());
        let delta_line = start.line - last.line;
        let delta_start = if delta_line == 0 {
            start.character - last.character
        } else {
            start.character
        };
        last = start;
        lsp::SemanticToken {
            delta_line,
            delta_start,
            length: encoding.len(&file.text()[token.range.as_range()]),
            token_type: position_in(&TOKEN_TYPES, &token_type(token.class)),
            token_modifiers_bitset: modifiers(token.modifiers),
        }
    };
    found.iter().map(relative).collect()
}

fn token_type(class: TokenClass) -> lsp::SemanticTokenType {
    match class {
        TokenClass::Comment => lsp::SemanticTokenType::COMMENT,
        TokenClass::Keyword => lsp::SemanticTokenType::KEYWORD,
        TokenClass::Property | TokenClass::Unknown | TokenClass::Output => {
            lsp::SemanticTokenType::PROPERTY
        }
        TokenClass::Annotation => lsp::SemanticTokenType::DECORATOR,
        TokenClass::Name(NameKind::Environment) => lsp::SemanticTokenType::NAMESPACE,
        TokenClass::Name(NameKind::Group | NameKind::Partial) => lsp::SemanticTokenType::STRUCT,
        TokenClass::Name(NameKind::Service) => lsp::SemanticTokenType::CLASS,
        TokenClass::Name(NameKind::Variable) => lsp::SemanticTokenType::VARIABLE,
        TokenClass::String => lsp::SemanticTokenType::STRING,
        TokenClass::Number => lsp::SemanticTokenType::NUMBER,
        TokenClass::Literal => lsp::SemanticTokenType::ENUM_MEMBER,
        TokenClass::Operator => lsp::SemanticTokenType::OPERATOR,
    }
}

fn modifiers(found: Modifiers) -> u32 {
    let bit = |set: bool, modifier: &lsp::SemanticTokenModifier| {
        u32::from(set) << position_in(&TOKEN_MODIFIERS, modifier)
    };
    bit(found.declaration, &lsp::SemanticTokenModifier::DECLARATION)
        | bit(found.unavailable, &lsp::SemanticTokenModifier::DEPRECATED)
}

fn position_in<T: PartialEq>(list: &[T], one: &T) -> u32 {
    let position = list.iter().position(|known| known == one);
    let position = position.expect("the list has all that a token may be");
    u32::try_from(position).expect("the list is short")
}

pub(super) fn fold(file: &SourceFile, found: Fold) -> Option<lsp::FoldingRange> {
    let first = file.line(found.range.start()) - 1;
    let last = file.line(found.range.end()) - 1;
    (first < last).then(|| lsp::FoldingRange {
        start_line: first,
        end_line: last,
        kind: Some(match found.kind {
            FoldKind::Block => lsp::FoldingRangeKind::Region,
            FoldKind::Comment => lsp::FoldingRangeKind::Comment,
        }),
        ..lsp::FoldingRange::default()
    })
}

#[allow(
    deprecated,
    reason = "the protocol's type has the field, so it must be named"
)]
pub(super) fn symbol(
    file: &SourceFile,
    encoding: Encoding,
    node: OutlineNode,
) -> lsp::DocumentSymbol {
    let children: Vec<_> = node
        .children
        .into_iter()
        .map(|child| symbol(file, encoding, child))
        .collect();
    lsp::DocumentSymbol {
        name: node.name,
        detail: Some(node.detail).filter(|detail| !detail.is_empty()),
        kind: match node.kind {
            OutlineKind::Project => lsp::SymbolKind::MODULE,
            OutlineKind::Name(NameKind::Environment) => lsp::SymbolKind::NAMESPACE,
            OutlineKind::Name(NameKind::Group | NameKind::Partial) => lsp::SymbolKind::STRUCT,
            OutlineKind::Name(NameKind::Service) => lsp::SymbolKind::CLASS,
            OutlineKind::Name(NameKind::Variable) => lsp::SymbolKind::VARIABLE,
            OutlineKind::Node => lsp::SymbolKind::PROPERTY,
        },
        tags: None,
        deprecated: None,
        range: encoding.range(file, node.span.range),
        selection_range: encoding.range(file, node.selection.range),
        children: Some(children).filter(|children| !children.is_empty()),
    }
}

/// Diagnostics by file of a project.
pub(super) fn by_file(project: &Project, file: FileId) -> impl Iterator<Item = &Diagnostic> {
    project
        .analysis
        .diagnostics()
        .iter()
        .filter(move |diagnostic| diagnostic.primary.span.file == file)
}
