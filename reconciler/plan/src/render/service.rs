//! ServiceAccounts, and the Services that pods are reached by inside the cluster.
//!
//! Pure.

use serde_json::{Value, json};
use starform_contract::{
    Object,
    model::{Port, Protocol},
};

use super::{
    ServiceScope,
    kind::Kind,
    labels::{self, Role},
    secret,
};

/// An identity of its own without a token: no pod of a project talks to the Kubernetes API.
pub(super) fn account(scope: &ServiceScope<'_>) -> Object {
    let labels = json!(labels::service(scope.scope.state, scope.service));
    let mut body = json!({ "automountServiceAccountToken": false });
    if scope.scope.profile.registry_secret.is_some() {
        body["imagePullSecrets"] = json!([{ "name": secret::registry_name() }]);
    }
    scope.object(Kind::ServiceAccount, labels, body)
}

/// Cluster IPs and IP families are the cluster's to choose, so they are not written.
pub(super) fn service(scope: &ServiceScope<'_>, ports: &[Port]) -> Object {
    let (state, service) = (scope.scope.state, scope.service);
    let spec = json!({
        "type": "ClusterIP",
        "internalTrafficPolicy": "Cluster",
        "ports": ports.iter().map(service_port).collect::<Vec<_>>(),
        "selector": labels::selector(state, service),
        "sessionAffinity": "None",
    });
    let labels = json!(labels::workload(state, service, Role::Serve));
    scope.object(Kind::Service, labels, json!({ "spec": spec }))
}

/// The target is the port's name, so that pods of two revisions with different numbers both serve.
fn service_port(port: &Port) -> Value {
    let mut value = json!({
        "name": port.name,
        "port": port.port,
        "protocol": "TCP",
        "targetPort": port.name,
    });
    if let Some(protocol) = app_protocol(port.protocol) {
        value["appProtocol"] = json!(protocol);
    }
    value
}

/// gRPC without TLS is HTTP/2 without TLS, and that name is the one that every Gateway knows
/// (Gateway API, GEP-1911).
fn app_protocol(protocol: Protocol) -> Option<&'static str> {
    match protocol {
        Protocol::H2c | Protocol::Grpc => Some("kubernetes.io/h2c"),
        Protocol::Http | Protocol::Tcp => None,
    }
}
