//! What the cluster itself keeps in embedded mode: accepted state, and the profile.
//!
//! Effects: asks the API server. Always holds: accepting is a write of the index with the version
//! that was read as precondition, so of two people one wins and the other starts again.

use std::{collections::BTreeMap, path::Path, time::Duration};

use anyhow::anyhow;
use k8s_openapi::{
    ByteString,
    api::core::v1::{Namespace, Secret},
};
use kube::{Api, Client, api::PostParams};
use starform_contract::{
    Bundle, ClusterId, ClusterProfile, Digest, EnvironmentName, Generation, Index, ProjectId,
    Report,
    schema::{self, Unreadable},
};
use starform_plan::{accept::clear_finished, ending};
use starform_shuttle::{
    client,
    persist::{self, Damage, Persisted},
};

use super::cache::Seen;

/// What embedded mode keeps beside the accepted state and the values of secrets.
const SECRET: &str = "starform-embedded";
const PROFILE: &str = "profile.json";
const FINISHED: &str = "finished.json";
const MANAGER: &str = "starform";
/// Races lost in a row before giving up: each means that somebody else's change went in.
const ATTEMPTS: u32 = 5;

/// A cluster that does not answer is told so after this, not after minutes.
const LIMIT: Duration = Duration::from_secs(15);

/// The last generation whose apply finished, by project and environment.
type Finished = BTreeMap<ProjectId, BTreeMap<EnvironmentName, Generation>>;

/// Accepted state as one moment of the cluster has it.
pub(crate) struct Home {
    pub(crate) client: Client,
    pub(crate) seen: Seen,
    /// `None` before the first apply.
    version: Option<persist::Version>,
    finished: Finished,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum HomeError {
    #[error(
        "there is no kubeconfig to find a cluster with (KUBECONFIG, --kubeconfig, ~/.kube/config)"
    )]
    NoKubeconfig,
    #[error(transparent)]
    Connect(client::ConnectError),
    #[error(
        "the cluster does not answer: {0}; check the kubeconfig (KUBECONFIG, --kubeconfig) and that the cluster runs"
    )]
    Unreachable(String),
    #[error("the cluster did not answer within {} s; check the kubeconfig (KUBECONFIG, --kubeconfig) and that the cluster runs", LIMIT.as_secs())]
    Slow,
    #[error(transparent)]
    Load(#[from] persist::LoadError),
    #[error(transparent)]
    Secrets(#[from] persist::KeepError),
    #[error(
        "`{key}` in the Secret {}/{SECRET} is not readable: {why}",
        persist::NAMESPACE
    )]
    Version { key: &'static str, why: Unreadable },
    #[error(
        "`{key}` in the Secret {}/{SECRET} is not readable: {why}; remove the key to start with defaults",
        persist::NAMESPACE
    )]
    Kept { key: &'static str, why: String },
    #[error(
        "the bundle {digest} that namespace {} keeps is not for this version of Starform: {why}",
        persist::NAMESPACE
    )]
    Bundle { digest: Digest, why: Unreadable },
    #[error("the cluster refuses: {0}; check what this kubeconfig may do")]
    Refused(String),
    #[error(
        "a control plane decides for this cluster (it knows it as {0}); name it with --server or STARFORM_SERVER"
    )]
    ControlPlane(ClusterId),
    #[error("the cluster's kube-system namespace has no uid; is this a Kubernetes API server?")]
    NoUid,
}

impl From<client::ConnectError> for HomeError {
    fn from(error: client::ConnectError) -> Self {
        match error {
            client::ConnectError::NoCluster(_) => Self::NoKubeconfig,
            client::ConnectError::Kubeconfig { .. }
            | client::ConnectError::Unusable(_)
            | client::ConnectError::Http(_) => Self::Connect(error),
        }
    }
}

impl HomeError {
    /// No cluster to ask: a plan can still be compared with what was seen before.
    pub(crate) fn is_absence(&self) -> bool {
        match self {
            Self::NoKubeconfig | Self::Unreachable(_) | Self::Slow => true,
            // A file that somebody names and that cannot be read is a mistake, not an absence.
            Self::Connect(error) => !matches!(error, client::ConnectError::Kubeconfig { .. }),
            Self::Load(_)
            | Self::Secrets(_)
            | Self::Version { .. }
            | Self::Kept { .. }
            | Self::Bundle { .. }
            | Self::Refused(_)
            | Self::ControlPlane(_)
            | Self::NoUid => false,
        }
    }
}

