//! Whether a cluster's own API server would take what a plan writes: what its agent is asked, and what
//! it answers.
//!
//! Pure data. Always holds: what is asked is signed as sealed values are, and every object carries its
//! digest; an answer holds names of managers, field paths and the API server's words, of Secrets reason
//! and paths alone. Read on in [`crate::signature`].

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    bundle::Object,
    digest::Digest,
    id::{ClusterId, ProjectId},
    key::ObjectKey,
    name::EnvironmentName,
    schema::{self, Document},
    signature::{Signature, Signed},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum VerificationsSchema {
    #[serde(rename = "starform.verifications/v1")]
    V1,
}

impl<'de> Deserialize<'de> for VerificationsSchema {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        schema::word::<Verifications, D>(from).map(|()| Self::V1)
    }
}

/// `GET /v1/clusters/{id}/verifications`: what waits for an answer, the latest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verifications {
    pub schema: VerificationsSchema,
    pub cluster_id: ClusterId,
    pub verifications: Vec<Verification>,
    /// Over the digest of all the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

/// The objects of one plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    pub id: String,
    pub project_id: ProjectId,
    pub environment: EnvironmentName,
    pub namespace: String,
    /// In the order in which they would be written.
    pub objects: Vec<Asked>,
}

/// An object as it would be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    pub object: Object,
    #[serde(default, skip_serializing_if = "Way::is_plain")]
    pub way: Way,
}

/// What an accepted plan would allow beyond writing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    #[default]
    Write,
    /// Taken over from whoever has it.
    Adopt,
    /// Deleted and made anew.
    Replace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum VerdictsSchema {
    #[serde(rename = "starform.verdicts/v1")]
    V1,
}

impl<'de> Deserialize<'de> for VerdictsSchema {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        schema::word::<Verdicts, D>(from).map(|()| Self::V1)
    }
}

/// `POST /v1/clusters/{id}/verifications/{verification}`: the answer, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdicts {
    pub schema: VerdictsSchema,
    pub verdicts: Vec<ObjectVerdict>,
}

/// What the API server says of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectVerdict {
    pub key: ObjectKey,
    /// Of what was asked about: [`Object::digest`].
    pub digest: Digest,
    #[serde(flatten)]
    pub verdict: Verdict,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "lowercase")]
pub enum Verdict {
    /// It would be stored as it is written.
    Accepted,
    /// It fits the API server's schema; more cannot be asked yet.
    Approximate { why: String },
    /// It would be stored with other values at these paths: by a webhook, or by normalisation.
    Changed { paths: Vec<String> },
    /// Others state these fields, and no plan says that they are taken over.
    Owned {
        managers: BTreeSet<String>,
        fields: Vec<String>,
    },
    /// It would not be stored.
    Rejected {
        /// `Invalid`, `Forbidden` …
        reason: String,
        /// The API server's words; never of a Secret.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fields: Vec<String>,
    },
    /// Nobody knows: there was no answer in time.
    Unchecked { why: String },
}

impl Document for Verifications {
    const SCHEMA: &'static str = "starform.verifications/v1";
}

impl Document for Verdicts {
    const SCHEMA: &'static str = "starform.verdicts/v1";
}

impl Signed for Verifications {
    fn signature(&self) -> Option<&Signature> {
        self.signature.as_ref()
    }

    fn set_signature(&mut self, signature: Option<Signature>) {
        self.signature = signature;
    }
}

impl Verifications {
    pub fn new(cluster_id: ClusterId, verifications: Vec<Verification>) -> Self {
        Self {
            schema: VerificationsSchema::V1,
            cluster_id,
            verifications,
            signature: None,
        }
    }
}

impl Verification {
    /// More objects than this are not asked about.
    pub const MOST_OBJECTS: usize = 500;
}

impl Verdicts {
    pub fn new(verdicts: Vec<ObjectVerdict>) -> Self {
        Self {
            schema: VerdictsSchema::V1,
            verdicts,
        }
    }
}

impl Way {
    // serde's skip_serializing_if passes a reference.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    fn is_plain(&self) -> bool {
        *self == Self::Write
    }
}

impl Verdict {
    /// More paths than this are of no use to a person.
    pub const MOST_PATHS: usize = 20;
    /// Characters of one text; a longer one is cut.
    pub const LONGEST: usize = 1000;

    /// With texts and lists no longer than anybody reads.
    #[must_use]
    pub fn bounded(self) -> Self {
        match self {
            Self::Accepted => Self::Accepted,
            Self::Approximate { why } => Self::Approximate { why: cut(why) },
            Self::Changed { paths } => Self::Changed { paths: few(paths) },
            Self::Owned { managers, fields } => Self::Owned {
                managers: few(managers.into_iter().collect()).into_iter().collect(),
                fields: few(fields),
            },
            Self::Rejected {
                reason,
                message,
                fields,
            } => Self::Rejected {
                reason: cut(reason),
                message: message.map(cut),
                fields: few(fields),
            },
            Self::Unchecked { why } => Self::Unchecked { why: cut(why) },
        }
    }
}

fn few(mut texts: Vec<String>) -> Vec<String> {
    texts.truncate(Verdict::MOST_PATHS);
    texts.into_iter().map(cut).collect()
}

fn cut(text: String) -> String {
    match text.char_indices().nth(Verdict::LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
