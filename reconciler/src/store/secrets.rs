//! Secrets: set, listed, removed; and read only to be sealed for the agent of a cluster that needs them.
//!
//! Effects: the database, randomness. Always holds: no value stands in the store in the clear; a
//! version is given once; what accepted state uses is not removed; a value is read only for an object
//! of a bundle that is in force. Read on in `crate::vault` for the encryption,
//! in `rewrap` for a change of keys.

use rand::RngExt as _;
use starform_contract::{
    Bundle, ClusterId, Digest, EnvironmentName, ObjectKey, ProjectId, SecretName, SecretValue,
    SecretVersions,
    bundle::SealedRef,
    secret::{Kept, Versions, is_generated},
};

use super::{
    Idempotency, Store, StoreError,
    audit::{self, Entry, Known},
    database::{Row, Tx, params},
    plans, registry, reports,
};
use crate::{
    access::Actor,
    api::body::Secret,
    time::Timestamp,
    vault::{Place, Record, SecretKeys},
};

/// Whose secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretScope {
    Environment(ProjectId, EnvironmentName),
    /// The operator's, for objects that the projects of a cluster share.
    Cluster(ClusterId),
}

/// The answer to "keep this value".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetSecret {
    /// Also by an earlier request with the same idempotency key.
    Set(Secret),
    KeyReused,
    /// No such project or cluster.
    NoScope,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemovedSecret {
    Removed,
    /// No value is kept.
    NotSet,
    /// Accepted state uses it: environment, then object.
    InUse(Vec<(String, ObjectKey)>),
}

/// One value for an agent: the key of the Secret's `data`, what it is, and the value.
pub struct NeededValue {
    pub key: String,
    pub reference: SealedRef,
    pub value: SecretValue,
}

/// The answer to "the values of this object".
pub enum Needed {
    Values(Vec<NeededValue>),
    /// The bundle is not in force on the cluster, or lacks the object.
    NoObject,
    /// A value was removed.
    NoValue(SealedRef),
}

/// 32 random bytes are handed out as base64url without padding: 43 characters that stand in a URL, a
/// cookie and a shell as they are.
const GENERATED_BYTES: usize = 32;

