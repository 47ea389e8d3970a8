//! What is said about a node that does not belong where it stands.
//! Pure. One diagnostic a node; its help names the nearest word, else the right place, else what is valid here.
//! Read on in `crate::table` for the words.

use starform_contract::ServiceKind;

use super::{Cx, value};
use crate::diag::{Applicability, Diagnostic, Edit, Fix, codes};
use crate::source::Span;
use crate::syntax::Node;
use crate::table::{self, NodeSpec, Place, closest, foreign_word};

/// So many names are listed; more are not read.
const MOST_NAMES: usize = 8;

pub(super) fn report(
    cx: &mut Cx,
    node: Node<'_>,
    name: &str,
    parent: &str,
    place: Place,
    kind: Option<ServiceKind>,
) {
    let span = node.name_span();
    let here = || {
        table::nodes()
            .filter(move |spec| spec.places.contains(&place))
            .filter(move |spec| kind.is_none_or(|kind| spec.kinds.contains(&kind)))
            .map(|spec| spec.name)
    };
    if !cx.may_suggest() {
        let title = format!("unknown node `{name}`");
        let help = valid(place, kind);
        cx.error(codes::UNKNOWN_NODE, span, title, help);
        return;
    }
    let alias = foreign_word(name, here());
    if let Some(known) = table::elsewhere(name) {
        cx.report(misplaced(known, span, parent, place, alias));
        return;
    }
    let title = format!("unknown node `{name}`");
    let diagnostic =
        Diagnostic::new(codes::UNKNOWN_NODE, span, title).label(not_known(parent, place));
    let near = closest(name, here()).or(alias);
    cx.report(match near {
        Some(near) => diagnostic
            .help(format!("did you mean `{near}`?"))
            .fix(respell(name, span, near)),
        None => match hint(name, parent, place) {
            Some(hint) => diagnostic.help(hint),
            None => diagnostic.help(valid(place, kind)),
        },
    });
}

pub(super) fn wrong_kind(cx: &mut Cx, span: Span, spec: &NodeSpec, kind: ServiceKind) {
    cx.report(wrong_kind_diagnostic(span, spec, kind));
}

/// A node that other kinds of service have.
pub(crate) fn wrong_kind_diagnostic(span: Span, spec: &NodeSpec, kind: ServiceKind) -> Diagnostic {
    let kinds: Vec<&str> = spec.kinds.iter().map(|kind| kind.as_str()).collect();
    let title = format!("a {} service has no `{}`", kind.as_str(), spec.name);
    let help = match (spec.name, kind) {
        ("scale", ServiceKind::Cron) => {
            "take it out: a cron job runs once each time it is due".to_owned()
        }
        ("port", ServiceKind::Worker) => "take it out, or make the service `private`".to_owned(),
        ("domain", ServiceKind::Private) => "take it out, or make the service `web`".to_owned(),
        _ => format!(
            "take it out; `{}` is for {}",
            spec.name,
            value::list(&kinds)
        ),
    };
    Diagnostic::new(codes::WRONG_KIND, span, title).help(help)
}

fn misplaced(
    known: &NodeSpec,
    span: Span,
    parent: &str,
    place: Place,
    alias: Option<&'static str>,
) -> Diagnostic {
    let right = known
        .places
        .first()
        .map_or("a service", |place| place.title());
    let wrong = if place == Place::Root {
        place.title().to_owned()
    } else {
        format!("`{parent}`")
    };
    let title = format!("`{}` belongs in {right}, not in {wrong}", known.name);
    let diagnostic = Diagnostic::new(codes::MISPLACED_NODE, span, title);
    match alias {
        Some(alias) => diagnostic
            .help(format!("did you mean `{alias}`?"))
            .fix(rename(span, alias)),
        None => diagnostic.help(format!("move it there: `{}`", known.form)),
    }
}

/// Certain where only case and `_` differ from what is known.
fn respell(name: &str, span: Span, near: &str) -> Fix {
    let mut fix = rename(span, near);
    if name.to_lowercase().replace('_', "-") == near {
        fix.applicability = Applicability::Safe;
    }
    fix
}

fn rename(span: Span, name: &str) -> Fix {
    Fix::maybe(
        format!("write `{name}`"),
        vec![Edit {
            span,
            text: name.to_owned(),
        }],
    )
}

fn not_known(parent: &str, place: Place) -> String {
    if place == Place::Root {
        "not known at the top level of the file".to_owned()
    } else {
        format!("not known in `{parent}`")
    }
}

/// A property written as a node, or a word that is known in another place by another name.
fn hint(name: &str, parent: &str, place: Place) -> Option<String> {
    let owner = table::elsewhere(parent)?;
    if owner.prop(name).is_some() {
        return Some(format!(
            "it is a property of `{parent}`: write `{name}=…` before its block"
        ));
    }
    let everywhere = || table::nodes().map(|spec| spec.name);
    let other = foreign_word(name, everywhere()).or_else(|| closest(name, everywhere()))?;
    let right = table::elsewhere(other)?.places.first()?;
    (*right != place).then(|| format!("did you mean `{other}`? It belongs in {}", right.title()))
}

/// What may stand in a place, where that is few enough to be read.
fn valid(place: Place, kind: Option<ServiceKind>) -> String {
    let names: Vec<&str> = table::nodes()
        .filter(|spec| spec.places.contains(&place))
        .filter(|spec| spec.availability.is_usable())
        .filter(|spec| kind.is_none_or(|kind| spec.kinds.contains(&kind)))
        .map(|spec| spec.name)
        .collect();
    if names.len() > MOST_NAMES {
        return "take it out; `starform schema node` shows what belongs where".to_owned();
    }
    format!("valid here: {}", value::list(&names))
}
