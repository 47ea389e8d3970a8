//! The questions of an editor: each is read, asked of `starform_dsl::ide`, and answered.
//!
//! Effects: those of `documents`. Always holds: a file that is not known is answered with nothing, a
//! question that is not understood with an error.

use lsp_server::{ErrorCode, Request, Response};
use lsp_types::{
    self as lsp, Url,
    request::{
        CodeActionRequest, Completion, DocumentHighlightRequest, DocumentLinkRequest,
        DocumentSymbolRequest, FoldingRangeRequest, Formatting, GotoDefinition, HoverRequest,
        InlayHintRequest, PrepareRenameRequest, RangeFormatting, References, Rename, Request as _,
        SemanticTokensFullRequest,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use starform_dsl::{
    diag::{Applicability, Edit},
    fmt, ide,
    source::{FileId, SourceFile},
};

use super::{
    answer,
    documents::{Documents, Project},
    position::Encoding,
    refusal,
};

/// Why a question has no answer.
enum Refusal {
    Unknown(String),
    Params(serde_json::Error),
    Rename(ide::RenameError),
    Formatting(fmt::MeaningChanged),
}

/// A file of an analysed project, and how the editor counts.
struct Asked {
    project: std::sync::Arc<Project>,
    file: FileId,
    encoding: Encoding,
}

pub(super) fn answer(documents: &mut Documents, encoding: Encoding, request: Request) -> Response {
    let Request { id, method, params } = request;
    match dispatch(documents, encoding, &method, params) {
        Ok(result) => Response::new_ok(id, result),
        Err(Refusal::Unknown(method)) => {
            let message = format!("`{method}` is not known to this server");
            refusal(id, ErrorCode::MethodNotFound, message)
        }
        Err(Refusal::Params(error)) => refusal(id, ErrorCode::InvalidParams, error.to_string()),
        Err(Refusal::Rename(error)) => refusal(id, ErrorCode::RequestFailed, error.to_string()),
        Err(Refusal::Formatting(error)) => refusal(id, ErrorCode::RequestFailed, error.to_string()),
    }
}

fn dispatch(
    documents: &mut Documents,
    encoding: Encoding,
    method: &str,
    params: Value,
) -> Result<Value, Refusal> {
    let mut asked = |url: &Url| {
        let (project, file) = documents.project(url)?;
        Some(Asked {
            project,
            file,
            encoding,
        })
    };
    match method {
        Completion::METHOD => {
            let read: lsp::CompletionParams = params_of(params)?;
            let at = read.text_document_position;
            Ok(json(
                asked(&at.text_document.uri).map(|asked| asked.completions(at.position)),
            ))
        }
        HoverRequest::METHOD => {
            let read: lsp::HoverParams = params_of(params)?;
            let at = read.text_document_position_params;
            Ok(json(
                asked(&at.text_document.uri).and_then(|asked| asked.hover(at.position)),
            ))
        }
        GotoDefinition::METHOD => {
            let read: lsp::GotoDefinitionParams = params_of(params)?;
            let at = read.text_document_position_params;
            Ok(json(asked(&at.text_document.uri).map(|asked| {
                let spans =
                    ide::definition(&asked.project.analysis, asked.file, asked.at(at.position));
                asked.locations(spans)
            })))
        }
        References::METHOD => {
            let read: lsp::ReferenceParams = params_of(params)?;
            let at = read.text_document_position;
            let own = read.context.include_declaration;
            Ok(json(asked(&at.text_document.uri).map(|asked| {
                let offset = asked.at(at.position);
                asked.locations(ide::references(
                    &asked.project.analysis,
                    asked.file,
                    offset,
                    own,
                ))
            })))
        }
        DocumentHighlightRequest::METHOD => {
            let read: lsp::DocumentHighlightParams = params_of(params)?;
            let at = read.text_document_position_params;
            Ok(json(
                asked(&at.text_document.uri).map(|asked| asked.highlights(at.position)),
            ))
        }
        _ => about_changes(asked, method, params),
    }
}

/// Questions whose answers are edits, and those about a range.
fn about_changes(
    mut asked: impl FnMut(&Url) -> Option<Asked>,
    method: &str,
    params: Value,
) -> Result<Value, Refusal> {
    match method {
        PrepareRenameRequest::METHOD => {
            let at: lsp::TextDocumentPositionParams = params_of(params)?;
            Ok(json(asked(&at.text_document.uri).and_then(|asked| {
                let offset = asked.at(at.position);
                let span = ide::prepare_rename(&asked.project.analysis, asked.file, offset)?;
                Some(asked.encoding.range(asked.source(), span.range))
            })))
        }
        Rename::METHOD => {
            let read: lsp::RenameParams = params_of(params)?;
            let at = read.text_document_position;
            let Some(asked) = asked(&at.text_document.uri) else {
                return Ok(Value::Null);
            };
            asked.rename(at.position, &read.new_name)
        }
        CodeActionRequest::METHOD => {
            let read: lsp::CodeActionParams = params_of(params)?;
            Ok(json(asked(&read.text_document.uri).map(|asked| {
                asked.actions(read.range, read.context.only.as_deref())
            })))
        }
        InlayHintRequest::METHOD => {
            let read: lsp::InlayHintParams = params_of(params)?;
            Ok(json(
                asked(&read.text_document.uri).map(|asked| asked.hints(read.range)),
            ))
        }
        RangeFormatting::METHOD => {
            let read: lsp::DocumentRangeFormattingParams = params_of(params)?;
            let Some(asked) = asked(&read.text_document.uri) else {
                return Ok(Value::Null);
            };
            let range = asked.encoding.text_range(asked.source(), read.range);
            let text = asked.source().text();
            asked.formatted(fmt::edits_within(asked.file, text, range))
        }
        Formatting::METHOD => {
            let read: lsp::DocumentFormattingParams = params_of(params)?;
            let Some(asked) = asked(&read.text_document.uri) else {
                return Ok(Value::Null);
            };
            asked.formatted(fmt::edits(asked.file, asked.source().text()))
        }
        _ => whole_file(asked, method, params),
    }
}

/// Questions about a file as a whole.
fn whole_file(
    mut asked: impl FnMut(&Url) -> Option<Asked>,
    method: &str,
    params: Value,
) -> Result<Value, Refusal> {
    match method {
        DocumentSymbolRequest::METHOD => {
            let read: lsp::DocumentSymbolParams = params_of(params)?;
            Ok(json(
                asked(&read.text_document.uri).map(|asked| asked.symbols()),
            ))
        }
        FoldingRangeRequest::METHOD => {
            let read: lsp::FoldingRangeParams = params_of(params)?;
            Ok(json(
                asked(&read.text_document.uri).map(|asked| asked.folds()),
            ))
        }
        SemanticTokensFullRequest::METHOD => {
            let read: lsp::SemanticTokensParams = params_of(params)?;
            Ok(json(
                asked(&read.text_document.uri).map(|asked| asked.tokens()),
            ))
        }
        DocumentLinkRequest::METHOD => {
            let read: lsp::DocumentLinkParams = params_of(params)?;
            Ok(json(
                asked(&read.text_document.uri).map(|asked| asked.links()),
            ))
        }
        _ => Err(Refusal::Unknown(method.to_owned())),
    }
}

impl Asked {
    fn source(&self) -> &SourceFile {
        self.project.analysis.sources().file(self.file)
    }

    fn at(&self, position: lsp::Position) -> u32 {
        self.encoding.offset(self.source(), position)
    }

    fn locations(&self, spans: Vec<starform_dsl::source::Span>) -> Vec<lsp::Location> {
        spans
            .into_iter()
            .filter_map(|span| answer::location(&self.project, self.encoding, span))
            .collect()
    }

    fn completions(&self, position: lsp::Position) -> lsp::CompletionResponse {
        let (analysis, at) = (&self.project.analysis, self.at(position));
        let below = || self.project.files_below();
        let found = ide::include_paths(analysis, self.file, at, below)
            .unwrap_or_else(|| ide::completions(analysis, self.file, at));
        let items = found
            .into_iter()
            .map(|found| answer::completion(self.source(), self.encoding, found));
        lsp::CompletionResponse::Array(items.collect())
    }

    fn hover(&self, position: lsp::Position) -> Option<lsp::Hover> {
        let found = ide::hover(&self.project.analysis, self.file, self.at(position))?;
        Some(lsp::Hover {
            contents: lsp::HoverContents::Markup(lsp::MarkupContent {
                kind: lsp::MarkupKind::Markdown,
                value: found.markdown,
            }),
            range: Some(self.encoding.range(self.source(), found.range)),
        })
    }

    fn highlights(&self, position: lsp::Position) -> Vec<lsp::DocumentHighlight> {
        ide::highlights(&self.project.analysis, self.file, self.at(position))
            .into_iter()
            .filter(|found| found.span.file == self.file)
            .map(|found| lsp::DocumentHighlight {
                range: self.encoding.range(self.source(), found.span.range),
                kind: Some(if found.declaration {
                    lsp::DocumentHighlightKind::WRITE
                } else {
                    lsp::DocumentHighlightKind::READ
                }),
            })
            .collect()
    }

    fn rename(&self, position: lsp::Position, new_name: &str) -> Result<Value, Refusal> {
        let offset = self.at(position);
        let edits = ide::rename(&self.project.analysis, self.file, offset, new_name)
            .map_err(Refusal::Rename)?;
        Ok(json(answer::workspace_edit(
            &self.project,
            self.encoding,
            &edits,
        )))
    }

    fn formatted(&self, edits: Result<Vec<Edit>, fmt::MeaningChanged>) -> Result<Value, Refusal> {
        let edits = edits.map_err(Refusal::Formatting)?;
        Ok(json(answer::text_edits(
            self.source(),
            self.encoding,
            edits,
        )))
    }

    /// The repairs of a range, and all safe ones where the range has one or the editor asks for no others.
    fn actions(
        &self,
        range: lsp::Range,
        only: Option<&[lsp::CodeActionKind]>,
    ) -> Vec<lsp::CodeActionOrCommand> {
        let wanted = |kind: &lsp::CodeActionKind| {
            only.is_none_or(|only| only.iter().any(|asked| answer::is_kind_of(kind, asked)))
        };
        let range = self.encoding.text_range(self.source(), range);
        let found = ide::actions(&self.project.analysis, self.file, range);
        let safe = |action: &ide::Action<'_>| action.fix.applicability == Applicability::Safe;
        let asked = only.is_some() || found.iter().any(safe);
        let mut actions = Vec::new();
        if wanted(&lsp::CodeActionKind::QUICKFIX) {
            let fixes = found.iter();
            actions.extend(
                fixes.filter_map(|found| answer::action(&self.project, self.encoding, found)),
            );
        }
        if asked && wanted(&lsp::CodeActionKind::SOURCE_FIX_ALL) {
            let edits = ide::fix_all(&self.project.analysis);
            actions.extend(answer::fix_all(&self.project, self.encoding, &edits));
        }
        actions
    }

    fn hints(&self, range: lsp::Range) -> Vec<lsp::InlayHint> {
        let range = self.encoding.text_range(self.source(), range);
        ide::inlay_hints(&self.project.analysis, self.file, range)
            .into_iter()
            .map(|hint| lsp::InlayHint {
                position: self.encoding.position(self.source(), hint.offset),
                label: lsp::InlayHintLabel::String(hint.label),
                kind: None,
                text_edits: None,
                tooltip: None,
                padding_left: Some(true),
                padding_right: None,
                data: None,
            })
            .collect()
    }

    fn symbols(&self) -> lsp::DocumentSymbolResponse {
        let found = ide::symbols(&self.project.analysis, self.file);
        let symbols = found
            .into_iter()
            .map(|node| answer::symbol(self.source(), self.encoding, node));
        lsp::DocumentSymbolResponse::Nested(symbols.collect())
    }

    fn folds(&self) -> Vec<lsp::FoldingRange> {
        ide::folding(&self.project.analysis, self.file)
            .into_iter()
            .filter_map(|found| answer::fold(self.source(), found))
            .collect()
    }

    fn tokens(&self) -> lsp::SemanticTokens {
        let found = ide::semantic_tokens(&self.project.analysis, self.file);
        lsp::SemanticTokens {
            result_id: None,
            data: answer::tokens(self.source(), self.encoding, &found),
        }
    }

    fn links(&self) -> Vec<lsp::DocumentLink> {
        ide::links(&self.project.analysis, self.file)
            .into_iter()
            .map(|link| lsp::DocumentLink {
                range: self.encoding.range(self.source(), link.span.range),
                target: self.project.address(link.target),
                tooltip: None,
                data: None,
            })
            .collect()
    }
}

fn params_of<T: DeserializeOwned>(params: Value) -> Result<T, Refusal> {
    serde_json::from_value(params).map_err(Refusal::Params)
}

fn json(answer: impl Serialize) -> Value {
    serde_json::to_value(answer).expect("answers of the protocol have string keys")
}
