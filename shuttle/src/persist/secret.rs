//! Secrets in Shuttle's own namespace: the agent's key, and the values that embedded mode keeps.
//!
//! Effects: network, randomness. Always holds: the key is made once, by whoever is first; a change of
//! kept values names the version that it was made from, so of two people none overwrites the other.
//! Who may read Secrets of `starform-system` may read them: nobody else has a right to that namespace.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use http::{HeaderValue, Method, header::ACCEPT};
use kube::Client;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use starform_contract::{
    EnvironmentName, ProjectId, SecretValue,
    sealed::AgentKey,
    secret::{Kept, Scope, Versions},
};
use zeroize::Zeroizing;

use super::{
    NAMESPACE, shard,
    store::{code, in_namespace, name, version},
};
use crate::{
    call::{CallError, JSON, call, get, query, request},
    cluster::MANAGER,
};

/// The Secret that holds the key that values for this cluster are sealed to.
pub const AGENT_KEY: &str = "starform-agent-key";
const X25519: &str = "x25519";
const STORES: &str = "secrets";
const OF_ENVIRONMENT: &str = "starform-secrets-";
const VALUES: &str = "secrets.json";
/// Which project's.
const PROJECT: &str = "starform.io/secrets-of";
const ENVIRONMENT: &str = "starform.io/secrets-in";
const VERSIONS: &str = "starform.io/versions";
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
/// Races lost in a row before giving up: each means that somebody else's change went in.
const ATTEMPTS: u32 = 5;
/// Versions of a secret, the newest one among them, that are kept though nothing uses them.
const KEPT_UNUSED: u64 = 3;

/// Names and versions of all that is kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct KeptVersions {
    projects: BTreeMap<ProjectId, BTreeMap<EnvironmentName, BTreeMap<String, Versions>>>,
    cluster: BTreeMap<String, Versions>,
}

/// The secrets of one environment or of the cluster, by name. No `Debug`: it holds values.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeptSecrets(pub BTreeMap<String, KeptSecret>);

#[derive(Clone, Default, Serialize, Deserialize)]
pub struct KeptSecret {
    /// The newest version that was ever given.
    pub newest: u64,
    /// By version; empty: removed.
    pub values: BTreeMap<u64, KeptValue>,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct KeptValue {
    pub value: Zeroizing<String>,
    /// Milliseconds since 1970 (UTC).
    pub set_at: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    #[error("cannot read or write a Secret of namespace {NAMESPACE}: {0}")]
    Call(#[from] CallError),
    #[error("the Secret {NAMESPACE}/{0} is damaged; restore it from a backup")]
    Damaged(String),
    /// Its annotation goes on to say which versions were given.
    #[error(
        "the Secret {NAMESPACE}/{0} is damaged; restore it from a backup, or empty it (`kubectl patch secret -n {NAMESPACE} {0} --type=json -p '[{{\"op\":\"remove\",\"path\":\"/data\"}}]'`) and set its secrets again"
    )]
    DamagedValues(String),
    #[error("others keep changing the secrets; try again when they are done")]
    Busy,
}

/// The key that this cluster's values are sealed to; made on first use.
///
/// # Errors
/// [`KeepError`]
pub async fn agent_key(client: &Client) -> Result<AgentKey, KeepError> {
    if let Some(key) = stored_key(client).await? {
        return Ok(key);
    }
    let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(rand::rng().random());
    let key = AgentKey::new(&bytes);
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {"name": AGENT_KEY, "namespace": NAMESPACE, "labels": shard::labels("agent-key")},
        "data": {X25519: BASE64.encode(key.reveal().as_bytes())},
    });
    match create(client, &secret).await {
        Ok(()) => Ok(key),
        // Another process was first, and its key counts.
        Err(error) if code(&error) == Some(409) => {
            stored_key(client).await?.ok_or(KeepError::Call(error))
        }
        Err(error) => Err(error.into()),
    }
}

/// The kept secrets; none: empty.
///
/// # Errors
/// [`KeepError`]
pub async fn load_secrets(client: &Client, of: Scope<'_>) -> Result<KeptSecrets, KeepError> {
    match read(client, &secret_name(of)).await? {
        Some(secret) => kept(&secret),
        None => Ok(KeptSecrets::default()),
    }
}

