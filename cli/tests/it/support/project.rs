//! A project in a temporary folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::process::{Ran, run, starform};

/// A project in which nothing is wrong.
pub(crate) const GOOD: &str = r#"project hello {
  environment production branch=main
  web api {
    image "ghcr.io/acme/api@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
    port 8080
  }
}
"#;

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

    /// Runs in the project's folder, without a cluster.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        let mut command = starform();
        command
            .env("KUBECONFIG", "/dev/null")
            .current_dir(self.path());
        run(command.args(words))
    }
}