impl Home {
    pub(crate) async fn load(kubeconfig: Option<&Path>) -> Result<Self, HomeError> {
        tokio::time::timeout(LIMIT, Self::read(kubeconfig))
            .await
            .unwrap_or(Err(HomeError::Slow))
    }

    async fn read(kubeconfig: Option<&Path>) -> Result<Self, HomeError> {
        let client = client::cluster(kubeconfig).await?;
        let cluster_id = cluster_id(&client).await?;
        let (profile, finished) = kept(&client).await?;
        let secrets = persist::kept_versions(&client).await?;
        let (index, bundles, version) = match persist::load(&client).await? {
            Some(kept) if kept.index.cluster_id != cluster_id => {
                return Err(HomeError::ControlPlane(kept.index.cluster_id));
            }
            Some(kept) => {
                whole(&kept)?;
                (kept.index, kept.bundles, Some(kept.version))
            }
            None => (Index::empty(cluster_id), BTreeMap::new(), None),
        };
        Ok(Self {
            client,
            seen: Seen {
                index,
                bundles,
                profile,
                secrets: Some(secrets),
                server: String::new(),
            },
            version,
            finished,
        })
    }

    /// Makes `index` the accepted state, if nobody else accepted since this was loaded.
    pub(crate) async fn accept(
        &mut self,
        index: Index,
        bundles: BTreeMap<Digest, Bundle>,
    ) -> Result<(), persist::SaveError> {
        let version = persist::save(&self.client, &index, &bundles, self.version.take()).await?;
        self.version = Some(version);
        self.seen.index = index;
        self.seen.bundles = bundles;
        Ok(())
    }

    /// The accepted index, without the consents of applies that have finished: Shuttle has done
    /// what they allowed.
    pub(crate) fn index_without_finished(&self) -> Index {
        let mut index = self.seen.index.clone();
        for (project, environments) in &self.finished {
            let Some(entry) = index.projects.get_mut(project) else {
                continue;
            };
            for (environment, generation) in environments {
                clear_finished(entry, environment, *generation);
            }
        }
        index
    }

    /// Whether an apply of this environment finished since it was last accepted.
    pub(crate) fn is_finished(&self, project: ProjectId, environment: &EnvironmentName) -> bool {
        let accepted = self
            .seen
            .index
            .projects
            .get(&project)
            .map_or(&[][..], |entry| &entry.accepted);
        let last = accepted
            .iter()
            .filter(|plan| plan.environment == *environment)
            .map(|plan| plan.generation)
            .max();
        let finished = self
            .finished
            .get(&project)
            .and_then(|places| places.get(environment));
        finished.is_some_and(|finished| last.is_none_or(|last| *finished >= last))
    }

    /// Remembers that the accepted generation of this environment has been reached.
    pub(crate) async fn keep_finished(
        &mut self,
        project: ProjectId,
        environment: &EnvironmentName,
    ) -> anyhow::Result<()> {
        let generation = self.seen.index.generation;
        self.finished = keep(&self.client, |_, finished| {
            let places = finished.entry(project).or_default();
            places.insert(environment.clone(), generation);
        })
        .await?;
        Ok(())
    }

    /// Whether this report shows that nothing of the project is there any more.
    pub(crate) fn is_gone(&self, project: ProjectId, report: &Report) -> bool {
        let entry = self.seen.index.projects.get(&project);
        entry.is_some_and(|entry| match self.seen.bundles.get(&entry.bundle) {
            Some(Bundle::Project(own)) => ending::is_gone(entry, own, report),
            Some(Bundle::Environment(_)) | None => false,
        })
    }

