//! What is accepted for one project: the bundles that the index of its cluster names.
//!
//! Pure data. Always holds: it says exactly what one generation of one cluster says, nothing newer;
//! a plan and an accept both start from it. Read on in [`crate::propose`] and [`crate::accept`].

use std::collections::BTreeMap;

use starform_contract::{
    Bundle, ClusterId, Digest, EnvironmentBundle, EnvironmentName, Generation, Index, NameEntry,
    ProjectBundle, ProjectId, SecretVersions,
};

use crate::{
    ending::{self, Ending},
    hosts::OthersHosts,
};

/// The environments of a project, by name.
pub type Environments<'a> = BTreeMap<&'a EnvironmentName, &'a EnvironmentBundle>;

/// The accepted state of one project. Without `project`, nothing was ever accepted for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedProject {
    pub cluster_id: ClusterId,
    pub generation: Generation,
    own: Option<Named<ProjectBundle>>,
    environments: BTreeMap<EnvironmentName, Named<EnvironmentBundle>>,
    /// What the accepted deletion of the project has still to take.
    pub ending: Option<Ending>,
    /// Hosts that other projects have; what is proposed or accepted may come to have none of them.
    pub others: OthersHosts,
    /// Which secrets have values at the moment; what is proposed or accepted may use no others.
    pub secrets: SecretVersions,
}

/// A bundle with its digest. The index says it, and to compute it again costs a pass over all bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named<T> {
    bundle: T,
    digest: Digest,
}

/// The index names a bundle that the store does not hold, or holds as something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the index of generation {generation} names bundle {digest} as {what} of project {project}, but no such bundle is stored; restore it from a backup or from the cluster"
)]
pub struct MissingBundle {
    pub generation: Generation,
    pub project: ProjectId,
    pub digest: Digest,
    /// `the project's own` or `environment NAME`.
    pub what: String,
}

impl AcceptedProject {
    /// Nothing was ever accepted for the project.
    pub fn nothing(cluster_id: ClusterId, generation: Generation) -> Self {
        Self {
            cluster_id,
            generation,
            own: None,
            environments: BTreeMap::new(),
            ending: None,
            others: OthersHosts::default(),
            secrets: SecretVersions::Unasked,
        }
    }

    #[must_use]
    pub fn with_secrets(self, secrets: SecretVersions) -> Self {
        Self { secrets, ..self }
    }

    #[must_use]
    pub fn with_others(self, others: OthersHosts) -> Self {
        Self { others, ..self }
    }

    /// Collects what `index` names for `project`; `bundle` gives one up by its digest. No digest is asked for twice,
    /// since a bundle says whose it is.
    pub fn from_index(
        index: &Index,
        project: ProjectId,
        mut bundle: impl FnMut(&Digest) -> Option<Bundle>,
    ) -> Result<Self, MissingBundle> {
        let mut accepted = Self::nothing(index.cluster_id, index.generation);
        let Some(entry) = index.projects.get(&project) else {
            return Ok(accepted);
        };
        let missing = |digest: &Digest, what: String| MissingBundle {
            generation: index.generation,
            project,
            digest: digest.clone(),
            what,
        };
        let own = match bundle(&entry.bundle) {
            Some(Bundle::Project(own)) => own,
            Some(Bundle::Environment(_)) | None => {
                return Err(missing(&entry.bundle, "the project's own".to_owned()));
            }
        };
        accepted.ending = ending::of_entry(entry, &own);
        accepted.own = Some(Named {
            bundle: own,
            digest: entry.bundle.clone(),
        });
        for (name, digest) in &entry.environments {
            let environment = match bundle(digest) {
                Some(Bundle::Environment(environment)) => environment,
                Some(Bundle::Project(_)) | None => {
                    return Err(missing(digest, format!("environment {name}")));
                }
            };
            let digest = digest.clone();
            let named = Named {
                bundle: environment,
                digest,
            };
            accepted.environments.insert(name.clone(), named);
        }
        Ok(accepted)
    }

    /// As if these were accepted.
    pub(crate) fn supposing(
        &self,
        own: ProjectBundle,
        environment: Option<EnvironmentBundle>,
    ) -> Self {
        let mut supposed = self.clone();
        if let Some(bundle) = environment {
            let (name, digest) = (bundle.environment.clone(), bundle.digest());
            supposed.environments.insert(name, Named { bundle, digest });
        }
        let digest = own.digest();
        supposed.own = Some(Named {
            bundle: own,
            digest,
        });
        supposed
    }

    /// The project's own bundle; `None` where nothing was ever accepted for it.
    pub fn project(&self) -> Option<&ProjectBundle> {
        self.own.as_ref().map(|own| &own.bundle)
    }

    pub fn environment(&self, name: &EnvironmentName) -> Option<&EnvironmentBundle> {
        self.environments.get(name).map(|named| &named.bundle)
    }

    pub fn environments(&self) -> Environments<'_> {
        let named = self.environments.iter();
        named.map(|(name, named)| (name, &named.bundle)).collect()
    }

    /// Of [`Self::project`].
    pub(crate) fn project_digest(&self) -> Option<&Digest> {
        self.own.as_ref().map(|own| &own.digest)
    }

    /// Of [`Self::environment`].
    pub(crate) fn environment_digest(&self, name: &EnvironmentName) -> Option<&Digest> {
        self.environments.get(name).map(|named| &named.digest)
    }

    /// Every incarnation of a service that the project has had, by name, then incarnation.
    pub fn names(&self) -> &[NameEntry] {
        self.project()
            .map_or(&[], |project| project.names.as_slice())
    }
}
