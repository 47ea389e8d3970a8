//! Accepted state in the cluster: the index and its bundles, kept in ConfigMaps of `starform-system`.
//!
//! Effects: network. Always holds: bundles are written before the index that names them, the index
//! is replaced only at the version that was loaded, and what no index names any more is removed
//! last; so a reader, and a crash at any request, sees one whole generation. What was loaded has the
//! digest it claims. This is where an agent starts while the control plane is away, and where
//! embedded mode has its accepted state. Read on in `shard.rs`, `store.rs`, `inventory.rs`, and in
//! `secret.rs` for what must be kept as Secrets.

mod envelope;
mod inventory;
mod notice;
mod secret;
mod shard;
mod store;

use std::{
    borrow::Borrow,
    collections::{BTreeMap, BTreeSet},
};

use kube::Client;
use serde_json::{Value, json};
use starform_contract::{
    Bundle, Digest, Generation, Index,
    digest::canonical,
    schema::{self, Document, Unreadable},
};

use crate::call::CallError;
pub use envelope::{Envelopes, load_envelopes, remove_envelopes, save_envelopes, sweep_envelopes};
pub use inventory::{inventory_key, load_inventory, save_inventory};
pub use notice::follow_index;
pub use secret::{
    AGENT_KEY, KeepError, KeptSecret, KeptSecrets, KeptValue, KeptVersions, agent_key,
    change_secrets, forget_secrets, kept_versions, load_secrets,
};
pub use shard::{Damage, PART_BYTES, Part, pack, unpack};

/// Shuttle's own namespace.
pub const NAMESPACE: &str = "starform-system";

const INDEX: &str = "starform-index";

/// What the cluster keeps, every document with the digest that names it.
#[derive(Debug, Clone)]
pub struct Persisted {
    pub index: Index,
    /// By digest; the index may name more, see [`Persisted::missing`].
    pub bundles: BTreeMap<Digest, Bundle>,
    /// Why bundles that the cluster does keep are missing all the same.
    pub unreadable: BTreeMap<Digest, Damage>,
    pub version: Version,
}

/// The version of accepted state in the cluster: the precondition of the next [`save`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    index: store::Version,
    digest: Digest,
    /// Documents that the index needs and that are whole: not written again.
    whole: BTreeSet<Digest>,
    /// Every ConfigMap beside the index's own.
    stored: BTreeMap<String, Stored>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Stored {
    digest: Digest,
    generation: Generation,
    version: store::Version,
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("cannot read accepted state from namespace {NAMESPACE}: {0}")]
    Call(#[from] CallError),
    #[error(
        "the ConfigMap {NAMESPACE}/{INDEX} is damaged: {0}; restore it from a backup, or delete it: with a control plane the accepted state is then fetched again"
    )]
    Index(Damage),
    /// Nothing is damaged: an older version meets what a newer one keeps.
    #[error("the ConfigMap {NAMESPACE}/{INDEX} is not for this version of Starform: {0}")]
    Version(Unreadable),
}

#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Somebody else accepted in between.
    #[error("the accepted state in the cluster has changed meanwhile; load it again and repeat")]
    Conflict,
    #[error("bundle {0}, which the index names, is not at hand")]
    MissingBundle(Digest),
    #[error("cannot write accepted state to namespace {NAMESPACE}: {0}")]
    Call(#[from] CallError),
}

impl From<Damage> for LoadError {
    fn from(damage: Damage) -> Self {
        match damage {
            Damage::Document(
                why @ (Unreadable::Newer { .. }
                | Unreadable::Other { .. }
                | Unreadable::None { .. }),
            ) => Self::Version(why),
            Damage::Document(Unreadable::Shape(_))
            | Damage::Field(_)
            | Damage::MissingPart(..)
            | Damage::Unpack(_)
            | Damage::Digest { .. } => Self::Index(damage),
        }
    }
}

impl Persisted {
    /// Bundles that the index names and the cluster has lost.
    pub fn missing(&self) -> Vec<Digest> {
        self.index
            .bundles()
            .into_iter()
            .filter(|digest| !self.bundles.contains_key(digest))
            .cloned()
            .collect()
    }
}

