//! One look at what lives in the cluster of what was accepted, and what of it is not so.
//!
//! Effects: asks the API server, as whoever the kubeconfig names. Always holds: an object whose fields nobody took
//! from us is not compared by value; no value of a Secret is told, nor one that looks like a credential. Read on in
//! [`starform_shuttle::engine::drift`] for the rule.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use kube::Client;
use serde_json::Value;
use starform_contract::{
    Object, ObjectKey,
    report::{BreakGlass, Drift, DriftKind, Suspension},
};
use starform_plan::{diff::fields, document::FieldChange};
use starform_reconciler::api::body::Found;
use starform_shuttle::{
    call,
    engine::{
        drift,
        io::{InventoryEntry, Observed},
    },
    kinds::{self, Kind},
    persist,
};

use super::{covered::covered, status};

/// Questions at a time.
const AT_ONCE: usize = 8;
/// Objects in an answer.
const PAGE: usize = 500;

/// What was there.
pub(super) struct Look {
    live: BTreeMap<ObjectKey, Value>,
    inventory: BTreeMap<ObjectKey, InventoryEntry>,
}

impl Look {
    /// Of these objects: a list for each kind in a namespace, so that many cost no more than few.
    pub(super) async fn at(
        client: &Client,
        keys: impl IntoIterator<Item = ObjectKey>,
    ) -> anyhow::Result<Self> {
        let mut asked = BTreeSet::new();
        let mut places: BTreeMap<String, (&Kind, Option<String>)> = BTreeMap::new();
        for key in keys {
            let kind = kinds::kind_of(&key)?;
            let uri = match &key.namespace {
                Some(_) => kind.collection(key.namespace.as_deref()),
                None => kind.path(&key),
            };
            places.insert(uri, (kind, key.namespace.clone()));
            asked.insert(key);
        }
        let questions = places
            .into_iter()
            .map(|(uri, (kind, namespace))| async move {
                match namespace {
                    Some(_) => list(client, kind, &uri).await,
                    None => one(client, &uri).await,
                }
                .map(|objects| keyed(kind, objects))
                .with_context(|| format!("cannot read {uri}"))
            });
        let all: Vec<Vec<(ObjectKey, Value)>> = stream::iter(questions)
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let live = all.into_iter().flatten();
        let shards = persist::load_inventory(client)
            .await
            .context("cannot read the inventory")?;
        Ok(Self {
            live: live.filter(|(key, _)| asked.contains(key)).collect(),
            inventory: shards.into_iter().flat_map(|shard| shard.entries).collect(),
        })
    }

    pub(super) fn has(&self, key: &ObjectKey) -> bool {
        self.live.contains_key(key)
    }

    /// Whether an object that differs was last written as it is accepted: somebody changed it since, rather than
    /// that no apply got to it.
    pub(super) fn was_written(&self, wanted: &Object, key: &ObjectKey) -> bool {
        let observed = self.observed(key);
        observed.is_some_and(|live| live.stamps.digest.as_ref() == Some(&wanted.digest))
    }

    /// Whether somebody wants the object left alone.
    pub(super) fn break_glass(&self, key: &ObjectKey) -> Option<BreakGlass> {
        status::break_glass(&self.observed(key)?)
    }

    /// Nothing is put right in it for a while.
    pub(super) fn is_suspended(&self, key: &ObjectKey) -> bool {
        let asked = self.break_glass(key).map(|asked| asked.suspension);
        match asked {
            Some(Suspension::Suspended { .. }) => true,
            Some(Suspension::Malformed | Suspension::TooLong) | None => false,
        }
    }

