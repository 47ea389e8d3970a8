//! Deleting without a control plane, on a real API server: a service by another name keeps its objects,
//! an environment goes alone, a project goes with its Namespace last, and neighbours see nothing of it.

use std::collections::BTreeMap;

use serde_json::json;

use crate::support::{
    cluster::{Audited, Cluster},
    embedded::{apply, command, starform_in},
    process::{Ran, run_with},
    project::Project,
    standing::{Standing, staging_alone_is_gone},
};

const IMAGE: &str =
    "ghcr.io/acme/api@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

#[test]
fn what_is_deleted_goes_alone() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let neighbour = Project::new(&text("neighbour", "", &["production"]));
    apply(&cluster, &neighbour).expect(0);
    let shop = Project::new(&text("shop", VOLUME, &["staging", "production"]));
    apply(&cluster, &shop).expect(0);
    let before = cluster.standing("neighbour");

    another_name_keeps_the_objects(&cluster, &shop);
    an_environment_goes_alone(&cluster, &shop);
    what_is_not_there_is_told(&cluster, &shop);
    a_kept_volume_keeps_the_namespace(&cluster, &shop);
    what_is_not_ours_keeps_the_namespace(&cluster);

    assert_eq!(cluster.standing("neighbour"), before);
}

fn another_name_keeps_the_objects(cluster: &Cluster, shop: &Project) {
    let before = cluster.standing("shop");
    let mark = cluster.audit_mark();
    shop.replace("worker mailer {", "worker post was=mailer {");
    let plan = starform_in(cluster, shop, &["plan"]).expect(0);
    assert!(
        plan.stdout.contains("0 to create") && plan.stdout.contains("0 to delete"),
        "{}",
        plan.stdout
    );
    apply(cluster, shop).expect(0);
    let after = cluster.standing("shop");
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
    let before = cluster.standing("shop");
    shop.replace("  environment staging branch=staging\n", "");
    let planned = starform_in(cluster, shop, &["plan", "--exit-code"]).expect(0);
    planned.says(&["[SF6119] staging runs"]);
    let asked = starform_in(cluster, shop, &["environment", "delete", "staging"]).expect(1);
    assert!(asked.stdout.contains("to delete"), "{}", asked.stdout);
    delete(
        cluster,
        shop,
        &["environment", "delete", "staging", "--destroy", "db.data"],
    )
    .expect(0);
    staging_alone_is_gone(&before, &cluster.standing("shop"));
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
    let mut set = command(cluster, shop);
    run_with(
        set.args(["secret", "set", "token", "--env", "production"]),
        "value",
    )
    .expect(0);
    assert_eq!(kept_secrets(cluster, &namespace), 1);
    let deleted = delete(cluster, shop, &["project", "delete", "shop"]).expect(0);
    assert!(
        deleted
            .stdout
            .contains("PersistentVolumeClaim db--production--data"),
        "{}",
        deleted.stdout
    );
    assert!(
        deleted
            .stderr
            .contains("`starform project delete shop --destroy db.data`"),
        "{}",
        deleted.stderr
    );
    assert!(
        !deleted.stderr.contains("no plan lists it"),
        "{}",
        deleted.stderr
    );
    let left = cluster.ours(&namespace);
    assert_eq!(
        left,
        [
            "namespaces",
            "persistentvolumeclaims db--production--data",
            "rolebindings starform-applier"
        ]
    );
    assert_eq!(kept_secrets(cluster, &namespace), 1);
    let mark = cluster.audit_mark();
    delete(
        cluster,
        shop,
        &["project", "delete", "shop", "--destroy", "db.data"],
    )
    .expect(0);
    assert_eq!(kept_secrets(cluster, &namespace), 0);
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

/// Of the project of this namespace, whose name ends with the first digits of its id.
fn kept_secrets(cluster: &Cluster, namespace: &str) -> usize {
    let secrets = cluster.list("/api/v1/namespaces/starform-system/secrets");
    let (_, id) = namespace.rsplit_once('-').unwrap();
    let of_project = secrets.iter().filter(|secret| {
        let name = secret["metadata"]["name"].as_str().unwrap();
        name.starts_with(&format!("starform-secrets-{id}"))
    });
    of_project.count()
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
    let left = cluster.ours(&namespace);
    assert_eq!(left, ["namespaces", "rolebindings starform-applier"]);
    let configmap = format!("/api/v1/namespaces/{namespace}/configmaps/mine");
    cluster.delete(&configmap);
    let again = delete(cluster, &notes, &["project", "delete", "notes"]).expect(0);
    assert!(again.stdout.contains("2 to delete"), "{}", again.stdout);
    let path = format!("/api/v1/namespaces/{namespace}");
    assert_eq!(cluster.get(&path), None);
    let nothing = delete(cluster, &notes, &["project", "delete", "notes"]).expect(1);
    assert!(
        nothing.stderr.contains("nothing is accepted"),
        "{}",
        nothing.stderr
    );
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

fn writes(cluster: &Cluster, mark: u64, namespace: &str) -> Vec<Audited> {
    let all = cluster.audited(mark, "starform").into_iter();
    all.filter(|request| request.wrote() && request.namespace == namespace)
        .collect()
}
