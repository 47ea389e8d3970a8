//! Others' hands on one object of each kind: what is told of it, and that seizing and applying undo it to the last field.
//!
//! Effects: network; a namespace of its own. Always holds: every kind that Starform writes is among what was tried.

use std::collections::BTreeMap;

use http::Method;
use kube::Client;
use serde_json::{Value, json};
use starform_contract::{Object, ObjectKey, ProjectId, report::DriftKind};
use starform_shuttle::{
    access::Access,
    call::{CallError, JSON_PATCH, call, get, request},
    cluster,
    engine::{
        drift,
        io::{Apply, FieldManager, InventoryEntry, Observed, Response},
    },
    kinds::{KINDS, Watch, kind_of},
    values::Filling,
};

use super::golden::goldens;
use crate::shell_support::{cluster, eventually, namespace};

/// One hand: what it does, as a JSON patch, and what that is.
struct Hand {
    patch: Value,
    kinds: &'static [DriftKind],
}

const ADDED: &[DriftKind] = &[DriftKind::Added];
const CHANGED: &[DriftKind] = &[DriftKind::Changed];
const BOTH: &[DriftKind] = &[DriftKind::Changed, DriftKind::Added];
const NOTHING: &[DriftKind] = &[];

fn add(path: &str, value: Value) -> Value {
    json!({"op": "add", "path": path, "value": value})
}

fn hand(patch: Value, kinds: &'static [DriftKind]) -> Hand {
    let patch = json!([patch]);
    Hand { patch, kinds }
}

fn remove(path: &str) -> Hand {
    hand(json!({"op": "remove", "path": path}), CHANGED)
}

fn set(path: &str, value: Value, kinds: &'static [DriftKind]) -> Hand {
    hand(add(path, value), kinds)
}

/// Of the pods that an object makes.
fn on_pods(template: &str) -> Vec<Hand> {
    let spec = format!("{template}/spec");
    let first = format!("{spec}/containers/0");
    vec![
        set(
            &format!("{spec}/containers/-"),
            json!({"name": "miner", "image": "miner:1"}),
            ADDED,
        ),
        set(
            &format!("{first}/env/-"),
            json!({"name": "EXTRA", "value": "1"}),
            ADDED,
        ),
        set(&format!("{first}/image"), json!("miner:2"), CHANGED),
        set(
            &format!("{spec}/priorityClassName"),
            json!("system-node-critical"),
            ADDED,
        ),
        remove(&format!("{first}/env/0")),
    ]
}

fn on_deployment() -> Vec<Hand> {
    let mut hands = on_pods("/spec/template");
    hands.extend([
        set("/spec/paused", json!(true), ADDED),
        set("/spec/minReadySeconds", json!(77), CHANGED),
        remove("/spec/minReadySeconds"),
        set(
            "/spec/template/spec/containers/0/ports/-",
            json!({"name": "extra", "containerPort": 9, "protocol": "TCP"}),
            ADDED,
        ),
        set(
            "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt",
            json!("2026-01-01T00:00:00Z"),
            NOTHING,
        ),
    ]);
    hands
}

fn on_cron() -> Vec<Hand> {
    let mut hands = on_pods("/spec/jobTemplate/spec/template");
    hands.extend([
        set(
            "/spec/jobTemplate/spec/template/spec/containers/0/ports",
            json!([{"name": "extra", "containerPort": 9, "protocol": "TCP"}]),
            ADDED,
        ),
        set("/spec/schedule", json!("1 1 1 1 1"), CHANGED),
        set("/spec/jobTemplate/spec/parallelism", json!(3), ADDED),
    ]);
    hands
}

