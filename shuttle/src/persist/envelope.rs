//! Sealed values as they came from the control plane, so that a Secret is healed while it is away.
//!
//! Effects: network. Always holds: what is kept is sealed to the agent's key, which stands in a Secret of
//! its own; one ConfigMap is about one object, and goes when the object does.

use std::collections::{BTreeMap, BTreeSet};

use kube::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use starform_contract::{ObjectKey, bundle::SealedRef, digest::short_hex, sealed::SealedValue};

use super::{NAMESPACE, shard, store};
use crate::call::CallError;

const STORES: &str = "sealed";
const ENVELOPES: &str = "sealed.json";

/// The sealed values of one object, and which versions they are of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelopes {
    pub references: BTreeMap<String, SealedRef>,
    pub values: BTreeMap<String, SealedValue>,
}

/// What is kept for the object; `None` when nothing is, or it is damaged: it can be asked for again.
///
/// # Errors
/// [`CallError`]
pub async fn load_envelopes(
    client: &Client,
    object: &ObjectKey,
) -> Result<Option<Envelopes>, CallError> {
    let map = store::get(client, &name(object)).await?;
    let text = map
        .as_ref()
        .and_then(|map| map.get("data")?.get(ENVELOPES)?.as_str());
    Ok(text.and_then(|text| serde_json::from_str(text).ok()))
}

/// Keeps them in place of what was kept for the object.
///
/// # Errors
/// [`CallError`]
pub async fn save_envelopes(
    client: &Client,
    object: &ObjectKey,
    envelopes: &Envelopes,
) -> Result<(), CallError> {
    let name = name(object);
    let text = serde_json::to_string(envelopes).expect("keys are strings");
    let map = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "labels": shard::labels(STORES),
            "annotations": {"starform.io/object": object},
        },
        "data": {ENVELOPES: text},
    });
    store::put(client, &name, &map).await.map(drop)
}

/// # Errors
/// [`CallError`]
pub async fn remove_envelopes(client: &Client, object: &ObjectKey) -> Result<(), CallError> {
    let name = name(object);
    match store::get(client, &name).await? {
        Some(map) => store::remove(client, &name, &store::version(&map)).await,
        None => Ok(()),
    }
}

/// Removes what is kept for objects that are not `known`, and that nobody will ask for: those that went
/// while no agent saw it, with their Namespace or by hand. What is written meanwhile stays.
///
/// # Errors
/// [`CallError`]
pub async fn sweep_envelopes(
    client: &Client,
    known: &BTreeSet<ObjectKey>,
) -> Result<(), CallError> {
    for map in store::list(client, STORES).await? {
        if is_about_another(&map, known) {
            store::remove(client, store::name(&map), &store::version(&map)).await?;
        }
    }
    Ok(())
}

/// It says which object it is about, and that is none of these.
fn is_about_another(map: &Value, known: &BTreeSet<ObjectKey>) -> bool {
    let object = map.pointer("/metadata/annotations/starform.io~1object");
    let object = object.and_then(Value::as_str);
    let object = object.and_then(|object| object.parse::<ObjectKey>().ok());
    object.is_some_and(|object| !known.contains(&object))
}

fn name(object: &ObjectKey) -> String {
    format!("starform-sealed-{}", short_hex(&object.to_string(), 32))
}
