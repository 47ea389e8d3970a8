//! `starform lsp`: the language server, over standard input and output.
//!
//! Effects: reads requests, writes answers, reads files of projects. Always holds: a request that cannot
//! be answered is told so and ends nothing. Read on in `documents` for what is open and in `requests`
//! for the questions; the answers are made in `starform_dsl::ide`.

mod answer;
mod documents;
mod position;
mod requests;

use std::collections::BTreeSet;

use anyhow::Context as _;
use lsp_server::{Connection, ErrorCode, Message, Notification, Response};
use lsp_types::{
    self as lsp, Url,
    notification::{
        DidChangeTextDocument, DidChangeWatchedFiles, DidCloseTextDocument, DidOpenTextDocument,
        DidSaveTextDocument, Notification as _, PublishDiagnostics,
    },
};
use serde::de::DeserializeOwned;

use crate::exit::Exit;
use documents::Documents;
use position::Encoding;

/// What the server knows between two messages.
struct Server {
    encoding: Encoding,
    documents: Documents,
    /// Files that have diagnostics in the editor.
    shown: BTreeSet<Url>,
    /// Diagnostics have to be sent anew.
    dirty: bool,
}

/// Serves until the editor says `exit`.
pub(crate) fn run() -> anyhow::Result<Exit> {
    let (connection, threads) = Connection::stdio();
    let exit = serve(&connection);
    drop(connection);
    threads
        .join()
        .context("the language server's streams broke off")?;
    exit
}

fn serve(connection: &Connection) -> anyhow::Result<Exit> {
    let (id, params) = connection
        .initialize_start()
        .context("the editor did not begin with `initialize`")?;
    let params: lsp::InitializeParams =
        serde_json::from_value(params).context("the editor's `initialize` is not understood")?;
    let offered = params
        .capabilities
        .general
        .and_then(|general| general.position_encodings);
    let encoding = Encoding::agreed(offered.as_deref());
    let result = lsp::InitializeResult {
        capabilities: capabilities(encoding),
        server_info: Some(lsp::ServerInfo {
            name: "starform".to_owned(),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }),
    };
    connection.initialize_finish(id, serde_json::to_value(result)?)?;
    let mut server = Server {
        encoding,
        documents: Documents::default(),
        shown: BTreeSet::new(),
        dirty: false,
    };
    while let Ok(message) = connection.receiver.recv() {
        match message {
            Message::Request(request) if connection.handle_shutdown(&request)? => {
                return Ok(Exit::Success);
            }
            Message::Request(request) => {
                let answer = requests::answer(&mut server.documents, encoding, request);
                connection.sender.send(Message::Response(answer))?;
            }
            Message::Notification(notification) => server.notified(notification),
            Message::Response(_) => {}
        }
        // Keys typed faster than answers are read are answered together.
        if server.dirty && connection.receiver.is_empty() {
            server.publish(connection)?;
        }
    }
    // The editor went away without `exit`.
    Ok(Exit::Error)
}

fn capabilities(encoding: Encoding) -> lsp::ServerCapabilities {
    let legend = lsp::SemanticTokensLegend {
        token_types: answer::TOKEN_TYPES.to_vec(),
        token_modifiers: answer::TOKEN_MODIFIERS.to_vec(),
    };
    lsp::ServerCapabilities {
        position_encoding: Some(encoding.kind()),
        text_document_sync: Some(lsp::TextDocumentSyncCapability::Options(
            lsp::TextDocumentSyncOptions {
                open_close: Some(true),
                change: Some(lsp::TextDocumentSyncKind::INCREMENTAL),
                save: Some(lsp::TextDocumentSyncSaveOptions::Supported(true)),
                ..lsp::TextDocumentSyncOptions::default()
            },
        )),
        completion_provider: Some(lsp::CompletionOptions {
            trigger_characters: Some([" ", "=", "\"", "(", "{", "."].map(str::to_owned).to_vec()),
            ..lsp::CompletionOptions::default()
        }),
        hover_provider: Some(lsp::HoverProviderCapability::Simple(true)),
        definition_provider: Some(lsp::OneOf::Left(true)),
        references_provider: Some(lsp::OneOf::Left(true)),
        document_highlight_provider: Some(lsp::OneOf::Left(true)),
        document_symbol_provider: Some(lsp::OneOf::Left(true)),
        rename_provider: Some(lsp::OneOf::Right(lsp::RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: lsp::WorkDoneProgressOptions::default(),
        })),
        code_action_provider: Some(lsp::CodeActionProviderCapability::Simple(true)),
        document_formatting_provider: Some(lsp::OneOf::Left(true)),
        document_range_formatting_provider: Some(lsp::OneOf::Left(true)),
        folding_range_provider: Some(lsp::FoldingRangeProviderCapability::Simple(true)),
        inlay_hint_provider: Some(lsp::OneOf::Left(true)),
        document_link_provider: Some(lsp::DocumentLinkOptions {
            resolve_provider: Some(false),
            work_done_progress_options: lsp::WorkDoneProgressOptions::default(),
        }),
        semantic_tokens_provider: Some(
            lsp::SemanticTokensServerCapabilities::SemanticTokensOptions(
                lsp::SemanticTokensOptions {
                    legend,
                    full: Some(lsp::SemanticTokensFullOptions::Bool(true)),
                    ..lsp::SemanticTokensOptions::default()
                },
            ),
        ),
        ..lsp::ServerCapabilities::default()
    }
}