    /// What of an accepted object is not as accepted.
    pub(super) fn found(&self, wanted: &Object) -> Vec<Found> {
        let Some(key) = wanted.key() else {
            return Vec::new();
        };
        let observed = self.observed(&key);
        let drifts = drift::standing(wanted, &key, observed.as_ref(), self.inventory.get(&key));
        let found = drifts.into_iter().map(|drift| {
            let fields = match (drift.kind, self.live.get(&key)) {
                (DriftKind::Changed, Some(live)) => changed(live, wanted),
                (DriftKind::Changed | DriftKind::Added | DriftKind::Deleted, _) => Vec::new(),
            };
            Found {
                drift: named(drift, &fields),
                seen_at: None,
                fields,
            }
        });
        found.collect()
    }

    fn observed(&self, key: &ObjectKey) -> Option<Observed> {
        let kind = kinds::kind_of(key).ok()?;
        Observed::of(kind, self.live.get(key)?)
    }
}

/// All of a kind in a namespace; none where the namespace or the kind is not there.
async fn list(client: &Client, kind: &Kind, uri: &str) -> Result<Vec<Value>, call::CallError> {
    let mut objects = Vec::new();
    let mut token = String::new();
    loop {
        let page = format!("{uri}?limit={PAGE}&continue={}", call::query(&token));
        let mut page = match call::call(client, call::get(&page)).await {
            Ok(page) => page,
            Err(call::CallError::Refused(refusal)) if refusal.code == 404 => return Ok(objects),
            Err(error) => return Err(error),
        };
        if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
            objects.extend(items);
        }
        match page.pointer("/metadata/continue").and_then(Value::as_str) {
            Some(next) if !next.is_empty() => token = next.to_owned(),
            Some(_) | None => break,
        }
    }
    // Elements of a list do not say of which kind they are.
    for object in objects.iter_mut().filter_map(Value::as_object_mut) {
        object.insert("apiVersion".to_owned(), kind.api_version().into());
        object.insert("kind".to_owned(), kind.kind.into());
    }
    Ok(objects)
}

async fn one(client: &Client, uri: &str) -> Result<Vec<Value>, call::CallError> {
    match call::call(client, call::get(uri)).await {
        Ok(live) => Ok(vec![live]),
        Err(call::CallError::Refused(refusal)) if refusal.code == 404 => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn keyed(kind: &Kind, objects: Vec<Value>) -> Vec<(ObjectKey, Value)> {
    let keyed = objects.into_iter().filter_map(|object| {
        let text = |at: &str| object.pointer(at).and_then(Value::as_str);
        let key = kind.key(text("/metadata/namespace"), text("/metadata/name")?);
        Some((key, object))
    });
    keyed.collect()
}

/// Where values differ, these are what was changed; otherwise what the other manager holds.
fn named(drift: Drift, fields: &[FieldChange]) -> Drift {
    if fields.is_empty() {
        return drift;
    }
    Drift {
        paths: Vec::new(),
        ..drift
    }
}

/// What restoring the object changes, over the fields that it states.
fn changed(live: &Value, wanted: &Object) -> Vec<FieldChange> {
    let stated = stated(live, &wanted.manifest);
    let live = Object::with_sealed(stated, wanted.wave, wanted.deletion, wanted.sealed.clone());
    let fields = fields::between(Some(&live), Some(wanted)).into_iter();
    fields.map(covered).collect()
}

/// Of `live`, what `wanted` speaks of; elements of lists by their place where they have no name.
fn stated(live: &Value, wanted: &Value) -> Value {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            let both = wanted.iter().filter_map(|(name, wanted)| {
                let live = live.get(name)?;
                Some((name.clone(), stated(live, wanted)))
            });
            Value::Object(both.collect())
        }
        (Value::Array(live), Value::Array(wanted)) => {
            let named = |value: &Value| value.get("name").cloned();
            let same = |place: usize, element: &Value| match named(element) {
                Some(name) => wanted.iter().find(|one| named(one).as_ref() == Some(&name)),
                None => wanted.get(place),
            };
            let elements = live.iter().enumerate().map(|(place, element)| {
                same(place, element).map_or_else(|| element.clone(), |one| stated(element, one))
            });
            elements.collect()
        }
        (
            live @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_)),
            _,
        ) => live.clone(),
    }
}