/// Reads what the cluster keeps; `None` when nothing was ever accepted. One GET and one
/// LIST, again where a save came in between.
///
/// # Errors
/// [`LoadError`]. A damaged bundle is no error: it is missing, and logged.
pub async fn load(client: &Client) -> Result<Option<Persisted>, LoadError> {
    let mut loaded = load_once(client).await;
    for _ in 0..2 {
        // A save between the two reads takes away what the first one named.
        let torn = match &loaded {
            Ok(persisted) => persisted
                .as_ref()
                .is_some_and(|persisted| !persisted.missing().is_empty()),
            Err(LoadError::Index(damage)) => matches!(damage, Damage::MissingPart(..)),
            Err(LoadError::Call(_) | LoadError::Version(_)) => false,
        };
        if !torn {
            break;
        }
        loaded = load_once(client).await;
    }
    loaded
}

async fn load_once(client: &Client) -> Result<Option<Persisted>, LoadError> {
    let Some(map) = store::get(client, INDEX).await? else {
        return Ok(None);
    };
    let first = Part::from_config_map(&map).map_err(LoadError::Index)?;
    let mut stored = BTreeMap::new();
    let mut parts: BTreeMap<Digest, Vec<Part>> = BTreeMap::new();
    for map in store::list(client, "bundle").await? {
        let name = store::name(&map).to_owned();
        match Part::from_config_map(&map) {
            Ok(part) => {
                stored.insert(name, Stored::new(&part, store::version(&map)));
                parts.entry(part.digest.clone()).or_default().push(part);
            }
            Err(damage) => tracing::warn!(config_map = name, %damage, "left out a damaged part"),
        }
    }
    let digest = first.digest.clone();
    let mut index_parts = parts.remove(&digest).unwrap_or_default();
    index_parts.push(first);
    let index = read_index(&index_parts, &digest).map_err(LoadError::from)?;
    let (bundles, unreadable) = read_bundles(&index, &parts);
    let whole = bundles.keys().cloned().chain([digest.clone()]).collect();
    Ok(Some(Persisted {
        index,
        bundles,
        unreadable,
        version: Version {
            index: store::version(&map),
            digest,
            whole,
            stored,
        },
    }))
}

/// Keeps `index` and the bundles it names. `expected` is what [`load`] or the last [`save`] gave,
/// `None` when nothing was accepted before. A change of one bundle takes three writes.
///
/// # Errors
/// [`SaveError::Conflict`] when the cluster's index is not the expected one: nothing has changed.
pub async fn save<B: Borrow<Bundle> + Sync>(
    client: &Client,
    index: &Index,
    bundles: &BTreeMap<Digest, B>,
    expected: Option<Version>,
) -> Result<Version, SaveError> {
    let mut stored = expected
        .as_ref()
        .map(|version| version.stored.clone())
        .unwrap_or_default();
    let whole = expected.as_ref().map(|version| &version.whole);
    for digest in index.bundles() {
        if whole.is_some_and(|whole| whole.contains(digest)) {
            continue;
        }
        let bundle = bundles
            .get(digest)
            .ok_or_else(|| SaveError::MissingBundle(digest.clone()))?;
        let parts = pack(&bundle.borrow().to_text(), digest, index.generation);
        put_parts(client, "bundle", &parts, &mut stored).await?;
    }
    let unchanged = expected
        .as_ref()
        .filter(|version| version.digest == index.digest)
        .map(|version| version.index.clone());
    let version = match unchanged {
        Some(version) => version,
        None => put_index(client, index, expected.as_ref(), &mut stored).await?,
    };
    let needed: BTreeSet<Digest> = index
        .bundles()
        .into_iter()
        .cloned()
        .chain([index.digest.clone()])
        .collect();
    remove_old(client, &mut stored, &needed, index.generation).await;
    Ok(Version {
        index: version,
        digest: index.digest.clone(),
        whole: needed,
        stored,
    })
}

impl Version {
    /// Of the index.
    pub(crate) fn resource_version(&self) -> &str {
        &self.index.resource_version
    }
}

