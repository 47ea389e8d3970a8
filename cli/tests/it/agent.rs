//! With a control plane and an agent: what is applied stays as it was applied, at no cost while
//! nothing changes.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use crate::{
    controllers,
    support::{
        cluster::{Audited, Cluster},
        platform::Platform,
        project::Project,
        wait_for,
    },
};

const REVISION: &str = "9c1e0f5b7a3d";

const AGENT: &str = "starform-shuttle";

const AGENT_USER: &str = "system:serviceaccount:starform-system:starform-shuttle";
/// Of a project, what must be there before its applier can act.
const AGENTS_OWN: [&str; 2] = ["namespaces", "rolebindings"];

/// Every kind that is emitted, as the API server calls its resources.
const RESOURCES: [&str; 10] = [
    "namespaces",
    "serviceaccounts",
    "secrets",
    "services",
    "networkpolicies",
    "deployments",
    "cronjobs",
    "horizontalpodautoscalers",
    "poddisruptionbudgets",
    "httproutes",
];

#[test]
fn the_shop_is_kept_as_it_was_applied() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let mut platform = Platform::start(&cluster);
    let shop = Project::example("shop");
    platform.create_project("shop");
    platform.starform(&shop, &["plan", "--exit-code"]).expect(2);
    let plans = platform.starform(&shop, &["plan", "--format", "json"]);
    let plans = plans.expect(0).json();
    let words = ["apply", "--auto-approve", "--revision", REVISION];
    platform.starform(&shop, &words).expect(0);
    platform.starform(&shop, &["plan", "--exit-code"]).expect(0);
    let namespace = platform
        .starform(&shop, &["status", "--format", "json"])
        .expect(0)
        .json()["environments"][0]["namespace"]
        .as_str()
        .unwrap()
        .to_owned();

    every_kind_is_emitted(&cluster, &namespace);
    what_is_written_says_where_it_is_from(&cluster, &namespace, &plans, &platform, &shop);
    controllers::work(&cluster, &namespace);
    nothing_changed_costs_nothing(&cluster);
    a_deleted_deployment_is_back_within_five_seconds(&cluster, &namespace);
    a_changed_field_is_corrected(&cluster, &namespace);
    a_foreign_annotation_is_left_alone(&cluster, &namespace);
    the_agent_heals_with_the_control_plane_away(&cluster, &namespace, &mut platform);
    whatever_is_a_tenants_was_asked_as_its_applier(&cluster, &namespace);
    platform.agent.as_mut().unwrap().assert_running();
}

fn every_kind_is_emitted(cluster: &Cluster, namespace: &str) {
    let paths = [
        format!("/apis/batch/v1/namespaces/{namespace}/cronjobs"),
        format!("/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"),
        format!("/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"),
        format!("/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/httproutes"),
        format!("/api/v1/namespaces/{namespace}/secrets"),
    ];
    for path in paths {
        assert!(!cluster.list(&path).is_empty(), "{path} is empty");
    }
}

fn what_is_written_says_where_it_is_from(
    cluster: &Cluster,
    namespace: &str,
    plans: &Value,
    platform: &Platform,
    shop: &Project,
) {
    let key = format!("apps/Deployment/{namespace}/catalog--staging");
    let plans = plans["plans"].as_array().unwrap();
    let mut objects = plans
        .iter()
        .flat_map(|plan| plan["objects"].as_array().unwrap());
    let planned = objects
        .find(|object| object["key"] == key.as_str())
        .unwrap();
    let words = ["status", "--env", "staging", "--format", "json"];
    let status = platform.starform(shop, &words).expect(0).json();
    let applied = &status["environments"][0]["last_apply"];
    assert_eq!(applied["revision"], REVISION);
    let live = cluster.get(&deployment(namespace)).unwrap();
    let stamps = &live["metadata"]["annotations"];
    assert_eq!(stamps["starform.io/digest"], planned["after"]);
    assert_eq!(stamps["starform.io/revision"], REVISION);
    assert_eq!(stamps["starform.io/plan-id"], applied["plan_id"]);
    let generation = applied["generation"].as_u64().unwrap().to_string();
    assert_eq!(stamps["starform.io/generation"], generation.as_str());
}

/// Ten ticks of one second (the poll's interval here), and a little more.
fn nothing_changed_costs_nothing(cluster: &Cluster) {
    quiet(cluster);
    let mark = cluster.audit_mark();
    std::thread::sleep(Duration::from_secs(12));
    let requests: Vec<Audited> = cluster
        .audited(mark, AGENT)
        .into_iter()
        .filter(|request| request.verb != "watch")
        .collect();
    assert!(requests.is_empty(), "{requests:#?}");
    // Quiet because it watches, not because it is gone.
    let watched: BTreeSet<String> = cluster
        .audited(0, AGENT)
        .into_iter()
        .filter(|request| request.verb == "watch")
        .map(|request| request.resource)
        .collect();
    let missing: Vec<_> = RESOURCES
        .iter()
        .filter(|resource| !watched.contains(**resource))
        .collect();
    assert!(missing.is_empty(), "not watched: {missing:?}");
}

