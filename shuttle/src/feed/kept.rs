//! The accepted state that the cluster keeps, and what of it is passed on to the loop.
//!
//! Effects: network, files. Always holds: what is passed on was verified and is kept first; what another
//! instance keeps is followed by the same rules as what comes from the source. Read on in `persist/` for how
//! it is kept, `trust.rs` for what is believed.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use kube::Client;
use starform_contract::{Bundle, ClusterId, Digest, Index};
use tokio::{
    sync::{mpsc::Sender, watch},
    task::JoinSet,
};

use super::{FeedError, Next, Trust, Word};
use crate::{
    backoff::Backoff,
    engine::{io::Desired, is_older},
    persist::{self, LoadError, Persisted},
    pull::{self, ControlPlane, Polled, PullError},
    source::Folder,
    trust::{Admission, Distrust, admit, check_bundle},
};

/// The accepted state that the cluster keeps, and what was last passed on.
pub(super) struct Kept {
    client: Client,
    current: Option<Current>,
    said: Option<Said>,
    trust: Trust,
    ahead: Ahead,
    /// What was refused last, until something is taken again.
    refused: Option<Refused>,
}

/// Whether another instance keeps accepted state in this cluster that this one has not looked at. Two act at
/// once where a lease was lost unseen: then the cluster is what both of them hear of, whatever reaches them.
struct Ahead {
    seen: watch::Receiver<Option<String>>,
    /// The version that was last loaded, whether or not it was believed.
    looked: Option<String>,
    /// Ends with this.
    _watch: JoinSet<()>,
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

impl Kept {
    /// Waits for the API server: without it there is nothing to act on.
    pub(super) async fn load(client: Client, trust: Trust) -> Self {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
        let current = loop {
            match load(&client).await {
                Ok(current) => break current,
                // Waiting cures it.
                Err(LoadError::Call(error)) => {
                    tracing::warn!(%error, "cannot read accepted state; trying again");
                    tokio::time::sleep(backoff.wait()).await;
                }
                Err(error @ (LoadError::Index(_) | LoadError::Version(_))) => {
                    tracing::error!(%error, "cannot start yet");
                    tokio::time::sleep(backoff.wait()).await;
                }
            }
        };
        Self {
            ahead: Ahead::begin(client.clone()),
            client,
            current,
            said: None,
            trust,
            refused: None,
        }
    }

    /// Whether what is kept is in force in spite of the error: it is about where new desired state comes from, and
    /// not about the cluster.
    pub(super) fn holds_through(&self, error: &FeedError) -> bool {
        let elsewhere = match error {
            FeedError::Pull(_) | FeedError::Folder(_) | FeedError::Distrust(_) => true,
            FeedError::Load(_) | FeedError::Save(_) => false,
        };
        elsewhere && self.current.as_ref().is_some_and(Current::is_whole)
    }

    /// What came last was refused.
    pub(super) fn has_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// Ends when another instance has kept something. On standby that is what it is for.
    pub(super) fn overtaken(&self) -> impl Future<Output = ()> + use<> {
        let standby = self.said == Some(Said::Standby);
        let own = self.current.as_ref().map(|current| &current.version);
        let own = own.map(|version| version.resource_version().to_owned());
        let known = [own, self.ahead.looked.clone()];
        let mut seen = self.ahead.seen.clone();
        async move {
            let is_news = |seen: &Option<String>| {
                let mut known = known.iter().flatten();
                seen.as_ref()
                    .is_some_and(|seen| known.all(|known| is_older(known, seen)))
            };
            if standby || seen.wait_for(is_news).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Acts upon what another instance keeps, as after a restart, if it is the next state by the same rules
    /// as what comes from the source.
    pub(super) async fn follow_another(&mut self, words: &Sender<Word>) -> Result<(), FeedError> {
        let Some(found) = load(&self.client).await? else {
            return Ok(());
        };
        self.ahead.looked = Some(found.version.resource_version().to_owned());
        let recorded = self.current.as_ref().map(|current| &current.index);
        let cluster = recorded.map_or(found.index.cluster_id, |recorded| recorded.cluster_id);
        admit(cluster, recorded, &found.index)?;
        let signature = found.index.signature.as_ref();
        self.trust
            .verify(&found.index.digest, signature)
            .map_err(Distrust::from)?;
        tracing::info!(generation = %found.index.generation, "another instance keeps accepted state in this cluster; following it");
        self.current = Some(found);
        self.act(words).await;
        Ok(())
    }

    pub(super) async fn poll(
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
        let overtaken = self.overtaken();
        let polled = tokio::select! {
            biased;
            () = overtaken => {
                self.follow_another(words).await?;
                return Ok(Next::New);
            }
            polled = plane.poll(known, standing, wait) => polled,
        };
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

    pub(super) async fn take_from_folder(
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
    pub(super) async fn act_without_contact(&mut self, words: &Sender<Word>) {
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

impl Ahead {
    fn begin(client: Client) -> Self {
        let (told, seen) = watch::channel(None);
        let mut following = JoinSet::new();
        following.spawn(persist::follow_index(client, told));
        Self {
            seen,
            looked: None,
            _watch: following,
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
