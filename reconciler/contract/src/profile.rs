//! The operator's word about one cluster: `cluster.json`, the same file for a server and without one.
//!
//! Pure data. Every field has a default, so an empty object is a profile; the defaults fit Envoy
//! Gateway's own names. Always holds of what [`ClusterProfile::read`] returns: the API server takes
//! every name and amount in it. Read on in `check` for the rules, `docs/operating.md` for the words.

mod check;
mod version;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    index::AnnotationPatch,
    key::ObjectKey,
    quantity::{Cpu, Memory},
    range::Cidr,
    schema,
    secret::{Holder, SecretVersions},
};

pub use check::{Fault, InvalidProfile};
pub use version::{KubernetesVersion, NotAVersion};

/// The tier of a workspace that names none.
pub const DEFAULT_TIER: &str = "standard";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub enum ProfileSchema {
    #[default]
    #[serde(rename = "starform.cluster-profile/v1")]
    V1,
}

impl<'de> Deserialize<'de> for ProfileSchema {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        schema::word::<ClusterProfile, D>(from).map(|()| Self::V1)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClusterProfile {
    pub schema: ProfileSchema,
    /// What the API server is; `1.36`.
    pub kubernetes: KubernetesVersion,
    /// The Gateway that HTTPRoutes attach to.
    pub gateway: Gateway,
    /// Platform hosts are made under it.
    pub base_domain: String,
    /// What `volume … class=NAME` may name; none: the names are those of the cluster's own classes.
    pub storage_classes: BTreeMap<String, StorageClass>,
    /// With what images are pulled; `None`: they are public, or the nodes may pull them.
    pub registry_secret: Option<RegistrySecret>,
    /// The namespace of the metrics scraper; `None`: nothing may scrape.
    pub scraper_namespace: Option<String>,
    /// What a project of a workspace of each tier may use; at least one.
    pub tiers: BTreeMap<String, Tier>,
    pub egress: Egress,
    /// Field managers (globs) that count as people when they change what Starform wrote, beside the
    /// built-in ones.
    pub people: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    pub name: String,
    /// The Gateway's namespace; its proxies run there and may reach web ports.
    pub namespace: String,
    /// The one listener that routes attach to; `None`: every one that takes their hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener: Option<String>,
    /// Labels of the proxies' pods; none: every pod of the namespace.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pods: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_balancer: Option<LoadBalancer>,
    /// The user that writes the status of routes: the ServiceAccount of the Gateway's controller.
    #[serde(default = "envoy_gateway")]
    pub controller: String,
}

/// The Service in front of the Gateway's proxies, in the Gateway's namespace. It is not Starform's: one
/// annotation of it is set, if it exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadBalancer {
    pub service: String,
    /// From which the cloud reads how many units large the load balancer is.
    #[serde(default = "size_unit_annotation")]
    pub size_unit_annotation: String,
}

/// A StorageClass under the name that projects use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StorageClass {
    /// Its name in the cluster.
    pub class: String,
    /// Whether a volume may become larger (`allowVolumeExpansion`).
    #[serde(default)]
    pub grows: bool,
    /// Volumes that name no class get this one; at most one class has it.
    #[serde(default)]
    pub default: bool,
}

/// What images are pulled with, as the operator's secret of this name keeps it; never the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegistrySecret {
    pub name: String,
    /// `None`: the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// What one project may use, and what a single part of it may.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tier {
    pub quota: Quota,
    pub largest: Largest,
}

/// Of a project, over all of its environments; what is left out is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Quota {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Cpu>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pods: Option<u32>,
    /// Sum of the sizes of all volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<Memory>,
    /// Number of volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volumes: Option<u32>,
}

/// Of one container or volume; what is left out is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Largest {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Cpu>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<Memory>,
}

/// CIDR ranges, beside the built-in private ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Egress {
    pub denied: Vec<Cidr>,
    /// Private ranges that pods may reach all the same, such as a managed database's.
    pub allowed: Vec<Cidr>,
}

