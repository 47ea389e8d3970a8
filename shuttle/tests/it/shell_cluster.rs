//! Requests of the engine on the real API server: what comes back, and what is never said.
//!
//! Effects: the real API server.

use std::{sync::Arc, time::Duration};

use kube::Client;
use serde_json::{Value, json};
use starform_contract::ObjectKey;
use starform_shuttle::{
    access::Access,
    call::{CallError, call, get},
    cluster::{self, kind_is_absent},
    engine::io::{Apply, Failure, FieldManager, Gone, Input, Observed, Response},
    kinds::kind_of,
    values::Filling,
    watch,
};
use tokio::sync::mpsc;

use crate::shell_support::{cluster, eventually, namespace};

fn manifest(key: &ObjectKey, rest: Value) -> Value {
    let mut manifest = json!({
        "apiVersion": kind_of(key).unwrap().api_version(),
        "kind": key.kind,
        "metadata": {
            "name": key.name,
            "namespace": key.namespace,
            "labels": {"app.kubernetes.io/managed-by": "starform"},
        },
    });
    let fields = manifest.as_object_mut().unwrap();
    fields.extend(rest.as_object().unwrap().clone());
    manifest
}

fn deployment(key: &ObjectKey, image: &str, app: &str) -> Value {
    manifest(
        key,
        json!({"spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": app}},
            "template": {
                "metadata": {"labels": {"app": app}},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
        }}),
    )
}

fn key(group: &str, kind: &str, namespace: &str, name: &str) -> ObjectKey {
    ObjectKey::new(group, kind, Some(namespace), name)
}

fn person(client: &Client) -> Access {
    Access::of_person(client.clone())
}

async fn apply(
    client: &Client,
    key: &ObjectKey,
    manifest: Value,
    dry_run: bool,
) -> Result<Observed, Failure> {
    let apply = Apply {
        key: key.clone(),
        manifest: Arc::new(manifest),
        manager: FieldManager::Shuttle,
        force: true,
        dry_run,
        sealed: None,
    };
    let nothing = Filling::default();
    cluster::apply(&person(client), &apply, &nothing)
        .await
        .map(object)
}

fn object(response: Response) -> Observed {
    match response {
        Response::Object(observed) => *observed,
        other => panic!("{other:?} is not an object"),
    }
}