/// What is kept: names and versions. No value is read, unless the versions of one Secret are damaged;
/// one whose values are damaged too counts as nothing kept, so that it stops its own environment alone.
///
/// # Errors
/// [`KeepError`]
pub async fn kept_versions(client: &Client) -> Result<KeptVersions, KeepError> {
    let selector = query(&format!("{}={STORES}", shard::STORES));
    let mut asked = get(&format!("{}?labelSelector={selector}", collection()));
    asked
        .headers_mut()
        .insert(ACCEPT, HeaderValue::from_static(METADATA_LIST));
    let list = call(client, asked).await.map_err(quiet)?;
    let items = list.get("items").and_then(Value::as_array);
    let mut all = KeptVersions::default();
    for secret in items.into_iter().flatten() {
        let Some(of) = place(name(secret)) else {
            continue;
        };
        let versions = match annotated(secret) {
            Some(versions) => versions,
            None => {
                let whole = read(client, name(secret)).await?;
                let kept = whole.and_then(|secret| kept(&secret).ok());
                kept.unwrap_or_default().versions()
            }
        };
        match of {
            None => all.cluster = versions,
            Some((project, environment)) => {
                let of = all.projects.entry(project).or_default();
                of.insert(environment, versions);
            }
        }
    }
    Ok(all)
}

