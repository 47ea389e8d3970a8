//! Reads an [`Observed`] off a live object's JSON: labels, stamps, and who owns which fields.
//!
//! Pure. Always holds: no value of a field leaves this module except a whole body where the kind's
//! health stands in its status; Secrets have none. The law behind it: a change of an owned value by
//! another manager shrinks our own entry in `managedFields`, an addition stands in the other's.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
use starform_contract::{Digest, ObjectKey, bundle::DIGEST_ANNOTATION};

use super::io::{FieldManager, FieldsDigest, Foreign, Observed, Own, Owner, Provenance, Stamps};
use crate::kinds::{Kind, Watch};

pub const PROJECT_LABEL: &str = "starform.io/project-id";
pub const ENVIRONMENT_LABEL: &str = "starform.io/environment";
pub const SERVICE_LABEL: &str = "starform.io/service-id";
pub const MANAGED_LABEL: (&str, &str) = ("app.kubernetes.io/managed-by", "starform");
pub const REVISION_ANNOTATION: &str = "starform.io/revision";
pub const PLAN_ANNOTATION: &str = "starform.io/plan-id";
pub const GENERATION_ANNOTATION: &str = "starform.io/generation";

/// More paths of one manager than this are of no use to a person.
const MOST_PATHS: usize = 20;

impl Observed {
    /// `object`: the whole object or its `PartialObjectMetadata`; `None` without a name or uid.
    pub fn of(kind: &Kind, object: &Value) -> Option<Self> {
        let metadata = object.get("metadata")?;
        let text = |field: &str| metadata.get(field).and_then(Value::as_str);
        let entries = metadata.get("managedFields").and_then(Value::as_array);
        let entries = entries.map_or(&[][..], Vec::as_slice);
        Some(Self {
            key: ObjectKey::new(kind.group, kind.kind, text("namespace"), text("name")?),
            uid: text("uid")?.to_owned(),
            resource_version: text("resourceVersion").unwrap_or_default().to_owned(),
            owner: owner(metadata),
            stamps: stamps(metadata),
            own: entries.iter().find_map(own),
            foreign: foreign(entries),
            deleting: text("deletionTimestamp").is_some(),
            body: (kind.watch == Watch::Whole).then(|| Arc::new(body(object))),
        })
    }
}

fn owner(metadata: &Value) -> Owner {
    let label = |name: &str| metadata.get("labels")?.get(name)?.as_str();
    let controlled = metadata
        .get("ownerReferences")
        .and_then(Value::as_array)
        .is_some_and(|owners| {
            owners
                .iter()
                .any(|owner| owner.get("controller") == Some(&Value::Bool(true)))
        });
    Owner {
        managed: label(MANAGED_LABEL.0) == Some(MANAGED_LABEL.1) && !controlled,
        project: label(PROJECT_LABEL).and_then(|id| id.parse().ok()),
        environment: label(ENVIRONMENT_LABEL).map(str::to_owned),
        service: label(SERVICE_LABEL).and_then(|id| id.parse().ok()),
    }
}

fn stamps(metadata: &Value) -> Stamps {
    let annotation = |name: &str| {
        let text = metadata.get("annotations")?.get(name)?.as_str()?;
        Some(text.to_owned())
    };
    Stamps {
        digest: annotation(DIGEST_ANNOTATION).and_then(|text| text.parse().ok()),
        provenance: Provenance {
            revision: annotation(REVISION_ANNOTATION),
            plan_id: annotation(PLAN_ANNOTATION),
            generation: annotation(GENERATION_ANNOTATION),
        },
    }
}

fn own(entry: &Value) -> Option<Own> {
    let text = |field: &str| entry.get(field).and_then(Value::as_str);
    let ours = text("manager") == Some(FieldManager::Shuttle.name())
        && text("operation") == Some("Apply")
        && text("subresource").is_none_or(str::is_empty);
    let fields = entry.get("fieldsV1").filter(|_| ours)?;
    let replicas = fields.get("f:spec").and_then(|spec| spec.get("f:replicas"));
    Some(Own {
        fields: FieldsDigest(Digest::of(fields).hex()[..32].to_owned()),
        replicas: replicas.is_some(),
    })
}

