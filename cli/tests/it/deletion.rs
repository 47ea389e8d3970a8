//! Deleting without a control plane, on a real API server: a service by another name keeps its objects,
//! an environment goes alone, a project goes with its Namespace last, and neighbours see nothing of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{
    cluster::{Audited, Cluster},
    embedded::{apply, starform_in},
    process::Ran,
    project::Project,
};

const IMAGE: &str =
    "ghcr.io/acme/api@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// Path and (uid, resourceVersion) of everything in a namespace, and of the Namespace itself.
type Standing = BTreeMap<String, (String, String)>;

#[test]
fn what_is_deleted_goes_alone() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let neighbour = Project::new(&text("neighbour", "", &["production"]));
    apply(&cluster, &neighbour).expect(0);
    let shop = Project::new(&text("shop", VOLUME, &["staging", "production"]));
    apply(&cluster, &shop).expect(0);
    let before = standing(&cluster, "neighbour");

    another_name_keeps_the_objects(&cluster, &shop);
    an_environment_goes_alone(&cluster, &shop);
    what_is_not_there_is_told(&cluster, &shop);
    a_kept_volume_keeps_the_namespace(&cluster, &shop);
    what_is_not_ours_keeps_the_namespace(&cluster);

    assert_eq!(standing(&cluster, "neighbour"), before);
}

fn another_name_keeps_the_objects(cluster: &Cluster, shop: &Project) {
    let before = standing(cluster, "shop");
    let mark = cluster.audit_mark();
    shop.replace("worker mailer {", "worker post was=mailer {");
    let plan = starform_in(cluster, shop, &["plan"]).expect(0);
    assert!(
        plan.stdout.contains("0 to create") && plan.stdout.contains("0 to delete"),
        "{}",
        plan.stdout
    );
    apply(cluster, shop).expect(0);
    let after = standing(cluster, "shop");
    let uids = |standing: &Standing| -> BTreeMap<String, String> {
        let of_service = standing.iter().filter(|(path, _)| {
            path.contains("/mailer--")
                && !path.contains("/pods/")
                && !path.contains("/replicasets/")
        });
        of_service
            .map(|(path, (uid, _))| (path.clone(), uid.clone()))
            .collect()
    };
    assert!(uids(&before).len() >= 6, "{:#?}", uids(&before));
    assert_eq!(uids(&after), uids(&before));
    let namespace = cluster.namespace("shop").unwrap();
    let written = writes(cluster, mark, &namespace);
    assert!(
        written.iter().all(|request| request.verb == "patch"),
        "{written:#?}"
    );
    // One update an object: Deployment, ServiceAccount and NetworkPolicy carry the name in each of
    // two environments.
    let objects: BTreeMap<(&str, &str), usize> =
        written.iter().fold(BTreeMap::new(), |mut seen, request| {
            *seen
                .entry((&*request.resource, &*request.name))
                .or_default() += 1;
            seen
        });
    assert!(objects.values().all(|times| *times == 1), "{objects:#?}");
    let deployment = cluster
        .get(&format!(
            "/apis/apps/v1/namespaces/{namespace}/deployments/mailer--production"
        ))
        .unwrap();
    assert_eq!(
        deployment["metadata"]["labels"]["starform.io/service-name"],
        json!("post")
    );
}

fn an_environment_goes_alone(cluster: &Cluster, shop: &Project) {
    let before = standing(cluster, "shop");
    shop.replace("  environment staging branch=staging\n", "");
    let planned = starform_in(cluster, shop, &["plan", "--exit-code"]).expect(0);
    assert!(
        planned
            .stderr
            .contains("starform environment delete staging"),
        "{}",
        planned.stderr
    );
    let asked = starform_in(cluster, shop, &["environment", "delete", "staging"]).expect(1);
    assert!(asked.stdout.contains("to delete"), "{}", asked.stdout);
    delete(
        cluster,
        shop,
        &["environment", "delete", "staging", "--destroy", "db.data"],
    )
    .expect(0);
    let after = standing(cluster, "shop");
    let left: Vec<&String> = after
        .keys()
        .filter(|path| path.contains("--staging"))
        .collect();
    assert_eq!(left, [] as [&String; 0]);
    // What is left is as it was.
    for (path, was) in before
        .iter()
        .filter(|(path, _)| path.contains("--production"))
    {
        assert_eq!(after.get(path), Some(was), "{path}");
    }
    starform_in(cluster, shop, &["plan", "--exit-code"]).expect(0);
}

fn what_is_not_there_is_told(cluster: &Cluster, shop: &Project) {
    for (words, said) in [
        (
            &["environment", "delete", "staging"][..],
            "nothing is accepted for environment `staging`",
        ),
        (
            &["environment", "delete", "production"],
            "starform project delete",
        ),
        (
            &["environment", "delete", "production", "--project", "nobody"],
            "nothing is accepted",
        ),
        (&["project", "delete", "nobody"], "nothing is accepted"),
        (
            &["project", "delete", "shop", "--destroy", "db.other"],
            "`db.data`",
        ),
    ] {
        let ran = delete(cluster, shop, words).expect(1);
        assert!(ran.stderr.contains(said), "{words:?}: {}", ran.stderr);
    }
}

