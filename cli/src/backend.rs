//! Where plans are made and accepted: a control plane, or the cluster of the kubeconfig itself.
//!
//! Effects: those of [`crate::remote`] and [`crate::embedded`]. Always holds: a command is written
//! once, against this; both sides give the same documents.

use std::{collections::BTreeSet, time::Duration};

use anyhow::Context;
use starform_contract::{EnvironmentName, ProjectName};
use starform_dsl::{Project, source::SourceTree};
use starform_plan::{
    approval::Approval,
    document::{Plan, Plans},
    removal::VolumePlace,
};
use starform_reconciler::api::body;

use crate::{
    args::{Global, PlanOptions},
    embedded::Embedded,
    exit::{Exit, Failure},
    interrupt::Interrupts,
    progress::Progress,
    remote::{Remote, RemoteError, failure, standing},
};

/// Who follows an apply, for how long, and how it is stopped.
pub(crate) struct Followed<'i> {
    pub(crate) wait: Duration,
    pub(crate) progress: Progress,
    pub(crate) interrupts: &'i mut Interrupts,
}

pub(crate) enum Backend {
    Remote(Remote),
    Embedded(Box<Embedded>),
}

impl Backend {
    /// A control plane where one is named, else the current kubeconfig context.
    pub(crate) fn new(global: &Global, folder: &std::path::Path) -> anyhow::Result<Self> {
        match &global.server {
            Some(server) => Ok(Self::Remote(Remote::new(server, global)?)),
            None => Ok(Self::Embedded(Box::new(Embedded::new(global, folder)))),
        }
    }

    /// Whether status comes from an agent's reports.
    pub(crate) fn reports(&self) -> bool {
        matches!(self, Self::Remote(_))
    }

    /// Plans of the wanted environments, with the bundles that they result in. `must_know`: a guess
    /// about what is accepted is no answer.
    pub(crate) async fn plan(
        &self,
        name: &ProjectName,
        sources: &SourceTree,
        project: &Project,
        options: &PlanOptions,
        must_know: bool,
    ) -> anyhow::Result<Plans> {
        match self {
            Self::Embedded(embedded) => embedded.plan(sources, project, options, must_know).await,
            Self::Remote(remote) => {
                let project = project_id(remote, name).await?;
                let path = format!("/v1/projects/{project}/plans?bundles=true");
                let mut plans: Plans = remote
                    .post(&path, &create_plans(sources, options))
                    .await
                    .map_err(failure)?;
                crate::remote::verified::join(remote, &mut plans, options.verify_wait).await;
                standing::join(remote, project, &mut plans).await?;
                Ok(plans)
            }
        }
    }

    /// The plans that delete an environment, or the project with all of them; `None`: the control plane
    /// knows the project by its name alone, since nothing was ever accepted for it.
    pub(crate) async fn removal(
        &self,
        name: &ProjectName,
        environment: Option<&EnvironmentName>,
        destroy: &BTreeSet<VolumePlace>,
    ) -> anyhow::Result<Option<Plans>> {
        match self {
            Self::Embedded(embedded) => {
                let plans = embedded.removal(name, environment, destroy).await?;
                Ok(Some(plans))
            }
            Self::Remote(remote) => {
                let project = project_id(remote, name).await?;
                let body = body::Removal {
                    environment: environment.cloned(),
                    destroy: destroy.clone(),
                };
                let path = format!("/v1/projects/{project}/removal?bundles=true");
                match remote.post(&path, &body).await {
                    Ok(mut plans) => {
                        standing::join(remote, project, &mut plans).await?;
                        Ok(Some(plans))
                    }
                    Err(RemoteError::Problem(problem))
                        if environment.is_none() && problem.code == "nothing-accepted" =>
                    {
                        Ok(None)
                    }
                    Err(error) => Err(failure(error)),
                }
            }
        }
    }

    /// Deletes a project that nothing was ever accepted for.
    pub(crate) async fn forget(&self, name: &ProjectName) -> anyhow::Result<()> {
        match self {
            Self::Embedded(_) => Ok(()),
            Self::Remote(remote) => {
                let project = project_id(remote, name).await?;
                let path = format!("/v1/projects/{project}");
                remote.delete(&path).await.map_err(failure)
            }
        }
    }

    /// A stored plan by its id.
    pub(crate) async fn show(&self, id: &str) -> anyhow::Result<Plans> {
        match self {
            Self::Embedded(embedded) => embedded.stored(id),
            Self::Remote(remote) => {
                let shown: body::ShownPlan = remote
                    .get(&format!("/v1/plans/{id}"))
                    .await
                    .map_err(failure)?;
                Ok(shown.into())
            }
        }
    }

    /// Plans of a file as they would be accepted. A control plane accepts what it keeps under a plan's id, so a
    /// file that says otherwise is refused; without one, accepting looks at the plan itself.
    pub(crate) async fn kept(&self, plans: Plans) -> anyhow::Result<Plans> {
        let Self::Remote(_) = self else {
            return Ok(plans);
        };
        let mut kept = Plans::new(Vec::new(), plans.bundles);
        for plan in plans.plans {
            let stored = self.show(&plan.plan_id.to_string()).await?;
            if stored.plans != [plan] {
                let message = "the plan file is not the plan that the control plane keeps under its id; make it again with `starform plan --out FILE`";
                return Err(Failure::because(Exit::Error, message));
            }
            kept.plans.extend(stored.plans);
            kept.approvals.extend(stored.approvals);
            kept.verifications.extend(stored.verifications);
        }
        Ok(kept)
    }

