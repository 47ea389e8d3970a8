//! Where desired state comes from, and what of it the loop may act on.
//!
//! Effects: network, files. Always holds: what is passed on was verified and is kept in the cluster
//! first, so that a restart without the control plane goes on from it; an instance that the control
//! plane has put on standby is told so before anything else. Read on in `trust.rs`, `persist/`,
//! `run.rs`.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use kube::Client;
use starform_contract::{
    Bundle, ClusterId, Digest, Index,
    signature::{Signature, TrustedKey, Unsigned, verify_digest},
};
use tokio::sync::{mpsc::Sender, watch};

use crate::{
    annotate::Standing,
    backoff::{Backoff, jittered},
    config::AgentFile,
    engine::io::Desired,
    persist::{self, LoadError, Persisted, SaveError},
    pull::{self, ControlPlane, Polled, PullError},
    source::{Folder, FolderError},
    trust::{Admission, Distrust, admit, check_bundle},
};

/// How often a folder's index is looked at.
const FOLDER_LOOK: Duration = Duration::from_secs(1);

/// A poll that is answered sooner, with nothing new, was not held open.
const HELD: Duration = Duration::from_secs(2);
const STANDBY_LEAST: Duration = Duration::from_secs(1);

/// A word to the loop.
#[derive(Debug)]
pub enum Word {
    /// Make the cluster so.
    Act(Box<Desired>),
    /// Another instance holds the cluster: do nothing.
    Standby,
}

/// Why nothing new is acted on; the former state stays in force.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error(transparent)]
    Pull(#[from] PullError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error("the desired state is refused: {0}")]
    Distrust(#[from] Distrust),
}

/// The accepted state that the cluster keeps, and what was last passed on.
struct Kept {
    client: Client,
    current: Option<Current>,
    said: Option<Said>,
    trust: Trust,
    /// What was refused last, until something is taken again.
    refused: Option<Refused>,
}

/// Whose signatures are believed.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Those that the agent file names; read again when another key turns up in a signature, so that
    /// a change of keys needs no restart.
    AgentFile {
        path: PathBuf,
        keys: Vec<TrustedKey>,
    },
    Keys(Vec<TrustedKey>),
    /// Whoever may write the folder is believed.
    Anyone,
}

struct Refused {
    /// An index whose content will never be right: asked for no second time. A signature may become
    /// right, by another key, and what was damaged on its way may arrive: that is asked for again.
    index: Option<Index>,
    word: &'static str,
}

/// Accepted state as the cluster keeps it, its bundles shared with the engine.
struct Current {
    index: Index,
    bundles: Bundles,
    version: persist::Version,
}

type Bundles = BTreeMap<Digest, Arc<Bundle>>;

#[derive(Debug, PartialEq, Eq)]
enum Said {
    Standby,
    Acting(Digest),
}

/// Follows the control plane until nobody listens.
pub async fn follow_control_plane(
    plane: ControlPlane,
    client: Client,
    trust: Trust,
    interval: Duration,
    annotations: watch::Receiver<Standing>,
    words: Sender<Word>,
) {
    let mut kept = Kept::load(client, trust).await;
    let mut backoff = Backoff::new(Duration::from_secs(1), interval);
    let mut trouble = Trouble::default();
    // The first answer says whether to act at all, so it is not waited for.
    let mut wait = false;
    loop {
        let began = Instant::now();
        let annotated = annotations.borrow().word();
        let pause = match kept.poll(&plane, annotated, wait, &words).await {
            Ok(next) => {
                if kept.refused.is_none() {
                    trouble.end();
                }
                backoff.reset();
                let held = !wait || began.elapsed() > HELD;
                next.pause(held, interval)
            }
            Err(error) => {
                trouble.tell(&error);
                kept.act_without_contact(&words).await;
                after(&error).unwrap_or_else(|| backoff.wait())
            }
        };
        if words.is_closed() {
            return;
        }
        wait = true;
        tokio::time::sleep(pause).await;
    }
}

/// Follows a folder until nobody listens.
pub async fn follow_folder(folder: Folder, client: Client, trust: Trust, words: Sender<Word>) {
    let mut kept = Kept::load(client, trust).await;
    let mut trouble = Trouble::default();
    while !words.is_closed() {
        let taken = match folder.index() {
            Ok(index) => kept.take_from_folder(&folder, index, &words).await,
            Err(error) => Err(error.into()),
        };
        match taken {
            Ok(()) => trouble.end(),
            Err(error) => trouble.tell(&error),
        }
        tokio::time::sleep(FOLDER_LOOK).await;
    }
}

