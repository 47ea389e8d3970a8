//! What is told about each environment, and when: on a change, gathered for a moment.
//!
//! Pure. Always holds: nothing new means no report; `finished` holds from the moment when every gate
//! of what was accepted for the environment passed or failed, until something else is accepted.

use std::collections::{BTreeMap, BTreeSet};

use starform_contract::{
    Digest, EnvironmentName, Generation, ObjectKey, PlanId, ProjectId, Report,
    report::{BreakGlass, Drift, Health, ObjectReport, Outcome, ReportSchema, ServiceReport},
};

use super::{
    Engine,
    agenda::Timer,
    backoff,
    correction::Hold,
    desired::State,
    drift,
    flight::Task,
    health,
    io::{Failure, Millis, Request},
    order::UnitKey,
    unit::{Need, Standing},
};

/// So long what happens is gathered.
const GATHER: Millis = Millis(200);
/// Two reports about one environment are at least so far apart.
const APART: Millis = Millis(1000);

#[derive(Debug, Clone)]
pub(super) struct Reporting {
    channels: BTreeMap<(ProjectId, EnvironmentName), Channel>,
    sequence: u64,
}

#[derive(Debug, Clone, Default)]
struct Channel {
    due: Option<Millis>,
    finished: bool,
    /// Corrections that no report told yet.
    drift: Vec<Drift>,
    /// By consent, since the desired state of the environment changed.
    deleted: BTreeSet<ObjectKey>,
    last: Option<Sent>,
    in_flight: Option<Sent>,
    attempts: u32,
}

#[derive(Debug, Clone)]
struct Sent {
    at: Millis,
    report: Report,
}

impl Reporting {
    /// The first report has the number after `sequence`.
    pub(super) fn from(sequence: u64) -> Self {
        Self {
            channels: BTreeMap::new(),
            sequence,
        }
    }

    /// What is told after the desired state changed. Environments that it changed begin anew.
    pub(super) fn restart(&mut self, before: Option<&State>, state: &State) {
        let kept = std::mem::take(&mut self.channels);
        let mut kept: BTreeMap<_, _> = kept.into_iter().collect();
        for (project, environment) in state.environments() {
            let place = (project, environment);
            let same = before.is_some_and(|before| !differs(before, state, &place));
            let channel = kept.remove(&place).filter(|_| same).unwrap_or_default();
            self.channels.insert(place, channel);
        }
    }

    pub(super) fn drift(&mut self, unit: &UnitKey, drift: &Drift) {
        for channel in self.of(unit) {
            channel.drift.push(drift.clone());
        }
    }

    pub(super) fn deleted(&mut self, state: &State, unit: &UnitKey, key: &ObjectKey) {
        if state.index.projects.contains_key(&unit.project()) {
            for channel in self.of(unit) {
                channel.deleted.insert(key.clone());
            }
        }
    }

    fn of(&mut self, unit: &UnitKey) -> impl Iterator<Item = &mut Channel> {
        let project = unit.project();
        let environment = unit.environment().cloned();
        self.channels
            .iter_mut()
            .filter(move |((of, name), _)| {
                *of == project && environment.as_ref().is_none_or(|only| only == name)
            })
            .map(|(_, channel)| channel)
    }

    fn due(&self, now: Millis) -> Vec<(ProjectId, EnvironmentName)> {
        self.channels
            .iter()
            .filter(|(_, channel)| {
                channel.in_flight.is_none() && channel.due.is_some_and(|due| due <= now)
            })
            .map(|(place, _)| place.clone())
            .collect()
    }

    /// Every environment is finished and told.
    pub(super) fn is_settled(&self) -> bool {
        self.channels
            .values()
            .all(|channel| channel.finished && channel.due.is_none() && channel.in_flight.is_none())
    }
}

