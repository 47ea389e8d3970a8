//! The two uses of the loop: an agent that follows a desired state, and one apply that a person waits
//! for.
//!
//! Effects: network, signals, logs. Always holds: stopping lets requests end that are under way; an
//! apply that was stopped or killed is finished by the next one. Read on in `feed.rs` for where
//! desired state comes from, `drive.rs` for the loop.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use kube::Client;
use serde_json::Value;
use starform_contract::{
    ClusterId, EnvironmentName, Generation, ProjectId, Report, report::Verdict,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
    task::JoinSet,
};

use crate::{
    access::Access,
    annotate::{Keeper, Standing},
    backoff::Backoff,
    call::{CallError, call, get},
    client::{self, ConnectError},
    config::{AgentFile, AgentFileError, Run, TrustFileError, trust_file},
    drive::{Driver, Surfaced},
    engine::io::Desired,
    feed::{self, Trust, Word},
    instance::Instance,
    journal::Journal,
    metrics::Metrics,
    pull::ControlPlane,
    source::{Folder, FolderError},
    surface::{self, CountsAsked, Surface},
    values::{Carried, Unsealing, Values},
    verify,
    vitals::Vitals,
};

/// How long requests that are under way may take when the process is asked to stop.
const STOP_LIMIT: Duration = Duration::from_secs(25);
/// How long an apply waits, after its own environments, for the rest of the cluster to settle.
const SETTLE_LIMIT: Duration = Duration::from_secs(3);
/// How often the loop of an agent goes round at least, to show that it does.
const BEAT: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error(transparent)]
    AgentFile(#[from] AgentFileError),
    #[error(transparent)]
    Trust(#[from] TrustFileError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("cannot listen to signals: {0}")]
    Signals(std::io::Error),
    #[error(
        "following the desired state ended by itself; please report this with the log before it"
    )]
    FeedEnded,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every environment finished, none failed.
    Converged,
    /// Every environment finished, some of it failed.
    Partial,
    /// The wait was over before.
    WaitOver,
    /// Somebody asked to stop.
    Stopped,
}

/// The environments of one cluster, by the project that they belong to.
pub type Place = (ProjectId, EnvironmentName);

/// What an apply should wait for, and how long.
#[derive(Debug, Clone)]
pub struct Options {
    /// Finished when these are.
    pub places: BTreeSet<Place>,
    pub wait: Duration,
    /// Changed by whoever hears Ctrl-C.
    pub stop: watch::Receiver<Stop>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stop {
    #[default]
    No,
    /// What is being written ends, nothing new begins.
    Gently,
    Now,
}

/// What an apply came to; the last report of each environment of the cluster.
#[derive(Debug, Clone)]
pub struct Converged {
    pub ended: Ended,
    pub reports: BTreeMap<Place, Report>,
}

#[derive(Debug, thiserror::Error)]
pub enum ConvergeError {
    #[error("cannot read the inventory from namespace starform-system: {0}")]
    Inventory(#[from] CallError),
    #[error("cannot read which cluster this is from namespace kube-system: {0}")]
    Cluster(CallError),
    #[error("the namespace kube-system has no uid; is this a Kubernetes API server?")]
    NoCluster,
    #[error("the desired state was refused: {0}")]
    Refused(String),
    #[error(
        "generation {by} was accepted and is being applied, so this apply of generation {own} has stopped; run it again to go on from there"
    )]
    Superseded { own: Generation, by: Generation },
}

