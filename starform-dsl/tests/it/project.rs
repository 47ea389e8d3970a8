//! What the other tests of the language share: a text to its project and its state.
//! Pure.
//! Read on in `emission` for what comes out.

use starform_contract::EnvironmentState;
use starform_dsl::{Bindings, Compiled, Emitted, Project, compile, emit, source::SourceTree};

pub(crate) fn compiled(text: &str) -> Compiled {
    compile(&SourceTree::single("starform.kdl", text))
}

/// The project of a text without errors.
pub(crate) fn project(text: &str) -> Project {
    let compiled = compiled(text);
    let said: Vec<String> = compiled
        .diagnostics
        .iter()
        .map(|d| format!("{}: {} ({:?})", d.code, d.title, d.help))
        .collect();
    compiled
        .project
        .unwrap_or_else(|| panic!("no project: {said:#?}"))
}

pub(crate) fn emitted(text: &str, environment: &str) -> Emitted {
    let project = project(text);
    let environment = environment.parse().expect("a name");
    emit(&project, &environment, &Bindings::first(&project)).expect("an environment of the project")
}

pub(crate) fn state(text: &str, environment: &str) -> EnvironmentState {
    emitted(text, environment).state
}