/// Whether something else is wanted for an environment, or more was accepted for it. Accepted plans
/// that only leave the list after a finished report change nothing.
fn differs(
    before: &State,
    state: &State,
    (project, environment): &(ProjectId, EnvironmentName),
) -> bool {
    let bundles = |state: &State| {
        let entry = state.index.projects.get(project)?;
        let own = entry.environments.get(environment).cloned();
        Some((entry.bundle.clone(), own))
    };
    let accepted = |state: &State| -> BTreeSet<(PlanId, Generation)> {
        let mine = state.accepted(*project).iter();
        mine.filter(|accepted| accepted.environment == *environment)
            .map(|accepted| (accepted.plan_id.clone(), accepted.generation))
            .collect()
    };
    bundles(before) != bundles(state) || !accepted(state).is_subset(&accepted(before))
}

impl Engine {
    /// Something about the unit changed that a report may tell.
    pub(super) fn touch(&mut self, unit: &UnitKey) {
        let now = self.now;
        let mut times = Vec::new();
        for channel in self.reporting.of(unit) {
            if channel.due.is_none() {
                let apart = channel.last.as_ref().map(|sent| sent.at.plus(APART));
                let due = now.plus(GATHER).max(apart.unwrap_or_default());
                channel.due = Some(due);
                times.push(due);
            }
        }
        for time in times {
            self.agenda.at(time, Timer::Reports);
        }
    }

    pub(super) fn send_reports(&mut self) {
        let state = self.state();
        for place in self.reporting.due(self.now) {
            let finished = self.is_finished(&state, &place);
            let Some(channel) = self.reporting.channels.get_mut(&place) else {
                continue;
            };
            channel.due = None;
            channel.finished |= finished;
            let report = self.report(&state, &place);
            let Some(channel) = self.reporting.channels.get_mut(&place) else {
                continue;
            };
            let told = channel.last.as_ref().is_some_and(|last| {
                channel.drift.is_empty() && content(&last.report) == content(&report)
            });
            if told {
                continue;
            }
            self.reporting.sequence += 1;
            let report = Report {
                sequence: self.reporting.sequence,
                ..report
            };
            channel.drift.clear();
            channel.in_flight = Some(Sent {
                at: self.now,
                report: report.clone(),
            });
            let (project, environment) = place;
            self.send(
                Task::Report(project, environment),
                Request::Report(Box::new(report)),
            );
        }
    }

    pub(super) fn reported(
        &mut self,
        place: (ProjectId, EnvironmentName),
        result: Result<(), Failure>,
    ) {
        let now = self.now;
        let Some(channel) = self.reporting.channels.get_mut(&place) else {
            return;
        };
        let Some(sent) = channel.in_flight.take() else {
            return;
        };
        match result {
            Ok(()) => {
                channel.attempts = 0;
                channel.last = Some(sent);
            }
            Err(failure) => {
                channel.attempts += 1;
                // Corrections are told once, so they go into the next try.
                let told = sent
                    .report
                    .drift
                    .into_iter()
                    .filter(|drift| drift.corrected);
                channel.drift.splice(0..0, told);
                let of = format!("report {} {}", place.0, place.1);
                let due = now.plus(backoff::delay(&of, channel.attempts, &failure));
                channel.due = Some(due);
            }
        }
        if let Some(due) = channel.due {
            self.agenda.at(due.max(now), Timer::Reports);
        }
    }

    fn is_finished(&self, state: &State, place: &(ProjectId, EnvironmentName)) -> bool {
        let (project, environment) = place;
        let own = UnitKey::Project(*project);
        let scope = UnitKey::Environment(*project, environment.clone());
        let mut units = concerned(state, place).into_iter();
        let mut leftovers = self
            .leftovers
            .iter()
            .filter(|(_, leftover)| leftover.unit == own || scope.covers(&leftover.unit));
        units.all(|(unit, keys)| {
            let settled = match self.standings.get(unit) {
                Some(Standing::Passed | Standing::Failed(_)) => true,
                Some(Standing::Waiting | Standing::Moving(_)) | None => false,
            };
            let busy = keys.iter().any(|key| self.flight.is_busy(key));
            settled && !busy && !self.agenda.has_unit(unit)
        }) && leftovers
            .all(|(key, _)| !self.flight.is_busy(key) && self.leftover_is_settled(state, key))
    }

