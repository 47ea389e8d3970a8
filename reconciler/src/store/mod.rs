//! The store: SQLite or Postgres behind functions, each of which is one transaction.
//!
//! Effects: the database. Always holds: what a function acknowledged survives a crash; plans and
//! bundles never change once written; a cluster's generation only goes up, by one. A function that
//! changes a cluster's desired state or its reports first updates the cluster's row, so that on both
//! databases such writers follow one another. Callers pass the moment (`now`).
//!
//! | module | what it holds |
//! |---|---|
//! | `database` | running SQL on either database |
//! | `registry` | workspaces, clusters, projects |
//! | `settings` | what an operator says about a cluster |
//! | `tokens` | API tokens |
//! | `plans` | bundles and plans, and the accepted state they are made against |
//! | `accept` | a plan becomes the desired state |
//! | `approvals` | who approved what a plan does |
//! | `hostnames` | who owns a host |
//! | `proofs` | whether a host is shown to be its owner's |
//! | `agent` | the lease, desired state and bundles for a cluster's agent |
//! | `reports` | what the agent did and saw |
//! | `rewrap` | a change of the keys that secrets are under |
//! | `secrets` | secrets under keys that the store does not hold |
//! | `applies` | applies, their events, history and status |
//! | `changes` | waking whoever waits for an accept or a report |
//! | `verifications` | what the cluster itself says of plans |
//! | `audit` | the audit trail and idempotency keys |

mod accept;
mod agent;
mod applies;
mod approvals;
mod audit;
mod changes;
mod database;
mod drift;
mod ending;
mod hostnames;
mod needed;
mod plans;
mod proofs;
mod registry;
mod reports;
mod rewrap;
mod secrets;
mod settings;
mod tokens;
mod verifications;

use std::path::PathBuf;

use database::{Database, params};
use sqlx::migrate::MigrateError;

use crate::vault::Unreadable;

pub use accept::{AcceptRequest, AcceptResult};
pub use agent::{AgentKeyPinned, AgentWord, Lease, Reset};
pub use applies::{ApplyReport, EventPage};
pub use approvals::ApproveResult;
pub use audit::Idempotency;
pub use database::{DatabaseUrl, NotADatabaseUrl};
pub use drift::DriftKnown;
pub use ending::Deleted;
pub use needed::{Needed, NeededValue};
pub use plans::{NotAPlanId, PlanPrefix, Planning, StoredPlan};
pub use proofs::GRACE;
pub use registry::{Created, NewProject, Parent};
pub use reports::Recorded;
pub use rewrap::Rewrapped;
pub use secrets::{RemovedSecret, SecretScope, SetSecret};
pub use settings::{Changed, ClusterChange};
pub use tokens::NewToken;
pub use verifications::Answered;

/// Cheap to clone; all clones share connections and wake-ups.
#[derive(Clone)]
pub struct Store {
    database: Database,
    changes: changes::Changes,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database file {}: {reason}; check that its folder exists and is writable", path.display())]
    File {
        path: PathBuf,
        reason: std::io::Error,
    },
    #[error(
        "cannot open the database at {place}: {reason}; check --database, and that its server runs and lets this user in"
    )]
    Open { place: String, reason: sqlx::Error },
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    #[error(
        "the database's schema does not fit this version: {0}; run the version that wrote it, or a newer one"
    )]
    Schema(#[from] MigrateError),
    #[error(
        "the database holds an unreadable value in column `{column}`; was it edited, or written by a newer version?"
    )]
    Corrupt { column: &'static str },
    #[error("the database holds a document in column `{column}` that starform {} cannot read: {why}", env!("CARGO_PKG_VERSION"))]
    Document { column: &'static str, why: String },
    #[error(
        "the database lacks the bundle {0}, which an accepted index names; restore it from a backup"
    )]
    MissingBundle(String),
    #[error("the secret {name}: {reason}")]
    Secret { name: String, reason: Unreadable },
}

impl Store {
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        Ok(Self {
            database: Database::open(url).await?,
            changes: changes::Changes::default(),
        })
    }

    /// Whether the database answers.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let mut tx = self.database.read().await?;
        tx.row("SELECT COUNT(*) AS count FROM workspaces", params![])
            .await?;
        tx.commit().await
    }

    /// Waits for running statements and lets go of the database.
    pub async fn close(&self) {
        self.database.close().await;
    }
}
