//! Objects of the project as the API server holds them, and whether a plan's fields tell what became of them.
//!
//! Effects: reads the API server. Always holds: what the server or a controller keeps for itself is left out by name,
//! everything else is compared. Read on in `reconciler/plan/tests/it/plan/applied.rs` for how fields are applied.

#[path = "../../../../reconciler/plan/tests/it/plan/applied.rs"]
mod applied;

use std::collections::BTreeMap;

use serde_json::Value;
use starform_contract::ObjectKey;
use starform_plan::document::{Action, ObjectChange, Plan, SecretChange};
use starform_shuttle::kinds::{KINDS, kind_of};

use crate::support::cluster::Cluster;

/// What the server, or a controller by its right, keeps in an object.
const KEPT_BY_THE_SERVER: [&str; 11] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];
/// What is stamped at a write and never compared, and what controllers note.
const NOTES: [&str; 6] = [
    "starform.io/digest",
    "starform.io/generation",
    "starform.io/plan-id",
    "starform.io/revision",
    "deployment.kubernetes.io/revision",
    "pv.kubernetes.io/bind-completed",
];

/// Every object of the project, by key.
pub(super) struct Live(BTreeMap<ObjectKey, Value>);

impl Live {
    pub(super) fn of(cluster: &Cluster) -> Self {
        let mut all = BTreeMap::new();
        for kind in KINDS {
            for mut object in cluster.list(&kind.collection(None)) {
                let metadata = &object["metadata"];
                let name = metadata["name"].as_str().unwrap().to_owned();
                let namespace = metadata["namespace"].as_str().map(str::to_owned);
                let managed = metadata["labels"]["app.kubernetes.io/managed-by"] == "starform";
                let going = !metadata["deletionTimestamp"].is_null();
                // Of a Pod, ReplicaSet or Job of a CronJob an owner in the cluster decides.
                let owned = !metadata["ownerReferences"].is_null();
                if managed
                    && !going
                    && !owned
                    && is_of_shop(namespace.as_deref().unwrap_or(""), &name)
                {
                    object["apiVersion"] = kind.api_version().into();
                    object["kind"] = kind.kind.into();
                    all.insert(kind.key(namespace.as_deref(), &name), cleaned(object));
                }
            }
        }
        leave_to_autoscalers(&mut all);
        Self(all)
    }

    /// What the plan does not name is as it was.
    pub(super) fn stands_but_for(&self, after: &Self, plan: &Plan, about: &str) {
        let named = |key: &ObjectKey| plan.objects.iter().any(|change| change.key == *key);
        let rest = |live: &Self| -> BTreeMap<ObjectKey, Value> {
            let rest = live.0.iter().filter(|(key, _)| !named(key));
            rest.map(|(key, value)| (key.clone(), value.clone()))
                .collect()
        };
        assert_eq!(rest(after), rest(self), "{about}");
    }
}

/// How many replicas a scaled Deployment has is its autoscaler's word.
fn leave_to_autoscalers(all: &mut BTreeMap<ObjectKey, Value>) {
    let scalers = all
        .iter()
        .filter(|(key, _)| key.kind == "HorizontalPodAutoscaler");
    let scaled: Vec<ObjectKey> = scalers
        .map(|(key, scaler)| {
            let name = scaler["spec"]["scaleTargetRef"]["name"].as_str().unwrap();
            ObjectKey::new("apps", "Deployment", key.namespace.as_deref(), name)
        })
        .collect();
    for key in scaled {
        let deployment = all.get_mut(&key).unwrap();
        deployment["spec"]
            .as_object_mut()
            .unwrap()
            .remove("replicas");
    }
}

pub(super) fn is_of_shop(namespace: &str, name: &str) -> bool {
    let prefix = "sf-shop-";
    namespace.starts_with(prefix) || (namespace.is_empty() && name.starts_with(prefix))
}

pub(super) fn plural(key: &ObjectKey) -> &'static str {
    kind_of(key).unwrap().plural
}

fn cleaned(mut object: Value) -> Value {
    let fields = object.as_object_mut().unwrap();
    fields.remove("status");
    let metadata = fields["metadata"].as_object_mut().unwrap();
    metadata.retain(|field, _| !KEPT_BY_THE_SERVER.contains(&field.as_str()));
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
        annotations.retain(|name, _| !NOTES.contains(&name.as_str()));
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
    object
}

/// Whether the object after is what the plan's fields make of the object before.
pub(super) fn is_as_planned(change: &ObjectChange, before: &Live, after: &Live, about: &str) {
    let key = &change.key;
    let (before, after) = (before.0.get(key), after.0.get(key));
    let about = format!(
        "{key} {:?}: {about}\n{before:#?}\n{after:#?}",
        change.action
    );
    match change.action {
        Action::Create | Action::Replace => {
            assert!(
                change.action == Action::Replace || before.is_none(),
                "{about}"
            );
            holds(
                &applied::apply(key, Value::Null, &change.fields),
                &applied::veil(after.expect(&about).clone()),
                &about,
            );
        }
        Action::Update | Action::Adopt => {
            let (before, after) = (before.expect(&about), after.expect(&about));
            let made = applied::apply(key, applied::veil(before.clone()), &change.fields);
            assert_eq!(made, applied::veil(after.clone()), "{about}");
            secrets_are_as_planned(change, before, after, &about);
        }
        Action::Delete => assert!(after.is_none(), "{about}"),
        Action::Retain | Action::Forget | Action::None => assert_eq!(before, after, "{about}"),
    }
}

/// Everything that is planned is there; the server may have added to it.
fn holds(planned: &Value, live: &Value, about: &str) {
    match (planned, live) {
        (Value::Object(planned), Value::Object(live)) => {
            for (field, value) in planned {
                holds(value, live.get(field).unwrap_or(&Value::Null), about);
            }
        }
        (Value::Array(planned), Value::Array(live)) => {
            assert_eq!(planned.len(), live.len(), "{about}");
            for (value, live) in planned.iter().zip(live) {
                holds(value, live, about);
            }
        }
        (planned, live) => assert_eq!(planned, live, "{about}"),
    }
}

/// A Secret's keys by their words; no value of one is in a plan.
fn secrets_are_as_planned(change: &ObjectChange, before: &Value, after: &Value, about: &str) {
    for field in &change.fields {
        let (Some(word), Some(name)) = (field.secret, field.path.strip_prefix("/data/")) else {
            continue;
        };
        let (before, after) = (&before["data"][name], &after["data"][name]);
        let right = match word {
            SecretChange::Added => before.is_null() && !after.is_null(),
            SecretChange::Changed => before != after && !before.is_null() && !after.is_null(),
            SecretChange::Removed => !before.is_null() && after.is_null(),
        };
        assert!(right, "{}: {about}", field.path);
    }
}
