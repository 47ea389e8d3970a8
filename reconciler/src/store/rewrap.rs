//! Stored secrets and the keys of the file: which keys they need, and putting them under the first one.
//!
//! Effects: the database, randomness. Always holds: a value stays readable at every point of a change of
//! keys, and what was interrupted goes on at the next start.

use super::{
    Store, StoreError,
    database::params,
    secrets::{integer, record, unreadable, version},
};
use crate::vault::{Place, SecretKeys};

/// Records of one transaction of [`Store::rewrap_secrets`].
const REWRAPPED_AT_ONCE: i64 = 100;

impl Store {
    /// A key that wraps stored values and that `keys` lacks: those values cannot be read.
    pub async fn lacking_secret_key(
        &self,
        keys: Option<&SecretKeys>,
    ) -> Result<Option<String>, StoreError> {
        let mut tx = self.database.read().await?;
        let sql = "SELECT DISTINCT key_id FROM secret_versions";
        let rows = tx.rows(sql, params![]).await?;
        tx.commit().await?;
        for row in &rows {
            let id = row.text("key_id")?;
            if !keys.is_some_and(|keys| keys.knows(&id)) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Wraps under the first key what another key wraps; how many values that were. Goes on where it
    /// was interrupted.
    pub async fn rewrap_secrets(&self, keys: &SecretKeys) -> Result<u64, StoreError> {
        let mut done = 0;
        loop {
            let mut tx = self.database.write().await?;
            let sql = "SELECT scope, name, version, key_id, wrapped_key, ciphertext
                       FROM secret_versions WHERE key_id <> $1 LIMIT $2";
            let rows = tx
                .rows(sql, params![keys.current(), REWRAPPED_AT_ONCE])
                .await?;
            for row in &rows {
                let (scope, name) = (row.text("scope")?, row.text("name")?);
                let place = Place {
                    scope: &scope,
                    name: &name,
                    version: version(row, "version")?,
                };
                let new = keys
                    .rewrap(place, &record(row)?)
                    .map_err(|reason| unreadable(place, reason))?;
                let sql = "UPDATE secret_versions SET key_id = $4, wrapped_key = $5
                           WHERE scope = $1 AND name = $2 AND version = $3";
                let version = integer(place.version);
                tx.execute(
                    sql,
                    params![
                        place.scope,
                        place.name,
                        version,
                        new.key_id,
                        new.wrapped_key
                    ],
                )
                .await?;
            }
            tx.commit().await?;
            if rows.is_empty() {
                return Ok(done);
            }
            done += u64::try_from(rows.len()).unwrap_or_default();
        }
    }
}
