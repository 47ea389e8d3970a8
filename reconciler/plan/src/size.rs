//! Documents that are larger than an agent takes: objects, bundles, the index of a cluster.
//!
//! Pure. Always holds: what is too large is refused before it is accepted, with the part that makes it
//! so; sizes are those of the canonical form, which is what is stored and sent.

use serde_json::Value;
use starform_contract::{
    Bundle, EnvironmentBundle, Index, Object, Origins, ProjectBundle, ServiceEntry,
    bundle::Written, digest::canonical,
};

use crate::{codes, crosscheck::blocking, document::Finding};

/// Of the two bundles that a plan results in.
#[derive(Clone, Copy)]
pub(crate) struct Sizes<'a> {
    /// In bytes.
    pub(crate) project: usize,
    pub(crate) environment: &'a Written,
}

/// Of what an environment's plan results in.
pub(crate) fn findings(
    sizes: Sizes<'_>,
    project: &ProjectBundle,
    environment: &EnvironmentBundle,
    origins: &Origins,
) -> Vec<Finding> {
    let Sizes {
        project: own,
        environment: written,
    } = sizes;
    let whole = written.bytes();
    let mut findings = Vec::new();
    // A part is smaller than what holds it.
    if whole > Object::LARGEST {
        let services = environment.services.iter().enumerate();
        let large = services.filter(|(place, _)| written.service_bytes(*place) > Object::LARGEST);
        for (_, service) in large {
            let objects = service.objects.iter().filter_map(too_large);
            findings.extend(objects.map(|TooLarge { title, variable }| {
                let path = variable.map_or("vars".to_owned(), |name| format!("vars.{name}"));
                let at = origins.at(&service.name, &path);
                blocking(&codes::OBJECT_TOO_LARGE, title, at)
            }));
        }
        let objects = environment.objects.iter().filter_map(too_large);
        findings.extend(objects.map(|large| blocking(&codes::OBJECT_TOO_LARGE, large.title, None)));
    }
    if own > Bundle::LARGEST {
        let title = format!(
            "the objects of project {} have {own} bytes together, and an agent takes {}; it has had {} services in all: begin anew with a new project",
            project.project,
            Bundle::LARGEST,
            project.names.len(),
        );
        findings.push(blocking(&codes::BUNDLE_TOO_LARGE, title, None));
    }
    if whole > Bundle::LARGEST {
        let title = format!(
            "{} has {whole} bytes, and an agent takes {}; most of it: {}; shorten the values of variables, or move services to another project",
            environment.environment,
            Bundle::LARGEST,
            main_parts(&environment.services),
        );
        findings.push(blocking(&codes::BUNDLE_TOO_LARGE, title, None));
    }
    findings
}

/// Of the next generation of a cluster.
pub(crate) fn of_index(index: &Index) -> Option<Finding> {
    let whole = size(index);
    (whole > Index::LARGEST).then(|| {
        let title = format!(
            "the cluster's desired state would have {whole} bytes, and an agent takes {}; it holds {} projects: put new ones on another cluster",
            Index::LARGEST,
            index.projects.len(),
        );
        blocking(&codes::INDEX_TOO_LARGE, title, None)
    })
}

fn size<T: serde::Serialize>(document: &T) -> usize {
    canonical(document).len()
}

struct TooLarge {
    title: String,
    /// Whose value is most of it.
    variable: Option<String>,
}

fn too_large(object: &Object) -> Option<TooLarge> {
    let whole = size(object);
    if whole <= Object::LARGEST {
        return None;
    }
    let name = object.key()?;
    let (path, part, around) = largest_part(&object.manifest);
    let title = format!(
        "{name} has {whole} bytes, and an object has at most {}; {path} alone has {part}: shorten it, or keep it in a file of the image",
        Object::LARGEST
    );
    let variable = around.get("name").filter(|_| path.ends_with(".value"));
    Some(TooLarge {
        title,
        variable: variable.and_then(Value::as_str).map(str::to_owned),
    })
}

/// The deepest place that holds more than half of what is around it, its size, and what is around it.
fn largest_part(manifest: &Value) -> (String, usize, &Value) {
    let (mut path, mut at, mut whole) = (String::new(), manifest, size(manifest));
    let mut around = manifest;
    loop {
        let children: Vec<(String, &Value)> = match at {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| (format!(".{name}"), value))
                .collect(),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(n, value)| (format!("[{n}]"), value))
                .collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        };
        let sized = children
            .into_iter()
            .map(|(step, value)| (size(value), step, value));
        match sized.max_by_key(|(size, _, _)| *size) {
            Some((part, step, value)) if part * 2 > whole => {
                path += &step;
                (around, at, whole) = (at, value, part);
            }
            Some(_) | None => break,
        }
    }
    let path = path.trim_start_matches('.');
    let path = if path.is_empty() { "it" } else { path };
    (path.to_owned(), whole, around)
}

