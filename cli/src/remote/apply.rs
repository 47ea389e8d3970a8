//! Applies a plan through the control plane and follows its events.
//!
//! Effects: HTTP, prints progress. Always holds: losing the connection loses no event, since the
//! stream is resumed behind the last one; Ctrl-C only detaches, the apply goes on.

use std::time::{Duration, Instant};

use futures::StreamExt;
use reqwest::Response;
use starform_contract::{
    EnvironmentName, ProjectId,
    report::{Health, Verdict},
};
use starform_plan::document::Plan;
use starform_reconciler::api::body;

use super::{Remote, RemoteError, failure};
use crate::{
    backend::Followed,
    exit::{Exit, Failure},
    progress::{Doing, Progress, Snapshot},
};

/// Between two attempts to resume.
const RETRY: Duration = Duration::from_secs(1);

pub(crate) async fn apply(
    remote: &Remote,
    plan: &Plan,
    followed: Followed<'_>,
) -> anyhow::Result<Exit> {
    let path = format!("/v1/plans/{}/apply", plan.plan_id);
    let body = serde_json::json!({});
    let asked = remote.post(&path, &body);
    let Some(apply) = followed.interrupts.until_second(asked).await else {
        let message = "detached; whether it was accepted, `starform status` tells";
        return Err(Failure::because(Exit::Cancelled, message));
    };
    let apply: body::Apply = apply.map_err(failure)?;
    followed
        .progress
        .accepted(apply.generation, Some(&apply.id));
    follow(remote, &apply.id, followed).await
}

/// Nothing new is to be accepted: follows an apply that still goes on, else says how its services do.
pub(crate) async fn resume(
    remote: &Remote,
    project: ProjectId,
    environment: &EnvironmentName,
    followed: Followed<'_>,
) -> anyhow::Result<Exit> {
    let progress = followed.progress;
    let path = format!("/v1/projects/{project}/environments/{environment}/status");
    let status: body::EnvironmentStatus = match remote.get(&path).await {
        Ok(status) => status,
        // Nothing was ever accepted for it, and nothing is wanted.
        Err(RemoteError::Problem(problem)) if problem.status == 404 => {
            return Ok(progress.finish(Some(Exit::Success)));
        }
        Err(error) => return Err(failure(error)),
    };
    if let Some(apply) = status.last_apply.filter(|apply| !apply.state.is_final()) {
        let services = status.services.into_iter().map(|service| service.name);
        let progress = progress.expecting(services).going_on();
        let followed = Followed {
            progress,
            ..followed
        };
        return follow(remote, &apply.apply_id, followed).await;
    }
    let services = status.services.into_iter().map(|service| Doing {
        name: service.name,
        health: service.health,
        reason: service.reason,
    });
    let services: Vec<Doing> = services.collect();
    if services.iter().all(|one| one.health != Health::Failed) {
        return Ok(progress.finish(Some(Exit::Success)));
    }
    say!("{environment} is accepted as it is wanted, but not well");
    let stands = Snapshot {
        services,
        verdict: Verdict::Partial,
        ..Snapshot::default()
    };
    Ok(progress.standing(stands).finish(Some(Exit::Partial)))
}

async fn follow(remote: &Remote, apply: &str, followed: Followed<'_>) -> anyhow::Result<Exit> {
    let Followed {
        wait,
        mut progress,
        interrupts,
    } = followed;
    let deadline = Instant::now() + wait;
    let mut follow = Follow {
        path: format!("/v1/applies/{apply}/events"),
        last: None,
    };
    let ended = tokio::select! {
        ended = follow.run(remote, deadline, &mut progress) => ended?,
        () = interrupts.next() => {
            say!("detached; the apply goes on. See it with `starform status`");
            return Ok(progress.finish(Some(Exit::Cancelled)));
        }
    };
    if !ended {
        say!(
            "the wait of {} s ended first; the apply goes on. See it with `starform status`",
            wait.as_secs()
        );
    }
    Ok(progress.finish(None))
}

struct Follow {
    path: String,
    /// Id of the last event seen.
    last: Option<String>,
}

impl Follow {
    /// `false` when the deadline came first.
    async fn run(
        &mut self,
        remote: &Remote,
        deadline: Instant,
        progress: &mut Progress,
    ) -> anyhow::Result<bool> {
        while Instant::now() < deadline {
            match remote.events(&self.path, self.last.as_deref()).await {
                Ok(response) => {
                    if self.read(response, deadline, progress).await {
                        return Ok(true);
                    }
                }
                // The control plane may be restarting; what was accepted is stored.
                Err(RemoteError::Unreachable { .. }) => {}
                Err(error) => return Err(failure(error)),
            }
            tokio::time::sleep(RETRY).await;
        }
        Ok(false)
    }

    /// `true` when the finishing event was read; `false` when the stream or the time ended.
    async fn read(
        &mut self,
        response: Response,
        deadline: Instant,
        progress: &mut Progress,
    ) -> bool {
        let mut stream = response.bytes_stream();
        let mut buffer = Vec::new();
        loop {
            let wake = progress.next_beat().min(deadline);
            match tokio::time::timeout_at(wake.into(), stream.next()).await {
                Ok(Some(Ok(bytes))) => buffer.extend_from_slice(&bytes),
                Ok(Some(Err(_)) | None) => return false,
                Err(_) if Instant::now() >= deadline => return false,
                Err(_) => progress.heartbeat(),
            }
            while let Some(end) = find_end(&buffer) {
                let event: Vec<u8> = buffer.drain(..end).collect();
                if self.event(&String::from_utf8_lossy(&event), progress) {
                    return true;
                }
            }
        }
    }

    /// One server-sent event (HTML standard, section 9.2); `true` when it is the last.
    fn event(&mut self, text: &str, progress: &mut Progress) -> bool {
        let field = |name: &str| {
            text.lines().find_map(|line| {
                line.strip_prefix(name)?
                    .strip_prefix(':')
                    .map(str::trim_start)
            })
        };
        if let Some(id) = field("id") {
            self.last = Some(id.to_owned());
        }
        let Some(event) =
            field("data").and_then(|data| serde_json::from_str::<body::ApplyEvent>(data).ok())
        else {
            return false;
        };
        progress.show(event.into());
        progress.finished()
    }
}

/// Behind the first blank line.
fn find_end(buffer: &[u8]) -> Option<usize> {
    buffer
        .windows(2)
        .position(|pair| pair == b"\n\n")
        .map(|start| start + 2)
}
