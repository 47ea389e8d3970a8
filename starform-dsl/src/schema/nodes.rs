//! The node table as JSON of the shape `schemas/nodes.v1.json`.
//! Pure. Fields are those of [`NodeSpec`]; amounts are text with their units, and nothing is left out that a check knows.
//! Read on in `crate::table` for the rows.

use serde::Serialize;
use starform_contract::{ServiceKind, quantity::Duration};

use crate::lower::expected;
use crate::table::{self, ArgSpec, Args, Availability, Block, NodeSpec, PropSpec, Repeat, Type};

/// Rows of the node table, in its order.
#[derive(Clone, Debug, Serialize)]
pub struct Nodes {
    nodes: Vec<Row>,
}

#[derive(Clone, Debug, Serialize)]
struct Row {
    name: &'static str,
    form: &'static str,
    doc: &'static str,
    /// Where it may stand.
    places: Vec<&'static str>,
    /// The kinds of service that may hold it; absent outside services.
    #[serde(skip_serializing_if = "Option::is_none")]
    kinds: Option<Vec<&'static str>>,
    repeat: &'static str,
    arguments: Vec<Argument>,
    properties: Vec<Property>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<&'static str>,
    /// Whether `NODE #null` may be written.
    unset: bool,
    default: &'static str,
    availability: State,
    #[serde(skip_serializing_if = "str::is_empty")]
    example: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct Argument {
    name: &'static str,
    /// `one`, `optional` or `several`
    count: &'static str,
    #[serde(flatten)]
    value: Value,
}

#[derive(Clone, Debug, Serialize)]
struct Property {
    name: &'static str,
    required: bool,
    doc: &'static str,
    availability: State,
    #[serde(flatten)]
    value: Value,
}

/// What a value is: a word for its type, its bounds or words, and the phrase that messages use.
#[derive(Clone, Debug, Default, Serialize)]
struct Value {
    #[serde(rename = "type")]
    ty: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    one_of: Vec<String>,
    expected: String,
}

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
enum State {
    Ready,
    Checked { instead: &'static str },
    Later { instead: &'static str },
}

/// The whole table.
pub fn all_nodes() -> Nodes {
    Nodes {
        nodes: table::nodes().map(row).collect(),
    }
}

/// The rows of a name; `None` where the language has no such node.
pub fn nodes_named(name: &str) -> Option<Nodes> {
    let rows = table::nodes().filter(|spec| spec.name() == name);
    let nodes: Vec<Row> = rows.map(row).collect();
    (!nodes.is_empty()).then_some(Nodes { nodes })
}

fn row(spec: &NodeSpec) -> Row {
    let kinds = || {
        spec.kinds
            .iter()
            .copied()
            .map(ServiceKind::as_str)
            .collect()
    };
    Row {
        name: spec.name(),
        form: spec.form,
        doc: spec.doc,
        places: spec.places.iter().map(|place| place.word()).collect(),
        kinds: spec.is_inside_services().then(kinds),
        repeat: match spec.repeat {
            Repeat::Once => "once",
            Repeat::Many => "many",
        },
        arguments: arguments(spec.args),
        properties: spec.props.iter().map(property).collect(),
        block: match spec.block {
            Block::None => None,
            Block::Of(place) => Some(place.word()),
            Block::Variables => Some("variables"),
        },
        unset: spec.unset,
        default: spec.default,
        availability: state(spec.availability),
        example: spec.example,
    }
}

fn arguments(args: Args) -> Vec<Argument> {
    let argument = |count, arg: ArgSpec| Argument {
        name: arg.name,
        count,
        value: value(arg.ty),
    };
    match args {
        Args::None => Vec::new(),
        Args::One(arg) => vec![argument("one", arg)],
        Args::Optional(arg) => vec![argument("optional", arg)],
        Args::Several(arg) => vec![argument("several", arg)],
        Args::Two(first, second) => vec![argument("one", first), argument("one", second)],
    }
}

fn property(prop: &PropSpec) -> Property {
    Property {
        name: prop.name,
        required: prop.required,
        doc: prop.doc,
        availability: state(prop.availability),
        value: value(prop.ty),
    }
}

fn state(availability: Availability) -> State {
    match availability {
        Availability::Ready => State::Ready,
        Availability::Checked { instead } => State::Checked { instead },
        Availability::Later { instead } => State::Later { instead },
    }
}

fn value(ty: Type) -> Value {
    let mut value = Value {
        ty: ty.word(),
        expected: expected(ty),
        ..Value::default()
    };
    if let Type::Integer { min, max } = ty {
        value.min = Some(min.to_string());
        value.max = (max != i64::MAX).then(|| max.to_string());
    } else if let Type::Duration { min, max } = ty {
        value.min = Some(Duration::from_secs(min).to_string());
        value.max = Some(Duration::from_secs(max).to_string());
    } else if let Type::OneOf(words) = ty {
        value.one_of = words.iter().map(|word| (*word).to_owned()).collect();
    } else if let Type::OneOfNumbers(numbers) = ty {
        value.one_of = numbers.iter().map(i64::to_string).collect();
    }
    value
}