/// What keeps new desired state away, told once until it changes or ends.
#[derive(Default)]
struct Trouble(String);

impl Trouble {
    fn tell(&mut self, error: &FeedError) {
        let text = error.to_string();
        if text != self.0 {
            tracing::warn!(error = text, "no new desired state");
            self.0 = text;
        }
    }

    fn end(&mut self) {
        if !self.0.is_empty() {
            tracing::info!("desired state is at hand again");
            self.0.clear();
        }
    }
}

/// What a poll found, as far as the next one is concerned.
enum Next {
    New,
    Unchanged,
    Standby(Duration),
}

impl Next {
    /// How long until the next poll; `held`: this one was held open until it was answered.
    fn pause(&self, held: bool, interval: Duration) -> Duration {
        match self {
            Self::New => Duration::ZERO,
            Self::Unchanged if held => Duration::ZERO,
            Self::Unchanged => jittered(interval),
            Self::Standby(pause) => (*pause).max(STANDBY_LEAST),
        }
    }
}

impl Kept {
    /// Waits for the API server: without it there is nothing to act on.
    async fn load(client: Client, trust: Trust) -> Self {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
        let current = loop {
            match load(&client).await {
                Ok(current) => break current,
                Err(error) => {
                    tracing::error!(%error, "cannot start yet");
                    tokio::time::sleep(backoff.wait()).await;
                }
            }
        };
        Self {
            client,
            current,
            said: None,
            trust,
            refused: None,
        }
    }

    async fn poll(
        &mut self,
        plane: &ControlPlane,
        annotations: Option<&'static str>,
        wait: bool,
        words: &Sender<Word>,
    ) -> Result<Next, FeedError> {
        let whole = self.current.as_ref().filter(|current| current.is_whole());
        let refused = self.refused.as_ref();
        let known = refused
            .and_then(|refused| refused.index.as_ref())
            .or(whole.map(|current| &current.index));
        let standing = pull::Standing {
            generation: self.current.as_ref().map(|kept| kept.index.generation),
            refuses: refused.map(|refused| refused.word),
            annotations,
        };
        let polled = plane.poll(known, standing, wait).await;
        match polled.inspect_err(|error| self.refuse_answer(error))? {
            Polled::Unchanged => {
                // The answer was to the index in force, unless to one that was refused for ever.
                self.refused.take_if(|refused| refused.index.is_none());
                self.act(words).await;
                Ok(Next::Unchanged)
            }
            Polled::Standby(pause) => {
                self.say(words, Said::Standby, Word::Standby).await;
                Ok(Next::Standby(pause))
            }
            Polled::New(index) => {
                let index = *index;
                let admission = self.admit(plane.cluster_id, &index)?;
                let mut fresh = BTreeMap::new();
                for digest in self.lacking(&index) {
                    let bundle = plane.bundle(&digest).await;
                    let bundle = bundle.inspect_err(|error| self.refuse_answer(error))?;
                    fresh.insert(digest, Arc::new(bundle));
                }
                self.take(index, fresh, admission, words).await?;
                Ok(Next::New)
            }
        }
    }

    async fn take_from_folder(
        &mut self,
        folder: &Folder,
        index: Index,
        words: &Sender<Word>,
    ) -> Result<(), FeedError> {
        if self.said == Some(Said::Acting(index.digest.clone())) {
            return Ok(());
        }
        let admission = self.admit(index.cluster_id, &index)?;
        let mut fresh = Bundles::new();
        for digest in self.lacking(&index) {
            let bundle = folder.bundle(&digest)?;
            fresh.insert(digest, Arc::new(bundle));
        }
        self.take(index, fresh, admission, words).await
    }

    fn admit(&mut self, cluster: ClusterId, index: &Index) -> Result<Admission, Distrust> {
        let recorded = self.current.as_ref().map(|current| &current.index);
        let verdict = admit(cluster, recorded, index).and_then(|admission| {
            let signed = self.trust.verify(&index.digest, index.signature.as_ref());
            Ok(signed.map(|()| admission)?)
        });
        verdict.inspect_err(|distrust| self.refuse(index, distrust))
    }

    fn refuse(&mut self, index: &Index, distrust: &Distrust) {
        let signature = matches!(distrust, Distrust::Signature(_));
        self.refused = Some(Refused {
            index: (!signature).then(|| index.clone()),
            word: distrust.word(),
        });
    }

