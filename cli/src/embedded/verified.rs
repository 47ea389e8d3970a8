//! What the cluster of the kubeconfig says of plans, asked by the same function as an agent's.
//!
//! Effects: asks the cluster, dry-runs alone. Always holds: it is asked as the person who plans, as whom an
//! apply would write; it ends in time, and a plan without an answer is a plan all the same.

use std::time::{Duration, Instant};

use kube::Client;
use starform_plan::{
    propose::Proposal,
    verified::{Answer, Verifications, Verified, asked},
};
use starform_reconciler::time::Timestamp;
use starform_shuttle::{access::Access, verify::verdicts};

/// Of those plans that write anything, what was answered within `wait`.
pub(super) async fn verifications(
    client: Client,
    cluster: &str,
    proposals: &[Proposal],
    wait: Duration,
) -> Verifications {
    let access = Access::of_person(client);
    let mut found = Verifications::new();
    let began = Instant::now();
    for proposal in proposals {
        let Proposal {
            plan,
            project,
            environment,
        } = proposal;
        let objects = asked(plan, project, environment);
        let left = wait.saturating_sub(began.elapsed());
        if objects.is_empty() || left.is_zero() {
            continue;
        }
        let asking = verdicts(&access, project.project_id, &project.namespace, &objects);
        let answer = match tokio::time::timeout(left, asking).await {
            Ok(verdicts) => Answer::Answered {
                at: Timestamp::now().to_string(),
                verdicts,
            },
            Err(_) => Answer::Expired,
        };
        let verified = Verified {
            cluster: cluster.to_owned(),
            answer,
        };
        found.insert(plan.plan_id.clone(), verified);
    }
    found
}