impl ClusterProfile {
    /// The class of a volume that names `asked`, or that names none. `None`: the cluster's own default.
    ///
    /// # Errors
    /// [`UnknownName`] with the names that there are.
    pub fn storage_class(&self, asked: Option<&str>) -> Result<Option<&StorageClass>, UnknownName> {
        match asked {
            None => Ok(self.storage_classes.values().find(|class| class.default)),
            Some(_) if self.storage_classes.is_empty() => Ok(None),
            Some(name) => known(&self.storage_classes, name).map(Some),
        }
    }

    /// The version of the registry's secret that a plan made now means.
    #[must_use]
    pub fn with_newest(mut self, kept: &SecretVersions) -> Self {
        if let Some(secret) = &mut self.registry_secret {
            let newest = kept.current(Holder::Cluster, &secret.name);
            secret.version.get_or_insert(newest);
        }
        self
    }

    /// What says how large the load balancer is; nothing without one, or where nobody says.
    pub fn annotation_patches(&self, lb_size_units: Option<u32>) -> Vec<AnnotationPatch> {
        let balancer = self.gateway.load_balancer.as_ref().zip(lb_size_units);
        let patch = balancer.map(|(balancer, units)| AnnotationPatch {
            key: ObjectKey::new(
                "",
                "Service",
                Some(&self.gateway.namespace),
                &balancer.service,
            ),
            annotations: BTreeMap::from([(
                balancer.size_unit_annotation.clone(),
                units.to_string(),
            )]),
        });
        patch.into_iter().collect()
    }

    /// # Errors
    /// [`UnknownName`] with the names that there are.
    pub fn tier(&self, name: &str) -> Result<&Tier, UnknownName> {
        known(&self.tiers, name)
    }
}

/// A name that the profile does not give a meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    pub asked: String,
    pub known: Vec<String>,
}

impl Default for ClusterProfile {
    fn default() -> Self {
        Self {
            schema: ProfileSchema::V1,
            kubernetes: KubernetesVersion::default(),
            gateway: Gateway {
                name: "starform".to_owned(),
                namespace: "envoy-gateway-system".to_owned(),
                listener: None,
                pods: BTreeMap::new(),
                load_balancer: None,
                controller: envoy_gateway(),
            },
            base_domain: "starform.localhost".to_owned(),
            storage_classes: BTreeMap::new(),
            registry_secret: None,
            scraper_namespace: None,
            tiers: BTreeMap::from([
                ("small".to_owned(), Tier::of(8, 16, 40, 100)),
                (DEFAULT_TIER.to_owned(), Tier::of(64, 128, 250, 1000)),
                ("large".to_owned(), Tier::of(512, 1024, 2000, 10_000)),
            ]),
            egress: Egress::default(),
            people: Vec::new(),
        }
    }
}

impl Tier {
    /// Cores, GiB of memory, pods, GiB of storage: a quarter of the first two for one container.
    fn of(cores: u64, memory: u64, pods: u32, storage: u64) -> Self {
        let gib = |n: u64| Memory::from_bytes(n << 30);
        Self {
            quota: Quota {
                cpu: Some(Cpu::from_millicores(cores * 1000)),
                memory: Some(gib(memory)),
                pods: Some(pods),
                storage: Some(gib(storage)),
                volumes: Some(pods / 5),
            },
            largest: Largest {
                cpu: Some(Cpu::from_millicores(cores * 250)),
                memory: Some(gib(memory / 4)),
                volume: Some(gib(storage / 2)),
            },
        }
    }
}

fn known<'a, T>(all: &'a BTreeMap<String, T>, asked: &str) -> Result<&'a T, UnknownName> {
    all.get(asked).ok_or_else(|| UnknownName {
        asked: asked.to_owned(),
        known: all.keys().cloned().collect(),
    })
}

/// DigitalOcean's.
fn size_unit_annotation() -> String {
    "service.beta.kubernetes.io/do-loadbalancer-size-unit".to_owned()
}

fn envoy_gateway() -> String {
    "system:serviceaccount:envoy-gateway-system:envoy-gateway".to_owned()
}