/// Waits until the agent has sent nothing but watches for five seconds.
fn quiet(cluster: &Cluster) {
    wait_for("the agent to be quiet", Duration::from_secs(60), || {
        let mark = cluster.audit_mark();
        std::thread::sleep(Duration::from_secs(5));
        cluster
            .audited(mark, AGENT)
            .iter()
            .all(|request| request.verb == "watch")
            .then_some(())
    });
}

fn deployment(namespace: &str) -> String {
    format!("/apis/apps/v1/namespaces/{namespace}/deployments/catalog--staging")
}

fn a_deleted_deployment_is_back_within_five_seconds(cluster: &Cluster, namespace: &str) {
    let path = deployment(namespace);
    let old = cluster.get(&path).unwrap()["metadata"]["uid"].clone();
    cluster.delete(&path);
    wait_for("the Deployment to be back", Duration::from_secs(5), || {
        cluster
            .get(&path)
            .filter(|live| live["metadata"]["uid"] != old)
    });
}

fn a_changed_field_is_corrected(cluster: &Cluster, namespace: &str) {
    let path = deployment(namespace);
    let before = cluster.get(&path).unwrap()["spec"]["minReadySeconds"].clone();
    cluster.patch(&path, &json!({"spec": {"minReadySeconds": 99}}));
    wait_for("the field to be corrected", Duration::from_secs(5), || {
        (cluster.get(&path)?["spec"]["minReadySeconds"] == before).then_some(())
    });
}

fn a_foreign_annotation_is_left_alone(cluster: &Cluster, namespace: &str) {
    quiet(cluster);
    let path = deployment(namespace);
    let mark = cluster.audit_mark();
    cluster.patch(&path, &json!({"metadata": {"annotations": {"example.test/note": "mine"}, "labels": {"example.test/l": "x"}}}));
    std::thread::sleep(Duration::from_secs(3));
    let live = cluster.get(&path).unwrap();
    assert_eq!(
        live["metadata"]["annotations"]["example.test/note"],
        json!("mine")
    );
    assert_eq!(live["metadata"]["labels"]["example.test/l"], json!("x"));
    let written: Vec<_> = cluster
        .audited(mark, AGENT)
        .into_iter()
        .filter(Audited::wrote)
        .collect();
    assert!(written.is_empty(), "{written:#?}");
}

fn the_agent_heals_with_the_control_plane_away(
    cluster: &Cluster,
    namespace: &str,
    platform: &mut Platform,
) {
    platform.kill_server();
    platform.restart_agent();
    a_deleted_deployment_is_back_after_a_restart(cluster, namespace);
    platform.restart_server();
}

fn a_deleted_deployment_is_back_after_a_restart(cluster: &Cluster, namespace: &str) {
    let path = deployment(namespace);
    let old = cluster.get(&path).unwrap()["metadata"]["uid"].clone();
    cluster.delete(&path);
    wait_for(
        "the restarted agent to heal",
        Duration::from_secs(20),
        || {
            cluster
                .get(&path)
                .filter(|live| live["metadata"]["uid"] != old)
        },
    );
}

/// From the first request of the agent to the last.
fn whatever_is_a_tenants_was_asked_as_its_applier(cluster: &Cluster, namespace: &str) {
    let requests = cluster.audited(0, AGENT);
    assert!(requests.iter().all(|request| request.user == AGENT_USER));
    let applier = format!("system:serviceaccount:{namespace}:starform-applier");
    let own = |request: &Audited| AGENTS_OWN.contains(&request.resource.as_str());
    let (tenants, others): (Vec<_>, Vec<_>) = requests
        .into_iter()
        .partition(|request| request.namespace == namespace && !own(request));
    let wrong: Vec<_> = tenants
        .iter()
        .filter(|request| request.impersonated.as_ref() != Some(&applier))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let wrong: Vec<_> = others
        .iter()
        .filter(|request| {
            // The key that secrets are sealed to is the agent's own.
            let own = request.namespace == "starform-system";
            // An applier may ask what it may do before it asks for anything.
            let review = request.resource == "selfsubjectaccessreviews";
            request.impersonated.is_some() != review || (request.resource == "secrets" && !own)
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let written = |resource: &str| {
        let written = tenants.iter().filter(|request| request.wrote());
        written
            .filter(|request| request.resource == resource)
            .count()
    };
    for resource in RESOURCES {
        assert_eq!(
            written(resource) > 0,
            !AGENTS_OWN.contains(&resource),
            "{resource}"
        );
    }
    // Rights come with the project's first objects: nothing is asked too early.
    let refused = |request: &&Audited| request.code == 403;
    let early: Vec<_> = tenants.iter().chain(&others).filter(refused).collect();
    assert!(early.is_empty(), "{early:#?}");
}
