//! What the disk holds of projects: the texts of files, and which files a pattern names.
//!
//! Effects: reads files and lists folders, each once until it is forgotten. Always holds: of a file over the language's
//! limit no more is read than shows that it is, and a symbolic link that leaves the folder leads nowhere.
//! Read on in `super` for what a project needs of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use starform_dsl::{include::Glob, syntax::MAX_FILE};

use super::{Large, Partly, SourceError};

/// The longest character in UTF-8.
const LONGEST_CHARACTER: usize = 4;

/// Files and folders that one pattern looks at.
pub(super) const MOST_ENTRIES: usize = 100_000;

/// Listings that are kept.
const MOST_LISTINGS: usize = 100;

/// The files that a pattern names, by path below a folder.
type Listing = Result<Partly<BTreeSet<String>>, SourceError>;

/// What was seen of the disk.
pub(crate) struct Disk {
    large: Large,
    texts: BTreeMap<PathBuf, Result<Arc<str>, SourceError>>,
    /// By folder and pattern.
    listings: BTreeMap<(PathBuf, Glob), Listing>,
    /// Whether a file is there.
    files: BTreeMap<PathBuf, bool>,
}

impl Disk {
    pub(crate) fn new(large: Large) -> Disk {
        Disk {
            large,
            texts: BTreeMap::new(),
            listings: BTreeMap::new(),
            files: BTreeMap::new(),
        }
    }

    pub(super) fn large(&self) -> Large {
        self.large
    }

    pub(super) fn text(&mut self, path: &Path) -> Result<Arc<str>, SourceError> {
        if let Some(known) = self.texts.get(path) {
            return known.clone();
        }
        let text = read_text(path, self.large).map(Arc::from);
        self.texts.insert(path.to_owned(), text.clone());
        text
    }

    pub(super) fn matching(&mut self, folder: &Path, glob: &Glob) -> Listing {
        // Each key typed into a pattern makes another one.
        if self.listings.len() >= MOST_LISTINGS {
            self.listings.clear();
        }
        let key = (folder.to_owned(), glob.clone());
        self.listings
            .entry(key)
            .or_insert_with(|| matching(folder, glob))
            .clone()
    }

    pub(crate) fn is_file(&mut self, path: &Path) -> bool {
        let found = self.files.entry(path.to_owned());
        *found.or_insert_with(|| path.is_file())
    }

    pub(crate) fn forget_everything(&mut self) {
        *self = Disk::new(self.large);
    }

    /// Something has come, changed or gone at a path: it, what is below it and what lists it is read anew.
    pub(crate) fn forget(&mut self, path: &Path) {
        self.texts.retain(|known, _| !known.starts_with(path));
        self.files.retain(|known, _| !known.starts_with(path));
        self.listings
            .retain(|(folder, _), _| !path.starts_with(folder) && !folder.starts_with(path));
    }
}

/// The files that a pattern names, by path below `folder`. Folders that are symbolic links are not
/// entered: what they lead to has a path of its own, or lies outside.
fn matching(folder: &Path, glob: &Glob) -> Result<Partly<BTreeSet<String>>, SourceError> {
    let (mut found, mut unread) = (BTreeSet::new(), BTreeMap::new());
    let mut looked_at = 0;
    let mut open = vec![String::new()];
    while let Some(below) = open.pop() {
        let path = folder.join(&below);
        let unreadable = |error| SourceError::unreadable(&path, error);
        for entry in fs::read_dir(&path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            looked_at += 1;
            if looked_at > MOST_ENTRIES {
                return Err(SourceError::TooWide(glob.clone()));
            }
            // A name that is not UTF-8 is none that a pattern could hold.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let name = if below.is_empty() {
                name
            } else {
                format!("{below}/{name}")
            };
            let kind = entry.file_type().map_err(unreadable)?;
            if kind.is_dir() {
                if glob.may_match_below(&name) {
                    open.push(name);
                }
            } else if glob.matches(&name) {
                match is_file_inside(folder, &entry.path()) {
                    Ok(true) => drop(found.insert(name)),
                    Ok(false) => {}
                    Err(error) => drop(unread.insert(name, error)),
                }
            }
        }
    }
    Ok((found, unread))
}

/// Whether it is a file; an error where a symbolic link leaves the folder.
fn is_file_inside(folder: &Path, path: &Path) -> Result<bool, SourceError> {
    let real =
        |path: &Path| fs::canonicalize(path).map_err(|error| SourceError::unreadable(path, error));
    let target = real(path)?;
    if !target.starts_with(real(folder)?) {
        return Err(SourceError::LeadsOut(path.to_owned()));
    }
    Ok(target.is_file())
}

fn read_text(path: &Path, large: Large) -> Result<String, SourceError> {
    let file = fs::File::open(path).map_err(|error| SourceError::unreadable(path, error))?;
    text_of(file, path, large)
}

/// Reads at most a character more than a file may have.
pub(super) fn text_of(from: impl Read, path: &Path, large: Large) -> Result<String, SourceError> {
    let mut bytes = Vec::new();
    from.take((MAX_FILE + LONGEST_CHARACTER) as u64)
        .read_to_end(&mut bytes)
        .map_err(|error| SourceError::unreadable(path, error))?;
    let too_large = bytes.len() > MAX_FILE;
    if too_large && large == Large::Refused {
        return Err(SourceError::TooLarge(path.to_owned()));
    }
    String::from_utf8(bytes).or_else(|error| {
        let (good, cut) = (
            error.utf8_error().valid_up_to(),
            error.utf8_error().error_len(),
        );
        let mut bytes = error.into_bytes();
        bytes.truncate(good);
        let text = String::from_utf8(bytes).expect("it is UTF-8 up to here");
        // Unless the reading ended inside of a character.
        if too_large && cut.is_none() {
            Ok(text)
        } else {
            Err(SourceError::NotText {
                path: path.to_owned(),
                before: text,
            })
        }
    })
}
