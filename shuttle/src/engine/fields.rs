//! Reads an [`Observed`] off a live object's JSON: labels, stamps, and who owns which fields.
//!
//! Pure. Always holds: no value of a field leaves this module except a whole body where the kind's
//! health stands in its status; Secrets have none. The law behind it: a change of an owned value by
//! another manager shrinks our own entry in `managedFields`, an addition stands in the other's.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
use starform_contract::{ObjectKey, bundle::DIGEST_ANNOTATION};

use super::{
    break_glass, drift,
    io::{FieldManager, FieldsDigest, Foreign, Observed, Own, Owner, Provenance, Stamps},
    ownership,
};
use crate::kinds::{Kind, Watch};

pub const PROJECT_LABEL: &str = "starform.io/project-id";
pub const ENVIRONMENT_LABEL: &str = "starform.io/environment";
pub const SERVICE_LABEL: &str = "starform.io/service-id";
pub const MANAGED_LABEL: (&str, &str) = ("app.kubernetes.io/managed-by", "starform");
pub const REVISION_ANNOTATION: &str = "starform.io/revision";
pub const PLAN_ANNOTATION: &str = "starform.io/plan-id";
pub const GENERATION_ANNOTATION: &str = "starform.io/generation";

impl Observed {
    /// `object`: the whole object or its `PartialObjectMetadata`; `None` without a name or uid.
    pub fn of(kind: &Kind, object: &Value) -> Option<Self> {
        let metadata = object.get("metadata")?;
        let text = |field: &str| metadata.get(field).and_then(Value::as_str);
        let entries = metadata.get("managedFields").and_then(Value::as_array);
        let entries = entries.map_or(&[][..], Vec::as_slice);
        let foreign = foreign(entries);
        let of_controllers = foreign.iter();
        let of_controllers =
            of_controllers.filter(|foreign| drift::is_controller(&foreign.manager));
        let of_controllers: Vec<&Foreign> = of_controllers.collect();
        Some(Self {
            key: ObjectKey::new(kind.group, kind.kind, text("namespace"), text("name")?),
            uid: text("uid")?.to_owned(),
            resource_version: text("resourceVersion").unwrap_or_default().to_owned(),
            owner: owner(metadata),
            stamps: stamps(metadata),
            own: own(entries, &of_controllers),
            foreign,
            break_glass: break_glass::asked(metadata),
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

/// Our entry, and what of others' stands beside it.
fn own(entries: &[Value], yielded: &[&Foreign]) -> Option<Own> {
    let fields = entries.iter().find_map(own_fields)?;
    let replicas = |fields: &Value| {
        let spec = fields.get("f:spec");
        spec.and_then(|spec| spec.get("f:replicas")).is_some()
    };
    let held = entries.iter().any(|entry| {
        text(entry, "manager") == FieldManager::Handoff.name()
            && entry.get("fieldsV1").is_some_and(replicas)
    });
    let yielded = yielded.iter().fold(None, |all: Option<Value>, foreign| {
        let all = all.as_ref().unwrap_or(fields);
        Some(ownership::union(all, &foreign.fields))
    });
    Some(Own {
        fields: FieldsDigest::of(fields),
        yielded: yielded.as_ref().map(FieldsDigest::of),
        replicas: replicas(fields),
        held,
    })
}

/// The fields of our own entry.
pub(crate) fn own_fields(entry: &Value) -> Option<&Value> {
    let ours = text(entry, "manager") == FieldManager::Shuttle.name()
        && text(entry, "operation") == "Apply"
        && text(entry, "subresource").is_empty();
    entry.get("fieldsV1").filter(|_| ours)
}

/// Whose entry beside ours may hold fields of the object itself; `None` for one about its status.
pub(crate) fn other_manager(entry: &Value) -> Option<&str> {
    let other = own_fields(entry).is_none() && text(entry, "subresource") != "status";
    other.then(|| text(entry, "manager"))
}

/// What others hold outside metadata and status that we do not.
fn foreign(entries: &[Value]) -> Vec<Foreign> {
    let ours = entries.iter().find_map(own_fields);
    let mut latest: BTreeMap<&str, (&str, Value)> = BTreeMap::new();
    for entry in entries {
        let Some((manager, fields)) = other_manager(entry).zip(entry.get("fieldsV1")) else {
            continue;
        };
        let beside = ownership::outside(fields);
        let beside = match ours {
            Some(ours) => ownership::difference(&beside, ours),
            None => beside,
        };
        if ownership::is_empty(&beside) {
            continue;
        }
        let known = latest.entry(manager);
        let known = known.or_insert_with(|| (text(entry, "time"), beside.clone()));
        known.0 = known.0.max(text(entry, "time"));
        known.1 = ownership::union(&known.1, &beside);
    }
    let mut found: Vec<(&str, Foreign)> = latest
        .into_iter()
        .map(|(manager, (time, fields))| {
            let foreign = Foreign {
                manager: manager.to_owned(),
                fields: Arc::new(fields),
            };
            (time, foreign)
        })
        .collect();
    // RFC 3339 in UTC: later times are greater texts. The sort is stable, so ties stay by name.
    found.sort_by(|(one, _), (other, _)| other.cmp(one));
    found.into_iter().map(|(_, foreign)| foreign).collect()
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    let text = entry.get(field).and_then(Value::as_str);
    text.unwrap_or_default()
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
        let told: Vec<(&str, String)> = seen
            .foreign
            .iter()
            .flat_map(|foreign| {
                let paths = foreign.paths().into_iter();
                paths.map(|path| (&*foreign.manager, path))
            })
            .collect();
        assert_eq!(
            told,
            [
                ("other", "spec.paused".to_owned()),
                (
                    "kubectl-edit",
                    "spec.template.spec.containers[name=sidecar]".to_owned()
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
