//! One way to run SQL on SQLite and on Postgres: one text per statement, two kinds of column.
//!
//! Effects: the database. Every statement is a `&'static str`, so no value can become SQL. Own enum
//! rather than `sqlx::Any`: `Any` hides how a transaction begins, and both of ours depend on it.
//! SQLite: one writing connection (`BEGIN IMMEDIATE`, callers queue for it), readers beside it (WAL).
//! Postgres: read committed for writers, which take the row lock of what they change first; one
//! snapshot for readers.

use std::{path::PathBuf, str::FromStr, time::Duration};

use serde::de::DeserializeOwned;
use sqlx::{
    Connection as _, PgConnection, PgPool, Postgres, Row as _, Sqlite, SqlitePool, Transaction,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions, PgRow},
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
    },
};

use super::StoreError;
use crate::time::Timestamp;

/// How long a caller waits for a connection, and a statement for a lock.
const PATIENCE: Duration = Duration::from_secs(5);

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Where the store lives: `sqlite://FILE` or `postgres://…`.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    Sqlite(PathBuf),
    Postgres(String),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a database is `sqlite://FILE` or `postgres://USER@HOST/NAME`")]
pub struct NotADatabaseUrl;

#[derive(Clone)]
pub(super) enum Database {
    Sqlite {
        readers: SqlitePool,
        writer: SqlitePool,
    },
    Postgres(PgPool),
}

/// A transaction; rolled back when dropped.
pub(super) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// A value that is bound to `$1`, `$2`, …
#[derive(Debug, Clone)]
pub(super) enum Param {
    Text(Option<String>),
    Integer(Option<i64>),
}

/// `params![a, b]`: anything that has `Into<Param>`.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::store::database::Param::from($value)),*]
    };
}
pub(super) use params;

/// Runs the same expression on either kind of transaction.
macro_rules! on {
    ($tx:expr, $sql:expr, $params:expr, |$query:ident, $inner:ident| $body:expr) => {
        match $tx {
            Tx::Sqlite($inner) => {
                let $query = bind!($sql, $params);
                $body.map_err(StoreError::from)
            }
            Tx::Postgres($inner) => {
                let $query = bind!($sql, $params);
                $body.map_err(StoreError::from)
            }
        }
    };
}

macro_rules! bind {
    ($sql:expr, $params:expr) => {
        $params
            .into_iter()
            .fold(sqlx::query($sql), |query, param| match param {
                Param::Text(text) => query.bind(text),
                Param::Integer(number) => query.bind(number),
            })
    };
}

impl FromStr for DatabaseUrl {
    type Err = NotADatabaseUrl;

    fn from_str(text: &str) -> Result<Self, NotADatabaseUrl> {
        if let Some(path) = text
            .strip_prefix("sqlite://")
            .filter(|path| !path.is_empty())
        {
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        let postgres = text.starts_with("postgres://") || text.starts_with("postgresql://");
        if postgres && PgConnectOptions::from_str(text).is_ok() {
            return Ok(Self::Postgres(text.to_owned()));
        }
        Err(NotADatabaseUrl)
    }
}

impl Database {
    /// Connects and brings the schema up to this version; a newer or edited schema is refused.
    pub(super) async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        match url {
            DatabaseUrl::Sqlite(path) => open_sqlite(path).await,
            DatabaseUrl::Postgres(url) => open_postgres(url).await,
        }
    }

    pub(super) async fn read(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite { readers, .. } => Tx::Sqlite(readers.begin().await?),
            Self::Postgres(pool) => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                Tx::Postgres(pool.begin_with(begin).await?)
            }
        })
    }

    pub(super) async fn write(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            Self::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite { readers, writer } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// How many rows it touched.
    pub(super) async fn execute(
        &mut self,
        sql: &'static str,
        params: Vec<Param>,
    ) -> Result<u64, StoreError> {
        on!(self, sql, params, |query, inner| query
            .execute(&mut **inner)
            .await
            .map(|done| done.rows_affected()))
    }

    pub(super) async fn rows(
        &mut self,
        sql: &'static str,
        params: Vec<Param>,
    ) -> Result<Vec<Row>, StoreError> {
        on!(self, sql, params, |query, inner| query
            .fetch_all(&mut **inner)
            .await
            .map(|rows| rows.into_iter().map(Row::from).collect()))
    }

    /// The first row, if there is one.
    pub(super) async fn row(
        &mut self,
        sql: &'static str,
        params: Vec<Param>,
    ) -> Result<Option<Row>, StoreError> {
        on!(self, sql, params, |query, inner| query
            .fetch_optional(&mut **inner)
            .await
            .map(|row| row.map(Row::from)))
    }

    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(inner) => inner.commit().await?,
            Self::Postgres(inner) => inner.commit().await?,
        }
        Ok(())
    }
}

