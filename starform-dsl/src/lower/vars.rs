//! Variables: keys, literals, and what must not stand in a file.
//! Pure. A key that is broken stays known as broken, so that nothing below it shows through.
//! Read on in `annotated` for values that are no literals, and in `crate::vars` for what values mean.

use super::annotated::{self, Inner};
use super::value::number_too_large;
use super::{Cx, MOST_ENTRIES, placeholder, secret};
use crate::diag::{Diagnostic, Fix, codes};
use crate::project::{Setting, Spanned, Vars};
use crate::source::Span;
use crate::syntax::{Entry, Node, Value, quoted};
use crate::vars::credential::{self, Sign};
use crate::vars::{Target, VarValue};

/// Whose variables they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Group,
    Service,
}

pub(super) fn read<'a>(cx: &mut Cx, nodes: impl Iterator<Item = Node<'a>>, owner: Owner) -> Vars {
    let mut vars = Vars::new();
    for node in nodes.filter(|node| !node.name().starts_with("x-")) {
        let key = node.name().into_owned();
        let span = node.name_span();
        if !check_key(cx, &key, span) {
            continue;
        }
        if vars.len() == MOST_ENTRIES {
            cx.too_many(span, "variables in one block", MOST_ENTRIES);
            break;
        }
        let value = cx
            .within(&key, |cx| variable(cx, node, &key, owner))
            .unwrap_or(Setting::Broken);
        match vars.get(&key) {
            Some(first) => twice(cx, &key, span, first.span),
            None => {
                vars.insert(
                    key,
                    Spanned {
                        value,
                        span: node.head_span(),
                    },
                );
            }
        }
    }
    vars
}

fn twice(cx: &mut Cx, key: &str, span: Span, first: Span) {
    let diagnostic = Diagnostic::new(
        codes::DUPLICATE_VARIABLE,
        span,
        format!("`{key}` is given twice"),
    )
    .label("second")
    .also(first, "first")
    .help("keep one of the two");
    cx.report(diagnostic);
}

/// Whether the key is one; says so where it is not.
fn check_key(cx: &mut Cx, key: &str, span: Span) -> bool {
    let diagnostic = key_diagnostic(key, span);
    let good = diagnostic.is_none();
    if let Some(diagnostic) = diagnostic {
        cx.report(diagnostic);
    }
    good
}

/// What is wrong with the name of a variable.
pub(crate) fn key_diagnostic(key: &str, span: Span) -> Option<Diagnostic> {
    bad_key(key, span).or_else(|| reserved_key(key, span))
}

/// What is wrong with the spelling of a variable's name.
pub(super) fn bad_key(key: &str, span: Span) -> Option<Diagnostic> {
    let letters = key
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let first = key
        .bytes()
        .next()
        .is_some_and(|byte| !byte.is_ascii_digit());
    let diagnostic = || {
        let help = "use letters, digits and `_`, and begin with a letter or `_`";
        let title = format!("`{key}` is no name of a variable");
        let diagnostic = Diagnostic::new(codes::BAD_VARIABLE_NAME, span, title).help(help);
        let right = key.replace(['-', '.', ' '], "_");
        if right != key && bad_key(&right, span).is_none() {
            let title = format!("write `{right}`");
            diagnostic.fix(Fix::maybe_replace(title, span, right))
        } else {
            diagnostic
        }
    };
    (!letters || !first).then(diagnostic)
}

fn reserved_key(key: &str, span: Span) -> Option<Diagnostic> {
    let help = match key {
        "PORT" => "take it out: it always holds the first `port` of the service",
        key if key.starts_with("STARFORM_") => {
            "choose another name: those that begin with `STARFORM_` are set by the platform"
        }
        _ => return None,
    };
    let title = format!("`{key}` is reserved");
    Some(Diagnostic::new(codes::RESERVED_VARIABLE, span, title).help(help))
}

/// `None` where it is broken and reported.
fn variable(cx: &mut Cx, node: Node<'_>, key: &str, owner: Owner) -> Option<Setting<VarValue>> {
    let entry = only_value(cx, node, key)?;
    if entry.value() == Value::Null && entry.ty().is_none() {
        return Some(Setting::Unset);
    }
    let value = match entry.ty() {
        None => literal(cx, key, entry)?,
        Some(ty) => annotated::read(cx, key, &ty.text, ty.span, entry)?,
    };
    if let (Owner::Group, Some(own)) = (
        owner,
        value.references().find(|r| r.value.target == Target::Own),
    ) {
        let help = "name the service, or set the variable in the service's own `vars`";
        cx.error(
            codes::SELF_IN_GROUP,
            own.span,
            "`self` has no meaning in a var-group",
            help,
        );
        return None;
    }
    Some(Setting::Set(value))
}

