//! Workspaces, clusters and projects: made once, found by id or name.
//!
//! Effects: the database, random ids (UUIDv7, so they sort by creation; of projects UUIDv4). Lists are sorted here by
//! name, since databases disagree about the order of text.

use starform_contract::{
    ClusterId, ClusterProfile, Generation, Index, ProjectId, ProjectName, WorkspaceId,
    name::namespace,
};
use uuid::Uuid;

use super::{
    AgentWord, Idempotency, NewToken, Store, StoreError,
    agent::agent_word,
    audit::{self, Entry, Known},
    database::{Row, Tx, params},
    tokens,
};
use crate::{
    access::{Actor, Scope},
    api::body::{Cluster, Project, Workspace},
    name::ResourceName,
    time::Timestamp,
    token::{Token, TokenKind},
};

/// The answer to "make this".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created<T> {
    New(T),
    /// By an earlier request with the same idempotency key.
    Before(T),
    /// Another one has the name.
    NameTaken,
    /// The idempotency key was used for something else.
    KeyReused,
}

/// What a project should belong to and that does not exist, or is not said and not the only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent {
    Workspace,
    Cluster,
}

pub struct NewProject<'a> {
    pub name: &'a ProjectName,
    /// Name or id.
    pub cluster: &'a str,
    /// Name or id; `None`: the only one.
    pub workspace: Option<&'a str>,
}