/// Changes kept secrets; repeated on what others changed meanwhile.
///
/// # Errors
/// [`KeepError`]
pub async fn change_secrets<T>(
    client: &Client,
    of: Scope<'_>,
    mut change: impl FnMut(&mut KeptSecrets) -> T,
) -> Result<T, KeepError> {
    let name = secret_name(of);
    for _ in 0..ATTEMPTS {
        let before = read(client, &name).await?;
        let mut secrets = before
            .as_ref()
            .map_or_else(|| Ok(KeptSecrets::default()), kept)?;
        let done = change(&mut secrets);
        let text = Zeroizing::new(
            serde_json::to_vec(&secrets).expect("names and versions are string keys"),
        );
        let versions = serde_json::to_string(&secrets.versions()).expect("names are string keys");
        let mut labels = shard::labels(STORES);
        if let Scope::Environment(project, environment) = of {
            labels[PROJECT] = Value::from(project.to_string());
            labels[ENVIRONMENT] = Value::from(environment.as_str());
        }
        let mut document = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {
                "name": name,
                "namespace": NAMESPACE,
                "labels": labels,
                // Names and versions for plans, which read no values.
                "annotations": {VERSIONS: versions},
            },
            "data": {VALUES: BASE64.encode(text.as_slice())},
        });
        let written = match &before {
            None => create(client, &document).await,
            Some(before) => {
                document["metadata"]["resourceVersion"] =
                    Value::from(version(before).resource_version);
                replace(client, &name, &document).await
            }
        };
        match written {
            Ok(()) => return Ok(done),
            Err(error) if matches!(code(&error), Some(404 | 409)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(KeepError::Busy)
}

/// Forgets every value of the project's environments, and which versions there were.
///
/// # Errors
/// [`KeepError`]
pub async fn forget_secrets(client: &Client, project: ProjectId) -> Result<(), KeepError> {
    let kept = kept_versions(client).await?;
    let environments = kept.projects.get(&project);
    for environment in environments.into_iter().flat_map(BTreeMap::keys) {
        let name = secret_name(Scope::Environment(project, environment));
        match call(client, request(Method::DELETE, &path(&name), None)).await {
            Ok(_) => {}
            Err(error) if code(&error) == Some(404) => {}
            Err(error) => return Err(quiet(error).into()),
        }
    }
    Ok(())
}

impl KeptVersions {
    /// As plans of the project need it.
    pub fn of(&self, project: ProjectId) -> Kept {
        Kept {
            environments: self.projects.get(&project).cloned().unwrap_or_default(),
            cluster: self.cluster.clone(),
            floor: 0,
        }
    }
}

impl KeptSecrets {
    pub fn value(&self, secret: &str, version: u64) -> Option<SecretValue> {
        let kept = self.0.get(secret)?.values.get(&version)?;
        Some(SecretValue::new(kept.value.as_bytes().to_vec()))
    }

    /// Names and versions, as plans need them.
    pub fn versions(&self) -> BTreeMap<String, Versions> {
        self.0
            .iter()
            .map(|(name, secret)| {
                let versions = Versions {
                    newest: secret.newest,
                    since: secret.values.keys().next().copied(),
                };
                (name.clone(), versions)
            })
            .collect()
    }

    /// Gives the secret a new value; its version, which is newer than all in use, also where it was
    /// forgotten here that they were given. Older ones that nothing uses go, but for the last few:
    /// one Secret of the cluster has room for 1 MiB.
    pub fn set(&mut self, secret: &str, value: KeptValue, used: &BTreeSet<u64>) -> u64 {
        let kept = self.0.entry(secret.to_owned()).or_default();
        kept.newest = kept.newest.max(used.last().copied().unwrap_or(0)) + 1;
        let newest = kept.newest;
        kept.values.insert(newest, value);
        kept.values
            .retain(|version, _| version + KEPT_UNUSED > newest || used.contains(version));
        newest
    }

    /// Removes every value of the secret; what it had.
    pub fn remove(&mut self, secret: &str) -> BTreeMap<u64, KeptValue> {
        let kept = self.0.get_mut(secret);
        kept.map_or_else(BTreeMap::new, |kept| std::mem::take(&mut kept.values))
    }

    /// Takes values back that [`Self::remove`] gave; what was set since stays.
    pub fn put_back(&mut self, secret: &str, values: BTreeMap<u64, KeptValue>) {
        let kept = self.0.entry(secret.to_owned()).or_default();
        for (version, value) in values {
            kept.values.entry(version).or_insert(value);
        }
    }
}

/// The one Secret that keeps what is of this scope.
fn secret_name(of: Scope<'_>) -> String {
    match of {
        Scope::Environment(project, environment) => {
            format!("{OF_ENVIRONMENT}{project}--{environment}")
        }
        Scope::Cluster => "starform-secrets-cluster".to_owned(),
    }
}

async fn stored_key(client: &Client) -> Result<Option<AgentKey>, KeepError> {
    let Some(secret) = read(client, AGENT_KEY).await? else {
        return Ok(None);
    };
    let key = data(&secret, X25519)
        .and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
        .and_then(|text| text.parse().ok());
    key.map(Some)
        .ok_or_else(|| KeepError::Damaged(AGENT_KEY.to_owned()))
}

/// Emptied by hand, it still says which versions were given.
fn kept(secret: &Value) -> Result<KeptSecrets, KeepError> {
    if secret.pointer("/data/secrets.json").is_none() {
        let given = annotated(secret).unwrap_or_default().into_iter();
        let given = given.map(|(name, versions)| {
            let kept = KeptSecret {
                newest: versions.newest,
                ..KeptSecret::default()
            };
            (name, kept)
        });
        return Ok(KeptSecrets(given.collect()));
    }
    // serde's message may quote a value, so it is not told.
    data(secret, VALUES)
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| KeepError::DamagedValues(name(secret).to_owned()))
}

fn annotated(secret: &Value) -> Option<BTreeMap<String, Versions>> {
    let text = secret.pointer("/metadata/annotations/starform.io~1versions")?;
    serde_json::from_str(text.as_str()?).ok()
}

/// What [`secret_name`] says, or nothing; `Some(None)`: the cluster's.
fn place(name: &str) -> Option<Option<(ProjectId, EnvironmentName)>> {
    if name == secret_name(Scope::Cluster) {
        return Some(None);
    }
    let (project, environment) = name.strip_prefix(OF_ENVIRONMENT)?.split_once("--")?;
    Some(Some((project.parse().ok()?, environment.parse().ok()?)))
}

fn data(secret: &Value, key: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = secret.get("data")?.get(key)?.as_str()?;
    BASE64.decode(text).ok().map(Zeroizing::new)
}

async fn read(client: &Client, name: &str) -> Result<Option<Value>, CallError> {
    match call(client, get(&path(name))).await {
        Ok(secret) => Ok(Some(secret)),
        Err(error) if code(&error) == Some(404) => Ok(None),
        Err(error) => Err(quiet(error)),
    }
}

