//! Documents of every released schema, as they were written then: read for ever, and their versions told.
//!
//! Reads `released/`; these files never change.

use std::collections::BTreeMap;

use serde_json::Value;
use starform_contract::{
    Bundle, ClusterProfile, Index, Object, Report,
    schema::{Document, Unreadable, read},
};

const INDEX: &str = include_str!("released/desired-state.v1.json");
const BUNDLE: &str = include_str!("released/bundle.v1.json");
const PROJECT: &str = include_str!("released/project-bundle.v1.json");
const REPORT: &str = include_str!("released/report.v1.json");
const PROFILE: &str = include_str!("released/cluster-profile.v1.json");

fn other_version<T: Document>(text: &str) -> String {
    let mut document: Value = serde_json::from_str(text).unwrap();
    let next = T::SCHEMA.replace("/v1", "/v2");
    document["schema"] = next.clone().into();
    let Err(refused) = read::<T>(document.to_string().as_bytes()) else {
        panic!("{next} is read")
    };
    let known = T::SCHEMA.to_owned();
    assert_eq!(
        refused,
        Unreadable::Newer {
            found: next,
            known: T::SCHEMA
        }
    );
    assert!(refused.to_string().contains(&known), "{refused}");
    refused.to_string()
}

#[test]
fn what_was_released_is_read_and_means_the_same() {
    let index: Index = read(INDEX.as_bytes()).unwrap();
    assert_eq!(index.people, ["ops-*"]);
    let again: Value = serde_json::to_value(&index).unwrap();
    assert_eq!(again, serde_json::from_str::<Value>(INDEX).unwrap());
    for (text, of_project) in [(BUNDLE, false), (PROJECT, true)] {
        let bundle: Bundle = read(text.as_bytes()).unwrap();
        assert_eq!(matches!(bundle, Bundle::Project(_)), of_project);
        assert!(bundle.objects().all(Object::digest_holds));
        let again: Value = serde_json::to_value(&bundle).unwrap();
        assert_eq!(again, serde_json::from_str::<Value>(text).unwrap());
    }
    let report: Report = read(REPORT.as_bytes()).unwrap();
    let again: Value = serde_json::to_value(&report).unwrap();
    assert_eq!(again, serde_json::from_str::<Value>(REPORT).unwrap());
    let profile = ClusterProfile::read(PROFILE).unwrap();
    assert_eq!(profile.gateway.name, "gw");
    assert_eq!(profile.egress.allowed[0].to_string(), "10.20.0.0/24");
}

#[test]
fn another_version_is_refused_with_the_one_that_is_read() {
    other_version::<Index>(INDEX);
    other_version::<Report>(REPORT);
    other_version::<Bundle>(PROJECT);
    let said = other_version::<Bundle>(BUNDLE);
    assert_eq!(
        said,
        "it is of schema `starform.bundle/v2`, which a newer Starform wrote, and `starform.bundle/v1` is understood here; upgrade the side that reads it"
    );
    let profile = PROFILE.replace("profile/v1", "profile/v2");
    let said = ClusterProfile::read(&profile).unwrap_err().to_string();
    assert!(
        said.starts_with("schema: ") && said.contains("profile/v1"),
        "{said}"
    );
    assert_eq!(
        read::<Index>(b"{}"),
        Err(Unreadable::None {
            known: Index::SCHEMA
        })
    );
    let said = read::<Index>(b"[").unwrap_err().to_string();
    assert!(said.starts_with("it does not read: "), "{said}");
    for other in [
        "starform.plan/v1",
        "starform.bundle/v0",
        "starform.bundle/next",
        "2",
    ] {
        let said = read::<Bundle>(format!(r#"{{"schema":"{other}"}}"#).as_bytes());
        let (found, known) = (other.to_owned(), Bundle::SCHEMA);
        assert_eq!(said, Err(Unreadable::Other { found, known }));
    }
}

/// In an answer, a cache, a request: nobody has to look at the schema before.
#[test]
fn another_version_is_told_wherever_the_document_stands() {
    fn inside<T: Document>(text: &str) {
        let newer = T::SCHEMA.replace("/v1", "/v2");
        let text = format!(r#"{{"it":{}}}"#, text.replace(T::SCHEMA, &newer));
        let read = serde_json::from_str::<BTreeMap<String, T>>(&text);
        let said = read.map(drop).unwrap_err().to_string();
        let told = format!(
            "it is of schema `{newer}`, which a newer Starform wrote, and `{}`",
            T::SCHEMA
        );
        assert!(said.starts_with(&told), "{said}");
    }
    inside::<Index>(INDEX);
    inside::<Bundle>(BUNDLE);
    inside::<Bundle>(PROJECT);
    inside::<Report>(REPORT);
    inside::<ClusterProfile>(PROFILE);
    // What else is in it is not even looked at, also where the keys are sorted.
    let unknown = r#"{"a":{"everything":"else"},"schema":"starform.bundle/v2"}"#;
    inside::<Bundle>(&unknown.replace("v2", "v1"));
    let unknown = unknown.replace("bundle", "cluster-profile");
    let said = ClusterProfile::read(&unknown).unwrap_err().to_string();
    assert!(said.contains("upgrade the side that reads it"), "{said}");
}
