//! What the editor said of itself when it greeted the server.
//!
//! Pure.
//! Read on in `answer` for what depends on it.

use lsp_types as lsp;

use super::position::Encoding;

/// What the editor said of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client {
    pub(super) encoding: Encoding,
    /// What is completed may have places to fill in.
    pub(super) snippets: bool,
    /// It asks for the edits of an action when that is chosen.
    pub(super) resolves: bool,
}

impl Client {
    pub(super) fn new(
        encoding: Encoding,
        can: Option<&lsp::TextDocumentClientCapabilities>,
    ) -> Self {
        Self {
            encoding,
            snippets: can.is_some_and(takes_snippets),
            resolves: can.is_some_and(resolves_edits),
        }
    }
}

fn takes_snippets(can: &lsp::TextDocumentClientCapabilities) -> bool {
    let completion = can.completion.as_ref();
    let item = completion.and_then(|can| can.completion_item.as_ref());
    item.is_some_and(|item| item.snippet_support == Some(true))
}

/// Whether the editor asks for the edits of an action when that is chosen, and brings back what was given with it.
fn resolves_edits(can: &lsp::TextDocumentClientCapabilities) -> bool {
    can.code_action.as_ref().is_some_and(|actions| {
        let later = actions.resolve_support.as_ref();
        actions.data_support == Some(true)
            && later.is_some_and(|later| later.properties.iter().any(|name| name == "edit"))
    })
}
