//! A project exists exactly if nothing is wrong, and what exists has a state; what is said keeps its laws in every form;
//! fixes never leave more errors.
//! Pure.
//! Read on in `said` and `repaired`.

use std::collections::BTreeMap;
use std::sync::Arc;

use starform_dsl::diag::Diagnostic;
use starform_dsl::fix::Level;
use starform_dsl::{Bindings, Compiled, ROOT_FILE, compile, describe, emit, source::SourceTree};

use super::{repaired, said};

/// Stands in no text of KDL: what follows it is the next file.
const NEXT_FILE: char = '\u{1c}';

/// Larger ones are not repaired here: a repair compiles up to some hundred times.
const MOST_REPAIRED: usize = 2_000;

/// The root file and, behind separators, `parts/1.kdl` and so on.
pub(crate) fn check_files(text: &str) {
    let sources = tree(text);
    check(&sources);
    if text.len() <= MOST_REPAIRED {
        let _ = repaired::judge(&sources, Level::Safe);
        let _ = repaired::judge(&sources, Level::All);
    }
}

/// A tree whose files stand behind each other in one text.
pub(crate) fn tree(text: &str) -> SourceTree {
    let files: BTreeMap<String, Arc<str>> = text
        .split(NEXT_FILE)
        .take(8)
        .enumerate()
        .map(|(index, text)| match index {
            0 => (ROOT_FILE.to_owned(), text.into()),
            _ => (format!("parts/{index}.kdl"), text.into()),
        })
        .collect();
    SourceTree::new(files)
}

pub(crate) fn check(sources: &SourceTree) {
    let Compiled {
        project,
        diagnostics,
        secrets,
    } = compile(sources);
    let failed = diagnostics.iter().any(Diagnostic::is_error);
    assert_eq!(
        project.is_none(),
        failed,
        "a project and an error, or neither"
    );
    said::check(sources, &diagnostics);
    said::check_renderings(sources, &diagnostics, &secrets);
    let Some(project) = project else { return };
    for (environment, _) in project.environments() {
        let bindings = Bindings::first(&project);
        describe(&project, environment, &bindings).expect("what compiles has a state");
        let refused = emit(&project, environment, &bindings).err();
        for diagnostic in refused.into_iter().flatten() {
            let code = diagnostic.code.to_string();
            assert!(code == "SF6004" || code == "SF6005", "{}", diagnostic.title);
        }
    }
}
