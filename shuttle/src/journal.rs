//! What people read in the log: one line when a service, an object or a drift changes, never a value.
//!
//! Effects: logs, counts. Always holds: the same outcome is not told twice. Read on in `run.rs`.

use std::collections::BTreeMap;

use starform_contract::{
    Generation, ObjectKey, Report,
    report::{Drift, Health, ObjectReport, Outcome, ServiceReport, Verdict},
};

use crate::{
    drive::Surfaced,
    metrics::{Metrics, Rule},
    run::{Ended, Place},
};

/// What was told last.
#[derive(Debug, Default)]
pub struct Journal {
    reports: BTreeMap<Place, Report>,
    refused: bool,
    metrics: Metrics,
}

impl Journal {
    /// What is told is counted too.
    pub fn counting(metrics: Metrics) -> Self {
        Self {
            metrics,
            ..Self::default()
        }
    }

    pub fn write(&mut self, surfaced: &[Surfaced]) {
        for one in surfaced {
            match one {
                Surfaced::Report(report) => self.report(report),
                Surfaced::Refused(reason) => {
                    self.refused = true;
                    tracing::error!(reason, "the desired state was refused");
                }
            }
        }
    }

    /// How `generation` stands, once nothing is moving.
    pub fn outcome(&self, generation: Generation) -> Ended {
        let failed = self
            .reports
            .values()
            .any(|report| report.generation >= generation && report.verdict() == Verdict::Partial);
        if failed || self.refused {
            Ended::Partial
        } else {
            Ended::Converged
        }
    }

    fn report(&mut self, report: &Report) {
        let place = (report.project_id, report.environment.clone());
        let former = self.reports.get(&place);
        let span = tracing::info_span!(
            "environment",
            project = %report.project_id,
            environment = %report.environment,
            generation = %report.generation,
        );
        let _inside = span.enter();
        for service in &report.services {
            if former.is_none_or(|former| !former.services.contains(service)) {
                tell_service(service);
            }
        }
        for object in &report.objects {
            if former.is_none_or(|former| !former.objects.contains(object)) {
                tell_object(object);
                if object.outcome == Outcome::Retained {
                    self.metrics.blocked(Rule::Retained);
                }
            }
        }
        for drift in &report.drift {
            if former.is_none_or(|former| !former.drift.contains(drift)) {
                tell_drift(drift);
                self.metrics.drifted(drift.kind);
            }
        }
        for glass in &report.break_glass {
            if former.is_none_or(|former| !former.break_glass.contains(glass)) {
                tracing::warn!(key = %glass.key, "{}", glass.suspension);
            }
        }
        for orphan in &report.orphans {
            if former.is_none_or(|former| !former.orphans.contains(orphan)) {
                tell_orphan(orphan);
                self.metrics.blocked(Rule::NoConsent);
            }
        }
        let was =
            former.is_some_and(|former| former.finished && former.generation == report.generation);
        if report.finished && !was {
            tracing::info!(failed = report.verdict() == Verdict::Partial, "finished");
        }
        self.reports.insert(place, report.clone());
    }
}

fn tell_service(service: &ServiceReport) {
    let reason = service.reason.as_deref();
    match service.health {
        Health::Failed => {
            tracing::warn!(service = %service.name, health = ?service.health, reason, "service");
        }
        Health::Current
        | Health::InProgress
        | Health::Terminating
        | Health::NotFound
        | Health::Unknown => {
            tracing::info!(service = %service.name, health = ?service.health, reason, "service");
        }
    }
}

fn tell_object(object: &ObjectReport) {
    let reason = object.reason.as_deref();
    match object.outcome {
        Outcome::Failed | Outcome::Conflict | Outcome::Contested => {
            tracing::warn!(key = %object.key, outcome = ?object.outcome, reason, "object");
        }
        Outcome::Applied
        | Outcome::Unchanged
        | Outcome::Deleted
        | Outcome::Retained
        | Outcome::Skipped => {
            tracing::debug!(key = %object.key, outcome = ?object.outcome, reason, "object");
        }
    }
}

fn tell_drift(drift: &Drift) {
    tracing::warn!(
        key = %drift.key,
        kind = ?drift.kind,
        manager = drift.manager.as_deref(),
        paths = (!drift.paths.is_empty()).then(|| drift.paths.join(", ")),
        corrected = drift.corrected,
        "drift"
    );
}

fn tell_orphan(orphan: &ObjectKey) {
    tracing::warn!(key = %orphan, "orphan: ours by its labels, in no accepted plan; left alone");
}

#[cfg(test)]
mod tests {
    use super::*;
    use starform_contract::{Digest, ProjectId, report::ReportSchema};

    #[test]
    fn an_object_that_was_not_written_is_no_success() {
        let generation = Generation::default().next();
        let report = Report {
            schema: ReportSchema::V1,
            sequence: 1,
            generation,
            digest: Digest::of_bytes(b""),
            project_id: ProjectId::local(&"shop".parse().unwrap()),
            environment: "production".parse().unwrap(),
            objects: vec![ObjectReport {
                key: ObjectKey::new("", "Service", Some("sf-shop"), "web--production"),
                outcome: Outcome::Contested,
                reason: None,
                health: Health::Current,
            }],
            services: Vec::new(),
            drift: Vec::new(),
            break_glass: Vec::new(),
            orphans: Vec::new(),
            finished: true,
        };
        let mut journal = Journal::default();
        journal.write(&[Surfaced::Report(Box::new(report))]);
        assert_eq!(journal.outcome(generation), Ended::Partial);
    }
}
