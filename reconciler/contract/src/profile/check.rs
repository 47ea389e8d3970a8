//! Reading a profile, and the rules that a type cannot say; every fault with its place and what to do.
//!
//! Pure. Always holds: a profile that passes makes only objects that the API server takes.

use std::fmt;

use serde_json::Value;

use super::{ClusterProfile, Gateway, Largest, Quota, Tier};
use crate::{name::SecretName, range::Cidr, schema};

/// One thing wrong with a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `egress.denied[0]`; empty: the file as a whole.
    pub path: String,
    /// What is wrong, and what to do.
    pub problem: String,
}

/// Everything wrong with a profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct InvalidProfile(pub Vec<Fault>);

impl ClusterProfile {
    /// A profile from JSON text.
    ///
    /// # Errors
    /// What the text or its fields lack; a field that no version knows is one of them.
    pub fn read(text: &str) -> Result<Self, InvalidProfile> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| whole(&format!("it is not JSON: {error}")))?;
        Self::of(value)
    }

    /// As [`Self::read`], of text that is parsed already.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn of(value: Value) -> Result<Self, InvalidProfile> {
        if value.get("schema").is_some() {
            schema::check_value::<Self>(&value).map_err(|error| {
                InvalidProfile(vec![Fault {
                    path: "schema".to_owned(),
                    problem: error.to_string(),
                }])
            })?;
        }
        let profile: Self = serde_path_to_error::deserialize(value).map_err(|error| {
            let path = match error.path().to_string() {
                path if path == "." => String::new(),
                path => path,
            };
            let problem = error.into_inner().to_string();
            InvalidProfile(vec![Fault { path, problem }])
        })?;
        profile.check()?;
        Ok(profile)
    }

    /// What the types allow and the API server or sense do not.
    ///
    /// # Errors
    /// Every fault, in the order of the fields.
    pub fn check(&self) -> Result<(), InvalidProfile> {
        let mut faults = Faults::default();
        gateway(&mut faults, &self.gateway);
        faults.unless(is_domain(&self.base_domain), "base_domain", || {
            let text = &self.base_domain;
            format!("`{text}` is no domain; write one such as `apps.example.org`, in lower case and without a port")
        });
        // A platform host's first label has up to 63 characters.
        faults.unless(self.base_domain.len() <= 189, "base_domain", || {
            "it has more than 189 characters, which leaves no room for a service's host before it; use a shorter one".to_owned()
        });
        storage(&mut faults, self);
        if let Some(secret) = &self.registry_secret {
            let name: Result<SecretName, _> = secret.name.parse();
            faults.unless(name.is_ok(), "registry_secret.name", || {
                let text = &secret.name;
                format!("`{text}` is no name of a secret; use lower-case letters, digits and single hyphens, begin with a letter")
            });
            faults.unless(secret.version != Some(0), "registry_secret.version", || {
                "versions count from 1".to_owned()
            });
        }
        if let Some(namespace) = &self.scraper_namespace {
            faults.name("scraper_namespace", namespace, is_label, "namespace");
        }
        tiers(&mut faults, self);
        egress(&mut faults, self);
        for (n, glob) in self.people.iter().enumerate() {
            let good = !glob.is_empty() && glob.len() <= 128 && !glob.contains(char::is_whitespace);
            faults.unless(good && glob != "*", &format!("people[{n}]"), || {
                format!("`{glob}` would match nothing or everything; write a field manager's name, `*` in place of a part of it, such as `kubectl-*`")
            });
        }
        faults.end()
    }
}

fn gateway(faults: &mut Faults, gateway: &Gateway) {
    faults.name("gateway.name", &gateway.name, is_subdomain, "Gateway");
    faults.name(
        "gateway.namespace",
        &gateway.namespace,
        is_label,
        "namespace",
    );
    faults.unless(
        is_user(&gateway.controller),
        "gateway.controller",
        || {
            let text = &gateway.controller;
            format!("`{text}` is no user; write the controller's, such as `system:serviceaccount:envoy-gateway-system:envoy-gateway`")
        },
    );
    if let Some(listener) = &gateway.listener {
        faults.name("gateway.listener", listener, is_subdomain, "listener");
    }
    for (key, value) in &gateway.pods {
        faults.unless(
            is_qualified(key) && is_label_value(value),
            &format!("gateway.pods.{key}"),
            || {
                format!("`{key}: {value}` is no label; copy it from `kubectl get pods --show-labels` in the Gateway's namespace")
            },
        );
    }
    if let Some(balancer) = &gateway.load_balancer {
        let path = "gateway.load_balancer.service";
        faults.name(path, &balancer.service, is_label, "Service");
        let key = &balancer.size_unit_annotation;
        faults.unless(
            is_qualified(key),
            "gateway.load_balancer.size_unit_annotation",
            || format!("`{key}` is no annotation's key; write it as the cloud's documentation does, `prefix/name`"),
        );
    }
}

fn storage(faults: &mut Faults, profile: &ClusterProfile) {
    for (name, class) in &profile.storage_classes {
        let path = format!("storage_classes.{name}");
        faults.name(&path, name, is_subdomain, "StorageClass");
        faults.name(
            &format!("{path}.class"),
            &class.class,
            is_subdomain,
            "StorageClass",
        );
    }
    let defaults = profile
        .storage_classes
        .iter()
        .filter(|(_, class)| class.default);
    let defaults: Vec<&str> = defaults.map(|(name, _)| name.as_str()).collect();
    faults.unless(defaults.len() < 2, "storage_classes", || {
        format!(
            "{} all say that they are the default; leave it to one of them",
            defaults.join(", ")
        )
    });
}

