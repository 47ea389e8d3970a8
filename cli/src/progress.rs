//! Tells a person how an apply goes: a line when a service moves, a heartbeat when nothing does, and
//! three lists at the end.
//!
//! Effects: prints to standard error while it goes, to standard output at the end. Always holds: the
//! lists name every service of the environment once.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use starform_contract::{
    ObjectKey, Report, ServiceName,
    report::{Health, ObjectReport, ServiceReport, Verdict},
};
use starform_reconciler::{api::body, outcome};

use crate::{exit::Exit, output::print};

/// First heartbeat after this, then twice as long each time, at most [`LONGEST_BEAT`].
const FIRST_BEAT: Duration = Duration::from_secs(10);
const LONGEST_BEAT: Duration = Duration::from_secs(60);

/// How an apply stands.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) services: Vec<ServiceReport>,
    /// Objects whose outcome is not a good one.
    pub(crate) failed: Vec<ObjectReport>,
    /// Objects that were to go and stay.
    pub(crate) retained: Vec<ObjectReport>,
    /// Objects of ours that no plan lists: left alone, but somebody should know.
    pub(crate) orphans: Vec<ObjectKey>,
    pub(crate) verdict: Verdict,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            services: Vec::new(),
            failed: Vec::new(),
            retained: Vec::new(),
            orphans: Vec::new(),
            verdict: Verdict::Moving,
        }
    }
}

impl From<&Report> for Snapshot {
    fn from(report: &Report) -> Self {
        let bad = |object: &&ObjectReport| !object.outcome.is_good();
        Self {
            services: report.services.clone(),
            failed: report.objects.iter().filter(bad).cloned().collect(),
            retained: outcome::retained(report),
            orphans: report.orphans.clone(),
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
            services: event.services,
            failed: event.failed,
            retained: event.retained,
            orphans: Vec::new(),
            verdict,
        }
    }
}

/// Watches one environment's apply.
pub(crate) struct Progress {
    environment: String,
    seen: BTreeMap<ServiceName, (Health, Option<String>)>,
    last: Snapshot,
    /// Tells only of what is not well.
    quiet: bool,
    started: Instant,
    beat: Duration,
    next_beat: Instant,
}

impl Progress {
    pub(crate) fn new(environment: &str) -> Self {
        let started = Instant::now();
        Self {
            environment: environment.to_owned(),
            seen: BTreeMap::new(),
            last: Snapshot::default(),
            quiet: false,
            started,
            beat: FIRST_BEAT,
            next_beat: started + FIRST_BEAT,
        }
    }

    /// For an environment where nothing should move.
    pub(crate) fn quiet(environment: &str) -> Self {
        Self {
            quiet: true,
            ..Self::new(environment)
        }
    }

    /// Prints what moved since the last snapshot.
    pub(crate) fn show(&mut self, snapshot: Snapshot) {
        for service in &snapshot.services {
            let now = (service.health, service.reason.clone());
            let silent = self.quiet && !self.seen.contains_key(&service.name);
            if silent {
                self.seen.insert(service.name.clone(), now);
            } else if self.seen.get(&service.name) != Some(&now) {
                let reason = service.reason.as_ref().map(|reason| format!(": {reason}"));
                say!(
                    "  {}/{} {}{}",
                    self.environment,
                    service.name,
                    word(service.health),
                    reason.unwrap_or_default()
                );
                self.seen.insert(service.name.clone(), now);
            }
        }
        self.last = snapshot;
    }

    pub(crate) fn finished(&self) -> bool {
        self.last.verdict != Verdict::Moving
    }

    /// When [`Self::heartbeat`] is next due.
    pub(crate) fn next_beat(&self) -> Instant {
        self.next_beat
    }

    pub(crate) fn heartbeat(&mut self) {
        let moving: Vec<&str> = self
            .last
            .services
            .iter()
            .filter(|service| service.health != Health::Current)
            .map(|service| service.name.as_str())
            .collect();
        let waiting = if moving.is_empty() {
            "the agent".to_owned()
        } else {
            moving.join(", ")
        };
        let seconds = self.started.elapsed().as_secs();
        say!(
            "  {} still waiting for {waiting} ({seconds} s)",
            self.environment
        );
        self.beat = (self.beat * 2).min(LONGEST_BEAT);
        self.next_beat = Instant::now() + self.beat;
    }

    /// Prints the three lists and says how it ended.
    pub(crate) fn finish(self) -> Exit {
        let Snapshot {
            services,
            failed: objects,
            retained,
            orphans,
            verdict,
        } = self.last;
        let of = |wanted: fn(Health) -> bool| {
            let chosen = services
                .iter()
                .filter(move |service| wanted(service.health));
            chosen.map(line).collect::<Vec<_>>()
        };
        let done = of(|health| health == Health::Current);
        let mut failed = of(|health| health == Health::Failed);
        let rest = of(|health| !matches!(health, Health::Current | Health::Failed));
        // What a failed service already says is not said again for its object.
        let said = |reason: &String| failed.iter().any(|line| line.contains(reason));
        let unsaid: Vec<String> = objects
            .iter()
            .filter(|object| !object.reason.as_ref().is_some_and(said))
            .map(|object| told(&object.key, object.reason.as_deref()))
            .collect();
        failed.extend(unsaid);
        if !self.quiet {
            print_list("done", &done);
        }
        print_list("failed", &failed);
        let moving = verdict == Verdict::Moving;
        print_list(if moving { "not done" } else { "not started" }, &rest);
        let stays = retained.iter();
        let stays = stays.map(|object| told(&object.key, object.reason.as_deref()));
        print_list("stays", &stays.collect::<Vec<_>>());
        for orphan in orphans {
            say!("note: {orphan} is Starform's, but no plan lists it; it is left alone");
        }
        match verdict {
            Verdict::Converged => Exit::Success,
            Verdict::Partial => Exit::Partial,
            Verdict::Moving => Exit::WaitEnded,
        }
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

fn line(service: &ServiceReport) -> String {
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

fn print_list(title: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    // A list of bare names fits one line; reasons get a line each.
    if items.iter().all(|item| !item.contains(':')) {
        out(&format!("{title}: {}", items.join(", ")));
    } else {
        out(&format!("{title}:"));
        items.iter().for_each(|item| out(&format!("  {item}")));
    }
}

fn out(line: &str) {
    print(&format!("{line}\n"));
}
