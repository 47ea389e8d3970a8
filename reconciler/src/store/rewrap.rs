//! Stored secrets and the keys of the file: which keys they need, and putting them under the first one.
//!
//! Effects: the database, randomness. Always holds: a value stays readable at every point of a change of
//! keys, what was interrupted goes on at the
//! next start, and what is damaged stops nothing else.

use super::{
    Store, StoreError,
    database::{Row, Tx, params},
    secrets::{integer, record, version},
};
use crate::vault::{Place, SecretKeys, Unreadable};

/// Records of one transaction of [`Store::rewrap_secrets`].
const REWRAPPED_AT_ONCE: i64 = 100;

/// What came of a change of keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// Values that are under the first key now.
    pub values: u64,
    /// `SCOPE/NAME` of secrets of which values cannot be read; they stay under their key.
    pub damaged: Vec<String>,
}

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

    /// Wraps under the first key what another key wraps. Goes on where it was interrupted.
    pub async fn rewrap_secrets(&self, keys: &SecretKeys) -> Result<Rewrapped, StoreError> {
        let mut done = Rewrapped::default();
        let mut after = (String::new(), String::new(), 0);
        loop {
            let mut tx = self.database.write().await?;
            let sql = "SELECT scope, name, version, key_id, wrapped_key, ciphertext
                       FROM secret_versions
                       WHERE key_id <> $1 AND (scope, name, version) > ($2, $3, $4)
                       ORDER BY scope, name, version LIMIT $5";
            let (scope, name, version) = &after;
            let asked = params![keys.current(), scope, name, *version, REWRAPPED_AT_ONCE];
            let rows = tx.rows(sql, asked).await?;
            for row in &rows {
                after = rewrap(&mut tx, keys, row, &mut done).await?;
            }
            tx.commit().await?;
            if rows.is_empty() {
                return Ok(done);
            }
        }
    }
}

/// One value; where it stands.
async fn rewrap(
    tx: &mut Tx,
    keys: &SecretKeys,
    row: &Row,
    done: &mut Rewrapped,
) -> Result<(String, String, i64), StoreError> {
    let (scope, name) = (row.text("scope")?, row.text("name")?);
    let place = Place {
        scope: &scope,
        name: &name,
        version: version(row, "version")?,
    };
    let number = integer(place.version);
    match keys.rewrap(place, &record(row)?) {
        Ok(new) => {
            let sql = "UPDATE secret_versions SET key_id = $4, wrapped_key = $5
                       WHERE scope = $1 AND name = $2 AND version = $3";
            let new = params![&scope, &name, number, new.key_id, new.wrapped_key];
            tx.execute(sql, new).await?;
            done.values += 1;
        }
        Err(Unreadable::Damaged | Unreadable::NoKey(_)) => {
            let of = format!("{scope}/{name}");
            if done.damaged.last() != Some(&of) {
                done.damaged.push(of);
            }
        }
    }
    Ok((scope, name, number))
}
