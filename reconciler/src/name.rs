//! Names that people give to workspaces, clusters and tiers.
//!
//! Pure. Always holds: 1 to 40 characters, `[a-z]([-a-z0-9]*[a-z0-9])?`, no `--`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The name of a workspace, a cluster or a tier.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourceName(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no name; use 1 to 40 lower-case letters, digits and single hyphens, begin with a letter, end with a letter or digit"
)]
pub struct NotAName(String);

impl ResourceName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ResourceName {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        let length = (1..=40).contains(&text.len());
        let chars = text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let ends = text.starts_with(|c: char| c.is_ascii_lowercase()) && !text.ends_with('-');
        if length && chars && ends && !text.contains("--") {
            Ok(Self(text))
        } else {
            Err(NotAName(text))
        }
    }
}

impl FromStr for ResourceName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        Self::try_from(text.to_owned())
    }
}

impl From<ResourceName> for String {
    fn from(name: ResourceName) -> Self {
        name.0
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