    fn report(&self, state: &State, place: &(ProjectId, EnvironmentName)) -> Report {
        let (project, environment) = place;
        let own = UnitKey::Project(*project);
        let scope = UnitKey::Environment(*project, environment.clone());
        let units = concerned(state, place);
        let wanted = units
            .iter()
            .flat_map(|(_, keys)| keys.iter())
            .map(|key| self.object_report(state, key));
        let refused = self.refused_report(state, place);
        let told = refused.as_ref().map(|report| report.key.clone());
        let channel = self.reporting.channels.get(place);
        let leftovers = self
            .leftovers
            .iter()
            .filter(|(_, leftover)| leftover.unit == own || scope.covers(&leftover.unit));
        let (listed, orphans): (Vec<_>, Vec<_>) =
            leftovers.partition(|(_, leftover)| leftover.consent);
        let going = listed.into_iter().map(|(key, _)| self.going_report(key));
        let gone = channel.into_iter().flat_map(|channel| &channel.deleted);
        let gone = gone.map(|key| ObjectReport {
            key: key.clone(),
            outcome: Outcome::Deleted,
            reason: None,
            health: Health::NotFound,
        });
        let keys = units.iter().flat_map(|(_, keys)| keys.iter());
        let standing_drift = keys.flat_map(|key| self.standing_drift(state, key));
        let fresh_drift = channel
            .into_iter()
            .flat_map(|channel| channel.drift.clone());
        Report {
            schema: ReportSchema::V1,
            sequence: 0,
            generation: state.index.generation,
            digest: state.index.digest.clone(),
            project_id: *project,
            environment: environment.clone(),
            objects: wanted
                .filter(|report| is_news(report) && told.as_ref() != Some(&report.key))
                .chain(refused)
                .chain(going)
                .chain(gone)
                .collect(),
            services: self.service_reports(state, place),
            drift: fresh_drift.chain(standing_drift).collect(),
            break_glass: self.break_glass(&units),
            orphans: orphans
                .into_iter()
                .map(|(key, _)| key.clone())
                .filter(|key| !self.keeps_namespace(key))
                .collect(),
            finished: channel.is_some_and(|channel| channel.finished),
        }
    }

    fn object_report(&self, state: &State, key: &ObjectKey) -> ObjectReport {
        let (health, told) = health::health(self.live.get(key));
        let progress = self.progress.get(key);
        let trouble = progress.and_then(|progress| progress.trouble.as_ref());
        let need = self.need(state, key);
        let (outcome, reason) = match (&need, trouble) {
            (Need::Held(Hold::Contested(_)), _) => (
                Outcome::Contested,
                Some("another field manager keeps taking back what is written, or adding what is not; tried again every hour".to_owned()),
            ),
            (Need::Superseded(generation), _) => (
                Outcome::Contested,
                Some(format!("generation {generation} has written it since, and this is generation {}; it is left alone until that one is known here (where the accepted state was lost, plan with its adoption)", state.index.generation)),
            ),
            (Need::Fresh | Need::Restore(_), Some(trouble)) => {
                (trouble.outcome, Some(trouble.reason.clone()))
            }
            (Need::Fresh | Need::Restore(_) | Need::Later, _) => (Outcome::Skipped, None),
            (Need::Nothing | Need::Held(Hold::BreakGlass | Hold::Reported), _) => {
                let written = progress.is_some_and(|progress| progress.written);
                let outcome = if written {
                    Outcome::Applied
                } else {
                    Outcome::Unchanged
                };
                (outcome, told)
            }
        };
        ObjectReport {
            key: key.clone(),
            outcome,
            reason,
            health,
        }
    }

    /// Of a refused bundle nothing is done, with or without services: its namespace stands for it.
    fn refused_report(
        &self,
        state: &State,
        place: &(ProjectId, EnvironmentName),
    ) -> Option<ObjectReport> {
        let (project, environment) = place;
        let unit = UnitKey::Environment(*project, environment.clone());
        let reason = refusal(state, &unit)?;
        let namespace = &state.index.projects.get(project)?.namespace;
        let key = ObjectKey::new("", "Namespace", None, namespace);
        Some(ObjectReport {
            outcome: Outcome::Failed,
            reason: Some(reason),
            health: health::health(self.live.get(&key)).0,
            key,
        })
    }

