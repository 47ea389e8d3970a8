//! Identifiers, one type each, so that one is never taken for another.
//!
//! Pure: random ids are made by the store, ids derived from names (UUIDv5, RFC 9562) are made here.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    digest::{Digest, NotADigest},
    name::{ProjectName, ServiceName},
};

/// The fixed namespace of every id that is derived from a name.
const STARFORM: Uuid = Uuid::from_u128(0x8d5f_6c1e_92f4_5b6a_9a41_73c4_05e2_d6f1);

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            pub const fn uuid(&self) -> Uuid {
                self.0
            }

            /// 32 hex digits without hyphens, as route names carry it.
            pub fn simple(&self) -> String {
                self.0.simple().to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_id! {
    /// The billing boundary; owns projects.
    WorkspaceId
}
uuid_id! {
    /// One project; owns one namespace of one cluster.
    ProjectId
}
uuid_id! {
    /// One incarnation of a service of a project, the same in every environment.
    ServiceId
}
uuid_id! {
    /// One registered cluster; in embedded mode the uid of its `kube-system` namespace.
    ClusterId
}

impl WorkspaceId {
    /// What the only workspace of embedded mode is called.
    pub const LOCAL_NAME: &'static str = "local";

    /// The only workspace of embedded mode.
    pub fn local() -> Self {
        Self(Uuid::new_v5(&STARFORM, Self::LOCAL_NAME.as_bytes()))
    }
}

impl ProjectId {
    /// The project of this name in embedded mode: the same on every machine.
    pub fn local(name: &ProjectName) -> Self {
        Self(Uuid::new_v5(
            &WorkspaceId::local().0,
            name.as_str().as_bytes(),
        ))
    }

    /// The first eight hex digits, as the namespace's name carries them.
    pub fn short(&self) -> String {
        let mut text = self.simple();
        text.truncate(8);
        text
    }
}

impl ServiceId {
    /// The id of the `incarnation`-th service (from 0) that holds `name` in `project`.
    ///
    /// Known before anything is stored, so a plan's digests are known when it is made.
    pub fn derive(project: ProjectId, name: &ServiceName, incarnation: u32) -> Self {
        Self(Uuid::new_v5(
            &project.0,
            format!("{name}#{incarnation}").as_bytes(),
        ))
    }
}

macro_rules! digest_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(Digest);

        impl $name {
            pub const fn new(digest: Digest) -> Self {
                Self(digest)
            }

            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            pub fn digest(&self) -> &Digest {
                &self.0
            }

            /// Its first twelve hex digits: enough to name it to a command.
            pub fn short(&self) -> &str {
                &self.0.hex()[..12]
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotADigest;

            fn from_str(text: &str) -> Result<Self, NotADigest> {
                text.parse().map(Self)
            }
        }
    };
}

digest_id! {
    /// Names one stored plan: its effect, its revision and the generation it was made against.
    PlanId
}
digest_id! {
    /// Names what a plan does, whatever revision or generation it was made at; approvals bind to it.
    EffectId
}

/// The counter of one cluster's desired state; never goes back. A new cluster is at 0.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Generation(u64);

impl Generation {
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    pub const fn number(self) -> u64 {
        self.0
    }

    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