fn tiers(faults: &mut Faults, profile: &ClusterProfile) {
    faults.unless(!profile.tiers.is_empty(), "tiers", || {
        "there is no tier, so no project could run here; leave `tiers` out for the built-in ones, or name one".to_owned()
    });
    for (name, tier) in &profile.tiers {
        let path = format!("tiers.{name}");
        faults.name(&path, name, is_label, "tier");
        let Tier { quota, largest } = tier;
        for (field, amount) in amounts(quota, largest) {
            faults.unless(amount != Some(0), &format!("{path}.{field}"), || {
                "nothing fits into zero; leave it out for no limit".to_owned()
            });
        }
        let pairs = [
            (
                "cpu",
                largest.cpu.map(|cpu| cpu.as_millicores()),
                quota.cpu.map(|cpu| cpu.as_millicores()),
            ),
            (
                "memory",
                largest.memory.map(|memory| memory.as_bytes()),
                quota.memory.map(|memory| memory.as_bytes()),
            ),
            (
                "volume",
                largest.volume.map(|size| size.as_bytes()),
                quota.storage.map(|size| size.as_bytes()),
            ),
        ];
        for (field, one, all) in pairs {
            let fits = one.zip(all).is_none_or(|(one, all)| one <= all);
            faults.unless(fits, &format!("{path}.largest.{field}"), || {
                "a single one may not be larger than the quota of the whole project; lower it, or raise the quota".to_owned()
            });
        }
    }
}

fn amounts(quota: &Quota, largest: &Largest) -> [(&'static str, Option<u64>); 8] {
    [
        ("quota.cpu", quota.cpu.map(|cpu| cpu.as_millicores())),
        ("quota.memory", quota.memory.map(|memory| memory.as_bytes())),
        ("quota.pods", quota.pods.map(u64::from)),
        ("quota.storage", quota.storage.map(|size| size.as_bytes())),
        ("quota.volumes", quota.volumes.map(u64::from)),
        ("largest.cpu", largest.cpu.map(|cpu| cpu.as_millicores())),
        (
            "largest.memory",
            largest.memory.map(|memory| memory.as_bytes()),
        ),
        ("largest.volume", largest.volume.map(|size| size.as_bytes())),
    ]
}

/// Link-local addresses: a cloud's metadata service and its credentials are there.
const LINK_LOCAL: [&str; 2] = ["169.254.0.0/16", "fe80::/10"];

fn egress(faults: &mut Faults, profile: &ClusterProfile) {
    let link_local = LINK_LOCAL.map(|range| range.parse::<Cidr>().expect("a range of this list"));
    for (n, allowed) in profile.egress.allowed.iter().enumerate() {
        let path = format!("egress.allowed[{n}]");
        faults.unless(!allowed.is_everything(), &path, || {
            format!("`{allowed}` opens everything, nodes and other projects too; name the ranges that pods need, such as a managed database's")
        });
        let local = link_local.iter().find(|range| range.overlaps(allowed));
        if let Some(local) = local.filter(|_| !allowed.is_everything()) {
            faults.say(&path, format!("`{allowed}` reaches into {local}, where clouds keep the nodes' credentials; leave that out"));
        }
        let denied = profile
            .egress
            .denied
            .iter()
            .find(|denied| allowed.contains(denied));
        if let Some(denied) = denied {
            faults.say(&path, format!("`{allowed}` would open `{denied}` again, which `egress.denied` names; leave one of them out"));
        }
    }
}

#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn say(&mut self, path: &str, problem: String) {
        let path = path.to_owned();
        self.0.push(Fault { path, problem });
    }

    fn unless(&mut self, good: bool, path: &str, problem: impl FnOnce() -> String) {
        if !good {
            self.say(path, problem());
        }
    }

    fn name(&mut self, path: &str, text: &str, rule: fn(&str) -> bool, what: &str) {
        self.unless(rule(text), path, || {
            format!("`{text}` is no name of a {what}; use lower-case letters, digits and `-`, begin and end with a letter or digit")
        });
    }

    fn end(self) -> Result<(), InvalidProfile> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(InvalidProfile(self.0))
        }
    }
}

/// An RFC 1123 label.
fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// An RFC 1123 subdomain.
fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

/// What names can be made under; one label is a name of a local network.
fn is_domain(text: &str) -> bool {
    is_subdomain(text)
        && !text
            .split('.')
            .all(|label| label.bytes().all(|b| b.is_ascii_digit()))
}

/// The key of a label or annotation: `prefix/name`, or a name alone.
fn is_qualified(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_subdomain(prefix) && !name.is_empty() && is_label_value(name),
        None => !text.is_empty() && is_label_value(text),
    }
}

/// A user's name as ServiceAccounts and certificates have it; it stands in policies between quotes.
fn is_user(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'-' | b'.' | b'_' | b'@');
    (1..=253).contains(&text.len()) && text.bytes().all(inner)
}

fn is_label_value(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let ends = |b: Option<&u8>| b.is_none_or(u8::is_ascii_alphanumeric);
    text.len() <= 63
        && text.bytes().all(inner)
        && ends(text.as_bytes().first())
        && ends(text.as_bytes().last())
}

fn whole(problem: &str) -> InvalidProfile {
    InvalidProfile(vec![Fault {
        path: String::new(),
        problem: problem.to_owned(),
    }])
}

fn lines(faults: &[Fault]) -> String {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.problem)
        } else {
            write!(f, "{}: {}", self.path, self.problem)
        }
    }
}
