//! What the node table says about a node, in words that the terminal and the reference page share.
//! Pure.
//! Read on in `node` for the terminal.

use starform_contract::{ServiceKind, quantity::Duration};

use crate::lower::{duration_within, expected};
use crate::table::{self, Args, Availability, Block, NodeSpec, Place, Repeat, Scope, Type};

/// `a service, a partial`
pub(crate) fn places(spec: &NodeSpec) -> String {
    let titles: Vec<&str> = spec.places.iter().map(|place| place.title()).collect();
    titles.join(", ")
}

/// The kinds of service that may hold it; `None` where every kind may, or where none is meant.
pub(crate) fn kinds(spec: &NodeSpec) -> Option<String> {
    let kinds: Vec<&str> = spec
        .kinds
        .iter()
        .copied()
        .map(ServiceKind::as_str)
        .collect();
    (spec.is_inside_services() && spec.kinds.len() < table::ALL_KINDS.len())
        .then(|| kinds.join(", "))
}

/// What a value is, with its range.
pub(crate) fn value(ty: Type) -> String {
    if let Type::Duration { min, max } = ty {
        let such = duration_within(min, max);
        let (min, max) = (Duration::from_secs(min), Duration::from_secs(max));
        return format!("a duration from {min} to {max}, such as \"{such}\"");
    }
    expected(ty)
}

/// The section of the reference page that is about values of a type.
pub(crate) fn section(ty: Type) -> &'static str {
    match ty {
        Type::Text | Type::Literal => "Text",
        Type::Word => "Command",
        Type::VariableName => "Variables",
        Type::Integer { .. } | Type::OneOf(_) | Type::OneOfNumbers(_) | Type::Bool => {
            "Number, word, flag"
        }
        Type::ProjectName
        | Type::ServiceName
        | Type::FormerService
        | Type::FormerName
        | Type::EnvironmentName
        | Type::GroupName
        | Type::PartialName
        | Type::VolumeName
        | Type::PortName
        | Type::Reference(_)
        | Type::StorageClass => "Name",
        Type::Duration { .. } => "Duration",
        Type::Cpu | Type::Memory | Type::Storage => "Quantity",
        Type::Schedule => "Schedule",
        Type::TimeZone => "Time zone",
        Type::Host => "Host",
        Type::HttpPath | Type::RoutePath | Type::Location => "Path of a URL",
        Type::RelativePath | Type::Glob | Type::IncludeGlob | Type::MountPath => "Path of a file",
        Type::Image => "Image reference",
    }
}

/// Name and type of the arguments; `None` where there are none.
pub(crate) fn arguments(
    spec: &NodeSpec,
    value: impl Fn(Type) -> String,
) -> Option<(String, String)> {
    match spec.args {
        Args::None => None,
        Args::One(arg) => Some((arg.name.to_owned(), value(arg.ty))),
        Args::Optional(arg) => Some((format!("[{}]", arg.name), value(arg.ty))),
        Args::Several(arg) => Some((format!("{}…", arg.name), value(arg.ty))),
        Args::Two(first, second) => Some((
            format!("{} {}", first.name, second.name),
            format!("{}; {}", value(first.ty), value(second.ty)),
        )),
    }
}

/// What stands between its braces; `None` where it has none.
pub(crate) fn block(spec: &NodeSpec) -> Option<String> {
    match spec.block {
        Block::None => None,
        Block::Variables => Some("variables".to_owned()),
        Block::Of(Place::Service | Place::ServiceIn | Place::Partial) => {
            Some("what a service holds".to_owned())
        }
        Block::Of(place) => Some(names_in(place).join(", ")),
    }
}

/// Names of the nodes that may stand in a place, in the order of the table.
pub(crate) fn names_in(place: Place) -> Vec<&'static str> {
    Scope::of(place).rows().map(NodeSpec::name).collect()
}

pub(crate) fn repeat(spec: &NodeSpec) -> &'static str {
    match spec.repeat {
        _ if spec.places == [Place::Root] => "once in a project",
        Repeat::Once => "once",
        Repeat::Many => "any number of times",
    }
}

/// What this version does not do, and what to do instead; `None` where it does all of it.
pub(crate) fn missing(availability: Availability) -> Option<String> {
    match availability {
        Availability::Ready => None,
        Availability::Checked { instead } => Some(format!(
            "checked but not deployed by this version: {instead}"
        )),
        Availability::Later { instead } => {
            Some(format!("not available in this version: {instead}"))
        }
    }
}

/// With a capital at its beginning.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
