//! One object of the model cluster: its fields, who owns them, and how a Deployment comes to be ready.
//!
//! Pure. Ownership follows server-side apply's rules, in lists by key too; other lists are leaves. A step of a
//! path is a field, or `k:{…}` for the item of a list.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value, json};
use starform_contract::ObjectKey;
use starform_shuttle::{
    engine::io::{Failure, FieldManager, Foreign, Millis, Observed},
    kinds,
};

use crate::engine_world::CLOCK;

pub(crate) type Path = Vec<String>;

#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) uid: String,
    pub(crate) version: u64,
    pub(crate) generation: u64,
    /// Leaf fields by path.
    pub(crate) fields: BTreeMap<Path, Value>,
    /// Manager and operation to the paths that it owns.
    pub(crate) owners: BTreeMap<(String, &'static str), BTreeSet<Path>>,
    /// The latest writer of fields has the greatest number.
    pub(crate) written: BTreeMap<(String, &'static str), u64>,
    pub(crate) status: Value,
    pub(crate) since: Millis,
    pub(crate) deleting: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Ready,
    Crash,
    NeverReady,
}

impl Stored {
    pub(crate) fn new(number: u64, now: Millis) -> Self {
        Self {
            uid: format!("uid-{number}"),
            version: number,
            generation: 0,
            fields: BTreeMap::new(),
            owners: BTreeMap::new(),
            written: BTreeMap::new(),
            status: Value::Null,
            since: now,
            deleting: false,
        }
    }

    pub(crate) fn conflicts(
        &self,
        owner: &(String, &'static str),
        stated: &BTreeMap<Path, Value>,
    ) -> bool {
        self.owners
            .iter()
            .filter(|(other, _)| *other != owner)
            .flat_map(|(_, paths)| paths)
            .any(|path| {
                stated
                    .get(path)
                    .is_some_and(|value| self.fields.get(path) != Some(value))
            })
    }

    /// Server-side apply with force.
    pub(crate) fn state(&mut self, owner: &(String, &'static str), stated: BTreeMap<Path, Value>) {
        let before = self.owners.remove(owner).unwrap_or_default();
        for path in before.iter().filter(|path| !stated.contains_key(*path)) {
            if !self.owners.values().any(|paths| paths.contains(path)) {
                self.fields.remove(path);
                if *path == replicas_path() {
                    self.fields.insert(path.clone(), json!(1));
                }
            }
        }
        for (path, value) in &stated {
            self.take(owner, path, value);
        }
        self.owners
            .insert(owner.clone(), stated.into_keys().collect());
        self.owners.retain(|_, paths| !paths.is_empty());
        let deployment = self.fields.get(&vec!["kind".to_owned()]) == Some(&json!("Deployment"));
        if deployment && !self.fields.contains_key(&replicas_path()) {
            self.fields.insert(replicas_path(), json!(1));
        }
    }

    /// Another value takes the field from everybody else.
    pub(crate) fn take(&mut self, owner: &(String, &'static str), path: &Path, value: &Value) {
        if self.fields.get(path) != Some(value) {
            for (other, paths) in &mut self.owners {
                if other != owner {
                    paths.remove(path);
                }
            }
            self.fields.insert(path.clone(), value.clone());
        }
    }

    /// Fields of others become ours; whether any did.
    pub(crate) fn seize(&mut self, from: &[Foreign]) -> bool {
        let own = (FieldManager::Shuttle.name().to_owned(), "Apply");
        let mut seized: BTreeSet<Path> = BTreeSet::new();
        for foreign in from {
            let others = self.owners.iter_mut();
            for (_, paths) in
                others.filter(|(owner, _)| owner.0 == foreign.manager && **owner != own)
            {
                let wanted = |path: &Path| is_in(path, &foreign.fields);
                seized.extend(paths.iter().filter(|path| wanted(path)).cloned());
                paths.retain(|path| !wanted(path));
            }
        }
        self.owners.retain(|_, paths| !paths.is_empty());
        let held = self.owners.get_mut(&own);
        held.is_some_and(|held| {
            held.extend(seized.iter().cloned());
            !seized.is_empty()
        })
    }

    /// What the API server refuses: two ports of one name.
    pub(crate) fn invalid(&self) -> Option<Failure> {
        let ports = self.fields.iter().filter(|(path, _)| {
            path.iter().take(2).eq(["spec", "ports"])
                && path.last().is_some_and(|last| last == "name")
        });
        let names: Vec<&Value> = ports.map(|(_, name)| name).collect();
        let twice = names
            .iter()
            .any(|name| names.iter().filter(|other| *other == name).count() > 1);
        twice.then(|| Failure {
            code: Some(422),
            reason: "Invalid".to_owned(),
            message: "spec.ports[1].name: Duplicate value".to_owned(),
            ..Failure::default()
        })
    }

    pub(crate) fn spec(&self) -> BTreeMap<&Path, &Value> {
        let spec = self.fields.iter();
        spec.filter(|(path, _)| path[0] == "spec").collect()
    }

    fn image(&self) -> String {
        let image = self.fields.get(&image_path()).and_then(Value::as_str);
        image.unwrap_or_default().to_owned()
    }

    pub(crate) fn behaviour(&self) -> Behaviour {
        let image = self.image();
        if image.contains("crash") {
            Behaviour::Crash
        } else if image.contains("neverready") {
            Behaviour::NeverReady
        } else {
            Behaviour::Ready
        }
    }

    pub(crate) fn deployment_status(&self, now: Millis) -> Value {
        let replicas = self.fields.get(&replicas_path()).and_then(Value::as_i64);
        let replicas = replicas.unwrap_or(1);
        let ready = if self.behaviour() == Behaviour::Ready {
            replicas
        } else {
            0
        };
        let late = ready < replicas && now.since(self.since) > Millis::from_secs(180);
        let progressing = if late {
            json!({"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
                "message": "has timed out progressing."})
        } else {
            json!({"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"})
        };
        let available = if ready == replicas { "True" } else { "False" };
        json!({
            "observedGeneration": self.generation, "replicas": replicas, "updatedReplicas": replicas,
            "readyReplicas": ready, "availableReplicas": ready, "unavailableReplicas": replicas - ready,
            "conditions": [progressing, {"type": "Available", "status": available, "reason": "x"}],
        })
    }

    /// It begins, and then it is complete or has failed.
    pub(crate) fn job_status(&self) -> Value {
        if self.status.is_null() {
            return json!({"active": 1});
        }
        let ended = |what: &str, reason: &str| json!([{"type": what, "status": "True", "reason": reason, "message": "as its pod did"}]);
        match self.behaviour() {
            Behaviour::Ready => {
                json!({"succeeded": 1, "conditions": ended("Complete", "CompletionsReached")})
            }
            Behaviour::Crash => {
                json!({"failed": 1, "conditions": ended("Failed", "BackoffLimitExceeded")})
            }
            Behaviour::NeverReady => json!({"active": 1}),
        }
    }

    fn json(&self) -> Value {
        let mut root = json!({});
        for (path, value) in &self.fields {
            let mut place = &mut root;
            for step in path {
                if place.is_null() {
                    *place = json!({});
                }
                place = &mut place[step.as_str()];
            }
            *place = value.clone();
        }
        lists(&mut root);
        root["metadata"]["uid"] = json!(self.uid);
        root["metadata"]["resourceVersion"] = json!(self.version.to_string());
        root["metadata"]["generation"] = json!(self.generation);
        root["metadata"]["managedFields"] = self
            .owners
            .iter()
            .map(|((manager, operation), paths)| {
                let written = self.written.get(&(manager.clone(), operation));
                json!({"manager": manager, "operation": operation, "fieldsV1": fields_v1(paths),
                    "time": moment(written.copied().unwrap_or_default())})
            })
            .collect();
        if self.deleting {
            root["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        }
        if !self.status.is_null() {
            root["status"] = self.status.clone();
        }
        root
    }
}

/// A version is a second.
fn moment(version: u64) -> String {
    let seconds = CLOCK.0 / 1000 + version;
    let at = Timestamp::from_second(i64::try_from(seconds).unwrap());
    at.unwrap().to_string()
}

fn fields_v1(paths: &BTreeSet<Path>) -> Value {
    let mut root = json!({});
    for path in paths.iter().filter(|path| {
        // Identity is no field that anybody owns.
        let head: Vec<&str> = path.iter().map(String::as_str).collect();
        !matches!(
            head[..],
            ["apiVersion" | "kind"] | ["metadata", "name" | "namespace"]
        )
    }) {
        let mut place = &mut root;
        for step in path {
            let map: &mut Map<String, Value> = place.as_object_mut().unwrap();
            place = map.entry(step_of(step)).or_insert_with(|| json!({}));
            if step.starts_with("k:") {
                // Whoever states something in an item states the item.
                place["."] = json!({});
            }
        }
    }
    root
}

fn step_of(step: &str) -> String {
    if step.starts_with("k:") {
        step.to_owned()
    } else {
        format!("f:{step}")
    }
}

fn is_in(path: &Path, fields: &Value) -> bool {
    let mut place = fields;
    for step in path {
        match place.get(step_of(step)) {
            Some(inner) => place = inner,
            None => return place.as_object().is_some_and(Map::is_empty),
        }
    }
    true
}

/// Items by key become lists.
fn lists(value: &mut Value) {
    let Some(members) = value.as_object_mut() else {
        return;
    };
    members.values_mut().for_each(lists);
    if members.keys().any(|name| name.starts_with("k:")) {
        *value = members.values().cloned().collect();
    }
}

/// The keys of an item of this list, as `fieldsV1` has them; `None`: the list is one value.
fn item_key(list: &str, item: &Value) -> Option<String> {
    let keys: &[&str] = match list {
        "containers" | "env" | "volumes" => &["name"],
        "ports" if item.get("port").is_some() => &["port", "protocol"],
        "ports" => &["containerPort", "protocol"],
        _ => return None,
    };
    let keys: Map<String, Value> = keys
        .iter()
        .map(|key| {
            let default = || json!("TCP");
            let value = item.get(*key).cloned();
            ((*key).to_owned(), value.unwrap_or_else(default))
        })
        .collect();
    Some(format!("k:{}", Value::Object(keys)))
}

pub(crate) fn observed(key: &ObjectKey, stored: &Stored) -> Option<Observed> {
    Observed::of(kinds::kind_of(key).unwrap(), &stored.json())
}

pub(crate) fn leaves(manifest: &Value) -> BTreeMap<Path, Value> {
    let mut found = BTreeMap::new();
    let mut open = vec![(Vec::new(), manifest)];
    while let Some((path, value)) = open.pop() {
        match value {
            Value::Object(members) if !members.is_empty() => {
                open.extend(members.iter().map(|(name, member)| {
                    let mut inner: Path = path.clone();
                    inner.push(name.clone());
                    (inner, member)
                }));
            }
            Value::Array(items) if keyed(&path, items) => {
                let list = path.last().cloned().unwrap_or_default();
                open.extend(items.iter().map(|item| {
                    let mut inner = path.clone();
                    inner.extend(item_key(&list, item));
                    (inner, item)
                }));
            }
            Value::Object(_)
            | Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => {
                found.insert(path, value.clone());
            }
        }
    }
    found
}

fn keyed(path: &Path, items: &[Value]) -> bool {
    let list = path.last();
    list.zip(items.first())
        .is_some_and(|(list, item)| item_key(list, item).is_some())
}

fn image_path() -> Path {
    let container = r#"k:{"name":"app"}"#;
    ["spec", "template", "spec", "containers", container, "image"]
        .map(str::to_owned)
        .into()
}

pub(crate) fn replicas_path() -> Path {
    vec!["spec".to_owned(), "replicas".to_owned()]
}

pub(crate) fn selector_path() -> Path {
    ["spec", "selector", "matchLabels", "starform.io/service-id"]
        .map(str::to_owned)
        .into()
}
