//! Names that are valid by construction, and the names of Kubernetes objects made from them.
//!
//! Pure. Always holds: what a constructor here returns is accepted by the API server for that kind.
//! Sources: RFC 1123 labels, RFC 1035 labels (Services before Kubernetes 1.36), RFC 6335 port names.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    digest::{Digest, short_hex},
    id::{ProjectId, ServiceId},
};

/// Why a text is not a name, and what would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    #[error("a {what} is not empty")]
    Empty { what: &'static str },
    #[error("`{text}` has {length} characters; a {what} has at most {limit}")]
    TooLong {
        what: &'static str,
        text: String,
        length: usize,
        limit: usize,
    },
    #[error("`{text}` is no {what}: {rule}")]
    Shape {
        what: &'static str,
        text: String,
        rule: &'static str,
    },
    #[error("`{text}` is reserved by Starform; choose another {what}")]
    Reserved { what: &'static str, text: String },
}

/// Lower-case letters, digits and single hyphens, beginning with a letter.
const LETTER_FIRST: &str = "use lower-case letters, digits and single hyphens; begin with a letter, end with a letter or digit";
/// Characters of what is named inside one project and shares a rule: Var Groups, partials, volumes. At most
/// this many, so that the names of their objects hold an environment too.
const OF_A_PART: usize = 31;
/// An RFC 1123 label.
const LABEL: &str =
    "use lower-case letters, digits and hyphens; begin and end with a letter or digit";

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $longest:expr, $check:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name(String);

        impl $name {
            /// What it is called in messages.
            pub const WHAT: &'static str = $what;
            /// Characters that it has at most.
            pub const LONGEST: usize = $longest;

            pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
                let text = text.into();
                $check($what, &text, Self::LONGEST)?;
                Ok(Self(text))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

name_type! {
    /// At most 40 characters, so that its namespace's name fits a label value.
    ProjectName, "project name", 40, letter_first
}
name_type! {
    /// At most 28 characters: object name (+ `-NN`), `--` and an environment stay within 63.
    ServiceName, "service name", 28, check_service
}
name_type! {
    /// Of a Var Group; see [`OF_A_PART`].
    GroupName, "name", OF_A_PART, letter_first
}
name_type! {
    /// Of a partial; see [`OF_A_PART`].
    PartialName, "name", OF_A_PART, letter_first
}
name_type! {
    /// Of a volume of one service; see [`OF_A_PART`].
    VolumeName, "name", OF_A_PART, letter_first
}
name_type! {
    /// An RFC 1123 label of at most 30 characters. `preview` and `pr-<digits>` are allowed here
    /// (preview environments carry them) and refused by the language where a person declares one.
    EnvironmentName, "environment name", 30, check_environment
}
name_type! {
    /// An IANA service name (RFC 6335), at most 15 characters.
    PortName, "port name", 15, check_port
}
name_type! {
    /// The name of a secret, never its value; at most 63 characters.
    SecretName, "secret name", 63, letter_first
}
name_type! {
    /// The stem of a service's Kubernetes names; immutable for one incarnation of the service.
    ObjectName, "object name", 31, letter_first
}

impl EnvironmentName {
    /// `preview` and `pr-<digits>` belong to preview environments.
    pub fn is_reserved(&self) -> bool {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        self.0 == "preview" || self.0.strip_prefix("pr-").is_some_and(digits)
    }
}

impl ObjectName {
    /// The `n`-th candidate for a service: `name`, `name-2`, `name-3`, … (`n` from 1). Only the longest
    /// names have to be cut, from their hundredth candidate on.
    pub fn candidate(service: &ServiceName, n: u32) -> Self {
        Self(if n <= 1 {
            service.0.clone()
        } else {
            cut(&format!("{service}-{n}"), Self::LONGEST)
        })
    }
}

/// How every project's namespace begins.
pub const NAMESPACE_PREFIX: &str = "sf-";

/// `sf-<project>-<first 8 hex of project_id>`.
pub fn namespace(project: &ProjectName, id: ProjectId) -> String {
    format!("{NAMESPACE_PREFIX}{project}-{}", id.short())
}

/// Deployment, Service, ServiceAccount, HPA, PDB, NetworkPolicy of a service:
/// `<object_name>--<environment>`.
pub fn service_object(object: &ObjectName, environment: &EnvironmentName) -> String {
    format!("{object}--{environment}")
}

/// As [`service_object`], cut at 52 characters: the CronJob controller appends 11 to its Jobs.
pub fn cron_job(object: &ObjectName, environment: &EnvironmentName) -> String {
    cut(&service_object(object, environment), 52)
}

/// `<object_name>--<environment>--<volume>`: the PersistentVolumeClaim of a volume.
pub fn volume_claim(
    object: &ObjectName,
    environment: &EnvironmentName,
    volume: &VolumeName,
) -> String {
    cut(
        &format!("{}--{volume}", service_object(object, environment)),
        63,
    )
}

/// `<object_name>--<environment>-r-<first 8 hex of what it runs>-<attempt>`: the Job of one attempt at
/// a release. Cut at 63: a Job's pods carry its name as a label.
pub fn release_job(
    object: &ObjectName,
    environment: &EnvironmentName,
    runs: &Digest,
    attempt: u32,
) -> String {
    let service = service_object(object, environment);
    cut(&format!("{service}-r-{}-{attempt}", &runs.hex()[..8]), 63)
}

/// `starform-vg-<group>--<environment>`: the Secret of a Var Group.
pub fn group_secret(group: &GroupName, environment: &EnvironmentName) -> String {
    format!("starform-vg-{group}--{environment}")
}

/// `starform-<what>--<environment>`.
pub fn environment_object(what: &str, environment: &EnvironmentName) -> String {
    format!("starform-{what}--{environment}")
}

/// The DNS name whose TXT record says which project a host belongs to; a wildcard's is its zone's.
pub fn proof_record(host: &str) -> String {
    format!("_starform.{}", host.strip_prefix("*.").unwrap_or(host))
}

/// `starform-<what>`.
pub fn project_object(what: &str) -> String {
    format!("starform-{what}")
}

/// The applier of a project: its identity, the RoleBinding that gives it its rights in the project's
/// namespace, and the ClusterRole that lists them are called so.
pub const APPLIER: &str = "starform-applier";

/// The user as whom everything in a project's namespace is written. No ServiceAccount of this name
/// exists, so nobody can have a token for it: it is only ever impersonated.
pub fn applier_user(namespace: &str) -> String {
    format!("system:serviceaccount:{namespace}:{APPLIER}")
}

/// `<project_id 32 hex><service_id 32 hex>-<environment>`, parsed by position: Envoy's metrics carry
/// identity only through this name. Further routes of a service append `.1`, `.2`, …
pub fn http_route(
    project: ProjectId,
    service: ServiceId,
    environment: &EnvironmentName,
    n: u32,
) -> String {
    let name = format!("{}{}-{environment}", project.simple(), service.simple());
    if n == 0 { name } else { format!("{name}.{n}") }
}

/// The parts of an [`http_route`] name.
pub fn parse_http_route(name: &str) -> Option<(ProjectId, ServiceId, EnvironmentName, u32)> {
    let (project, rest) = name.split_at_checked(32)?;
    let (service, rest) = rest.split_at_checked(32)?;
    let rest = rest.strip_prefix('-')?;
    let (environment, n) = match rest.split_once('.') {
        Some((environment, n)) => (environment, n.parse().ok().filter(|n| *n > 0)?),
        None => (rest, 0),
    };
    Some((
        project.parse().ok()?,
        service.parse().ok()?,
        environment.parse().ok()?,
        n,
    ))
}

/// `<object_name>-<environment>-<8 hex of sha256(project_id/service_id/environment)>.<base domain>`;
/// the first label stays within 63 characters by cutting the service part.
pub fn platform_host(
    object: &ObjectName,
    environment: &EnvironmentName,
    project: ProjectId,
    service: ServiceId,
    base_domain: &str,
) -> String {
    let hash = short_hex(&format!("{project}/{service}/{environment}"), 8);
    let room = 63 - 2 - hash.len() - environment.as_str().len();
    let stem: String = object.as_str().chars().take(room).collect();
    let stem = stem.trim_end_matches('-');
    format!("{stem}-{environment}-{hash}.{base_domain}")
}

/// Longer than `limit`: the first `limit - 9` characters, `-`, and 8 hex of sha256 of the whole.
fn cut(name: &str, limit: usize) -> String {
    if name.len() <= limit {
        return name.to_owned();
    }
    let stem = name[..limit - 9].trim_end_matches('-');
    format!("{stem}-{}", short_hex(name, 8))
}

fn check_service(what: &'static str, text: &str, limit: usize) -> Result<(), InvalidName> {
    letter_first(what, text, limit)?;
    if text.starts_with("starform-") {
        return Err(InvalidName::Reserved {
            what,
            text: text.to_owned(),
        });
    }
    Ok(())
}

fn check_environment(what: &'static str, text: &str, limit: usize) -> Result<(), InvalidName> {
    length(what, text, limit)?;
    let inner = text
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if inner && !text.starts_with('-') && !text.ends_with('-') {
        Ok(())
    } else {
        Err(InvalidName::Shape {
            what,
            text: text.to_owned(),
            rule: LABEL,
        })
    }
}

fn check_port(what: &'static str, text: &str, limit: usize) -> Result<(), InvalidName> {
    length(what, text, limit)?;
    let chars = text
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let letter = text.bytes().any(|b| b.is_ascii_lowercase());
    if chars && letter && !text.starts_with('-') && !text.ends_with('-') && !text.contains("--") {
        Ok(())
    } else {
        let rule = "use lower-case letters, digits and single hyphens, with at least one letter";
        Err(InvalidName::Shape {
            what,
            text: text.to_owned(),
            rule,
        })
    }
}

fn letter_first(what: &'static str, text: &str, limit: usize) -> Result<(), InvalidName> {
    length(what, text, limit)?;
    let chars = text
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let first = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    if chars && first && !text.ends_with('-') && !text.contains("--") {
        Ok(())
    } else {
        Err(InvalidName::Shape {
            what,
            text: text.to_owned(),
            rule: LETTER_FIRST,
        })
    }
}

fn length(what: &'static str, text: &str, limit: usize) -> Result<(), InvalidName> {
    if text.is_empty() {
        return Err(InvalidName::Empty { what });
    }
    let length = text.chars().count();
    if length > limit {
        return Err(InvalidName::TooLong {
            what,
            text: text.to_owned(),
            length,
            limit,
        });
    }
    Ok(())
}
