//! What of a cluster's profile comes out: project objects by tier, the Gateway, ranges, pull secrets.
//!
//! Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use starform_contract::{
    ClusterProfile, Deletion, Object,
    bundle::{SealedRef, Wave},
    profile::RegistrySecret,
    range::Cidr,
};
use starform_plan::render::render;

use super::{kind, name, object_of};
use crate::sample::shop;

fn range(text: &str) -> Cidr {
    text.parse().unwrap()
}

fn project_object(profile: &ClusterProfile, wanted: &str) -> Object {
    let objects = render(&shop(), profile).project.objects;
    let found = objects.into_iter().find(|object| kind(object) == wanted);
    found.unwrap_or_else(|| panic!("the project has a {wanted}"))
}

#[test]
fn a_project_has_what_its_tier_says() {
    let profile = ClusterProfile::default();
    let quota = project_object(&profile, "ResourceQuota");
    assert_eq!(name(&quota), "starform-quota");
    let hard = json!({
        "limits.memory": "128Gi",
        "persistentvolumeclaims": "50",
        "pods": "250",
        "requests.cpu": "64",
        "requests.memory": "128Gi",
        "requests.storage": "1000Gi",
        "services.loadbalancers": "0",
        "services.nodeports": "0",
    });
    assert_eq!(quota.manifest["spec"], json!({ "hard": hard }));
    let limits = project_object(&profile, "LimitRange");
    let container = json!({
        "type": "Container",
        "default": { "ephemeral-storage": "2Gi", "memory": "128Mi" },
        "defaultRequest": { "cpu": "50m", "ephemeral-storage": "128Mi", "memory": "128Mi" },
        "max": { "memory": "32Gi" },
    });
    let volume = json!({ "type": "PersistentVolumeClaim", "max": { "storage": "500Gi" } });
    assert_eq!(
        limits.manifest["spec"]["limits"],
        json!([container, volume])
    );
    let annotations = &limits.manifest["metadata"]["annotations"];
    assert_eq!(annotations["starform.io/largest-cpu"], "16");
}

