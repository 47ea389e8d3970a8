//! Documents of every released schema, as they were written then: read for ever, and their versions told.
//!
//! Reads `released/`; these files never change.

use serde_json::Value;
use starform_contract::{
    Bundle, ClusterProfile, Index, Report,
    schema::{Document, Unreadable, read},
};

const INDEX: &str = include_str!("released/desired-state.v1.json");
const BUNDLE: &str = include_str!("released/bundle.v1.json");
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
        Unreadable::Other {
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
    let bundle: Bundle = read(BUNDLE.as_bytes()).unwrap();
    assert!(
        bundle
            .objects()
            .all(starform_contract::Object::digest_holds)
    );
    let again: Value = serde_json::to_value(&bundle).unwrap();
    assert_eq!(again, serde_json::from_str::<Value>(BUNDLE).unwrap());
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
    let said = other_version::<Bundle>(BUNDLE);
    assert_eq!(
        said,
        "it is of schema `starform.bundle/v2`, and this version reads `starform.bundle/v1`; use the version of Starform that wrote it, or a newer one"
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
    assert!(said.starts_with("it is no document: "), "{said}");
}
