//! One document of every released schema with all that it can hold, byte for byte as it is written for ever.
//!
//! Reads `released/*.full.json`; these files never change. Their digests, signatures and sealed values were not made by
//! this code, but by a program of its own from RFC 8785, RFC 8032 and RFC 9180.

use std::{collections::BTreeSet, fmt::Debug};

use serde::{Serialize, de::DeserializeOwned};
use starform_contract::{
    Bundle, ClusterProfile, Deletion, Index, Object, Report,
    report::{DriftKind, Health, Outcome},
    schema::read,
    sealed::{
        AgentKey, AgentKeyPost, AgentPublicKey, SealedFile, SealedFor, SealedRequest, SealedValues,
    },
    signature::{Signed as _, SigningKey, TrustedKey, verify, verify_digest},
    verify::{Verdict, Verdicts, Verifications, Way},
};

const INDEX: &str = include_str!("released/desired-state.v1.full.json");
const BUNDLE: &str = include_str!("released/bundle.v1.full.json");
const PROJECT: &str = include_str!("released/project-bundle.v1.full.json");
const REPORT: &str = include_str!("released/report.v1.full.json");
const SEALED: &str = include_str!("released/sealed.v1.full.json");
const SEALED_FILE: &str = include_str!("released/sealed-file.v1.full.json");
const PROFILE: &str = include_str!("released/cluster-profile.v1.full.json");
const VERIFICATIONS: &str = include_str!("released/verifications.v1.full.json");
const VERDICTS: &str = include_str!("released/verdicts.v1.full.json");
const AGENT_KEY: &str = include_str!("released/agent-key.v1.full.json");
const SEALED_REQUEST: &str = include_str!("released/sealed-request.v1.full.json");

/// Alice's of RFC 7748, section 6.1: nothing but tests is sealed to it.
const AGENT: &str = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";

/// The document, which is written again as it was.
fn frozen<T: DeserializeOwned + Serialize + PartialEq + Debug>(text: &str) -> T {
    let document: T = serde_json::from_str(text).unwrap();
    let again = serde_json::to_string_pretty(&document).unwrap();
    assert_eq!(again + "\n", text);
    document
}

fn trusted() -> TrustedKey {
    SigningKey::new("k-1", &[1; 32]).unwrap().trusted()
}

#[test]
fn the_whole_desired_state() {
    let index: Index = frozen(INDEX);
    assert_eq!(read::<Index>(INDEX.as_bytes()), Ok(index.clone()));
    assert!(index.digest_holds());
    assert_eq!(verify(&[trusted()], &index), Ok(()));
    let bundles = [BUNDLE, PROJECT].map(|text| {
        let bundle: Bundle = frozen(text);
        assert_eq!(read::<Bundle>(text.as_bytes()).as_ref(), Ok(&bundle));
        assert!(bundle.objects().all(Object::digest_holds));
        bundle
    });
    let digests: Vec<_> = bundles.iter().map(Bundle::digest).collect();
    assert_eq!(index.bundles(), digests.iter().collect());
    let Bundle::Environment(environment) = &bundles[0] else {
        panic!("an environment's bundle");
    };
    assert!(
        environment
            .kept
            .iter()
            .all(|kept| kept.object.digest_holds())
    );
    let objects = bundles.iter().flat_map(Bundle::objects);
    let deletions: Vec<Deletion> = objects.map(|object| object.deletion).collect();
    for deletion in [Deletion::Delete, Deletion::Retain, Deletion::WithProject] {
        assert!(deletions.contains(&deletion), "{deletion:?}");
    }
}

#[test]
fn every_word_of_a_report() {
    let report: Report = frozen(REPORT);
    assert_eq!(read::<Report>(REPORT.as_bytes()), Ok(report.clone()));
    let outcomes: BTreeSet<Outcome> = report.objects.iter().map(|object| object.outcome).collect();
    let healths: BTreeSet<Health> = report
        .services
        .iter()
        .map(|service| service.health)
        .collect();
    let kinds: BTreeSet<DriftKind> = report.drift.iter().map(|drift| drift.kind).collect();
    assert_eq!((outcomes.len(), healths.len(), kinds.len()), (8, 6, 3));
}

