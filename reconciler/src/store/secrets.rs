//! Secrets: set, listed, removed.
//!
//! Effects: the database. Always holds: no value stands in the store in the clear; a version is given
//! once; what accepted state uses is not removed. Read on in `needed` for how values reach agents, in
//! `crate::vault` for the encryption, in `rewrap` for a change of keys.

use starform_contract::{
    Bundle, ClusterId, EnvironmentName, ObjectKey, ProjectId, SecretName, SecretValue,
    SecretVersions,
    secret::{self, Kept, Scope, Versions, is_generated},
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

/// More versions of one secret than are given between a backup and its being restored.
const FORGOTTEN: u64 = 1_000_000;

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
        let version = next_version(&mut tx, cluster, &scope, name).await?;
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
    let mut kept = Kept {
        floor: floor(tx, cluster).await?,
        ..Kept::default()
    };
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

impl SecretScope {
    pub(super) fn new(cluster: ClusterId, inside: Scope<'_>) -> Self {
        match inside {
            Scope::Environment(project, environment) => {
                Self::Environment(project, environment.clone())
            }
            Scope::Cluster => Self::Cluster(cluster),
        }
    }

    /// Among all of its cluster.
    fn inside(&self) -> Scope<'_> {
        match self {
            Self::Environment(project, environment) => Scope::Environment(*project, environment),
            Self::Cluster(_) => Scope::Cluster,
        }
    }
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

/// Raises the floor of the cluster above every version that the store it was restored from may have given.
pub(super) async fn raise_floor(tx: &mut Tx, cluster: ClusterId) -> Result<(), StoreError> {
    let sql = "SELECT COALESCE(MAX(newest), 0) AS newest FROM secrets";
    let row = tx.row(sql, params![]).await?;
    let newest = row.map_or(Ok(0), |row| version(&row, "newest"))?;
    let given = newest.max(floor(tx, cluster).await?);
    let raised = (given / FORGOTTEN + 1) * FORGOTTEN;
    let sql = "UPDATE clusters SET secrets_floor = $2 WHERE id = $1";
    tx.execute(sql, params![cluster, integer(raised)]).await?;
    Ok(())
}

async fn floor(tx: &mut Tx, cluster: ClusterId) -> Result<u64, StoreError> {
    let sql = "SELECT secrets_floor FROM clusters WHERE id = $1";
    let row = tx.row(sql, params![cluster]).await?;
    row.map_or(Ok(0), |row| version(&row, "secrets_floor"))
}

/// The next version; whoever asks holds the cluster's row, so nobody else gets the same one.
async fn next_version(
    tx: &mut Tx,
    cluster: ClusterId,
    scope: &str,
    name: &str,
) -> Result<u64, StoreError> {
    let sql = "SELECT newest FROM secrets WHERE scope = $1 AND name = $2";
    let known = tx.row(sql, params![scope, name]).await?;
    let newest = known.map_or(Ok(0), |row| version(&row, "newest"))?;
    let next = newest.max(floor(tx, cluster).await?) + 1;
    let sql = "INSERT INTO secrets (scope, name, newest, since) VALUES ($1, $2, $3, $3)
               ON CONFLICT (scope, name) DO UPDATE
               SET newest = excluded.newest, since = COALESCE(secrets.since, excluded.newest)
               RETURNING newest";
    let row = tx.row(sql, params![scope, name, integer(next)]).await?;
    version(
        &row.ok_or(StoreError::Corrupt { column: "newest" })?,
        "newest",
    )
}

pub(super) async fn insert_version(
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

pub(super) async fn kept_value(
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
    let mut users = Vec::new();
    for digest in index.bundles() {
        let Some(bundle) = plans::bundle(tx, digest).await? else {
            continue;
        };
        let place = match &bundle {
            Bundle::Environment(bundle) => bundle.environment.to_string(),
            Bundle::Project(bundle) => bundle.project.to_string(),
        };
        let found = secret::users(&bundle, scope.inside(), name);
        users.extend(found.into_iter().map(|(key, _)| (place.clone(), key)));
    }
    users.dedup();
    Ok(users)
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
