//! What one cluster should have: bundles by digest, and what accepted plans consent to.
//!
//! Pure data. One index per cluster and generation; an index names its parent, so a fork is seen.
//! Always holds: `digest` is over everything but `digest` and `signature`.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    digest::Digest,
    id::{ClusterId, Generation, PlanId, ProjectId},
    key::ObjectKey,
    name::EnvironmentName,
    schema,
    signature::{Signature, SigningKey},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub enum IndexSchema {
    #[serde(rename = "starform.desired-state/v1")]
    V1,
}

impl<'de> Deserialize<'de> for IndexSchema {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        schema::word::<Index, D>(from).map(|()| Self::V1)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Index {
    pub schema: IndexSchema,
    pub cluster_id: ClusterId,
    pub generation: Generation,
    /// Digest of the index of the generation before; `None` for the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Digest>,
    pub projects: BTreeMap<ProjectId, ProjectEntry>,
    /// Field managers (globs) that count as people beside the built-in ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub annotation_patches: Vec<AnnotationPatch>,
    pub digest: Digest,
    /// Made when the index is served; never part of the digest. Absent where no control plane signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProjectEntry {
    pub namespace: String,
    /// The project's own bundle.
    pub bundle: Digest,
    pub environments: BTreeMap<EnvironmentName, Digest>,
    /// Accepted plans that no finished report covers yet, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<Accepted>,
}

/// One accepted plan: provenance, and what it allowed beyond writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    pub plan_id: PlanId,
    pub environment: EnvironmentName,
    /// Source revision, where the plan had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The generation that accepting made.
    pub generation: Generation,
    pub consent: Consent,
}

/// Exactly what Shuttle may do beyond writing. An object that no consent lists is never deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Consent {
    #[serde(default)]
    pub delete: BTreeSet<ObjectKey>,
    /// Objects with `deletion: retain` that go together with their data.
    #[serde(default)]
    pub destroy: BTreeSet<ObjectKey>,
    #[serde(default)]
    pub replace: BTreeSet<ObjectKey>,
    #[serde(default)]
    pub adopt: BTreeSet<ObjectKey>,
    /// Object digests that the cluster's own dry-run has accepted.
    #[serde(default)]
    pub verified: BTreeSet<Digest>,
}

/// Annotations on an object that Starform does not own; applied only if the object exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AnnotationPatch {
    pub key: ObjectKey,
    pub annotations: BTreeMap<String, String>,
}

impl Index {
    /// Bytes of its canonical form that an index has at most, its signature aside.
    pub const LARGEST: usize = 4 << 20;

    /// The index of a cluster that nothing was accepted for: generation 0, no projects.
    pub fn empty(cluster_id: ClusterId) -> Self {
        let mut index = Self {
            schema: IndexSchema::V1,
            cluster_id,
            generation: Generation::default(),
            parent: None,
            projects: BTreeMap::new(),
            people: Vec::new(),
            annotation_patches: Vec::new(),
            digest: Digest::of_bytes(b""),
            signature: None,
        };
        index.digest = index.compute_digest();
        index
    }

    /// The next generation after `self` with these projects; unsigned.
    #[must_use]
    pub fn successor(&self, projects: BTreeMap<ProjectId, ProjectEntry>) -> Self {
        self.at(self.generation.next(), projects)
    }

    /// The same content as the generation after both `self` and `seen`, which an agent has already
    /// acted upon: a store that was restored from a backup catches up with its agent.
    #[must_use]
    pub fn overtaking(&self, seen: Generation) -> Self {
        self.at(self.generation.max(seen).next(), self.projects.clone())
    }

    /// The next generation with these settings of the cluster; `None`: it has them already.
    #[must_use]
    pub fn with_settings(
        &self,
        people: &[String],
        annotation_patches: Vec<AnnotationPatch>,
    ) -> Option<Self> {
        if self.people == people && self.annotation_patches == annotation_patches {
            return None;
        }
        let set = Self {
            people: people.to_vec(),
            annotation_patches,
            ..self.clone()
        };
        Some(set.successor(self.projects.clone()))
    }

    fn at(&self, generation: Generation, projects: BTreeMap<ProjectId, ProjectEntry>) -> Self {
        let mut next = Self {
            generation,
            parent: Some(self.digest.clone()),
            projects,
            signature: None,
            ..self.clone()
        };
        next.digest = next.compute_digest();
        next
    }

    /// With objects that the cluster's own dry-run has accepted, in the consent of the project's plan.
    #[must_use]
    pub fn with_verified(
        mut self,
        project: ProjectId,
        plan: &PlanId,
        digests: BTreeSet<Digest>,
    ) -> Self {
        let entry = self.projects.get_mut(&project);
        let mut accepted = entry.into_iter().flat_map(|entry| &mut entry.accepted);
        if let Some(accepted) = accepted.find(|accepted| accepted.plan_id == *plan) {
            accepted.consent.verified.extend(digests);
        }
        self.digest = self.compute_digest();
        self.signature = None;
        self
    }

    /// With the signature of `key`, in place of any other.
    #[must_use]
    pub fn signed(mut self, key: &SigningKey) -> Self {
        self.signature = Some(key.sign(&self.digest));
        self
    }

    pub fn digest_holds(&self) -> bool {
        self.compute_digest() == self.digest
    }

    /// `W/"<digest>"`: weak, because the body may be compressed.
    pub fn etag(&self) -> String {
        format!("W/\"{}\"", self.digest)
    }

    /// Every bundle that the index names.
    pub fn bundles(&self) -> BTreeSet<&Digest> {
        self.projects
            .values()
            .flat_map(|project| {
                std::iter::once(&project.bundle).chain(project.environments.values())
            })
            .collect()
    }

    fn compute_digest(&self) -> Digest {
        #[derive(Serialize)]
        struct Content<'a> {
            schema: IndexSchema,
            cluster_id: ClusterId,
            generation: Generation,
            #[serde(skip_serializing_if = "Option::is_none")]
            parent: &'a Option<Digest>,
            projects: &'a BTreeMap<ProjectId, ProjectEntry>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            people: &'a Vec<String>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            annotation_patches: &'a Vec<AnnotationPatch>,
        }
        let Self {
            schema,
            cluster_id,
            generation,
            parent,
            projects,
            people,
            annotation_patches,
            digest: _,
            signature: _,
        } = self;
        Digest::of(&Content {
            schema: *schema,
            cluster_id: *cluster_id,
            generation: *generation,
            parent,
            projects,
            people,
            annotation_patches,
        })
    }
}
