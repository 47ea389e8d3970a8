//! The values of secrets: from where they are kept into the one request that writes them.
//!
//! Effects: network, randomness. Always holds: a value exists in the clear in the objects here, which
//! wipe it when they are dropped, and in the body of the request that writes it, which is freed unwiped; it is in no log, no error, no report and no inventory. Read on
//! in `persist/secret.rs` for what is kept in the cluster, in the contract's `sealed.rs` for sealing.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use kube::Client;
use rand::RngExt as _;
use serde_json::{Value, json};
use starform_contract::{
    ObjectKey, SecretValue,
    bundle::SealedRef,
    sealed::{AgentKey, SealedFor, SealedValues},
    secret::{GENERATED_BYTES, Scope, generated_value, is_generated},
    signature::{Signed as _, Unsigned},
};
use tokio::sync::OnceCell;
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    call::CallError,
    engine::io::{Failure, Millis, Sealed},
    feed::Trust,
    persist::{self, Envelopes, KeepError, KeptValue},
    pull::{ControlPlane, PullError},
    source::{Folder, FolderError},
};

/// Where values come from. Cheap to clone.
#[derive(Clone)]
pub enum Values {
    /// Sealed to this agent's key.
    ControlPlane(Arc<Unsealing>),
    /// Without a control plane: the cluster itself keeps them.
    Home(Client),
    /// Sealed to this agent's key, in the folder that desired state comes from.
    Folder(Arc<Carried>),
}

/// An agent's key, and whom it asks for what is sealed to it.
pub struct Unsealing {
    client: Client,
    plane: ControlPlane,
    trust: Mutex<Trust>,
    key: OnceCell<AgentKey>,
    /// Set once the control plane has taken the key's public half.
    introduced: OnceCell<()>,
    /// As they came: nothing in here is in the clear.
    held: Mutex<BTreeMap<ObjectKey, Envelopes>>,
}

/// An agent's key, and the folder that holds what is sealed to it.
pub struct Carried {
    client: Client,
    folder: Folder,
    trust: Mutex<Trust>,
    key: OnceCell<AgentKey>,
}

/// Values by key of a Secret's `data`. No value is printed.
#[derive(Default)]
pub struct Filling(BTreeMap<String, SecretValue>);

/// A manifest with values in its `data`; they are wiped when it is dropped.
pub struct Filled(Value);

/// HTTP 424: what the object needs failed. No attempt that follows at once goes better.
const FAILED_DEPENDENCY: u16 = 424;

#[derive(Debug, thiserror::Error)]
enum Unfilled {
    #[error(transparent)]
    Pull(#[from] PullError),
    #[error(transparent)]
    Keep(#[from] KeepError),
    #[error("the control plane sent no value for `{0}`")]
    Missing(String),
    #[error("the value for `{0}` does not open: {1}")]
    Closed(String, starform_contract::sealed::NotOpened),
    #[error(
        "the secret `{name}` has no value of version {version}; set it with `starform secret set {name} {place}`, then apply a new plan"
    )]
    NoValue {
        name: String,
        version: u64,
        /// The option that says where.
        place: String,
    },
    #[error("the sealed values are not believed: {0}")]
    Unsigned(#[from] Unsigned),
    #[error("the control plane sent sealed values of another object, or of other versions")]
    Misplaced,
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(
        "sealed.json holds no values of it in these versions; write the folder again with `starform-shuttle export`, with the public key that `starform-shuttle key` prints for this cluster"
    )]
    NotCarried,
}

impl Values {
    /// The values that the object needs.
    ///
    /// # Errors
    /// [`Failure`], which holds names alone.
    pub async fn of(&self, object: &ObjectKey, sealed: &Sealed) -> Result<Filling, Failure> {
        let values = match self {
            Self::ControlPlane(unsealing) => unsealing.values(object, sealed).await,
            Self::Home(client) => from_home(client, sealed).await,
            Self::Folder(carried) => carried.values(object, sealed).await,
        };
        values.map(Filling).map_err(|error| failure(&error))
    }
}

impl Values {
    /// An object is deleted for good.
    pub async fn forget(&self, object: &ObjectKey) {
        let secret = object.group.is_empty() && object.kind == "Secret";
        match self {
            Self::ControlPlane(unsealing) if secret => unsealing.forget(object).await,
            Self::ControlPlane(_) | Self::Home(_) | Self::Folder(_) => {}
        }
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ControlPlane(_) => "ControlPlane",
            Self::Home(_) => "Home",
            Self::Folder(_) => "Folder",
        })
    }
}

impl Unsealing {
    pub fn new(client: Client, plane: ControlPlane, trust: Trust) -> Self {
        Self {
            client,
            plane,
            trust: Mutex::new(trust),
            key: OnceCell::new(),
            introduced: OnceCell::new(),
            held: Mutex::default(),
        }
    }

