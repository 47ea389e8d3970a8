//! Why the files of a project cannot be read, in the words and the forms in which mistakes inside of them are told.
//!
//! Pure. Always holds: the words are the fact, then after `; ` the next step.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use starform_dsl::{
    MOST_BYTES, ROOT_FILE,
    diag::{Code, Diagnostic, codes},
    include::{Glob, MOST_FILES},
    source::{SourceTree, Span},
    syntax::{MAX_FILE, TextRange},
};

use super::disk::MOST_ENTRIES;

#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error(
        "there is no {ROOT_FILE} in `{}`; write one (see the README's tour) or name its folder: `starform {{check,plan,apply}} PATH`",
        .0.display()
    )]
    NoRoot(PathBuf),
    #[error("`{}` does not exist; name a starform.kdl or the folder that holds one", .0.display())]
    Missing(PathBuf),
    #[error(
        "`{}` has more than {MAX_FILE} bytes (1 MiB), the most of a file; is it really a starform.kdl?",
        .0.display()
    )]
    TooLarge(PathBuf),
    #[error(
        "the files of the project have more than {MOST_BYTES} bytes (8 MiB); divide it into several projects"
    )]
    AllTooLarge,
    #[error(
        "`include` names more than {MOST_FILES} files; divide the project, or put more into one file"
    )]
    TooMany,
    #[error(
        "`include \"{0}\"` looks through more than {MOST_ENTRIES} files; begin the pattern with the folder that it means"
    )]
    TooWide(Glob),
    #[error(
        "`{}` is a symbolic link that leaves the folder of the project; put the file itself there",
        .0.display()
    )]
    LeadsOut(PathBuf),
    #[error(
        "`{}` is a folder; the project is a file of this name",
        .0.display()
    )]
    IsFolder(PathBuf),
    #[error(
        "`{}` is not UTF-8 text (first bad byte at offset {}); save it as UTF-8",
        .path.display(), .before.len()
    )]
    NotText {
        path: PathBuf,
        /// The text up to the first bad byte.
        before: String,
    },
    #[error("cannot read `{}`: {source}", .path.display())]
    Unreadable {
        path: PathBuf,
        source: Arc<io::Error>,
    },
}

/// What is wrong with each file that cannot be read, by the name that it would have in its tree; at least one.
#[derive(Debug)]
pub(crate) struct Unread(BTreeMap<String, SourceError>);

impl Unread {
    pub(super) fn new(files: BTreeMap<String, SourceError>) -> Self {
        assert!(!files.is_empty(), "something was not read");
        Self(files)
    }

    pub(crate) fn of(name: impl Into<String>, error: SourceError) -> Self {
        Self(BTreeMap::from([(name.into(), error)]))
    }

    pub(crate) fn errors(self) -> impl Iterator<Item = SourceError> {
        self.0.into_values()
    }

    /// One diagnostic a file, in a tree that holds of each file what is known of it.
    pub(crate) fn diagnostics(&self) -> (SourceTree, Vec<Diagnostic>) {
        let texts = self.0.iter().map(|(name, error)| {
            let text = error.before().unwrap_or_default();
            (name.clone(), Arc::from(text))
        });
        let tree = SourceTree::new(texts.collect());
        let diagnostics = tree
            .files()
            .zip(self.0.values())
            .map(|((id, file), error)| {
                let end = u32::try_from(file.text().len()).expect("a file is read up to 1 MiB");
                error.diagnostic(Span::new(id, TextRange::at(end)))
            });
        let diagnostics = diagnostics.collect();
        (tree, diagnostics)
    }
}

impl SourceError {
    pub(super) fn unreadable(path: &Path, error: io::Error) -> Self {
        Self::Unreadable {
            path: path.to_owned(),
            source: Arc::new(error),
        }
    }

    /// The text of a file up to where it is none.
    fn before(&self) -> Option<&str> {
        match self {
            Self::NotText { before, .. } => Some(before),
            Self::NoRoot(_)
            | Self::Missing(_)
            | Self::TooLarge(_)
            | Self::AllTooLarge
            | Self::TooMany
            | Self::TooWide(_)
            | Self::LeadsOut(_)
            | Self::IsFolder(_)
            | Self::Unreadable { .. } => None,
        }
    }

    pub(crate) fn code(&self) -> Code {
        match self {
            Self::NoRoot(_) | Self::Missing(_) => codes::NO_PROJECT,
            Self::TooLarge(_) => codes::FILE_TOO_LARGE,
            Self::AllTooLarge => codes::PROJECT_TOO_LARGE,
            Self::TooMany
            | Self::TooWide(_)
            | Self::LeadsOut(_)
            | Self::IsFolder(_)
            | Self::NotText { .. }
            | Self::Unreadable { .. } => codes::UNREADABLE,
        }
    }

    fn diagnostic(&self, at: Span) -> Diagnostic {
        let said = self.to_string();
        let (fact, step) = said.split_once("; ").unwrap_or((&said, ""));
        let diagnostic = Diagnostic::new(self.code(), at, fact);
        if step.is_empty() {
            diagnostic
        } else {
            diagnostic.help(step)
        }
    }
}
