//! `starform lsp`: the language server, over standard input and output.
//!
//! Effects: reads requests, writes answers, reads files of projects. Always holds: a request that cannot
//! be answered is told so and ends nothing. Read on in `streams` for how messages come and go, in `documents`
//! for what is open and in `requests` for the questions; the answers are made in `starform_dsl::ide`.

mod answer;
mod client;
mod documents;
mod position;
mod requests;
mod streams;

use std::{collections::BTreeSet, io};

use anyhow::Context as _;
use lsp_server::{ErrorCode, Message, Notification, Request, Response};
use lsp_types::{
    self as lsp, Url,
    notification::{
        self, DidChangeTextDocument, DidChangeWatchedFiles, DidCloseTextDocument,
        DidOpenTextDocument, DidSaveTextDocument, Initialized, Notification as _,
        PublishDiagnostics,
    },
    request::{Initialize, RegisterCapability, Request as _, Shutdown},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::exit::Exit;
use client::Client;
use documents::Documents;
use position::Encoding;
use streams::{Incoming, Streams};

/// How far the conversation is.
enum Phase {
    /// Before `initialize`.
    Begun,
    Serving(Server),
    /// After `shutdown`: only `exit` is left.
    ShutDown,
}

/// What the server knows between two messages.
struct Server {
    client: Client,
    /// The editor tells of files that change on the disk, if it is asked to.
    watches: bool,
    documents: Documents,
    /// Files that have diagnostics in the editor.
    shown: BTreeSet<Url>,
    /// Diagnostics have to be sent anew.
    dirty: bool,
}

/// Serves until the editor says `exit` or goes away; only the first after a `shutdown` is a good end.
pub(crate) fn run() -> anyhow::Result<Exit> {
    let mut streams = Streams::open();
    converse(&mut streams).context("the editor does not read any more")
}

fn converse(streams: &mut Streams) -> io::Result<Exit> {
    let mut phase = Phase::Begun;
    while let Some(incoming) = streams.next() {
        match incoming {
            Incoming::Malformed(why) => streams.refuse(&why)?,
            Incoming::Message(Message::Response(_)) => {}
            Incoming::Message(Message::Request(request)) => {
                let answer = phase.answer(streams, request);
                streams.send(answer)?;
            }
            Incoming::Message(Message::Notification(said)) => {
                if said.method == notification::Exit::METHOD {
                    return Ok(match phase {
                        Phase::ShutDown => Exit::Success,
                        Phase::Begun | Phase::Serving(_) => Exit::Error,
                    });
                }
                if let Phase::Serving(server) = &mut phase {
                    server.notified(streams, said)?;
                }
            }
        }
        // Keys typed faster than answers are read are judged together.
        if let Phase::Serving(server) = &mut phase
            && server.dirty
            && streams.is_idle()
        {
            server.publish(streams)?;
        }
    }
    Ok(Exit::Error)
}

impl Phase {
    fn answer(&mut self, streams: &Streams, request: Request) -> Response {
        let refused = |code, text: &str| refusal(request.id.clone(), code, text.to_owned());
        match self {
            Phase::Begun if request.method == Initialize::METHOD => {
                let Some(params) = params(request.params) else {
                    let text = "the parameters of `initialize` are not understood";
                    return refusal(request.id, ErrorCode::InvalidParams, text.to_owned());
                };
                let (server, result) = Server::greet(params);
                *self = Phase::Serving(server);
                Response::new_ok(request.id, result)
            }
            Phase::Begun => refused(
                ErrorCode::ServerNotInitialized,
                "the first request is `initialize`",
            ),
            Phase::Serving(_) if request.method == Shutdown::METHOD => {
                *self = Phase::ShutDown;
                Response::new_ok(request.id, ())
            }
            Phase::Serving(_) if request.method == Initialize::METHOD => {
                refused(ErrorCode::InvalidRequest, "`initialize` is said once")
            }
            Phase::Serving(_) if streams.is_cancelled(&request.id) => {
                refused(ErrorCode::RequestCanceled, "taken back by the editor")
            }
            Phase::Serving(server) => {
                requests::answer(&mut server.documents, server.client, request)
            }
            Phase::ShutDown => refused(
                ErrorCode::InvalidRequest,
                "after `shutdown` only `exit` is understood",
            ),
        }
    }
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
        code_action_provider: Some(lsp::CodeActionProviderCapability::Options(
            lsp::CodeActionOptions {
                code_action_kinds: Some(vec![
                    lsp::CodeActionKind::QUICKFIX,
                    lsp::CodeActionKind::SOURCE_FIX_ALL,
                ]),
                resolve_provider: Some(true),
                ..lsp::CodeActionOptions::default()
            },
        )),
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
    fn greet(params: lsp::InitializeParams) -> (Server, lsp::InitializeResult) {
        let lsp::ClientCapabilities {
            general,
            workspace,
            text_document,
            ..
        } = params.capabilities;
        let offered = general.and_then(|general| general.position_encodings);
        let encoding = Encoding::agreed(offered.as_deref());
        let watches = workspace.and_then(|workspace| workspace.did_change_watched_files);
        let client = Client::new(encoding, text_document.as_ref());
        let watches = watches.and_then(|watches| watches.dynamic_registration) == Some(true);
        let server = Server {
            client,
            watches,
            documents: Documents::new(watches),
            shown: BTreeSet::new(),
            dirty: false,
        };
        let result = lsp::InitializeResult {
            capabilities: capabilities(encoding),
            server_info: Some(lsp::ServerInfo {
                name: "starform".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
        };
        (server, result)
    }

    fn notified(&mut self, streams: &Streams, said: Notification) -> io::Result<()> {
        match said.method.as_str() {
            Initialized::METHOD if self.watches => streams.send(watch())?,
            DidOpenTextDocument::METHOD => {
                if let Some(lsp::DidOpenTextDocumentParams { text_document }) = params(said.params)
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
                }) = params(said.params)
                {
                    let (url, version) = (text_document.uri, text_document.version);
                    self.documents
                        .change(&url, version, content_changes, self.client.encoding);
                    self.dirty = true;
                }
            }
            DidCloseTextDocument::METHOD => {
                if let Some(lsp::DidCloseTextDocumentParams { text_document }) = params(said.params)
                {
                    self.documents.close(&text_document.uri);
                    self.dirty = true;
                }
            }
            DidSaveTextDocument::METHOD => {
                if let Some(lsp::DidSaveTextDocumentParams { text_document, .. }) =
                    params(said.params)
                {
                    self.documents.changed_on_disk(&text_document.uri);
                    self.dirty = true;
                }
            }
            DidChangeWatchedFiles::METHOD => {
                if let Some(lsp::DidChangeWatchedFilesParams { changes }) = params(said.params) {
                    for change in changes {
                        self.documents.changed_on_disk(&change.uri);
                    }
                    self.dirty = true;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Sends the diagnostics of every project that has an open file; takes back what no longer holds.
    fn publish(&mut self, streams: &Streams) -> io::Result<()> {
        self.dirty = false;
        let open: Vec<Url> = self.documents.addresses().cloned().collect();
        let mut said: BTreeSet<Url> = BTreeSet::new();
        for url in open {
            let Some((project, own)) = self.documents.project(&url) else {
                continue;
            };
            let analysis = &project.analysis;
            let judged = analysis.diagnostics().iter();
            let files = analysis.files().chain([own]);
            let files = files
                .chain(judged.map(|said| said.primary.span.file))
                .filter_map(|file| Some((file, project.address(file)?)));
            for (file, address) in files {
                if !said.insert(address.clone()) {
                    continue;
                }
                let diagnostics = answer::by_file(&project, file)
                    .map(|said| answer::diagnostic(&project, self.client.encoding, said))
                    .collect();
                let version = self.documents.version(&address);
                send(streams, address, diagnostics, version)?;
            }
            for (address, error) in project.unread() {
                if said.insert(address.clone()) {
                    send(streams, address, vec![answer::unread(error)], None)?;
                }
            }
        }
        for gone in self.shown.difference(&said) {
            send(streams, gone.clone(), Vec::new(), None)?;
        }
        self.shown = said;
        Ok(())
    }
}

fn send(
    streams: &Streams,
    uri: Url,
    diagnostics: Vec<lsp::Diagnostic>,
    version: Option<i32>,
) -> io::Result<()> {
    let params = lsp::PublishDiagnosticsParams::new(uri, diagnostics, version);
    let notification = Notification::new(PublishDiagnostics::METHOD.to_owned(), params);
    streams.send(notification)
}

/// Asks the editor to tell of files that come, change and go on the disk.
fn watch() -> Request {
    let watcher = lsp::FileSystemWatcher {
        glob_pattern: lsp::GlobPattern::String("**/*.kdl".to_owned()),
        kind: None,
    };
    let options = lsp::DidChangeWatchedFilesRegistrationOptions {
        watchers: vec![watcher],
    };
    let registration = lsp::Registration {
        id: "files".to_owned(),
        method: DidChangeWatchedFiles::METHOD.to_owned(),
        register_options: Some(serde_json::to_value(options).expect("options have string keys")),
    };
    let registrations = vec![registration];
    let params = lsp::RegistrationParams { registrations };
    let id = "watch".to_owned().into();
    Request::new(id, RegisterCapability::METHOD.to_owned(), params)
}

/// What a message carries; a notification that is not understood is passed over, as the protocol wants.
fn params<T: DeserializeOwned>(params: Value) -> Option<T> {
    serde_json::from_value(params).ok()
}

/// An answer that says why there is none.
fn refusal(id: lsp_server::RequestId, code: ErrorCode, message: String) -> Response {
    Response::new_err(id, code as i32, message)
}
