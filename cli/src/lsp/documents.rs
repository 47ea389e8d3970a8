//! What an editor has open, and the project around it: open texts first, files of the disk beside them.
//!
//! Effects: reads files. Always holds: what is open is never read from disk.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use lsp_types::{TextDocumentContentChangeEvent, Url};
use starform_dsl::{
    ROOT_FILE,
    ide::{Analysis, Document},
    source::{FileId, SourceTree},
};

use super::position::{self, Encoding};
use crate::sources;

/// The texts that an editor has open, by address.
#[derive(Default)]
pub(super) struct Documents {
    open: BTreeMap<Url, Document>,
    /// By the folder of the root file; an entry goes with the next change.
    projects: BTreeMap<PathBuf, Arc<Project>>,
}

/// A project as the editor sees it.
pub(super) struct Project {
    folder: PathBuf,
    pub(super) analysis: Analysis,
}

impl Documents {
    pub(super) fn open(&mut self, url: Url, text: &str, version: i32) {
        self.open.insert(url, Document::new(text, version));
        self.projects.clear();
    }

    pub(super) fn close(&mut self, url: &Url) {
        self.open.remove(url);
        self.projects.clear();
    }

    /// Files changed on disk.
    pub(super) fn forget(&mut self) {
        self.projects.clear();
    }

    /// Applies changes in their order; one without a range is the whole text.
    pub(super) fn change(
        &mut self,
        url: &Url,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) {
        let Some(document) = self.open.get_mut(url) else {
            return;
        };
        let changes = changes.into_iter().map(position::change);
        document.change(version, changes, encoding.units());
        self.projects.clear();
    }

    pub(super) fn version(&self, url: &Url) -> Option<i32> {
        Some(self.open.get(url)?.version())
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = &Url> {
        self.open.keys()
    }

    /// The project that a file belongs to, and the file in it.
    pub(super) fn project(&mut self, url: &Url) -> Option<(Arc<Project>, FileId)> {
        let path = url.to_file_path().unwrap_or_else(|()| unsaved(url));
        let folder = folder_of(&path);
        let own = relative(&folder, &path)?;
        if let Some(project) = self.projects.get(&folder)
            && let Some(file) = project.analysis.sources().find(&own)
        {
            return Some((Arc::clone(project), file));
        }
        let analysis = Analysis::of(self.sources(&folder, url, &own)?);
        let file = analysis.sources().find(&own)?;
        let project = Arc::new(Project {
            folder: folder.clone(),
            analysis,
        });
        self.projects.insert(folder, Arc::clone(&project));
        Some((project, file))
    }

    /// The files of the folder's project with every open text in place, the asked one in any case.
    fn sources(&self, folder: &Path, url: &Url, own: &str) -> Option<SourceTree> {
        let mut files: BTreeMap<String, Arc<str>> = BTreeMap::new();
        if let Ok(read) = sources::read(folder) {
            let texts = read
                .files()
                .map(|(_, file)| (file.path().to_owned(), file.text().clone()));
            files.extend(texts);
        }
        for (address, document) in &self.open {
            let path = address.to_file_path().ok();
            let path = path.and_then(|path| relative(folder, &path));
            if let Some(path) = path
                && files.contains_key(&path)
            {
                files.insert(path, document.text().clone());
            }
        }
        if let Some(document) = self.open.get(url) {
            files.insert(own.to_owned(), document.text().clone());
        }
        (!files.is_empty()).then(|| SourceTree::new(files))
    }
}

impl Project {
    /// The address of one of its files.
    pub(super) fn address(&self, file: FileId) -> Option<Url> {
        let path = self.analysis.sources().file(file).path();
        Url::from_file_path(self.folder.join(path)).ok()
    }
}

/// A text that no file holds yet stands alone.
fn unsaved(url: &Url) -> PathBuf {
    Path::new("/")
        .join(url.scheme())
        .join(url.path().trim_start_matches('/'))
        .join(ROOT_FILE)
}

/// The nearest folder above a file that holds a root file; else the file's own.
fn folder_of(path: &Path) -> PathBuf {
    let own = path.parent().unwrap_or(Path::new("/"));
    own.ancestors()
        .find(|folder| folder.join(ROOT_FILE).is_file())
        .unwrap_or(own)
        .to_owned()
}

/// As a source tree names a file: with `/` between its parts.
fn relative(folder: &Path, path: &Path) -> Option<String> {
    let inside = path.strip_prefix(folder).ok()?;
    let parts: Option<Vec<&str>> = inside.iter().map(|part| part.to_str()).collect();
    Some(parts?.join("/"))
}
