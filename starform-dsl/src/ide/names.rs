//! Which values of a node are names, and of what, by its row of the node table.
//! Pure. What a type of the table names is named here, except what the index does not know: projects and volumes.
//! Read on in `collect`, which gathers them, and `values`, which offers them.

use std::ops::Range;

use super::index::NameKind;
use super::scope::Visit;
use crate::project::GoneKind;
use crate::syntax::{Entry, TextRange, Value};
use crate::table::{Naming, ProjectNode, Type, Word};
use crate::vars::{Annotation, template};

/// What a value does with the name that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Declares(NameKind),
    Uses(NameKind),
    Formerly(NameKind),
}

/// What a `(ref)` or `(template)` refers to: `service.output`, as far as it is written.
pub(super) struct Reference {
    pub(super) text: String,
    /// `None` where escapes hide it.
    pub(super) range: Option<TextRange>,
    /// It stands between the braces of a template.
    pub(super) in_braces: bool,
}

/// The references in the value of a variable.
pub(super) fn references(entry: Entry<'_>) -> Vec<Reference> {
    let (Some(ty), Value::String(text)) = (entry.ty(), entry.value()) else {
        return Vec::new();
    };
    let start = entry.text_span().map(|span| span.range.start());
    let count = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    let reference = |in_braces: bool, bytes: Range<usize>| Reference {
        range: start
            .map(|start| TextRange::new(start + count(bytes.start), start + count(bytes.end))),
        text: text[bytes].to_owned(),
        in_braces,
    };
    match Annotation::parse(&ty.text) {
        Some(Annotation::Ref) => Vec::from([reference(false, 0..text.len())]),
        Some(Annotation::Template) => template::references(&text)
            .into_iter()
            .map(|bytes| reference(true, bytes))
            .collect(),
        Some(Annotation::Secret | Annotation::Generate) | None => Vec::new(),
    }
}

/// The entries of a node that are names.
pub(super) fn in_node(visit: Visit<'_>) -> impl Iterator<Item = (Entry<'_>, Named)> {
    let spec = visit.spec;
    let mut arg = 0;
    visit.node.entries().filter_map(move |entry| {
        let spec = spec?;
        let named = match entry.name() {
            Some(prop) => of_type(spec.prop(&prop.text)?.ty),
            None => {
                arg += 1;
                removed(visit, arg).or_else(|| of_type(spec.args.at(arg - 1)?.ty))
            }
        };
        named.map(|named| (entry, named))
    })
}

/// `removed volume api.data`: the entry, and the service before the point.
pub(super) fn owner_of_removed_volume(visit: Visit<'_>) -> Option<(Entry<'_>, String)> {
    let mut args = visit.node.args();
    let (kind, entry) = (args.next()?.value(), args.next()?);
    let of_volume = gone_kind(&kind) == Some(GoneKind::Volume);
    let Value::String(name) = entry.value() else {
        return None;
    };
    let (service, _) = name.split_once('.')?;
    (visit.spec?.node == ProjectNode::Removed.node() && of_volume)
        .then(|| (entry, service.to_owned()))
}

/// What a node declares.
pub(super) fn declared(visit: Visit<'_>) -> Option<(NameKind, String)> {
    in_node(visit).find_map(|(entry, named)| match (named, entry.value()) {
        (Named::Declares(kind), Value::String(name)) => Some((kind, name.into_owned())),
        (Named::Declares(_) | Named::Uses(_) | Named::Formerly(_), _) => None,
    })
}

/// What a value of a type is the name of, of what the index knows.
pub(super) fn of_type(ty: Type) -> Option<Named> {
    Some(match ty.naming()? {
        Naming::Declares(of) => Named::Declares(NameKind::of(of)?),
        Naming::Uses(of) => Named::Uses(NameKind::of(of)?),
        Naming::Formerly(of) => Named::Formerly(NameKind::of(of)?),
    })
}

/// `removed web old`: the second argument is a service that was.
fn removed(visit: Visit<'_>, arg: usize) -> Option<Named> {
    let kind = visit.node.args().next()?.value();
    let of_service = matches!(kind, Value::String(_)) && gone_kind(&kind) != Some(GoneKind::Volume);
    (visit.spec?.node == ProjectNode::Removed.node() && arg == 2 && of_service)
        .then_some(Named::Formerly(NameKind::Service))
}

/// What `removed` says that something was.
fn gone_kind(word: &Value<'_>) -> Option<GoneKind> {
    match word {
        Value::String(word) => GoneKind::parse(word),
        Value::Integer(_) | Value::Decimal(_) | Value::Bool(_) | Value::Null | Value::Invalid => {
            None
        }
    }
}
