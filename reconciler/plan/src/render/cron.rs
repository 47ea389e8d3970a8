//! CronJobs.
//!
//! Pure. The schedule is Kubernetes' own grammar, checked by the language.

use serde_json::json;
use starform_contract::{
    Object,
    model::{Cron, Overlap},
    name,
};

use super::{
    ServiceScope,
    kind::Kind,
    labels::{self, Role},
    pod,
};

pub(super) fn cron_job(scope: &ServiceScope<'_>, cron: &Cron) -> Object {
    let (state, service) = (scope.scope.state, scope.service);
    let labels = json!(labels::workload(state, service, Role::Cron));
    let run = json!({
        "activeDeadlineSeconds": cron.timeout.as_secs().max(1),
        "backoffLimit": cron.retries,
        "template": pod::run(scope),
    });
    let spec = json!({
        "concurrencyPolicy": concurrency(cron.overlap),
        "failedJobsHistoryLimit": cron.keep.failed,
        "jobTemplate": { "metadata": { "labels": labels.clone() }, "spec": run },
        "schedule": cron.schedule,
        "successfulJobsHistoryLimit": cron.keep.succeeded,
        "suspend": false,
        "timeZone": cron.timezone,
    });
    let name = name::cron_job(&service.object_name, &state.environment);
    scope
        .scope
        .object(Kind::CronJob, &name, labels, json!({ "spec": spec }))
}

fn concurrency(overlap: Overlap) -> &'static str {
    match overlap {
        Overlap::Forbid => "Forbid",
        Overlap::Replace => "Replace",
        Overlap::Allow => "Allow",
    }
}
