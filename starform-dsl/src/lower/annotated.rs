//! The annotated values of variables: `(ref)`, `(template)`, `(secret)`, `(generate)`.
//! Pure. Names of secrets that are none are never repeated: a value may stand in their place.
//! Read on in `vars` for literals and keys, and in `crate::vars` for what values mean.

use std::ops::Range;

use starform_contract::SecretName;

use super::{Cx, placeholder, secret};
use crate::diag::{Diagnostic, Fix, codes};
use crate::project::{Spanned, Suspected};
use crate::source::Span;
use crate::syntax::{Entry, TextRange, Value};
use crate::table::closest;
use crate::vars::template::{self, InvalidTemplate, Part};
use crate::vars::{Annotation, Generator, InvalidReference, Output, Piece, Reference, VarValue};

/// Where the bytes of a string's value stand.
#[derive(Clone, Copy)]
pub(super) struct Inner {
    whole: Span,
    /// From the first byte of the place to the first of the value; `None` where escapes part the two.
    pub(super) offset: Option<u32>,
}

/// `None` where it is broken and reported.
pub(super) fn read(
    cx: &mut Cx,
    key: &str,
    ty: &str,
    span: Span,
    entry: Entry<'_>,
) -> Option<VarValue> {
    match Annotation::parse(ty) {
        Some(Annotation::Ref) => reference(cx, entry),
        Some(Annotation::Template) => template(cx, key, entry),
        Some(Annotation::Secret) => secret(cx, entry),
        Some(Annotation::Generate) => generate(cx, entry),
        None => {
            let title = format!("unknown kind of value `({ty})`");
            let diagnostic = Diagnostic::new(codes::UNEXPECTED_ANNOTATION, span, title);
            cx.report(match closest(ty, Annotation::ALL.map(Annotation::as_str)) {
                Some(near) => diagnostic
                    .help(format!("did you mean `({near})`?"))
                    .fix(Fix::maybe_replace(format!("write `({near})`"), span, near)),
                None => diagnostic.help(
                    "valid here: `(ref)`, `(template)`, `(secret)`, `(generate)`, or no annotation for a literal",
                ),
            });
            None
        }
    }
}

impl Inner {
    pub(super) fn of(entry: Entry<'_>, text: &str) -> Self {
        let raw = entry.raw();
        let offset = if raw == text {
            Some(0)
        } else {
            let quoted = raw.get(1..raw.len().saturating_sub(1)) == Some(text);
            quoted.then_some(1)
        };
        Self {
            whole: entry.value_span(),
            offset,
        }
    }

    /// The place of some bytes, or of the whole.
    pub(super) fn span(self, range: Range<usize>) -> Span {
        let Some(offset) = self.offset else {
            return self.whole;
        };
        let first = self.whole.range.start() + offset;
        let at = |index: usize| first + u32::try_from(index).unwrap_or(u32::MAX);
        Span::new(
            self.whole.file,
            TextRange::new(at(range.start), at(range.end)),
        )
    }
}

/// The text of an annotated value.
fn text<'a>(cx: &mut Cx, entry: Entry<'a>, what: &str) -> Option<std::borrow::Cow<'a, str>> {
    match entry.value() {
        Value::String(text) => Some(text),
        Value::Invalid => None,
        Value::Integer(_) | Value::Decimal(_) | Value::Bool(_) | Value::Null => {
            let title = format!("{what} is not text");
            cx.error(codes::WRONG_TYPE, entry.value_span(), title, "quote it");
            None
        }
    }
}

fn reference(cx: &mut Cx, entry: Entry<'_>) -> Option<VarValue> {
    let text = text(cx, entry, "the reference")?;
    match Reference::parse(&text) {
        Ok(value) => Some(VarValue::Ref(Spanned {
            value,
            span: Inner::of(entry, &text).span(0..text.len()),
        })),
        Err(error) => {
            let range = match &error {
                InvalidReference::Form => 0..text.len(),
                InvalidReference::Output { range, .. } => range.clone(),
            };
            let inner = Inner::of(entry, &text);
            name_service(cx, &error, &text, inner, 0);
            bad_reference(cx, &error, inner.span(range));
            None
        }
    }
}

/// The name of a secret. A value in its place would be one more leak, so it is never repeated.
fn secret(cx: &mut Cx, entry: Entry<'_>) -> Option<VarValue> {
    let text = text(cx, entry, "the name of the secret")?;
    match SecretName::new(text.as_ref()) {
        Ok(name) => Some(VarValue::Secret(name)),
        Err(_) => {
            let help = "write the name that the secret is kept under, such as `(secret)stripe-api-key`: lower-case letters, digits and single hyphens, at most 63";
            let title = "this is no name of a secret";
            cx.error(codes::BAD_NAME, entry.value_span(), title, help);
            None
        }
    }
}

