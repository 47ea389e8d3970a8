//! What a value comes to in each environment, and which layer says so, as a hover shows it.
//! Pure. Asks `crate::explain`, so it says what a deployment would; nothing where the project has errors.
//! Ids, names and hosts are those of a first deployment on a cluster without a profile.
//! Read on in `crate::explain` for how the answer is found.

use super::Analysis;
use crate::diag::Diagnostic;
use crate::emit::Bindings;
use crate::explain::{Answer, explain};
use crate::project::Project;

/// One line for each value that a path has, with the environments where it holds.
pub(super) fn markdown(analysis: &Analysis, path: &str) -> Option<String> {
    let project = whole(analysis)?;
    let bindings = Bindings::first(&project);
    let explained = explain(&project, path, None, &bindings, analysis.secrets()).ok()?;
    let lines: Vec<String> = explained.first()?.answers.iter().map(line).collect();
    Some(lines.join("\n"))
}

/// - **production**: `3`, in production, starform.kdl:12:5
fn line(answer: &Answer) -> String {
    let names: Vec<&str> = answer.environments.iter().map(AsRef::as_ref).collect();
    let mut line = format!("- **{}**: ", names.join(", "));
    match &answer.value {
        Some(value) => line.push_str(&code(value)),
        None => line.push_str("nothing"),
    }
    if let Some(said) = answer.said.first() {
        line.push_str(&format!(", {}", said.layer));
        if let Some(place) = &said.place {
            line.push_str(&format!(", {}:{}:{}", place.file, place.line, place.column));
        }
    }
    line
}

/// A code span, whatever is in it.
fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    if text.contains('`') {
        format!("`` {text} ``")
    } else {
        format!("`{text}`")
    }
}

/// The project, if nothing in it is an error.
fn whole(analysis: &Analysis) -> Option<Project> {
    if analysis.diagnostics().iter().any(Diagnostic::is_error) {
        return None;
    }
    Some(Project {
        name: analysis.project.name.clone()?,
        model: analysis.project.model.clone()?,
        sources: analysis.sources.clone(),
    })
}
