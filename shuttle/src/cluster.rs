//! Performs the engine's requests on the Kubernetes API server.
//!
//! Effects: network. Always holds: every request ends in an answer or a [`Failure`]; a failure about
//! a Secret holds reason and field paths alone, and a Secret's values never come back, for only
//! metadata is asked for. Read on in `kinds.rs` for paths, in `engine/io.rs` for the words.

use http::{HeaderValue, Method, Request, header::ACCEPT};
use serde_json::{Value, json};
use starform_contract::ObjectKey;

use crate::{
    access::Access,
    call::{APPLY, CallError, JSON, JSON_PATCH, Refusal, call, get as get_request, query, request},
    engine::{
        io::{Apply, Failure, FieldManager, Foreign, Millis, Observed, Response},
        ownership,
    },
    kinds::{KINDS, Kind, UnknownKind, Watch, kind_of},
    values::{Filled, Filling},
};

/// The field manager of everything that is written.
pub const MANAGER: &str = FieldManager::Shuttle.name();

/// Asks for metadata alone.
const METADATA: HeaderValue =
    HeaderValue::from_static("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");

const METADATA_LIST: HeaderValue =
    HeaderValue::from_static("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");

/// Reason of a [`Failure`]: the API server does not serve the kind.
pub const KIND_ABSENT: &str = "KindAbsent";

/// How often fields are seized against others who write the same object.
const SEIZE_TRIES: u32 = 5;

/// Pods that explain why a revision does not move: a few are enough.
const PODS: usize = 20;

/// Server-side apply, with `values` in the object's `data`.
///
/// # Errors
/// [`Failure`]
pub async fn apply(access: &Access, apply: &Apply, values: &Filling) -> Result<Response, Failure> {
    let kind = kind(&apply.key)?;
    let filled = values.fill(&apply.manifest);
    let manifest = filled.as_ref().map_or(&*apply.manifest, Filled::manifest);
    let patch = patch(kind, apply, manifest);
    drop(filled);
    let object = perform(access, kind, &apply.key, accepting(kind, patch)).await?;
    if !apply.dry_run {
        access.rights_given(&apply.key).await;
    }
    observed(kind, &object)
}

/// The request of a server-side apply, with `manifest` in place of its own.
pub fn patch(kind: &Kind, apply: &Apply, manifest: &Value) -> Request<Vec<u8>> {
    let dry_run = if apply.dry_run { "&dryRun=All" } else { "" };
    let uri = format!(
        "{}?fieldManager={}&force={}&fieldValidation=Strict{dry_run}",
        kind.path(&apply.key),
        apply.manager.name(),
        apply.force,
    );
    request(Method::PATCH, &uri, Some((APPLY, manifest)))
}

/// Makes fields of others ours, as the object says now whose they are, if nobody writes it meanwhile. Whoever
/// does, in the status of a rollout that an edit began above all, is soon done: it is tried a few times.
///
/// # Errors
/// [`Failure`]: 409 when somebody wrote it each time.
pub async fn seize(
    access: &Access,
    key: &ObjectKey,
    from: &[Foreign],
) -> Result<Response, Failure> {
    let kind = kind(key)?;
    let mut tries = 1;
    loop {
        match seize_once(access, kind, key, from).await {
            Err(failure) if failure.code == Some(409) && tries < SEIZE_TRIES => tries += 1,
            answer => return answer,
        }
    }
}