fn generate(cx: &mut Cx, entry: Entry<'_>) -> Option<VarValue> {
    let text = text(cx, entry, "what is generated")?;
    let generator = Generator::Bytes32;
    if text == generator.as_str() {
        return Some(VarValue::Generate(generator));
    }
    let span = entry.value_span();
    let title = format!("`(generate)` makes no `{text}`");
    let diagnostic = Diagnostic::new(codes::NOT_ONE_OF, span, title);
    cx.report(
        diagnostic
            .help("write `(generate)bytes32`: 32 random bytes, made once and kept")
            .fix(Fix::maybe_replace(
                "write `bytes32`",
                span,
                generator.as_str(),
            )),
    );
    None
}

fn template(cx: &mut Cx, key: &str, entry: Entry<'_>) -> Option<VarValue> {
    let text = text(cx, entry, "the template")?;
    let (parts, mistakes) = template::parse(&text);
    if let Some(sign) = secret::around(key, &parts, mistakes.is_empty()) {
        cx.report(secret::diagnostic(key, sign, entry.span()));
        return None;
    }
    let inner = Inner::of(entry, &text);
    for mistake in &mistakes {
        let span = inner.span(mistake.range());
        match mistake {
            InvalidTemplate::Reference(InvalidReference::Form, range)
                if let Some(right) = without_spaces(&text[range.clone()]) =>
            {
                cx.report(spaces(span, &right, inner));
            }
            InvalidTemplate::Reference(error, range) => {
                if let InvalidReference::Output { range: own, .. } = error {
                    name_service(cx, error, &text, inner, range.start - own.start);
                }
                bad_reference(cx, error, span);
            }
            InvalidTemplate::Unclosed(_) | InvalidTemplate::Unopened(_) => {
                let help =
                    "a reference is written `{SERVICE.OUTPUT}`, literal braces `{{` and `}}`";
                cx.error(codes::BAD_TEMPLATE, span, mistake.to_string(), help);
            }
        }
    }
    if mistakes.is_empty() {
        placeholder::in_template(cx, &text, inner);
    }
    let piece = |part: Part| match part {
        Part::Text(text) => Piece::Text(text),
        Part::Reference(value, range) => Piece::Ref(Spanned {
            value,
            span: inner.span(range),
        }),
    };
    mistakes
        .is_empty()
        .then(|| VarValue::Template(parts.into_iter().map(piece).collect()))
}

/// The service of a reference whose output is wrong is looked up nevertheless.
fn name_service(cx: &mut Cx, error: &InvalidReference, text: &str, inner: Inner, start: usize) {
    let InvalidReference::Output { range, .. } = error else {
        return;
    };
    let name = start..start + range.start - 1;
    let value = text[name.clone()].to_owned();
    if value != "self" {
        let span = inner.span(name);
        let path = cx.path.join(".");
        cx.suspect(Suspected::Named(Spanned { value, span }, path));
    }
}

/// `{api.host}`, where `{ api.host }` is written.
fn without_spaces(braces: &str) -> Option<String> {
    let name = braces.strip_prefix('{')?.strip_suffix('}')?.trim();
    Reference::parse(name).ok().map(|_| format!("{{{name}}}"))
}

fn spaces(span: Span, right: &str, inner: Inner) -> Diagnostic {
    let diagnostic = Diagnostic::new(codes::BAD_REFERENCE, span, "spaces around a reference")
        .help(format!("write `{right}`"));
    match inner.offset {
        Some(_) => diagnostic.fix(Fix::replace(format!("write `{right}`"), span, right)),
        None => diagnostic,
    }
}

fn bad_reference(cx: &mut Cx, error: &InvalidReference, span: Span) {
    match error {
        InvalidReference::Form => {
            let help = "write `SERVICE.OUTPUT`, as in `catalog.private-url`";
            cx.error(codes::BAD_REFERENCE, span, "this is no reference", help);
        }
        InvalidReference::Output { output, .. } => {
            let diagnostic = Diagnostic::new(codes::UNKNOWN_OUTPUT, span, error.to_string());
            let near = cx.may_suggest().then(|| Output::closest(output)).flatten();
            cx.report(match near {
                Some(near) => diagnostic
                    .help(format!("did you mean `{near}`?"))
                    .fix(Fix::maybe_replace(format!("write `{near}`"), span, near)),
                None => diagnostic.help(
                    "outputs are `host`, `port`, `hostport`, `private-url`, `public-host` and `public-url`",
                ),
            });
        }
    }
}