    /// What came cannot be read, or is not what was asked for.
    fn refuse_answer(&mut self, error: &PullError) {
        if let Some(word) = error.word() {
            self.refused = Some(Refused { index: None, word });
        }
    }

    fn lacking(&self, index: &Index) -> Vec<Digest> {
        let known = self.current.as_ref().map(|current| &current.bundles);
        index
            .bundles()
            .into_iter()
            .filter(|digest| known.is_none_or(|known| !known.contains_key(digest)))
            .cloned()
            .collect()
    }

    /// Verifies, keeps, passes on.
    async fn take(
        &mut self,
        index: Index,
        fresh: Bundles,
        admission: Admission,
        words: &Sender<Word>,
    ) -> Result<(), FeedError> {
        for (digest, bundle) in &fresh {
            if let Err(distrust) = check_bundle(bundle, digest) {
                self.refuse(&index, &distrust);
                return Err(distrust.into());
            }
        }
        if admission == Admission::New || !fresh.is_empty() {
            self.keep(index, fresh).await?;
        }
        self.refused = None;
        self.act(words).await;
        Ok(())
    }

    async fn keep(&mut self, index: Index, fresh: Bundles) -> Result<(), FeedError> {
        let (mut bundles, expected) = match &self.current {
            Some(current) => (current.bundles.clone(), Some(current.version.clone())),
            None => (Bundles::new(), None),
        };
        bundles.extend(fresh);
        let needed = index.bundles();
        bundles.retain(|digest, _| needed.contains(digest));
        match persist::save(&self.client, &index, &bundles, expected).await {
            Ok(version) => {
                self.current = Some(Current {
                    index,
                    bundles,
                    version,
                });
                Ok(())
            }
            Err(error) => {
                // Whoever was faster, or a write without an answer: look again before the next try.
                self.current = load(&self.client).await?;
                Err(error.into())
            }
        }
    }

    /// The control plane cannot say: what the cluster keeps stays in force, unless on standby.
    async fn act_without_contact(&mut self, words: &Sender<Word>) {
        if self.said != Some(Said::Standby) {
            self.act(words).await;
        }
    }

    async fn act(&mut self, words: &Sender<Word>) {
        let Some(current) = self.current.as_ref().filter(|current| current.is_whole()) else {
            return;
        };
        let said = Said::Acting(current.index.digest.clone());
        let desired = Desired {
            index: current.index.clone(),
            bundles: current.bundles.clone(),
        };
        self.say(words, said, Word::Act(Box::new(desired))).await;
    }

    async fn say(&mut self, words: &Sender<Word>, said: Said, word: Word) {
        if self.said.as_ref() != Some(&said) {
            // A closed channel ends the caller's loop.
            let _ = words.send(word).await;
            self.said = Some(said);
        }
    }
}

impl Trust {
    /// Whether what has this digest is signed by somebody who is believed.
    ///
    /// # Errors
    /// [`Unsigned`]: nothing of it may be acted upon.
    pub fn verify(
        &mut self,
        digest: &Digest,
        signature: Option<&Signature>,
    ) -> Result<(), Unsigned> {
        match self {
            Self::Anyone => Ok(()),
            Self::Keys(keys) => verify_digest(keys, digest, signature),
            Self::AgentFile { path, keys } => match verify_digest(keys, digest, signature) {
                Err(Unsigned::UnknownKey(_)) => {
                    match AgentFile::read(path) {
                        Ok(file) => *keys = file.trusted_keys,
                        Err(error) => tracing::warn!(%error, "cannot look for new trusted keys"),
                    }
                    verify_digest(keys, digest, signature)
                }
                verdict => verdict,
            },
        }
    }
}

impl Current {
    fn is_whole(&self) -> bool {
        self.index
            .bundles()
            .into_iter()
            .all(|digest| self.bundles.contains_key(digest))
    }
}

impl From<Persisted> for Current {
    fn from(persisted: Persisted) -> Self {
        Self {
            index: persisted.index,
            bundles: persisted
                .bundles
                .into_iter()
                .map(|(digest, bundle)| (digest, Arc::new(bundle)))
                .collect(),
            version: persisted.version,
        }
    }
}

async fn load(client: &Client) -> Result<Option<Current>, LoadError> {
    Ok(persist::load(client).await?.map(Current::from))
}

/// How long this error itself asks to wait.
fn after(error: &FeedError) -> Option<Duration> {
    match error {
        FeedError::Pull(error) => error.retry_after(),
        FeedError::Folder(_) | FeedError::Load(_) | FeedError::Save(_) | FeedError::Distrust(_) => {
            None
        }
    }
}
