//! Tells how an apply goes: a line when a service moves, a heartbeat when nothing does, and three lists at the
//! end; or the same as events, for a program.
//!
//! Effects: prints to standard error while it goes, to standard output at the end; events to standard output.
//! Always holds: the lists name every service of the environment once; on a terminal no line is wider than it.
//! Read on in [`voice`] for who listens.

mod voice;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use starform_contract::{
    Generation, ObjectKey, Report, ServiceName,
    report::{Drift, DriftKind, Health, ObjectReport, Outcome, ServiceReport, Verdict},
};
use starform_plan::{
    document::{Plan, ServiceAction},
    view::progress::{Failed, Step},
};
use starform_reconciler::{api::body, outcome};

use crate::exit::Exit;
pub(crate) use voice::Voice;

/// First heartbeat after this, then twice as long each time, at most [`LONGEST_BEAT`].
const FIRST_BEAT: Duration = Duration::from_secs(10);
const LONGEST_BEAT: Duration = Duration::from_secs(60);

/// How a service does.
#[derive(Debug, Clone)]
pub(crate) struct Doing {
    pub(crate) name: ServiceName,
    pub(crate) health: Health,
    pub(crate) reason: Option<String>,
}

impl From<ServiceReport> for Doing {
    fn from(report: ServiceReport) -> Self {
        let ServiceReport {
            name,
            health,
            reason,
            ..
        } = report;
        Self {
            name,
            health,
            reason,
        }
    }
}

/// How an apply stands.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) services: Vec<Doing>,
    /// Objects whose outcome is not a good one.
    pub(crate) failed: Vec<ObjectReport>,
    /// Objects that were to go and stay.
    pub(crate) retained: Vec<ObjectReport>,
    /// Objects of ours that no plan lists: left alone, but somebody should know.
    pub(crate) orphans: Vec<ObjectKey>,
    /// What others had changed, and what became of it.
    pub(crate) drift: Vec<Drift>,
    /// Objects that were written.
    pub(crate) written: Vec<ObjectKey>,
    pub(crate) verdict: Verdict,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            services: Vec::new(),
            failed: Vec::new(),
            retained: Vec::new(),
            orphans: Vec::new(),
            drift: Vec::new(),
            written: Vec::new(),
            verdict: Verdict::Moving,
        }
    }
}

impl From<&Report> for Snapshot {
    fn from(report: &Report) -> Self {
        let bad = |object: &&ObjectReport| !object.outcome.is_good();
        let objects = report.objects.iter();
        let written = objects.filter(|object| object.outcome == Outcome::Applied);
        Self {
            services: report.services.iter().cloned().map(Doing::from).collect(),
            failed: report.objects.iter().filter(bad).cloned().collect(),
            retained: outcome::retained(report),
            orphans: report.orphans.clone(),
            drift: report.drift.clone(),
            written: written.map(|object| object.key.clone()).collect(),
            verdict: report.verdict(),
        }
    }
}

impl From<body::ApplyEvent> for Snapshot {
    fn from(event: body::ApplyEvent) -> Self {
        let verdict = match event.state {
            body::ApplyState::Converged => Verdict::Converged,
            body::ApplyState::Partial => Verdict::Partial,
            body::ApplyState::Pending | body::ApplyState::Progressing => Verdict::Moving,
        };
        Self {
            services: event.services.into_iter().map(Doing::from).collect(),
            failed: event.failed,
            retained: event.retained,
            orphans: Vec::new(),
            drift: Vec::new(),
            written: Vec::new(),
            verdict,
        }
    }
}

/// Watches one environment's apply.
pub(crate) struct Progress {
    voice: Voice,
    plan: Plan,
    seen: BTreeMap<ServiceName, (Health, Option<String>)>,
    /// Told to have been put right.
    restored: BTreeSet<ObjectKey>,
    last: Snapshot,
    /// Services that the apply is about, whether anything is told of them or not.
    expected: BTreeSet<ServiceName>,
    /// Tells only of what is not well.
    quiet: bool,
    started: Instant,
    beat: Duration,
    next_beat: Instant,
}

impl Progress {
    pub(crate) fn new(voice: &Voice, plan: &Plan) -> Self {
        let started = Instant::now();
        voice.tell(plan, || Step::Begin {
            summary: plan.summary.clone(),
        });
        Self {
            voice: voice.clone(),
            plan: plan.clone(),
            seen: BTreeMap::new(),
            restored: BTreeSet::new(),
            last: Snapshot::default(),
            expected: changing(plan),
            quiet: plan.is_empty(),
            started,
            beat: FIRST_BEAT,
            next_beat: started + FIRST_BEAT,
        }
    }

    /// It is about these services too.
    pub(crate) fn expecting(mut self, services: impl Iterator<Item = ServiceName>) -> Self {
        self.expected.extend(services);
        self
    }

