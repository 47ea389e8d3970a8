//! Reads a project's files from a folder into memory: the root file, and what its `include` nodes name.
//!
//! Effects: those of `disk`. Always holds: nothing outside the project's folder is read, also not through symbolic links.
//! Read on in `disk` for how files are found and in `unread` for what is said of one that cannot be read.

mod disk;
mod unread;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use starform_dsl::{
    MOST_BYTES, ROOT_FILE,
    include::{self, Glob, MOST_FILES},
    source::SourceTree,
};

pub(crate) use disk::Disk;
pub(crate) use unread::{SourceError, Unread};

/// As messages name standard input.
pub(crate) const STDIN: &str = "<stdin>";

/// What becomes of a file that is larger than the language allows, and of files that are so together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Large {
    /// Read until they are too large, which the compiler then says with their place. Nobody may write back
    /// what was read so.
    Begun,
    /// Not read.
    Refused,
}

/// The project at `path`: a folder that holds a starform.kdl, or that file itself; to be compiled.
pub(crate) fn read(path: &Path) -> Result<SourceTree, SourceError> {
    whole(read_project(path, Large::Begun)?)
}

/// As [`read`], with everything that cannot be read.
pub(crate) fn read_or_tell(path: &Path) -> Result<SourceTree, Unread> {
    match read_project(path, Large::Begun) {
        Ok((tree, unread)) if unread.is_empty() => Ok(tree),
        Ok((_, unread)) => Err(Unread::new(unread)),
        Err(error) if path.is_dir() => Err(Unread::of(ROOT_FILE, error)),
        Err(error) => Err(Unread::of(shown_as(path, path), error)),
    }
}

/// The project without the included files that cannot be read, and what is wrong with each of these. The root file
/// must be readable: it names the others.
pub(crate) fn read_what_can_be(path: &Path) -> Result<Partly<SourceTree>, SourceError> {
    read_project(path, Large::Refused)
}

fn read_project(path: &Path, large: Large) -> Result<Partly<SourceTree>, SourceError> {
    let mut disk = Disk::new(large);
    let root = root_file(path)?;
    let text = disk.text(&root)?;
    let name = shown_as(path, &root);
    let (open, last) = (BTreeMap::new(), SourceTree::default());
    follow(&mut disk, folder(path), name, text, &open, &last)
}

/// The project in a folder of which an editor has some files open: their texts, by path below the folder, stand
/// above the disk's, and may be of files that the disk has not. Included files that cannot be read are left out and named.
/// Texts that are as in the `last` tree are not parsed anew.
pub(crate) fn read_under(
    disk: &mut Disk,
    folder: &Path,
    open: &BTreeMap<String, Arc<str>>,
    last: &SourceTree,
) -> Result<Partly<SourceTree>, SourceError> {
    let text = match open.get(ROOT_FILE) {
        Some(text) => Arc::clone(text),
        None => disk.text(&root_file(folder)?)?,
    };
    let root = ROOT_FILE.to_owned();
    follow(disk, folder.to_owned(), root, text, open, last)
}

/// What could be read, and what is wrong with each of the others, by name.
pub(crate) type Partly<T> = (T, BTreeMap<String, SourceError>);

/// All of it, or what is wrong with the first file that is missing.
fn whole<T>((found, unread): Partly<T>) -> Result<T, SourceError> {
    match unread.into_values().next() {
        Some(error) => Err(error),
        None => Ok(found),
    }
}

/// Reads what the root file includes, and what that includes.
fn follow(
    disk: &mut Disk,
    folder: PathBuf,
    root: String,
    text: Arc<str>,
    open: &BTreeMap<String, Arc<str>>,
    last: &SourceTree,
) -> Result<Partly<SourceTree>, SourceError> {
    let mut reading = Reading {
        disk,
        folder,
        open,
        bytes: text.len(),
        files: BTreeMap::from([(root, text)]),
        unread: BTreeMap::new(),
    };
    let mut followed: BTreeSet<Glob> = BTreeSet::new();
    loop {
        let tree = last.with(reading.files.clone());
        let wanted = include::wanted(&tree);
        let new: Vec<&Glob> = wanted.difference(&followed).collect();
        if new.is_empty() {
            return Ok((tree, reading.unread));
        }
        for glob in new {
            reading.include(glob)?;
        }
        followed.extend(wanted);
    }
}