fn a_kept_volume_keeps_the_namespace(cluster: &Cluster, shop: &Project) {
    let namespace = cluster.namespace("shop").unwrap();
    let deleted = delete(cluster, shop, &["project", "delete", "shop"]).expect(0);
    assert!(
        deleted
            .stdout
            .contains("PersistentVolumeClaim db--production--data"),
        "{}",
        deleted.stdout
    );
    let left = ours(cluster, &namespace);
    assert_eq!(
        left,
        [
            "Namespace",
            "PersistentVolumeClaim db--production--data",
            "RoleBinding starform-applier"
        ]
    );
    let mark = cluster.audit_mark();
    delete(
        cluster,
        shop,
        &["project", "delete", "shop", "--destroy", "db.data"],
    )
    .expect(0);
    assert_eq!(
        cluster.get(&format!("/api/v1/namespaces/{namespace}")),
        None
    );
    let gone: Vec<String> = cluster
        .audited(mark, "starform")
        .into_iter()
        .filter(|request| request.verb == "delete" && request.code < 300)
        .filter(|request| request.namespace == namespace || request.name == namespace)
        .map(|request| request.resource)
        .collect();
    assert_eq!(gone, ["persistentvolumeclaims", "namespaces"]);
}

fn what_is_not_ours_keeps_the_namespace(cluster: &Cluster) {
    let notes = Project::new(&text("notes", "", &["production"]));
    apply(cluster, &notes).expect(0);
    let namespace = cluster.namespace("notes").unwrap();
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}});
    cluster.create(
        &format!("/api/v1/namespaces/{namespace}/configmaps"),
        &object,
    );
    let deleted = delete(cluster, &notes, &["project", "delete", "notes"]).expect(0);
    assert!(
        deleted.stdout.contains("ConfigMap mine"),
        "{}",
        deleted.stdout
    );
    let left = ours(cluster, &namespace);
    assert_eq!(left, ["Namespace", "RoleBinding starform-applier"]);
}

const VOLUME: &str = "    volume data mount=\"/data\" size=\"1Gi\"\n";

fn text(name: &str, volume: &str, environments: &[&str]) -> String {
    let environments: String = environments
        .iter()
        .map(|name| format!("  environment {name} branch={name}\n"))
        .collect();
    format!(
        "project {name} {{\n{environments}  web api {{\n    image \"{IMAGE}\"\n    port 8080\n  }}\n  worker mailer {{\n    image \"{IMAGE}\"\n  }}\n  private db {{\n    image \"{IMAGE}\"\n    port 5432 protocol=tcp\n{volume}  }}\n}}\n"
    )
}

fn delete(cluster: &Cluster, project: &Project, words: &[&str]) -> Ran {
    starform_in(cluster, project, &[words, &["--auto-approve"]].concat())
}

/// Everything but what passes by itself.
fn standing(cluster: &Cluster, project: &str) -> Standing {
    let namespace = cluster.namespace(project).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = cluster.everything().into_iter().filter(|(path, object)| {
        let inside = object["metadata"]["namespace"] == json!(namespace)
            || path.ends_with(&format!("/namespaces/{namespace}"));
        inside && !path.contains("/events/")
    });
    all.map(|(path, object)| {
        let metadata = &object["metadata"];
        let version = (text(&metadata["uid"]), text(&metadata["resourceVersion"]));
        (path, version)
    })
    .collect()
}

/// Kind and name of what carries our label in the namespace and is made by nobody else.
fn ours(cluster: &Cluster, namespace: &str) -> Vec<String> {
    let inside = standing_paths(cluster, namespace);
    let kinds = [
        ("persistentvolumeclaims", "PersistentVolumeClaim"),
        ("rolebindings", "RoleBinding"),
    ];
    let mut named: Vec<String> = inside
        .into_iter()
        .map(|path| {
            let mut parts = path.rsplit('/');
            let (name, resource) = (parts.next().unwrap(), parts.next().unwrap());
            match kinds.iter().find(|(plural, _)| *plural == resource) {
                Some((_, kind)) => format!("{kind} {name}"),
                None if resource == "namespaces" => "Namespace".to_owned(),
                None => path.clone(),
            }
        })
        .collect();
    named.sort();
    named
}

fn standing_paths(cluster: &Cluster, namespace: &str) -> Vec<String> {
    let all = cluster.everything().into_iter().filter(|(path, object)| {
        let metadata = &object["metadata"];
        let inside = metadata["namespace"] == json!(namespace)
            || path.ends_with(&format!("/namespaces/{namespace}"));
        let managed = metadata["labels"]["app.kubernetes.io/managed-by"] == json!("starform");
        inside && managed && metadata["ownerReferences"].is_null()
    });
    all.map(|(path, _)| path).collect()
}

fn writes(cluster: &Cluster, mark: u64, namespace: &str) -> Vec<Audited> {
    let all = cluster.audited(mark, "starform").into_iter();
    all.filter(|request| request.wrote() && request.namespace == namespace)
        .collect()
}
