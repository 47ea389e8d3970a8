//! Secrets: one for each Var Group, one for the secrets of a service's own variables, and the project's
//! own that its images are pulled with.
//!
//! Pure. Always holds: no secret value is here, only names and versions, which Shuttle resolves when
//! it writes. Literals stand as `data`: the server does not keep `stringData`.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use starform_contract::{
    GroupName, Object, bundle::SealedRef, model::Variable, name, profile::RegistrySecret,
};

use super::{Scope, ServiceScope, kind, labels};

/// One Secret for each Var Group that the environment uses, with its literals too.
pub(super) fn groups(scope: &Scope<'_>) -> Vec<Object> {
    let state = scope.state;
    state
        .groups
        .iter()
        .map(|(group, variables)| {
            let labels = json!(labels::environment(state));
            let name = name::group_secret(group, &state.environment);
            secret(scope, &name, labels, variables.iter())
        })
        .collect()
}

/// The Secret of a service that names secrets in its own `vars`.
pub(super) fn own(scope: &ServiceScope<'_>) -> Option<Object> {
    let service = scope.service;
    let mut own = service
        .model
        .vars
        .iter()
        .filter(|(_, variable)| is_own_secret(variable))
        .peekable();
    own.peek()?;
    let labels = json!(labels::service(scope.scope.state, service));
    Some(secret(scope.scope, &scope.name, labels, own))
}

/// What images are pulled with, where the cluster's profile says so. Pods name it through their
/// ServiceAccount and never hold its version, so a new version replaces no pod: the kubelet reads it
/// at every pull.
pub(super) fn registry(scope: &Scope<'_>) -> Option<Object> {
    let RegistrySecret { name, version } = scope.profile.registry_secret.as_ref()?;
    let reference = SealedRef {
        secret: name.clone(),
        // Whoever plans names a version; who only looks means the first.
        version: version.unwrap_or(1),
        environment: None,
    };
    Some(kind::sealed_secret(
        &scope.namespace,
        &registry_name(),
        json!(labels::project(scope.state)),
        json!({ "type": "kubernetes.io/dockerconfigjson" }),
        BTreeMap::from([(".dockerconfigjson".to_owned(), reference)]),
    ))
}

/// Of the Secret that [`registry`] makes.
pub(super) fn registry_name() -> String {
    name::project_object("registry")
}

/// The name of the Secret that holds a service's secret variable, brought by `group` or its own.
pub(super) fn holder(scope: &ServiceScope<'_>, group: Option<&GroupName>) -> String {
    match group {
        Some(group) => name::group_secret(group, &scope.scope.state.environment),
        None => scope.name.clone(),
    }
}

fn is_own_secret(variable: &Variable) -> bool {
    match variable {
        Variable::Literal(_) => false,
        Variable::Secret { group, .. } => group.is_none(),
    }
}

fn secret<'v>(
    scope: &Scope<'_>,
    name: &str,
    labels: Value,
    variables: impl Iterator<Item = (&'v String, &'v Variable)>,
) -> Object {
    let mut data = BTreeMap::new();
    let mut sealed = BTreeMap::new();
    for (key, variable) in variables {
        match variable {
            Variable::Literal(text) => {
                data.insert(key.clone(), STANDARD.encode(text));
            }
            Variable::Secret {
                secret,
                version,
                environment,
                group: _,
            } => {
                let reference = SealedRef {
                    secret: secret.clone(),
                    version: *version,
                    environment: environment.clone(),
                };
                sealed.insert(key.clone(), reference);
            }
        }
    }
    let mut body = json!({ "type": "Opaque" });
    if !data.is_empty() {
        body["data"] = json!(data);
    }
    kind::sealed_secret(&scope.namespace, name, labels, body, sealed)
}
