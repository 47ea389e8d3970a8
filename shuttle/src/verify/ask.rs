//! Asks the API server about one object by a dry-run, as the write itself would be performed.
//!
//! Effects: network. Always holds: the same manager, the same impersonation and, for what is ours or
//! adopted, the same force as the engine's write; a Secret's values are placeholders, and of what the API
//! server says of one only reason and field paths are told.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use starform_contract::{
    Object, ObjectKey, ProjectId,
    verify::{Asked, Verdict, Way},
};

use super::{kept, schema};
use crate::{
    access::Access,
    call::{CallError, Refusal, call, get},
    cluster::{self, KIND_ABSENT},
    engine::{
        io::{Apply, Failure, FieldManager, Provenance},
        stamped,
    },
    kinds::{Kind, Writer, kind_of},
};

/// The reason of a conflict with another field manager.
const CONFLICT: &str = "FieldManagerConflict";

/// Why nothing in the namespace can be tried.
#[derive(Debug, Clone)]
pub(super) enum Missing {
    /// What has to be there first.
    Yet(String),
    /// There was no answer.
    Unknown(String),
}

/// Whether anything in the namespace can be tried: `None`, or why not.
pub(super) async fn missing(access: &Access, namespace: &str) -> Option<Missing> {
    match access.stands(namespace).await {
        Err(CallError::Refused(refusal)) if refusal.code == 404 => {
            let why = format!("namespace {namespace} is not there yet");
            return Some(Missing::Yet(why));
        }
        Err(CallError::Refused(refusal)) if refusal.code == 409 => {
            return Some(Missing::Unknown(refusal.message));
        }
        Ok(())
        | Err(
            CallError::Refused(_)
            | CallError::Timeout
            | CallError::Unreachable(_)
            | CallError::NotJson(_),
        ) => {}
    }
    match access.is_entitled(namespace).await {
        Ok(true) => None,
        Ok(false) => Some(Missing::Yet(format!(
            "the applier of namespace {namespace} has no rights there yet"
        ))),
        Err(error) => Some(Missing::Unknown(error.to_string())),
    }
}

/// What the API server's own schema says of the object, which cannot be tried because of `why`.
pub(super) async fn by_schema(
    access: &Access,
    key: &ObjectKey,
    object: &Object,
    why: &str,
) -> Verdict {
    let kind = match kind_of(key) {
        Ok(kind) => kind,
        Err(unknown) => return refused(&absent(unknown.to_string()), key, Way::Write),
    };
    let manifest = filled(object);
    let document = call(access.own(), get(&schema::document_path(kind))).await;
    let misfits = match document {
        Ok(document) => schema::misfits(&document, kind, &manifest),
        Err(CallError::Refused(refusal)) if refusal.code == 404 => None,
        Err(error) => return refused(&error, key, Way::Write),
    };
    match misfits {
        None => refused(&absent("404 page not found".to_owned()), key, Way::Write),
        Some(misfits) if misfits.is_empty() => Verdict::Approximate {
            why: why.to_owned(),
        },
        Some(misfits) => {
            let told = misfits
                .iter()
                .map(|one| format!("{} {}", one.path, one.why));
            Verdict::Rejected {
                reason: "Schema".to_owned(),
                message: Some(told.collect::<Vec<_>>().join("; ")),
                fields: misfits.into_iter().map(|one| one.path).collect(),
            }
        }
    }
}

/// Whether its namespace has to be there, and its applier's rights, before it can be tried.
pub(super) fn needs_namespace(key: &ObjectKey) -> bool {
    let by_applier = |kind: &Kind| match kind.writer {
        Writer::Applier => true,
        Writer::Agent => false,
    };
    key.namespace.is_some() || kind_of(key).is_ok_and(by_applier)
}

pub(super) async fn verdict(
    access: &Access,
    project: ProjectId,
    key: &ObjectKey,
    asked: &Asked,
) -> Verdict {
    let manifest = filled(&asked.object);
    let adopted = asked.way == Way::Adopt;
    let mut answer = dry_run(access, key, &manifest, adopted).await;
    if let Err(CallError::Refused(refusal)) = &answer
        && is_conflict(refusal)
        && !adopted
        && is_ours(access, project, key).await
    {
        answer = dry_run(access, key, &manifest, true).await;
    }
    match answer {
        Ok(stored) => {
            let paths = kept::differences(&manifest, &stored);
            match paths.is_empty() {
                true => Verdict::Accepted,
                false => Verdict::Changed { paths },
            }
        }
        Err(error) => refused(&error, key, asked.way),
    }
}

