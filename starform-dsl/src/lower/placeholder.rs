//! Placeholders as other tools write them: `${api.host}` and `{{ api.host }}`, and references in text that is no template.
//! Pure. Says nothing of names that no service has: it is kept until the services are known.
//! Read on in `vars` and `annotated` for the values and in `crate::vars::template` for what a template is.

use std::ops::Range;

use super::Cx;
use super::annotated::Inner;
use crate::diag::{Diagnostic, Fix, codes};
use crate::project::Suspected;
use crate::source::Span;
use crate::syntax::quoted;
use crate::table::ProjectNode;
use crate::vars::template;
use crate::vars::{Reference, Target};

/// A reference with all that stands around it.
struct Placeholder {
    target: String,
    /// `{api.host}`
    right: String,
    range: Range<usize>,
}

/// Of a sound template: a `$` before a reference, and doubled braces, which stand for themselves.
pub(super) fn in_template(cx: &mut Cx, text: &str, inner: Inner) {
    for Placeholder {
        target,
        right,
        range,
    } in placeholders(text)
    {
        let written = &text[range.clone()];
        if written == right {
            continue;
        }
        let title = match written.strip_prefix('$') {
            Some(_) => "the `$` before a reference stays in the text",
            None => "doubled braces stand for themselves",
        };
        let span = inner.span(range.clone());
        let diagnostic = Diagnostic::new(codes::LOOKS_LIKE_REFERENCE, span, title)
            .help(format!("write `{right}` to put in the output"));
        let title = format!("write `{right}`");
        let diagnostic = match inner.offset {
            None => diagnostic,
            Some(_) if written.starts_with('$') => diagnostic.fix(Fix::replace(title, span, right)),
            Some(_) => diagnostic.fix(Fix::maybe_replace(title, span, right)),
        };
        suspect(cx, target, diagnostic);
    }
}

/// Of a text without `(template)`: said once, of the first reference in it.
pub(super) fn in_literal(cx: &mut Cx, text: &str, span: Span, inner: Inner) {
    let found = placeholders(text);
    let Some(first) = found.first() else { return };
    let mut right = String::new();
    let mut at = 0;
    for placeholder in &found {
        right.push_str(&text[at..placeholder.range.start]);
        right.push_str(&placeholder.right);
        at = placeholder.range.end;
    }
    right.push_str(&text[at..]);
    let title = format!("`{}` is text here, no reference", first.right);
    let diagnostic = Diagnostic::new(codes::LOOKS_LIKE_REFERENCE, span, title)
        .help("write `(template)` before the value to put in the output");
    let sound = template::parse(&right).1.is_empty() && inner.offset.is_some();
    let text = format!("(template){}", quoted(&right));
    suspect(
        cx,
        first.target.clone(),
        match sound {
            true => diagnostic.fix(Fix::maybe_replace("make it a `(template)`", span, text)),
            false => diagnostic,
        },
    );
}

fn suspect(cx: &mut Cx, target: String, diagnostic: Diagnostic) {
    let in_group = cx
        .path
        .get(1)
        .is_some_and(|word| word == ProjectNode::VarGroup.as_str());
    if target == "self" && in_group {
        return;
    }
    let diagnostic = diagnostic.node_path(cx.path.join("."));
    cx.suspect(Suspected::If(target, diagnostic));
}

/// Every reference in braces, with `$` before, spaces inside, or the braces doubled.
fn placeholders(text: &str) -> Vec<Placeholder> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = text[at..].find('{') {
        let open = at + offset;
        let start = open + text[open..].len() - text[open..].trim_start_matches('{').len();
        let Some(length) = text[start..].find(['{', '}']) else {
            break;
        };
        let (braces, end) = (start - open, start + length);
        at = end.max(open + 1);
        let close = text[end..].len() - text[end..].trim_start_matches('}').len();
        let name = text[start..end].trim();
        if close < braces || braces > 2 {
            continue;
        }
        let Ok(reference) = Reference::parse(name) else {
            continue;
        };
        let dollar = text[..open].ends_with('$') && !text[..open].ends_with("$$");
        found.push(Placeholder {
            target: match reference.target {
                Target::Own => "self".to_owned(),
                Target::Service(name) => name,
            },
            right: format!("{{{name}}}"),
            range: open - usize::from(dollar)..end + braces,
        });
        at = end + braces;
    }
    found
}
