//! What the API server's own schema says of an object, where it cannot be tried: OpenAPI v3 of its group.
//!
//! Pure. Always holds: fields, types and words of an enumeration are checked, and values are never told. A
//! validator of JSON Schema would let every unknown field pass, which is what strict field validation
//! is about, so the few rules that Kubernetes' schemas use are followed here.

use serde_json::{Map, Value};

use crate::kinds::Kind;

/// A field that does not fit, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) path: String,
    pub(super) why: String,
}

/// Where the API server serves the schemas of the kind's group.
pub(super) fn document_path(kind: &Kind) -> String {
    match kind.group {
        "" => format!("/openapi/v3/api/{}", kind.version),
        group => format!("/openapi/v3/apis/{group}/{}", kind.version),
    }
}

/// `None`: the document does not know the kind.
pub(super) fn misfits(document: &Value, kind: &Kind, manifest: &Value) -> Option<Vec<Misfit>> {
    let schemas = document.pointer("/components/schemas")?.as_object()?;
    let schema = schemas.values().find(|schema| is_of(schema, kind))?;
    let mut walk = Walk {
        schemas,
        misfits: Vec::new(),
    };
    walk.value("", schema, manifest);
    Some(walk.misfits)
}

fn is_of(schema: &Value, kind: &Kind) -> bool {
    let named = schema.get("x-kubernetes-group-version-kind");
    let named = named.and_then(Value::as_array);
    named.into_iter().flatten().any(|name| {
        let is = |field: &str, text: &str| name.get(field).and_then(Value::as_str) == Some(text);
        is("group", kind.group) && is("version", kind.version) && is("kind", kind.kind)
    })
}

struct Walk<'a> {
    schemas: &'a Map<String, Value>,
    misfits: Vec<Misfit>,
}

impl<'a> Walk<'a> {
    fn value(&mut self, path: &str, schema: &'a Value, value: &Value) {
        let Some(schema) = self.resolved(schema) else {
            return;
        };
        if value.is_null() {
            return;
        }
        if let Some(any) = alternatives(schema) {
            if !any.iter().any(|one| self.fits(one, value)) {
                self.misfit(path, "is of another type");
            }
            return;
        }
        for part in list(schema, "allOf") {
            self.value(path, part, value);
        }
        self.words(path, schema, value);
        match (schema.get("type").and_then(Value::as_str), value) {
            (Some("object"), Value::Object(fields)) | (None, Value::Object(fields)) => {
                self.fields(path, schema, fields);
            }
            (Some("array"), Value::Array(elements)) => {
                if let Some(items) = schema.get("items") {
                    for (n, element) in elements.iter().enumerate() {
                        self.value(&format!("{path}[{n}]"), items, element);
                    }
                }
            }
            (Some("string"), Value::String(_))
            | (Some("boolean"), Value::Bool(_))
            | (Some("number"), Value::Number(_)) => {}
            (Some("integer"), Value::Number(number)) if number.is_i64() || number.is_u64() => {}
            (Some(expected), _) => self.misfit(path, &format!("is no {expected}")),
            (None, _) => {}
        }
    }

    fn fields(&mut self, path: &str, schema: &'a Value, fields: &Map<String, Value>) {
        let known = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties");
        let open = schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true))
            || others == Some(&Value::Bool(true))
            || known.is_none() && others.is_none();
        for (name, value) in fields {
            let step = match path {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            match (known.and_then(|known| known.get(name)), others) {
                (Some(schema), _) => self.value(&step, schema, value),
                (None, Some(schema @ Value::Object(_))) => self.value(&step, schema, value),
                (None, _) if open => {}
                (None, _) => self.misfit(&step, "is unknown"),
            }
        }
        for name in list(schema, "required").filter_map(Value::as_str) {
            if !fields.contains_key(name) {
                self.misfit(&format!("{path}.{name}"), "is missing");
            }
        }
    }

    fn words(&mut self, path: &str, schema: &Value, value: &Value) {
        let words = schema.get("enum").and_then(Value::as_array);
        if words.is_some_and(|words| !words.contains(value)) {
            self.misfit(path, "is none of the words that are allowed");
        }
    }

    fn fits(&self, schema: &'a Value, value: &Value) -> bool {
        let mut walk = Walk {
            schemas: self.schemas,
            misfits: Vec::new(),
        };
        walk.value("", schema, value);
        walk.misfits.is_empty()
    }

    /// Itself, or what it refers to.
    fn resolved(&self, schema: &'a Value) -> Option<&'a Value> {
        match schema.get("$ref").and_then(Value::as_str) {
            None => Some(schema),
            Some(reference) => self
                .schemas
                .get(reference.strip_prefix("#/components/schemas/")?),
        }
    }

    fn misfit(&mut self, path: &str, why: &str) {
        self.misfits.push(Misfit {
            path: path.trim_start_matches('.').to_owned(),
            why: why.to_owned(),
        });
    }
}

