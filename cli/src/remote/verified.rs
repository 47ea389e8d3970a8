//! Waits for what the clusters of plans say of them.
//!
//! Effects: HTTP. Always holds: waiting ends at its deadline, and a plan without an answer is a plan all the
//! same.

use std::time::{Duration, Instant};

use reqwest::Method;
use starform_plan::{document::Plans, verified::Verified};
use starform_reconciler::api::body;

use super::Remote;

/// The server ends the wait by itself, and then says how long there was no answer.
const GRACE: Duration = Duration::from_secs(2);

/// Joins what is answered within `wait` to plans that were made just now.
pub(crate) async fn join(remote: &Remote, plans: &mut Plans, wait: Duration) {
    let deadline = Instant::now() + wait;
    for plan in &plans.plans {
        let known = plans.verifications.get(&plan.plan_id);
        if !known.is_some_and(Verified::is_waiting) {
            continue;
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            continue;
        }
        let path = format!("/v1/plans/{}", plan.plan_id);
        let request = remote
            .request(Method::GET, &path)
            .header("prefer", format!("wait={}", left.as_secs_f32().ceil()));
        // The plan is made: whatever is wrong now says no more than that nothing is known.
        let shown =
            tokio::time::timeout(left + GRACE, remote.read::<body::ShownPlan>(request)).await;
        if let Ok(Ok(shown)) = shown {
            let id = plan.plan_id.clone();
            let verification = shown.verification;
            plans
                .verifications
                .extend(verification.map(|verified| (id, verified)));
        }
    }
}
