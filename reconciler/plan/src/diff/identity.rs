//! Which element of a list is which: Kubernetes' list map keys, as a table.
//!
//! Pure data. Source: `x-kubernetes-list-map-keys` of the API's OpenAPI documents, and for lists that
//! the API calls atomic or leaves unkeyed but whose elements have a name (a container's `env` is one
//! of the former), that name. Always holds: lists without a row here are compared as sequences.

use serde_json::Value;

/// The fields that identify an element, for the lists whose path ends in `path`.
struct ListKeys {
    /// Last steps of the path, list positions left out.
    path: &'static [&'static str],
    keys: &'static [Key],
}

/// A field, and the value that the API server fills in where it is absent.
struct Key {
    field: &'static str,
    default: Option<&'static str>,
}

const NAME: &[Key] = &[key("name")];

/// Longest match wins by order: rows with more steps stand before those with fewer.
const KEYED_LISTS: &[ListKeys] = &[
    list(
        &["containers", "ports"],
        &[key("containerPort"), key_or("protocol", "TCP")],
    ),
    list(
        &["initContainers", "ports"],
        &[key("containerPort"), key_or("protocol", "TCP")],
    ),
    list(
        &["spec", "ports"],
        &[key("port"), key_or("protocol", "TCP")],
    ),
    list(&["containers"], NAME),
    list(&["initContainers"], NAME),
    list(&["env"], NAME),
    list(&["volumes"], NAME),
    list(&["volumeMounts"], &[key("mountPath")]),
    list(&["volumeDevices"], &[key("devicePath")]),
    list(&["imagePullSecrets"], NAME),
    list(&["hostAliases"], &[key("ip")]),
    list(
        &["topologySpreadConstraints"],
        &[key("topologyKey"), key("whenUnsatisfiable")],
    ),
    list(&["listeners"], NAME),
];

/// The identity of every element of a list, when the list has keys and no two elements share one.
///
/// `path` is the list's, as steps without list positions: `["spec", "template", "spec",
/// "containers"]`.
pub fn identities(path: &[&str], elements: &[Value]) -> Option<Vec<Value>> {
    let keys = keys_of(path)?;
    let identities: Vec<Value> = elements
        .iter()
        .map(|element| identity(keys, element))
        .collect::<Option<_>>()?;
    distinct(&identities).then_some(identities)
}

/// The identity in the way people write it: `http`, `8080/TCP`.
pub fn label(identity: &Value) -> String {
    match identity {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(label).collect::<Vec<_>>().join("/"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => identity.to_string(),
    }
}

const fn key(field: &'static str) -> Key {
    Key {
        field,
        default: None,
    }
}

const fn key_or(field: &'static str, default: &'static str) -> Key {
    Key {
        field,
        default: Some(default),
    }
}

const fn list(path: &'static [&'static str], keys: &'static [Key]) -> ListKeys {
    ListKeys { path, keys }
}

fn keys_of(path: &[&str]) -> Option<&'static [Key]> {
    KEYED_LISTS
        .iter()
        .find(|list| path.ends_with(list.path))
        .map(|list| list.keys)
}

/// One value for a single key, an array for several.
fn identity(keys: &[Key], element: &Value) -> Option<Value> {
    let mut values = keys.iter().map(|key| {
        let stated = element.get(key.field).filter(|value| !value.is_null());
        stated
            .cloned()
            .or_else(|| key.default.filter(|_| element.is_object()).map(Value::from))
    });
    if keys.len() == 1 {
        values.next()?
    } else {
        values.collect::<Option<Vec<_>>>().map(Value::Array)
    }
}

fn distinct(identities: &[Value]) -> bool {
    let mut texts: Vec<String> = identities.iter().map(Value::to_string).collect();
    texts.sort_unstable();
    texts.windows(2).all(|pair| pair[0] != pair[1])
}
