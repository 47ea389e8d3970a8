//! The JSON form of a document: KDL-in-JSON (KiJ) 1.0.0, the mapping that the KDL project publishes.
//! Pure. Keeps the order of nodes and arguments and the spelling of numbers; leaves out comments and white space.
//! Source: `KDL-IN-JSON.md` of the repository kdl-org/kdl. Read on in `tree` for its schema.

use serde_json::{Map, Value as Json, json};

use crate::syntax::{Cst, Entry, Node, Nodes, Value};

/// The JSON form of a text. Of a property that is given twice the last one counts, and a value that is broken is left
/// out, so ask only for texts of which nothing bad has been said.
pub fn document(cst: &Cst) -> Json {
    nodes(cst.nodes())
}

/// Goes no deeper than the parser lets nodes be nested.
fn nodes(list: Nodes<'_>) -> Json {
    Json::Array(list.map(node).collect())
}

fn node(node: Node<'_>) -> Json {
    let mut object = Map::from_iter([("name".to_owned(), json!(node.name()))]);
    if let Some(ty) = node.ty() {
        object.insert("type".to_owned(), json!(ty.text));
    }
    let args: Vec<Json> = node.args().filter_map(entry).collect();
    if !args.is_empty() {
        object.insert("args".to_owned(), args.into());
    }
    let props: Map<String, Json> = node.props().filter_map(property).collect();
    if !props.is_empty() {
        object.insert("props".to_owned(), props.into());
    }
    if let Some(children) = node.children().filter(|list| list.clone().next().is_some()) {
        object.insert("nodes".to_owned(), nodes(children));
    }
    object.into()
}

fn property(given: Entry<'_>) -> Option<(String, Json)> {
    let name = given.name()?;
    Some((name.text.into_owned(), entry(given)?))
}

fn entry(entry: Entry<'_>) -> Option<Json> {
    let value = value(entry)?;
    Some(match entry.ty() {
        Some(ty) => json!({ "type": ty.text, "value": value }),
        None => json!({ "value": value }),
    })
}

/// Numbers as they are written, keywords without their `#`.
fn value(entry: Entry<'_>) -> Option<Json> {
    let literal = |data: &str| Some(json!({ "data": data, "literal": true }));
    match entry.value() {
        Value::String(text) => Some(json!({ "data": text })),
        Value::Integer(_) => literal(entry.raw()),
        Value::Decimal(raw) => literal(raw.trim_start_matches('#')),
        Value::Bool(flag) => literal(&flag.to_string()),
        Value::Null => literal("null"),
        Value::Invalid => None,
    }
}
