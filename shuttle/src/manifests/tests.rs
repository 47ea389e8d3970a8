//! The manifests as data: what no rule may ever grant, and which kinds the fence is around.

use std::collections::BTreeSet;

use serde_json::Value;
use starform_contract::ClusterProfile;

use super::manifests;
use crate::kinds::KINDS;

fn of_kind(kind: &str) -> Vec<Value> {
    let mut profile = ClusterProfile::default();
    profile.gateway.load_balancer = serde_json::from_str(r#"{"service": "proxy"}"#).unwrap();
    let all = manifests(&profile);
    all.into_iter()
        .filter(|object| object["kind"] == kind)
        .collect()
}

fn texts(value: &Value) -> BTreeSet<&str> {
    let items = value.as_array().map_or(&[][..], Vec::as_slice);
    items.iter().filter_map(Value::as_str).collect()
}

#[test]
fn no_rule_grants_more_than_it_names() {
    let roles = [of_kind("ClusterRole"), of_kind("Role")].concat();
    let rules: Vec<&Value> = roles
        .iter()
        .flat_map(|role| role["rules"].as_array().unwrap())
        .collect();
    assert!(rules.len() > 20 && roles.len() == 4, "{rules:#?}");
    for rule in rules {
        let (groups, resources) = (texts(&rule["apiGroups"]), texts(&rule["resources"]));
        let verbs = texts(&rule["verbs"]);
        let everything = [&groups, &resources, &verbs]
            .iter()
            .any(|words| words.contains("*"));
        assert!(!everything, "{rule}");
        let never = [
            "nodes/proxy",
            "pods/attach",
            "pods/exec",
            "serviceaccounts/token",
        ];
        assert!(never.iter().all(|word| !resources.contains(word)), "{rule}");
        assert!(!groups.contains("admissionregistration.k8s.io"), "{rule}");
        assert!(!verbs.contains("escalate"), "{rule}");
        let by_name = !texts(&rule["resourceNames"]).is_empty();
        let mighty = verbs.contains("impersonate") || verbs.contains("bind");
        assert!(by_name || !mighty, "{rule}");
    }
}

#[test]
fn the_agents_own_rights_reach_no_secret_of_a_project() {
    let own = of_kind("ClusterRole")
        .into_iter()
        .find(|role| role["metadata"]["name"] == super::AGENT)
        .unwrap();
    let written = ["create", "patch", "update", "delete"];
    for rule in own["rules"].as_array().unwrap() {
        let (resources, verbs) = (texts(&rule["resources"]), texts(&rule["verbs"]));
        assert!(!resources.contains("secrets"), "{rule}");
        let writes = written.iter().any(|verb| verbs.contains(verb));
        let own = resources.contains("namespaces") || resources.contains("rolebindings");
        assert!(!writes || own, "{rule}");
    }
}

#[test]
fn every_kind_in_a_project_is_guarded_against_other_writers() {
    let policies = of_kind("ValidatingAdmissionPolicy");
    let writers = policies
        .iter()
        .find(|policy| policy["metadata"]["name"] == "starform-p7-writers");
    let constraints = &writers.unwrap()["spec"]["matchConstraints"];
    let rules = constraints["resourceRules"].as_array().unwrap();
    let guarded = |group: &str, resource: &str| {
        rules.iter().any(|rule| {
            let resources = texts(&rule["resources"]);
            texts(&rule["apiGroups"]).contains(group)
                && texts(&rule["operations"]).contains("DELETE")
                && (resources.contains(resource) || resources.contains("*/*"))
        })
    };
    // Namespaces themselves are another policy's.
    for kind in KINDS.iter().filter(|kind| kind.namespaced) {
        // Nothing is rendered as a ConfigMap, and the cluster's own publisher writes one.
        let free = kind.kind == "ConfigMap";
        assert_eq!(guarded(kind.group, kind.plural), !free, "{}", kind.kind);
    }
}

#[test]
fn every_policy_fails_closed_and_is_bound() {
    let policies = of_kind("ValidatingAdmissionPolicy");
    let bindings = of_kind("ValidatingAdmissionPolicyBinding");
    assert_eq!((policies.len(), bindings.len()), (8, 8));
    for (policy, binding) in policies.iter().zip(&bindings) {
        assert_eq!(policy["spec"]["failurePolicy"], "Fail");
        assert_eq!(binding["spec"]["policyName"], policy["metadata"]["name"]);
        assert!(texts(&binding["spec"]["validationActions"]).contains("Deny"));
    }
}