/// As many as people read.
const SHOWN: usize = 3;

fn main_parts(services: &[ServiceEntry]) -> String {
    let mut sized: Vec<(usize, &ServiceEntry)> =
        services.iter().map(|entry| (size(entry), entry)).collect();
    sized.sort_by(|a, b| (b.0, &a.1.name).cmp(&(a.0, &b.1.name)));
    let words = sized.iter().take(SHOWN);
    let words: Vec<String> = words
        .map(|(size, entry)| format!("{} {size}", entry.name))
        .collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;
    use starform_contract::{
        ClusterId, Deletion, Digest, ProjectEntry, ProjectId, ProjectName, WorkspaceId,
        bundle::{BundleSchema, Wave},
        state::DriftPolicy,
    };

    use super::*;

    fn object(name: &str, ballast: usize) -> Object {
        let manifest = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": name, "namespace": "sf-shop" },
            "data": { "BALLAST": "x".repeat(ballast) },
        });
        Object::new(manifest, Wave(2), Deletion::Delete)
    }

    fn shop() -> ProjectName {
        ProjectName::new("shop").unwrap()
    }

    fn environment(objects: Vec<Object>) -> EnvironmentBundle {
        EnvironmentBundle {
            schema: BundleSchema::V1,
            workspace_id: WorkspaceId::local(),
            project_id: ProjectId::local(&shop()),
            project: shop(),
            namespace: "sf-shop".to_owned(),
            tier: "standard".to_owned(),
            environment: "production".parse().unwrap(),
            ephemeral: false,
            drift: DriftPolicy::Correct,
            protect: false,
            objects,
            services: Vec::new(),
            kept: Vec::new(),
        }
    }

    fn said(objects: Vec<Object>) -> Vec<Finding> {
        let environment = environment(objects);
        let project = ProjectBundle {
            schema: BundleSchema::V1,
            workspace_id: environment.workspace_id,
            project_id: environment.project_id,
            project: shop(),
            namespace: "sf-shop".to_owned(),
            tier: "standard".to_owned(),
            objects: Vec::new(),
            names: Vec::new(),
        };
        let sizes = Sizes {
            project: size(&project),
            environment: &Written::new(&environment, |_| false),
        };
        findings(sizes, &project, &environment, &Origins::default())
    }

    #[test]
    fn an_object_has_at_most_256_kib() {
        let most = (256 << 10) - size(&object("config", 0));
        assert_eq!(size(&object("config", most)), 256 << 10);
        assert_eq!(said(vec![object("config", most)]), vec![]);
        let one_more = said(vec![object("config", most + 1)]);
        assert_eq!(one_more.len(), 1);
        assert_eq!(one_more[0].code, "SF6115");
        let title = &one_more[0].title;
        let told = "core/Secret/sf-shop/config has 262145 bytes, and an object has at most 262144; data.BALLAST alone has";
        assert!(title.starts_with(told), "{title}");
    }

    #[test]
    fn a_bundle_has_at_most_8_mib() {
        let objects = |last: usize| -> Vec<Object> {
            let full = (0..40).map(|n| object(&format!("config-{n}"), 200 << 10));
            full.chain([object("last", last)]).collect()
        };
        let most = (8 << 20) - size(&environment(objects(0)));
        assert_eq!(size(&environment(objects(most))), 8 << 20);
        assert_eq!(said(objects(most)), vec![]);
        let one_more = said(objects(most + 1));
        assert_eq!(one_more.len(), 1);
        assert_eq!(one_more[0].code, "SF6116");
        let told = "production has 8388609 bytes, and an agent takes 8388608";
        assert!(one_more[0].title.starts_with(told), "{}", one_more[0].title);
    }

    #[test]
    fn an_index_has_at_most_4_mib() {
        let cluster: ClusterId = "0191f0a4-0000-7000-8000-000000000001".parse().unwrap();
        let index = |ballast: usize| {
            let entry = ProjectEntry {
                namespace: "x".repeat(ballast),
                bundle: Digest::of_bytes(b""),
                environments: BTreeMap::new(),
                accepted: Vec::new(),
            };
            let projects = BTreeMap::from([(ProjectId::local(&shop()), entry)]);
            Index::empty(cluster).successor(projects)
        };
        let most = (4 << 20) - size(&index(0));
        assert_eq!(size(&index(most)), 4 << 20);
        assert_eq!(of_index(&index(most)), None);
        let one_more = of_index(&index(most + 1)).unwrap();
        assert_eq!(one_more.code, "SF6117");
        let told = "the cluster's desired state would have 4194305 bytes, and an agent takes 4194304; it holds 1 projects";
        assert!(one_more.title.starts_with(told), "{}", one_more.title);
    }
}
