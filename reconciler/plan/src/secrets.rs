//! What an environment's and its project's objects need of secrets, and which of it nobody has given a value.
//!
//! Pure: names and versions. Read on in [`starform_contract::secret`] for what is kept.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use starform_contract::{
    EnvironmentBundle, Origins, ProjectBundle, SecretVersions, ServiceName, bundle::SealedRef,
    secret::Holder,
};

use crate::{codes, crosscheck::blocking, document::Finding, view::values};

/// One finding for each secret, at the first variable that uses it.
pub(crate) fn without_value(
    bundle: &EnvironmentBundle,
    versions: &SecretVersions,
    origins: &Origins,
) -> Vec<Finding> {
    needed(bundle)
        .into_iter()
        .filter(|(reference, _)| {
            let holder = reference.environment.as_ref().unwrap_or(&bundle.environment);
            !versions.has(
                Holder::Environment(holder),
                &reference.secret,
                reference.version,
            )
        })
        .map(|(reference, uses)| {
            let holder = reference.environment.as_ref().unwrap_or(&bundle.environment);
            let SealedRef {
                secret, version, ..
            } = &reference;
            let by = users(&uses);
            let was_removed = versions.current(Holder::Environment(holder), secret) != *version;
            let title = if was_removed {
                format!("secret {secret}{by} has no value of version {version} in {holder} any more; make a plan that uses a newer one")
            } else {
                format!("secret {secret}{by} has no value in {holder}; set it: `starform secret set {secret} --env {holder}`")
            };
            let at = uses
                .first()
                .and_then(|(service, key)| origins.at(service, &format!("vars.{key}")));
            blocking(&codes::NO_SECRET_VALUE, title, at)
        })
        .collect()
}

/// One finding where the project's images are pulled with a value that nobody keeps.
pub(crate) fn without_shared_value(
    project: &ProjectBundle,
    versions: &SecretVersions,
) -> Vec<Finding> {
    let references = project
        .objects
        .iter()
        .flat_map(|object| object.sealed.values());
    let missing = references
        .filter(|reference| !versions.has(Holder::Cluster, &reference.secret, reference.version));
    missing
        .map(|SealedRef { secret, version, .. }| {
            let newest = versions.current(Holder::Cluster, secret);
            let title = if newest == *version {
                format!("the cluster's profile pulls images with the secret {secret}, which has no value; its operator sets it: `starform secret set {secret} --cluster`")
            } else {
                format!("the cluster's profile pulls images with version {version} of the secret {secret}, which has no value; its operator leaves the version out of the profile, or names one that is kept")
            };
            blocking(&codes::NO_SECRET_VALUE, title, None)
        })
        .collect()
}

/// A service and the variable that holds the secret's value.
type Use<'b> = (&'b ServiceName, &'b str);

/// Every reference of the bundle's objects, with the variables of services that mean it.
fn needed(bundle: &EnvironmentBundle) -> BTreeMap<SealedRef, BTreeSet<Use<'_>>> {
    let mut needed: BTreeMap<SealedRef, BTreeSet<Use<'_>>> = BTreeMap::new();
    for object in bundle.all_objects() {
        for reference in object.sealed.values() {
            needed.entry(reference.clone()).or_default();
        }
    }
    if needed.is_empty() {
        return needed;
    }
    for service in &bundle.services {
        let vars = service.model.get("vars").and_then(Value::as_object);
        for (key, variable) in vars.into_iter().flatten() {
            let uses = reference(variable).and_then(|reference| needed.get_mut(&reference));
            if let Some(uses) = uses {
                uses.insert((&service.name, key));
            }
        }
    }
    needed
}

/// Of a variable as the model writes it; `None` for a literal.
fn reference(variable: &Value) -> Option<SealedRef> {
    Some(SealedRef {
        secret: variable.get("secret")?.as_str()?.to_owned(),
        version: variable.get("version")?.as_u64()?,
        environment: variable
            .get("environment")
            .and_then(Value::as_str)
            .and_then(|name| name.parse().ok()),
    })
}

/// ` (of api and worker)`
fn users(uses: &BTreeSet<Use<'_>>) -> String {
    let names: BTreeSet<&str> = uses.iter().map(|(service, _)| service.as_str()).collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(" (of {})", values::list(names))
    }
}
