//! A JSON Schema (draft 2020-12) of documents in their JSON form, made from the node table.
//! Pure. It accepts every document that compiles, and refuses what stands in no row of the table: unknown nodes,
//! properties and words, wrong types, missing or extra arguments. What concerns several nodes is left to the compiler.
//! Read on in `document` for the JSON form and in `values` for single values.

use serde_json::{Map, Value as Json, json};

use super::values;
use crate::lower::MOST_ENTRIES;
use crate::table::{ALL_KINDS, Args, Block, NodeSpec, Place, PropSpec, Repeat, Scope, Type, nodes};

/// The schema of `starform.kdl`; what an included file holds is its definition `included`.
pub fn json_schema() -> Json {
    let mut defs = Map::from_iter([
        ("included".to_owned(), children(Scope::of(Place::Project))),
        ("foreign".to_owned(), foreign()),
        ("variable".to_owned(), variable()),
        ("variables".to_owned(), variables(&[])),
        ("unset".to_owned(), unset()),
    ]);
    for scope in scopes() {
        if scope.place != Place::Root && scope.place != Place::Project {
            defs.insert(children_name(scope), children(scope));
        }
        for row in scope.usable() {
            defs.insert(name_of(scope, row), node(row, scope));
            defs.extend(types(row).map(values::entry));
        }
    }
    let mut schema = children(Scope::of(Place::Root));
    let root = json!({ "contains": named("project"), "minContains": 1, "maxContains": 1 });
    schema["allOf"] = json!([root]);
    schema["type"] = json!("array");
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("A project of Starform, contract 1");
    schema["description"] = json!(
        "The JSON form (KDL-in-JSON 1.0.0) of `starform.kdl`. `#/$defs/included` is that of an included file."
    );
    schema["$defs"] = defs.into();
    schema
}

/// Every place, those inside services once for each kind.
fn scopes() -> Vec<Scope> {
    let mut scopes: Vec<Scope> = Place::ALL
        .into_iter()
        .filter(|place| !matches!(place, Place::Service | Place::ServiceIn))
        .map(Scope::of)
        .collect();
    for place in [Place::Service, Place::ServiceIn] {
        let kinds = ALL_KINDS.iter();
        scopes.extend(kinds.map(|kind| Scope::of_service(place, *kind)));
    }
    scopes
}

/// `service.web`
fn children_name(scope: Scope) -> String {
    let place = scope.place.word();
    match (scope.place, scope.kind) {
        (Place::Project, _) => "included".to_owned(),
        (_, Some(kind)) => format!("{place}.{}", kind.as_str()),
        (_, None) => place.to_owned(),
    }
}

/// `node.port`; with the scope where rows of one name or what they hold differ: `node.in.web`.
fn name_of(scope: Scope, row: &NodeSpec) -> String {
    let name = row.name();
    let alone = nodes().filter(|other| other.name() == name).count() == 1;
    match scope.kind {
        _ if alone => format!("node.{name}"),
        Some(kind) => format!("node.{name}.{}", kind.as_str()),
        None => format!("node.{name}.{}", scope.place.word()),
    }
}

/// The types of a node's arguments and properties.
fn types(row: &NodeSpec) -> impl Iterator<Item = Type> {
    let args = (0..row.args.least().max(1)).filter_map(|index| row.args.at(index));
    let props = usable(row.props).map(|prop| prop.ty);
    args.map(|arg| arg.ty).chain(props)
}

fn usable(props: &[PropSpec]) -> impl Iterator<Item = &PropSpec> {
    props.iter().filter(|prop| prop.availability.is_usable())
}

fn children(scope: Scope) -> Json {
    let rows: Vec<&NodeSpec> = scope.usable().collect();
    if scope.place == Place::Group {
        let links: Vec<(&str, String)> = rows
            .iter()
            .map(|row| (row.name(), name_of(scope, row)))
            .collect();
        return variables(&links);
    }
    let names: Vec<&str> = rows.iter().map(|row| row.name()).collect();
    let mut cases: Vec<Json> = rows
        .iter()
        .map(|row| case(named(row.name()), &name_of(scope, row)))
        .collect();
    cases.push(case(is_foreign(), "foreign"));
    let once: Vec<Json> = rows
        .iter()
        .filter(|row| row.repeat == Repeat::Once)
        .map(|row| json!({ "contains": named(row.name()), "minContains": 0, "maxContains": 1 }))
        .collect();
    let mut schema = list(
        json!({ "anyOf": [{ "enum": names }, { "pattern": "^x-" }] }),
        cases,
    );
    schema["description"] = json!(format!("What stands in {}.", scope.place.title()));
    if !once.is_empty() {
        schema["allOf"] = once.into();
    }
    schema
}

/// Nodes whose names are keys, beside some that have rows.
fn variables(rows: &[(&str, String)]) -> Json {
    let names: Vec<&str> = rows.iter().map(|(name, _)| *name).collect();
    let name = json!({
        "anyOf": [{ "enum": names }, { "pattern": "^x-" }, values::variable_name()],
    });
    let other = json!({ "enum": names });
    let mut cases: Vec<Json> = rows
        .iter()
        .map(|(name, link)| case(named(name), link))
        .collect();
    cases.push(case(is_foreign(), "foreign"));
    let neither = json!({
        "properties": { "name": { "not": { "anyOf": [other, { "pattern": "^x-" }] } } },
    });
    cases.push(case(neither, "variable"));
    let mut schema = list(name, cases);
    schema["description"] = json!("Variables: a key and its value each.");
    schema
}