#[test]
fn what_was_sealed_then_opens_at_its_place() {
    let sealed: SealedValues = frozen(SEALED);
    let file: SealedFile = frozen(SEALED_FILE);
    assert_eq!(read::<SealedFile>(SEALED_FILE.as_bytes()), Ok(file.clone()));
    assert_eq!(file.objects, std::slice::from_ref(&sealed));
    let signature = sealed.signature.as_ref();
    assert_eq!(
        verify_digest(&[trusted()], &sealed.digest(), signature),
        Ok(())
    );
    let key: AgentKey = AGENT.parse().ok().unwrap();
    let values = [
        ("SESSION_KEY", "not a secret: 1"),
        ("STRIPE_API_KEY", "not a secret: ü"),
    ];
    assert_eq!(sealed.values.len(), values.len());
    for (name, value) in values {
        let place = SealedFor {
            cluster: sealed.cluster_id,
            object: &sealed.object,
            key: name,
            reference: &sealed.references[name],
        };
        let opened = key.open(place, &sealed.values[name]).unwrap();
        assert_eq!(opened.expose(), value.as_bytes());
    }
    let Bundle::Environment(bundle) = frozen::<Bundle>(BUNDLE) else {
        panic!("an environment's bundle");
    };
    let mut objects = bundle.all_objects();
    let object = objects.find(|object| object.key().as_ref() == Some(&sealed.object));
    assert_eq!(object.unwrap().sealed, sealed.references);
}

#[test]
fn what_is_asked_of_a_cluster_and_every_verdict() {
    let asked: Verifications = frozen(VERIFICATIONS);
    assert_eq!(
        read::<Verifications>(VERIFICATIONS.as_bytes()),
        Ok(asked.clone())
    );
    assert_eq!(
        verify_digest(&[trusted()], &asked.digest(), asked.signature()),
        Ok(())
    );
    let objects = &asked.verifications[0].objects;
    assert!(objects.iter().all(|asked| asked.object.digest_holds()));
    let ways: Vec<Way> = objects.iter().map(|asked| asked.way).collect();
    assert_eq!(ways, [Way::Write, Way::Adopt, Way::Replace]);
    let told: Verdicts = frozen(VERDICTS);
    assert_eq!(read::<Verdicts>(VERDICTS.as_bytes()), Ok(told.clone()));
    let words = told.verdicts.iter().map(|told| match &told.verdict {
        Verdict::Accepted => 0,
        Verdict::Approximate { .. } => 1,
        Verdict::Changed { .. } => 2,
        Verdict::Owned { .. } => 3,
        Verdict::Rejected { .. } => 4,
        Verdict::Unchecked { .. } => 5,
    });
    assert_eq!(words.collect::<BTreeSet<u8>>().len(), 6);
    let known: Vec<_> = objects.iter().map(|asked| &asked.object.digest).collect();
    assert!(
        told.verdicts
            .iter()
            .all(|told| known.contains(&&told.digest))
    );
}

#[test]
fn what_has_no_schema_word_and_the_operators_word() {
    let key: AgentKey = AGENT.parse().ok().unwrap();
    let posted: AgentPublicKey = frozen::<AgentKeyPost>(AGENT_KEY).public_key;
    assert_eq!(posted, key.public());
    let asked: SealedRequest = frozen(SEALED_REQUEST);
    assert_eq!(asked.bundle, frozen::<Bundle>(BUNDLE).digest());
    let profile: ClusterProfile = frozen(PROFILE);
    assert_eq!(ClusterProfile::read(PROFILE).unwrap(), profile);
}

/// Agents of a later version may say more (pods, for one); what this version knows of it counts.
#[test]
fn a_report_that_says_more_is_read() {
    let mut more: serde_json::Value = serde_json::from_str(REPORT).unwrap();
    let pods = serde_json::json!([{"name": "api-1", "phase": "Running"}]);
    more["pods"] = pods.clone();
    more["objects"][0]["pods"] = pods.clone();
    more["services"][0]["pods"] = pods.clone();
    more["drift"][0]["pods"] = pods;
    let report = read::<Report>(more.to_string().as_bytes());
    assert_eq!(report, Ok(frozen(REPORT)));
}

/// RFC 8785, 3.2.2.3: two texts of one digest could else mean two numbers.
#[test]
fn numbers_that_are_not_exact_are_refused_wherever_they_stand() {
    let at = |number: &str| {
        let text = BUNDLE.replacen(
            "\"largest\": 9007199254740991",
            &format!("\"largest\": {number}"),
            1,
        );
        read::<Bundle>(text.as_bytes())
    };
    for exact in ["9007199254740991", "-9007199254740991", "0"] {
        assert!(at(exact).is_ok(), "{exact}");
    }
    for other in [
        "9007199254740992",
        "-9007199254740992",
        "18446744073709551615",
        "18446744073709551616",
        "1.5",
        "1.0",
        "1e2",
        "-0",
    ] {
        let said = at(other).unwrap_err().to_string();
        assert!(
            said.contains("is no integer within ±(2^53 − 1)"),
            "{other}: {said}"
        );
    }
    let report = REPORT.replacen("9007199254740991", "9007199254740992", 1);
    assert!(read::<Report>(report.as_bytes()).is_err());
}
