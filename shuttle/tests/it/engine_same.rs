//! When two clusters are the same, and two inventories: what differs from run to run is left out.
//!
//! Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use starform_contract::ObjectKey;
use starform_shuttle::engine::io::InventoryEntry;

use crate::{model_cluster::ModelCluster, model_object::Path};

pub(crate) type State = BTreeMap<String, BTreeMap<Path, Value>>;

/// Content at the end; a count that an autoscaler owns is nobody's content.
pub(crate) fn content(cluster: &ModelCluster) -> State {
    let mut state = cluster.state();
    let scaled: BTreeSet<String> = state
        .keys()
        .filter(|key| key.contains("/HorizontalPodAutoscaler/"))
        .map(|key| key.replace("autoscaling/HorizontalPodAutoscaler", "apps/Deployment"))
        .collect();
    for (key, fields) in &mut state {
        if scaled.contains(key) {
            fields.remove(&vec!["spec".to_owned(), "replicas".to_owned()]);
        }
    }
    state
}

/// Fields that are not the same in both, with both values.
pub(crate) fn difference(one: &State, other: &State) -> Vec<String> {
    let flat = |state: &State| -> BTreeMap<(String, Path), Value> {
        let fields = state.iter().flat_map(|(key, fields)| {
            fields
                .iter()
                .map(move |(path, value)| ((key.clone(), path.clone()), value.clone()))
        });
        fields.collect()
    };
    let (one, other) = (flat(one), flat(other));
    let places: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    places
        .into_iter()
        .filter(|place| one.get(place) != other.get(place))
        .map(|place| format!("{place:?}: {:?}, {:?}", one.get(place), other.get(place)))
        .collect()
}

/// The stored inventory without uids, each of which must be that of the live object.
pub(crate) fn inventory(cluster: &ModelCluster) -> BTreeMap<ObjectKey, InventoryEntry> {
    let shards = cluster.shards.values();
    let entries = shards.flat_map(|shard| shard.entries.clone());
    entries
        .map(|(key, entry)| {
            assert_eq!(entry.uid.as_deref(), cluster.uid(&key), "{key}");
            (key, InventoryEntry { uid: None, ..entry })
        })
        .collect()
}
