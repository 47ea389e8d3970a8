//! The inventory's shards: which objects were written or are about to be.
//!
//! Effects: network. Always holds: one shard is one ConfigMap, written whole in one request, so that
//! a crash leaves either its former or its new content. Read on in `engine/`, which decides when.

use kube::Client;
use serde_json::{Value, json};
use starform_contract::ObjectKey;

use super::{NAMESPACE, shard, store};
use crate::{call::CallError, engine::io::InventoryShard};

const KIND: &str = "inventory";
const ENTRIES: &str = "inventory.json";

/// Every stored shard. A damaged one is left out and logged: the engine recovers what it held by
/// labels and field manager.
///
/// # Errors
/// [`CallError`]; nothing may be acted on without the inventory.
pub async fn load_inventory(client: &Client) -> Result<Vec<InventoryShard>, CallError> {
    let maps = store::list(client, KIND).await?;
    Ok(maps.iter().filter_map(read).collect())
}

/// Writes one shard.
///
/// # Errors
/// [`CallError`]; without an answer, nobody knows whether it was written.
pub async fn save_inventory(client: &Client, shard: &InventoryShard) -> Result<(), CallError> {
    let name = name(shard.number);
    let text = serde_json::to_string(shard).expect("keys of an inventory are strings");
    let map = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": shard::labels(KIND)},
        "data": {ENTRIES: text},
    });
    store::put(client, &name, &map).await.map(drop)
}

/// Where a shard is kept.
pub fn inventory_key(number: u16) -> ObjectKey {
    ObjectKey::new("", "ConfigMap", Some(NAMESPACE), &name(number))
}

fn name(number: u16) -> String {
    format!("starform-inventory-{number}")
}

fn read(map: &Value) -> Option<InventoryShard> {
    let name = store::name(map);
    let text = map.get("data")?.get(ENTRIES)?.as_str()?;
    serde_json::from_str(text)
        .inspect_err(|error| {
            tracing::warn!(config_map = name, %error, "left out a damaged inventory shard");
        })
        .ok()
}
