//! What an editor has open, and the project around it: open texts first, files of the disk beside them.
//!
//! Effects: reads files, each once until the editor says that it may have changed, so nothing is read again for a key
//! that is typed. Always holds: what is open is never read from disk, and a file that is neither a root file nor included
//! by one belongs to somebody else: it has no project.
//! Read on in `crate::sources` for how the files of a project are found.

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
use crate::sources::{self, Disk, Large, Partly, SourceError};

/// The texts that an editor has open, by address.
pub(super) struct Documents {
    open: BTreeMap<Url, Document>,
    /// The editor tells of files that change on the disk. If not, a good moment to look is when it saves, opens or closes
    /// one.
    watched: bool,
    /// What the disk held when it was looked at last.
    disk: Disk,
    /// By the folder of the root file; an entry goes with the next change below the folder.
    projects: BTreeMap<PathBuf, Arc<Project>>,
    /// The files of each project as they were last, by folder.
    last: BTreeMap<PathBuf, SourceTree>,
}

/// A project as the editor sees it.
pub(super) struct Project {
    at: Location,
    pub(super) analysis: Analysis,
    /// Why included files are missing, by path below the folder.
    unread: BTreeMap<String, SourceError>,
}

/// Where the files of a project lie.
enum Location {
    Folder(PathBuf),
    /// One text that no file holds yet.
    Unsaved(Url),
}

impl Documents {
    pub(super) fn new(watched: bool) -> Documents {
        Documents {
            open: BTreeMap::new(),
            watched,
            disk: Disk::new(Large::Begun),
            projects: BTreeMap::new(),
            last: BTreeMap::new(),
        }
    }

    pub(super) fn open(&mut self, url: Url, text: &str, version: i32) {
        self.changed_on_disk(&url);
        self.open.insert(url, Document::new(text, version));
    }

    pub(super) fn close(&mut self, url: &Url) {
        self.open.remove(url);
        self.changed_on_disk(url);
    }

    /// A file or folder has come, changed or gone on the disk, or may have.
    pub(super) fn changed_on_disk(&mut self, url: &Url) {
        if !self.watched {
            self.disk.forget_everything();
            self.projects.clear();
        } else if let Ok(path) = url.to_file_path() {
            self.disk.forget(&path);
        }
        self.changed(url);
    }

    /// Every project that could hold the file is read anew.
    fn changed(&mut self, url: &Url) {
        if let Ok(path) = url.to_file_path() {
            self.projects
                .retain(|folder, _| !path.starts_with(folder) && !folder.starts_with(&path));
        }
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
        self.changed(url);
    }

    pub(super) fn version(&self, url: &Url) -> Option<i32> {
        Some(self.open.get(url)?.version())
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = &Url> {
        self.open.keys()
    }

    /// The project that a file belongs to, and the file in it.
    pub(super) fn project(&mut self, url: &Url) -> Option<(Arc<Project>, FileId)> {
        let Ok(path) = url.to_file_path() else {
            return self.alone(url);
        };
        let folder = self.folder_of(&path)?;
        let project = match self.projects.get(&folder) {
            Some(project) => Arc::clone(project),
            None => {
                let (sources, unread) = self.sources(&folder)?;
                let project = Arc::new(Project {
                    at: Location::Folder(folder.clone()),
                    analysis: Analysis::of(sources),
                    unread,
                });
                self.projects.insert(folder.clone(), Arc::clone(&project));
                project
            }
        };
        let own = relative(&folder, &path)?;
        let file = project.analysis.sources().find(&own)?;
        let belongs = own == ROOT_FILE || project.analysis.files().any(|known| known == file);
        belongs.then_some((project, file))
    }

    /// A text that no file holds yet is a project of its own.
    fn alone(&self, url: &Url) -> Option<(Arc<Project>, FileId)> {
        let text = self.open.get(url)?.text();
        let analysis = Analysis::of(SourceTree::single(ROOT_FILE, text));
        let file = analysis.sources().find(ROOT_FILE)?;
        let at = Location::Unsaved(url.clone());
        let project = Project {
            at,
            analysis,
            unread: BTreeMap::new(),
        };
        Some((Arc::new(project), file))
    }

    /// The nearest folder above a file that holds a root file, on the disk or in the editor.
    fn folder_of(&mut self, path: &Path) -> Option<PathBuf> {
        let (open, disk) = (&self.open, &mut self.disk);
        let is_open = |root: &Path| {
            let root = Url::from_file_path(root);
            root.is_ok_and(|root| open.contains_key(&root))
        };
        let mut folders = path.ancestors().skip(1);
        let found = folders.find(|folder| {
            let root = folder.join(ROOT_FILE);
            is_open(&root) || disk.is_file(&root)
        });
        found.map(Path::to_owned)
    }

    /// The files of the folder's project, every open text in place of the disk's. What cannot be read from the disk
    /// leaves what is open.
    fn sources(&mut self, folder: &Path) -> Option<Partly<SourceTree>> {
        let open: BTreeMap<String, Arc<str>> = self
            .open
            .iter()
            .filter_map(|(url, document)| {
                let path = relative(folder, &url.to_file_path().ok()?)?;
                Some((path, Arc::clone(document.text())))
            })
            .collect();
        let last = self.last.entry(folder.to_owned()).or_default();
        match sources::read_under(&mut self.disk, folder, &open, last) {
            Ok(sources) => {
                *last = sources.0.clone();
                Some(sources)
            }
            Err(_) => (!open.is_empty()).then(|| (SourceTree::new(open), BTreeMap::new())),
        }
    }

    /// Every file that a project could include, by path below its folder; none where they are too many.
    pub(super) fn files_below(&mut self, project: &Project) -> Vec<String> {
        match &project.at {
            Location::Folder(folder) => {
                sources::includable(&mut self.disk, folder).unwrap_or_default()
            }
            Location::Unsaved(_) => Vec::new(),
        }
    }
}

impl Project {
    /// The addresses of included files that are missing, and why.
    pub(super) fn unread(&self) -> impl Iterator<Item = (Url, &SourceError)> {
        let folder = match &self.at {
            Location::Folder(folder) => Some(folder),
            Location::Unsaved(_) => None,
        };
        self.unread.iter().filter_map(move |(path, error)| {
            let address = Url::from_file_path(folder?.join(path)).ok()?;
            Some((address, error))
        })
    }

    /// The address of one of its files.
    pub(super) fn address(&self, file: FileId) -> Option<Url> {
        match &self.at {
            Location::Folder(folder) => {
                let path = self.analysis.sources().file(file).path();
                Url::from_file_path(folder.join(path)).ok()
            }
            Location::Unsaved(url) => Some(url.clone()),
        }
    }
}

/// As a source tree names a file: with `/` between its parts.
fn relative(folder: &Path, path: &Path) -> Option<String> {
    let inside = path.strip_prefix(folder).ok()?;
    let parts: Option<Vec<&str>> = inside.iter().map(|part| part.to_str()).collect();
    Some(parts?.join("/"))
}
