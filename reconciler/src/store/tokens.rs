//! API tokens: issued once, kept as hashes, checked against the database at every request.
//!
//! Effects: the database. Always holds: a revoked or expired token opens nothing from the next request on.

use std::time::Duration;

use super::{
    Store, StoreError,
    audit::{self, Entry},
    database::{Row, Tx, params},
    registry::json,
};
use crate::{
    access::{Actor, Scope},
    time::Timestamp,
    token::{Token, TokenKind},
};

/// `last_used_at` is not written at every request.
const LAST_USE_EVERY: Duration = Duration::from_secs(60);

pub struct NewToken<'a> {
    pub scope: &'a Scope,
    pub expires_at: Option<Timestamp>,
}

impl Scope {
    pub fn kind(&self) -> TokenKind {
        match self {
            Self::Admin => TokenKind::Admin,
            Self::Ci { .. } => TokenKind::Ci,
            Self::User { .. } => TokenKind::User,
            Self::Agent(_) => TokenKind::Cluster,
        }
    }
}

impl Store {
    /// Who holds this token; `None` where it opens nothing.
    pub async fn authenticate(
        &self,
        token: &Token,
        now: Timestamp,
    ) -> Result<Option<Actor>, StoreError> {
        let mut tx = self.database.read().await?;
        let row = tx
            .row(
                "SELECT * FROM api_tokens WHERE id = $1",
                params![&token.id()],
            )
            .await?;
        tx.commit().await?;
        let Some(row) = row else {
            return Ok(None);
        };
        if !is_valid(&row, token, now)? {
            return Ok(None);
        }
        let used = row.optional_moment("last_used_at")?;
        if used.is_none_or(|used| now.since(used) >= LAST_USE_EVERY) {
            // A use that cannot be noted is still a use: reading works while the writer is busy.
            if let Err(error) = self.note_use(token, now).await {
                tracing::warn!(%error, token = %token.id(), "the use of a token was not noted");
            }
        }
        let scope = read_scope(&row)?;
        Ok(Some(Actor {
            token: token.id(),
            scope,
        }))
    }

    /// A new token, whose only copy this is.
    pub async fn issue_token(
        &self,
        actor: &Actor,
        new: &NewToken<'_>,
        now: Timestamp,
    ) -> Result<Token, StoreError> {
        let token = Token::issue(new.scope.kind());
        let mut tx = self.database.write().await?;
        insert(&mut tx, &token, new, now).await?;
        let resource = token.id().to_string();
        let entry = Entry {
            action: "token.create",
            resource,
            before: None,
            after: None,
        };
        audit::record(&mut tx, actor, entry, now).await?;
        tx.commit().await?;
        Ok(token)
    }

    /// Makes the operator's token known; the same one any number of times.
    pub async fn ensure_admin_token(
        &self,
        token: &Token,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        let known = tx
            .row(
                "SELECT id FROM api_tokens WHERE id = $1",
                params![&token.id()],
            )
            .await?;
        if known.is_none() {
            let new = NewToken {
                scope: &Scope::Admin,
                expires_at: None,
            };
            insert(&mut tx, token, &new, now).await?;
        }
        tx.commit().await
    }

    async fn note_use(&self, token: &Token, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        let sql = "UPDATE api_tokens SET last_used_at = $2 WHERE id = $1";
        tx.execute(sql, params![&token.id(), now]).await?;
        tx.commit().await
    }
}

pub(super) async fn insert(
    tx: &mut Tx,
    token: &Token,
    new: &NewToken<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (project, environments, cluster, user) = match new.scope {
        Scope::Admin => (None, None, None, None),
        Scope::Ci {
            project,
            environments,
        } => (Some(project), environments.as_ref(), None, None),
        Scope::User {
            person,
            project,
            role,
        } => (Some(project), None, None, Some((person, role))),
        Scope::Agent(cluster) => (None, None, Some(cluster), None),
    };
    tx.execute(
        "INSERT INTO api_tokens (id, kind, hash, project_id, environments, cluster_id, created_at,
                                 expires_at, person, role)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            &token.id(),
            new.scope.kind().as_str(),
            token.hash().to_hex(),
            project.map(ToString::to_string),
            environments.map(json),
            cluster.map(ToString::to_string),
            now,
            new.expires_at,
            user.map(|(person, _)| person.to_string()),
            user.map(|(_, role)| role.as_str().to_owned()),
        ],
    )
    .await?;
    Ok(())
}

/// The hash is compared first and in constant time; kind and dates only then.
fn is_valid(row: &Row, token: &Token, now: Timestamp) -> Result<bool, StoreError> {
    let same = token.hash().matches(&row.text("hash")?);
    let kind = row.text("kind")? == token.kind().as_str();
    let revoked = row.optional_moment("revoked_at")?.is_some();
    let expired = row
        .optional_moment("expires_at")?
        .is_some_and(|end| end <= now);
    Ok(same && kind && !revoked && !expired)
}

fn read_scope(row: &Row) -> Result<Scope, StoreError> {
    let column = "kind";
    let kind = TokenKind::parse(&row.text(column)?).ok_or(StoreError::Corrupt { column })?;
    Ok(match kind {
        TokenKind::Admin => Scope::Admin,
        TokenKind::Ci => Scope::Ci {
            project: row.parse("project_id")?,
            environments: match row.optional_text("environments")? {
                Some(_) => Some(row.document("environments")?),
                None => None,
            },
        },
        TokenKind::User => Scope::User {
            person: row.parse("person")?,
            project: row.parse("project_id")?,
            role: row.parse("role")?,
        },
        TokenKind::Cluster => Scope::Agent(row.parse("cluster_id")?),
    })
}