/// Follows a desired state until SIGTERM or SIGINT, or with `--once` until it is reached.
///
/// # Errors
/// [`AgentError`] for what no waiting cures; everything else is logged and tried again.
pub async fn agent(run: &Run) -> Result<Ended, AgentError> {
    client::install_tls();
    let (metrics, vitals) = (Metrics::default(), Vitals::since(Instant::now()));
    let cluster = client::counted(run.kubeconfig.as_deref(), &metrics).await?;
    let (words, mut heard) = mpsc::channel(1);
    let mut feeds = JoinSet::new();
    // Held until the end: it is what makes this process one of its kind.
    let instance = run.desired.agent_file.as_deref().map(Instance::claim);
    let keeper = Keeper::start(cluster.clone(), &mut feeds);
    let annotations = keeper.standing();
    let (plane, values) = begin_feed(
        run,
        instance.as_ref(),
        &cluster,
        annotations,
        words,
        vitals.clone(),
        &mut feeds,
    )?;
    let (counts, mut scrapes) = mpsc::channel(1);
    if !run.once {
        let surface = Surface {
            client: cluster.clone(),
            metrics: metrics.clone(),
            vitals: vitals.clone(),
            counts,
        };
        feeds.spawn(surface::serve(run.listen.clone(), surface));
    }
    let mut stop = Signals::listen().map_err(AgentError::Signals)?;
    let mut agent = Agent {
        client: cluster,
        values,
        plane,
        driver: None,
        keeper,
        journal: Journal::counting(metrics.clone()),
        generation: Generation::default(),
        standby: false,
        metrics,
        vitals,
        busy_since: None,
    };
    let mut beat = tokio::time::interval(BEAT);
    loop {
        tokio::select! {
            word = heard.recv() => {
                let word = word.ok_or(AgentError::FeedEnded)?;
                tokio::select! {
                    () = agent.hear(word) => {}
                    () = stop.heard() => break,
                }
            }
            surfaced = next(&mut agent.driver) => agent.journal.write(&surfaced),
            Some(scrape) = scrapes.recv() => agent.count(scrape),
            _ = beat.tick() => {}
            () = stop.heard() => break,
        }
        let settled = agent.turned();
        if run.once && settled && agent.keeper.settled() {
            return Ok(agent.journal.outcome(agent.generation));
        }
    }
    tracing::info!("stopping");
    if let Some(driver) = &mut agent.driver {
        let surfaced = driver.stop(STOP_LIMIT).await;
        agent.journal.write(&surfaced);
    }
    Ok(Ended::Stopped)
}

/// Makes the cluster match `desired`, which is accepted and kept already, and tells how it goes. Its
/// cluster is this one: its id is the uid of kube-system.
///
/// # Errors
/// [`ConvergeError`] when nothing could begin, or when a newer apply has taken over.
pub async fn converge(
    client: &Client,
    desired: Desired,
    mut options: Options,
    mut progress: impl FnMut(&Report),
) -> Result<Converged, ConvergeError> {
    let deadline = Instant::now() + options.wait;
    let generation = desired.index.generation;
    let cluster = cluster_id(client).await?;
    // Whoever applies by hand has rights of their own, and maybe no agent's manifests.
    let access = Access::of_person(client.clone());
    let values = Values::Home(client.clone());
    let mut driver = Driver::start(access, cluster, None, values, Metrics::default()).await?;
    let mut reports = BTreeMap::new();
    let mut surfaced = driver.desire(desired);
    let mut finished_at: Option<Instant> = None;
    let ended = loop {
        for one in surfaced {
            match one {
                Surfaced::Refused(reason) => return Err(ConvergeError::Refused(reason)),
                Surfaced::Report(report) => {
                    progress(&report);
                    reports.insert((report.project_id, report.environment.clone()), *report);
                }
            }
        }
        if finished_at.is_none() && all_finished(&options.places, &reports, generation) {
            finished_at = Some(Instant::now());
        }
        if finished_at.is_none()
            && let Some(by) = driver.superseded()
        {
            stop_gently(&mut driver, &mut options.stop, &mut reports).await;
            return Err(ConvergeError::Superseded {
                own: generation,
                by,
            });
        }
        let until = match finished_at {
            Some(_) if driver.settled() => break outcome(&options.places, &reports),
            Some(finished) => deadline.min(finished + SETTLE_LIMIT),
            None => deadline,
        };
        let left = until.saturating_duration_since(Instant::now());
        surfaced = tokio::select! {
            surfaced = driver.next() => surfaced,
            () = tokio::time::sleep(left) => match finished_at {
                Some(_) => break outcome(&options.places, &reports),
                None => break Ended::WaitOver,
            },
            () = asked(&mut options.stop) => break Ended::Stopped,
        };
    };
    if *options.stop.borrow() != Stop::Now {
        stop_gently(&mut driver, &mut options.stop, &mut reports).await;
    }
    Ok(Converged { ended, reports })
}

