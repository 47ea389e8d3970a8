//! What tests of the shell share: the real API server, and documents to keep there.
//!
//! Effects: network. Always holds: a test gets a namespace of its own, or the lock on
//! `starform-system`, so tests run in parallel.

use std::{collections::BTreeMap, sync::OnceLock, time::Duration};

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, PostParams},
};
use serde_json::json;
use starform_contract::{
    Bundle, ClusterId, ClusterProfile, Deletion, Digest, Index, Object, ProjectBundle,
    ProjectEntry, ProjectId, WorkspaceId,
    bundle::{BundleSchema, Wave},
    signature::SigningKey,
};
use starform_shuttle::{
    call::{APPLY, call, request},
    client,
    manifests::manifests,
};
use tokio::sync::{Mutex, MutexGuard};

/// The API server of `KUBECONFIG_FOR_TESTS`; `None` only where somebody chose the fast tests.
pub(crate) async fn cluster() -> Option<Client> {
    let Some(path) = std::env::var_os("KUBECONFIG_FOR_TESTS") else {
        assert!(
            std::env::var_os("STARFORM_TEST_FAST").is_some(),
            "KUBECONFIG_FOR_TESTS names no cluster; run `cargo xtask test`"
        );
        return None;
    };
    client::install_tls();
    Some(client::cluster(Some(path.as_ref())).await.unwrap())
}

/// The rights of every project's applier, as the agent's manifests give them.
pub(crate) async fn rights(client: &Client) {
    let printed = manifests(&ClusterProfile::default());
    let roles = printed
        .iter()
        .filter(|object| object["kind"] == "ClusterRole");
    for role in roles {
        let name = role["metadata"]["name"].as_str().unwrap();
        let uri = format!(
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/{name}?fieldManager=tests&force=true"
        );
        let apply = request(http::Method::PATCH, &uri, Some((APPLY, role)));
        call(client, apply).await.unwrap();
    }
}

/// A new namespace with this beginning.
pub(crate) async fn namespace(client: &Client, beginning: &str) -> String {
    let api: Api<Namespace> = Api::all(client.clone());
    let new: Namespace = serde_json::from_value(json!({
        "metadata": {"generateName": format!("{beginning}-")},
    }))
    .unwrap();
    let created = api.create(&PostParams::default(), &new).await.unwrap();
    created.metadata.name.unwrap()
}

/// Alone with `starform-system`, and nothing of ours in it.
pub(crate) async fn empty_system(client: &Client) -> MutexGuard<'static, ()> {
    static LOCK: OnceLock<Mutex<()>> = OnceLock::new();
    let alone = LOCK.get_or_init(|| Mutex::new(())).lock().await;
    let kept = Api::<ConfigMap>::namespaced(client.clone(), "starform-system");
    kept.delete_collection(
        &DeleteParams::default(),
        &ListParams::default().labels("app.kubernetes.io/managed-by=starform-shuttle"),
    )
    .await
    .unwrap();
    alone
}

pub(crate) fn some_cluster() -> ClusterId {
    "6f1c3c5e-0c4b-4f0e-9c2f-7a1d3b5e9f00".parse().unwrap()
}

/// What the tests' control planes sign with.
pub(crate) fn signing_key() -> SigningKey {
    SigningKey::new("test", &[7; 32]).unwrap()
}

/// A project of this name whose one object carries `ballast`.
pub(crate) fn project(name: &str, ballast: &str) -> Bundle {
    let project = name.parse().unwrap();
    let manifest = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": format!("sf-{name}"), "annotations": {"ballast": ballast}},
    });
    Bundle::Project(ProjectBundle {
        schema: BundleSchema::V1,
        workspace_id: WorkspaceId::local(),
        project_id: ProjectId::local(&project),
        project,
        namespace: format!("sf-{name}"),
        tier: "standard".to_owned(),
        objects: vec![Object::new(manifest, Wave(0), Deletion::WithProject)],
        names: Vec::new(),
    })
}

/// The generation after `index` with exactly these bundles.
pub(crate) fn successor(index: &Index, bundles: &[Bundle]) -> (Index, BTreeMap<Digest, Bundle>) {
    let entry = |bundle: &Bundle| ProjectEntry {
        namespace: bundle.namespace().to_owned(),
        bundle: bundle.digest(),
        environments: BTreeMap::new(),
        accepted: Vec::new(),
    };
    let projects = bundles
        .iter()
        .map(|bundle| (bundle.project_id(), entry(bundle)))
        .collect();
    let by_digest = bundles
        .iter()
        .map(|bundle| (bundle.digest(), bundle.clone()))
        .collect();
    (index.successor(projects), by_digest)
}

/// Asks until `ready` has an answer.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    ready: impl FnMut() -> F,
) -> T {
    eventually_within(Duration::from_secs(30), what, ready).await
}

/// The same, for so long.
pub(crate) async fn eventually_within<T, F: Future<Output = Option<T>>>(
    limit: Duration,
    what: &str,
    mut ready: impl FnMut() -> F,
) -> T {
    let deadline = std::time::Instant::now() + limit;
    loop {
        if let Some(found) = ready().await {
            return found;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "waited too long for {what}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
