//! Accepts a plan in the cluster and drives Shuttle's engine until it has converged.
//!
//! Effects: asks and changes the cluster, prints progress. Always holds: accepting is one write with
//! a precondition; losing that race repeats the pure steps against what was accepted meanwhile.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use starform_contract::{
    Bundle, Digest, EnvironmentName, ProjectId, Report, verify::ObjectVerdict,
};
use starform_plan::{
    accept::{self, AcceptOutcome, Refusal},
    accepted::AcceptedProject,
    approval::Approval,
    document::{Plan, Plans},
    propose::Proposal,
    verified::{Verified, with_verified},
};
use starform_shuttle::{engine::io::Desired, persist::SaveError, run};
use tokio::sync::watch;

use super::{Embedded, accepted, home::Home, status, wanted_profile};
use crate::{
    args::PlanOptions,
    backend::Followed,
    exit::{Exit, Failure},
    interrupt::Interrupts,
    progress::Progress,
};

/// Races lost in a row before giving up: each means that somebody else was accepted.
const ATTEMPTS: u32 = 5;

impl Embedded {
    pub(crate) async fn apply(
        &self,
        plan: &Plan,
        (plans, approval): (&Plans, Approval),
        options: &PlanOptions,
        followed: Followed<'_>,
    ) -> anyhow::Result<Exit> {
        let proposal = proposal(plan, plans)?;
        let project = proposal.project.project_id;
        let mut home = tokio::select! {
            home = self.home() => home?,
            () = followed.interrupts.next() => {
                return Err(Failure::because(Exit::Cancelled, "nothing was applied"));
            }
        };
        let profile = wanted_profile(options, &home.seen)?;
        let verified = plans.verifications.get(&plan.plan_id);
        let said = verified.map_or(&[][..], Verified::verdicts);
        let accepting = self.accept(&mut home, &proposal, approval, said);
        let Some(accepted) = followed.interrupts.until_second(accepting).await else {
            let message = "stopped; whether it was accepted, `starform status` tells";
            return Err(Failure::because(Exit::Cancelled, message));
        };
        accepted?;
        // After the accept, which makes the namespace; a plan made in between only shows the former
        // profile's objects, and changes nothing.
        if profile != home.seen.profile {
            home.keep_profile(profile).await?;
        }
        followed.progress.accepted(home.seen.index.generation, None);
        converge(&mut home, project, &plan.environment, followed).await
    }

    /// Drives an environment that is accepted as it is wanted: an apply that was stopped goes on, and
    /// what drifted is put right.
    pub(crate) async fn resume(&self, plan: &Plan, followed: Followed<'_>) -> anyhow::Result<Exit> {
        let progress = followed.progress;
        let mut home = tokio::select! {
            home = self.home() => home?,
            () = followed.interrupts.next() => return Ok(progress.finish(Some(Exit::Cancelled))),
        };
        let project = ProjectId::local(&plan.project);
        let Some(bundle) = status::accepted(&home, project, &plan.environment) else {
            return Ok(progress.finish(Some(Exit::Success)));
        };
        let services = bundle.services.iter().map(|service| service.name.clone());
        let followed = Followed {
            progress: progress.expecting(services),
            ..followed
        };
        converge(&mut home, project, &plan.environment, followed).await
    }

    /// Makes the plan's result part of the accepted state.
    async fn accept(
        &self,
        home: &mut Home,
        proposal: &Proposal,
        approval: Approval,
        said: &[ObjectVerdict],
    ) -> anyhow::Result<()> {
        for _ in 0..ATTEMPTS {
            let Some((index, bundles)) = next(home, proposal, approval, said)? else {
                return Ok(());
            };
            match home.accept(index, bundles).await {
                Ok(()) => return Ok(()),
                Err(SaveError::Conflict) => *home = self.home().await?,
                Err(error) => return Err(error.into()),
            }
        }
        let message = "others keep changing the accepted state; try again when they are done";
        Err(Failure::because(Exit::Stale, message))
    }
}

type Accepted = (starform_contract::Index, BTreeMap<Digest, Bundle>);

/// The next index and its bundles; `None` when there is nothing to do.
fn next(
    home: &Home,
    proposal: &Proposal,
    approval: Approval,
    said: &[ObjectVerdict],
) -> anyhow::Result<Option<Accepted>> {
    let project = proposal.project.project_id;
    let index = home.index_without_finished();
    let current: AcceptedProject = accepted(home.seen.clone(), project)?;
    let outcome = accept::accept(&index, &current, proposal, approval).map_err(refused)?;
    let AcceptOutcome::Accepted(next) = outcome else {
        return Ok(None);
    };
    let next = with_verified(*next, &proposal.plan, said);
    let mut bundles = home.seen.bundles.clone();
    bundles.insert(next.project.digest(), Bundle::Project(next.project));
    bundles.insert(
        next.environment.digest(),
        Bundle::Environment(next.environment),
    );
    let named = next.index.bundles();
    bundles.retain(|digest, _| named.contains(digest));
    Ok(Some((next.index.clone(), bundles)))
}

