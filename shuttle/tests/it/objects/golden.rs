//! The goldens of the examples: every object is accepted, kept as it was written, and written once.
//!
//! Effects: network, reads `golden/`; the namespaces of the goldens, which are gone in the end. Always holds: the agent's
//! side of it: what is in a namespace is written as its applier.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};
use starform_contract::{EnvironmentBundle, ObjectKey};
use starform_shuttle::{
    access::Access,
    call::{CallError, JSON, call, request},
};

use super::{
    kept::lost,
    server::{Run, apply, live, wrong_of_all},
};
use crate::shell_support::{cluster, eventually, rights};

/// What one example comes to in one environment.
pub(super) struct Golden {
    pub(super) environment: EnvironmentBundle,
    /// The project's objects too, in the order in which they are applied.
    pub(super) manifests: Vec<Value>,
}

#[test]
fn a_bundle_and_its_yaml_say_the_same() {
    for golden in goldens() {
        let Golden {
            environment,
            manifests,
        } = &golden;
        let (of_project, own): (Vec<&Value>, Vec<&Value>) =
            manifests.iter().partition(|manifest| {
                manifest["metadata"]["labels"]["starform.io/environment"].is_null()
            });
        let bundled: Vec<&Value> = environment
            .all_objects()
            .map(|object| &object.manifest)
            .collect();
        assert_eq!(own, bundled, "{}", environment.project);
        let (space, name) = (&of_project[0]["kind"], &of_project[0]["metadata"]["name"]);
        assert_eq!(
            (space, name),
            (&json!("Namespace"), &json!(environment.namespace))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_object_of_every_golden_is_taken_and_kept() {
    let Some(client) = cluster().await else {
        return;
    };
    rights(&client).await;
    let access = Access::of_agent(client);
    let goldens = goldens();
    let spaces: BTreeSet<&str> = goldens
        .iter()
        .map(|golden| golden.environment.namespace.as_str())
        .collect();
    for space in &spaces {
        absent(&access, space).await;
    }
    let mut wrong = Vec::new();
    for golden in &goldens {
        // What the rest is written into, and by whom.
        for first in golden
            .manifests
            .iter()
            .take_while(|manifest| is_first(manifest))
        {
            apply(&access, first, Run::Real).await.unwrap();
        }
        let tried = wrong_of_all(&golden.manifests, async |manifest| {
            taken(&access, manifest).await
        });
        wrong.extend(tried.await);
        let written = wrong_of_all(&golden.manifests, async |manifest| {
            written(&access, manifest).await
        });
        wrong.extend(written.await);
        let again = wrong_of_all(&golden.manifests, async |manifest| {
            unchanged(&access, manifest).await
        });
        wrong.extend(again.await);
    }
    for space in &spaces {
        delete(&access, space).await;
    }
    assert!(
        wrong.is_empty(),
        "{} times:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Written, and read back as it was written.
async fn written(access: &Access, manifest: &Value) -> Result<(), String> {
    let applied = apply(access, manifest, Run::Real)
        .await
        .map_err(|error| error.to_string())?;
    let read = live(access, manifest)
        .await
        .map_err(|error| error.to_string())?;
    none(lost(manifest, &applied))?;
    none(lost(manifest, &read))
}

/// Written again, it is the same version of the object. Controllers write the status meanwhile, so one quiet moment is
/// waited for; what an apply changes it changes each time.
async fn unchanged(access: &Access, manifest: &Value) -> Result<(), String> {
    let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
    let mut seen = Vec::new();
    for _ in 0..20 {
        let before = live(access, manifest)
            .await
            .map_err(|error| error.to_string())?;
        let after = apply(access, manifest, Run::Real)
            .await
            .map_err(|error| error.to_string())?;
        none(lost(manifest, &after))?;
        if version(&before) == version(&after) {
            return Ok(());
        }
        seen.push((version(&before), version(&after)));
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    Err(format!("an apply of the same changes it: {seen:?}"))
}

/// Accepted without an effect, and what would be kept is what was said.
pub(super) async fn taken(access: &Access, manifest: &Value) -> Result<(), String> {
    let would_be = apply(access, manifest, Run::Dry)
        .await
        .map_err(|error| error.to_string())?;
    none(lost(manifest, &would_be))
}

fn none(lost: Vec<String>) -> Result<(), String> {
    if lost.is_empty() {
        Ok(())
    } else {
        Err(lost.join(", "))
    }
}

/// Every golden of an example; those of other harnesses hold no bundles.
pub(super) fn goldens() -> Vec<Golden> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden");
    let mut bundles: Vec<_> = folders(&root)
        .iter()
        .flat_map(|example| folders(example))
        .collect();
    bundles.retain(|folder| folder.join("bundle.json").is_file());
    assert!(!bundles.is_empty(), "no golden in {}", root.display());
    let read = |folder: &Path, name: &str| fs::read_to_string(folder.join(name)).unwrap();
    bundles
        .iter()
        .map(|folder| Golden {
            environment: serde_json::from_str(&read(folder, "bundle.json")).unwrap(),
            manifests: serde_saphyr::from_multiple(&read(folder, "objects.yaml")).unwrap(),
        })
        .collect()
}

fn folders(path: &Path) -> Vec<std::path::PathBuf> {
    let mut folders: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn is_first(manifest: &Value) -> bool {
    manifest["kind"] == "Namespace" || manifest["kind"] == "RoleBinding"
}

/// Waits for the end of what an earlier run has left.
async fn absent(access: &Access, space: &str) {
    delete(access, space).await;
    eventually("an earlier namespace to be gone", async || {
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}});
        live(access, &namespace).await.is_err().then_some(())
    })
    .await;
}

async fn delete(access: &Access, space: &str) {
    let key = ObjectKey::new("", "Namespace", None, space);
    let path = starform_shuttle::kinds::kind_of(&key).unwrap().path(&key);
    let delete = request(http::Method::DELETE, &path, Some((JSON, &json!({}))));
    match call(access.own(), delete).await {
        Ok(_) => {}
        // Gone, or going.
        Err(CallError::Refused(refusal)) if [404, 409].contains(&refusal.code) => {}
        Err(error) => panic!("{error}"),
    }
}
