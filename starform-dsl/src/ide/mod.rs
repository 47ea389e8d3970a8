//! What an editor asks about a project: one pure function for each question, over one analysis of all files.
//! Pure. Places are bytes; every question has an answer on text that holds nothing yet; secrets are never in an answer.
//! Read on in `cursor` (where an offset stands), `index` (all names), and the file of each feature.

mod actions;
mod collect;
mod completion;
mod cursor;
mod document;
mod folding;
mod highlight;
mod hints;
mod hover;
mod index;
mod links;
mod names;
mod navigate;
mod rename;
mod resolved;
mod scope;
mod snippet;
mod symbols;
mod takes;
mod values;
mod variables;

use crate::compile;
use crate::diag::Diagnostic;
use crate::source::{FileId, SourceTree, Span};
use crate::syntax::Cst;
use crate::table::Place;
use index::Index;
use scope::Scope;

pub use actions::{Action, actions, fix_all, has_safe_fix};
pub use completion::{Completion, CompletionKind, Insertion, completions, include_paths};
pub use document::{Along, Change, Document, EditorPosition, Encoding};
pub use folding::{Fold, FoldKind, folding};
pub use highlight::{Modifiers, SemanticToken, TokenClass, semantic_tokens};
pub use hints::{InlayHint, inlay_hints};
pub use hover::{Hover, hover};
pub use index::NameKind;
pub use links::{Link, links};
pub use navigate::{Highlight, definition, highlights, references};
pub use rename::{RenameError, prepare_rename, rename};
pub use snippet::plain;
pub use symbols::{OutlineKind, OutlineNode, symbols};
pub(crate) use variables::annotation_doc;

/// What is known of a source tree: its trees, its names, its mistakes, and the project as far as it holds.
#[derive(Debug)]
pub struct Analysis {
    sources: SourceTree,
    project: compile::Analysed,
    index: Index,
}

impl Analysis {
    /// Reads all files; never fails.
    pub fn of(sources: SourceTree) -> Analysis {
        let project = compile::analyse(&sources);
        let own = project
            .parses
            .iter()
            .map(|(id, parse)| (&parse.cst, place_of(project.root, *id)));
        let index = collect::collect(own);
        Analysis {
            sources,
            project,
            index,
        }
    }

    pub fn sources(&self) -> &SourceTree {
        &self.sources
    }

    /// Sorted by place.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.project.diagnostics
    }

    /// Places whose text looks like a credential and must never be shown.
    pub fn secrets(&self) -> &[Span] {
        &self.project.secrets
    }

    /// The files that belong to the project.
    pub fn files(&self) -> impl Iterator<Item = FileId> {
        self.project.parses.keys().copied()
    }

    /// The tree of a file, whether the project includes it or not; `None` for an id of another tree.
    pub fn cst(&self, file: FileId) -> Option<&Cst> {
        let known = self.sources.holds(file);
        known.then(|| &self.sources.parse(file).cst)
    }

    /// What may stand at the top of a file.
    fn top(&self, file: FileId) -> Scope {
        Scope::top(place_of(self.project.root, file))
    }

    fn is_secret(&self, span: Span) -> bool {
        self.project.secrets.binary_search(&span).is_ok()
    }
}

/// The root file holds the project, an included one what a project holds.
fn place_of(root: Option<FileId>, file: FileId) -> Place {
    match root {
        Some(root) if root != file => Place::Project,
        Some(_) | None => Place::Root,
    }
}