async fn seize_once(
    access: &Access,
    kind: &Kind,
    key: &ObjectKey,
    from: &[Foreign],
) -> Result<Response, Failure> {
    let read = accepting(kind, get_request(&kind.path(key)));
    let object = perform(access, kind, key, read).await?;
    let metadata = object.get("metadata").unwrap_or(&Value::Null);
    let entries = metadata.get("managedFields").and_then(Value::as_array);
    let Some(seized) = entries.and_then(|entries| ownership::seize(entries, from)) else {
        return observed(kind, &object);
    };
    // A `test` of the version that fails is a fault of the request (422); this is a conflict.
    let operations = json!([
        {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
        {"op": "replace", "path": "/metadata/managedFields", "value": seized},
    ]);
    let uri = format!("{}?fieldManager={MANAGER}", kind.path(key));
    let patch = request(Method::PATCH, &uri, Some((JSON_PATCH, &operations)));
    let object = perform(access, kind, key, accepting(kind, patch)).await?;
    observed(kind, &object)
}

/// Deletes exactly the object of this uid, and its dependents as its kind says.
///
/// # Errors
/// [`Failure`]
pub async fn delete(access: &Access, key: &ObjectKey, uid: &str) -> Result<Response, Failure> {
    let kind = kind(key)?;
    let options = json!({
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": kind.propagation.word(),
        "preconditions": {"uid": uid},
    });
    let delete = request(Method::DELETE, &kind.path(key), Some((JSON, &options)));
    perform(access, kind, key, delete)
        .await
        .map(|_| Response::Deleted)
}

/// Reads one object: metadata, or the whole where its kind is watched whole.
///
/// # Errors
/// [`Failure`]
pub async fn get(access: &Access, key: &ObjectKey) -> Result<Response, Failure> {
    let kind = kind(key)?;
    let read = accepting(kind, get_request(&kind.path(key)));
    let object = perform(access, kind, key, read).await?;
    observed(kind, &object)
}

/// Some pods of a label selector.
///
/// # Errors
/// [`Failure`]
pub async fn list_pods(
    access: &Access,
    namespace: &str,
    selector: &str,
) -> Result<Response, Failure> {
    let uri = format!(
        "/api/v1/namespaces/{namespace}/pods?limit={PODS}&labelSelector={}",
        query(selector)
    );
    let pods = ObjectKey::new("", "Pod", Some(namespace), selector);
    let mut list = access
        .call_in(namespace, get_request(&uri))
        .await
        .map_err(|error| failure(&error, &pods))?;
    match list.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => Ok(Response::Pods(items)),
        Some(
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_),
        )
        | None => Ok(Response::Pods(Vec::new())),
    }
}

/// Everything of a kind of ours in a namespace, whoever made it: metadata alone.
///
/// # Errors
/// [`Failure`]
pub async fn survey(access: &Access, namespace: &str) -> Result<Response, Failure> {
    let mut found = Vec::new();
    for kind in KINDS.iter().filter(|kind| kind.namespaced) {
        let mut list = get_request(&kind.collection(Some(namespace)));
        list.headers_mut().insert(ACCEPT, METADATA_LIST);
        let key = kind.key(Some(namespace), "");
        let answer = match kind.watch {
            // The agent's own right reaches these everywhere.
            Watch::Metadata | Watch::Whole => call(access.own(), list).await,
            Watch::MetadataPerNamespace | Watch::Off => access.call_in(namespace, list).await,
        };
        match answer {
            Ok(list) => {
                let items = list.get("items").and_then(Value::as_array);
                let items = items.map_or(&[][..], Vec::as_slice);
                found.extend(items.iter().filter_map(|item| Observed::of(kind, item)));
            }
            Err(CallError::Refused(refusal)) if kind_is_absent(&refusal) => {}
            Err(error) => return Err(failure(&error, &key)),
        }
    }
    Ok(Response::Found(found))
}

async fn perform(
    access: &Access,
    kind: &Kind,
    key: &ObjectKey,
    request: Request<Vec<u8>>,
) -> Result<Value, Failure> {
    access
        .call_about(kind, key.namespace.as_deref(), request)
        .await
        .map_err(|error| failure(&error, key))
}

/// What the engine hears of a call that failed.
pub fn failure(error: &CallError, key: &ObjectKey) -> Failure {
    match error {
        CallError::Refused(refusal) => refused(refusal, key),
        CallError::Timeout => unanswered("Timeout", error),
        CallError::Unreachable(_) => unanswered("Unreachable", error),
        CallError::NotJson(_) => unanswered("NotJson", error),
    }
}