    /// An earlier apply goes on: everything that moves is told.
    pub(crate) fn going_on(self) -> Self {
        Self {
            quiet: false,
            ..self
        }
    }

    /// It stands so, and nothing of it is to be told but the end.
    pub(crate) fn standing(mut self, last: Snapshot) -> Self {
        self.last = last;
        self
    }

    pub(crate) fn accepted(&self, generation: Generation, apply: Option<&str>) {
        let id = apply.map(|id| format!(" ({id})")).unwrap_or_default();
        self.voice
            .say(&format!("accepted as generation {generation}{id}"));
        self.voice
            .tell(&self.plan, || Step::Accepted { generation });
    }

    /// Prints what moved since the last snapshot.
    pub(crate) fn show(&mut self, snapshot: Snapshot) {
        self.show_restored(&snapshot);
        for service in &snapshot.services {
            let now = (service.health, service.reason.clone());
            let silent = self.quiet && !self.seen.contains_key(&service.name);
            if !silent && self.seen.get(&service.name) != Some(&now) {
                let reason = service.reason.as_ref().map(|reason| format!(": {reason}"));
                self.voice.say(&format!(
                    "  {}/{} {}{}",
                    self.plan.environment,
                    service.name,
                    word(service.health),
                    reason.unwrap_or_default()
                ));
                self.voice.tell(&self.plan, || Step::Service {
                    service: service.name.clone(),
                    health: service.health,
                    reason: service.reason.clone(),
                });
            }
            self.seen.insert(service.name.clone(), now);
        }
        self.last = snapshot;
    }

    /// What was changed by hand and is as accepted again: nobody planned that, so somebody has to be told.
    fn show_restored(&mut self, snapshot: &Snapshot) {
        for drift in snapshot.drift.iter().filter(|drift| drift.corrected) {
            self.restored.insert(drift.key.clone());
            self.voice.say(&format!(
                "  restored {}: {}",
                object(&drift.key),
                what_happened(drift)
            ));
            self.voice.tell(&self.plan, || Step::Restored {
                drift: drift.clone(),
            });
        }
        if !self.quiet {
            return;
        }
        for key in &snapshot.written {
            if self.restored.insert(key.clone()) {
                self.voice.say(&format!(
                    "  wrote {}: it was not there, or an earlier apply did not get to it",
                    object(key)
                ));
                let drift = Drift {
                    key: key.clone(),
                    manager: None,
                    kind: DriftKind::Deleted,
                    paths: Vec::new(),
                    corrected: true,
                };
                self.voice.tell(&self.plan, || Step::Restored { drift });
            }
        }
    }

    pub(crate) fn finished(&self) -> bool {
        self.last.verdict != Verdict::Moving
    }

    /// When [`Self::heartbeat`] is next due.
    pub(crate) fn next_beat(&self) -> Instant {
        self.next_beat
    }

    pub(crate) fn heartbeat(&mut self) {
        let moving: Vec<ServiceName> = self
            .last
            .services
            .iter()
            .filter(|service| service.health != Health::Current)
            .map(|service| service.name.clone())
            .collect();
        let names: Vec<&str> = moving.iter().map(ServiceName::as_str).collect();
        let waiting = if names.is_empty() {
            "the agent".to_owned()
        } else {
            names.join(", ")
        };
        let seconds = self.started.elapsed().as_secs();
        self.voice.say(&format!(
            "  {} still waiting for {waiting} ({seconds} s)",
            self.plan.environment
        ));
        self.voice.tell(&self.plan, || Step::Waiting {
            seconds,
            on: moving,
        });
        self.beat = (self.beat * 2).min(LONGEST_BEAT);
        self.next_beat = Instant::now() + self.beat;
    }

    /// Services of which nothing was told before it ended otherwise than by itself.
    fn unknown(&self) -> Vec<ServiceName> {
        let Snapshot {
            services, verdict, ..
        } = &self.last;
        let is_told = |name: &ServiceName| services.iter().any(|told| told.name == *name);
        // What goes is told of no more once the agent is at work.
        let goes = |name: &ServiceName| {
            let mut changes = self.plan.services.iter();
            let goes = changes.any(|one| one.name == *name && one.action == ServiceAction::Delete);
            goes && !services.is_empty()
        };
        let all = self.expected.iter();
        let unknown = all.filter(|name| !is_told(name) && !goes(name));
        match verdict {
            Verdict::Moving => unknown.cloned().collect(),
            Verdict::Converged | Verdict::Partial => Vec::new(),
        }
    }