fn on_spec(kind: &str) -> Vec<Hand> {
    match kind {
        "Deployment" => on_deployment(),
        "CronJob" => on_cron(),
        "Job" => vec![
            set("/spec/activeDeadlineSeconds", json!(77), CHANGED),
            set("/spec/ttlSecondsAfterFinished", json!(7777), ADDED),
        ],
        "Service" => vec![
            set(
                "/spec/ports/-",
                json!({"name": "extra", "port": 9999, "protocol": "TCP"}),
                ADDED,
            ),
            // Another number of the same name: no apply goes through beside it.
            set("/spec/ports/0/port", json!(9998), BOTH),
            set("/spec/selector/mine", json!("yes"), CHANGED),
            set("/spec/publishNotReadyAddresses", json!(true), ADDED),
            set("/spec/sessionAffinity", json!("ClientIP"), BOTH),
        ],
        "HorizontalPodAutoscaler" => vec![
            set("/spec/maxReplicas", json!(99), CHANGED),
            remove("/spec/minReplicas"),
            set("/spec/behavior/scaleUp/tolerance", json!("0.2"), ADDED),
        ],
        "PodDisruptionBudget" => vec![
            set("/spec/maxUnavailable", json!(3), CHANGED),
            remove("/spec/unhealthyPodEvictionPolicy"),
        ],
        "NetworkPolicy" => vec![
            set("/spec/ingress", json!([{}]), ADDED),
            set("/spec/policyTypes", json!(["Ingress"]), CHANGED),
        ],
        "ServiceAccount" => vec![
            set("/imagePullSecrets", json!([{"name": "mine"}]), ADDED),
            set("/automountServiceAccountToken", json!(true), CHANGED),
            remove("/automountServiceAccountToken"),
        ],
        "Secret" => vec![
            set("/data/EXTRA", json!("MQ=="), ADDED),
            set("/data/DISABLE_PROFILER", json!("Mg=="), CHANGED),
            remove("/data/DISABLE_PROFILER"),
        ],
        "ResourceQuota" => vec![
            set("/spec/hard/pods", json!("7"), CHANGED),
            set("/spec/hard/secrets", json!("7"), ADDED),
            remove("/spec/hard/pods"),
        ],
        "LimitRange" => vec![remove("/spec/limits/1")],
        "RoleBinding" => vec![set(
            "/subjects/-",
            json!({"kind": "User", "name": "mallory", "apiGroup": "rbac.authorization.k8s.io"}),
            CHANGED,
        )],
        "HTTPRoute" => vec![
            set("/spec/hostnames/0", json!("other.example.com"), CHANGED),
            set("/spec/rules/0/backendRefs/0/weight", json!(7), CHANGED),
            set(
                "/spec/rules/-",
                json!({"matches": [{"path": {"type": "Exact", "value": "/x"}}]}),
                CHANGED,
            ),
        ],
        // Nothing in their spec can be changed.
        "Namespace" | "PersistentVolumeClaim" => Vec::new(),
        other => panic!("nobody has thought about {other}"),
    }
}

/// On every kind, and nobody's business.
fn on_metadata() -> Vec<Hand> {
    vec![
        set("/metadata/labels/team", json!("blue"), NOTHING),
        set("/metadata/annotations/note", json!("x"), NOTHING),
    ]
}

/// One object of each kind in a namespace, as wanted and as written.
struct Subject {
    client: Client,
    wanted: Object,
    key: ObjectKey,
    entry: InventoryEntry,
    before: Value,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_do_to_each_kind_is_told_and_undone() {
    let Some(client) = cluster().await else {
        return;
    };
    let space = namespace(&client, "hands").await;
    let wanted = one_of_each(&space);
    let written = KINDS.iter().filter(|kind| kind.watch != Watch::Off);
    assert_eq!(wanted.len(), written.count(), "{:?}", wanted.keys());
    let tried = wanted.into_values().map(|object| {
        let client = client.clone();
        tokio::spawn(async move {
            let subject = Subject::write(client, object).await;
            let hands = on_spec(&subject.key.kind).into_iter();
            let others = ["kubectl-edit", "rogue-operator"].into_iter().cycle();
            for (hand, manager) in hands.chain(on_metadata()).zip(others) {
                subject.stands(&hand, manager).await;
                subject.yields(&hand).await;
            }
        })
    });
    for tried in tried.collect::<Vec<_>>() {
        tried.await.unwrap();
    }
}

impl Subject {
    async fn write(client: Client, wanted: Object) -> Self {
        let key = wanted.key().unwrap();
        let mut subject = Self {
            entry: InventoryEntry {
                project: ProjectId::local(&"hands".parse().unwrap()),
                environment: None,
                service: None,
                uid: None,
                fields: None,
                done: None,
            },
            before: Value::Null,
            client,
            wanted,
            key,
        };
        let written = subject.apply().await;
        subject.entry.fields = Some(written.own.unwrap().fields);
        subject.before = eventually("the cluster's own controllers", async || {
            let content = subject.content().await;
            let claim = subject.key.kind == "PersistentVolumeClaim";
            (!claim || content["spec"].get("volumeName").is_some()).then_some(content)
        })
        .await;
        subject
    }

    /// It is told, and undone to the last field.
    async fn stands(&self, hand: &Hand, manager: &str) {
        self.meddle(hand, manager).await;
        let place = format!("{} by {manager}: {}", self.key, hand.patch);
        let live = self.observe().await;
        assert_eq!(self.told(&live), hand.kinds, "{place}");
        let additions = drift::additions(&live, &self.wanted);
        if !additions.is_empty() {
            let access = Access::of_person(self.client.clone());
            cluster::seize(&access, &self.key, &additions)
                .await
                .unwrap();
        }
        if hand.kinds.is_empty() {
            return self.clean(hand).await;
        }
        let after = self.apply().await;
        assert_eq!(self.told(&after), NOTHING, "{place}");
        let fields = after.own.map(|own| own.fields);
        assert_eq!(fields, self.entry.fields, "{place}");
        assert_eq!(self.content().await, self.before, "{place}");
    }