/// A variable's node holds one argument and nothing else.
fn only_value<'a>(cx: &mut Cx, node: Node<'a>, key: &str) -> Option<Entry<'a>> {
    if let Some(ty) = node.ty() {
        let title = format!("`({})` stands before the key", ty.text);
        let help = format!("write it before the value: `{key} ({})…`", ty.text);
        cx.error(codes::UNEXPECTED_ANNOTATION, ty.span, title, help);
        return None;
    }
    if let Some(block) = node.block_span() {
        let help = format!("it is written `{key} VALUE`");
        cx.error(
            codes::UNEXPECTED_BLOCK,
            block,
            format!("the variable `{key}` has no block"),
            help,
        );
        return None;
    }
    if let Some(prop) = node.props().next() {
        let help = format!("quote the whole value: `{key} \"…\"`");
        cx.error(
            codes::UNKNOWN_PROPERTY,
            prop.span(),
            format!("the variable `{key}` has no properties"),
            help,
        );
        return None;
    }
    let mut args = node.args();
    let Some(value) = args.next() else {
        let help = format!("write `{key} \"…\"`; an empty value is `\"\"`");
        cx.error(
            codes::MISSING_ARGUMENT,
            node.name_span(),
            format!("`{key}` has no value"),
            help,
        );
        return None;
    };
    if let Some(extra) = args.next() {
        if credential::key_says_so(key) {
            let span = value.span().cover(extra.span());
            cx.report(secret::diagnostic(key, Sign::Key, span));
            return None;
        }
        let help = format!("quote the whole value: `{key} \"…\"`");
        cx.error(
            codes::EXTRA_ARGUMENT,
            extra.span(),
            format!("`{key}` has more than one value"),
            help,
        );
        return None;
    }
    Some(value)
}

fn literal(cx: &mut Cx, key: &str, entry: Entry<'_>) -> Option<VarValue> {
    let text = match entry.value() {
        Value::String(text) => text.into_owned(),
        Value::Bool(flag) => flag.to_string(),
        value @ (Value::Integer(_) | Value::Decimal(_))
            if is_plain_number(entry.raw()) && fits(&value) =>
        {
            entry.raw().to_owned()
        }
        Value::Integer(_) | Value::Decimal(_) if credential::sign(key, entry.raw()).is_some() => {
            entry.raw().to_owned()
        }
        value @ (Value::Integer(_) | Value::Decimal(_)) => {
            if let Some(diagnostic) = not_plain(&value, entry) {
                cx.report(diagnostic);
            }
            return None;
        }
        Value::Null | Value::Invalid => return None,
    };
    if let Some(sign) = credential::sign(key, &text) {
        cx.report(secret::diagnostic(key, sign, entry.value_span()));
        return None;
    }
    if let Some(diagnostic) = secret::nul(key, &text, entry.value_span()) {
        cx.report(diagnostic);
        return None;
    }
    if matches!(entry.value(), Value::String(_)) {
        placeholder::in_literal(cx, &text, entry.value_span(), Inner::of(entry, &text));
    }
    Some(VarValue::Literal(text))
}

/// That a number reads differently as text.
pub(super) fn not_plain(value: &Value<'_>, entry: Entry<'_>) -> Option<Diagnostic> {
    let number = matches!(value, Value::Integer(_) | Value::Decimal(_));
    let diagnostic = || {
        let span = entry.value_span();
        let mistake = if fits(value) {
            let title = format!("`{}` is not a plain decimal number", entry.raw());
            Diagnostic::new(codes::NUMBER_NEEDS_QUOTES, span, title)
        } else {
            number_too_large(span)
        };
        mistake
            .help("a variable is text: quote it")
            .fix(Fix::replace(
                "quote it",
                entry.value_span(),
                quoted(entry.raw()),
            ))
    };
    let plain = is_plain_number(entry.raw()) && fits(value);
    (number && !plain).then(diagnostic)
}

/// Whether a whole number has its place in 64 bits.
fn fits(value: &Value<'_>) -> bool {
    match value {
        Value::Integer(number) => i64::try_from(*number).is_ok(),
        Value::Decimal(_) | Value::String(_) | Value::Bool(_) | Value::Null | Value::Invalid => {
            true
        }
    }
}

/// `12`, `-1`, `0.50`: what reads the same as text and as a number.
fn is_plain_number(raw: &str) -> bool {
    let unsigned = raw.strip_prefix('-').unwrap_or(raw);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0'))
}
