//! How a cluster stands to what is accepted, as its agent told the control plane.
//!
//! Effects: HTTP. Always holds: what the agent put right already is told as no difference.

use std::time::Duration;

use starform_contract::{EnvironmentName, ProjectId};
use starform_plan::{
    document::Plans,
    standing::{Known, Reported, Standing},
};
use starform_reconciler::{
    api::body::{ApplyState, EnvironmentDrift, EnvironmentStatus},
    time::Timestamp,
};

use super::{Remote, RemoteError, failure};
use crate::embedded::differing;

/// An agent asks for its desired state every 30 s or oftener.
pub(crate) const SILENT: Duration = Duration::from_secs(2 * 60);

/// Joins it to each plan that something is accepted for.
pub(crate) async fn join(
    remote: &Remote,
    project: ProjectId,
    plans: &mut Plans,
) -> anyhow::Result<()> {
    for plan in &plans.plans {
        let found = of(remote, project, &plan.environment).await;
        if let Some(standing) = found.map_err(failure)? {
            plans.standings.insert(plan.plan_id.clone(), standing);
        }
    }
    Ok(())
}

/// `None`: nothing is accepted for it.
async fn of(
    remote: &Remote,
    project: ProjectId,
    environment: &EnvironmentName,
) -> Result<Option<Standing>, RemoteError> {
    let route = format!("/v1/projects/{project}/environments/{environment}");
    let status: EnvironmentStatus = match remote.get(&format!("{route}/status")).await {
        Ok(status) => status,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some(known) = known(&status) else {
        return Ok(None);
    };
    let mut standing = Standing::of(known);
    if status.reported.is_some() {
        let drift: EnvironmentDrift = remote.get(&format!("{route}/drift")).await?;
        let now = drift.found.into_iter();
        let now = now.filter(|found| !found.drift.corrected);
        // What the newest report calls drift is what the agent leaves.
        standing.differs = now.map(|found| differing(found, true)).collect();
    }
    Ok(Some(standing))
}

/// `None`: nothing was ever applied to it.
fn known(status: &EnvironmentStatus) -> Option<Known> {
    let last = status.last_apply.as_ref()?;
    let now = Timestamp::now();
    let silent = status.agent_seen_at.map(|seen| now.since(seen));
    Some(Known::Agent {
        accepted: last.generation,
        reported: status.reported.as_ref().map(|reported| Reported {
            generation: reported.generation,
            finished: reported.finished,
            partial: last.state == ApplyState::Partial,
            age_seconds: now.since(reported.at).as_secs(),
        }),
        silent_seconds: silent
            .filter(|silent| *silent > SILENT)
            .map(|silent| silent.as_secs()),
    })
}
