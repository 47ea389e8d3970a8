//! A project in a temporary folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

pub(crate) struct Project {
    folder: TempDir,
}

impl Project {
    pub(crate) fn new(text: &str) -> Self {
        let project = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        project.write(text);
        project
    }

    pub(crate) fn example(name: &str) -> Self {
        let file = super::root()
            .join("examples")
            .join(name)
            .join("starform.kdl");
        Self::new(&fs::read_to_string(file).unwrap())
    }

    pub(crate) fn write(&self, text: &str) {
        fs::write(self.file(), text).unwrap();
    }

    pub(crate) fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    /// Replaces the only occurrence of `from`.
    #[track_caller]
    pub(crate) fn replace(&self, from: &str, to: &str) {
        let text = self.text();
        assert_eq!(text.matches(from).count(), 1, "`{from}` in:\n{text}");
        self.write(&text.replace(from, to));
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("starform.kdl")
    }
}