    /// Lets the control plane know the agent's public key; the first contact pins it.
    ///
    /// # Errors
    /// The reason, for the log. It is tried again when a value is needed.
    pub async fn introduce(&self) -> Result<(), String> {
        let introduced = self.introduced().await;
        introduced.map_err(|error| error.to_string())
    }

    /// An object is gone: what was sealed for it is of no use any more.
    async fn forget(&self, object: &ObjectKey) {
        lock(&self.held).remove(object);
        if let Err(error) = persist::remove_envelopes(&self.client, object).await {
            tracing::warn!(%object, %error, "left sealed values behind");
        }
    }

    async fn key(&self) -> Result<&AgentKey, Unfilled> {
        let key = self
            .key
            .get_or_try_init(|| persist::agent_key(&self.client));
        Ok(key.await?)
    }

    async fn introduced(&self) -> Result<(), Unfilled> {
        let key = self.key().await?.public();
        let introduced = self.introduced.get_or_try_init(|| self.plane.put_key(&key));
        introduced.await?;
        Ok(())
    }

    /// What is at hand, else what the control plane seals; while it is away, what the cluster keeps.
    async fn values(
        &self,
        object: &ObjectKey,
        sealed: &Sealed,
    ) -> Result<BTreeMap<String, SecretValue>, Unfilled> {
        let key = self.key().await?;
        let held = lock(&self.held).get(object).cloned();
        if let Some(values) = held.and_then(|held| held.open(key, object, sealed).ok()) {
            return Ok(values);
        }
        match self.fetch(object, sealed).await {
            Ok(envelopes) => {
                let values = envelopes.open(key, object, sealed)?;
                if let Err(error) = persist::save_envelopes(&self.client, object, &envelopes).await
                {
                    tracing::warn!(%object, %error, "sealed values are not kept");
                }
                lock(&self.held).insert(object.clone(), envelopes);
                Ok(values)
            }
            Err(Unfilled::Pull(error)) if !refuses(&error) => {
                let kept = persist::load_envelopes(&self.client, object).await;
                let kept = kept.ok().flatten();
                let opened = kept.and_then(|kept| kept.open(key, object, sealed).ok());
                opened.ok_or(Unfilled::Pull(error))
            }
            Err(error) => Err(error),
        }
    }

    async fn fetch(&self, object: &ObjectKey, sealed: &Sealed) -> Result<Envelopes, Unfilled> {
        self.introduced().await?;
        let answer = self.plane.sealed(&sealed.bundle, object).await?;
        if !answer.are_for(sealed.cluster, object, &sealed.references) {
            return Err(Unfilled::Misplaced);
        }
        believed(&self.trust, answer)
    }
}

impl Carried {
    pub fn new(client: Client, folder: Folder, trust: Trust) -> Self {
        Self {
            client,
            folder,
            trust: Mutex::new(trust),
            key: OnceCell::new(),
        }
    }

    /// The file may have been replaced since the last time, so it is read each time.
    async fn values(
        &self,
        object: &ObjectKey,
        sealed: &Sealed,
    ) -> Result<BTreeMap<String, SecretValue>, Unfilled> {
        let key = self
            .key
            .get_or_try_init(|| persist::agent_key(&self.client))
            .await?;
        let values = self.folder.sealed()?;
        let mut values = values.into_iter();
        let found =
            values.find(|values| values.are_for(sealed.cluster, object, &sealed.references));
        believed(&self.trust, found.ok_or(Unfilled::NotCarried)?)?.open(key, object, sealed)
    }
}

/// Anybody can seal to a public key: who did is what the signature says.
fn believed(trust: &Mutex<Trust>, values: SealedValues) -> Result<Envelopes, Unfilled> {
    lock(trust).verify(&values.digest(), values.signature.as_ref())?;
    Ok(Envelopes {
        references: values.references,
        values: values.values,
    })
}

impl Envelopes {
    /// All that the object needs; other versions than it names are none of it.
    fn open(
        &self,
        key: &AgentKey,
        object: &ObjectKey,
        sealed: &Sealed,
    ) -> Result<BTreeMap<String, SecretValue>, Unfilled> {
        sealed
            .references
            .iter()
            .map(|(name, reference)| {
                let place = SealedFor {
                    cluster: sealed.cluster,
                    object,
                    key: name,
                    reference,
                };
                let value = self.values.get(name);
                let value = value.filter(|_| self.references.get(name) == Some(reference));
                let value = value.ok_or_else(|| Unfilled::Missing(name.clone()))?;
                key.open(place, value)
                    .map(|value| (name.clone(), value))
                    .map_err(|closed| Unfilled::Closed(name.clone(), closed))
            })
            .collect()
    }
}