/// Every file below a folder that a project there could include.
pub(crate) fn includable(disk: &mut Disk, folder: &Path) -> Result<Vec<String>, SourceError> {
    let all = "**/*.kdl".parse().expect("a pattern of the language");
    let found = whole(disk.matching(folder, &all)?)?;
    Ok(found.into_iter().collect())
}

/// The file at `path`, or the root file of a folder, without what it includes.
pub(crate) fn read_one(path: &Path) -> Result<SourceTree, SourceError> {
    let root = root_file(path)?;
    let text = Disk::new(Large::Refused).text(&root)?;
    Ok(SourceTree::single(&shown_as(path, &root), &text))
}

/// A project of one file, read from standard input.
pub(crate) fn read_stdin(large: Large) -> Result<SourceTree, SourceError> {
    let text = disk::text_of(io::stdin(), Path::new(STDIN), large)?;
    Ok(SourceTree::single(STDIN, &text))
}

/// Where the file lies that a tree read from `given` calls `path`.
pub(crate) fn on_disk(given: &Path, path: &str) -> PathBuf {
    if given.as_os_str() == path {
        given.to_owned()
    } else {
        folder(given).join(path)
    }
}

/// The folder of the project at `path`; `.starform/` lies in it.
pub(crate) fn folder(path: &Path) -> PathBuf {
    let folder = if path.is_dir() {
        Some(path)
    } else {
        path.parent()
    };
    match folder {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// What was read so far.
struct Reading<'o> {
    disk: &'o mut Disk,
    folder: PathBuf,
    /// Texts that stand above the disk's.
    open: &'o BTreeMap<String, Arc<str>>,
    bytes: usize,
    /// By path below the folder, with `/`.
    files: BTreeMap<String, Arc<str>>,
    /// Files that cannot be read, likewise.
    unread: BTreeMap<String, SourceError>,
}

impl Reading<'_> {
    /// Reads every file that the pattern names and that was not read yet.
    fn include(&mut self, glob: &Glob) -> Result<(), SourceError> {
        let unsaved = self.open.keys().filter(|name| glob.matches(name));
        let (mut names, unread) = self.disk.matching(&self.folder, glob)?;
        names.extend(unsaved.cloned());
        self.unread.extend(unread);
        for name in names {
            if self.files.contains_key(&name) || self.unread.contains_key(&name) {
                continue;
            }
            // The compiler says it of what was read.
            if self.bytes > MOST_BYTES {
                break;
            }
            if self.files.len() > MOST_FILES {
                return Err(SourceError::TooMany);
            }
            let read = match self.open.get(&name) {
                Some(text) => Ok(Arc::clone(text)),
                None => self.disk.text(&self.folder.join(&name)),
            };
            match read {
                Ok(text) => {
                    self.bytes += text.len();
                    self.files.insert(name, text);
                    if self.bytes > MOST_BYTES && self.disk.large() == Large::Refused {
                        return Err(SourceError::AllTooLarge);
                    }
                }
                Err(error) => {
                    self.unread.insert(name, error);
                }
            }
        }
        Ok(())
    }
}

fn root_file(path: &Path) -> Result<PathBuf, SourceError> {
    if path.is_dir() {
        let file = path.join(ROOT_FILE);
        return if file.is_file() {
            Ok(file)
        } else if file.is_dir() {
            Err(SourceError::IsFolder(file))
        } else if path.ends_with(ROOT_FILE) {
            Err(SourceError::IsFolder(path.to_owned()))
        } else {
            Err(SourceError::NoRoot(path.to_owned()))
        };
    }
    if path.exists() {
        Ok(path.to_owned())
    } else {
        Err(SourceError::Missing(path.to_owned()))
    }
}

/// Inside a repository the root file is named by itself, so that a plan made from another working
/// directory has the same places.
fn shown_as(given: &Path, file: &Path) -> String {
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    match name {
        Some(name) if given.is_dir() || name == ROOT_FILE => name,
        Some(_) | None => given.to_string_lossy().into_owned(),
    }
}
