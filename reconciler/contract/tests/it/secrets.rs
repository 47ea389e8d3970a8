//! Whose a secret is, who uses it, and what a generated value looks like.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use starform_contract::{
    Bundle, Deletion, EnvironmentName, Object, ObjectKey, ProjectId,
    bundle::{SealedRef, Wave},
    secret::{
        GENERATED_BYTES, Holder, Kept, Scope, SecretVersions, Versions, generated_value, users,
    },
};

const PROJECT: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

fn reference(secret: &str, version: u64, environment: Option<&str>) -> SealedRef {
    SealedRef {
        secret: secret.to_owned(),
        version,
        environment: environment.map(|name| name.parse().unwrap()),
    }
}

fn object(name: &str, sealed: &[SealedRef]) -> Object {
    let manifest = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "sf-shop"},
    });
    let keys = (0..).map(|number: u32| format!("KEY_{number}"));
    let sealed: BTreeMap<String, SealedRef> = keys.zip(sealed.iter().cloned()).collect();
    Object::with_sealed(manifest, Wave(2), Deletion::Delete, sealed)
}

fn bundle(of: Value, objects: &[Object]) -> Bundle {
    let mut document = json!({
        "workspace_id": PROJECT, "project_id": PROJECT, "project": "shop",
        "namespace": "sf-shop", "tier": "standard", "objects": objects,
    });
    let all = document.as_object_mut().unwrap();
    all.extend(of.as_object().unwrap().clone());
    serde_json::from_value(document).unwrap()
}

fn preview(objects: &[Object]) -> Bundle {
    let of = json!({
        "schema": "starform.bundle/v1", "environment": "pr-7", "ephemeral": true,
        "drift": "correct", "protect": false, "services": [],
    });
    bundle(of, objects)
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::new("", "Secret", Some("sf-shop"), name)
}

#[test]
fn a_secret_is_used_by_what_means_its_scope_each_version_once() {
    let project: ProjectId = PROJECT.parse().unwrap();
    let (own, named): (EnvironmentName, EnvironmentName) =
        ("pr-7".parse().unwrap(), "production".parse().unwrap());
    let bundle = preview(&[
        object(
            "a",
            &[
                reference("token", 2, None),
                reference("token", 2, None),
                reference("token", 1, None),
            ],
        ),
        object("b", &[reference("token", 4, Some("production"))]),
        object("c", &[reference("other", 1, None)]),
    ]);
    let of_own = users(&bundle, Scope::Environment(project, &own), "token");
    assert_eq!(of_own, [(key("a"), 1), (key("a"), 2)]);
    let of_named = users(&bundle, Scope::Environment(project, &named), "token");
    assert_eq!(of_named, [(key("b"), 4)]);
    assert_eq!(users(&bundle, Scope::Cluster, "token"), []);
    let other = "0190163d-8694-739b-aea5-966c26f8ad92".parse().unwrap();
    assert_eq!(users(&bundle, Scope::Environment(other, &own), "token"), []);
}

#[test]
fn a_projects_own_objects_use_secrets_of_their_cluster() {
    let project: ProjectId = PROJECT.parse().unwrap();
    let of = json!({"schema": "starform.bundle/v1", "names": []});
    let bundle = bundle(of, &[object("pull", &[reference("registry", 3, None)])]);
    let used = users(&bundle, Scope::Cluster, "registry");
    assert_eq!(used, [(key("pull"), 3)]);
    let environment: EnvironmentName = "production".parse().unwrap();
    let scope = Scope::Environment(project, &environment);
    assert_eq!(users(&bundle, scope, "registry"), []);
}

#[test]
fn a_generated_value_says_all_its_bytes_and_stands_in_a_url() {
    let value = generated_value(&[0xfb; GENERATED_BYTES]);
    assert_eq!(value.len(), 43);
    let stands = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    assert!(value.chars().all(stands), "{}", value.as_str());
    let mut last = [0xfb; GENERATED_BYTES];
    last[GENERATED_BYTES - 1] = 0xfa;
    assert_ne!(value, generated_value(&last));
}

#[test]
fn what_is_used_was_given_also_where_it_is_forgotten() {
    let mut kept = Kept::default();
    let own: EnvironmentName = "pr-7".parse().unwrap();
    let removed = Versions {
        newest: 6,
        since: None,
    };
    let of_own = kept.environments.entry(own.clone()).or_default();
    of_own.insert("kept".to_owned(), removed);
    kept.remember(&preview(&[
        object(
            "a",
            &[reference("token", 2, None), reference("token", 5, None)],
        ),
        object("b", &[reference("generated.api.KEY", 3, None)]),
        object("c", &[reference("kept", 4, None)]),
    ]));
    let kept = SecretVersions::Kept(kept);
    let holder = Holder::Environment(&own);
    assert_eq!(kept.current(holder, "token"), 6);
    assert!(!kept.has(holder, "token", 5));
    assert_eq!(kept.current(holder, "generated.api.KEY"), 3);
    assert_eq!(kept.current(holder, "kept"), 7);
    assert_eq!(kept.current(holder, "never"), 1);
}