async fn create(client: &Client, secret: &Value) -> Result<(), CallError> {
    let uri = format!("{}?fieldManager={MANAGER}", collection());
    let created = in_namespace(client, || request(Method::POST, &uri, Some((JSON, secret)))).await;
    created.map(drop).map_err(quiet)
}

async fn replace(client: &Client, name: &str, secret: &Value) -> Result<(), CallError> {
    let uri = format!("{}?fieldManager={MANAGER}", path(name));
    let put = request(Method::PUT, &uri, Some((JSON, secret)));
    call(client, put).await.map(drop).map_err(quiet)
}

/// What the API server says about a Secret may repeat its values.
fn quiet(error: CallError) -> CallError {
    match error {
        CallError::Refused(mut refusal) => {
            refusal.message = refusal.without_values();
            refusal.causes.clear();
            CallError::Refused(refusal)
        }
        CallError::Timeout | CallError::Unreachable(_) | CallError::NotJson(_) => error,
    }
}

fn collection() -> String {
    format!("/api/v1/namespaces/{NAMESPACE}/secrets")
}

fn path(name: &str) -> String {
    format!("{}/{name}", collection())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> KeptValue {
        KeptValue {
            value: Zeroizing::new(text.to_owned()),
            set_at: 0,
        }
    }

    fn kept(secrets: &KeptSecrets) -> Vec<u64> {
        secrets.0["token"].values.keys().copied().collect()
    }

    #[test]
    fn old_versions_go_unless_something_uses_them() {
        let mut secrets = KeptSecrets::default();
        let long = "x".repeat(60 * 1024);
        for version in 1..=40 {
            let used = (version > 2).then_some(2).into_iter().collect();
            let set = secrets.set("token", value(&long), &used);
            assert_eq!(set, version);
        }
        assert_eq!(kept(&secrets), [2, 38, 39, 40]);
        secrets.set("token", value(&long), &BTreeSet::new());
        assert_eq!(kept(&secrets), [39, 40, 41]);
    }

    #[test]
    fn removed_values_come_back_beside_what_was_set_since() {
        let mut secrets = KeptSecrets::default();
        secrets.set("token", value("one"), &BTreeSet::new());
        let removed = secrets.remove("token");
        assert!(secrets.remove("token").is_empty());
        assert_eq!(secrets.set("token", value("two"), &BTreeSet::new()), 2);
        secrets.put_back("token", removed);
        assert_eq!(kept(&secrets), [1, 2]);
        assert_eq!(secrets.value("token", 1).unwrap().expose(), b"one");
    }

    fn environment() -> (ProjectId, EnvironmentName) {
        let project = "0190163d-8694-739b-aea5-966c26f8ad91".parse().unwrap();
        (project, "production".parse().unwrap())
    }

    #[test]
    fn an_emptied_secret_goes_on_with_the_next_version() {
        let stored = json!({"metadata": {
            "name": "starform-secrets-cluster",
            "annotations": {VERSIONS: r#"{"token":{"newest":7,"since":5}}"#},
        }});
        let mut secrets = super::kept(&stored).unwrap();
        assert_eq!(secrets.value("token", 7).map(|_| ()), None);
        assert_eq!(secrets.set("token", value("new"), &BTreeSet::new()), 8);

        let mut damaged = stored;
        damaged["data"] = json!({VALUES: "AAAA"});
        let error = super::kept(&damaged).err().unwrap().to_string();
        assert!(
            error.contains("/starform-secrets-cluster is damaged"),
            "{error}"
        );
        assert!(
            error.contains(r#"'[{"op":"remove","path":"/data"}]'"#),
            "{error}"
        );
        assert!(!error.contains("delete"), "{error}");
    }

    #[test]
    fn a_forgotten_secret_goes_on_after_the_version_in_use() {
        let mut secrets = KeptSecrets::default();
        let used = BTreeSet::from([2, 4]);
        assert_eq!(secrets.set("token", value("new"), &used), 5);
    }

    #[test]
    fn a_secrets_name_says_whose_it_is() {
        let (project, environment) = environment();
        let name = secret_name(Scope::Environment(project, &environment));
        assert_eq!(place(&name), Some(Some((project, environment))));
        assert_eq!(place(&secret_name(Scope::Cluster)), Some(None));
        assert_eq!(place("starform-secrets-of-somebody"), None);
    }
}
