//! Which values of a node are names, and of what, by its row of the node table.
//! Pure. A type of the table that is a name is one here: `Type::Reference` by what its row calls it.
//! Read on in `collect`, which gathers them, and `values`, which offers them.

use std::ops::Range;

use super::index::NameKind;
use super::scope::{Visit, is_service};
use crate::project::VOLUME;
use crate::syntax::{Entry, TextRange, Value};
use crate::table::{NodeSpec, Type};
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
            Some(prop) => {
                let prop = spec.prop(&prop.text)?;
                of_value(spec, prop.name, prop.ty)
            }
            None => {
                arg += 1;
                removed(visit, arg).or_else(|| of_value_at(spec, arg - 1))
            }
        };
        named.map(|named| (entry, named))
    })
}

/// `removed volume api.data`: the entry, and the service before the point.
pub(super) fn owner_of_removed_volume(visit: Visit<'_>) -> Option<(Entry<'_>, String)> {
    let mut args = visit.node.args();
    let (kind, entry) = (args.next()?.value(), args.next()?);
    let of_volume = matches!(&kind, Value::String(kind) if kind == VOLUME);
    let Value::String(name) = entry.value() else {
        return None;
    };
    let (service, _) = name.split_once('.')?;
    (visit.spec?.name == "removed" && of_volume).then(|| (entry, service.to_owned()))
}

/// What a node declares.
pub(super) fn declared(visit: Visit<'_>) -> Option<(NameKind, String)> {
    in_node(visit).find_map(|(entry, named)| match (named, entry.value()) {
        (Named::Declares(kind), Value::String(name)) => Some((kind, name.into_owned())),
        (Named::Declares(_) | Named::Uses(_) | Named::Formerly(_), _) => None,
    })
}

/// What a value of a row is the name of; `called` is the property or what the row calls the argument.
pub(super) fn of_value(spec: &NodeSpec, called: &str, ty: Type) -> Option<Named> {
    let kind = match called {
        "was" if is_service(spec) => return Some(Named::Formerly(NameKind::Service)),
        "ENV" | "from" => NameKind::Environment,
        "GROUP" => NameKind::Group,
        "SERVICE" => NameKind::Service,
        "like" => NameKind::Partial,
        "NAME" => return declares(spec, ty).map(Named::Declares),
        _ => return None,
    };
    Some(Named::Uses(kind))
}

/// What the argument at an index is the name of.
fn of_value_at(spec: &NodeSpec, index: usize) -> Option<Named> {
    let arg = spec.args.at(index)?;
    of_value(spec, arg.name, arg.ty)
}

fn declares(spec: &NodeSpec, ty: Type) -> Option<NameKind> {
    match ty {
        Type::ServiceName => Some(NameKind::Service),
        Type::EnvironmentName => Some(NameKind::Environment),
        Type::GroupName => Some(NameKind::Group),
        Type::PartialName => Some(NameKind::Partial),
        Type::VolumeName
        | Type::ProjectName
        | Type::PortName
        | Type::Text
        | Type::Word
        | Type::FormerName
        | Type::Reference
        | Type::Integer { .. }
        | Type::Bool
        | Type::Duration { .. }
        | Type::Cpu
        | Type::Memory
        | Type::HttpPath
        | Type::Host
        | Type::OneOf(_)
        | Type::Schedule
        | Type::TimeZone
        | Type::Image
        | Type::IncludeGlob
        | Type::RoutePath
        | Type::Location
        | Type::OneOfNumbers(_)
        | Type::RelativePath
        | Type::Glob
        | Type::MountPath
        | Type::Storage
        | Type::StorageClass
        | Type::VariableName
        | Type::Literal => None,
    }
}

/// `removed web old`: the second argument is a service that was.
fn removed(visit: Visit<'_>, arg: usize) -> Option<Named> {
    let kind = visit.node.args().next()?.value();
    let of_service = matches!(&kind, Value::String(kind) if kind != VOLUME);
    (visit.spec?.name == "removed" && arg == 2 && of_service)
        .then_some(Named::Formerly(NameKind::Service))
}