impl Stored {
    fn new(part: &Part, version: store::Version) -> Self {
        Self {
            digest: part.digest.clone(),
            generation: part.generation,
            version,
        }
    }
}

/// Parts of a document above one part's size are written before the part that makes it current.
async fn put_index(
    client: &Client,
    index: &Index,
    expected: Option<&Version>,
    stored: &mut BTreeMap<String, Stored>,
) -> Result<store::Version, SaveError> {
    let mut parts = pack(&canonical(index), &index.digest, index.generation);
    let first = parts.remove(0);
    put_parts(client, "bundle", &parts, stored).await?;
    let mut map = first.to_config_map(INDEX, "index");
    // For people who look: the document itself is compressed.
    map["data"] = json!({
        "generation": index.generation.to_string(),
        "projects": index.projects.len().to_string(),
    });
    let written = match expected {
        None => store::create(client, &map).await,
        Some(version) => {
            map["metadata"]["resourceVersion"] =
                Value::from(version.index.resource_version.as_str());
            store::replace(client, INDEX, &map).await
        }
    };
    written.map_err(|error| match store::code(&error) {
        Some(404 | 409) => SaveError::Conflict,
        Some(_) | None => SaveError::Call(error),
    })
}

/// Written even where a part of this name exists: the new version is what keeps a removal by a
/// concurrent writer, who knows the old one, from taking it away.
async fn put_parts(
    client: &Client,
    stores: &str,
    parts: &[Part],
    stored: &mut BTreeMap<String, Stored>,
) -> Result<(), CallError> {
    for part in parts {
        let name = format!("starform-part-{}-{}", part.digest.hex(), part.number);
        let version = store::put(client, &name, &part.to_config_map(&name, stores)).await?;
        stored.insert(name, Stored::new(part, version));
    }
    Ok(())
}

/// Removes what the index does not need. What was written for a later generation belongs to a writer
/// who is about to accept it. The state is already saved, so a failure only leaves rubbish, which the
/// next save tries again.
async fn remove_old(
    client: &Client,
    stored: &mut BTreeMap<String, Stored>,
    needed: &BTreeSet<Digest>,
    generation: Generation,
) {
    let old: Vec<(String, store::Version)> = stored
        .iter()
        .filter(|(_, part)| !needed.contains(&part.digest) && part.generation <= generation)
        .map(|(name, part)| (name.clone(), part.version.clone()))
        .collect();
    for (name, version) in old {
        match store::remove(client, &name, &version).await {
            Ok(()) => drop(stored.remove(&name)),
            Err(error) => tracing::warn!(config_map = name, %error, "left an old part behind"),
        }
    }
}

fn read_index(parts: &[Part], digest: &Digest) -> Result<Index, Damage> {
    let index: Index = read(parts)?;
    if index.digest_holds() && index.digest == *digest {
        Ok(index)
    } else {
        Err(Damage::Digest {
            found: index.digest.clone(),
            expected: digest.clone(),
        })
    }
}

fn read_bundles(
    index: &Index,
    parts: &BTreeMap<Digest, Vec<Part>>,
) -> (BTreeMap<Digest, Bundle>, BTreeMap<Digest, Damage>) {
    let (mut bundles, mut unreadable) = (BTreeMap::new(), BTreeMap::new());
    for digest in index.bundles() {
        match read_bundle(parts.get(digest).map_or(&[], Vec::as_slice), digest) {
            Ok(bundle) => drop(bundles.insert(digest.clone(), bundle)),
            Err(damage) => {
                tracing::warn!(bundle = %digest, %damage, "left out a bundle that does not read");
                unreadable.insert(digest.clone(), damage);
            }
        }
    }
    (bundles, unreadable)
}

fn read_bundle(parts: &[Part], digest: &Digest) -> Result<Bundle, Damage> {
    let bundle = Bundle::read(&unpack(parts)?)?;
    let found = bundle.digest();
    if found == *digest {
        Ok(bundle)
    } else {
        Err(Damage::Digest {
            found,
            expected: digest.clone(),
        })
    }
}

fn read<T: Document>(parts: &[Part]) -> Result<T, Damage> {
    Ok(schema::read(&unpack(parts)?)?)
}