/// Another hand on the object, by merge patch.
async fn meddle(client: &Client, key: &ObjectKey, manager: &str, patch: Value) {
    let uri = format!("{}?fieldManager={manager}", kind_of(key).unwrap().path(key));
    let patch = starform_shuttle::call::request(
        http::Method::PATCH,
        &uri,
        Some(("application/merge-patch+json", &patch)),
    );
    call(client, patch).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_shows_ownership_and_a_dry_run_writes_nothing() {
    let Some(client) = cluster().await else {
        return;
    };
    let space = namespace(&client, "shell-apply").await;
    let key = key("apps", "Deployment", &space, "web");
    let wanted = deployment(&key, "example.com/web:1", "web");

    let dry = apply(&client, &key, wanted.clone(), true).await.unwrap();
    let absent = cluster::get(&person(&client), &key).await.unwrap_err();
    assert_eq!(
        (absent.code, absent.reason.as_str()),
        (Some(404), "NotFound")
    );

    let first = apply(&client, &key, wanted.clone(), false).await.unwrap();
    let own = first.own.clone().expect("our entry in managedFields");
    assert_eq!(
        dry.own.as_ref(),
        Some(&own),
        "a dry-run shows the ownership that will be"
    );
    assert!(own.replicas && first.owner.managed && first.foreign.is_empty());
    let again = apply(&client, &key, wanted.clone(), false).await.unwrap();
    assert_eq!(again.own.as_ref(), Some(&own));

    meddle(
        &client,
        &key,
        "kubectl-edit",
        json!({"spec": {"replicas": 2}}),
    )
    .await;
    let moved = object(cluster::get(&person(&client), &key).await.unwrap());
    assert_ne!(
        moved.own.as_ref(),
        Some(&own),
        "a changed owned field shrinks our entry"
    );
    assert_eq!(moved.foreign[0].manager, "kubectl-edit");
    assert_eq!(moved.foreign[0].paths(), ["spec.replicas"]);
    let back = apply(&client, &key, wanted, false).await.unwrap();
    assert_eq!(back.own, Some(own));
    assert!(back.foreign.is_empty(), "{:?}", back.foreign);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_name_the_field() {
    let Some(client) = cluster().await else {
        return;
    };
    let space = namespace(&client, "shell-refuse").await;
    let web = key("apps", "Deployment", &space, "web");
    apply(&client, &web, deployment(&web, "a", "web"), false)
        .await
        .unwrap();
    let moved = apply(&client, &web, deployment(&web, "a", "other"), false)
        .await
        .unwrap_err();
    assert_eq!(moved.code, Some(422));
    assert_eq!(moved.immutable, ["spec.selector"], "{moved:?}");

    let mut unknown = deployment(&web, "a", "web");
    unknown["spec"]["replicaz"] = json!(3);
    let strict = apply(&client, &web, unknown, false).await.unwrap_err();
    assert!(strict.message.contains("replicaz"), "{strict:?}");

    let nowhere = key("apps", "Deployment", "shell-there-is-none", "web");
    let lost = apply(&client, &nowhere, deployment(&nowhere, "a", "web"), false)
        .await
        .unwrap_err();
    assert_eq!((lost.code, lost.reason.as_str()), (Some(404), "NotFound"));
    assert!(lost.message.contains("shell-there-is-none"), "{lost:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_neither_quoted_nor_read_back() {
    let Some(client) = cluster().await else {
        return;
    };
    let space = namespace(&client, "shell-secret").await;
    let secret = key("", "Secret", &space, "token");
    let invalid = manifest(&secret, json!({"stringData": {"BAD KEY": "hunter2"}}));
    let failure = apply(&client, &secret, invalid, false).await.unwrap_err();
    let told = format!("{failure:?}");
    assert!(
        !told.contains("hunter2") && told.contains("BAD KEY"),
        "{told}"
    );
    let typed = manifest(&secret, json!({"data": {"TOKEN": "hunter2 is not base64"}}));
    let failure = apply(&client, &secret, typed, false).await.unwrap_err();
    assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");

    let valid = manifest(&secret, json!({"stringData": {"TOKEN": "hunter2"}}));
    let written = apply(&client, &secret, valid, false).await.unwrap();
    assert!(written.body.is_none() && written.own.is_some());
    assert!(!format!("{written:?}").contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_object_that_is_meant_is_deleted() {
    let Some(client) = cluster().await else {
        return;
    };
    let space = namespace(&client, "shell-delete").await;
    let account = key("", "ServiceAccount", &space, "web");
    let written = apply(&client, &account, manifest(&account, json!({})), false)
        .await
        .unwrap();
    let other = "00000000-0000-4000-8000-000000000000";
    let refused = cluster::delete(&person(&client), &account, other)
        .await
        .unwrap_err();
    assert_eq!(
        (refused.code, refused.reason.as_str()),
        (Some(409), "Conflict")
    );
    let deleted = cluster::delete(&person(&client), &account, &written.uid)
        .await
        .unwrap();
    assert!(matches!(deleted, Response::Deleted));
    let gone = cluster::delete(&person(&client), &account, &written.uid)
        .await
        .unwrap_err();
    assert_eq!(gone.code, Some(404));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_is_not_served_is_told_from_an_object_that_is_missing() {
    let Some(client) = cluster().await else {
        return;
    };
    for (path, absent) in [
        ("/apis/none.example.com/v1/things", true),
        ("/apis/apps/v1/things?limit=1", true),
        ("/apis/apps/v1/namespaces/default/deployments/none", false),
        ("/api/v1/namespaces/none/configmaps/none", false),
    ] {
        match call(&client, get(path)).await.unwrap_err() {
            CallError::Refused(refusal) => {
                assert_eq!(kind_is_absent(&refusal), absent, "{refusal:?}")
            }
            other => panic!("{other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_lists_first_and_then_follows() {
    let Some(client) = cluster().await else {
        return;
    };
    let space = namespace(&client, "shell-watch").await;
    let before = key("networking.k8s.io", "NetworkPolicy", &space, "before");
    let spec = json!({"spec": {"podSelector": {}, "policyTypes": ["Ingress"]}});
    apply(&client, &before, manifest(&before, spec.clone()), false)
        .await
        .unwrap();
    let (sender, mut inputs) = mpsc::channel(64);
    let following = tokio::spawn(watch::follow(
        Access::of_person(client.clone()),
        kind_of(&before).unwrap(),
        sender,
    ));
    assert!(matches!(next(&mut inputs).await, Input::Syncing(_)));
    let mut listed = Vec::new();
    loop {
        match next(&mut inputs).await {
            Input::Observed(observed) => listed.push(observed.key),
            Input::Synced(_) => break,
            other => panic!("{other:?} within a list"),
        }
    }
    assert!(listed.contains(&before), "{listed:?}");

    let after = key("networking.k8s.io", "NetworkPolicy", &space, "after");
    let written = apply(&client, &after, manifest(&after, spec), false)
        .await
        .unwrap();
    let seen = wait_for(&mut inputs, &after).await;
    assert_eq!(
        seen,
        Ok(written.clone()),
        "a watch and an answer read the same"
    );
    // To the selector, an object that loses its label is deleted.
    let unlabel = json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": null}}});
    meddle(&client, &after, "kubectl-label", unlabel).await;
    let gone = wait_for(&mut inputs, &after).await;
    assert_eq!(gone.unwrap_err().uid, written.uid);
    drop(inputs);
    // Nobody listens: the watch ends with the next event.
    eventually("the watch to end", async || {
        meddle(
            &client,
            &before,
            "kubectl",
            json!({"metadata": {"labels": {"x": uuid::Uuid::now_v7()}}}),
        )
        .await;
        following.is_finished().then_some(())
    })
    .await;
}

async fn next(inputs: &mut mpsc::Receiver<Input>) -> Input {
    let next = tokio::time::timeout(Duration::from_secs(20), inputs.recv()).await;
    next.expect("an input in time")
        .expect("a watch that goes on")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_list_shows_can_be_judged() {
    let Some(client) = cluster().await else {
        return;
    };
    let space = namespace(&client, "shell-list").await;
    let key = key("apps", "Deployment", &space, "web");
    apply(
        &client,
        &key,
        deployment(&key, "example.com/web:1", "web"),
        false,
    )
    .await
    .unwrap();
    let (sender, mut inputs) = mpsc::channel(64);
    tokio::spawn(watch::follow(
        Access::of_person(client.clone()),
        kind_of(&key).unwrap(),
        sender,
    ));
    let listed = wait_for(&mut inputs, &key).await.unwrap();
    let body = listed.body.expect("a kind that is watched whole");
    assert_eq!(
        (&body["apiVersion"], &body["kind"]),
        (&json!("apps/v1"), &json!("Deployment"))
    );
}

/// The next word about this object.
async fn wait_for(inputs: &mut mpsc::Receiver<Input>, key: &ObjectKey) -> Result<Observed, Gone> {
    loop {
        match next(inputs).await {
            Input::Observed(observed) if observed.key == *key => return Ok(observed),
            Input::Gone(gone) if gone.key == *key => return Err(gone),
            _ => {}
        }
    }
}
