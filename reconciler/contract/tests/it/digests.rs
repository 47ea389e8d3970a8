//! Digests are over the canonical form: spelling and order do not matter, meaning does.

use serde_json::json;
use starform_contract::{
    Bundle, ClusterId, Deletion, Digest, Index, Object, ObjectKey, bundle::Wave, digest::canonical,
};

fn object(value: serde_json::Value) -> Object {
    Object::new(value, Wave(4), Deletion::Delete)
}

#[test]
fn canonical_form_is_rfc_8785() {
    let value = json!({"b": [1, true, null], "a": "é\u{1}\"", "\u{20ac}": 2});
    assert_eq!(
        String::from_utf8(canonical(&value)).unwrap(),
        "{\"a\":\"é\\u0001\\\"\",\"b\":[1,true,null],\"€\":2}"
    );
}

#[test]
fn an_objects_digest_covers_manifest_wave_and_deletion() {
    let manifest =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "namespace": "n"}});
    let first = object(manifest.clone());
    assert!(first.digest_holds());
    assert_ne!(
        first.digest,
        Object::new(manifest.clone(), Wave(3), Deletion::Delete).digest
    );
    assert_ne!(
        first.digest,
        Object::new(manifest, Wave(4), Deletion::Retain).digest
    );
    assert_eq!(first.key().unwrap().to_string(), "core/Secret/n/a");
}

#[test]
fn an_index_names_its_parent_and_its_digest_leaves_the_signature_out() {
    let cluster: ClusterId = "0190163d-8694-739b-aea5-966c26f8ad91".parse().unwrap();
    let first = Index::empty(cluster);
    let mut second = first.successor(first.projects.clone());
    assert_eq!(second.parent.as_ref(), Some(&first.digest));
    assert_eq!(second.generation.number(), 1);
    assert_ne!(first.digest, second.digest);
    second.signature = Some(starform_contract::signature::Signature {
        key_id: "k".into(),
        alg: "ed25519".into(),
        value: String::new(),
    });
    assert!(second.digest_holds());
    let read: Index = serde_json::from_slice(&canonical(&second)).unwrap();
    assert_eq!(read, second);
}

#[test]
fn an_unknown_schema_is_refused() {
    let text = json!({"schema": "starform.bundle/v9"}).to_string();
    assert!(serde_json::from_str::<Bundle>(&text).is_err());
}

#[test]
fn keys_are_read_back() {
    for text in [
        "core/Namespace/n",
        "apps/Deployment/n/a",
        "core/Service/n/a",
    ] {
        assert_eq!(text.parse::<ObjectKey>().unwrap().to_string(), text);
    }
    for text in ["", "a/b", "a//b/c", "a/b/c/d/e"] {
        assert!(text.parse::<ObjectKey>().is_err(), "{text}");
    }
    assert!("sha256:zz".parse::<Digest>().is_err());
}
