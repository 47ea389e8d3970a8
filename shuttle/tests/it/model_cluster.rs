//! A model of an API server with its controllers, as far as the engine can tell it from a real one.
//!
//! Pure. Holds objects with uid, resourceVersion and field ownership by server-side apply's rules
//! (conflicts, force, taking fields, dropping what a manager no longer states, replicas reset to 1),
//! watches as a queue of events, and a Deployment controller that moves when it is asked to.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};
use starform_contract::{ObjectKey, Report};
use starform_shuttle::{
    engine::io::{
        Apply, Collection, Failure, Foreign, Gone, Input, InventoryShard, Millis, Observed,
        Request, Response,
    },
    kinds,
};

use crate::model_object::{
    Behaviour, Path, Stored, leaves, observed, replicas_path, selector_path,
};

/// The only project's.
const NAMESPACE: &str = "sf-shop";

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
    /// How often each Job was begun.
    pub(crate) begun: BTreeMap<ObjectKey, u32>,
}

/// A request about an object whose key contains `about` is refused `times` times.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) about: &'static str,
    pub(crate) dry_run_only: bool,
    pub(crate) times: u32,
    pub(crate) failure: Failure,
}

impl ModelCluster {
    pub(crate) fn perform(&mut self, request: &Request, now: Millis) -> Result<Response, Failure> {
        self.log.push(request.clone());
        if let Some(failure) = self.fault(request) {
            return Err(failure);
        }
        match request {
            Request::Apply(apply) => self.apply(apply, now),
            Request::Seize { key, from } => self.seize(key, from),
            Request::Delete { key, uid } => self.delete(key, uid),
            Request::Get { key } => self.observed(key).map(object).ok_or_else(not_found),
            Request::ListPods { .. } => Ok(Response::Pods(self.pods(now))),
            Request::Survey { namespace } => {
                let keys = self.objects.keys();
                let inside = keys.filter(|key| key.namespace.as_ref() == Some(namespace));
                let found = inside.filter_map(|key| self.observed(key)).collect();
                Ok(Response::Found(found))
            }
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
        let of_project = kinds::watched_per_namespace();
        let of_project = of_project.map(|kind| Collection::of_namespace(kind, NAMESPACE));
        let everywhere = kinds::watched_everywhere().map(Collection::everywhere);
        for collection in everywhere.chain(of_project) {
            events.push(Input::Syncing(collection.clone()));
            let covered = self.objects.keys().filter(|key| collection.covers(key));
            let seen = covered.filter_map(|key| self.observed(key));
            events.extend(seen.filter(|o| o.owner.managed).map(Input::Observed));
            events.push(Input::Synced(collection));
        }
        events
    }

    /// What was asked and told so far counts no more.
    pub(crate) fn forget_past(&mut self) {
        self.log.clear();
        self.reports.clear();
        self.deleted.clear();
    }

    pub(crate) fn keys(&self) -> Vec<ObjectKey> {
        self.objects.keys().cloned().collect()
    }

    pub(crate) fn has(&self, key: &ObjectKey) -> bool {
        self.objects.contains_key(key)
    }

    pub(crate) fn uid(&self, key: &ObjectKey) -> Option<&str> {
        self.objects.get(key).map(|stored| stored.uid.as_str())
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

    /// A person or another controller takes out a field and all in it; that leaves no trace of them.
    pub(crate) fn unset(&mut self, key: &ObjectKey, path: &str) {
        let path: Path = path.split('|').map(str::to_owned).collect();
        let version = self.tick();
        let stored = self.objects.get_mut(key).unwrap();
        stored.fields.retain(|field, _| !field.starts_with(&path));
        for owned in stored.owners.values_mut() {
            owned.retain(|field| !field.starts_with(&path));
        }
        stored.owners.retain(|_, paths| !paths.is_empty());
        stored.version = version;
        stored.generation += 1;
        self.tell(key);
    }

    /// A person or another controller sets one field, or a list item by its keys, with all in it.
    pub(crate) fn edit(&mut self, key: &ObjectKey, manager: &str, path: &str, value: Value) {
        let path: Path = path.split('|').map(str::to_owned).collect();
        let version = self.tick();
        let stored = self.objects.get_mut(key).unwrap();
        let owner = (manager.to_owned(), "Update");
        for (inner, value) in leaves(&value) {
            let path = [path.clone(), inner].concat();
            stored.take(&owner, &path, &value);
            stored.owners.entry(owner.clone()).or_default().insert(path);
        }
        stored.written.insert(owner, version);
        stored.version = version;
        stored.generation += 1;
        let uid = stored.uid.clone();
        self.tell(key);
        if self.observed(key).is_some_and(|now| !now.owner.managed) {
            // It left the watch's selector.
            self.watch.push_back(Input::Gone(Gone {
                key: key.clone(),
                uid,
            }));
        }
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

    /// Somebody deletes it; finalizers keep it for now.
    pub(crate) fn begin_deletion(&mut self, key: &ObjectKey) {
        let version = self.tick();
        let stored = self.objects.get_mut(key).unwrap();
        stored.deleting = true;
        stored.version = version;
        self.tell(key);
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
            deleting: false,
        };
        self.objects.insert(key.clone(), stored);
        self.tell(&key);
    }

    /// Moves every Deployment and Job one step; whether anything moved.
    pub(crate) fn control(&mut self, now: Millis) -> bool {
        let mut moved = false;
        let keys: Vec<ObjectKey> = self.objects.keys().cloned().collect();
        for key in &keys {
            let stored = &self.objects[key];
            let status = match key.kind.as_str() {
                "Deployment" => stored.deployment_status(now),
                "Job" => stored.job_status(),
                _ => continue,
            };
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
            Request::Delete { key, .. } | Request::Get { key } | Request::Seize { key, .. } => {
                (key.to_string(), false)
            }
            Request::ListPods { namespace, .. } | Request::Survey { namespace } => {
                (namespace.clone(), false)
            }
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
        let stated = stated(apply);
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
        if let Some(failure) = stored.invalid() {
            return Err(failure);
        }
        if apply.dry_run {
            return Ok(object(observed(key, &stored).unwrap()));
        }
        let changed = before
            .as_ref()
            .is_none_or(|before| before.fields != stored.fields || before.owners != stored.owners);
        if changed {
            stored.version = self.tick();
            stored.written.insert(owner, stored.version);
            if before.is_none() && key.kind == "Job" {
                *self.begun.entry(key.clone()).or_default() += 1;
            }
            if before.is_none_or(|before| before.spec() != stored.spec()) {
                stored.generation += 1;
                stored.since = now;
            }
            self.objects.insert(key.clone(), stored);
            self.tell(key);
        }
        Ok(object(self.observed(key).unwrap()))
    }

    /// As a JSON patch of `managedFields` does it: no field changes.
    fn seize(&mut self, key: &ObjectKey, from: &[Foreign]) -> Result<Response, Failure> {
        let version = self.last + 1;
        let stored = self.objects.get_mut(key).ok_or_else(not_found)?;
        if stored.seize(from) {
            stored.version = version;
            self.last = version;
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
        // What is in a namespace goes with it, before it.
        let inside = self.objects.keys().filter(|other| {
            key.kind == "Namespace" && other.namespace.as_deref() == Some(&key.name)
        });
        for other in inside.cloned().collect::<Vec<_>>() {
            self.remove(&other);
        }
        self.remove(key);
        Ok(Response::Deleted)
    }

    /// Pods of the Deployments and Jobs whose image says that they do not get ready.
    fn pods(&self, now: Millis) -> Vec<Value> {
        let bad = self.objects.iter().filter(|(key, stored)| {
            matches!(key.kind.as_str(), "Deployment" | "Job")
                && stored.behaviour() != Behaviour::Ready
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

/// What the shell sends: for a secret's value a name stands here.
fn stated(apply: &Apply) -> BTreeMap<Path, Value> {
    let sealed = apply.sealed.iter().flat_map(|sealed| &sealed.references);
    let values = sealed.map(|(data, reference)| {
        let value = json!(format!("{} {}", reference.secret, reference.version));
        (vec!["data".to_owned(), data.clone()], value)
    });
    let mut stated = leaves(&apply.manifest);
    stated.extend(values);
    stated
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
