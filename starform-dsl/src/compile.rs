//! Text to checked project: parse, lower, check; every mistake of the whole in one list.
//! Pure. `project` is there exactly if no diagnostic is an error; `analyse` gives what could be read in any case.
//! Read on in `lower`, `check`, and `emit` for what follows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use starform_contract::ProjectName;

use crate::check;
use crate::diag::{self, Diagnostic, codes};
use crate::include::{self, Files};
use crate::lower::{self, Known};
use crate::project::{Model, Project, Spanned};
use crate::secrets::{self, Secret};
use crate::source::{FileId, SourceTree, Span};
use crate::syntax::{Parse, TextRange};

/// The file that holds the project.
pub const ROOT_FILE: &str = "starform.kdl";

/// All files of a project together, in bytes.
pub const MOST_BYTES: usize = 8 << 20;

/// What became of a source tree.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub project: Option<Project>,
    /// Sorted by place.
    pub diagnostics: Vec<Diagnostic>,
    /// Places whose text looks like a credential and must never be shown.
    pub secrets: Vec<Span>,
}

/// What could be read of a source tree, errors or not; for tools that work on half-written text too.
#[derive(Debug, Default)]
pub(crate) struct Analysed {
    /// The file that holds the project.
    pub(crate) root: Option<FileId>,
    /// Every file that belongs to the project.
    pub(crate) parses: BTreeMap<FileId, Arc<Parse>>,
    pub(crate) name: Option<Spanned<ProjectName>>,
    /// What is declared, as far as it could be read; `None` where there is no project node.
    pub(crate) model: Option<Model>,
    /// Sorted by place.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Places whose text looks like a credential, sorted.
    pub(crate) secrets: Vec<Span>,
}

/// Compiles the project of [`ROOT_FILE`], or of the only file of the tree, whatever its name.
pub fn compile(sources: &SourceTree) -> Compiled {
    let analysed = analyse(sources);
    let failed = analysed.diagnostics.iter().any(Diagnostic::is_error);
    let project = analysed.name.zip(analysed.model).filter(|_| !failed);
    Compiled {
        project: project.map(|(name, model)| Project {
            name,
            model,
            sources: sources.clone(),
        }),
        diagnostics: analysed.diagnostics,
        secrets: analysed.secrets,
    }
}

/// Reads, lowers and checks all files of the project.
pub(crate) fn analyse(sources: &SourceTree) -> Analysed {
    match root(sources) {
        Ok(root) => analyse_from(sources, root),
        Err(diagnostic) => Analysed {
            diagnostics: vec![*diagnostic],
            ..Analysed::default()
        },
    }
}

fn analyse_from(sources: &SourceTree, root: FileId) -> Analysed {
    let files = include::gather(sources, root);
    let mut diagnostics: Vec<Diagnostic> = files
        .parses
        .values()
        .flat_map(|parse| parse.diagnostics.iter().cloned())
        .collect();
    let broken = lines(sources, &diagnostics);
    // A text that was not understood everywhere may hold what seems to be missing.
    let whole = files.parses.values().all(|parse| parse.sound)
        && diagnostics.is_empty()
        && files.diagnostics.is_empty();
    let known = known(sources, &files, &broken);
    let (lowered, mut found) = lower::lower(&files, whole, known);
    found.extend(files.diagnostics);
    if let Some(lowered) = &lowered {
        found.extend(check::run(&lowered.model, &lowered.known));
    }
    if !broken.is_empty() {
        found.retain(|diagnostic| lines(sources, [diagnostic]).is_disjoint(&broken));
    }
    // A block that lost its node holds what the node above seems to lack.
    if diagnostics
        .iter()
        .any(|said| said.code == codes::BLOCK_WITHOUT_NODE)
    {
        let missing = [codes::MISSING_NODE, codes::NO_IMAGE];
        found.retain(|diagnostic| !missing.contains(&diagnostic.code));
    }
    diagnostics.extend(found);
    drop_warnings_of_errors(&mut diagnostics);
    let mut secrets: Vec<Secret> = files
        .parses
        .values()
        .flat_map(|parse| secrets::find(&parse.cst))
        .collect();
    // What is not kept need not be covered.
    let mut diagnostics = diag::settle(diagnostics);
    secrets::add_lines_of(&mut secrets, &diagnostics, sources);
    secrets::cover(&mut diagnostics, &secrets, sources);
    let (name, model) = lowered.map_or((None, None), |lowered| (lowered.name, Some(lowered.model)));
    Analysed {
        root: Some(root),
        parses: files.parses,
        name,
        model,
        diagnostics,
        secrets: secrets.into_iter().map(|secret| secret.span).collect(),
    }
}

/// What the texts may declare though it cannot be read.
fn known(sources: &SourceTree, files: &Files, broken: &BTreeSet<(FileId, u32)>) -> Known {
    // A file that is missing may declare anything, and so may what stands behind too many mistakes.
    let lost = |parse: &Arc<Parse>| parse.diagnostics.len() >= diag::KEPT;
    if !files.diagnostics.is_empty() || files.parses.values().any(lost) {
        return Known::all(false);
    }
    let mut known = Known::all(true);
    for (file, parse) in &files.parses {
        if !parse.sound || !parse.diagnostics.is_empty() {
            let text = sources.file(*file).text();
            known.text(text, |line| broken.contains(&(*file, line)));
        }
    }
    known
}

/// A node that does not hold is not deployed by any version: that this one does not is no news.
fn drop_warnings_of_errors(diagnostics: &mut Vec<Diagnostic>) {
    let errors: BTreeSet<(FileId, u32)> = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .map(|diagnostic| diagnostic.primary.span)
        .map(|span| (span.file, span.range.start()))
        .collect();
    diagnostics.retain(|diagnostic| {
        let Span { file, range } = diagnostic.primary.span;
        let mut inside = errors.range((file, range.start())..(file, range.end()));
        diagnostic.code != codes::CHECKED_ONLY || inside.next().is_none()
    });
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
        let title = "the project has more than 8 MiB";
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