/// Entries of others without subresource that hold fields outside metadata and status.
fn foreign(entries: &[Value]) -> Vec<Foreign> {
    let text = |entry: &Value, field: &str| {
        let text = entry.get(field).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let mut latest: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    for entry in entries {
        let manager = text(entry, "manager");
        if manager == FieldManager::Shuttle.name() && text(entry, "operation") == "Apply" {
            continue;
        }
        let paths = entry.get("fieldsV1").map(outer_paths).unwrap_or_default();
        if !text(entry, "subresource").is_empty() || paths.is_empty() {
            continue;
        }
        let known = latest.entry(manager).or_default();
        known.0 = std::cmp::max(text(entry, "time"), std::mem::take(&mut known.0));
        known.1.extend(paths);
    }
    let mut found: Vec<(String, Foreign)> = latest
        .into_iter()
        .map(|(manager, (time, paths))| (time, Foreign { manager, paths }))
        .collect();
    // RFC 3339 in UTC: later times are greater texts. The sort is stable, so ties stay by name.
    found.sort_by(|(one, _), (other, _)| other.cmp(one));
    found.into_iter().map(|(_, foreign)| foreign).collect()
}

fn outer_paths(fields: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    for (name, inner) in fields.as_object().into_iter().flatten() {
        match name.as_str() {
            "f:metadata" | "f:status" => {}
            outer => leaves(&step_name(outer), inner, &mut paths),
        }
    }
    paths
}

/// The leaves under `path`; `.` marks an item of a list that is owned itself.
fn leaves(path: &str, fields: &Value, paths: &mut Vec<String>) {
    if paths.len() >= MOST_PATHS {
        return;
    }
    let Some(members) = fields.as_object().filter(|members| !members.is_empty()) else {
        paths.push(path.to_owned());
        return;
    };
    if members.contains_key(".") {
        paths.push(path.to_owned());
        return;
    }
    for (name, inner) in members {
        let step = step_name(name);
        let joined = if step.starts_with('[') {
            format!("{path}{step}")
        } else {
            format!("{path}.{step}")
        };
        leaves(&joined, inner, paths);
    }
}

/// `f:name` is a field, `k:{"name":"x"}` an item by key; `v:` (a value in a set) is not told.
fn step_name(name: &str) -> String {
    if let Some(field) = name.strip_prefix("f:") {
        return field.to_owned();
    }
    let keys = name
        .strip_prefix("k:")
        .and_then(|keys| serde_json::from_str::<BTreeMap<String, Value>>(keys).ok());
    match keys {
        Some(keys) => {
            let pairs: Vec<String> = keys
                .into_iter()
                .map(|(key, value)| match value {
                    Value::String(text) => format!("{key}={text}"),
                    Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::Array(_)
                    | Value::Object(_) => {
                        format!("{key}={value}")
                    }
                })
                .collect();
            format!("[{}]", pairs.join(","))
        }
        None => "[]".to_owned(),
    }
}

/// What health reads; the rest would only cost memory.
fn body(object: &Value) -> Value {
    let mut body = object.clone();
    if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    if let Some(spec) = body.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("template");
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::kind_of;
    use serde_json::json;

    fn observed(managed_fields: &Value) -> Observed {
        let key: ObjectKey = "apps/Deployment/shop/web--production".parse().unwrap();
        let object = json!({
            "metadata": {
                "name": "web--production", "namespace": "shop", "uid": "u", "resourceVersion": "7",
                "labels": {"app.kubernetes.io/managed-by": "starform", "starform.io/environment": "production"},
                "managedFields": managed_fields,
            },
            "spec": {"replicas": 1, "template": {"spec": {"containers": []}}},
        });
        Observed::of(kind_of(&key).unwrap(), &object).unwrap()
    }

    #[test]
    fn our_entry_is_known_by_manager_operation_and_subresource() {
        let fields = json!({"f:spec": {"f:replicas": {}}});
        let entry = |manager: &str, operation: &str, subresource: &str| json!([{"manager": manager, "operation": operation, "subresource": subresource, "fieldsV1": fields}]);
        let ours = observed(&entry("starform-shuttle", "Apply", ""));
        assert!(
            ours.own
                .is_some_and(|own| own.replicas && own.fields.0.len() == 32)
        );
        assert_eq!(observed(&entry("starform-shuttle", "Update", "")).own, None);
        assert_eq!(
            observed(&entry("starform-shuttle", "Apply", "status")).own,
            None
        );
        assert_eq!(observed(&entry("kubectl", "Apply", "")).own, None);
    }

    #[test]
    fn additions_are_told_by_path_and_metadata_is_nobodys_business() {
        let seen = observed(&json!([
            {"manager": "kubectl-edit", "operation": "Update", "time": "2026-01-01T00:00:00Z", "fieldsV1": {
                "f:metadata": {"f:labels": {"f:team": {}}},
                "f:spec": {"f:template": {"f:spec": {"f:containers": {
                    "k:{\"name\":\"sidecar\"}": {".": {}, "f:image": {}, "f:name": {}}}}}}}},
            {"manager": "labeller", "operation": "Update", "time": "2026-01-02T00:00:00Z", "fieldsV1": {
                "f:metadata": {"f:labels": {"f:x": {}}}}},
            {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status",
                "time": "2026-01-03T00:00:00Z", "fieldsV1": {"f:status": {"f:replicas": {}}}},
            {"manager": "other", "operation": "Apply", "time": "2026-01-04T00:00:00Z", "fieldsV1": {
                "f:spec": {"f:paused": {}}}},
        ]));
        let told: Vec<(&str, &str)> = seen
            .foreign
            .iter()
            .flat_map(|foreign| {
                foreign
                    .paths
                    .iter()
                    .map(|path| (&*foreign.manager, &**path))
            })
            .collect();
        assert_eq!(
            told,
            [
                ("other", "spec.paused"),
                (
                    "kubectl-edit",
                    "spec.template.spec.containers[name=sidecar]"
                ),
            ]
        );
    }

    #[test]
    fn a_body_holds_what_health_reads() {
        let body = observed(&json!([])).body.unwrap();
        assert_eq!(body["spec"], json!({"replicas": 1}));
        assert!(body["metadata"].get("managedFields").is_none());
    }

    #[test]
    fn what_a_controller_owns_is_not_ours() {
        let key: ObjectKey = "core/Secret/shop/a".parse().unwrap();
        let object = json!({"metadata": {"name": "a", "namespace": "shop", "uid": "u",
            "labels": {"app.kubernetes.io/managed-by": "starform"},
            "ownerReferences": [{"controller": true}]}});
        let seen = Observed::of(kind_of(&key).unwrap(), &object).unwrap();
        assert!(!seen.owner.managed);
        assert_eq!(seen.body, None);
    }
}
