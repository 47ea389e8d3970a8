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

#[cfg(test)]
mod tests {
    use starform_contract::{Deletion, bundle::SealedRef, bundle::Wave};

    use super::*;
    use crate::call::Cause;

    fn refusal(code: u16, reason: &str, causes: &[(&str, &str, &str)]) -> CallError {
        let causes = causes.iter().map(|(reason, field, message)| Cause {
            reason: (*reason).to_owned(),
            field: (*field).to_owned(),
            message: (*message).to_owned(),
        });
        CallError::Refused(Box::new(Refusal {
            code,
            reason: reason.to_owned(),
            message: "Invalid value: \"canary-7\"".to_owned(),
            causes: causes.collect(),
            retry_after: None,
        }))
    }

    fn judged(error: &CallError, key: &str, way: Way) -> Verdict {
        refused(error, &key.parse().unwrap(), way)
    }

    #[test]
    fn of_a_secret_reason_and_fields_alone_are_told() {
        let error = refusal(
            422,
            "Invalid",
            &[("FieldValueInvalid", "data[T]", "canary-8")],
        );
        let verdict = judged(&error, "core/Secret/sf-shop/token", Way::Write);
        assert!(!format!("{verdict:?}").contains("canary"), "{verdict:?}");
        let Verdict::Rejected { reason, fields, .. } = verdict else {
            panic!("{verdict:?}");
        };
        assert_eq!(
            (reason.as_str(), &fields[..]),
            ("Invalid", &["data[T]".to_owned()][..])
        );
    }

    #[test]
    fn a_conflict_names_managers_and_fields() {
        let message = "conflict with \"helm\" using v1: .spec.selector";
        let error = refusal(409, "Conflict", &[(CONFLICT, ".spec.selector", message)]);
        let verdict = judged(&error, "core/Service/sf-shop/api", Way::Write);
        let managers = BTreeSet::from(["helm".to_owned()]);
        let fields = vec!["spec.selector".to_owned()];
        assert_eq!(verdict, Verdict::Owned { managers, fields });
    }

    #[test]
    fn what_passes_by_itself_is_no_verdict() {
        for code in [401, 429, 500, 503] {
            let verdict = judged(
                &refusal(code, "", &[]),
                "core/Service/sf-shop/api",
                Way::Write,
            );
            assert!(
                matches!(verdict, Verdict::Unchecked { .. }),
                "{code}: {verdict:?}"
            );
        }
        let verdict = judged(&CallError::Timeout, "core/Service/sf-shop/api", Way::Write);
        assert!(matches!(verdict, Verdict::Unchecked { .. }), "{verdict:?}");
    }

    #[test]
    fn what_is_made_anew_cannot_be_tried_by_a_change() {
        let message = "field is immutable";
        let error = refusal(
            422,
            "Invalid",
            &[("FieldValueInvalid", "spec.selector", message)],
        );
        let key = "apps/Deployment/sf-shop/api";
        assert!(matches!(
            judged(&error, key, Way::Replace),
            Verdict::Approximate { .. }
        ));
        assert!(matches!(
            judged(&error, key, Way::Write),
            Verdict::Rejected { .. }
        ));
    }

    #[test]
    fn a_secret_is_tried_with_placeholders_that_fit_its_type() {
        let reference = SealedRef {
            secret: "pull".to_owned(),
            version: 1,
            environment: None,
        };
        let sealed = |kind: &str, key: &str| {
            let manifest = json!({"apiVersion": "v1", "kind": "Secret", "type": kind,
                "metadata": {"name": "s", "namespace": "sf-shop"}});
            let sealed = BTreeMap::from([(key.to_owned(), reference.clone())]);
            let object = Object::with_sealed(manifest, Wave(0), Deletion::Delete, sealed);
            let text = filled(&object)["data"][key].as_str().unwrap().to_owned();
            String::from_utf8(BASE64.decode(text).unwrap()).unwrap()
        };
        assert_eq!(sealed("Opaque", "TOKEN"), "placeholder");
        let registry = sealed("kubernetes.io/dockerconfigjson", ".dockerconfigjson");
        assert_eq!(registry, "{\"auths\":{}}");
    }
}
