//! Who may write what: every row of `tests/admission/table.json` on the real API server, with the agent's
//! manifests installed.
//!
//! Effects: a cluster, its manifests. Requests are dry-runs, but for connections, which have none.

mod table;

use std::{collections::BTreeMap, collections::BTreeSet, fs, path::PathBuf, time::Duration};

use serde_json::{Value, json};
use starform_contract::ClusterProfile;

use crate::support::{
    cluster::{Answer, Cluster},
    wait_for,
};
use table::{By, Does, Row, Table};

/// A ClusterRoleBinding gives it every right, so that only admission decides.
const UNBOUND: &str = "table:every-right";

#[test]
fn every_row_of_the_table_is_decided_as_it_says() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let table = Table::read();
    cluster.install_manifests_of(&profile(&cluster));
    prepare(&cluster, &table);
    let wrong: Vec<String> = table
        .rows
        .iter()
        .filter_map(|row| {
            let found = decide(&cluster, &table, row);
            (found.0 != row.then).then(|| format!("{row:?}\n  {}: {}", found.0, found.1))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} rows:\n{}",
        wrong.len(),
        table.rows.len(),
        wrong.join("\n")
    );
    the_largest_route_costs_little_enough(&cluster, &table);
    the_api_server_finds_no_fault_in_any_policy(&cluster);
}

/// As many rules, backends and mirrors as the API allows; above the limit a policy would refuse it.
fn the_largest_route_costs_little_enough(cluster: &Cluster, table: &Table) {
    let backend = json!({ "name": "web--production", "port": 80 });
    let mirror = json!({ "type": "RequestMirror", "requestMirror": { "backendRef": backend } });
    let mut full = backend.clone();
    full["filters"] = json!(vec![mirror.clone(); 16]);
    let rule = json!({ "backendRefs": vec![full; 16], "filters": vec![mirror; 16] });
    let row = Row {
        who: "applier".to_owned(),
        does: Does::Create,
        to: "route".to_owned(),
        of: None,
        with: Some(json!({ "spec": { "rules": vec![rule; 16] } })),
        by: By::EveryRight,
        then: "allowed".to_owned(),
    };
    let (found, said) = decide(cluster, table, &row);
    assert_eq!(found, row.then, "{said}");
}

/// It compiles each policy against the kinds that it is about, and tells what does not fit.
fn the_api_server_finds_no_fault_in_any_policy(cluster: &Cluster) {
    let path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
    let ours = |policy: &Value| {
        let name = policy["metadata"]["name"].as_str().unwrap();
        name.starts_with("starform-")
    };
    let policies = wait_for(
        "the policies to be checked",
        Duration::from_secs(30),
        || {
            let policies = cluster.list(path).into_iter().filter(ours);
            let policies: Vec<Value> = policies.collect();
            let checked = |policy: &Value| policy["status"]["observedGeneration"].is_u64();
            policies.iter().all(checked).then_some(policies)
        },
    );
    for policy in policies {
        let warnings = &policy["status"]["typeChecking"]["expressionWarnings"];
        assert!(
            warnings.is_null(),
            "{}: {warnings:#}",
            policy["metadata"]["name"]
        );
    }
}

/// Without a server: the table has what it is there for.
#[test]
fn the_table_tries_every_policy_both_ways() {
    let table = Table::read();
    assert!(table.rows.len() >= 60, "{}", table.rows.len());
    let mut by_verdict: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &table.rows {
        assert!(table.objects.contains_key(&row.to), "{row:?}");
        *by_verdict.entry(&row.then).or_default() += 1;
    }
    let policies = starform_shuttle::manifests::manifests(&Default::default());
    let policies = policies
        .iter()
        .filter(|object| object["kind"] == "ValidatingAdmissionPolicy");
    for policy in policies {
        let name = policy["metadata"]["name"].as_str().unwrap();
        let refused = by_verdict.remove(name.trim_start_matches("starform-"));
        assert!(refused.is_some_and(|rows| rows > 3), "{name}: {refused:?}");
    }
    assert!(by_verdict.remove("allowed").is_some_and(|rows| rows > 50));
    assert!(by_verdict.remove("rights").is_some_and(|rows| rows > 10));
    assert!(by_verdict.is_empty(), "no such verdicts: {by_verdict:?}");
    let used: BTreeSet<&String> = table.rows.iter().map(|row| &row.who).collect();
    assert!(used.into_iter().eq(table.identities.keys()));
}

