//! Who is there beside the tenants: the Gateway's proxies, the scraper, DNS, strangers; and the addresses outside.
//!
//! Effects: creates pods in the cluster and waits until they run.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use super::{
    declared::{Kind, Project},
    rule::{Address, End, Pod},
};
use crate::support::{cluster::Cluster, wait_for};

pub(super) const MONITORING: &str = "monitoring";
const GATEWAY: &str = "envoy-gateway-system";
const ELSEWHERE: &str = "elsewhere";
const SYSTEM: &str = "kube-system";

/// Creates everybody and says who is who, once all pods run.
pub(super) fn settle<'p>(cluster: &Cluster, projects: &'p [Project]) -> BTreeMap<String, End<'p>> {
    let namespaces: Vec<String> = projects.iter().map(|p| namespace(cluster, p)).collect();
    let mut known = others(cluster, projects, &namespaces);
    for (project, namespace) in projects.iter().zip(&namespaces) {
        for environment in &project.environments {
            run_crons(cluster, project, namespace, environment);
        }
    }
    // One pod of a release beside the declared ones in each environment.
    let declared: usize = projects
        .iter()
        .map(|project| (project.pods() + 1) * project.environments.len())
        .sum();
    let tenants = wait_for("every pod to run", Duration::from_secs(60), || {
        let pods = cluster.list("/api/v1/pods");
        let running = pods.iter().filter(|pod| pod["status"]["podIP"].is_string());
        let running: Vec<&Value> = running
            .filter(|pod| pod["status"]["phase"] == "Running")
            .collect();
        let others = running.iter().filter(|pod| known.contains_key(&name(pod)));
        let tenants = running.iter().filter_map(|pod| tenant(projects, pod));
        let tenants: BTreeMap<String, End<'p>> = tenants.collect();
        (others.count() == known.len() && tenants.len() == declared && running.len() == pods.len())
            .then_some(tenants)
    });
    known.extend(tenants);
    known
}

