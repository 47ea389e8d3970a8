//! The operator's word about one cluster: `cluster.json`, the same file for a server and without one.
//!
//! Pure data. Every field has a default, so an empty object is a profile; the defaults fit Envoy
//! Gateway's own names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The tier of a workspace that names none.
pub const DEFAULT_TIER: &str = "standard";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ProfileSchema {
    #[default]
    #[serde(rename = "starform.cluster-profile/v1")]
    V1,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClusterProfile {
    pub schema: ProfileSchema,
    /// The Gateway that HTTPRoutes attach to.
    pub gateway: Gateway,
    /// Platform hosts are made under it.
    pub base_domain: String,
    /// The namespace of the metrics scraper; `None`: nothing may scrape.
    pub scraper_namespace: Option<String>,
    pub egress: Egress,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    pub name: String,
    /// The Gateway's namespace; its proxies run there and may reach web ports.
    pub namespace: String,
}

/// CIDR ranges, beside the built-in private ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Egress {
    pub denied: Vec<String>,
    /// Private ranges that pods may reach all the same, such as a managed database's.
    pub allowed: Vec<String>,
}

impl Default for ClusterProfile {
    fn default() -> Self {
        Self {
            schema: ProfileSchema::V1,
            gateway: Gateway {
                name: "starform".to_owned(),
                namespace: "envoy-gateway-system".to_owned(),
            },
            base_domain: "starform.localhost".to_owned(),
            scraper_namespace: None,
            egress: Egress::default(),
        }
    }
}
