//! Tests of rendering: laws over any environment, and the shape of what comes out.
//!
//! Pure.

mod laws;
mod profile;
mod routes;
mod running;
mod shape;

use serde_json::Value;
use starform_contract::{ClusterProfile, EnvironmentState, Object};
use starform_plan::render::{Rendered, render};

use crate::sample::service_name;

/// Every object, project scope first.
fn objects(rendered: &Rendered) -> Vec<&Object> {
    rendered
        .project
        .objects
        .iter()
        .chain(rendered.environment.all_objects())
        .collect()
}

fn rendered(state: &EnvironmentState) -> Rendered {
    render(state, &ClusterProfile::default())
}

fn kind(object: &Object) -> &str {
    object.manifest["kind"].as_str().unwrap()
}

fn name(object: &Object) -> &str {
    object.manifest["metadata"]["name"].as_str().unwrap()
}

fn labels(object: &Object) -> &Value {
    &object.manifest["metadata"]["labels"]
}

/// The first object of a kind of a service.
fn object_of(rendered: &Rendered, service: &str, wanted: &str) -> Value {
    let entry = rendered
        .environment
        .service(&service_name(service))
        .unwrap();
    let object = entry.objects.iter().find(|object| kind(object) == wanted);
    object
        .unwrap_or_else(|| panic!("{service} has a {wanted}"))
        .manifest
        .clone()
}

/// The pod template of an object that has one.
fn template(object: &Object) -> Option<&Value> {
    let spec = &object.manifest["spec"];
    spec.get("template")
        .or_else(|| spec.pointer("/jobTemplate/spec/template"))
}

/// Whether every pair of `selector` is in `labels`.
fn is_part_of(selector: &Value, labels: &Value) -> bool {
    selector
        .as_object()
        .unwrap()
        .iter()
        .all(|(key, value)| labels.get(key) == Some(value))
}
