//! What a document means, without its spelling: from our tree and from that of the crate `kdl`.
//! Pure. Properties are sorted and the last of a name wins; numbers are equal if their values are.
//! Read on in `suite` and `laws`, which compare these.

use std::collections::BTreeMap;

use kdl::{KdlDocument, KdlValue};
use starform_dsl::source::FileId;
use starform_dsl::syntax::{Entry, Nodes, Value, parse};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    ty: Option<String>,
    name: String,
    args: Vec<Typed>,
    props: BTreeMap<String, Typed>,
    children: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq)]
struct Typed {
    ty: Option<String>,
    scalar: Scalar,
}

#[derive(Clone, Debug, PartialEq)]
enum Scalar {
    String(String),
    /// Sign, digits without zeros at the ends, power of ten.
    Number(bool, String, i64),
    Special(String),
    Bool(bool),
    Null,
}

/// Our reading of a text; the titles of the diagnostics where it is refused.
pub(crate) fn ours(text: &str) -> Result<Vec<Node>, Vec<String>> {
    let parse = parse(FileId(0), text);
    let faults: Vec<String> = parse
        .diagnostics
        .iter()
        .map(|d| format!("{}: {}", d.code, d.title))
        .collect();
    if faults.is_empty() {
        Ok(our_nodes(parse.cst.nodes()))
    } else {
        Err(faults)
    }
}

/// The reading of the crate `kdl`.
pub(crate) fn oracle(text: &str) -> Result<Vec<Node>, String> {
    KdlDocument::parse(text)
        .map(|document| oracle_nodes(&document))
        .map_err(|error| error.to_string())
}

/// The reading of KDL v1 by the crate `kdl`.
pub(crate) fn oracle_v1(text: &str) -> Result<Vec<Node>, String> {
    KdlDocument::parse_v1(text)
        .map(|document| oracle_nodes(&document))
        .map_err(|error| error.to_string())
}

fn our_nodes(nodes: Nodes<'_>) -> Vec<Node> {
    nodes
        .map(|node| Node {
            ty: node.ty().map(|ty| ty.text.into_owned()),
            name: node.name().into_owned(),
            args: node.args().map(our_value).collect(),
            props: node
                .props()
                .map(|entry| {
                    (
                        entry
                            .name()
                            .expect("a property has a name")
                            .text
                            .into_owned(),
                        our_value(entry),
                    )
                })
                .collect(),
            children: node.children().map(our_nodes).unwrap_or_default(),
        })
        .collect()
}

fn our_value(entry: Entry<'_>) -> Typed {
    let scalar = match entry.value() {
        Value::String(text) => Scalar::String(text.into_owned()),
        Value::Integer(number) => number_of(&number.to_string()),
        Value::Decimal(raw) if raw.starts_with('#') => Scalar::Special(raw.to_owned()),
        Value::Decimal(raw) => number_of(raw),
        Value::Bool(value) => Scalar::Bool(value),
        Value::Null => Scalar::Null,
        Value::Invalid => panic!("an accepted text has no invalid value"),
    };
    Typed {
        ty: entry.ty().map(|ty| ty.text.into_owned()),
        scalar,
    }
}

fn oracle_nodes(document: &KdlDocument) -> Vec<Node> {
    let nodes = document.nodes().iter().map(|node| Node {
        ty: node.ty().map(|ty| ty.value().to_owned()),
        name: node.name().value().to_owned(),
        args: node
            .entries()
            .iter()
            .filter(|entry| entry.name().is_none())
            .map(oracle_value)
            .collect(),
        props: node
            .entries()
            .iter()
            .filter_map(|entry| {
                entry
                    .name()
                    .map(|name| (name.value().to_owned(), oracle_value(entry)))
            })
            .collect(),
        children: node.children().map(oracle_nodes).unwrap_or_default(),
    });
    nodes.collect()
}

fn oracle_value(entry: &kdl::KdlEntry) -> Typed {
    let scalar = match entry.value() {
        KdlValue::String(text) => Scalar::String(text.clone()),
        KdlValue::Integer(number) => number_of(&number.to_string()),
        KdlValue::Float(_) => {
            let repr = entry
                .format()
                .map(|format| format.value_repr.clone())
                .unwrap_or_default();
            if repr.starts_with('#') {
                Scalar::Special(repr)
            } else {
                number_of(&repr)
            }
        }
        KdlValue::Bool(value) => Scalar::Bool(*value),
        KdlValue::Null => Scalar::Null,
    };
    Typed {
        ty: entry.ty().map(|ty| ty.value().to_owned()),
        scalar,
    }
}

/// A decimal number by value, of any size.
fn number_of(raw: &str) -> Scalar {
    let raw = raw.replace('_', "").to_ascii_lowercase();
    let (negative, raw) = match raw.strip_prefix('-') {
        Some(rest) => (true, rest.to_owned()),
        None => (false, raw.trim_start_matches('+').to_owned()),
    };
    let (mantissa, exponent) = raw.split_once('e').unwrap_or((&raw, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i64 = exponent.parse().expect("an exponent is a whole number");
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    let dropped = (digits.len() - significant.len()) as i64;
    match significant {
        "" => Scalar::Number(false, String::new(), 0),
        _ => Scalar::Number(
            negative,
            significant.to_owned(),
            exponent - fraction.len() as i64 + dropped,
        ),
    }
}