/// No holder of this lock panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Filling {
    pub fn new(values: BTreeMap<String, SecretValue>) -> Self {
        Self(values)
    }

    /// `None`: there is nothing to fill in.
    pub(crate) fn fill(&self, manifest: &Value) -> Option<Filled> {
        if self.0.is_empty() {
            return None;
        }
        let mut filled = manifest.clone();
        if !filled.get("data").is_some_and(Value::is_object) {
            filled["data"] = json!({});
        }
        for (key, value) in &self.0 {
            filled["data"][key] = Value::String(BASE64.encode(value.expose()));
        }
        Some(Filled(filled))
    }
}

impl fmt::Debug for Filling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Filled {
    pub(crate) fn manifest(&self) -> &Value {
        &self.0
    }
}

impl Drop for Filled {
    fn drop(&mut self) {
        let data = self.0.get_mut("data").and_then(Value::as_object_mut);
        for (_, value) in data.into_iter().flatten() {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
    }
}

async fn from_home(
    client: &Client,
    sealed: &Sealed,
) -> Result<BTreeMap<String, SecretValue>, Unfilled> {
    let mut values = BTreeMap::new();
    for (key, reference) in &sealed.references {
        let of = Scope::of(sealed.project, sealed.environment.as_ref(), reference);
        let kept = persist::load_secrets(client, of).await?;
        let value = match kept.value(&reference.secret, reference.version) {
            None if is_generated(&reference.secret) => generate(client, of, reference).await?,
            found => found,
        };
        let no_value = || Unfilled::NoValue {
            name: reference.secret.clone(),
            version: reference.version,
            place: match of {
                Scope::Environment(_, name) => format!("--env {name}"),
                Scope::Cluster => "--cluster".to_owned(),
            },
        };
        values.insert(key.clone(), value.ok_or_else(no_value)?);
    }
    Ok(values)
}

/// Made once: of two who need it at the same time, the second one finds the first one's.
async fn generate(
    client: &Client,
    of: Scope<'_>,
    reference: &SealedRef,
) -> Result<Option<SecretValue>, KeepError> {
    let bytes: Zeroizing<[u8; GENERATED_BYTES]> = Zeroizing::new(rand::rng().random());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let set_at = now.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    });
    persist::change_secrets(client, of, |kept| {
        let secret = kept.0.entry(reference.secret.clone()).or_default();
        secret.newest = secret.newest.max(reference.version);
        secret
            .values
            .entry(reference.version)
            .or_insert_with(|| KeptValue {
                value: generated_value(&bytes),
                set_at,
            });
        kept.value(&reference.secret, reference.version)
    })
    .await
}

fn failure(error: &Unfilled) -> Failure {
    let (lasting, retry_after) = match error {
        Unfilled::Pull(error) => (refuses(error), error.retry_after()),
        Unfilled::Keep(KeepError::Damaged(_) | KeepError::DamagedValues(_))
        | Unfilled::Closed(..)
        | Unfilled::Missing(_)
        | Unfilled::NoValue { .. }
        | Unfilled::Unsigned(_)
        | Unfilled::Misplaced
        | Unfilled::Folder(_)
        | Unfilled::NotCarried => (true, None),
        Unfilled::Keep(KeepError::Busy) => (false, None),
        Unfilled::Keep(KeepError::Call(error)) => (matches!(error, CallError::Refused(_)), None),
    };
    Failure {
        code: lasting.then_some(FAILED_DEPENDENCY),
        reason: "SecretValues".to_owned(),
        message: format!("no values for its secrets: {error}"),
        retry_after: retry_after.map(|wait| Millis::from_secs(wait.as_secs())),
        ..Failure::default()
    }
}

/// The control plane has judged, so asking again at once changes nothing.
fn refuses(error: &PullError) -> bool {
    match error {
        PullError::Refused { status, .. } => status.is_client_error() && status.as_u16() != 429,
        PullError::Token(_)
        | PullError::UnknownCluster { .. }
        | PullError::TooLarge { .. }
        | PullError::Schema { .. } => true,
        PullError::Unreachable { .. }
        | PullError::Broken { .. }
        | PullError::Gone(_)
        | PullError::Digest { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_what_is_sent_and_in_nothing_that_is_printed() {
        let value = SecretValue::new(b"swordfish".to_vec());
        let filling = Filling::new(BTreeMap::from([("KEY".to_owned(), value)]));
        let manifest = json!({"kind": "Secret", "data": {"MODE": "bGl2ZQ=="}});
        let filled = filling.fill(&manifest).unwrap();
        let expected = json!({"MODE": "bGl2ZQ==", "KEY": BASE64.encode("swordfish")});
        assert_eq!(filled.manifest()["data"], expected);
        assert_eq!(format!("{filling:?}"), r#"{"KEY"}"#);
        assert!(Filling::default().fill(&manifest).is_none());
    }
}
