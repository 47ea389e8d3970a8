//! Desired state from a folder: `index.json`, `bundles/<digest>.json`, `sealed.json`.
//!
//! Effects: reads files. Always holds: what is read has the digests that it claims; an unchanged
//! `index.json` reads nothing else; a `sealed.json` that others may read is refused. Bundles are looked up as `sha256:<hex>.json`, then `<hex>.json`.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use starform_contract::{
    Bundle, Digest, Index,
    schema::{self, Document, Unreadable},
    sealed::{SealedFile, SealedValues},
};

use crate::config::mode_if_open;

/// The values of secrets, sealed to the cluster's key.
pub(crate) const SEALED: &str = "sealed.json";

#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error(
        "cannot read {path}: {source}; a desired state is index.json and bundles/<digest>.json"
    )]
    Read {
        path: String,
        source: std::io::Error,
    },
    #[error("{path} does not read as {what}: {why}")]
    Form {
        path: String,
        what: &'static str,
        why: Unreadable,
    },
    #[error(
        "others may read {path} (mode {mode:o}), and it holds the values of secrets, sealed; run `chmod 600 {path}`"
    )]
    Open { path: String, mode: u32 },
    #[error("{path} has digest {found}, not the one of its name")]
    Digest { path: String, found: Digest },
}

impl Folder {
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// # Errors
    /// [`FolderError`] when the index cannot be read.
    pub fn index(&self) -> Result<Index, FolderError> {
        let path = self.path.join("index.json");
        read(&path, "a desired state index")
    }

    /// The sealed values of every object that needs some; none where there is no such file.
    ///
    /// # Errors
    /// [`FolderError`] when it cannot be read, or others than its owner may.
    pub fn sealed(&self) -> Result<Vec<SealedValues>, FolderError> {
        let path = self.path.join(SEALED);
        let name = || path.display().to_string();
        match mode_if_open(&path) {
            Ok(None) => {}
            Ok(Some(mode)) => return Err(FolderError::Open { path: name(), mode }),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                let path = name();
                return Err(FolderError::Read { path, source });
            }
        }
        read::<SealedFile>(&path, "sealed values").map(|file| file.objects)
    }

    /// # Errors
    /// [`FolderError`] when it is missing, unreadable, or not what its name says.
    pub fn bundle(&self, digest: &Digest) -> Result<Bundle, FolderError> {
        let bundles = self.path.join("bundles");
        let full = bundles.join(format!("{digest}.json"));
        let path = if full.exists() {
            full
        } else {
            bundles.join(format!("{}.json", digest.hex()))
        };
        let bundle: Bundle = read(&path, "a bundle")?;
        let found = bundle.digest();
        if found == *digest {
            Ok(bundle)
        } else {
            Err(FolderError::Digest {
                path: path.display().to_string(),
                found,
            })
        }
    }
}

fn read<T: Document>(path: &Path, what: &'static str) -> Result<T, FolderError> {
    let name = || path.display().to_string();
    let text = std::fs::read(path).map_err(|source| FolderError::Read {
        path: name(),
        source,
    })?;
    schema::read(&text).map_err(|why| FolderError::Form {
        path: name(),
        what,
        why,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_version_wrote_is_told_with_the_side_to_upgrade() {
        let folder = tempfile::tempdir().unwrap();
        let digest = Digest::of_bytes(b"");
        let bundles = folder.path().join("bundles");
        std::fs::create_dir(&bundles).unwrap();
        let index = folder.path().join("index.json");
        let bundle = bundles.join(format!("{}.json", digest.hex()));
        std::fs::write(index, r#"{"new":1,"schema":"starform.desired-state/v2"}"#).unwrap();
        std::fs::write(bundle, r#"{"new":1,"schema":"starform.bundle/v2"}"#).unwrap();
        let source = Folder::new(folder.path());
        let said = [
            source.index().unwrap_err().to_string(),
            source.bundle(&digest).unwrap_err().to_string(),
        ];
        let told = "/v2`, which a newer Starform wrote, and `";
        for said in said {
            assert!(
                said.contains(told) && said.ends_with("upgrade the side that reads it"),
                "{said}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn sealed_values_are_their_owners_alone() {
        use std::{fs, os::unix::fs::PermissionsExt as _};
        let folder = tempfile::tempdir().unwrap();
        let source = Folder::new(folder.path());
        assert_eq!(source.sealed().unwrap(), []);
        let file = folder.path().join(SEALED);
        fs::write(
            &file,
            r#"{"schema":"starform.sealed-file/v1","objects":[]}"#,
        )
        .unwrap();
        for (mode, taken) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            match source.sealed() {
                Ok(values) => assert!(taken && values.is_empty(), "{mode:o}"),
                Err(error) => {
                    let fix = format!("chmod 600 {}", file.display());
                    assert!(!taken && error.to_string().contains(&fix), "{error}");
                }
            }
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&file, r#"{"schema":"starform.sealed-file/v2"}"#).unwrap();
        let said = source.sealed().unwrap_err().to_string();
        assert!(said.contains("upgrade the side that reads it"), "{said}");
    }
}
