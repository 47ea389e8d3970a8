//! The questions of an editor: each is read, asked of `starform_dsl::ide`, and answered.
//!
//! Effects: those of `documents`. Always holds: a file that is not known is answered with nothing, a
//! question that is not understood with an error. Read on in [`QUESTIONS`] for all of them.

use std::sync::Arc;

use lsp_server::{ErrorCode, Response};
use lsp_types::{
    self as lsp, Url,
    request::{
        CodeActionRequest, CodeActionResolveRequest, Completion, DocumentHighlightRequest,
        DocumentLinkRequest, DocumentSymbolRequest, FoldingRangeRequest, Formatting,
        GotoDefinition, HoverRequest, InlayHintRequest, PrepareRenameRequest, RangeFormatting,
        References, Rename, Request, SemanticTokensFullRequest,
    },
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use starform_dsl::{
    diag::{Applicability, Edit},
    fmt, ide,
    source::{FileId, SourceFile, Span},
};

use super::{
    answer,
    client::Client,
    documents::{Documents, Project},
    refusal,
};

/// Why a question has no answer.
enum Refusal {
    Unknown,
    Params(serde_json::Error),
    Rename(ide::RenameError),
    Formatting(fmt::MeaningChanged),
}

type Answer<T> = Result<Option<T>, Refusal>;

/// A file of an analysed project, and the editor that asks about it.
struct Asked<'d> {
    documents: &'d mut Documents,
    project: Arc<Project>,
    file: FileId,
    client: Client,
}

/// What is kept of an action whose edits are made when it is chosen.
#[derive(Serialize, Deserialize)]
struct Later {
    /// A file of the project.
    uri: Url,
}

type Question = fn(&mut Documents, Client, Value) -> Result<Value, Refusal>;

/// Every question that is understood, by its method.
const QUESTIONS: [(&str, Question); 16] = [
    (Completion::METHOD, |documents, client, params| {
        let read: lsp::CompletionParams = params_of(params)?;
        let at = read.text_document_position;
        about::<Completion, _>(documents, client, &at.text_document.uri, |asked| {
            Ok(Some(asked.completions(at.position)))
        })
    }),
    (HoverRequest::METHOD, |documents, client, params| {
        let read: lsp::HoverParams = params_of(params)?;
        let at = read.text_document_position_params;
        about::<HoverRequest, _>(documents, client, &at.text_document.uri, |asked| {
            Ok(asked.hover(at.position))
        })
    }),
    (GotoDefinition::METHOD, |documents, client, params| {
        let read: lsp::GotoDefinitionParams = params_of(params)?;
        let at = read.text_document_position_params;
        about::<GotoDefinition, _>(documents, client, &at.text_document.uri, |asked| {
            Ok(Some(asked.definition(at.position)))
        })
    }),
    (References::METHOD, |documents, client, params| {
        let read: lsp::ReferenceParams = params_of(params)?;
        let at = read.text_document_position;
        let own = read.context.include_declaration;
        about::<References, _>(documents, client, &at.text_document.uri, |asked| {
            Ok(Some(asked.references(at.position, own)))
        })
    }),
    (
        DocumentHighlightRequest::METHOD,
        |documents, client, params| {
            let read: lsp::DocumentHighlightParams = params_of(params)?;
            let at = read.text_document_position_params;
            let url = &at.text_document.uri;
            about::<DocumentHighlightRequest, _>(documents, client, url, |asked| {
                Ok(Some(asked.highlights(at.position)))
            })
        },
    ),
    (PrepareRenameRequest::METHOD, |documents, client, params| {
        let at: lsp::TextDocumentPositionParams = params_of(params)?;
        let url = &at.text_document.uri;
        about::<PrepareRenameRequest, _>(documents, client, url, |asked| {
            Ok(asked.name_at(at.position))
        })
    }),
    (Rename::METHOD, |documents, client, params| {
        let read: lsp::RenameParams = params_of(params)?;
        let at = read.text_document_position;
        about::<Rename, _>(documents, client, &at.text_document.uri, |asked| {
            asked.rename(at.position, &read.new_name)
        })
    }),
    (CodeActionRequest::METHOD, |documents, client, params| {
        let read: lsp::CodeActionParams = params_of(params)?;
        let url = read.text_document.uri;
        about::<CodeActionRequest, _>(documents, client, &url, |asked| {
            Ok(Some(asked.actions(
                &url,
                read.range,
                read.context.only.as_deref(),
            )))
        })
    }),
    (
        CodeActionResolveRequest::METHOD,
        |documents, client, params| {
            let mut action: lsp::CodeAction = params_of(params)?;
            let later: Later = params_of(action.data.clone().unwrap_or_default())?;
            if let Some(asked) = Asked::of(documents, client, &later.uri) {
                let edits = ide::fix_all(&asked.project.analysis);
                action.edit = answer::workspace_edit(&asked.project, client.encoding, &edits);
            }
            Ok(json(action))
        },
    ),
    (InlayHintRequest::METHOD, |documents, client, params| {
        let read: lsp::InlayHintParams = params_of(params)?;
        about::<InlayHintRequest, _>(documents, client, &read.text_document.uri, |asked| {
            Ok(Some(asked.hints(read.range)))
        })
    }),
    (RangeFormatting::METHOD, |documents, client, params| {
        let read: lsp::DocumentRangeFormattingParams = params_of(params)?;
        about::<RangeFormatting, _>(documents, client, &read.text_document.uri, |asked| {
            let range = client.encoding.text_range(asked.source(), read.range);
            asked.formatted(fmt::edits_within(asked.file, asked.source().text(), range))
        })
    }),
    (Formatting::METHOD, |documents, client, params| {
        let read: lsp::DocumentFormattingParams = params_of(params)?;
        about::<Formatting, _>(documents, client, &read.text_document.uri, |asked| {
            asked.formatted(fmt::edits(asked.file, asked.source().text()))
        })
    }),
    (
        DocumentSymbolRequest::METHOD,
        |documents, client, params| {
            let read: lsp::DocumentSymbolParams = params_of(params)?;
            about::<DocumentSymbolRequest, _>(documents, client, &read.text_document.uri, |asked| {
                Ok(Some(asked.symbols()))
            })
        },
    ),
    (FoldingRangeRequest::METHOD, |documents, client, params| {
        let read: lsp::FoldingRangeParams = params_of(params)?;
        about::<FoldingRangeRequest, _>(documents, client, &read.text_document.uri, |asked| {
            Ok(Some(asked.folds()))
        })
    }),
    (
        SemanticTokensFullRequest::METHOD,
        |documents, client, params| {
            let read: lsp::SemanticTokensParams = params_of(params)?;
            let url = &read.text_document.uri;
            about::<SemanticTokensFullRequest, _>(documents, client, url, |asked| {
                Ok(Some(asked.tokens().into()))
            })
        },
    ),
    (DocumentLinkRequest::METHOD, |documents, client, params| {
        let read: lsp::DocumentLinkParams = params_of(params)?;
        about::<DocumentLinkRequest, _>(documents, client, &read.text_document.uri, |asked| {
            Ok(Some(asked.links()))
        })
    }),
];

