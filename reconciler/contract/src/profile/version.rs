//! The Kubernetes version that a cluster's API server has, as far as objects depend on it: `1.36`.
//!
//! Pure. Always holds: every field that is rendered is known to that version.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::text_form;

/// The minor version of Kubernetes 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct KubernetesVersion(u16);

/// Why a text is no version that objects are made for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAVersion {
    #[error("`{0}` is no version; write it as `1.36`, as `kubectl version` says it")]
    Shape(String),
    /// Native sleep before TERM (KEP-3960) is on from then on; every service that drains uses it.
    #[error(
        "Kubernetes 1.{0} is too old: containers cannot sleep before they are ended; upgrade to 1.30 or later"
    )]
    TooOld(u16),
}

const OLDEST: u16 = 30;

impl Default for KubernetesVersion {
    /// The one that every object was tried on.
    fn default() -> Self {
        Self(36)
    }
}

impl FromStr for KubernetesVersion {
    type Err = NotAVersion;

    /// A leading `v` and what follows the minor version are what API servers print: `v1.36.3`.
    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let shape = || NotAVersion::Shape(text.to_owned());
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.');
        let major = parts.next().ok_or_else(shape)?;
        let minor = parts.next().ok_or_else(shape)?;
        let plain = minor.bytes().all(|b| b.is_ascii_digit());
        let minor: u16 = minor.parse().map_err(|_| shape())?;
        if major != "1" || !plain {
            return Err(shape());
        }
        if minor < OLDEST {
            return Err(NotAVersion::TooOld(minor));
        }
        Ok(Self(minor))
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.0)
    }
}

text_form!(KubernetesVersion, NotAVersion);
