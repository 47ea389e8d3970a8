//! Where desired state comes from, and what of it the loop may act on.
//!
//! Effects: network, files. Always holds: what is passed on was verified and is kept in the cluster
//! first, so that a restart without the control plane goes on from it; an instance that the control
//! plane has put on standby is told so before anything else. Read on in `feed/kept.rs`, `trust.rs`,
//! `run.rs`.

mod kept;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use kube::Client;
use starform_contract::{
    Digest,
    signature::{Signature, TrustedKey, Unsigned, verify_digest},
};
use tokio::sync::{mpsc::Sender, watch};

use crate::{
    annotate::Standing,
    backoff::{Backoff, jittered},
    config::AgentFile,
    engine::io::Desired,
    persist::{LoadError, SaveError},
    pull::{ControlPlane, PullError},
    source::{Folder, FolderError},
    trust::Distrust,
    vitals::Vitals,
};
use kept::Kept;

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

/// Follows the control plane until nobody listens.
pub async fn follow_control_plane(
    plane: ControlPlane,
    client: Client,
    trust: Trust,
    interval: Duration,
    annotations: watch::Receiver<Standing>,
    words: Sender<Word>,
    vitals: Vitals,
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
                vitals.fed();
                if !kept.has_refused() {
                    trouble.end();
                }
                backoff.reset();
                let held = !wait || began.elapsed() > HELD;
                next.pause(held, interval)
            }
            Err(error) => {
                trouble.tell(&error);
                if kept.holds_through(&error) {
                    vitals.fed();
                }
                kept.act_without_contact(&words).await;
                after(&error).unwrap_or_else(|| backoff.wait())
            }
        };
        if words.is_closed() {
            return;
        }
        wait = true;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = kept.overtaken() => {}
        }
    }
}

/// Follows a folder until nobody listens.
pub async fn follow_folder(
    folder: Folder,
    client: Client,
    trust: Trust,
    words: Sender<Word>,
    vitals: Vitals,
) {
    let mut kept = Kept::load(client, trust).await;
    let mut trouble = Trouble::default();
    while !words.is_closed() {
        let taken = match folder.index() {
            Ok(index) => kept.take_from_folder(&folder, index, &words).await,
            Err(error) => Err(error.into()),
        };
        match taken {
            Ok(()) => {
                vitals.fed();
                trouble.end();
            }
            Err(error) => {
                if kept.holds_through(&error) {
                    vitals.fed();
                }
                trouble.tell(&error);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(FOLDER_LOOK) => {}
            () = kept.overtaken() => {
                if let Err(error) = kept.follow_another(&words).await {
                    trouble.tell(&error);
                }
            }
        }
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

/// How long this error itself asks to wait.
fn after(error: &FeedError) -> Option<Duration> {
    match error {
        FeedError::Pull(error) => error.retry_after(),
        FeedError::Folder(_) | FeedError::Load(_) | FeedError::Save(_) | FeedError::Distrust(_) => {
            None
        }
    }
}
