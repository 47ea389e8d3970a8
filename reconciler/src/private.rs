//! Files that only their owner may read.
//!
//! Effects: writes files. Always holds: a file is made with mode 0600 before a byte is in it, and an
//! existing one is never touched.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// One line in a new file.
pub(crate) fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}
