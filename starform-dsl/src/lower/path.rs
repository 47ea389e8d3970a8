//! One path, pattern or location against its type, with the spelling that would be right.
//! Pure.
//! Read on in `crate::values::path` for what they are, and in `value`, which asks.

use crate::diag::{Diagnostic, Fix, codes};
use crate::source::Span;
use crate::syntax::quoted;
use crate::values::path::{self, InvalidPath};

pub(super) fn relative(name: &str, text: &str, span: Span) -> Option<Diagnostic> {
    let error = path::check_relative(text).err()?;
    let title = format!("{name} is no path inside the repository");
    let such_as = match name {
        "`dockerfile`" => "\"docker/Dockerfile\"",
        _ => "\"services/api\"",
    };
    Some(said(title, &error, span, such_as))
}

pub(super) fn glob(name: &str, text: &str, span: Span) -> Option<Diagnostic> {
    let error = path::check_glob(text).err()?;
    let title = format!("{name} is no pattern of paths inside the repository");
    Some(said(title, &error, span, "\"services/api/**\""))
}

pub(super) fn mount(name: &str, text: &str, span: Span) -> Option<Diagnostic> {
    let error = path::check_mount(text).err()?;
    let title = format!("{name} is no folder of the container");
    Some(said(title, &error, span, "\"/data\""))
}

pub(super) fn http(name: &str, text: &str, span: Span) -> Option<Diagnostic> {
    if path::is_http_path(text) {
        return None;
    }
    let title = format!("{name} is no path: `{text}`");
    let help = "begin with `/` and leave out host, white space and `#`, as in \"/healthz\"";
    let diagnostic = Diagnostic::new(codes::BAD_PATH, span, title).help(help);
    let lacks_slash = !text.contains(':') && !text.starts_with('.');
    let right = path_of_url(text).filter(|right| path::is_http_path(right));
    Some(match right {
        Some(right) if lacks_slash => {
            let right = quoted(&right);
            diagnostic.fix(Fix::replace(format!("write {right}"), span, right))
        }
        right => with_right(diagnostic, right, span),
    })
}

pub(super) fn route(name: &str, text: &str, span: Span) -> Option<Diagnostic> {
    let diagnostic = || {
        let title = format!("{name} is no path that begins others: `{text}`");
        let help = "begin with `/`, end without it, and leave out `*`, `?`, `..` and the host, as in \"/api\": everything below it belongs to it";
        let right = path_of_url(text)
            .map(|right| {
                format!(
                    "/{}",
                    right.trim_end_matches(['*', '/']).trim_start_matches('/')
                )
            })
            .filter(|right| path::is_route(right));
        with_right(
            Diagnostic::new(codes::BAD_PATH, span, title).help(help),
            right,
            span,
        )
    };
    (!path::is_route(text)).then(diagnostic)
}

pub(super) fn location(name: &str, text: &str, span: Span) -> Option<Diagnostic> {
    let diagnostic = || {
        let title = format!("{name} is neither a path nor a URL: `{text}`");
        let help = "write a path of the same host, such as \"/new\", or a URL, such as \"https://shop.example/new\"";
        let begins_with_host = text
            .split('/')
            .next()
            .is_some_and(|host| host.contains('.'));
        let right = if begins_with_host {
            format!("https://{text}")
        } else {
            format!("/{text}")
        };
        let right = Some(right).filter(|right| path::is_location(right));
        with_right(
            Diagnostic::new(codes::BAD_LOCATION, span, title).help(help),
            right,
            span,
        )
    };
    (!path::is_location(text)).then(diagnostic)
}

fn said(title: String, error: &InvalidPath, span: Span, such_as: &str) -> Diagnostic {
    let right = match error {
        InvalidPath::Absolute { right }
        | InvalidPath::Relative { right }
        | InvalidPath::Backslash { right }
        | InvalidPath::Spelling { right } => Some(right.clone()),
        InvalidPath::Empty
        | InvalidPath::Parent
        | InvalidPath::Character(_)
        | InvalidPath::Root
        | InvalidPath::TooLong
        | InvalidPath::Unclosed(_)
        | InvalidPath::Stars
        | InvalidPath::Negated => None,
    };
    let help = match &right {
        Some(right) => format!("write {}", quoted(right)),
        None => format!("write one such as {such_as}"),
    };
    let diagnostic = Diagnostic::new(codes::BAD_FILE_PATH, span, title)
        .label(error.to_string())
        .help(help);
    with_right(diagnostic, right, span)
}

/// What stands after the host, or a path that lacks its `/`.
fn path_of_url(text: &str) -> Option<String> {
    if text.contains(char::is_whitespace) {
        return None;
    }
    match text.split_once("://") {
        Some((_, rest)) => rest.find('/').map(|slash| rest[slash..].to_owned()),
        None => Some(format!("/{}", text.trim_start_matches('/'))),
    }
}

fn with_right(diagnostic: Diagnostic, right: Option<String>, span: Span) -> Diagnostic {
    match right {
        Some(right) => {
            let text = quoted(&right);
            let title = format!("write {text}");
            diagnostic.fix(Fix::maybe_replace(title, span, text))
        }
        None => diagnostic,
    }
}
