//! ConfigMaps in Shuttle's own namespace: read, write, remove.
//!
//! Effects: network. Always holds: the namespace is made at the first write that misses it, and a
//! removal names the very version it means.

use http::{Method, Request};
use kube::Client;
use serde_json::{Value, json};

use super::{
    NAMESPACE,
    shard::{self, STORES},
};
use crate::{
    call::{APPLY, CallError, JSON, Refusal, call, call_list, get as get_request, query, request},
    cluster::MANAGER,
};

/// ConfigMaps of one page: each may be near 1 MiB.
const PAGE: usize = 20;

/// Which version of an object a removal means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    pub uid: String,
    pub resource_version: String,
}

pub(super) async fn get(client: &Client, name: &str) -> Result<Option<Value>, CallError> {
    match call(client, get_request(&path(name))).await {
        Ok(map) => Ok(Some(map)),
        Err(error) if code(&error) == Some(404) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Every ConfigMap that holds documents of this sort.
pub(super) async fn list(client: &Client, stores: &str) -> Result<Vec<Value>, CallError> {
    let mut maps = Vec::new();
    let mut token = String::new();
    loop {
        let uri = format!(
            "{}?labelSelector={}&limit={PAGE}&continue={}",
            collection(),
            query(&format!("{STORES}={stores}")),
            query(&token)
        );
        let mut page = call_list(client, get_request(&uri)).await?;
        if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
            maps.extend(items);
        }
        match page.pointer("/metadata/continue").and_then(Value::as_str) {
            Some(next) if !next.is_empty() => token = next.to_owned(),
            Some(_) | None => return Ok(maps),
        }
    }
}

/// Creates or replaces by server-side apply: one request, whatever was there.
pub(super) async fn put(client: &Client, name: &str, map: &Value) -> Result<Version, CallError> {
    let uri = format!("{}?fieldManager={MANAGER}&force=true", path(name));
    let written = in_namespace(client, || request(Method::PATCH, &uri, Some((APPLY, map)))).await?;
    Ok(version(&written))
}

/// Creates; refused (409) when it exists.
pub(super) async fn create(client: &Client, map: &Value) -> Result<Version, CallError> {
    let uri = format!("{}?fieldManager={MANAGER}", collection());
    let written = in_namespace(client, || request(Method::POST, &uri, Some((JSON, map)))).await?;
    Ok(version(&written))
}

/// Replaces; refused (409) unless it is at the resourceVersion that `map` carries.
pub(super) async fn replace(
    client: &Client,
    name: &str,
    map: &Value,
) -> Result<Version, CallError> {
    let uri = format!("{}?fieldManager={MANAGER}", path(name));
    let written = call(client, request(Method::PUT, &uri, Some((JSON, map)))).await?;
    Ok(version(&written))
}

/// Removes exactly this version. Gone already, or changed since: nothing to do.
pub(super) async fn remove(
    client: &Client,
    name: &str,
    version: &Version,
) -> Result<(), CallError> {
    let options = json!({
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": version.uid, "resourceVersion": version.resource_version},
    });
    let delete = request(Method::DELETE, &path(name), Some((JSON, &options)));
    match call(client, delete).await {
        Ok(_) => Ok(()),
        Err(error) if matches!(code(&error), Some(404 | 409)) => Ok(()),
        Err(error) => Err(error),
    }
}

pub(super) fn version(map: &Value) -> Version {
    let text = |pointer: &str| {
        map.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    Version {
        uid: text("/metadata/uid"),
        resource_version: text("/metadata/resourceVersion"),
    }
}

pub(super) fn name(map: &Value) -> &str {
    map.pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

pub(super) fn code(error: &CallError) -> Option<u16> {
    match error {
        CallError::Refused(refusal) => Some(refusal.code),
        CallError::Timeout | CallError::Unreachable(_) | CallError::NotJson(_) => None,
    }
}

/// Performs a write; makes the namespace and repeats it when that was what it lacked.
pub(super) async fn in_namespace(
    client: &Client,
    make: impl Fn() -> Request<Vec<u8>>,
) -> Result<Value, CallError> {
    match call(client, make()).await {
        Err(CallError::Refused(refusal)) if lacks_namespace(&refusal) => {
            create_namespace(client).await?;
            call(client, make()).await
        }
        answer => answer,
    }
}

fn lacks_namespace(refusal: &Refusal) -> bool {
    refusal.code == 404 && refusal.message.contains("namespaces")
}

async fn create_namespace(client: &Client) -> Result<(), CallError> {
    let namespace = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": shard::labels("namespace")},
    });
    let uri = format!("/api/v1/namespaces/{NAMESPACE}?fieldManager={MANAGER}&force=true");
    let apply = request(Method::PATCH, &uri, Some((APPLY, &namespace)));
    call(client, apply).await.map(drop)
}

pub(super) fn collection() -> String {
    format!("/api/v1/namespaces/{NAMESPACE}/configmaps")
}

fn path(name: &str) -> String {
    format!("{}/{name}", collection())
}