fn refused(refusal: &Refusal, key: &ObjectKey) -> Failure {
    let absent = kind_is_absent(refusal);
    let message = if absent {
        absent_message(key)
    } else if is_sensitive(key) {
        refusal.without_values()
    } else {
        refusal.message.clone()
    };
    Failure {
        code: Some(refusal.code),
        reason: if absent {
            KIND_ABSENT.to_owned()
        } else {
            refusal.reason.clone()
        },
        message,
        immutable: refusal.immutable_fields(),
        retry_after: refusal
            .retry_after
            .map(|wait| Millis::from_secs(wait.as_secs())),
    }
}

fn unanswered(reason: &str, error: &CallError) -> Failure {
    Failure {
        reason: reason.to_owned(),
        message: error.to_string(),
        ..Failure::default()
    }
}

/// The API server knows no such group, version or resource; an object that is missing is named by it,
/// and so is a missing namespace.
pub fn kind_is_absent(refusal: &Refusal) -> bool {
    refusal.code == 404
        && (refusal.message.starts_with("404 page not found")
            || refusal
                .message
                .contains("could not find the requested resource"))
}

fn absent_message(key: &ObjectKey) -> String {
    let cure = if key.group == "gateway.networking.k8s.io" {
        "install the Gateway API CRDs (https://gateway-api.sigs.k8s.io/guides/)"
    } else {
        "a newer Kubernetes version, or an add-on that serves it, is needed"
    };
    format!(
        "the cluster does not serve {} of {}; {cure}",
        key.kind,
        if key.group.is_empty() {
            "the core API"
        } else {
            &key.group
        }
    )
}

/// Whether what is said of such an object may be no more than reason and field paths.
pub fn is_sensitive(key: &ObjectKey) -> bool {
    key.group.is_empty() && key.kind == "Secret"
}

fn kind(key: &ObjectKey) -> Result<&'static Kind, Failure> {
    kind_of(key).map_err(|UnknownKind(key)| Failure {
        code: Some(404),
        reason: KIND_ABSENT.to_owned(),
        message: UnknownKind(key).to_string(),
        ..Failure::default()
    })
}

fn accepting(kind: &Kind, mut request: Request<Vec<u8>>) -> Request<Vec<u8>> {
    match kind.watch {
        Watch::Metadata | Watch::MetadataPerNamespace | Watch::Off => {
            request.headers_mut().insert(ACCEPT, METADATA);
        }
        Watch::Whole => {}
    }
    request
}

fn observed(kind: &Kind, object: &Value) -> Result<Response, Failure> {
    Observed::of(kind, object)
        .map(|observed| Response::Object(Box::new(observed)))
        .ok_or_else(|| Failure {
            reason: "Unreadable".to_owned(),
            message: "the API server's answer has no name or uid".to_owned(),
            ..Failure::default()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: u16, message: &str) -> CallError {
        CallError::Refused(Box::new(Refusal {
            code,
            reason: "NotFound".to_owned(),
            message: message.to_owned(),
            causes: Vec::new(),
            retry_after: None,
        }))
    }

    #[test]
    fn a_kind_that_is_not_served_names_the_cure() {
        let route: ObjectKey = "gateway.networking.k8s.io/HTTPRoute/shop/r"
            .parse()
            .unwrap();
        for message in [
            "404 page not found",
            "the server could not find the requested resource",
        ] {
            let failure = failure(&refusal(404, message), &route);
            assert_eq!(failure.reason, KIND_ABSENT);
            assert!(
                failure.message.contains("Gateway API CRDs"),
                "{}",
                failure.message
            );
        }
        let gone = failure(&refusal(404, "httproutes \"r\" not found"), &route);
        assert_eq!(gone.reason, "NotFound");
    }

    #[test]
    fn a_secret_is_never_quoted() {
        let secret: ObjectKey = "core/Secret/shop/token".parse().unwrap();
        let failure = failure(&refusal(422, "Invalid value: hunter2"), &secret);
        assert!(!failure.message.contains("hunter2"), "{}", failure.message);
    }
}