impl Store {
    pub async fn set_secret(
        &self,
        actor: &Actor,
        keys: &SecretKeys,
        at: (&SecretScope, &SecretName),
        value: &SecretValue,
        once: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<SetSecret, StoreError> {
        let (scope, name) = (at.0.to_string(), at.1.as_str());
        let mut tx = self.database.write().await?;
        let Some(cluster) = cluster_of(&mut tx, at.0).await? else {
            return Ok(SetSecret::NoScope);
        };
        // Whoever removes the value, or sends the same request, holds the same row.
        reports::touch(&mut tx, cluster).await?;
        match audit::known(&mut tx, actor, once).await? {
            Known::New => {}
            Known::Reused => return Ok(SetSecret::KeyReused),
            Known::Made(made) => {
                return repeated(&mut tx, keys, (&scope, name), &made, value).await;
            }
        }
        let version = next_version(&mut tx, &scope, name).await?;
        let place = Place {
            scope: &scope,
            name,
            version,
        };
        let record = keys.encrypt(place, value);
        insert_version(&mut tx, place, &record, Some(actor), now).await?;
        note(&mut tx, actor, "secret.set", place, now).await?;
        let made = format!("{scope}/{name}/{version}");
        audit::remember(&mut tx, actor, once, &made, now).await?;
        let set = one(&mut tx, &scope, name, Some(version)).await?;
        tx.commit().await?;
        set.map(SetSecret::Set)
            .ok_or(StoreError::Corrupt { column: "newest" })
    }

    /// By name; also those that were generated. Never a value.
    pub async fn secrets(&self, scope: &SecretScope) -> Result<Vec<Secret>, StoreError> {
        let mut tx = self.database.read().await?;
        let sql = "SELECT s.name, s.newest, s.since, v.created_at, v.created_by
                   FROM secrets s
                   JOIN secret_versions v ON v.scope = s.scope AND v.name = s.name AND v.version = s.newest
                   WHERE s.scope = $1 AND s.since IS NOT NULL";
        let rows = tx.rows(sql, params![scope.to_string()]).await?;
        tx.commit().await?;
        let mut all = rows
            .iter()
            .map(read_secret)
            .collect::<Result<Vec<_>, _>>()?;
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// Removes every value of the secret, unless accepted state uses one.
    pub async fn remove_secret(
        &self,
        actor: &Actor,
        scope: &SecretScope,
        name: &SecretName,
        now: Timestamp,
    ) -> Result<RemovedSecret, StoreError> {
        let mut tx = self.database.write().await?;
        let Some(cluster) = cluster_of(&mut tx, scope).await? else {
            return Ok(RemovedSecret::NotSet);
        };
        // Accepting holds the same row, so nothing that uses the secret is accepted meanwhile.
        reports::touch(&mut tx, cluster).await?;
        let text = scope.to_string();
        let Some(known) = one(&mut tx, &text, name.as_str(), None).await? else {
            return Ok(RemovedSecret::NotSet);
        };
        let users = users(&mut tx, cluster, scope, name.as_str()).await?;
        if !users.is_empty() {
            return Ok(RemovedSecret::InUse(users));
        }
        let sql = "DELETE FROM secret_versions WHERE scope = $1 AND name = $2";
        tx.execute(sql, params![&text, name.as_str()]).await?;
        let sql = "UPDATE secrets SET since = NULL WHERE scope = $1 AND name = $2";
        tx.execute(sql, params![&text, name.as_str()]).await?;
        let place = Place {
            scope: &text,
            name: name.as_str(),
            version: known.version,
        };
        note(&mut tx, actor, "secret.remove", place, now).await?;
        tx.commit().await?;
        Ok(RemovedSecret::Removed)
    }

    /// The values that an object of a bundle in force needs. What is to be generated and has no value
    /// yet gets one now, once.
    pub async fn needed_values(
        &self,
        keys: &SecretKeys,
        cluster: ClusterId,
        bundle: &Digest,
        object: &ObjectKey,
        now: Timestamp,
    ) -> Result<Needed, StoreError> {
        let mut tx = self.database.read().await?;
        let index = plans::current_index(&mut tx, cluster).await?;
        let in_force = index.bundles().contains(bundle);
        let found = match in_force {
            true => plans::bundle(&mut tx, bundle).await?,
            false => None,
        };
        tx.commit().await?;
        let references = found.and_then(|found| references(cluster, &found, object));
        let Some(references) = references else {
            return Ok(Needed::NoObject);
        };
        let mut values = Vec::with_capacity(references.len());
        for (key, scope, reference) in references {
            let value = match self.value(keys, &scope, &reference).await? {
                None if is_generated(&reference.secret) => {
                    self.generate(keys, &scope, &reference, now).await?;
                    self.value(keys, &scope, &reference).await?
                }
                found => found,
            };
            match value {
                Some(value) => values.push(NeededValue {
                    key,
                    reference,
                    value,
                }),
                None => return Ok(Needed::NoValue(reference)),
            }
        }
        Ok(Needed::Values(values))
    }

    async fn value(
        &self,
        keys: &SecretKeys,
        scope: &str,
        reference: &SealedRef,
    ) -> Result<Option<SecretValue>, StoreError> {
        let mut tx = self.database.read().await?;
        let place = Place {
            scope,
            name: &reference.secret,
            version: reference.version,
        };
        let value = kept_value(&mut tx, keys, place).await?;
        tx.commit().await?;
        Ok(value)
    }

    /// Of two who do it at once, the second one changes nothing.
    async fn generate(
        &self,
        keys: &SecretKeys,
        scope: &str,
        reference: &SealedRef,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let bytes: zeroize::Zeroizing<[u8; GENERATED_BYTES]> =
            zeroize::Zeroizing::new(rand::rng().random());
        let value = SecretValue::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()).into_bytes());
        let place = Place {
            scope,
            name: &reference.secret,
            version: reference.version,
        };
        let mut tx = self.database.write().await?;
        let sql = "INSERT INTO secrets (scope, name, newest, since) VALUES ($1, $2, $3, $3)
                   ON CONFLICT DO NOTHING";
        tx.execute(
            sql,
            params![place.scope, place.name, integer(place.version)],
        )
        .await?;
        insert_version(&mut tx, place, &keys.encrypt(place, &value), None, now).await?;
        tx.commit().await
    }
}

