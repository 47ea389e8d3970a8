//! The cluster's own controllers inside the fence: rollouts, routes, autoscaling, jobs, evictions.
//!
//! Effects: a cluster in which the shop is applied; leaves it as it was, but for a finished Job.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{cluster::Cluster, process::run, wait_for};

/// An autoscaler looks every 15 s.
const PATIENCE: Duration = Duration::from_secs(60);

/// Each does its work, and none was ever refused.
pub(crate) fn work(cluster: &Cluster, namespace: &str) {
    routes_have_the_gateways_answer(cluster, namespace);
    an_autoscaler_scales(cluster, namespace);
    a_job_runs_to_its_end(cluster, namespace);
    a_pod_is_evicted_and_replaced(cluster, namespace);
    no_controller_was_refused(cluster, namespace);
}

fn routes_have_the_gateways_answer(cluster: &Cluster, namespace: &str) {
    let path = format!("/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/httproutes");
    wait_for("routes to be accepted", PATIENCE, || {
        let routes = cluster.list(&path);
        let accepted = |route: &Value| {
            let conditions = route["status"]["parents"][0]["conditions"].as_array();
            conditions.is_some_and(|all| {
                all.iter()
                    .any(|one| one["type"] == "Accepted" && one["status"] == "True")
            })
        };
        (!routes.is_empty() && routes.iter().all(accepted)).then_some(())
    });
}

/// Below its minimum, which it restores without asking for metrics.
fn an_autoscaler_scales(cluster: &Cluster, namespace: &str) {
    let (name, least) = scaled(cluster, namespace);
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}");
    cluster.patch(&format!("{path}/scale"), &json!({"spec": {"replicas": 1}}));
    wait_for("the autoscaler to scale up", PATIENCE, || {
        (cluster.get(&path)?["status"]["availableReplicas"] == least).then_some(())
    });
}

/// The name and the minimum of a service with an autoscaler, which has a disruption budget too.
fn scaled(cluster: &Cluster, namespace: &str) -> (String, u64) {
    let path = format!("/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers");
    let autoscalers = cluster.list(&path);
    let largest = autoscalers
        .iter()
        .max_by_key(|autoscaler| autoscaler["spec"]["minReplicas"].as_u64());
    let largest = largest.expect("the shop has an autoscaler");
    let least = largest["spec"]["minReplicas"].as_u64().unwrap();
    assert!(least > 1, "{largest}");
    let name = largest["metadata"]["name"].as_str().unwrap();
    (name.to_owned(), least)
}

fn a_job_runs_to_its_end(cluster: &Cluster, namespace: &str) {
    let batch = format!("/apis/batch/v1/namespaces/{namespace}");
    let crons = cluster.list(&format!("{batch}/cronjobs"));
    let cron = crons[0]["metadata"]["name"].as_str().unwrap();
    let mut create = cluster.kubectl();
    create
        .env("KUBECONFIG", cluster.emergency_kubeconfig())
        .args(["create", "job", "by-hand", "-n", namespace])
        .arg(format!("--from=cronjob/{cron}"));
    run(&mut create).expect(0);
    wait_for("the job to succeed", PATIENCE, || {
        let job = cluster.get(&format!("{batch}/jobs/by-hand"))?;
        (job["status"]["succeeded"] == 1).then_some(())
    });
}

/// By an administrator who drains a node, outside of any emergency.
fn a_pod_is_evicted_and_replaced(cluster: &Cluster, namespace: &str) {
    let (name, least) = scaled(cluster, namespace);
    let pods = format!("/api/v1/namespaces/{namespace}/pods");
    let ready = || -> Vec<String> {
        let all = cluster.list(&pods);
        let own = all.iter().filter(|pod| {
            pod["metadata"]["labels"]["app.kubernetes.io/instance"] == name
                && pod["metadata"]["deletionTimestamp"].is_null()
                && pod["status"]["phase"] == "Running"
        });
        own.map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let evicted = ready().remove(0);
    let eviction = json!({
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": { "name": evicted },
    });
    wait_for("the budget to allow it", PATIENCE, || {
        let path = format!("{pods}/{evicted}/eviction");
        let answer = cluster.ask(&[], "POST", &path, Some(&eviction), "application/json");
        assert!(matches!(answer.code, 201 | 429), "{}", answer.message);
        (answer.code == 201).then_some(())
    });
    wait_for("another pod in its place", PATIENCE, || {
        let pods = ready();
        (!pods.contains(&evicted) && pods.len() as u64 == least).then_some(())
    });
}

/// Nodes, scheduler, controllers, the API server itself, the Gateway's controller.
fn no_controller_was_refused(cluster: &Cluster, namespace: &str) {
    let requests = cluster.audited(0, "");
    let controllers = requests.iter().filter(|request| {
        let system = request.user.starts_with("system:") && !request.user.contains("starform");
        let gateway = request
            .impersonated
            .as_ref()
            .is_some_and(|user| user.ends_with(":envoy-gateway"));
        request.namespace == namespace && (system || gateway)
    });
    let (wrote, refused): (Vec<_>, Vec<_>) = controllers
        .filter(|request| request.wrote() || request.code == 403)
        .partition(|request| request.code != 403);
    assert!(refused.is_empty(), "{refused:#?}");
    for user in [
        "replicaset-controller",
        "deployment-controller",
        "job-controller",
        "endpointslice-controller",
        "horizontal-pod-autoscaler",
        "disruption-controller",
        "system:node:",
        "kube-scheduler",
    ] {
        let worked = wrote.iter().any(|request| request.user.contains(user));
        assert!(worked, "{user} has written nothing");
    }
}