    /// Beside plans that were made before: how the cluster stands now. `name`: where a control plane knows
    /// the project by another name than its file.
    pub(crate) async fn stand(
        &self,
        name: Option<&ProjectName>,
        plans: &mut Plans,
    ) -> anyhow::Result<()> {
        match self {
            Self::Embedded(embedded) => embedded.stand(plans).await,
            Self::Remote(remote) => {
                let Some(name) = name.or(plans.plans.first().map(|plan| &plan.project)) else {
                    return Ok(());
                };
                let project = project_id(remote, name).await?;
                standing::join(remote, project, plans).await
            }
        }
    }

    /// Whether this very command writes what the cluster lacks; else an agent does.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Self::Embedded(_) => true,
            Self::Remote(_) => false,
        }
    }

    /// Accepts the plan and watches it converge. `approval`: a control plane knows its own.
    pub(crate) async fn apply(
        &self,
        plan: &Plan,
        plans: &Plans,
        options: &PlanOptions,
        approval: Approval,
        followed: Followed<'_>,
    ) -> anyhow::Result<Exit> {
        match self {
            Self::Embedded(embedded) => {
                let carried = (plans, approval);
                embedded.apply(plan, carried, options, followed).await
            }
            Self::Remote(remote) => crate::remote::apply::apply(remote, plan, followed).await,
        }
    }

    /// Nothing is to be accepted: finishes what an earlier apply may have left, and says when what is
    /// accepted does not do well.
    pub(crate) async fn resume(
        &self,
        project: &ProjectName,
        plan: &Plan,
        followed: Followed<'_>,
    ) -> anyhow::Result<Exit> {
        match self {
            Self::Embedded(embedded) => embedded.resume(plan, followed).await,
            Self::Remote(remote) => {
                let project = project_id(remote, project).await?;
                crate::remote::apply::resume(remote, project, &plan.environment, followed).await
            }
        }
    }

    pub(crate) async fn status(
        &self,
        project: &ProjectName,
        environments: &[EnvironmentName],
    ) -> anyhow::Result<Vec<body::EnvironmentStatus>> {
        match self {
            Self::Embedded(embedded) => embedded.status(project, environments).await,
            Self::Remote(remote) => {
                let id = project_id(remote, project).await?;
                let mut all = Vec::new();
                for environment in environments {
                    let path = format!("/v1/projects/{id}/environments/{environment}/status");
                    match remote.get(&path).await {
                        Ok(status) => all.push(status),
                        // The project is there, so it is the environment that is not.
                        Err(error) if error.is_not_found() => {
                            say_nothing_accepted(project, environment);
                        }
                        Err(error) => return Err(failure(error)),
                    }
                }
                Ok(all)
            }
        }
    }
}

impl Backend {
    /// What in the cluster is not as it was accepted: from the agent's reports, or asked of the cluster itself.
    pub(crate) async fn drift(
        &self,
        project: &ProjectName,
        environment: &EnvironmentName,
    ) -> anyhow::Result<body::EnvironmentDrift> {
        match self {
            Self::Embedded(embedded) => embedded.drift(project, environment).await,
            Self::Remote(remote) => {
                let id = project_id(remote, project).await?;
                let path = format!("/v1/projects/{id}/environments/{environment}/drift");
                match remote.get(&path).await {
                    Ok(drift) => Ok(drift),
                    Err(error) if error.is_not_found() => {
                        Err(nothing_accepted(project, environment))
                    }
                    Err(error) => Err(failure(error)),
                }
            }
        }
    }
}

pub(crate) fn nothing_accepted(
    project: &ProjectName,
    environment: &EnvironmentName,
) -> anyhow::Error {
    let message =
        format!("nothing is accepted for {project}/{environment}; `starform status` shows what is");
    Failure::because(Exit::Error, message)
}

/// Of an environment that the file declares, and that no plan has made yet or one has deleted.
pub(crate) fn say_nothing_accepted(project: &ProjectName, environment: &EnvironmentName) {
    say!(
        "{project}/{environment}: nothing is accepted; `starform plan --env {environment}` shows what would run"
    );
}

/// The id of a project that the token may see.
pub(crate) async fn project_id(
    remote: &Remote,
    name: &ProjectName,
) -> anyhow::Result<starform_contract::ProjectId> {
    let found: body::Items<body::Project> = remote
        .get(&format!("/v1/projects?name={name}"))
        .await
        .map_err(failure)?;
    let project = found.items.into_iter().next().with_context(|| {
        format!(
            "there is no project `{name}` at {}; create it with `starform project create {name} --cluster NAME`, or name another with --project",
            remote.server()
        )
    })?;
    Ok(project.id)
}

fn create_plans(sources: &SourceTree, options: &PlanOptions) -> body::CreatePlans {
    let files = sources
        .files()
        .map(|(_, file)| (file.path().to_owned(), file.text().to_string()));
    body::CreatePlans {
        source: body::PlanSource {
            files: files.collect(),
        },
        revision: options.revision.clone(),
        environments: (!options.env.is_empty()).then(|| options.env.clone()),
        images: options.image.iter().cloned().collect(),
        services: (!options.service.is_empty()).then(|| options.service.iter().cloned().collect()),
        adopt: options.adopt.iter().cloned().collect(),
        again: options.again.clone(),
    }
}