    /// Prints the three lists and says how it ended; `ended`: not by itself, but so.
    pub(crate) fn finish(self, ended: Option<Exit>) -> Exit {
        let exit = ended.unwrap_or(match self.last.verdict {
            Verdict::Converged => Exit::Success,
            Verdict::Partial => Exit::Partial,
            Verdict::Moving => Exit::WaitEnded,
        });
        let unknown = self.unknown();
        let Self {
            voice, plan, quiet, ..
        } = self;
        let Snapshot {
            services,
            failed: objects,
            retained,
            orphans,
            verdict,
            ..
        } = self.last;
        let of = |wanted: fn(Health) -> bool| {
            let chosen = services.iter();
            chosen.filter(move |service| wanted(service.health))
        };
        let rest = |health| !matches!(health, Health::Current | Health::Failed);
        let failed = failures(of(|health| health == Health::Failed), &objects);
        voice.tell(&plan, || Step::End {
            exit: exit.code(),
            done: of(|h| h == Health::Current)
                .map(|s| s.name.clone())
                .collect(),
            failed: failed.clone(),
            not_started: of(rest)
                .map(|s| s.name.clone())
                .chain(unknown.clone())
                .collect(),
        });
        let done: Vec<String> = of(|h| h == Health::Current).map(line).collect();
        let failed: Vec<String> = failed
            .iter()
            .map(|failed| told(&failed.what, failed.reason.as_deref()))
            .collect();
        let unknown = unknown.iter().map(ServiceName::to_string);
        let rest: Vec<String> = of(rest).map(line).chain(unknown).collect();
        // All three, unless all is done.
        let whole = exit != Exit::Success;
        if !quiet || whole {
            voice.list("done", &done, whole);
        }
        voice.list("failed", &failed, whole);
        let moving = verdict == Verdict::Moving;
        voice.list(
            if moving { "not done" } else { "not started" },
            &rest,
            whole,
        );
        let stays = retained.iter();
        let stays: Vec<String> = stays
            .map(|object| told(&object.key, object.reason.as_deref()))
            .collect();
        voice.list("stays", &stays, false);
        for orphan in orphans {
            voice.say(&format!(
                "note: {orphan} is Starform's, but no plan lists it; it is left alone"
            ));
        }
        exit
    }
}

/// What a plan starts, changes or stops.
fn changing(plan: &Plan) -> BTreeSet<ServiceName> {
    let services = plan.services.iter();
    let changing = services.filter(|service| service.action != ServiceAction::None);
    changing.map(|service| service.name.clone()).collect()
}

/// What a failed service already says is not said again for its object.
fn failures<'s>(
    services: impl Iterator<Item = &'s Doing>,
    objects: &[ObjectReport],
) -> Vec<Failed> {
    let mut failed: Vec<Failed> = services
        .map(|service| Failed {
            what: service.name.to_string(),
            reason: service.reason.clone(),
        })
        .collect();
    let said = |reason: &String| {
        let mut reasons = failed.iter().filter_map(|failed| failed.reason.as_ref());
        reasons.any(|said| said.contains(reason))
    };
    // One without a reason waits for another that has one.
    let silent = failed.is_empty() && objects.iter().all(|object| object.reason.is_none());
    let unsaid: Vec<Failed> = objects
        .iter()
        .filter(|object| {
            object
                .reason
                .as_ref()
                .map_or(silent, |reason| !said(reason))
        })
        .map(|object| Failed {
            what: object.key.to_string(),
            reason: object.reason.clone(),
        })
        .collect();
    failed.extend(unsaid);
    failed
}

/// `Deployment api--production`
pub(crate) fn object(key: &ObjectKey) -> String {
    format!("{} {}", key.kind, key.name)
}

/// `spec.replicas was changed by kubectl-edit`
pub(crate) fn what_happened(drift: &Drift) -> String {
    let what = match drift.paths.as_slice() {
        [] => "it".to_owned(),
        paths => paths.join(", "),
    };
    let by = drift.manager.as_ref();
    let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
    match drift.kind {
        DriftKind::Changed => format!("{what} was changed{by}"),
        DriftKind::Added => format!("{what} was added{by}"),
        DriftKind::Deleted if drift.corrected => "it was not there".to_owned(),
        DriftKind::Deleted => "it is not there".to_owned(),
    }
}

/// kstatus's words as a sentence goes on.
pub(crate) fn word(health: Health) -> &'static str {
    match health {
        Health::Current => "is up to date",
        Health::InProgress => "is rolling out",
        Health::Failed => "failed",
        Health::Terminating => "is terminating",
        Health::NotFound => "is not there yet",
        Health::Unknown => "is not known yet",
    }
}

fn line(service: &Doing) -> String {
    let reason = service.reason.as_deref();
    match service.health {
        Health::Current => service.name.to_string(),
        Health::Failed => told(&service.name, reason),
        Health::InProgress | Health::Terminating | Health::NotFound | Health::Unknown => {
            told(&service.name, reason.or(Some(word(service.health))))
        }
    }
}

fn told(what: &impl std::fmt::Display, reason: Option<&str>) -> String {
    reason.map_or_else(|| what.to_string(), |reason| format!("{what}: {reason}"))
}
