//! What is said about a literal that looks like a secret, and about one that no process could be given.
//! Pure. Never repeats a value.
//! Read on in `crate::vars::credential` for what looks like a secret.

use starform_contract::SecretName;

use crate::diag::{Diagnostic, Fix, codes};
use crate::source::Span;
use crate::vars::credential::{self, Sign};
use crate::vars::template::Part;

const REPLACE: &str = "who has read the file has read the value: if it was ever committed, replace it where it is used";

pub(super) fn diagnostic(key: &str, sign: Sign, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        codes::CREDENTIAL,
        span,
        format!("`{key}` looks like a credential"),
    )
    .label(why(sign))
    .note(REPLACE)
    .help("take the value out of the file and name the secret instead");
    match name_of(key) {
        Some(name) => {
            let title = format!("write `(secret){name}`");
            let text = format!("(secret){name}");
            diagnostic.fix(Fix::maybe_replace(title, span, text))
        }
        None => diagnostic,
    }
}

/// Whoever may read a plan or the cluster's objects reads the arguments of a command.
/// `before` is the argument before it, which may be an option that says what this one is.
pub(super) fn argument(
    node: &str,
    before: Option<&str>,
    text: &str,
    span: Span,
) -> Option<Diagnostic> {
    let after = |option| credential::sign_after_option(option, text);
    let sign = credential::sign_of_argument(text).or_else(|| before.and_then(after))?;
    let title = format!("an argument of `{node}` looks like a credential");
    let diagnostic = Diagnostic::new(codes::CREDENTIAL, span, title)
        .label(why(sign))
        .note(REPLACE)
        .help("take it out: make it a variable, written `NAME (secret)name` in `vars`, and let the program read that from its environment");
    Some(diagnostic)
}

/// Whether what stands around the references of a template gives a secret away; without any it is a literal.
pub(super) fn around(key: &str, parts: &[Part], sound: bool) -> Option<Sign> {
    let texts = parts.iter().map(|part| match part {
        Part::Text(text) => text.as_str(),
        Part::Reference(_, _) => "",
    });
    let around: String = texts.collect();
    let refers = |part: &Part| matches!(part, Part::Reference(_, _));
    if parts.iter().any(refers) || !sound {
        credential::sign_of_value(&around)
    } else {
        credential::sign(key, &around)
    }
}

/// A process takes its arguments and variables as texts that NUL ends, so none can hold one.
pub(super) fn nul(key: &str, text: &str, span: Span) -> Option<Diagnostic> {
    let diagnostic = || {
        let title = format!("the value of `{key}` holds a NUL character");
        Diagnostic::new(codes::OUT_OF_RANGE, span, title)
            .help("take it out: no variable of a process can hold one")
    };
    text.contains('\0').then(diagnostic)
}

fn why(sign: Sign) -> &'static str {
    match sign {
        Sign::Key => "its name says that it is one",
        Sign::Form => "it has the form of a known kind of key or token",
        Sign::Address => "it is an address with a password in it",
        Sign::Random => "it is long and random",
    }
}

/// The name of a secret that a variable's key may have meant: `API_KEY` becomes `api-key`.
fn name_of(text: &str) -> Option<SecretName> {
    let lower = text.to_ascii_lowercase();
    let parts: Vec<&str> = lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect();
    SecretName::new(parts.join("-")).ok()
}