/// What is kept for a project's environments and its cluster, as plans need it.
pub(super) async fn kept(
    tx: &mut Tx,
    project: ProjectId,
    cluster: ClusterId,
) -> Result<SecretVersions, StoreError> {
    let shared = SecretScope::Cluster(cluster).to_string();
    let own = format!("environment/{project}/");
    let sql = "SELECT scope, name, newest, since FROM secrets WHERE scope = $1 OR scope LIKE $2";
    let rows = tx.rows(sql, params![&shared, format!("{own}%")]).await?;
    let mut kept = Kept::default();
    for row in &rows {
        let (scope, name) = (row.text("scope")?, row.text("name")?);
        let versions = Versions {
            newest: version(row, "newest")?,
            since: row
                .optional_integer("since")?
                .map(|since| u64::try_from(since).unwrap_or_default()),
        };
        let environment = scope
            .strip_prefix(&own)
            .and_then(|name| name.parse::<EnvironmentName>().ok());
        let of = match environment {
            Some(environment) => kept.environments.entry(environment).or_default(),
            None => &mut kept.cluster,
        };
        of.insert(name, versions);
    }
    Ok(SecretVersions::Kept(kept))
}

impl std::fmt::Display for SecretScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Environment(project, environment) => {
                write!(f, "environment/{project}/{environment}")
            }
            Self::Cluster(cluster) => write!(f, "cluster/{cluster}"),
        }
    }
}

/// The cluster whose accepted state may use secrets of this scope; `None`: there is no such scope.
async fn cluster_of(tx: &mut Tx, scope: &SecretScope) -> Result<Option<ClusterId>, StoreError> {
    Ok(match scope {
        SecretScope::Environment(project, _) => registry::project(tx, &project.to_string())
            .await?
            .map(|project| project.cluster_id),
        SecretScope::Cluster(cluster) => registry::cluster(tx, *cluster)
            .await?
            .map(|cluster| cluster.id),
    })
}

async fn next_version(tx: &mut Tx, scope: &str, name: &str) -> Result<u64, StoreError> {
    let sql = "INSERT INTO secrets (scope, name, newest, since) VALUES ($1, $2, 1, 1)
               ON CONFLICT (scope, name) DO UPDATE
               SET newest = secrets.newest + 1, since = COALESCE(secrets.since, secrets.newest + 1)
               RETURNING newest";
    let row = tx.row(sql, params![scope, name]).await?;
    version(
        &row.ok_or(StoreError::Corrupt { column: "newest" })?,
        "newest",
    )
}

async fn insert_version(
    tx: &mut Tx,
    place: Place<'_>,
    record: &Record,
    actor: Option<&Actor>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO secret_versions (scope, name, version, key_id, wrapped_key, ciphertext, created_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        params![
            place.scope,
            place.name,
            integer(place.version),
            &record.key_id,
            &record.wrapped_key,
            &record.ciphertext,
            now,
            actor.map(|actor| actor.token.to_string()),
        ],
    )
    .await?;
    Ok(())
}

/// A kept version of a secret; `None` asks for the newest.
async fn one(
    tx: &mut Tx,
    scope: &str,
    name: &str,
    version: Option<u64>,
) -> Result<Option<Secret>, StoreError> {
    let sql = "SELECT s.name, v.version AS newest, s.since, v.created_at, v.created_by
               FROM secrets s
               JOIN secret_versions v ON v.scope = s.scope AND v.name = s.name
               WHERE s.scope = $1 AND s.name = $2 AND v.version = COALESCE($3, s.newest)
                 AND s.since IS NOT NULL";
    let version = version.map(integer);
    let row = tx.row(sql, params![scope, name, version]).await?;
    row.as_ref().map(read_secret).transpose()
}

/// The answer to a request that was answered before: it is the same one if it brings the same value.
async fn repeated(
    tx: &mut Tx,
    keys: &SecretKeys,
    (scope, name): (&str, &str),
    made: &str,
    value: &SecretValue,
) -> Result<SetSecret, StoreError> {
    let version = made
        .rsplit_once('/')
        .and_then(|(_, last)| last.parse().ok());
    let Some(version) = version else {
        return Ok(SetSecret::KeyReused);
    };
    let place = Place {
        scope,
        name,
        version,
    };
    let kept = kept_value(tx, keys, place).await?;
    if kept.as_ref() != Some(value) {
        return Ok(SetSecret::KeyReused);
    }
    let set = one(tx, scope, name, Some(version)).await?;
    Ok(set.map_or(SetSecret::KeyReused, SetSecret::Set))
}

