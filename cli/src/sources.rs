//! Reads a project's files from a folder into memory.
//!
//! Effects: reads files. Always holds: nothing outside the project's folder is read, and a file over
//! the language's limit is refused by its size before it is read.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use starform_dsl::source::SourceTree;

/// The root file of every project.
const ROOT: &str = "starform.kdl";

/// Limit of one file in bytes; the language's own (SF5xxx), checked here so that a mistaken path to
/// something huge is not read into memory.
const LIMIT: u64 = 1 << 20;

#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error(
        "there is no {ROOT} in `{}`; write one (see the README's tour) or name its folder: `starform {{check,plan,apply}} PATH`",
        .0.display()
    )]
    NoRoot(PathBuf),
    #[error("`{}` does not exist; name a starform.kdl or the folder that holds one", .0.display())]
    Missing(PathBuf),
    #[error(
        "`{}` has {size} bytes; a file has at most {LIMIT} (1 MiB). Is it really a starform.kdl?",
        .path.display()
    )]
    TooLarge { path: PathBuf, size: u64 },
    #[error(
        "`{}` is not UTF-8 text (first bad byte at offset {offset}); save it as UTF-8",
        .path.display()
    )]
    NotText { path: PathBuf, offset: usize },
    #[error("cannot read `{}`: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
}

/// The project at `path`: a folder that holds a starform.kdl, or that file itself.
pub(crate) fn read(path: &Path) -> Result<SourceTree, SourceError> {
    let file = root_file(path)?;
    let text = read_text(&file)?;
    Ok(SourceTree::new(BTreeMap::from([(
        shown_as(path, &file),
        Arc::from(text),
    )])))
}

/// A project of one file, read from standard input.
pub(crate) fn read_stdin() -> Result<SourceTree, SourceError> {
    let path = PathBuf::from("standard input");
    let mut bytes = Vec::new();
    io::stdin()
        .take(LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| SourceError::Unreadable {
            path: path.clone(),
            source,
        })?;
    let size = bytes.len() as u64;
    if size > LIMIT {
        return Err(SourceError::TooLarge { path, size });
    }
    let text = decode(path, bytes)?;
    Ok(SourceTree::single(ROOT, &text))
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

fn root_file(path: &Path) -> Result<PathBuf, SourceError> {
    if path.is_dir() {
        let file = path.join(ROOT);
        return if file.is_file() {
            Ok(file)
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
        Some(name) if given.is_dir() || name == ROOT => name,
        Some(_) | None => given.to_string_lossy().into_owned(),
    }
}

fn read_text(path: &Path) -> Result<String, SourceError> {
    let unreadable = |source| SourceError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let size = fs::metadata(path).map_err(unreadable)?.len();
    if size > LIMIT {
        return Err(SourceError::TooLarge {
            path: path.to_owned(),
            size,
        });
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    decode(path.to_owned(), bytes)
}

fn decode(path: PathBuf, bytes: Vec<u8>) -> Result<String, SourceError> {
    String::from_utf8(bytes).map_err(|error| SourceError::NotText {
        path,
        offset: error.utf8_error().valid_up_to(),
    })
}
