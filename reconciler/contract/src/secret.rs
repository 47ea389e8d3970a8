//! Which secrets have values, by environment: names and versions, never a value.
//!
//! Pure data. Always holds: versions of a name count up from 1 and are never used twice, also when
//! its values were removed in between. Names of people's secrets hold no dot, names of generated ones
//! do, so neither can be taken for the other. Read on in [`crate::sealed`] for values.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    bundle::{Bundle, SealedRef},
    id::ProjectId,
    key::ObjectKey,
    name::{EnvironmentName, GroupName, ObjectName},
};

/// What whoever keeps the secrets of a project says about them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SecretVersions {
    /// Nobody was asked: every secret counts as set once.
    #[default]
    Unasked,
    Kept(Kept),
}

/// By environment, and those that all projects of a cluster share.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub environments: BTreeMap<EnvironmentName, BTreeMap<String, Versions>>,
    #[serde(default)]
    pub cluster: BTreeMap<String, Versions>,
    /// Versions up to here may have been given though nobody knows it any more.
    #[serde(default)]
    pub floor: u64,
}

/// Whose a secret is, inside one project on one cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder<'a> {
    Environment(&'a EnvironmentName),
    /// Of the operator, for objects of the project itself.
    Cluster,
}

/// Whose a secret is, among all of one cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope<'a> {
    Environment(ProjectId, &'a EnvironmentName),
    /// Of the operator, for the objects that every project of the cluster has itself.
    Cluster,
}

/// The versions of one secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// The newest that was ever given.
    pub newest: u64,
    /// The oldest whose value is kept; `None`: all were removed.
    pub since: Option<u64>,
}

/// A value that is made once and kept, by its place in the file: the service's object name stays
/// across renames, so the value does too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generated<'a> {
    Service(&'a ObjectName, &'a str),
    Group(&'a GroupName, &'a str),
}

/// Random bytes that a generated value says.
pub const GENERATED_BYTES: usize = 32;

const GENERATED: &str = "generated.";

impl SecretVersions {
    /// The version that a new use of the secret means. One without a value gets the version that its
    /// value will have.
    pub fn current(&self, holder: Holder<'_>, secret: &str) -> u64 {
        match self.of(holder, secret) {
            Some(Versions {
                newest,
                since: Some(_),
            }) => newest,
            Some(Versions {
                newest,
                since: None,
            }) => newest.max(self.floor()) + 1,
            None => self.floor() + 1,
        }
    }

    /// Whether there is, or will be at accept, a value of this version.
    pub fn has(&self, holder: Holder<'_>, secret: &str, version: u64) -> bool {
        match self {
            Self::Unasked => true,
            Self::Kept(_) if is_generated(secret) => true,
            Self::Kept(_) => self.of(holder, secret).is_some_and(|versions| {
                versions.since.is_some_and(|since| since <= version) && version <= versions.newest
            }),
        }
    }

    fn floor(&self) -> u64 {
        match self {
            Self::Unasked => 0,
            Self::Kept(kept) => kept.floor,
        }
    }

    fn of(&self, holder: Holder<'_>, secret: &str) -> Option<Versions> {
        match (self, holder) {
            (Self::Unasked, _) => None,
            (Self::Kept(kept), Holder::Environment(name)) => {
                kept.environments.get(name)?.get(secret).copied()
            }
            (Self::Kept(kept), Holder::Cluster) => kept.cluster.get(secret).copied(),
        }
    }
}

impl<'a> Scope<'a> {
    /// An environment's objects use its own secrets, or those of the environment that the reference
    /// names; a project's own objects (`None`) use its cluster's.
    pub fn of(
        project: ProjectId,
        environment: Option<&'a EnvironmentName>,
        reference: &'a SealedRef,
    ) -> Self {
        environment.map_or(Self::Cluster, |own| {
            Self::Environment(project, reference.environment.as_ref().unwrap_or(own))
        })
    }
}

/// Objects of the bundle that use the secret, and which version of it, each pair once.
pub fn users(bundle: &Bundle, scope: Scope<'_>, secret: &str) -> Vec<(ObjectKey, u64)> {
    let mut users = Vec::new();
    for object in bundle.objects() {
        let means = |reference: &&SealedRef| {
            reference.secret == secret
                && Scope::of(bundle.project_id(), bundle.environment(), reference) == scope
        };
        let uses = object.sealed.values().filter(means);
        let mut versions: Vec<u64> = uses.map(|reference| reference.version).collect();
        versions.sort_unstable();
        versions.dedup();
        if let Some(key) = object.key() {
            users.extend(versions.into_iter().map(|version| (key.clone(), version)));
        }
    }
    users
}

/// The value that random bytes make: base64url without padding, 43 characters that stand in a URL, a
/// cookie and a shell as they are.
pub fn generated_value(bytes: &[u8; GENERATED_BYTES]) -> Zeroizing<String> {
    Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes))
}

impl Kept {
    /// Knows what the bundle uses, where whoever keeps the secrets has forgotten it: a version in use
    /// was given, so the next value of the secret is a newer one. A generated value is made anew.
    pub fn remember(&mut self, bundle: &Bundle) {
        let references = bundle.objects().flat_map(|object| object.sealed.values());
        let mut used: BTreeMap<(Scope<'_>, &str), u64> = BTreeMap::new();
        for reference in references {
            let of = Scope::of(bundle.project_id(), bundle.environment(), reference);
            let newest = used.entry((of, &reference.secret)).or_default();
            *newest = reference.version.max(*newest);
        }
        for ((of, secret), newest) in used {
            let versions = match of {
                Scope::Environment(_, name) => self.environments.entry(name.clone()).or_default(),
                Scope::Cluster => &mut self.cluster,
            };
            versions.entry(secret.to_owned()).or_insert(Versions {
                newest,
                since: is_generated(secret).then_some(newest),
            });
        }
    }
}

impl Generated<'_> {
    /// `generated.storefront.COOKIE_SECRET`, `generated.group.shared.COOKIE_SECRET`.
    pub fn name(self) -> String {
        match self {
            Self::Service(service, key) => format!("{GENERATED}{service}.{key}"),
            Self::Group(group, key) => format!("{GENERATED}group.{group}.{key}"),
        }
    }
}

/// Whether a value of this name is made, not set.
pub fn is_generated(secret: &str) -> bool {
    secret.starts_with(GENERATED)
}
