//! Annotations on a Service that is not Starform's, on the real API server.
//!
//! Effects: the real API server.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Service;
use kube::{
    Api, Client,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::json;
use starform_contract::{ObjectKey, index::AnnotationPatch};
use starform_shuttle::annotate::{Keeper, Standing};
use tokio::task::JoinSet;

use crate::shell_support::{cluster, eventually, namespace};

const SIZE: &str = "service.beta.kubernetes.io/do-loadbalancer-size-unit";

fn wanted(namespace: &str, units: &str) -> Vec<AnnotationPatch> {
    vec![AnnotationPatch {
        key: ObjectKey::new("", "Service", Some(namespace), "proxy"),
        annotations: BTreeMap::from([(SIZE.to_owned(), units.to_owned())]),
    }]
}

async fn stands(keeper: &Keeper, as_: Standing) {
    let standing = keeper.standing();
    eventually("the standing", || async {
        (*standing.borrow() == as_).then_some(())
    })
    .await;
}

struct Proxy(Api<Service>);

impl Proxy {
    async fn make(client: &Client, namespace: &str) -> Self {
        let api = Api::namespaced(client.clone(), namespace);
        let service: Service = serde_json::from_value(json!({
            "metadata": { "name": "proxy", "annotations": { "other": "theirs" } },
            "spec": { "ports": [{ "port": 443 }] },
        }))
        .unwrap();
        api.create(&PostParams::default(), &service).await.unwrap();
        Self(api)
    }

    /// Until the annotation is this.
    async fn has(&self, units: Option<&str>) -> Service {
        eventually("the annotation", || async {
            let service = self.0.get("proxy").await.unwrap();
            let found = service.metadata.annotations.as_ref();
            let found = found.and_then(|all| all.get(SIZE)).map(String::as_str);
            (found == units).then_some(service.clone())
        })
        .await
    }

    async fn write(&self, units: Option<&str>) {
        let patch = json!({ "metadata": { "annotations": { SIZE: units } } });
        let manager = PatchParams::apply("kubectl-annotate");
        let manager = PatchParams {
            field_manager: manager.field_manager,
            ..PatchParams::default()
        };
        self.0
            .patch("proxy", &manager, &Patch::Merge(&patch))
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_annotation_is_kept_on_a_service_that_exists_and_nothing_is_made() {
    let Some(client) = cluster().await else {
        return;
    };
    let namespace = namespace(&client, "gateway").await;
    let mut tasks = JoinSet::new();
    let keeper = Keeper::start(client.clone(), &mut tasks);
    assert!(keeper.settled());
    keeper.want(&wanted(&namespace, "2"));
    stands(&keeper, Standing::Absent).await;
    let api: Api<Service> = Api::namespaced(client.clone(), &namespace);
    assert!(api.get_opt("proxy").await.unwrap().is_none());

    let proxy = Proxy::make(&client, &namespace).await;
    let service = proxy.has(Some("2")).await;
    stands(&keeper, Standing::Set).await;
    assert_eq!(service.metadata.annotations.unwrap()["other"], "theirs");
    let version = service.metadata.resource_version;

    // Another size; then drift: a change, and a removal.
    keeper.want(&wanted(&namespace, "3"));
    assert_ne!(
        proxy.has(Some("3")).await.metadata.resource_version,
        version
    );
    proxy.write(Some("9")).await;
    proxy.has(Some("3")).await;
    proxy.write(None).await;
    proxy.has(Some("3")).await;

    // Somebody who insists is left alone, and told.
    for units in ["7", "8"] {
        proxy.write(Some(units)).await;
        proxy.has(Some("3")).await;
    }
    stands(&keeper, Standing::Contested).await;
    proxy.write(Some("8")).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    proxy.has(Some("8")).await;

    // Another wish begins anew; made again, the Service is annotated again.
    keeper.want(&wanted(&namespace, "4"));
    proxy.has(Some("4")).await;
    proxy
        .0
        .delete("proxy", &DeleteParams::default())
        .await
        .unwrap();
    stands(&keeper, Standing::Absent).await;
    let proxy = Proxy::make(&client, &namespace).await;
    proxy.has(Some("4")).await;
    stands(&keeper, Standing::Set).await;

    // What nobody wants any more stays as it is.
    keeper.want(&[]);
    stands(&keeper, Standing::Nothing).await;
    proxy.write(Some("1")).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    proxy.has(Some("1")).await;
}
