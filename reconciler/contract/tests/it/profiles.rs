//! What a profile may say, and what is said about one that may not be.
//!
//! Pure.

use serde_json::json;
use starform_contract::{
    ClusterProfile,
    profile::{InvalidProfile, KubernetesVersion},
    range::Cidr,
};

/// A profile, and how what is said about it begins.
const FAULTS: &[(&str, &str)] = &[
    (r#"{"gatway":{}}"#, "gatway: unknown field `gatway`"),
    (r#"{"schema":"starform.cluster-profile/v9"}"#, "schema: "),
    (
        r#"{"gateway":{"name":"gw","namespace":"Envoy"}}"#,
        "gateway.namespace: `Envoy` is no name of a namespace; use lower-case",
    ),
    (
        r#"{"gateway":{"name":"gw","namespace":"gw","pods":{"a b":"c"}}}"#,
        "gateway.pods.a b: `a b: c` is no label; copy it",
    ),
    (
        r#"{"gateway":{"name":"gw","namespace":"gw","load_balancer":{"service":"lb","size_unit_annotation":"a/b/c"}}}"#,
        "gateway.load_balancer.size_unit_annotation: `a/b/c` is no annotation",
    ),
    (
        r#"{"base_domain":"apps.example.org:443"}"#,
        "base_domain: `apps.example.org:443` is no domain; write",
    ),
    (
        r#"{"storage_classes":{"a":{"class":"x","default":true},"b":{"class":"y","default":true}}}"#,
        "storage_classes: a, b all say that they are the default; leave",
    ),
    (
        r#"{"tiers":{}}"#,
        "tiers: there is no tier, so no project could run here; leave",
    ),
    (
        r#"{"tiers":{"free":{"quota":{"cpu":"2 cores"}}}}"#,
        "tiers.free.quota.cpu: `2 cores` is not an amount of CPU; write",
    ),
    (
        r#"{"tiers":{"free":{"quota":{"pods":0}}}}"#,
        "tiers.free.quota.pods: nothing fits into zero; leave",
    ),
    (
        r#"{"tiers":{"free":{"quota":{"cpu":"1"},"largest":{"cpu":"2"}}}}"#,
        "tiers.free.largest.cpu: a single one may not be larger",
    ),
    (
        r#"{"egress":{"denied":["10.0.0.0/8","10.1.2.3/8"]}}"#,
        "egress.denied[1]: `10.1.2.3/8` is not where a range begins; the range that it lies in is `10.0.0.0/8`",
    ),
    (
        r#"{"egress":{"denied":["10.0.0.0"]}}"#,
        "egress.denied[0]: `10.0.0.0` is no range; write",
    ),
    (
        r#"{"egress":{"allowed":["0.0.0.0/0"]}}"#,
        "egress.allowed[0]: `0.0.0.0/0` opens everything",
    ),
    (
        r#"{"egress":{"allowed":["169.254.169.254/32"]}}"#,
        "egress.allowed[0]: `169.254.169.254/32` reaches into 169.254.0.0/16",
    ),
    (
        r#"{"egress":{"allowed":["10.0.0.0/8"],"denied":["10.20.0.0/16"]}}"#,
        "egress.allowed[0]: `10.0.0.0/8` would open `10.20.0.0/16` again",
    ),
    (
        r#"{"people":["*"]}"#,
        "people[0]: `*` would match nothing or everything",
    ),
    (
        r#"{"kubernetes":"1.29"}"#,
        "kubernetes: Kubernetes 1.29 is too old: containers cannot sleep",
    ),
    (
        r#"{"kubernetes":"latest"}"#,
        "kubernetes: `latest` is no version; write",
    ),
    (
        r#"{"registry_secret":{"name":"a_b"}}"#,
        "registry_secret.name: `a_b` is no name of a secret",
    ),
    ("{", "it is not JSON: EOF"),
];

fn faults(text: &str) -> Vec<String> {
    let InvalidProfile(faults) = ClusterProfile::read(text).unwrap_err();
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn an_empty_object_is_a_profile_and_the_default_passes() {
    let profile = ClusterProfile::read("{}").unwrap();
    assert_eq!(profile, ClusterProfile::default());
    profile.check().unwrap();
    let again = serde_json::to_string(&profile).unwrap();
    assert_eq!(ClusterProfile::read(&again).unwrap(), profile);
}

#[test]
fn every_fault_names_its_place_and_what_to_do() {
    for (text, expected) in FAULTS {
        let said = faults(text);
        assert!(said[0].starts_with(expected), "{text}\n{said:?}");
        assert_eq!(said.len(), 1, "{text}\n{said:?}");
    }
}

#[test]
fn all_faults_of_a_profile_are_said_at_once() {
    let text = json!({
        "base_domain": "-",
        "scraper_namespace": "Monitoring",
        "egress": { "allowed": ["::/0"] },
    });
    assert_eq!(faults(&text.to_string()).len(), 3);
}

#[test]
fn storage_classes_and_tiers_are_found_by_name_or_told() {
    let text = r#"{"storage_classes":{"fast":{"class":"ssd","grows":true},"slow":{"class":"hdd","default":true}}}"#;
    let profile = ClusterProfile::read(text).unwrap();
    let class = |asked| {
        profile
            .storage_class(asked)
            .map(|class| class.map(|c| c.class.clone()))
    };
    assert_eq!(class(Some("fast")), Ok(Some("ssd".to_owned())));
    assert_eq!(class(None), Ok(Some("hdd".to_owned())));
    assert_eq!(class(Some("ssd")).unwrap_err().known, ["fast", "slow"]);
    assert_eq!(
        profile.tier("gold").unwrap_err().known,
        ["large", "small", "standard"]
    );
    let any = ClusterProfile::default();
    assert_eq!(any.storage_class(Some("whatever")), Ok(None));
}

#[test]
fn ranges_know_what_lies_in_them() {
    let range = |text: &str| text.parse::<Cidr>().unwrap();
    assert!(range("10.0.0.0/8").contains(&range("10.255.0.0/16")));
    assert!(!range("10.255.0.0/16").contains(&range("10.0.0.0/8")));
    assert!(range("10.255.0.0/16").overlaps(&range("10.0.0.0/8")));
    assert!(!range("10.0.0.0/8").overlaps(&range("11.0.0.0/8")));
    assert!(!range("0.0.0.0/0").contains(&range("fd00::/8")));
    assert!(range("::/0").contains(&range("fd00::/8")));
    assert_eq!(range("FD00:0::/8").to_string(), "fd00::/8");
    for wrong in [
        "",
        "/",
        "10.0.0.0/33",
        "10.0.0.0/08",
        "10.0.0.0/+8",
        "010.0.0.0/8",
        "::ffff:10.0.0.0/104",
        "fe80::%1/64",
    ] {
        assert!(wrong.parse::<Cidr>().is_err(), "{wrong}");
    }
}

#[test]
fn versions_are_read_as_api_servers_print_them() {
    for text in ["1.36", "v1.36.3", "1.36.0-gke.100"] {
        let version: KubernetesVersion = text.parse().unwrap();
        assert_eq!(version.to_string(), "1.36");
    }
    for text in ["", "2.1", "1", "1.+36", "1.x"] {
        assert!(text.parse::<KubernetesVersion>().is_err(), "{text}");
    }
}
