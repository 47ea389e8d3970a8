//! Environment variables of a container, and what makes pods roll when they change.
//!
//! Pure. Always holds: a program sees exactly the text that the project says, although the kubelet
//! expands `$(NAME)` in values and arguments.

use serde_json::{Value, json};
use starform_contract::{
    Digest,
    model::{Port, Variable},
};

use super::{ServiceScope, secret};

/// First the platform's variables, then the service's, by key.
pub(super) fn variables(scope: &ServiceScope<'_>, ports: &[Port]) -> Vec<Value> {
    let platform = platform(scope, ports);
    let own = scope
        .service
        .model
        .vars
        .iter()
        .filter(|(key, _)| !platform.iter().any(|(name, _)| name == key))
        .map(|(key, variable)| variable_entry(scope, key, variable))
        .collect::<Vec<_>>();
    platform
        .iter()
        .map(|(name, value)| literal(name, value))
        .chain(own)
        .collect()
}

/// Changes with every literal and every secret's version, so that a change rolls the pods.
pub(super) fn checksum(scope: &ServiceScope<'_>) -> Digest {
    Digest::of(&scope.service.model.vars)
}

/// Text that the kubelet expands to `text`.
///
/// Its rules (Kubernetes, `third_party/forked/golang/expansion`): `$(NAME)` is a reference, `$$` is
/// `$`, any other `$` stays, but a byte that is not ASCII behind it is damaged.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('$') {
        let (before, from) = rest.split_at(start);
        let after = from.trim_start_matches('$');
        let dollars = &from[..from.len() - after.len()];
        let stays = dollars.len() == 1 && !after.starts_with(|c: char| c == '(' || !c.is_ascii());
        escaped.push_str(before);
        escaped.push_str(dollars);
        if !stays {
            escaped.push_str(dollars);
        }
        rest = after;
    }
    escaped.push_str(rest);
    escaped
}

fn platform(scope: &ServiceScope<'_>, ports: &[Port]) -> Vec<(&'static str, String)> {
    let state = scope.scope.state;
    let port = ports.first().map(|port| ("PORT", port.port.to_string()));
    port.into_iter()
        .chain([
            ("STARFORM_ENVIRONMENT", state.environment.to_string()),
            ("STARFORM_PROJECT", state.project.to_string()),
            ("STARFORM_SERVICE", scope.service.name.to_string()),
        ])
        .collect()
}

fn variable_entry(scope: &ServiceScope<'_>, key: &str, variable: &Variable) -> Value {
    match variable {
        Variable::Literal(text) => literal(key, text),
        Variable::Secret { group, .. } => {
            let holder = secret::holder(scope, group.as_ref());
            let reference = json!({ "name": holder, "key": key });
            json!({ "name": key, "valueFrom": { "secretKeyRef": reference } })
        }
    }
}

/// The server keeps no empty value: a name alone means it.
fn literal(name: &str, text: &str) -> Value {
    if text.is_empty() {
        json!({ "name": name })
    } else {
        json!({ "name": name, "value": escape(text) })
    }
}