fn not_converged(error: run::ConvergeError) -> anyhow::Error {
    let exit = match error {
        run::ConvergeError::Superseded { .. } => Exit::Stale,
        run::ConvergeError::Inventory(_)
        | run::ConvergeError::Cluster(_)
        | run::ConvergeError::NoCluster
        | run::ConvergeError::Refused(_) => Exit::Error,
    };
    Failure::because(exit, error.to_string())
}

fn refused(refusal: Refusal) -> anyhow::Error {
    let exit = match refusal {
        Refusal::Stale(_) => Exit::Stale,
        Refusal::CrossCheck(_)
        | Refusal::Blocked(_)
        | Refusal::Unapproved(_)
        | Refusal::Standing(_)
        | Refusal::LastEnvironment(_) => Exit::Refused,
        Refusal::Used(_) | Refusal::Unsound(_) => Exit::Error,
    };
    Failure::because(exit, refusal.to_string())
}

fn proposal(plan: &Plan, plans: &Plans) -> anyhow::Result<Proposal> {
    let missing = |digest: &Digest| {
        format!("the plan lacks its bundle {digest}; make it again with `starform plan --out FILE`")
    };
    let project = match plans.bundles.get(&plan.source.project_result) {
        Some(Bundle::Project(bundle)) => bundle.clone(),
        Some(Bundle::Environment(_)) | None => {
            anyhow::bail!(missing(&plan.source.project_result))
        }
    };
    let environment = match plans.bundles.get(&plan.source.result) {
        Some(Bundle::Environment(bundle)) => bundle.clone(),
        Some(Bundle::Project(_)) | None => anyhow::bail!(missing(&plan.source.result)),
    };
    Ok(Proposal {
        plan: plan.clone(),
        project,
        environment,
    })
}

/// Drives the engine until this environment is finished, or the wait or a person ends it.
async fn converge(
    home: &mut Home,
    project: ProjectId,
    environment: &EnvironmentName,
    followed: Followed<'_>,
) -> anyhow::Result<Exit> {
    let Followed {
        wait,
        progress,
        interrupts,
    } = followed;
    let bundles = home.seen.bundles.iter();
    let desired = Desired {
        index: home.seen.index.clone(),
        bundles: bundles
            .map(|(digest, bundle)| (digest.clone(), Arc::new(bundle.clone())))
            .collect(),
    };
    let (stop, stopped) = watch::channel(run::Stop::No);
    let place = (project, environment.clone());
    let options = run::Options {
        places: BTreeSet::from([place.clone()]),
        wait,
        stop: stopped,
    };
    // One task: the engine's reports and the heartbeat take turns.
    let progress = RefCell::new(progress);
    let tell = |report: &Report| {
        if (report.project_id, &report.environment) == (project, environment) {
            progress.borrow_mut().show(report.into());
        }
    };
    let converged = tokio::select! {
        converged = run::converge(&home.client, desired, options, tell) => {
            converged.map_err(not_converged)?
        }
        () = beat_and_listen(&progress, interrupts, &stop) => run::Converged {
            ended: run::Ended::Stopped,
            reports: BTreeMap::new(),
        },
    };
    // After a partial apply some of what the plan allowed may still be to do.
    if converged.ended == run::Ended::Converged {
        let report = converged.reports.get(&place);
        if report.is_some_and(|report| home.is_gone(project, report)) {
            home.forget(project).await?;
        } else if !home.is_finished(project, environment) {
            home.keep_finished(project, environment).await?;
        }
    }
    let progress = progress.into_inner();
    let goes_on = "`starform apply` goes on where this stopped";
    let ended = match converged.ended {
        run::Ended::Converged | run::Ended::Partial => None,
        run::Ended::WaitOver => {
            say!("the wait ended first; {goes_on}");
            Some(Exit::WaitEnded)
        }
        run::Ended::Stopped => {
            say!("stopped; {goes_on}");
            Some(Exit::Cancelled)
        }
    };
    Ok(progress.finish(ended))
}

/// Heartbeats, and Ctrl-C: once ends what is being written; done with the second, whatever is waited for.
async fn beat_and_listen(
    progress: &RefCell<Progress>,
    interrupts: &mut Interrupts,
    stop: &watch::Sender<run::Stop>,
) {
    let mut stopping = false;
    loop {
        let next = progress.borrow().next_beat();
        tokio::select! {
            () = tokio::time::sleep_until(next.into()) => progress.borrow_mut().heartbeat(),
            () = interrupts.next() => {
                if std::mem::replace(&mut stopping, true) {
                    return;
                }
                say!("stopping; once more to stop at once");
                // Nobody listens any more when the engine is already done.
                let _ = stop.send(run::Stop::Gently);
            }
        }
    }
}