async fn kept_value(
    tx: &mut Tx,
    keys: &SecretKeys,
    place: Place<'_>,
) -> Result<Option<SecretValue>, StoreError> {
    let sql = "SELECT key_id, wrapped_key, ciphertext FROM secret_versions
               WHERE scope = $1 AND name = $2 AND version = $3";
    let of = params![place.scope, place.name, integer(place.version)];
    let Some(row) = tx.row(sql, of).await? else {
        return Ok(None);
    };
    let value = keys.decrypt(place, &record(&row)?);
    value.map(Some).map_err(|reason| unreadable(place, reason))
}

async fn note(
    tx: &mut Tx,
    actor: &Actor,
    action: &'static str,
    place: Place<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let version = format!("version {}", place.version);
    let entry = Entry {
        action,
        resource: format!("{}/{}", place.scope, place.name),
        before: None,
        after: Some(&version),
    };
    audit::record(tx, actor, entry, now).await
}

/// Objects of accepted state on the cluster that use the secret, whichever version.
async fn users(
    tx: &mut Tx,
    cluster: ClusterId,
    scope: &SecretScope,
    name: &str,
) -> Result<Vec<(String, ObjectKey)>, StoreError> {
    let index = plans::current_index(tx, cluster).await?;
    let scope = scope.to_string();
    let mut users = Vec::new();
    for digest in index.bundles() {
        let Some(bundle) = plans::bundle(tx, digest).await? else {
            continue;
        };
        let place = match &bundle {
            Bundle::Environment(bundle) => bundle.environment.to_string(),
            Bundle::Project(bundle) => bundle.project.to_string(),
        };
        for object in bundle.objects() {
            let uses = object.sealed.values().any(|reference| {
                reference.secret == name && scope_of(cluster, &bundle, reference) == scope
            });
            if let (true, Some(key)) = (uses, object.key()) {
                users.push((place.clone(), key));
            }
        }
    }
    Ok(users)
}

/// The sealed references of one object: key, scope, reference.
fn references(
    cluster: ClusterId,
    bundle: &Bundle,
    object: &ObjectKey,
) -> Option<Vec<(String, String, SealedRef)>> {
    let found = bundle
        .objects()
        .find(|candidate| candidate.key().as_ref() == Some(object))?;
    let references = found.sealed.iter().map(|(key, reference)| {
        let scope = scope_of(cluster, bundle, reference);
        (key.clone(), scope, reference.clone())
    });
    Some(references.collect())
}

/// An environment's objects use its own secrets, or those of the environment that the reference names;
/// a project's own objects use its cluster's.
fn scope_of(cluster: ClusterId, bundle: &Bundle, reference: &SealedRef) -> String {
    let scope = match bundle {
        Bundle::Environment(bundle) => {
            let environment = reference.environment.as_ref();
            let environment = environment.unwrap_or(&bundle.environment);
            SecretScope::Environment(bundle.project_id, environment.clone())
        }
        Bundle::Project(_) => SecretScope::Cluster(cluster),
    };
    scope.to_string()
}

fn read_secret(row: &Row) -> Result<Secret, StoreError> {
    let name = row.text("name")?;
    Ok(Secret {
        generated: is_generated(&name),
        name,
        version: version(row, "newest")?,
        since: version(row, "since")?,
        set_at: row.moment("created_at")?,
        set_by: row.optional_text("created_by")?,
    })
}

pub(super) fn record(row: &Row) -> Result<Record, StoreError> {
    Ok(Record {
        key_id: row.text("key_id")?,
        wrapped_key: row.text("wrapped_key")?,
        ciphertext: row.text("ciphertext")?,
    })
}

pub(super) fn version(row: &Row, column: &'static str) -> Result<u64, StoreError> {
    u64::try_from(row.integer(column)?).map_err(|_| StoreError::Corrupt { column })
}

/// No store gives as many versions as fit.
pub(super) fn integer(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

pub(super) fn unreadable(place: Place<'_>, reason: crate::vault::Unreadable) -> StoreError {
    StoreError::Secret {
        name: format!("{}/{}", place.scope, place.name),
        reason,
    }
}
