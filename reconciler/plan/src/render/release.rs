//! Release Jobs: a command that ends before new pods of a service start.
//!
//! Pure. Always holds: what a release does depends on nothing but what its digest is made of, so Jobs
//! with equal digests are attempts at one release, and one that is complete is never run again. Its
//! pods have a role of their own: no Service, budget or Deployment selects them.

use serde_json::{Value, json};
use starform_contract::{Digest, Object, bundle::RELEASE_ANNOTATION, name};

use super::{
    ServiceScope, Serving,
    kind::Kind,
    labels::{self, Role},
    pod,
};

pub(super) fn job(scope: &ServiceScope<'_>, serving: Serving<'_>) -> Option<Object> {
    let release = serving.running.release.as_ref()?;
    let template = pod::release(scope, serving.ports, release);
    let runs = runs(&template);
    let spec = json!({
        "activeDeadlineSeconds": release.timeout.as_secs().max(1),
        // What a migration did before it failed is for a person to look at, not for a second try.
        "backoffLimit": 0,
        "completionMode": "NonIndexed",
        "completions": 1,
        "parallelism": 1,
        "suspend": false,
        "template": template,
    });
    let (state, service) = (scope.scope.state, scope.service);
    let labels = json!(labels::workload(state, service, Role::Release));
    let name = name::release_job(
        &service.object_name,
        &state.environment,
        &runs,
        release.attempt,
    );
    let annotations = json!({ RELEASE_ANNOTATION: runs });
    let body = json!({ "metadata": { "annotations": annotations }, "spec": spec });
    Some(scope.scope.object(Kind::Job, &name, labels, body))
}

/// What the outcome depends on: the command, its image, its variables and the user that it runs as. Not
/// its size, its timeout or its labels: a release that went well with others need not be repeated.
fn runs(template: &Value) -> Digest {
    let container = &template["spec"]["containers"][0];
    Digest::of(&json!({
        "annotations": template["metadata"]["annotations"],
        "command": container["command"],
        "container": container["securityContext"],
        "env": container["env"],
        "image": container["image"],
        "pod": template["spec"]["securityContext"],
    }))
}
