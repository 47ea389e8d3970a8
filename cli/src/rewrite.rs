//! Gives a source file a new text.
//!
//! Effects: writes files. Always holds: a file has the old text or the new one, never a part of
//! either, and what somebody else wrote in the meantime is not lost.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum RewriteError {
    #[error("`{}` was changed by something else just now; run the command again", .0.display())]
    Changed(PathBuf),
    #[error("`{}` is read-only and was left as it is; make it writable first", .0.display())]
    ReadOnly(PathBuf),
    #[error("cannot write `{}`: {source}", .path.display())]
    Unwritable { path: PathBuf, source: io::Error },
}

/// Replaces the text of `path`, which was `old` when it was read; its permissions stay, and a link
/// goes on leading to it.
pub(crate) fn rewrite(path: &Path, old: &str, new: &str) -> Result<(), RewriteError> {
    let unwritable = |source| RewriteError::Unwritable {
        path: path.to_owned(),
        source,
    };
    let target = fs::canonicalize(path).map_err(unwritable)?;
    let permissions = fs::metadata(&target).map_err(unwritable)?.permissions();
    // A file that is put in its place would not ask.
    if permissions.readonly() {
        return Err(RewriteError::ReadOnly(path.to_owned()));
    }
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(unwritable)?;
    file.write_all(new.as_bytes()).map_err(unwritable)?;
    file.as_file()
        .set_permissions(permissions)
        .map_err(unwritable)?;
    file.as_file().sync_all().map_err(unwritable)?;
    if fs::read(&target).map_err(unwritable)? != old.as_bytes() {
        return Err(RewriteError::Changed(path.to_owned()));
    }
    file.persist(&target)
        .map_err(|error| unwritable(error.error))?;
    Ok(())
}