/// A list of nodes that are told apart by their names, so that a mistake is reported by the one that is meant.
fn list(mut name: Json, cases: Vec<Json>) -> Json {
    name["type"] = json!("string");
    json!({
        "type": ["array", "null"],
        "items": {
            "type": "object",
            "required": ["name"],
            "properties": { "name": name },
            "allOf": cases,
        },
    })
}

fn case(of: Json, link: &str) -> Json {
    json!({ "if": of, "then": { "$ref": format!("#/$defs/{link}") } })
}

fn named(name: &str) -> Json {
    json!({ "properties": { "name": { "const": name } } })
}

fn is_foreign() -> Json {
    json!({ "properties": { "name": { "pattern": "^x-" } } })
}

fn node(row: &NodeSpec, scope: Scope) -> Json {
    let mut required = vec!["name"];
    if row.args.least() > 0 {
        required.push("args");
    }
    if row.props.iter().any(|prop| prop.required) {
        required.push("props");
    }
    let nodes = match row.block {
        Block::None => nothing("array", "maxItems"),
        Block::Variables | Block::Of(_) => match scope.inside(row) {
            Some(inside) => link(&children_name(inside)),
            None => link("variables"),
        },
    };
    let said = json!({ "required": required, "properties": {
        "args": args(row.args), "props": props(row.props), "nodes": nodes,
    } });
    let mut schema = json!({
        "title": row.form,
        "description": row.doc,
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "name": { "const": row.name() },
            "type": { "type": "null" },
            "args": true, "props": true, "nodes": true,
        },
    });
    if row.unset {
        schema["if"] = json!({ "required": ["args"], "properties": { "args": link("unset") } });
        schema["then"] = json!({ "properties": {
            "props": nothing("object", "maxProperties"), "nodes": nothing("array", "maxItems"),
        } });
        schema["else"] = said;
    } else {
        schema["allOf"] = json!([said]);
    }
    schema
}

fn link(name: &str) -> Json {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// Left out, `null` or empty, which KDL-in-JSON takes for the same.
fn nothing(ty: &str, limit: &str) -> Json {
    json!({ "type": [ty, "null"], limit: 0 })
}

fn typed(ty: Type) -> Json {
    link(&values::entry(ty).0)
}

fn args(args: Args) -> Json {
    let first = |ty| json!({ "type": "array", "prefixItems": [typed(ty)], "items": false });
    match args {
        Args::None => nothing("array", "maxItems"),
        Args::One(arg) => {
            let mut schema = first(arg.ty);
            schema["minItems"] = json!(1);
            schema
        }
        Args::Optional(arg) => {
            let mut schema = first(arg.ty);
            schema["type"] = json!(["array", "null"]);
            schema
        }
        Args::Several(arg) => json!({
            "type": "array", "minItems": 1, "maxItems": MOST_ENTRIES, "items": typed(arg.ty),
        }),
        Args::Two(one, two) => json!({
            "type": "array", "minItems": 2, "items": false,
            "prefixItems": [typed(one.ty), typed(two.ty)],
        }),
    }
}

fn props(props: &[PropSpec]) -> Json {
    let usable = || usable(props);
    if usable().next().is_none() {
        return nothing("object", "maxProperties");
    }
    let each = usable().map(|prop| {
        let mut schema = typed(prop.ty);
        schema["description"] = json!(prop.doc);
        (prop.name.to_owned(), schema)
    });
    let required: Vec<&str> = usable()
        .filter(|prop| prop.required)
        .map(|prop| prop.name)
        .collect();
    let ty = if required.is_empty() {
        json!(["object", "null"])
    } else {
        json!("object")
    };
    json!({
        "type": ty,
        "additionalProperties": false,
        "required": required,
        "properties": each.collect::<Map<_, _>>(),
    })
}

fn variable() -> Json {
    json!({
        "title": "KEY VALUE",
        "type": "object",
        "additionalProperties": false,
        "required": ["name", "args"],
        "properties": {
            "name": values::variable_name(),
            "type": { "type": "null" },
            "args": {
                "type": "array", "minItems": 1, "items": false, "prefixItems": [values::variable_entry()],
            },
            "props": nothing("object", "maxProperties"),
            "nodes": nothing("array", "maxItems"),
        },
    })
}

fn unset() -> Json {
    json!({
        "description": "`NODE #null` takes back what a lower layer says.",
        "type": "array", "minItems": 1, "items": false, "prefixItems": [values::null_entry()],
    })
}

/// A node for other tools: anything that has the JSON form of a node.
fn foreign() -> Json {
    let value = json!({
        "type": "object", "additionalProperties": false, "required": ["data"],
        "properties": { "data": { "type": "string" }, "literal": { "type": ["boolean", "null"] } },
    });
    let ty = json!({ "type": ["string", "null"] });
    let entry = json!({
        "type": "object", "additionalProperties": false, "required": ["value"],
        "properties": { "type": ty, "value": value },
    });
    json!({
        "description": "A node for other tools; Starform ignores it and all it holds.",
        "type": "object",
        "additionalProperties": false,
        "required": ["name"],
        "properties": {
            "name": { "type": "string" },
            "type": ty,
            "args": { "type": ["array", "null"], "items": entry },
            "props": { "type": ["object", "null"], "additionalProperties": entry },
            "nodes": { "type": ["array", "null"], "items": { "$ref": "#/$defs/foreign" } },
        },
    })
}
