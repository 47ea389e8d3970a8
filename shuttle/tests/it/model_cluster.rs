//! A model of an API server with its controllers, as far as the engine can tell it from a real one.
//!
//! Pure. Holds objects with uid, resourceVersion and field ownership by server-side apply's rules
//! (conflicts, force, taking fields, dropping what a manager no longer states, replicas reset to 1),
//! watches as a queue of events, and a Deployment controller that moves when it is asked to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value, json};
use starform_contract::{ObjectKey, Report};
use starform_shuttle::{
    engine::io::{
        Apply, Failure, Gone, Input, InventoryShard, KindName, Millis, Observed, Request, Response,
    },
    kinds,
};

pub(crate) type Path = Vec<String>;

#[derive(Debug, Clone, Default)]
pub(crate) struct ModelCluster {
    objects: BTreeMap<ObjectKey, Stored>,
    last: u64,
    pub(crate) shards: BTreeMap<u16, InventoryShard>,
    pub(crate) watch: VecDeque<Input>,
    /// Every request that was performed, in order.
    pub(crate) log: Vec<Request>,
    pub(crate) reports: Vec<Report>,
    /// Whether the object under this uid was shown to be deleted by a request.
    pub(crate) deleted: Vec<ObjectKey>,
    pub(crate) faults: Vec<Fault>,
    /// The smallest replica count that each Deployment was ever seen with.
    pub(crate) fewest: BTreeMap<ObjectKey, i64>,
}

/// A request about an object whose key contains `about` is refused `times` times.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) about: &'static str,
    pub(crate) dry_run_only: bool,
    pub(crate) times: u32,
    pub(crate) failure: Failure,
}