    /// Nothing of the project is accepted any more, since nothing of it is there; its secrets go too. Where somebody else
    /// was accepted meanwhile it stays listed, until it is deleted once more.
    pub(crate) async fn forget(&mut self, project: ProjectId) -> anyhow::Result<()> {
        let mut projects = self.seen.index.projects.clone();
        projects.remove(&project);
        let index = self.seen.index.successor(projects);
        let named = index.bundles();
        let mut bundles = self.seen.bundles.clone();
        bundles.retain(|digest, _| named.contains(digest));
        match self.accept(index, bundles).await {
            Ok(()) => {
                self.finished = keep(&self.client, |_, finished| {
                    finished.remove(&project);
                })
                .await?;
                Ok(persist::forget_secrets(&self.client, project).await?)
            }
            Err(persist::SaveError::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Remembers the profile, so that a plan from elsewhere uses the same one.
    pub(crate) async fn keep_profile(&mut self, profile: ClusterProfile) -> anyhow::Result<()> {
        keep(&self.client, |kept, _| *kept = Some(profile.clone())).await?;
        self.seen.profile = profile;
        Ok(())
    }
}

/// Changes what the cluster keeps now, not what was loaded: others apply meanwhile, with another profile
/// or to another environment. What finished, as it is kept then.
async fn keep(
    client: &Client,
    change: impl Fn(&mut Option<ClusterProfile>, &mut Finished),
) -> anyhow::Result<Finished> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), persist::NAMESPACE);
    let params = PostParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PostParams::default()
    };
    for _ in 0..ATTEMPTS {
        let before = secrets.get_opt(SECRET).await?;
        let (was, mut finished) = documents(before.as_ref())?;
        let mut profile = was.clone();
        change(&mut profile, &mut finished);
        let stands = before.is_some();
        let mut secret = before.unwrap_or_default();
        secret.metadata.name = Some(SECRET.to_owned());
        let data = secret.data.get_or_insert_default();
        if let Some(profile) = profile.filter(|profile| was.as_ref() != Some(profile)) {
            data.insert(
                PROFILE.to_owned(),
                ByteString(serde_json::to_vec(&profile)?),
            );
        }
        data.insert(
            FINISHED.to_owned(),
            ByteString(serde_json::to_vec(&finished)?),
        );
        let written = match stands {
            true => secrets.replace(SECRET, &params, &secret).await,
            false => secrets.create(&params, &secret).await,
        };
        match written {
            Ok(_) => return Ok(finished),
            // Somebody else's change went in, or the Secret went.
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(anyhow!(
        "others keep changing the Secret {}/{SECRET}; try again when they are done",
        persist::NAMESPACE
    ))
}

/// The uid of kube-system: as old as the cluster, and nobody chooses it.
async fn cluster_id(client: &Client) -> Result<ClusterId, HomeError> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let system = namespaces
        .get("kube-system")
        .await
        .map_err(|error| unreachable(&error))?;
    let uid = system.metadata.uid.ok_or(HomeError::NoUid)?;
    uid.parse().map_err(|_| HomeError::NoUid)
}

async fn kept(client: &Client) -> Result<(ClusterProfile, Finished), HomeError> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), persist::NAMESPACE);
    let secret = secrets
        .get_opt(SECRET)
        .await
        .map_err(|error| unreachable(&error))?;
    let (profile, finished) = documents(secret.as_ref())?;
    Ok((profile.unwrap_or_default(), finished))
}

fn documents(secret: Option<&Secret>) -> Result<(Option<ClusterProfile>, Finished), HomeError> {
    let nothing = BTreeMap::new();
    let data = secret.and_then(|secret| secret.data.as_ref());
    let data = data.unwrap_or(&nothing);
    let finished = match data.get(FINISHED) {
        Some(bytes) => serde_json::from_slice(&bytes.0).map_err(|error| HomeError::Kept {
            key: FINISHED,
            why: error.to_string(),
        })?,
        None => Finished::new(),
    };
    let profile = data.get(PROFILE).map(|bytes| schema::read(&bytes.0));
    let profile = profile.transpose().map_err(|error| match error {
        Unreadable::Shape(why) => HomeError::Kept { key: PROFILE, why },
        why @ (Unreadable::Newer { .. } | Unreadable::Other { .. } | Unreadable::None { .. }) => {
            HomeError::Version { key: PROFILE, why }
        }
    })?;
    Ok((profile, finished))
}

/// A bundle of another version is not lost, so nothing is planned as if it were.
fn whole(kept: &Persisted) -> Result<(), HomeError> {
    for (digest, damage) in &kept.unreadable {
        if let Damage::Document(why) = damage {
            return Err(HomeError::Bundle {
                digest: digest.clone(),
                why: why.clone(),
            });
        }
    }
    Ok(())
}

/// An answer that says no is not the same as no answer.
fn unreachable(error: &kube::Error) -> HomeError {
    if let kube::Error::Api(status) = error {
        return HomeError::Refused(status.message.clone());
    }
    let mut source: &dyn std::error::Error = error;
    while let Some(deeper) = source.source() {
        source = deeper;
    }
    HomeError::Unreachable(source.to_string())
}
