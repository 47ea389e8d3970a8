//! What is said about the pattern of an `include` that is none.
//! Pure.
//! Read on in `crate::include`, which follows the patterns.

use crate::diag::{Diagnostic, Fix, codes};
use crate::include::{Glob, InvalidGlob};
use crate::source::Span;
use crate::syntax::quoted;

pub(super) fn glob_error(text: &str, span: Span) -> Option<Diagnostic> {
    let error = text.parse::<Glob>().err()?;
    let diagnostic = Diagnostic::new(codes::BAD_GLOB, span, error.to_string());
    Some(match &error {
        InvalidGlob::Redundant(right) => {
            rewritten(diagnostic, "leave out `.` and `//`", right, span, true)
        }
        InvalidGlob::Backslash(right) => rewritten(
            diagnostic,
            "folders are separated by `/`",
            right,
            span,
            true,
        ),
        InvalidGlob::Absolute => {
            let right = text.trim_start_matches('/');
            let why = "patterns begin in the folder of `starform.kdl`";
            rewritten(diagnostic, why, right, span, false)
        }
        InvalidGlob::Ending => diagnostic.help(ending(text)),
        InvalidGlob::Unknown('{' | '}') => {
            diagnostic.help("write one `include` for each of the alternatives")
        }
        InvalidGlob::Empty | InvalidGlob::TooLong => {
            diagnostic.help("name files, such as \"services/*.kdl\"")
        }
        InvalidGlob::Upwards => {
            diagnostic.help("only files in the folder of `starform.kdl` or below it are included")
        }
        InvalidGlob::Folders => {
            diagnostic.help("`**` stands once, as a whole name: \"services/**/*.kdl\"")
        }
        InvalidGlob::Unknown(_) | InvalidGlob::Stars => {
            diagnostic.help("`*` stands once in a name, for any characters of it")
        }
    })
}

/// With the pattern that is right, if it is one. `same`: it means the same.
fn rewritten(diagnostic: Diagnostic, why: &str, right: &str, span: Span, same: bool) -> Diagnostic {
    if right.parse::<Glob>().is_err() {
        return diagnostic.help(why);
    }
    let text = quoted(right);
    let title = format!("write {text}");
    let diagnostic = diagnostic.help(format!("{why}: {title}"));
    diagnostic.fix(if same {
        Fix::replace(title, span, text)
    } else {
        Fix::maybe_replace(title, span, text)
    })
}

fn ending(text: &str) -> String {
    let folder = text.trim_end_matches('/');
    let last = folder.rsplit('/').next().unwrap_or_default();
    let right = if last.ends_with('*') {
        format!("{text}.kdl")
    } else {
        format!("{folder}/*.kdl")
    };
    if last.contains('.') {
        "name files of KDL: what they hold is read as children of the project".to_owned()
    } else if right.parse::<Glob>().is_ok() {
        format!("write {}", quoted(&right))
    } else {
        "name files, such as \"services/*.kdl\"".to_owned()
    }
}
