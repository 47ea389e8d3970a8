//! What stands in the namespace of one project, read from the API server.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::cluster::Cluster;

/// Path and (uid, resourceVersion) of everything in a namespace, and of the Namespace itself. An
/// autoscaler's own status moves as time goes: there, the generation.
pub(crate) type Standing = BTreeMap<String, (String, String)>;

impl Cluster {
    /// Everything but what passes by itself.
    pub(crate) fn standing(&self, project: &str) -> Standing {
        let namespace = self.namespace(project).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let all = self.within(&namespace).into_iter();
        all.filter(|(path, _)| !path.contains("/events/"))
            .map(|(path, object)| {
                let metadata = &object["metadata"];
                let version = match path.contains("/horizontalpodautoscalers/") {
                    true => metadata["generation"].to_string(),
                    false => text(&metadata["resourceVersion"]),
                };
                (path, (text(&metadata["uid"]), version))
            })
            .collect()
    }

    /// Kind and name of what carries our label in the namespace and is made by nobody else, the
    /// Namespace too.
    pub(crate) fn ours(&self, namespace: &str) -> Vec<String> {
        let all = self.within(namespace).into_iter().filter(|(_, object)| {
            let metadata = &object["metadata"];
            metadata["labels"]["app.kubernetes.io/managed-by"] == json!("starform")
                && metadata["ownerReferences"].is_null()
        });
        let mut named: Vec<String> = all.map(|(path, _)| name(&path)).collect();
        named.sort();
        named
    }

    fn within(&self, namespace: &str) -> Vec<(String, Value)> {
        let all = self.everything().into_iter().filter(|(path, object)| {
            object["metadata"]["namespace"] == json!(namespace)
                || path.ends_with(&format!("/namespaces/{namespace}"))
        });
        all.collect()
    }
}

/// `persistentvolumeclaims data`; of a Namespace the resource alone, since its name is known.
fn name(path: &str) -> String {
    let mut parts = path.rsplit('/');
    let (name, resource) = (parts.next().unwrap(), parts.next().unwrap());
    match resource {
        "namespaces" => resource.to_owned(),
        resource => format!("{resource} {name}"),
    }
}

/// Fails unless nothing of staging is left and everything of production is as it was.
#[track_caller]
pub(crate) fn staging_alone_is_gone(before: &Standing, after: &Standing) {
    let left: Vec<&String> = after
        .keys()
        .filter(|path| path.contains("--staging"))
        .collect();
    assert_eq!(left, [] as [&String; 0]);
    let of_production = |path: &str| path.contains("--production");
    for (path, was) in before.iter().filter(|(path, _)| of_production(path)) {
        assert_eq!(after.get(path), Some(was), "{path}");
    }
}