    fn going_report(&self, key: &ObjectKey) -> ObjectReport {
        let failed = self
            .leftovers
            .get(key)
            .and_then(|leftover| leftover.reason.clone());
        let (outcome, reason) = match (self.stays_because(key), failed) {
            (Some(stays), _) => (Outcome::Retained, Some(stays)),
            (None, Some(failed)) => (Outcome::Failed, Some(failed)),
            (None, None) => (Outcome::Skipped, None),
        };
        ObjectReport {
            key: key.clone(),
            outcome,
            reason,
            health: health::health(self.live.get(key)).0,
        }
    }

    /// What others did that stays.
    fn standing_drift(&self, state: &State, key: &ObjectKey) -> Vec<Drift> {
        match self.need(state, key) {
            Need::Held(_) => {}
            Need::Nothing | Need::Later | Need::Superseded(_) | Need::Restore(_) | Need::Fresh => {
                return Vec::new();
            }
        }
        let wanted = &state.objects[key];
        let live = self.live.get(key);
        drift::standing(state.object(wanted), key, live, self.inventory.get(key))
    }

    /// The objects that people want left alone.
    fn break_glass(&self, units: &[(&UnitKey, &Vec<ObjectKey>)]) -> Vec<BreakGlass> {
        let keys = units.iter().flat_map(|(_, keys)| keys.iter());
        let asked = keys.filter_map(|key| {
            Some(BreakGlass {
                key: key.clone(),
                suspension: self.live.get(key)?.suspension(self.clock)?,
            })
        });
        asked.collect()
    }

    fn service_reports(
        &self,
        state: &State,
        (project, environment): &(ProjectId, EnvironmentName),
    ) -> Vec<ServiceReport> {
        let Some(bundle) = state.environment(*project, environment) else {
            return Vec::new();
        };
        let reports = bundle.services.iter().map(|service| {
            let unit = UnitKey::Service(*project, environment.clone(), service.service_id);
            let (health, reason) = self.service_health(state, &unit);
            ServiceReport {
                workspace_id: service.workspace_id,
                project_id: service.project_id,
                environment: service.environment.clone(),
                service_id: service.service_id,
                name: service.name.clone(),
                health,
                reason,
            }
        });
        reports.collect()
    }

    fn service_health(&self, state: &State, unit: &UnitKey) -> (Health, Option<String>) {
        let refused = unit.parent().and_then(|above| refusal(state, &above));
        if refused.is_some() {
            return (Health::Failed, refused);
        }
        match self.standings.get(unit) {
            Some(Standing::Passed) => (Health::Current, None),
            Some(Standing::Failed(reason)) => (Health::Failed, Some(reason.clone())),
            Some(Standing::Moving(reason)) => (Health::InProgress, Some(reason.clone())),
            Some(Standing::Waiting) | None => (Health::InProgress, None),
        }
    }
}

/// Why the bundle of an environment, or that of its project, is not believed.
fn refusal(state: &State, unit: &UnitKey) -> Option<String> {
    let project = UnitKey::Project(unit.project());
    let reason = [unit, &project]
        .into_iter()
        .find_map(|unit| state.refused.get(unit))?;
    Some(format!("the bundle was refused: {reason}"))
}

/// The units that a report tells about: the environment's, its services', and the project's own.
fn concerned<'a>(
    state: &'a State,
    (project, environment): &(ProjectId, EnvironmentName),
) -> Vec<(&'a UnitKey, &'a Vec<ObjectKey>)> {
    let own = state.units.get_key_value(&UnitKey::Project(*project));
    let scope = UnitKey::Environment(*project, environment.clone());
    own.into_iter().chain(scope.covered(&state.units)).collect()
}

/// What was not touched and is well would only make a report long.
fn is_news(report: &ObjectReport) -> bool {
    let well = report.outcome == Outcome::Unchanged && report.health == Health::Current;
    !well || report.reason.is_some()
}

/// What makes a report worth sending again.
fn content(report: &Report) -> Report {
    let drift = report.drift.iter().filter(|drift| !drift.corrected);
    Report {
        sequence: 0,
        generation: Generation::default(),
        digest: Digest::of_bytes(b""),
        drift: drift.cloned().collect(),
        ..report.clone()
    }
}
