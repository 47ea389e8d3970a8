//! The audit trail and idempotency keys; both are written in the transaction that they are about.
//!
//! Effects: the database, random ids.

use uuid::Uuid;

use super::{
    StoreError,
    database::{Tx, params},
};
use crate::{access::Actor, time::Timestamp};

/// One line of the trail.
pub(super) struct Entry<'a> {
    pub(super) action: &'static str,
    pub(super) resource: String,
    pub(super) before: Option<&'a str>,
    pub(super) after: Option<&'a str>,
}

/// What an `Idempotency-Key` header asks for: the same key and operation by the same caller make one
/// thing, however often they arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    pub key: String,
    /// The route and what it was about.
    pub operation: String,
}

/// What a key stands for.
pub(super) enum Known {
    /// Never seen.
    New,
    /// It made this.
    Made(String),
    /// It was used for something else.
    Reused,
}

pub(super) async fn record(
    tx: &mut Tx,
    actor: &Actor,
    entry: Entry<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO audit_log (id, at, actor, action, resource, before, after)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            Uuid::now_v7().to_string(),
            now,
            &actor.token,
            entry.action,
            entry.resource,
            entry.before.map(str::to_owned),
            entry.after.map(str::to_owned),
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn known(
    tx: &mut Tx,
    actor: &Actor,
    asked: Option<&Idempotency>,
) -> Result<Known, StoreError> {
    let Some(asked) = asked else {
        return Ok(Known::New);
    };
    let row = tx
        .row(
            "SELECT operation, resource FROM idempotency_keys WHERE actor = $1 AND key = $2",
            params![&actor.token, &asked.key],
        )
        .await?;
    Ok(match row {
        None => Known::New,
        Some(row) if row.text("operation")? == asked.operation => {
            Known::Made(row.text("resource")?)
        }
        Some(_) => Known::Reused,
    })
}

/// Call it after what makes racing callers queue (a row lock, SQLite's write lock).
pub(super) async fn remember(
    tx: &mut Tx,
    actor: &Actor,
    asked: Option<&Idempotency>,
    resource: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Some(asked) = asked {
        tx.execute(
            "INSERT INTO idempotency_keys (actor, key, operation, resource, created_at)
             VALUES ($1, $2, $3, $4, $5)",
            params![&actor.token, &asked.key, &asked.operation, resource, now],
        )
        .await?;
    }
    Ok(())
}