pub(super) fn answer(
    documents: &mut Documents,
    client: Client,
    request: lsp_server::Request,
) -> Response {
    let lsp_server::Request { id, method, params } = request;
    let question = QUESTIONS.iter().find(|(known, _)| *known == method);
    let answered = match question {
        Some((_, ask)) => ask(documents, client, params),
        None => Err(Refusal::Unknown),
    };
    match answered {
        Ok(result) => Response::new_ok(id, result),
        Err(Refusal::Unknown) => {
            let message = format!("`{method}` is not known to this server");
            refusal(id, ErrorCode::MethodNotFound, message)
        }
        Err(Refusal::Params(error)) => refusal(id, ErrorCode::InvalidParams, error.to_string()),
        Err(Refusal::Rename(error)) => refusal(id, ErrorCode::RequestFailed, error.to_string()),
        Err(Refusal::Formatting(error)) => refusal(id, ErrorCode::RequestFailed, error.to_string()),
    }
}

/// The answer to a question about a file, in the form that the protocol has for it; nothing where it is not known.
fn about<R, T>(
    documents: &mut Documents,
    client: Client,
    url: &Url,
    answer: impl FnOnce(Asked<'_>) -> Answer<T>,
) -> Result<Value, Refusal>
where
    R: Request<Result = Option<T>>,
    R::Result: Serialize,
{
    let answered: R::Result = match Asked::of(documents, client, url) {
        Some(asked) => answer(asked)?,
        None => None,
    };
    Ok(json(answered))
}

impl<'d> Asked<'d> {
    fn of(documents: &'d mut Documents, client: Client, url: &Url) -> Option<Asked<'d>> {
        let (project, file) = documents.project(url)?;
        Some(Asked {
            documents,
            project,
            file,
            client,
        })
    }

    fn source(&self) -> &SourceFile {
        self.project.analysis.sources().file(self.file)
    }

    fn at(&self, position: lsp::Position) -> u32 {
        self.client.encoding.offset(self.source(), position)
    }

    fn definition(&self, position: lsp::Position) -> lsp::GotoDefinitionResponse {
        let at = self.at(position);
        let spans = ide::definition(&self.project.analysis, self.file, at);
        lsp::GotoDefinitionResponse::Array(self.locations(spans))
    }

    fn references(&self, position: lsp::Position, declaration: bool) -> Vec<lsp::Location> {
        let at = self.at(position);
        let analysis = &self.project.analysis;
        self.locations(ide::references(analysis, self.file, at, declaration))
    }

    fn name_at(&self, position: lsp::Position) -> Option<lsp::PrepareRenameResponse> {
        let at = self.at(position);
        let span = ide::prepare_rename(&self.project.analysis, self.file, at)?;
        let range = self.client.encoding.range(self.source(), span.range);
        Some(lsp::PrepareRenameResponse::Range(range))
    }

    fn locations(&self, spans: Vec<Span>) -> Vec<lsp::Location> {
        spans
            .into_iter()
            .filter_map(|span| answer::location(&self.project, self.client.encoding, span))
            .collect()
    }

    fn completions(self, position: lsp::Position) -> lsp::CompletionResponse {
        let (analysis, at) = (&self.project.analysis, self.at(position));
        let below = || self.documents.files_below(&self.project);
        let found = ide::include_paths(analysis, self.file, at, below)
            .unwrap_or_else(|| ide::completions(analysis, self.file, at));
        let file = analysis.sources().file(self.file);
        let items = found
            .into_iter()
            .map(|found| answer::completion(file, self.client, found));
        lsp::CompletionResponse::Array(items.collect())
    }

    fn hover(&self, position: lsp::Position) -> Option<lsp::Hover> {
        let found = ide::hover(&self.project.analysis, self.file, self.at(position))?;
        Some(lsp::Hover {
            contents: lsp::HoverContents::Markup(lsp::MarkupContent {
                kind: lsp::MarkupKind::Markdown,
                value: found.markdown,
            }),
            range: Some(self.client.encoding.range(self.source(), found.range)),
        })
    }

    fn highlights(&self, position: lsp::Position) -> Vec<lsp::DocumentHighlight> {
        ide::highlights(&self.project.analysis, self.file, self.at(position))
            .into_iter()
            .filter(|found| found.span.file == self.file)
            .map(|found| lsp::DocumentHighlight {
                range: self.client.encoding.range(self.source(), found.span.range),
                kind: Some(if found.declaration {
                    lsp::DocumentHighlightKind::WRITE
                } else {
                    lsp::DocumentHighlightKind::READ
                }),
            })
            .collect()
    }

    fn rename(&self, position: lsp::Position, new_name: &str) -> Answer<lsp::WorkspaceEdit> {
        let (analysis, at) = (&self.project.analysis, self.at(position));
        let edits = ide::rename(analysis, self.file, at, new_name).map_err(Refusal::Rename)?;
        let encoding = self.client.encoding;
        Ok(answer::workspace_edit(&self.project, encoding, &edits))
    }

    fn formatted(
        &self,
        edits: Result<Vec<Edit>, fmt::MeaningChanged>,
    ) -> Answer<Vec<lsp::TextEdit>> {
        let edits = edits.map_err(Refusal::Formatting)?;
        let encoding = self.client.encoding;
        Ok(Some(answer::text_edits(self.source(), encoding, edits)))
    }

    /// The repairs of a range, and all safe ones where the range has one or the editor asks for no others.
    fn actions(
        &self,
        url: &Url,
        range: lsp::Range,
        only: Option<&[lsp::CodeActionKind]>,
    ) -> lsp::CodeActionResponse {
        let wanted = |kind: &lsp::CodeActionKind| {
            only.is_none_or(|only| only.iter().any(|asked| answer::is_kind_of(kind, asked)))
        };
        let (analysis, encoding) = (&self.project.analysis, self.client.encoding);
        let range = encoding.text_range(self.source(), range);
        let found = ide::actions(analysis, self.file, range);
        let safe = |action: &ide::Action<'_>| action.fix.applicability == Applicability::Safe;
        let asked = only.is_some() || found.iter().any(safe);
        let mut actions = Vec::new();
        if wanted(&lsp::CodeActionKind::QUICKFIX) {
            let fixes = found.iter();
            actions
                .extend(fixes.filter_map(|found| answer::action(&self.project, encoding, found)));
        }
        if asked && wanted(&lsp::CodeActionKind::SOURCE_FIX_ALL) {
            actions.extend(self.fix_all(url, only.is_some()));
        }
        actions
    }

    /// All safe fixes of the project: finding out which of them do no harm compiles it again and again, so this waits until
    /// somebody wants it. An editor that cannot ask later gets them where it asks for nothing else.
    fn fix_all(&self, url: &Url, named: bool) -> Option<lsp::CodeActionOrCommand> {
        let analysis = &self.project.analysis;
        if !ide::has_safe_fix(analysis) {
            return None;
        }
        if self.client.resolves {
            let later = Later { uri: url.clone() };
            return Some(answer::fix_all(answer::Edits::Later(json(later))));
        }
        let edits = named.then(|| ide::fix_all(analysis))?;
        if edits.is_empty() {
            return None;
        }
        let edit = answer::workspace_edit(&self.project, self.client.encoding, &edits)?;
        Some(answer::fix_all(answer::Edits::Now(edit)))
    }

    fn hints(&self, range: lsp::Range) -> Vec<lsp::InlayHint> {
        let range = self.client.encoding.text_range(self.source(), range);
        ide::inlay_hints(&self.project.analysis, self.file, range)
            .into_iter()
            .map(|hint| lsp::InlayHint {
                position: self.client.encoding.position(self.source(), hint.offset),
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
            .map(|node| answer::symbol(self.source(), self.client.encoding, node));
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
            data: answer::tokens(self.source(), self.client.encoding, &found),
        }
    }

    fn links(&self) -> Vec<lsp::DocumentLink> {
        ide::links(&self.project.analysis, self.file)
            .into_iter()
            .map(|link| lsp::DocumentLink {
                range: self.client.encoding.range(self.source(), link.span.range),
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