fn alternatives(schema: &Value) -> Option<&Vec<Value>> {
    let any = schema.get("oneOf").or_else(|| schema.get("anyOf"));
    // A CRD's alternatives may speak of which fields are required alone.
    let any = any.and_then(Value::as_array)?;
    any.iter()
        .all(|one| one.get("type").is_some() || one.get("$ref").is_some())
        .then_some(any)
}

fn list<'a>(schema: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    let found = schema.get(name).and_then(Value::as_array);
    found.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::KINDS;

    fn service() -> &'static Kind {
        KINDS.iter().find(|kind| kind.kind == "Service").unwrap()
    }

    fn document() -> Value {
        json!({"components": {"schemas": {
            "core.v1.Service": {
                "type": "object",
                "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "Service"}],
                "properties": {
                    "apiVersion": {"type": "string"},
                    "kind": {"type": "string"},
                    "metadata": {"allOf": [{"$ref": "#/components/schemas/Meta"}], "default": {}},
                    "spec": {"allOf": [{"$ref": "#/components/schemas/Spec"}]},
                },
            },
            "Meta": {"type": "object", "properties": {
                "name": {"type": "string"},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            }},
            "Spec": {"type": "object", "required": ["ports"], "properties": {
                "type": {"type": "string", "enum": ["ClusterIP", "NodePort"]},
                "ports": {"type": "array", "items": {"$ref": "#/components/schemas/Port"}},
            }},
            "Port": {"type": "object", "properties": {
                "port": {"type": "integer"},
                "targetPort": {"$ref": "#/components/schemas/IntOrString"},
            }},
            "IntOrString": {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]},
        }}})
    }

    fn told(manifest: &Value) -> Vec<String> {
        let misfits = misfits(&document(), service(), manifest).unwrap();
        misfits
            .into_iter()
            .map(|misfit| format!("{} {}", misfit.path, misfit.why))
            .collect()
    }

    #[test]
    fn what_fits_is_told_nothing_of() {
        let manifest = json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "api", "labels": {"a": "b"}},
            "spec": {"type": "ClusterIP", "ports": [{"port": 80, "targetPort": "http"}]}});
        assert_eq!(told(&manifest), Vec::<String>::new());
    }

    #[test]
    fn what_does_not_fit_is_told_by_path_and_without_values() {
        let manifest = json!({"apiVersion": "v1", "kind": "Service", "extra": "canary-1",
            "metadata": {"labels": {"a": 7}},
            "spec": {"type": "canary-2", "ports": [{"port": "canary-3", "targetPort": true}]}});
        assert_eq!(
            told(&manifest),
            [
                "extra is unknown",
                "metadata.labels.a is no string",
                "spec.ports[0].port is no integer",
                "spec.ports[0].targetPort is of another type",
                "spec.type is none of the words that are allowed",
            ]
        );
        let without = json!({"spec": {}});
        assert_eq!(told(&without), ["spec.ports is missing"]);
    }

    #[test]
    fn a_kind_that_is_not_served_is_not_known() {
        let other = KINDS.iter().find(|kind| kind.kind == "Deployment").unwrap();
        assert_eq!(misfits(&document(), other, &json!({})), None);
    }
}