impl Store {
    pub async fn create_workspace(
        &self,
        actor: &Actor,
        name: &ResourceName,
        tier: &str,
        once: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<Created<Workspace>, StoreError> {
        let mut tx = self.database.write().await?;
        match audit::known(&mut tx, actor, once).await? {
            Known::New => {}
            Known::Reused => return Ok(Created::KeyReused),
            Known::Made(id) => return Ok(before(workspace(&mut tx, &id).await?)),
        }
        let id = WorkspaceId::new(Uuid::now_v7());
        let inserted = tx
            .execute(
                "INSERT INTO workspaces (id, name, tier, created_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT DO NOTHING",
                params![id, name, tier, now],
            )
            .await?;
        if inserted == 0 {
            return Ok(Created::NameTaken);
        }
        made(
            &mut tx,
            actor,
            "workspace.create",
            &id.to_string(),
            once,
            now,
        )
        .await?;
        tx.commit().await?;
        let (name, tier) = (name.clone(), tier.to_owned());
        Ok(Created::New(Workspace {
            id,
            name,
            tier,
            created_at: now,
        }))
    }

    /// A store without a workspace gets one named `default`, so that a first project needs none named.
    pub async fn ensure_workspace(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        let sql = "INSERT INTO workspaces (id, name, tier, created_at)
                   SELECT $1, 'default', 'standard', $2
                   WHERE NOT EXISTS (SELECT 1 FROM workspaces)
                   ON CONFLICT DO NOTHING";
        let id = WorkspaceId::new(Uuid::now_v7());
        tx.execute(sql, params![id, now]).await?;
        tx.commit().await
    }

    /// The cluster at generation 0, and the only copy of its agent's token.
    pub async fn register_cluster(
        &self,
        actor: &Actor,
        name: &ResourceName,
        profile: &ClusterProfile,
        now: Timestamp,
    ) -> Result<Created<(Cluster, Token)>, StoreError> {
        let mut tx = self.database.write().await?;
        let id = ClusterId::new(Uuid::now_v7());
        let inserted = tx
            .execute(
                "INSERT INTO clusters (id, name, profile, generation, changes, created_at)
                 VALUES ($1, $2, $3, 0, 0, $4) ON CONFLICT DO NOTHING",
                params![id, name, json(profile), now],
            )
            .await?;
        if inserted == 0 {
            return Ok(Created::NameTaken);
        }
        let mut index = Index::empty(id);
        write_index(&mut tx, &index, now).await?;
        if let Some(next) = index.with_settings(&profile.people, Vec::new()) {
            write_index(&mut tx, &next, now).await?;
            let sql = "UPDATE clusters SET generation = $2 WHERE id = $1";
            tx.execute(sql, params![id, next.generation]).await?;
            index = next;
        }
        let token = Token::issue(TokenKind::Cluster);
        let scope = Scope::Agent(id);
        tokens::insert(
            &mut tx,
            &token,
            &NewToken {
                scope: &scope,
                expires_at: None,
            },
            now,
        )
        .await?;
        made(
            &mut tx,
            actor,
            "cluster.register",
            &id.to_string(),
            None,
            now,
        )
        .await?;
        tx.commit().await?;
        let cluster = Cluster {
            id,
            name: name.clone(),
            generation: index.generation,
            profile: profile.clone(),
            created_at: now,
            lb_size_units: None,
            agent_seen_at: None,
            agent: AgentWord::default(),
        };
        Ok(Created::New((cluster, token)))
    }

    pub async fn create_project(
        &self,
        actor: &Actor,
        new: &NewProject<'_>,
        once: Option<&Idempotency>,
        now: Timestamp,
    ) -> Result<Result<Created<Project>, Parent>, StoreError> {
        let mut tx = self.database.write().await?;
        match audit::known(&mut tx, actor, once).await? {
            Known::New => {}
            Known::Reused => return Ok(Ok(Created::KeyReused)),
            Known::Made(id) => return Ok(Ok(before(project(&mut tx, &id).await?))),
        }
        let Some(workspace_id) = parent_workspace(&mut tx, new.workspace).await? else {
            return Ok(Err(Parent::Workspace));
        };
        let Some(cluster_id) = parent_cluster(&mut tx, new.cluster).await? else {
            return Ok(Err(Parent::Cluster));
        };
        // Random from its first digits on, which its Namespace is called by: two projects of one name,
        // made one after the other or at once by two workspaces, are two in the cluster too.
        let id = ProjectId::new(Uuid::new_v4());
        let inserted = tx
            .execute(
                "INSERT INTO projects (id, workspace_id, cluster_id, claimed_name, name, created_at)
                 VALUES ($1, $2, $3, $4, $4, $5) ON CONFLICT DO NOTHING",
                params![id, workspace_id, cluster_id, new.name, now],
            )
            .await?;
        if inserted == 0 {
            return Ok(Ok(Created::NameTaken));
        }
        made(&mut tx, actor, "project.create", &id.to_string(), once, now).await?;
        let project = project(&mut tx, &id.to_string()).await?;
        tx.commit().await?;
        Ok(Ok(project.map_or(Created::NameTaken, Created::New)))
    }

    pub async fn workspaces(&self) -> Result<Vec<Workspace>, StoreError> {
        let mut tx = self.database.read().await?;
        let rows = tx.rows("SELECT * FROM workspaces", params![]).await?;
        tx.commit().await?;
        let mut all = rows
            .iter()
            .map(read_workspace)
            .collect::<Result<Vec<_>, _>>()?;
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    pub async fn clusters(&self) -> Result<Vec<Cluster>, StoreError> {
        let mut tx = self.database.read().await?;
        let mut all = clusters(&mut tx).await?;
        tx.commit().await?;
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    pub async fn projects(&self) -> Result<Vec<Project>, StoreError> {
        let mut tx = self.database.read().await?;
        let rows = tx.rows("SELECT * FROM projects", params![]).await?;
        tx.commit().await?;
        let mut all = rows
            .iter()
            .map(read_project)
            .collect::<Result<Vec<_>, _>>()?;
        all.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        Ok(all)
    }

    pub async fn project(&self, id: ProjectId) -> Result<Option<Project>, StoreError> {
        let mut tx = self.database.read().await?;
        let found = project(&mut tx, &id.to_string()).await?;
        tx.commit().await?;
        Ok(found)
    }
}

pub(super) async fn workspace(tx: &mut Tx, id: &str) -> Result<Option<Workspace>, StoreError> {
    let row = tx
        .row("SELECT * FROM workspaces WHERE id = $1", params![id])
        .await?;
    row.as_ref().map(read_workspace).transpose()
}

pub(super) async fn cluster(tx: &mut Tx, id: ClusterId) -> Result<Option<Cluster>, StoreError> {
    let row = tx
        .row("SELECT * FROM clusters WHERE id = $1", params![id])
        .await?;
    row.as_ref().map(read_cluster).transpose()
}

pub(super) async fn clusters(tx: &mut Tx) -> Result<Vec<Cluster>, StoreError> {
    let rows = tx.rows("SELECT * FROM clusters", params![]).await?;
    rows.iter().map(read_cluster).collect()
}

pub(super) async fn project(tx: &mut Tx, id: &str) -> Result<Option<Project>, StoreError> {
    let row = tx
        .row("SELECT * FROM projects WHERE id = $1", params![id])
        .await?;
    row.as_ref().map(read_project).transpose()
}

/// A generation's document; the caller moves `clusters.generation`.
pub(super) async fn write_index(
    tx: &mut Tx,
    index: &Index,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO generations (cluster_id, generation, digest, document, created_at)
         VALUES ($1, $2, $3, $4, $5)",
        params![
            index.cluster_id,
            index.generation,
            &index.digest,
            json(index),
            now
        ],
    )
    .await?;
    Ok(())
}

/// JSON text of one of our documents.
pub(super) fn json<T: serde::Serialize>(document: &T) -> String {
    serde_json::to_string(document).expect("documents have string keys and no failing parts")
}

pub(super) fn generation(number: i64) -> Generation {
    Generation::new(u64::try_from(number).unwrap_or(0))
}

async fn parent_workspace(tx: &mut Tx, asked: Option<&str>) -> Result<Option<String>, StoreError> {
    let rows = match asked {
        Some(asked) => {
            let sql = "SELECT id FROM workspaces WHERE id = $1 OR name = $1";
            tx.rows(sql, params![asked]).await?
        }
        None => tx.rows("SELECT id FROM workspaces", params![]).await?,
    };
    match rows.as_slice() {
        [only] => only.text("id").map(Some),
        [] | [..] => Ok(None),
    }
}

async fn parent_cluster(tx: &mut Tx, asked: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT id FROM clusters WHERE id = $1 OR name = $1";
    let row = tx.row(sql, params![asked]).await?;
    row.map(|row| row.text("id")).transpose()
}

async fn made(
    tx: &mut Tx,
    actor: &Actor,
    action: &'static str,
    id: &str,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let entry = Entry {
        action,
        resource: id.to_owned(),
        before: None,
        after: None,
    };
    audit::record(tx, actor, entry, now).await?;
    audit::remember(tx, actor, once, id, now).await
}

fn before<T>(found: Option<T>) -> Created<T> {
    found.map_or(Created::KeyReused, Created::Before)
}

fn read_workspace(row: &Row) -> Result<Workspace, StoreError> {
    Ok(Workspace {
        id: row.parse("id")?,
        name: row.parse("name")?,
        tier: row.text("tier")?,
        created_at: row.moment("created_at")?,
    })
}

fn read_cluster(row: &Row) -> Result<Cluster, StoreError> {
    Ok(Cluster {
        id: row.parse("id")?,
        name: row.parse("name")?,
        generation: generation(row.integer("generation")?),
        profile: row.document("profile")?,
        created_at: row.moment("created_at")?,
        lb_size_units: row
            .optional_integer("lb_size_units")?
            .and_then(|units| units.try_into().ok()),
        agent_seen_at: row.optional_moment("agent_seen_at")?,
        agent: agent_word(row)?,
    })
}

fn read_project(row: &Row) -> Result<Project, StoreError> {
    let (id, name): (ProjectId, ProjectName) = (row.parse("id")?, row.parse("name")?);
    Ok(Project {
        id,
        workspace_id: row.parse("workspace_id")?,
        cluster_id: row.parse("cluster_id")?,
        namespace: namespace(&name, id),
        name,
        created_at: row.moment("created_at")?,
        ended_at: row.optional_moment("ended_at")?,
        deleted_at: row.optional_moment("deleted_at")?,
    })
}