impl Row {
    pub(super) fn text(&self, column: &'static str) -> Result<String, StoreError> {
        self.optional_text(column)?
            .ok_or(StoreError::Corrupt { column })
    }

    pub(super) fn optional_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(super) fn integer(&self, column: &'static str) -> Result<i64, StoreError> {
        self.optional_integer(column)?
            .ok_or(StoreError::Corrupt { column })
    }

    pub(super) fn optional_integer(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    /// A text that one of our types wrote.
    pub(super) fn parse<T: FromStr>(&self, column: &'static str) -> Result<T, StoreError> {
        self.text(column)?
            .parse()
            .map_err(|_| StoreError::Corrupt { column })
    }

    /// A JSON document that one of our types wrote.
    pub(super) fn document<T: DeserializeOwned>(
        &self,
        column: &'static str,
    ) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(column)?).map_err(|why| StoreError::Document {
            column,
            why: why.to_string(),
        })
    }

    pub(super) fn moment(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        self.integer(column).map(Timestamp::from_millis)
    }

    pub(super) fn optional_moment(
        &self,
        column: &'static str,
    ) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.optional_integer(column)?.map(Timestamp::from_millis))
    }
}

async fn open_sqlite(path: &PathBuf) -> Result<Database, StoreError> {
    create_private(path).map_err(|reason| StoreError::File {
        path: path.clone(),
        reason,
    })?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(PATIENCE);
    let pool = |connections| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(PATIENCE)
    };
    let place = path.display().to_string();
    let writer = pool(1)
        .connect_with(options.clone())
        .await
        .map_err(|reason| StoreError::Open { place, reason })?;
    MIGRATIONS.run(&writer).await?;
    let readers = pool(4).connect_with(options).await?;
    Ok(Database::Sqlite { readers, writer })
}

/// Nobody but the server's user reads the store.
fn create_private(path: &PathBuf) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map(drop)
}

async fn open_postgres(url: &str) -> Result<Database, StoreError> {
    let options = PgConnectOptions::from_str(url)?
        .application_name("starform")
        .options([
            ("statement_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "10s"),
        ]);
    // One connection first: a pool tells only that it waited, this tells what was wrong.
    let place = format!("{}:{}", options.get_host(), options.get_port());
    let first = PgConnection::connect_with(&options)
        .await
        .map_err(|reason| StoreError::Open { place, reason })?;
    first.close().await?;
    let pool = PgPoolOptions::new()
        .max_connections(16)
        .acquire_timeout(PATIENCE)
        .connect_with(options)
        .await?;
    MIGRATIONS.run(&pool).await?;
    Ok(Database::Postgres(pool))
}

impl From<SqliteRow> for Row {
    fn from(row: SqliteRow) -> Self {
        Self::Sqlite(row)
    }
}

impl From<PgRow> for Row {
    fn from(row: PgRow) -> Self {
        Self::Postgres(row)
    }
}

macro_rules! text_param {
    ($($kind:ty),* $(,)?) => {$(
        impl From<$kind> for Param {
            fn from(value: $kind) -> Self {
                Self::Text(Some(value.to_string()))
            }
        }
    )*};
}

text_param!(
    &str,
    String,
    &String,
    starform_contract::WorkspaceId,
    starform_contract::ClusterId,
    starform_contract::ProjectId,
    starform_contract::ServiceId,
    &starform_contract::Digest,
    &starform_contract::PlanId,
    &starform_contract::EffectId,
    &starform_contract::EnvironmentName,
    &starform_contract::ProjectName,
    &starform_contract::ServiceName,
    &crate::name::ResourceName,
    &crate::token::TokenId,
);

impl From<Option<String>> for Param {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

impl From<i64> for Param {
    fn from(value: i64) -> Self {
        Self::Integer(Some(value))
    }
}

impl From<Option<i64>> for Param {
    fn from(value: Option<i64>) -> Self {
        Self::Integer(value)
    }
}

impl From<bool> for Param {
    fn from(value: bool) -> Self {
        Self::Integer(Some(i64::from(value)))
    }
}

impl From<Timestamp> for Param {
    fn from(value: Timestamp) -> Self {
        Self::Integer(Some(value.millis()))
    }
}

impl From<Option<Timestamp>> for Param {
    fn from(value: Option<Timestamp>) -> Self {
        Self::Integer(value.map(Timestamp::millis))
    }
}

impl From<Option<starform_contract::Generation>> for Param {
    fn from(value: Option<starform_contract::Generation>) -> Self {
        Self::Integer(value.and_then(|value| i64::try_from(value.number()).ok()))
    }
}

impl From<starform_contract::Generation> for Param {
    fn from(value: starform_contract::Generation) -> Self {
        Self::Integer(i64::try_from(value.number()).ok())
    }
}
