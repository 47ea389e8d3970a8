//! Without a control plane: the same pure pipeline and the same engine, in this process.
//!
//! Effects: asks and changes the cluster of the kubeconfig, keeps `.starform/`. Always holds: a plan
//! is made against what the cluster says is accepted; a plan that is applied is accepted first and
//! written by Shuttle's engine, never directly.

mod apply;
mod cache;
mod covered;
mod drift;
mod home;
mod look;
mod secrets;
mod status;
mod verified;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use starform_contract::{
    Bundle, ClusterId, ClusterProfile, Digest, EnvironmentName, Index, ProjectId, ProjectName,
    SecretVersions, WorkspaceId, profile::DEFAULT_TIER,
};
use starform_dsl::{Project, VerifiedHosts, source::SourceTree};
use starform_plan::{
    accepted::AcceptedProject,
    document::Plans,
    hosts::OthersHosts,
    propose::Proposal,
    removal::{self, VolumePlace},
    standing::{Known, Standing},
    verified::Verifications,
};
use starform_reconciler::compile::{Identity, PlanError, PlanRequest, plans};
use starform_shuttle::client;

use self::{
    cache::{Cache, Seen},
    home::{Home, HomeError},
};
use crate::{
    args::{Global, PlanOptions},
    commands::{compile_profile, refused},
    exit::{Exit, Failure},
    terminal::Terminal,
};

pub(crate) use drift::differing;

pub(crate) struct Embedded {
    kubeconfig: Option<PathBuf>,
    cache: Cache,
    terminal: Terminal,
}

impl Embedded {
    pub(crate) fn new(global: &Global, folder: &Path) -> Self {
        Self {
            kubeconfig: global.kubeconfig.clone(),
            cache: Cache::new(folder),
            terminal: Terminal::detect(global.color),
        }
    }

    /// Plans against the cluster; without one against what was seen last, or against nothing, which
    /// stands beside them, unless somebody relies on the answer (`must_know`).
    pub(crate) async fn plan(
        &self,
        sources: &SourceTree,
        project: &Project,
        options: &PlanOptions,
        must_know: bool,
    ) -> anyhow::Result<Plans> {
        let id = ProjectId::local(project.name());
        let (seen, stands, client) = match self.home().await {
            Ok(home) => {
                let stands = stands(&home, id, &options.env).await;
                (home.seen, stands, Some(home.client))
            }
            Err(error) if error.is_absence() && !must_know => {
                let (seen, known) = self.without_cluster(error, &self.server().await)?;
                (seen, Stands::Same(Standing::of(known)), None)
            }
            Err(error) => return Err(error.into()),
        };
        let profile = wanted_profile(options, &seen)?;
        let server = seen.server.clone();
        let proposals = propose(sources, project, options, seen, &profile, self.terminal)?;
        let verifications = match client {
            Some(client) => {
                verified::verifications(client, &server, &proposals, options.verify_wait).await
            }
            None => Verifications::new(),
        };
        let mut plans = Plans::from(proposals);
        stands.join(&mut plans);
        plans.verifications = verifications;
        self.cache.keep_plans(&plans);
        Ok(plans)
    }

    /// The plans that delete an environment, or the project with all of them.
    pub(crate) async fn removal(
        &self,
        project: &ProjectName,
        environment: Option<&EnvironmentName>,
        destroy: &BTreeSet<VolumePlace>,
    ) -> anyhow::Result<Plans> {
        let home = self.home().await?;
        let id = ProjectId::local(project);
        let stands = stands(&home, id, environment.map_or(&[], std::slice::from_ref)).await;
        let accepted = accepted(home.seen, id)?;
        let proposals = removal::plans(&accepted, environment, destroy)
            .map_err(|error| Failure::because(Exit::Error, error.to_string()))?;
        let mut plans = Plans::from(proposals);
        stands.join(&mut plans);
        self.cache.keep_plans(&plans);
        Ok(plans)
    }

    /// Beside plans that were made before: how the cluster stands now, and nothing of what was known then.
    pub(crate) async fn stand(&self, plans: &mut Plans) -> anyhow::Result<()> {
        plans.standings.clear();
        plans.verifications.clear();
        let Some(first) = plans.plans.first() else {
            return Ok(());
        };
        let home = self.home().await?;
        stands(&home, ProjectId::local(&first.project), &[])
            .await
            .join(plans);
        Ok(())
    }

    pub(crate) fn stored(&self, id: &str) -> anyhow::Result<Plans> {
        self.cache.plan(id)
    }

    async fn home(&self) -> Result<Home, HomeError> {
        let mut home = Home::load(self.kubeconfig.as_deref()).await?;
        home.seen.server = self.server().await;
        self.cache.keep_seen(&home.seen);
        Ok(home)
    }

    async fn server(&self) -> String {
        client::server(self.kubeconfig.as_deref())
            .await
            .unwrap_or_default()
    }