/// Without a server: no label that P1 stands on could be left out of it unseen.
#[test]
fn every_label_of_a_pod_is_left_out_and_changed() {
    let table = Table::read();
    let labels = table.objects["pod"].body["metadata"]["labels"].as_object();
    for label in labels.unwrap().keys() {
        let tries = |does: Does, is_tried: &dyn Fn(&Value) -> bool| {
            table.rows.iter().any(|row| {
                let text = row.with.as_ref();
                let text = text.and_then(|with| with["metadata"]["labels"].get(label));
                let refused = row.then == "p1-pod-labels" && row.to == "pod";
                refused && row.does == does && text.is_some_and(is_tried)
            })
        };
        let other = |text: &Value| text.as_str().is_some_and(|text| !text.is_empty());
        assert!(tries(Does::Create, &Value::is_null), "{label}: left out");
        assert!(tries(Does::Create, &|text| text == ""), "{label}: empty");
        assert!(tries(Does::Change, &Value::is_null), "{label}: taken off");
        assert!(tries(Does::Change, &other), "{label}: changed");
    }
}

/// Nothing of its Gateway is as in the default profile, which rows of the table ask for in vain.
fn profile(cluster: &Cluster) -> PathBuf {
    let path = cluster.path().join("cluster.json");
    let mut profile = ClusterProfile::default();
    let gateway = &mut profile.gateway;
    gateway.name = "edge".to_owned();
    gateway.namespace = "gateways".to_owned();
    gateway.controller = "system:serviceaccount:gateways:traffic".to_owned();
    gateway.listener = Some("https".to_owned());
    fs::write(&path, serde_json::to_vec(&profile).unwrap()).unwrap();
    path
}

/// Gives HTTPRoutes what only the experimental channel of the Gateway API knows: another way to a Gateway,
/// and another filter with a backend.
fn with_experimental_fields(cluster: &Cluster, route: &table::Object) {
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/httproutes.gateway.networking.k8s.io";
    let mut versions = cluster.get(path).unwrap()["spec"]["versions"].take();
    let open = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    for version in versions.as_array_mut().unwrap() {
        let spec = &mut version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
        spec["useDefaultGateways"] = json!({ "type": "string" });
        let rule = &mut spec["rules"]["items"]["properties"];
        for place in ["/filters", "/backendRefs/items/properties/filters"] {
            let filter = &mut rule.pointer_mut(place).unwrap()["items"]["properties"];
            filter["externalAuth"] = open.clone();
            let types = filter["type"]["enum"].as_array_mut().unwrap();
            types.push(json!("ExternalAuth"));
        }
    }
    cluster.patch(path, &json!({ "spec": { "versions": versions } }));
    let mut body = route.body.clone();
    body["spec"]["useDefaultGateways"] = json!("None");
    let at = format!("{}?dryRun=All&fieldValidation=Strict", route.at);
    wait_for("the experimental fields", Duration::from_secs(20), || {
        let answer = cluster.ask(&[], "POST", &at, Some(&body), "application/json");
        (answer.code != 400).then_some(())
    });
}