impl Server {
    fn notified(&mut self, notification: Notification) {
        match notification.method.as_str() {
            DidOpenTextDocument::METHOD => {
                if let Some(lsp::DidOpenTextDocumentParams { text_document }) = params(notification)
                {
                    let lsp::TextDocumentItem {
                        uri, version, text, ..
                    } = text_document;
                    self.documents.open(uri, &text, version);
                    self.dirty = true;
                }
            }
            DidChangeTextDocument::METHOD => {
                if let Some(lsp::DidChangeTextDocumentParams {
                    text_document,
                    content_changes,
                }) = params(notification)
                {
                    let (url, version) = (text_document.uri, text_document.version);
                    self.documents
                        .change(&url, version, content_changes, self.encoding);
                    self.dirty = true;
                }
            }
            DidCloseTextDocument::METHOD => {
                if let Some(lsp::DidCloseTextDocumentParams { text_document }) =
                    params(notification)
                {
                    self.documents.close(&text_document.uri);
                    self.dirty = true;
                }
            }
            DidSaveTextDocument::METHOD | DidChangeWatchedFiles::METHOD => {
                self.documents.forget();
                self.dirty = true;
            }
            _ => {}
        }
    }

    /// Sends the diagnostics of every project that has an open file; takes back what no longer holds.
    fn publish(&mut self, connection: &Connection) -> anyhow::Result<()> {
        self.dirty = false;
        let open: Vec<Url> = self.documents.addresses().cloned().collect();
        let mut said: BTreeSet<Url> = BTreeSet::new();
        for url in open {
            let Some((project, own)) = self.documents.project(&url) else {
                continue;
            };
            // A text that no file holds yet has the editor's address alone.
            let own_only = project.address(own).as_ref() != Some(&url);
            let files: Vec<_> = if own_only {
                vec![(own, url.clone())]
            } else {
                project
                    .analysis
                    .files()
                    .chain([own])
                    .filter_map(|file| Some((file, project.address(file)?)))
                    .collect()
            };
            for (file, address) in files {
                if !said.insert(address.clone()) {
                    continue;
                }
                let diagnostics = answer::by_file(&project, file)
                    .map(|said| answer::diagnostic(&project, self.encoding, said))
                    .collect();
                let version = self.documents.version(&address);
                send(connection, address, diagnostics, version)?;
            }
        }
        for gone in self.shown.difference(&said) {
            send(connection, gone.clone(), Vec::new(), None)?;
        }
        self.shown = said;
        Ok(())
    }
}

fn send(
    connection: &Connection,
    uri: Url,
    diagnostics: Vec<lsp::Diagnostic>,
    version: Option<i32>,
) -> anyhow::Result<()> {
    let params = lsp::PublishDiagnosticsParams::new(uri, diagnostics, version);
    let notification = Notification::new(PublishDiagnostics::METHOD.to_owned(), params);
    Ok(connection
        .sender
        .send(Message::Notification(notification))?)
}

/// What a notification carries; one that is not understood is passed over, as the protocol wants.
fn params<T: DeserializeOwned>(notification: Notification) -> Option<T> {
    serde_json::from_value(notification.params).ok()
}

/// An answer that says why there is none.
fn refusal(id: lsp_server::RequestId, code: ErrorCode, message: String) -> Response {
    Response::new_err(id, code as i32, message)
}