#[derive(Debug, Clone)]
struct Stored {
    uid: String,
    version: u64,
    generation: u64,
    /// Leaf fields by path; lists are leaves.
    fields: BTreeMap<Path, Value>,
    /// Manager and operation to the paths that it owns.
    owners: BTreeMap<(String, &'static str), BTreeSet<Path>>,
    /// The latest writer of fields has the greatest number.
    written: BTreeMap<(String, &'static str), u64>,
    status: Value,
    since: Millis,
}

impl ModelCluster {
    pub(crate) fn perform(&mut self, request: &Request, now: Millis) -> Result<Response, Failure> {
        self.log.push(request.clone());
        if let Some(failure) = self.fault(request) {
            return Err(failure);
        }
        match request {
            Request::Apply(apply) => self.apply(apply, now),
            Request::Delete { key, uid } => self.delete(key, uid),
            Request::Get { key } => self.observed(key).map(object).ok_or_else(not_found),
            Request::ListPods { .. } => Ok(Response::Pods(self.pods(now))),
            Request::PutInventory(shard) => {
                self.shards.insert(shard.number, shard.clone());
                Ok(Response::Stored)
            }
            Request::Report(report) => {
                self.reports.push((**report).clone());
                Ok(Response::Reported)
            }
        }
    }

    /// What a new process reads: every object of a watched kind with our label.
    pub(crate) fn list(&self) -> Vec<Input> {
        let mut events = Vec::new();
        for kind in kinds::watched() {
            let name = KindName::new(kind.group, kind.kind);
            events.push(Input::Syncing(name.clone()));
            let of_kind = self.objects.keys().filter(|key| KindName::of(key) == name);
            let seen = of_kind.filter_map(|key| self.observed(key));
            events.extend(seen.filter(|o| o.owner.managed).map(Input::Observed));
            events.push(Input::Synced(name));
        }
        events
    }

    pub(crate) fn has(&self, key: &ObjectKey) -> bool {
        self.objects.contains_key(key)
    }

    pub(crate) fn version(&self, key: &ObjectKey) -> u64 {
        self.objects[key].version
    }

    pub(crate) fn field(&self, key: &ObjectKey, path: &str) -> Option<&Value> {
        let path: Path = path.split('|').map(str::to_owned).collect();
        self.objects.get(key)?.fields.get(&path)
    }

    /// Content and ownership without what differs from run to run.
    pub(crate) fn state(&self) -> BTreeMap<String, BTreeMap<Path, Value>> {
        let passing = ["revision", "plan-id", "generation"];
        self.objects
            .iter()
            .map(|(key, stored)| {
                let fields = stored.fields.iter().filter(|(path, _)| {
                    let last = path.last().map(String::as_str).unwrap_or_default();
                    !passing
                        .iter()
                        .any(|name| last == format!("starform.io/{name}"))
                });
                let fields = fields.map(|(path, value)| (path.clone(), value.clone()));
                (key.to_string(), fields.collect())
            })
            .collect()
    }

    /// A person or another controller sets one field.
    pub(crate) fn edit(&mut self, key: &ObjectKey, manager: &str, path: &str, value: Value) {
        let path: Path = path.split('|').map(str::to_owned).collect();
        let version = self.tick();
        let stored = self.objects.get_mut(key).unwrap();
        let owner = (manager.to_owned(), "Update");
        stored.take(&owner, &path, &value);
        stored.owners.entry(owner.clone()).or_default().insert(path);
        stored.written.insert(owner, version);
        stored.version = version;
        stored.generation += 1;
        self.tell(key);
    }

    /// Somebody deletes it, for good.
    pub(crate) fn remove(&mut self, key: &ObjectKey) {
        let stored = self.objects.remove(key).unwrap();
        self.tick();
        self.watch.push_back(Input::Gone(Gone {
            key: key.clone(),
            uid: stored.uid,
        }));
    }

    /// An object that somebody else made.
    pub(crate) fn foreign(&mut self, manifest: &Value, manager: &str) {
        let key = ObjectKey::of(manifest).unwrap();
        let version = self.tick();
        let fields = leaves(manifest);
        let owner = (manager.to_owned(), "Update");
        let stored = Stored {
            uid: format!("uid-{version}"),
            version,
            generation: 1,
            owners: BTreeMap::from([(owner.clone(), fields.keys().cloned().collect())]),
            written: BTreeMap::from([(owner, version)]),
            fields,
            status: Value::Null,
            since: Millis::default(),
        };
        self.objects.insert(key.clone(), stored);
        self.tell(&key);
    }

    /// Moves every Deployment one step; whether anything moved.
    pub(crate) fn control(&mut self, now: Millis) -> bool {
        let mut moved = false;
        let keys: Vec<ObjectKey> = self.objects.keys().cloned().collect();
        for key in keys.iter().filter(|key| key.kind == "Deployment") {
            let stored = &self.objects[key];
            let status = stored.deployment_status(now);
            if status != stored.status {
                let version = self.tick();
                let stored = self.objects.get_mut(key).unwrap();
                stored.status = status;
                stored.version = version;
                self.tell(key);
                moved = true;
            }
        }
        moved
    }

    fn fault(&mut self, request: &Request) -> Option<Failure> {
        let (about, dry_run) = match request {
            Request::Apply(apply) => (apply.key.to_string(), apply.dry_run),
            Request::Delete { key, .. } | Request::Get { key } => (key.to_string(), false),
            Request::ListPods { namespace, .. } => (namespace.clone(), false),
            Request::PutInventory(_) => ("inventory".to_owned(), false),
            Request::Report(_) => ("report".to_owned(), false),
        };
        let fault = self.faults.iter_mut().find(|fault| {
            fault.times > 0 && about.contains(fault.about) && (!fault.dry_run_only || dry_run)
        })?;
        fault.times -= 1;
        Some(fault.failure.clone())
    }

    fn apply(&mut self, apply: &Apply, now: Millis) -> Result<Response, Failure> {
        let key = &apply.key;
        if let Some(namespace) = &key.namespace {
            let namespace = ObjectKey::new("", "Namespace", None, namespace);
            if !self.objects.contains_key(&namespace) {
                return Err(not_found());
            }
        }
        let stated = leaves(&apply.manifest);
        let owner = (apply.manager.name().to_owned(), "Apply");
        let before = self.objects.get(key).cloned();
        let mut stored = before
            .clone()
            .unwrap_or_else(|| Stored::new(self.last + 1, now));
        if before.is_some() && !apply.force && stored.conflicts(&owner, &stated) {
            return Err(Failure {
                code: Some(409),
                reason: "Conflict".to_owned(),
                message: "Apply failed with 1 conflict".to_owned(),
                ..Failure::default()
            });
        }
        let selector = |fields: &BTreeMap<Path, Value>| fields.get(&selector_path()).cloned();
        let stated_selector = selector(&stated);
        if before.is_none() && key.kind == "Deployment" && stated_selector.is_none() {
            return Err(Failure {
                code: Some(422),
                reason: "Invalid".to_owned(),
                message: "spec.selector: Required value".to_owned(),
                ..Failure::default()
            });
        }
        if before.is_some()
            && stated_selector.is_some()
            && selector(&stored.fields) != stated_selector
        {
            return Err(Failure {
                code: Some(422),
                reason: "Invalid".to_owned(),
                message: "spec.selector: field is immutable".to_owned(),
                immutable: vec!["spec.selector".to_owned()],
                retry_after: None,
            });
        }
        stored.state(&owner, stated);
        if apply.dry_run {
            return Ok(object(observed(key, &stored).unwrap()));
        }
        let changed = before
            .as_ref()
            .is_none_or(|before| before.fields != stored.fields || before.owners != stored.owners);
        if changed {
            stored.version = self.tick();
            stored.written.insert(owner, stored.version);
            if before.is_none_or(|before| before.spec() != stored.spec()) {
                stored.generation += 1;
                stored.since = now;
            }
            self.objects.insert(key.clone(), stored);
            self.tell(key);
        }
        Ok(object(self.observed(key).unwrap()))
    }

    fn delete(&mut self, key: &ObjectKey, uid: &str) -> Result<Response, Failure> {
        let stored = self.objects.get(key).ok_or_else(not_found)?;
        if stored.uid != uid {
            return Err(Failure {
                code: Some(409),
                reason: "Conflict".to_owned(),
                ..Failure::default()
            });
        }
        self.deleted.push(key.clone());
        self.remove(key);
        Ok(Response::Deleted)
    }

    /// Pods of the Deployments whose image says that they do not get ready.
    fn pods(&self, now: Millis) -> Vec<Value> {
        let bad = self.objects.iter().filter(|(key, stored)| {
            key.kind == "Deployment" && stored.behaviour() != Behaviour::Ready
        });
        bad.map(|(key, stored)| {
            let state = match stored.behaviour() {
                Behaviour::Crash => {
                    json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}})
                }
                Behaviour::Ready | Behaviour::NeverReady => json!({"running": {}}),
            };
            json!({
                "metadata": {"name": key.name, "creationTimestamp": format!("{:012}", now.0),
                    "labels": {"pod-template-hash": "h"}},
                "spec": {"containers": [{"name": "app", "image": "x"}]},
                "status": {"phase": "Running", "containerStatuses": [{"name": "app", "ready": false,
                    "restartCount": 3, "state": state,
                    "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}}]},
            })
        })
        .collect()
    }

    fn tick(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn tell(&mut self, key: &ObjectKey) {
        let stored = &self.objects[key];
        if let (true, Some(replicas)) = (
            key.kind == "Deployment",
            stored.fields.get(&replicas_path()).and_then(Value::as_i64),
        ) {
            let fewest = self.fewest.entry(key.clone()).or_insert(replicas);
            *fewest = replicas.min(*fewest);
        }
        let observed = self.observed(key).unwrap();
        if observed.owner.managed {
            self.watch.push_back(Input::Observed(observed));
        }
    }

    fn observed(&self, key: &ObjectKey) -> Option<Observed> {
        observed(key, self.objects.get(key)?)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behaviour {
    Ready,
    Crash,
    NeverReady,
}

impl Stored {
    fn new(number: u64, now: Millis) -> Self {
        Self {
            uid: format!("uid-{number}"),
            version: number,
            generation: 0,
            fields: BTreeMap::new(),
            owners: BTreeMap::new(),
            written: BTreeMap::new(),
            status: Value::Null,
            since: now,
        }
    }

    fn conflicts(&self, owner: &(String, &'static str), stated: &BTreeMap<Path, Value>) -> bool {
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
    fn state(&mut self, owner: &(String, &'static str), stated: BTreeMap<Path, Value>) {
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
    fn take(&mut self, owner: &(String, &'static str), path: &Path, value: &Value) {
        if self.fields.get(path) != Some(value) {
            for (other, paths) in &mut self.owners {
                if other != owner {
                    paths.remove(path);
                }
            }
            self.fields.insert(path.clone(), value.clone());
        }
    }

    fn spec(&self) -> BTreeMap<&Path, &Value> {
        let spec = self.fields.iter();
        spec.filter(|(path, _)| path[0] == "spec").collect()
    }

    fn image(&self) -> String {
        let path: Path = ["spec", "template", "spec", "containers"]
            .map(str::to_owned)
            .into();
        let containers = self.fields.get(&path);
        let image = containers.and_then(|containers| containers[0]["image"].as_str());
        image.unwrap_or_default().to_owned()
    }

    fn behaviour(&self) -> Behaviour {
        let image = self.image();
        if image.contains("crash") {
            Behaviour::Crash
        } else if image.contains("neverready") {
            Behaviour::NeverReady
        } else {
            Behaviour::Ready
        }
    }

    fn deployment_status(&self, now: Millis) -> Value {
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
        root["metadata"]["uid"] = json!(self.uid);
        root["metadata"]["resourceVersion"] = json!(self.version.to_string());
        root["metadata"]["generation"] = json!(self.generation);
        root["metadata"]["managedFields"] = self
            .owners
            .iter()
            .map(|((manager, operation), paths)| {
                let written = self.written.get(&(manager.clone(), operation));
                json!({"manager": manager, "operation": operation, "fieldsV1": fields_v1(paths),
                    "time": format!("{:012}", written.copied().unwrap_or_default())})
            })
            .collect();
        if !self.status.is_null() {
            root["status"] = self.status.clone();
        }
        root
    }
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
            place = map.entry(format!("f:{step}")).or_insert_with(|| json!({}));
        }
    }
    root
}

fn observed(key: &ObjectKey, stored: &Stored) -> Option<Observed> {
    Observed::of(kinds::kind_of(key).unwrap(), &stored.json())
}

fn leaves(manifest: &Value) -> BTreeMap<Path, Value> {
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

fn replicas_path() -> Path {
    vec!["spec".to_owned(), "replicas".to_owned()]
}

fn selector_path() -> Path {
    ["spec", "selector", "matchLabels", "starform.io/service-id"]
        .map(str::to_owned)
        .into()
}

fn object(observed: Observed) -> Response {
    Response::Object(Box::new(observed))
}

fn not_found() -> Failure {
    Failure {
        code: Some(404),
        reason: "NotFound".to_owned(),
        message: "not found".to_owned(),
        ..Failure::default()
    }
}