async fn dry_run(
    access: &Access,
    key: &ObjectKey,
    manifest: &Value,
    force: bool,
) -> Result<Value, CallError> {
    let kind = match kind_of(key) {
        Ok(kind) => kind,
        Err(unknown) => return Err(absent(unknown.to_string())),
    };
    let apply = Apply {
        key: key.clone(),
        manifest: std::sync::Arc::new(Value::Null),
        manager: FieldManager::Shuttle,
        force,
        dry_run: true,
        sealed: None,
    };
    let patch = cluster::patch(kind, &apply, manifest);
    access
        .call_about(kind, key.namespace.as_deref(), patch)
        .await
}

fn absent(message: String) -> CallError {
    CallError::Refused(Box::new(Refusal {
        code: 404,
        reason: KIND_ABSENT.to_owned(),
        message,
        causes: Vec::new(),
        retry_after: None,
    }))
}

/// The engine's rule, by what the labels say.
async fn is_ours(access: &Access, project: ProjectId, key: &ObjectKey) -> bool {
    let found = cluster::get(access, key).await;
    found.is_ok_and(|found| match found {
        crate::engine::io::Response::Object(object) => object.owner.project == Some(project),
        crate::engine::io::Response::Deleted
        | crate::engine::io::Response::Pods(_)
        | crate::engine::io::Response::Found(_)
        | crate::engine::io::Response::Stored
        | crate::engine::io::Response::Reported => false,
    })
}

fn refused(error: &CallError, key: &ObjectKey, way: Way) -> Verdict {
    let failure = cluster::failure(error, key);
    let refusal = match error {
        CallError::Refused(refusal) if !is_passing(refusal.code) => refusal,
        CallError::Refused(_)
        | CallError::Timeout
        | CallError::Unreachable(_)
        | CallError::NotJson(_) => {
            return Verdict::Unchecked {
                why: failure.message,
            };
        }
    };
    if way == Way::Replace && !failure.immutable.is_empty() {
        // A dry-run of the change cannot show the new one.
        let why = "it is deleted and made anew".to_owned();
        return Verdict::Approximate { why };
    }
    if is_conflict(refusal) {
        return owned(refusal);
    }
    rejected(refusal, failure, cluster::is_sensitive(key))
}

fn rejected(refusal: &Refusal, failure: Failure, sensitive: bool) -> Verdict {
    let fields: BTreeSet<&str> = refusal
        .causes
        .iter()
        .map(|cause| cause.field.as_str())
        .filter(|field| !field.is_empty())
        .collect();
    Verdict::Rejected {
        reason: failure.reason,
        message: (!sensitive).then_some(failure.message),
        fields: fields.into_iter().map(str::to_owned).collect(),
    }
}

/// Who states what; messages are `conflict with "MANAGER" using v1`.
fn owned(refusal: &Refusal) -> Verdict {
    let mut managers = BTreeSet::new();
    let mut fields = Vec::new();
    for cause in refusal.causes.iter().filter(|one| one.reason == CONFLICT) {
        let manager = cause.message.split('"').nth(1);
        managers.extend(manager.map(str::to_owned));
        fields.push(cause.field.trim_start_matches('.').to_owned());
    }
    Verdict::Owned { managers, fields }
}

fn is_conflict(refusal: &Refusal) -> bool {
    refusal.code == 409 && refusal.causes.iter().any(|cause| cause.reason == CONFLICT)
}

/// Flow control and failures of the server speak of no object.
const fn is_passing(code: u16) -> bool {
    code == 401 || code == 429 || code >= 500
}

/// As the engine would send it, with placeholders for what only the write itself needs.
fn filled(object: &Object) -> Value {
    let mut manifest = stamped(object, &Provenance::default());
    if object.sealed.is_empty() {
        return manifest;
    }
    let is_registry = manifest.get("type") == Some(&json!("kubernetes.io/dockerconfigjson"));
    let text: &[u8] = if is_registry {
        b"{\"auths\":{}}"
    } else {
        b"placeholder"
    };
    let values: BTreeMap<&String, String> = object
        .sealed
        .keys()
        .map(|key| (key, BASE64.encode(text)))
        .collect();
    if let Some(manifest) = manifest.as_object_mut() {
        let data = manifest.entry("data").or_insert_with(|| json!({}));
        for (key, value) in values {
            data[key] = Value::String(value);
        }
    }
    manifest
}
