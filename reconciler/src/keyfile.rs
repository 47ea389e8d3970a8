//! Files that keep keys: `id:base64` of 32 bytes, one key a line.
//!
//! Effects: reads the file, or makes it with a new key (mode 0600). Always holds: an existing file is
//! never written; no key is told in an error. The first key is the one that works, the others are
//! still known, so a key is changed without a gap: the new one comes in, and moves to the front.

use std::{fs, io, path::Path, str::FromStr};

use starform_contract::signature::{NotAKey, key_lines};
use zeroize::Zeroizing;

use crate::private;

/// A key that such a file keeps.
pub(crate) trait FileKey: Sized + FromStr<Err = NotAKey> {
    fn id(&self) -> &str;
    /// A new random key, named so that no two share a name by accident.
    fn generate() -> Self;
    /// Its line.
    fn reveal(&self) -> Zeroizing<String>;
}

#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("line {line}: {reason}")]
    Line { line: usize, reason: NotAKey },
    #[error("it holds no key; remove it to get a new one")]
    Empty,
    #[error("lines {first} and {second} have the same id; give the later one another")]
    Twice { first: usize, second: usize },
}

/// The keys of the file; `None`: there is no file.
pub(crate) fn read<K: FileKey>(path: &Path) -> Result<Option<Vec<K>>, KeyFileError> {
    match fs::read_to_string(path).map(Zeroizing::new) {
        Ok(text) => parse(&text).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A new key in a new file.
pub(crate) fn create<K: FileKey>(path: &Path) -> Result<K, KeyFileError> {
    let key = K::generate();
    private::create(path, &key.reveal())?;
    Ok(key)
}

/// At least one; empty lines and those that begin with `#` are left out.
pub(crate) fn parse<K: FileKey>(text: &str) -> Result<Vec<K>, KeyFileError> {
    let mut keys: Vec<(usize, K)> = Vec::new();
    for (line, key) in key_lines::<K>(text) {
        let key = key.map_err(|reason| KeyFileError::Line { line, reason })?;
        if let Some((first, _)) = keys.iter().find(|(_, other)| other.id() == key.id()) {
            let first = *first;
            return Err(KeyFileError::Twice {
                first,
                second: line,
            });
        }
        keys.push((line, key));
    }
    if keys.is_empty() {
        return Err(KeyFileError::Empty);
    }
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}