/// Creates what lives, and waits until the policies are in force.
fn prepare(cluster: &Cluster, table: &Table) {
    let binding = json!({
        "metadata": { "name": "table" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": UNBOUND }],
    });
    let path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
    cluster.create(path, &binding);
    // The table's order: Namespaces first.
    let living = table.objects.values().filter(|object| object.lives);
    let (namespaces, others): (Vec<_>, Vec<_>) =
        living.partition(|object| object.at.ends_with("/namespaces"));
    for namespace in namespaces {
        cluster.create(&namespace.at, &namespace.body);
        let name = namespace.body["metadata"]["name"].as_str().unwrap();
        let account = format!("/api/v1/namespaces/{name}/serviceaccounts/default");
        wait_for("the default account", Duration::from_secs(20), || {
            cluster.get(&account)
        });
    }
    with_experimental_fields(cluster, &table.objects["route"]);
    for object in others {
        cluster.create(&object.at, &object.body);
    }
    // The last policy that was installed, and the rights of the table.
    let canary = table
        .rows
        .iter()
        .rfind(|row| row.then == "p11-agent" && row.by == By::EveryRight);
    let canary = canary.expect("a row that the last policy refuses");
    wait_for("the policies", Duration::from_secs(20), || {
        (decide(cluster, table, canary).0 == canary.then).then_some(())
    });
}

/// `allowed`, `rights`, or the policy that refuses; and what was said.
fn decide(cluster: &Cluster, table: &Table, row: &Row) -> (String, String) {
    let object = &table.objects[&row.to];
    let mut body = object.body.clone();
    let change = row.with.clone().unwrap_or_else(|| json!({}));
    merge(&mut body, &change);
    let name = body["metadata"]["name"].as_str();
    let name = name.or(object.body["metadata"]["name"].as_str()).unwrap();
    let sub = row.of.as_deref().unwrap_or_default();
    let one = format!("{}/{name}/{sub}", object.at);
    let one = one.trim_end_matches('/');
    let (json, at) = ("application/json", &object.at);
    let (merge, apply) = (
        "application/merge-patch+json",
        "application/apply-patch+yaml",
    );
    let (method, path, sent, kind) = match row.does {
        // What is made at a subresource is another kind.
        Does::Create if row.of.is_some() => ("POST", one, Some(&change), json),
        Does::Create => ("POST", at.as_str(), Some(&body), json),
        Does::Apply => ("PATCH", one, Some(&body), apply),
        Does::Change => ("PATCH", one, Some(&change), merge),
        Does::Delete => ("DELETE", one, None, json),
        Does::Connect => ("POST", one, None, json),
        Does::Read => ("GET", one, None, json),
    };
    let options = match row.does {
        Does::Create | Does::Change | Does::Delete => "?dryRun=All",
        Does::Apply => "?dryRun=All&fieldManager=table&force=true",
        Does::Connect => "?command=sh&ports=80",
        Does::Read => "",
    };
    let identity = table.headers(row, UNBOUND);
    let answer = cluster.ask(&identity, method, &format!("{path}{options}"), sent, kind);
    (verdict(row, &answer), answer.message)
}

fn verdict(row: &Row, answer: &Answer) -> String {
    let policy = answer
        .message
        .split("ValidatingAdmissionPolicy 'starform-")
        .nth(1);
    if let Some((name, _)) = policy.and_then(|rest| rest.split_once('\'')) {
        return name.to_owned();
    }
    match (answer.code, row.does) {
        (403, _) if answer.message.contains(" cannot ") => "rights".to_owned(),
        (200..=299, _) => "allowed".to_owned(),
        // It is there already, or bound already: storage says so, after admission.
        (409, Does::Create) => "allowed".to_owned(),
        // So does a disruption budget.
        (429, Does::Create) if row.of.as_deref() == Some("eviction") => "allowed".to_owned(),
        // Whatever it met on its way, the request was let go.
        (_, Does::Connect) => "allowed".to_owned(),
        (code, _) => format!("HTTP {code}"),
    }
}

/// JSON merge patch (RFC 7386).
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let object = target.as_object_mut().unwrap();
    for (key, value) in fields {
        if value.is_null() {
            object.remove(key);
        } else {
            merge(object.entry(key).or_insert(Value::Null), value);
        }
    }
}

impl Table {
    fn headers(&self, row: &Row, unbound: &str) -> Vec<(&'static str, String)> {
        let identity = &self.identities[&row.who];
        let mut headers = vec![("impersonate-user", identity.user.clone())];
        let mut groups = identity.groups.clone();
        if row.by == By::EveryRight {
            groups.push(unbound.to_owned());
        }
        headers.extend(groups.into_iter().map(|group| ("impersonate-group", group)));
        headers
    }
}
