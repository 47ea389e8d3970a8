//! What is said about the pattern of an `include` that is none.
//! Pure.
//! Read on in `crate::include`, which follows the patterns.

use super::quoted;
use crate::diag::{Diagnostic, Edit, Fix, codes};
use crate::include::{Glob, InvalidGlob};
use crate::source::Span;

pub(super) fn glob_error(text: &str, span: Span) -> Option<Diagnostic> {
    let error = text.parse::<Glob>().err()?;
    let diagnostic = Diagnostic::new(codes::BAD_GLOB, span, error.to_string());
    Some(match &error {
        InvalidGlob::Redundant(right) | InvalidGlob::Backslash(right) => {
            let diagnostic = diagnostic.help(format!("write {}", quoted(right)));
            if right.parse::<Glob>().is_ok() {
                diagnostic.fix(Fix::replace(
                    format!("write {}", quoted(right)),
                    span,
                    quoted(right),
                ))
            } else {
                diagnostic
            }
        }
        InvalidGlob::Absolute => {
            let right = text.trim_start_matches('/');
            let diagnostic = diagnostic.help(format!("write {}", quoted(right)));
            if right.parse::<Glob>().is_ok() {
                let edit = Edit {
                    span,
                    text: quoted(right),
                };
                diagnostic.fix(Fix::maybe(format!("write {}", quoted(right)), vec![edit]))
            } else {
                diagnostic
            }
        }
        InvalidGlob::Ending => diagnostic.help(ending(text)),
        InvalidGlob::Unknown('{' | '}') => {
            diagnostic.help("write one `include` for each of the alternatives")
        }
        InvalidGlob::Empty | InvalidGlob::TooLong => {
            diagnostic.help("name files, such as \"services/*.kdl\"")
        }
        InvalidGlob::Upwards => {
            diagnostic.help("move the file into the folder of the project, or below it")
        }
        InvalidGlob::Unknown(_) | InvalidGlob::Stars | InvalidGlob::Folders => diagnostic
            .help("`*` stands for any characters of one name, `**/` for any number of folders"),
    })
}

fn ending(text: &str) -> String {
    let right = if text.ends_with('*') {
        format!("{text}.kdl")
    } else {
        format!("{}/*.kdl", text.trim_end_matches('/'))
    };
    if right.parse::<Glob>().is_ok() {
        format!("write {}", quoted(&right))
    } else {
        "name files, such as \"services/*.kdl\"".to_owned()
    }
}