/// The uid of kube-system: as old as the cluster, and nobody chooses it.
async fn cluster_id(client: &Client) -> Result<ClusterId, ConvergeError> {
    let system = call(client, get("/api/v1/namespaces/kube-system"))
        .await
        .map_err(ConvergeError::Cluster)?;
    let uid = system.pointer("/metadata/uid").and_then(Value::as_str);
    uid.and_then(|uid| uid.parse().ok())
        .ok_or(ConvergeError::NoCluster)
}

/// Lets requests end; a second wish to stop ends this too.
async fn stop_gently(
    driver: &mut Driver,
    stop: &mut watch::Receiver<Stop>,
    reports: &mut BTreeMap<Place, Report>,
) {
    let now = async {
        // A sender that is gone asks for nothing.
        if stop.wait_for(|stop| *stop == Stop::Now).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        surfaced = driver.stop(STOP_LIMIT) => {
            for one in surfaced {
                if let Surfaced::Report(report) = one {
                    reports.insert((report.project_id, report.environment.clone()), *report);
                }
            }
        }
        () = now => {}
    }
}

async fn asked(stop: &mut watch::Receiver<Stop>) {
    if stop.wait_for(|stop| *stop != Stop::No).await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn all_finished(
    places: &BTreeSet<Place>,
    reports: &BTreeMap<Place, Report>,
    generation: Generation,
) -> bool {
    places.iter().all(|place| {
        reports
            .get(place)
            .is_some_and(|report| report.finished && report.generation >= generation)
    })
}

fn outcome(places: &BTreeSet<Place>, reports: &BTreeMap<Place, Report>) -> Ended {
    let failed = places
        .iter()
        .filter_map(|place| reports.get(place))
        .any(|report| report.verdict() == Verdict::Partial);
    if failed {
        Ended::Partial
    } else {
        Ended::Converged
    }
}

struct Agent {
    client: Client,
    plane: Option<ControlPlane>,
    values: Values,
    driver: Option<Driver>,
    keeper: Keeper,
    journal: Journal,
    generation: Generation,
    standby: bool,
    metrics: Metrics,
    vitals: Vitals,
    /// Since when something was to be done.
    busy_since: Option<Instant>,
}

impl Agent {
    /// The loop has gone round; whether nothing is left to do.
    fn turned(&mut self) -> bool {
        let driver = self.driver.as_ref();
        let settled = driver.is_some_and(Driver::settled);
        self.vitals.turned(match driver {
            None if self.standby => None,
            None => Some("a desired state"),
            Some(driver) if driver.acts() => None,
            Some(_) => Some("the first look at the cluster"),
        });
        if driver.is_some() && !settled {
            self.busy_since.get_or_insert_with(Instant::now);
        } else if let Some(since) = self.busy_since.take() {
            self.metrics.ticked(since.elapsed().as_secs_f64());
        }
        settled
    }

    fn count(&self, scrape: CountsAsked) {
        let counts = self.driver.as_ref().map(Driver::counts);
        // Whoever asked may have lost patience.
        let _ = scrape.send(counts.unwrap_or_default());
    }

    async fn hear(&mut self, word: Word) {
        match word {
            Word::Act(desired) => self.act(*desired).await,
            Word::Standby => {
                tracing::info!("on standby: another instance holds the cluster");
                self.keeper.want(&[]);
                self.standby = true;
                // It stays here until its requests have ended, in case a signal comes first.
                if let Some(driver) = &mut self.driver {
                    let surfaced = driver.stop(STOP_LIMIT).await;
                    self.journal.write(&surfaced);
                }
                self.driver = None;
            }
        }
    }

    async fn act(&mut self, desired: Desired) {
        self.generation = desired.index.generation;
        self.standby = false;
        self.busy_since.get_or_insert_with(Instant::now);
        self.metrics.generation(self.generation.number());
        tracing::info!(generation = %self.generation, digest = %desired.index.digest, "desired state");
        let mut driver = match self.driver.take() {
            Some(driver) => driver,
            None => {
                // Whoever serves says for which cluster; a folder is checked against what is kept.
                let served = self.plane.as_ref().map(|plane| plane.cluster_id);
                self.begin(served.unwrap_or(desired.index.cluster_id)).await
            }
        };
        self.keeper.want(&desired.index.annotation_patches);
        let surfaced = driver.desire(desired);
        self.driver = Some(driver);
        self.journal.write(&surfaced);
    }

    /// Tries until the API server gives the inventory.
    async fn begin(&self, cluster: ClusterId) -> Driver {
        if let Values::ControlPlane(unsealing) = &self.values {
            // Beside the work: most of it needs no secret, and what does asks again.
            let unsealing = Arc::clone(unsealing);
            tokio::spawn(async move {
                if let Err(error) = unsealing.introduce().await {
                    tracing::warn!(error, "the control plane has not taken this agent's key");
                }
            });
        }
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
        loop {
            let access = Access::of_agent(self.client.clone());
            let (plane, values) = (self.plane.clone(), self.values.clone());
            let metrics = self.metrics.clone();
            match Driver::start(access, cluster, plane, values, metrics).await {
                Ok(driver) => return driver,
                Err(error) => {
                    tracing::warn!(%error, "cannot read the inventory; trying again");
                    tokio::time::sleep(backoff.wait()).await;
                }
            }
        }
    }
}

fn begin_feed(
    run: &Run,
    instance: Option<&Instance>,
    client: &Client,
    annotations: watch::Receiver<Standing>,
    words: mpsc::Sender<Word>,
    vitals: Vitals,
    feeds: &mut JoinSet<()>,
) -> Result<(Option<ControlPlane>, Values), AgentError> {
    if let (Some(path), Some(instance)) = (&run.desired.agent_file, instance) {
        let agent = AgentFile::read(path)?;
        let plane = ControlPlane::new(client::control_plane()?, &agent, instance.id);
        let trust = Trust::AgentFile {
            path: path.clone(),
            keys: agent.trusted_keys,
        };
        let unsealing = Unsealing::new(client.clone(), plane.clone(), trust.clone());
        let access = Access::of_agent(client.clone());
        feeds.spawn(verify::follow(plane.clone(), access, trust.clone()));
        feeds.spawn(feed::follow_control_plane(
            plane.clone(),
            client.clone(),
            trust,
            run.interval,
            annotations,
            words,
            vitals,
        ));
        return Ok((Some(plane), Values::ControlPlane(Arc::new(unsealing))));
    }
    let folder = run.desired.desired_state.as_deref();
    let folder = Folder::new(folder.expect("the command line has one of the two"));
    // Read once here, so that a wrong path ends the program instead of filling its log.
    folder.index()?;
    let trust = match &run.trust {
        Some(path) => Trust::Keys(trust_file(path)?),
        None => Trust::Anyone,
    };
    let carried = Carried::new(client.clone(), folder.clone(), trust.clone());
    let following = feed::follow_folder(folder, client.clone(), trust, words, vitals);
    feeds.spawn(following);
    Ok((None, Values::Folder(Arc::new(carried))))
}

/// Never ends without a driver.
async fn next(driver: &mut Option<Driver>) -> Vec<Surfaced> {
    match driver {
        Some(driver) => driver.next().await,
        None => std::future::pending().await,
    }
}

struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn heard(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests;