    /// What was seen last; nothing at all only where no cluster is named, since a plan that takes what runs for
    /// what is to be created would mislead.
    fn without_cluster(&self, error: HomeError, server: &str) -> Result<(Seen, Known), HomeError> {
        // Without a kubeconfig nobody says which cluster is meant: the last one that was asked.
        let same = |seen: &Seen| server.is_empty() || seen.server == server;
        if let Some(seen) = self.cache.seen().filter(same) {
            let known = Known::Memory {
                server: seen.server.clone(),
                generation: seen.index.generation,
                why: error.to_string(),
            };
            return Ok((seen, known));
        }
        if !matches!(error, HomeError::NoKubeconfig) {
            return Err(error);
        }
        let why = error.to_string();
        Ok((nothing(), Known::Nothing { why }))
    }
}

/// How the cluster stands, before there are plans to join it to.
enum Stands {
    Of(BTreeMap<EnvironmentName, Standing>),
    /// Of every environment.
    Same(Standing),
}

impl Stands {
    fn join(&self, plans: &mut Plans) {
        for plan in &plans.plans {
            let standing = match self {
                Self::Of(each) => each.get(&plan.environment),
                Self::Same(one) => Some(one),
            };
            if let Some(standing) = standing {
                plans
                    .standings
                    .insert(plan.plan_id.clone(), standing.clone());
            }
        }
    }
}

/// Of these environments, or of all that are accepted.
async fn stands(home: &Home, project: ProjectId, wanted: &[EnvironmentName]) -> Stands {
    let entry = home.seen.index.projects.get(&project);
    let names = entry
        .into_iter()
        .flat_map(|entry| entry.environments.keys());
    let mut each = BTreeMap::new();
    for name in names.filter(|name| wanted.is_empty() || wanted.contains(name)) {
        if let Some(standing) = drift::standing(home, project, name).await {
            each.insert(name.clone(), standing);
        }
    }
    Stands::Of(each)
}

/// One environment on an empty cluster: what `compile` and `render` print.
pub(crate) fn from_nothing(
    sources: &SourceTree,
    project: &Project,
    environment: &EnvironmentName,
    profile: &ClusterProfile,
    terminal: Terminal,
) -> anyhow::Result<Proposal> {
    let options = PlanOptions {
        env: vec![environment.clone()],
        ..PlanOptions::default()
    };
    let proposals = propose(sources, project, &options, nothing(), profile, terminal)?;
    Ok(proposals
        .into_iter()
        .next()
        .expect("one environment was asked for, so one plan comes back"))
}

fn nothing() -> Seen {
    Seen {
        index: Index::empty(ClusterId::new(uuid::Uuid::nil())),
        bundles: BTreeMap::new(),
        profile: ClusterProfile::default(),
        secrets: None,
        server: String::new(),
    }
}

fn wanted_profile(options: &PlanOptions, seen: &Seen) -> anyhow::Result<ClusterProfile> {
    match &options.profile {
        Some(file) => compile_profile(Some(file)),
        None => Ok(seen.profile.clone()),
    }
}

fn propose(
    sources: &SourceTree,
    project: &Project,
    options: &PlanOptions,
    seen: Seen,
    profile: &ClusterProfile,
    terminal: Terminal,
) -> anyhow::Result<Vec<Proposal>> {
    let identity = Identity {
        workspace_id: WorkspaceId::local(),
        workspace: WorkspaceId::LOCAL_NAME.to_owned(),
        project_id: ProjectId::local(project.name()),
        tier: DEFAULT_TIER.to_owned(),
        hosts: VerifiedHosts::All,
        platforms: BTreeSet::new(),
    };
    let accepted = accepted(seen, identity.project_id)?;
    let request = PlanRequest {
        sources: sources.clone(),
        revision: options.revision.clone(),
        environments: (!options.env.is_empty()).then(|| options.env.clone()),
        images: options.image.iter().cloned().collect(),
        services: (!options.service.is_empty()).then(|| options.service.iter().cloned().collect()),
        adopt: options.adopt.iter().cloned().collect(),
        again: options.again.clone(),
    };
    plans(&request, &identity, &accepted, profile).map_err(|error| match error {
        PlanError::Diagnostics(said) => refused(sources, said, terminal),
        PlanError::Unfit(_) | PlanError::UnknownEnvironment { .. } => {
            Failure::because(Exit::Error, error.to_string())
        }
    })
}

/// What is accepted of the project, and what it may not take from the others on the cluster.
/// Takes the bundles as they are: a copy of all of a large project costs more than its plan.
fn accepted(mut seen: Seen, project: ProjectId) -> anyhow::Result<AcceptedProject> {
    let secrets = match &seen.secrets {
        Some(kept) => {
            let mut kept = kept.of(project);
            let bundles = seen.bundles.values();
            for bundle in bundles.filter(|bundle| bundle.project_id() == project) {
                kept.remember(bundle);
            }
            SecretVersions::Kept(kept)
        }
        None => SecretVersions::Unasked,
    };
    let environment = |digest: &Digest| match seen.bundles.get(digest) {
        Some(Bundle::Environment(bundle)) => Some(bundle),
        Some(Bundle::Project(_)) | None => None,
    };
    let others = OthersHosts::of_index(&seen.index, project, environment);
    let accepted =
        AcceptedProject::from_index(&seen.index, project, |digest| seen.bundles.remove(digest))?;
    Ok(accepted.with_secrets(secrets).with_others(others))
}