    /// A controller's is its own.
    async fn yields(&self, hand: &Hand) {
        if hand.patch[0]["op"] == "remove" || hand.kinds.len() != 1 {
            // Who removes leaves no name.
            return;
        }
        self.meddle(hand, "kube-controller-manager").await;
        let live = self.observe().await;
        assert_eq!(self.told(&live), NOTHING, "{} {}", self.key, hand.patch);
        let access = Access::of_person(self.client.clone());
        cluster::seize(&access, &self.key, &live.foreign)
            .await
            .unwrap();
        self.apply().await;
        self.clean(hand).await;
    }

    /// What was left is taken back by whoever did it.
    async fn clean(&self, hand: &Hand) {
        if self.content().await != self.before {
            let back = json!([{"op": "remove", "path": hand.patch[0]["path"]}]);
            let back = Hand {
                patch: back,
                kinds: NOTHING,
            };
            self.meddle(&back, "kubectl-edit").await;
        }
        assert_eq!(self.content().await, self.before, "{}", hand.patch);
    }

    fn told(&self, live: &Observed) -> Vec<DriftKind> {
        let told = match self.wanted.release() {
            // Of what runs once, only what was added is looked at.
            Some(_) => return self.told_of_release(live),
            None => drift::standing(&self.wanted, &self.key, Some(live), Some(&self.entry)),
        };
        told.into_iter().map(|drift| drift.kind).collect()
    }

    fn told_of_release(&self, live: &Observed) -> Vec<DriftKind> {
        let fields = live.own.as_ref().map(|own| &own.fields);
        let yielded = live.own.as_ref().and_then(|own| own.yielded.as_ref());
        let recorded = self.entry.fields.as_ref();
        let changed = fields != recorded && yielded != recorded;
        let added = !drift::additions(live, &self.wanted).is_empty();
        let told = [(changed, DriftKind::Changed), (added, DriftKind::Added)];
        told.into_iter()
            .filter(|(is, _)| *is)
            .map(|(_, kind)| kind)
            .collect()
    }

    async fn apply(&self) -> Observed {
        let apply = Apply {
            key: self.key.clone(),
            manifest: self.wanted.manifest.clone().into(),
            manager: FieldManager::Shuttle,
            force: true,
            dry_run: false,
            sealed: None,
        };
        let access = Access::of_person(self.client.clone());
        let answer = cluster::apply(&access, &apply, &Filling::default()).await;
        object(answer.unwrap_or_else(|failure| panic!("{}: {failure:?}", self.key)))
    }

    async fn observe(&self) -> Observed {
        let access = Access::of_person(self.client.clone());
        object(cluster::get(&access, &self.key).await.unwrap())
    }

    async fn meddle(&self, hand: &Hand, manager: &str) {
        let path = kind_of(&self.key).unwrap().path(&self.key);
        let uri = format!("{path}?fieldManager={manager}");
        let patch = request(Method::PATCH, &uri, Some((JSON_PATCH, &hand.patch)));
        let done: Result<Value, CallError> = call(&self.client, patch).await;
        done.unwrap_or_else(|error| panic!("{} {}: {error}", self.key, hand.patch));
    }

    /// All but what every write moves.
    async fn content(&self) -> Value {
        let path = kind_of(&self.key).unwrap().path(&self.key);
        let mut live = call(&self.client, get(&path)).await.unwrap();
        let object = live.as_object_mut().unwrap();
        object.remove("status");
        let metadata = object["metadata"].as_object_mut().unwrap();
        for moving in ["managedFields", "resourceVersion", "generation"] {
            metadata.remove(moving);
        }
        if let Some(annotations) = metadata
            .get_mut("annotations")
            .and_then(Value::as_object_mut)
        {
            annotations.retain(|name, _| name.starts_with("starform.io/"));
        }
        live
    }
}

fn object(response: Response) -> Observed {
    match response {
        Response::Object(observed) => *observed,
        other => panic!("{other:?} is not an object"),
    }
}

/// Of the goldens, in a namespace of the test's own, stamped as the engine stamps it.
fn one_of_each(space: &str) -> BTreeMap<String, Object> {
    let mut found = BTreeMap::new();
    for golden in goldens() {
        for mut manifest in golden.manifests {
            let kind = manifest["kind"].as_str().unwrap().to_owned();
            if found.contains_key(&kind) {
                continue;
            }
            match kind.as_str() {
                "Namespace" => manifest["metadata"]["name"] = json!(format!("{space}-of-its-own")),
                _ => manifest["metadata"]["namespace"] = json!(space),
            }
            found.insert(kind, stamped(manifest));
        }
    }
    found
}

fn stamped(manifest: Value) -> Object {
    use starform_contract::{Deletion, bundle::Wave};
    let mut object = Object::new(manifest, Wave(0), Deletion::Delete);
    object.manifest["metadata"]["annotations"]["starform.io/digest"] =
        json!(object.digest.to_string());
    object
}
