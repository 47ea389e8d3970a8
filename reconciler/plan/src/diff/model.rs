//! Two resolved services, in the language's words: `scale.max`, `vars.LOG_LEVEL`, `ports[http].port`.
//!
//! Pure. Always holds: equal entries give nothing, and entries that differ in anything but their
//! objects give at least one change. A secret is a name and a version here, so values may be shown.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use starform_contract::{Origins, ServiceEntry, ServiceName};

use crate::{diff::align, document::ModelChange};

/// Lists of named things, and the field that names them; any other list is one value.
const NAMED_LISTS: [(&str, &str); 3] =
    [("ports", "name"), ("domains", "host"), ("aliases", "host")];

/// Maps whose values are taken whole, because each is what a person wrote: a variable.
const MAPS_OF_VALUES: [&str; 1] = ["vars"];

/// What differs, by path; each with the place that set it, as far as `origins` knows.
pub fn between(
    name: &ServiceName,
    before: Option<&ServiceEntry>,
    after: Option<&ServiceEntry>,
    origins: &Origins,
) -> Vec<ModelChange> {
    let mut walk = Walk {
        path: String::new(),
        out: Vec::new(),
    };
    let (old, new) = (before.map(|e| &e.model), after.map(|e| &e.model));
    walk.sides(old, new, None);
    if let Some((before, after)) = before.zip(after) {
        walk.identity(before, after);
    }
    let mut changes = walk.out;
    for change in &mut changes {
        change.at = origins.at(name, &change.path).map(str::to_owned);
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

struct Walk {
    path: String,
    out: Vec<ModelChange>,
}

impl Walk {
    /// `field` is the last step of the path, where that is a field's name.
    fn sides(&mut self, before: Option<&Value>, after: Option<&Value>, field: Option<&str>) {
        if before == after {
            return;
        }
        let nothing = Map::new();
        match (before, after) {
            (Some(Value::Object(before)), Some(Value::Object(after))) => {
                self.maps(before, after, field);
            }
            // An empty one says by its name alone what is there, as a route does.
            (Some(Value::Object(before)), None) if !before.is_empty() => {
                self.maps(before, &nothing, field);
            }
            (None, Some(Value::Object(after))) if !after.is_empty() => {
                self.maps(&nothing, after, field);
            }
            (before, after) => self.other(before, after, field),
        }
    }

    fn maps(
        &mut self,
        before: &Map<String, Value>,
        after: &Map<String, Value>,
        field: Option<&str>,
    ) {
        let whole = field.is_some_and(|field| MAPS_OF_VALUES.contains(&field));
        let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for key in keys {
            let length = self.path.len();
            if length > 0 {
                self.path.push('.');
            }
            self.path.push_str(key);
            let (old, new) = (before.get(key), after.get(key));
            if whole && old != new {
                self.push(old, new);
            } else if !whole {
                self.sides(old, new, Some(key));
            }
            self.path.truncate(length);
        }
    }

    fn other(&mut self, before: Option<&Value>, after: Option<&Value>, field: Option<&str>) {
        let key = field.and_then(|field| {
            let row = NAMED_LISTS.iter().find(|(list, _)| *list == field);
            row.map(|(_, key)| *key)
        });
        let named = key.and_then(|key| Some((key, named(before, key)?, named(after, key)?)));
        match named {
            Some((key, old, new)) => self.named_lists(key, &old, &new),
            None => self.push(before, after),
        }
    }

    fn named_lists(&mut self, key: &str, before: &Named<'_>, after: &Named<'_>) {
        let alignment = align::by_identity(&before.names, &after.names);
        let length = self.path.len();
        let at = |walk: &mut Self, name: &Value, old: Option<usize>, new: Option<usize>| {
            walk.path
                .push_str(&format!("[{}]", name.as_str().unwrap_or_default()));
            let old = old.map(|position| without(before.elements[position], key));
            let new = new.map(|position| without(after.elements[position], key));
            walk.sides(old.as_ref(), new.as_ref(), None);
            walk.path.truncate(length);
        };
        for &position in &alignment.removed {
            at(self, &before.names[position], Some(position), None);
        }
        for &(origin, position) in &alignment.pairs {
            at(self, &after.names[position], Some(origin), Some(position));
        }
        for &position in &alignment.added {
            at(self, &after.names[position], None, Some(position));
        }
        // The first port is routed and the first domain is the public host: order has a meaning.
        let first = |side: &Named<'_>| side.names.first().cloned();
        let was_something = !before.names.is_empty() && !after.names.is_empty();
        if alignment.moved() || (was_something && first(before) != first(after)) {
            let (old, new) = (before.names.clone().into(), after.names.clone().into());
            self.push(Some(&old), Some(&new));
        }
    }

    /// An entry's own names: `name` differs when the service is renamed, the others when another
    /// incarnation of it takes its place.
    fn identity(&mut self, before: &ServiceEntry, after: &ServiceEntry) {
        if before.name != after.name {
            self.field(
                "name",
                before.name.as_str().into(),
                after.name.as_str().into(),
            );
        }
        let (old, new) = (before.object_name.as_str(), after.object_name.as_str());
        if old != new {
            self.field("object_name", old.into(), new.into());
        }
        if before.service_id != after.service_id {
            let text = |entry: &ServiceEntry| Value::from(entry.service_id.to_string());
            self.field("service_id", text(before), text(after));
        }
    }

    fn field(&mut self, path: &str, before: Value, after: Value) {
        path.clone_into(&mut self.path);
        self.push(Some(&before), Some(&after));
    }

    fn push(&mut self, before: Option<&Value>, after: Option<&Value>) {
        self.out.push(ModelChange {
            path: self.path.clone(),
            before: before.cloned(),
            after: after.cloned(),
            at: None,
        });
    }
}

/// A list whose elements all have a name of their own; an absent list is an empty one.
struct Named<'a> {
    names: Vec<Value>,
    elements: Vec<&'a Value>,
}

fn named<'a>(side: Option<&'a Value>, key: &str) -> Option<Named<'a>> {
    let elements: Vec<&Value> = match side {
        None => Vec::new(),
        Some(list) => list.as_array()?.iter().collect(),
    };
    let names: Vec<Value> = elements
        .iter()
        .map(|element| element.get(key).filter(|name| name.is_string()).cloned())
        .collect::<Option<_>>()?;
    let distinct: BTreeSet<Option<&str>> = names.iter().map(Value::as_str).collect();
    (distinct.len() == names.len()).then_some(Named { names, elements })
}

fn without(element: &Value, key: &str) -> Value {
    let mut element = element.clone();
    if let Some(map) = element.as_object_mut() {
        map.remove(key);
    }
    element
}