/// Policies that let through too much, each in another way.
pub(super) fn holes() -> [(&'static str, Value); 5] {
    let block = |range: &str| json!([{ "to": [{ "ipBlock": { "cidr": range } }] }]);
    let namespace = |name: &str| {
        json!([{ "from": [{ "namespaceSelector": {
            "matchLabels": { "kubernetes.io/metadata.name": name },
        } }] }])
    };
    let neighbours = json!([{ "from": [{ "podSelector": {} }] }]);
    [
        ("everything", json!({ "ingress": [{}], "egress": [{}] })),
        (
            "environments of one project, at one end",
            json!({ "ingress": neighbours }),
        ),
        ("metadata", json!({ "egress": block("169.254.169.254/32") })),
        (
            "the gateway at every port",
            json!({ "ingress": namespace(GATEWAY) }),
        ),
        (
            "the scraper at every port",
            json!({ "ingress": namespace(MONITORING) }),
        ),
    ]
}

/// Adds a policy for every pod of the project; what comes back takes it away.
pub(super) fn open(cluster: &Cluster, project: &Project, spec: &Value) -> impl FnOnce() {
    let namespace = namespace(cluster, project);
    let path = format!("/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies");
    let mut spec = spec.clone();
    spec["podSelector"] = json!({});
    let types = [("ingress", "Ingress"), ("egress", "Egress")];
    let types = types.iter().filter(|(field, _)| spec.get(field).is_some());
    spec["policyTypes"] = types.map(|(_, name)| json!(name)).collect();
    cluster.create(
        &path,
        &json!({ "metadata": { "name": "hole" }, "spec": spec }),
    );
    move || cluster.delete(&format!("{path}/hole"))
}

/// Where pods may want to go, and come from, beyond the cluster's pods; nodes and API server are this cluster's own.
pub(super) fn addresses(cluster: &Cluster) -> Vec<(String, Address)> {
    let fixed = [
        ("1.1.1.1", Address::Internet),
        ("203.0.113.9", Address::Internet),
        ("2606:4700:4700::1111", Address::Internet),
        ("10.20.0.7", Address::Opened),
        ("169.254.20.10", Address::Dns),
        // Metadata services: most clouds, AWS over IPv6, its credentials, Alibaba.
        ("169.254.169.254", Address::Platform),
        ("fd00:ec2::254", Address::Platform),
        ("169.254.170.2", Address::Platform),
        ("100.100.100.200", Address::Platform),
        // Control plane and store with public addresses, which the profile denies.
        ("198.51.100.10", Address::Platform),
        ("2001:db8:5::10", Address::Platform),
        // Private networks, where nodes and stores usually are.
        ("10.21.0.7", Address::Platform),
        ("172.16.0.1", Address::Platform),
        ("172.31.255.254", Address::Platform),
        ("192.168.1.10", Address::Platform),
        ("fe80::1", Address::Platform),
    ];
    let server = cluster.get("/api/v1/namespaces/default/services/kubernetes");
    let server = server.unwrap()["spec"]["clusterIP"].clone();
    let nodes = cluster.list("/api/v1/nodes");
    let nodes = nodes.iter().flat_map(|node| {
        let addresses = node["status"]["addresses"].as_array();
        let internal = addresses.into_iter().flatten();
        let internal = internal.filter(|address| address["type"] == "InternalIP");
        internal.map(|address| address["address"].clone())
    });
    let live: BTreeMap<String, Address> = nodes
        .chain([server])
        .map(|address| (address.as_str().unwrap().to_owned(), Address::Platform))
        .collect();
    assert!(live.len() > 1, "nodes and the API server have addresses");
    let fixed = fixed.map(|(address, is)| (address.to_owned(), is));
    fixed.into_iter().chain(live).collect()
}

/// As `testbed reach` calls a pod.
pub(super) fn name(pod: &Value) -> String {
    let of = |field: &str| pod["metadata"][field].as_str().unwrap().to_owned();
    format!("{}/{}", of("namespace"), of("name"))
}

/// Whether a disruption budget's selector is about the pod.
pub(super) fn is_counted(budget: &Value, pod: &Value) -> bool {
    let selector = budget["spec"]["selector"]["matchLabels"]
        .as_object()
        .unwrap();
    let labels = &pod["metadata"]["labels"];
    let selected = selector.iter().all(|(key, value)| labels[key] == *value);
    selected && budget["metadata"]["namespace"] == pod["metadata"]["namespace"]
}

/// Everybody but the tenants. Strangers wear the labels of those who are let in.
fn others<'p>(
    cluster: &Cluster,
    projects: &[Project],
    namespaces: &[String],
) -> BTreeMap<String, End<'p>> {
    let worn = |namespace: &String, project: &Project| {
        let name = format!("site--{}", project.environments[0]);
        let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}");
        cluster.get(&path).unwrap()["spec"]["template"]["metadata"]["labels"].clone()
    };
    let (first, second) = (&namespaces[0], &namespaces[1]);
    let dns = json!({ "k8s-app": "kube-dns" });
    let none = json!({});
    for namespace in [MONITORING, GATEWAY, ELSEWHERE] {
        let labels = json!({ "app.kubernetes.io/managed-by": "starform" });
        let object = json!({ "metadata": { "name": namespace, "labels": labels } });
        cluster.create("/api/v1/namespaces", &object);
    }
    let people = [
        (GATEWAY, "proxy", none.clone(), End::Gateway),
        (MONITORING, "agent", none.clone(), End::Scraper),
        (SYSTEM, "dns", dns.clone(), End::ClusterDns),
        (SYSTEM, "other", none.clone(), End::Bystander),
        (ELSEWHERE, "stranger", none.clone(), End::Bystander),
        (ELSEWHERE, "dns", dns, End::Bystander),
        // A tenant's labels in a namespace of its own, and a neighbour's labels in a tenant's namespace.
        (
            ELSEWHERE,
            "impostor",
            worn(first, &projects[0]),
            End::Bystander,
        ),
        (
            first,
            "impostor",
            worn(second, &projects[1]),
            End::Undeclared,
        ),
        (first, "unlabelled", none, End::Undeclared),
    ];
    // The policy would refuse most of them; NetworkPolicies have to hold without it.
    cluster.without_policy("starform-p1-pod-labels", || {
        for (namespace, name, labels, _) in &people {
            run(cluster, namespace, name, labels.clone(), &bare());
        }
    });
    people
        .into_iter()
        .map(|(namespace, name, _, is)| (format!("{namespace}/{name}"), is))
        .collect()
}

/// What `kubectl create job --from=cronjob/NAME` does.
fn run_crons(cluster: &Cluster, project: &Project, namespace: &str, environment: &str) {
    let batch = format!("/apis/batch/v1/namespaces/{namespace}");
    let crons = project.services.iter().filter(|s| s.kind == Kind::Cron);
    for cron in crons {
        let name = format!("{}--{environment}", cron.name);
        let template = cluster.get(&format!("{batch}/cronjobs/{name}")).unwrap();
        let template = &template["spec"]["jobTemplate"];
        let labels = template["metadata"]["labels"].clone();
        for n in 0..cron.pods {
            let metadata = json!({ "name": format!("{name}-{n}"), "labels": labels });
            let job = json!({ "metadata": metadata, "spec": template["spec"] });
            cluster.create(&format!("{batch}/jobs"), &job);
        }
    }
}

fn bare() -> Value {
    json!({ "containers": [{ "name": "app", "image": "registry.test/app:1" }] })
}

fn run(cluster: &Cluster, namespace: &str, name: &str, labels: Value, spec: &Value) {
    // Pods are refused until the controller has made it.
    let account = format!("/api/v1/namespaces/{namespace}/serviceaccounts/default");
    wait_for("the default account", Duration::from_secs(20), || {
        cluster.get(&account)
    });
    let pod = json!({ "metadata": { "name": name, "labels": labels }, "spec": spec });
    cluster.create_once_free(&format!("/api/v1/namespaces/{namespace}/pods"), &pod);
}

fn namespace(cluster: &Cluster, project: &Project) -> String {
    cluster.namespace(&project.name).unwrap()
}

fn tenant<'p>(projects: &'p [Project], pod: &Value) -> Option<(String, End<'p>)> {
    let name = name(pod);
    let (namespace, own) = name.split_once('/')?;
    let pod = Pod::find(projects, namespace, own)?;
    Some((name.clone(), End::Pod(pod)))
}