#[test]
fn what_a_tier_leaves_out_is_not_limited() {
    let text = r#"{"tiers":{"standard":{"quota":{"pods":7},"largest":{"memory":"64Mi"}}}}"#;
    let profile = ClusterProfile::read(text).unwrap();
    let quota = project_object(&profile, "ResourceQuota");
    let hard = json!({ "pods": "7", "services.loadbalancers": "0", "services.nodeports": "0" });
    assert_eq!(quota.manifest["spec"]["hard"], hard);
    let limits = project_object(&profile, "LimitRange");
    let items = limits.manifest["spec"]["limits"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    // The API server refuses a default above the maximum.
    assert_eq!(items[0]["default"]["memory"], "64Mi");
    assert_eq!(items[0]["max"], json!({ "memory": "64Mi" }));
    assert_eq!(limits.manifest["metadata"].get("annotations"), None);
}

#[test]
fn the_applier_has_its_rights_first_and_as_long_as_the_namespace() {
    let binding = project_object(&ClusterProfile::default(), "RoleBinding");
    let namespace = &binding.manifest["metadata"]["namespace"];
    assert_eq!(name(&binding), "starform-applier");
    let subject = json!({
        "kind": "ServiceAccount", "name": "starform-applier", "namespace": namespace,
    });
    assert_eq!(binding.manifest["subjects"], json!([subject]));
    assert_eq!(binding.manifest["roleRef"]["name"], "starform-applier");
    assert_eq!(binding.wave, Wave(0));
    assert_eq!(binding.deletion, Deletion::WithProject);
}

#[test]
fn images_are_pulled_with_the_secret_of_the_profile() {
    let mut profile = ClusterProfile::default();
    let account = |profile: &ClusterProfile| {
        object_of(&render(&shop(), profile), "storefront", "ServiceAccount")
    };
    assert_eq!(account(&profile).get("imagePullSecrets"), None);
    profile.registry_secret = Some(RegistrySecret {
        name: "registry".to_owned(),
        version: Some(3),
    });
    let secrets = json!([{ "name": "starform-registry" }]);
    assert_eq!(account(&profile)["imagePullSecrets"], secrets);
    let rendered = render(&shop(), &profile);
    let mut objects = rendered.project.objects.iter();
    let secret = objects.find(|object| object.manifest["kind"] == "Secret");
    let secret = secret.unwrap();
    let Value::Object(manifest) = &secret.manifest else {
        panic!("{}", secret.manifest)
    };
    // Neither a value nor a place for one: it is filled in when it is written.
    let fields: Vec<&String> = manifest.keys().collect();
    assert_eq!(fields, ["apiVersion", "kind", "metadata", "type"]);
    assert_eq!(manifest["type"], "kubernetes.io/dockerconfigjson");
    assert_eq!(manifest["metadata"]["name"], "starform-registry");
    let namespace = json!(rendered.project.namespace);
    assert_eq!(manifest["metadata"]["namespace"], namespace);
    assert_eq!((secret.wave, secret.deletion), (Wave(2), Deletion::Delete));
    let reference = SealedRef {
        secret: "registry".to_owned(),
        version: 3,
        environment: None,
    };
    let sealed = BTreeMap::from([(".dockerconfigjson".to_owned(), reference)]);
    assert_eq!(secret.sealed, sealed);
}

#[test]
fn another_version_of_the_registrys_secret_changes_that_secret_alone() {
    let rendered = |version| {
        let registry_secret = Some(RegistrySecret {
            name: "registry".to_owned(),
            version,
        });
        let profile = ClusterProfile {
            registry_secret,
            ..ClusterProfile::default()
        };
        render(&shop(), &profile)
    };
    let (first, second) = (rendered(Some(1)), rendered(Some(2)));
    assert_eq!(first.environment, second.environment);
    let pairs = first.project.objects.iter().zip(&second.project.objects);
    let changed: Vec<&Value> = pairs
        .filter(|(before, after)| before != after)
        .map(|(before, _)| &before.manifest["metadata"]["name"])
        .collect();
    assert_eq!(changed, ["starform-registry"]);
}

#[test]
fn routes_and_ways_in_are_those_of_the_gateway() {
    let mut profile = ClusterProfile::default();
    profile.gateway.listener = Some("https".to_owned());
    profile.gateway.pods = BTreeMap::from([("app".to_owned(), "proxy".to_owned())]);
    let rendered = render(&shop(), &profile);
    let route = object_of(&rendered, "storefront", "HTTPRoute");
    let parent: &Value = &route["spec"]["parentRefs"][0];
    assert_eq!(parent["sectionName"], "https");
    let policy = object_of(&rendered, "storefront", "NetworkPolicy");
    let gateway = json!({
        "namespaceSelector": {
            "matchLabels": { "kubernetes.io/metadata.name": "envoy-gateway-system" },
        },
        "podSelector": { "matchLabels": { "app": "proxy" } },
    });
    assert_eq!(policy["spec"]["ingress"][1]["from"], json!([gateway]));
}

#[test]
fn egress_leaves_out_private_and_denied_ranges() {
    let mut profile = ClusterProfile::default();
    profile.egress.denied = ["203.0.113.0/24", "2001:db8::/32"].map(range).to_vec();
    profile.egress.allowed = vec![range("10.20.0.0/24")];
    let rendered = render(&shop(), &profile);
    let rules = &rendered.environment.objects[0].manifest["spec"]["egress"];
    let v4 = &rules[2]["to"][0]["ipBlock"];
    assert_eq!(v4["cidr"], "0.0.0.0/0");
    for range in [
        "10.0.0.0/8",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "203.0.113.0/24",
    ] {
        assert!(
            v4["except"].as_array().unwrap().contains(&json!(range)),
            "{range}"
        );
    }
    let v6 = &rules[2]["to"][1]["ipBlock"]["except"];
    assert_eq!(*v6, json!(["2001:db8::/32", "fc00::/7", "fe80::/10"]));
    assert_eq!(
        rules[3],
        json!({ "to": [{ "ipBlock": { "cidr": "10.20.0.0/24" } }] })
    );
}

#[test]
fn a_cluster_without_internet_keeps_dns_and_its_environment() {
    let mut profile = ClusterProfile::default();
    profile.egress.denied = ["0.0.0.0/0", "::/0"].map(range).to_vec();
    let rendered = render(&shop(), &profile);
    let rules = &rendered.environment.objects[0].manifest["spec"]["egress"];
    assert_eq!(rules.as_array().unwrap().len(), 2);
}
