//! Text to checked project: parse, lower, check; every mistake of the whole in one list.
//! Pure. `project` is there exactly if no diagnostic is an error.
//! Read on in `lower`, `check`, and `emit` for what follows.

use std::collections::BTreeSet;

use crate::check;
use crate::diag::{self, Diagnostic, codes};
use crate::lower;
use crate::project::{Project, Spanned};
use crate::secrets;
use crate::source::{FileId, SourceTree, Span};
use crate::syntax::{self, TextRange};

/// The file that holds the project.
pub const ROOT_FILE: &str = "starform.kdl";

/// All files of a project together, in bytes.
const MOST_BYTES: usize = 8 << 20;

/// What became of a source tree.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub project: Option<Project>,
    /// Sorted by place.
    pub diagnostics: Vec<Diagnostic>,
    /// Places whose text looks like a credential and must never be shown.
    pub secrets: Vec<Span>,
}

/// What was read of the root file.
#[derive(Default)]
struct Outcome {
    project: Option<Project>,
    diagnostics: Vec<Diagnostic>,
    secrets: Vec<Span>,
}

/// Compiles the project of [`ROOT_FILE`], or of the only file of the tree, whatever its name.
pub fn compile(sources: &SourceTree) -> Compiled {
    let outcome = match root(sources) {
        Ok(file) => compile_root(sources, file),
        Err(diagnostic) => Outcome {
            diagnostics: vec![*diagnostic],
            ..Outcome::default()
        },
    };
    let diagnostics = diag::settle(outcome.diagnostics);
    let failed = diagnostics.iter().any(Diagnostic::is_error);
    Compiled {
        project: outcome.project.filter(|_| !failed),
        diagnostics,
        secrets: outcome.secrets,
    }
}

fn compile_root(sources: &SourceTree, file: FileId) -> Outcome {
    let parse = syntax::read(file, sources.file(file).text().clone());
    let mut diagnostics = parse.diagnostics;
    // A text that was not understood everywhere may hold what seems to be missing.
    let whole = parse.sound && diagnostics.is_empty();
    let (lowered, mut found) = lower::lower(&parse.cst, whole);
    let project = lowered.and_then(|lowered| {
        found.extend(check::run(&lowered.model, lowered.known));
        let model = lowered.model;
        lowered.name.map(|name: Spanned<_>| Project {
            name,
            model,
            sources: sources.clone(),
        })
    });
    let broken = lines(sources, &diagnostics);
    if !broken.is_empty() {
        found.retain(|diagnostic| lines(sources, [diagnostic]).is_disjoint(&broken));
    }
    diagnostics.extend(found);
    let secrets = secrets::find(&parse.cst);
    secrets::cover(&mut diagnostics, &secrets, sources.file(file));
    Outcome {
        project,
        diagnostics,
        secrets,
    }
}

/// The lines that diagnostics begin on. What a line without syntax seems to say is not judged.
fn lines<'d>(
    sources: &SourceTree,
    diagnostics: impl IntoIterator<Item = &'d Diagnostic>,
) -> BTreeSet<(FileId, u32)> {
    diagnostics
        .into_iter()
        .map(|diagnostic| diagnostic.primary.span)
        .map(|span| {
            (
                span.file,
                sources.file(span.file).position(span.range.start()).line,
            )
        })
        .collect()
}

fn root(sources: &SourceTree) -> Result<FileId, Box<Diagnostic>> {
    let bytes: usize = sources.files().map(|(_, file)| file.text().len()).sum();
    let mut files = sources.files().map(|(id, _)| id);
    let first = files.next();
    let only = first.filter(|_| files.next().is_none());
    let start = Span::new(first.unwrap_or(FileId(0)), TextRange::at(0));
    if bytes > MOST_BYTES {
        let title = format!("the project has {} MiB", bytes >> 20);
        let help = "a project has at most 8 MiB: divide it into several projects";
        return Err(Box::new(
            Diagnostic::new(codes::PROJECT_TOO_LARGE, start, title).help(help),
        ));
    }
    sources.find(ROOT_FILE).or(only).ok_or_else(|| {
        let title = format!("there is no `{ROOT_FILE}`");
        let help = format!("write the project into `{ROOT_FILE}` at the top of the repository");
        Box::new(Diagnostic::new(codes::NO_PROJECT, start, title).help(help))
    })
}
