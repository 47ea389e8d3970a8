//! One control plane for one test: a fresh store on either database, its router, ways to ask it.
//!
//! Effects: temporary files, databases. Always holds: no two tests share a store.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode},
};
use http_body_util::BodyExt as _;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sqlx::{Connection as _, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};
use starform_contract::{ClusterId, ClusterProfile, ProjectId, signature::SigningKey};
use starform_reconciler::{
    access::{Actor, Role, Scope},
    api::{
        Api,
        body::{Cluster, Problem, Project},
        router,
    },
    keys::SigningKeys,
    store::{Created, DatabaseUrl, NewProject, NewToken, Store},
    time::Timestamp,
    token::{Token, TokenKind},
    vault::SecretKeys,
};
use tempfile::TempDir;

use crate::dns::Dns;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use uuid::Uuid;

/// Keys of these names, each of 32 times the same byte; the first signs.
pub(crate) fn keys(of: &[(&str, u8)]) -> SigningKeys {
    let lines: Vec<String> = of
        .iter()
        .map(|(id, byte)| SigningKey::new(id, &[*byte; 32]).unwrap().reveal())
        .collect();
    SigningKeys::parse(&lines.join("\n")).unwrap()
}

/// One key of 32 times the same byte.
pub(crate) fn secret_keys() -> SecretKeys {
    SecretKeys::parse("s-test:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=").unwrap()
}

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) url: DatabaseUrl,
    pub(crate) admin: Token,
    pub(crate) actor: Actor,
    /// What this process signs with; at first one key, `test`.
    pub(crate) keys: SigningKeys,
    /// The DNS that it asks.
    pub(crate) dns: Dns,
    /// Removed with the world that made it.
    _folder: Option<TempDir>,
}

/// A cluster with its agent's token, and a project on it.
pub(crate) struct Place {
    pub(crate) cluster: ClusterId,
    pub(crate) agent: Token,
    pub(crate) project: Project,
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Decoded.
    pub(crate) text: String,
    /// As it went over the wire.
    pub(crate) sent: Vec<u8>,
}

/// Defines a test twice: on SQLite and on Postgres.
macro_rules! on_both {
    ($(async fn $name:ident($world:ident: World) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn body($world: $crate::world::World) $body

            #[tokio::test]
            async fn sqlite() {
                body($crate::world::World::sqlite().await).await;
            }

            #[tokio::test]
            async fn postgres() {
                if let Some(world) = $crate::world::World::postgres().await {
                    body(world).await;
                }
            }
        }
    )+};
}
pub(crate) use on_both;

impl World {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("starform.db"));
        Self::open(url, folder).await
    }

    /// `None` only where the fast tests are asked for and no server is named.
    pub(crate) async fn postgres() -> Option<Self> {
        let Ok(server) = std::env::var("POSTGRES_URL_FOR_TESTS") else {
            let fast = std::env::var_os("STARFORM_TEST_FAST").is_some();
            assert!(
                fast,
                "POSTGRES_URL_FOR_TESTS is not set; run `cargo xtask test`, which starts a server"
            );
            return None;
        };
        let name = format!("starform_{}", Uuid::now_v7().simple());
        let mut connection = PgConnection::connect(&server).await.unwrap();
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::query(create).execute(&mut connection).await.unwrap();
        let (base, _) = server.rsplit_once('/').unwrap();
        let url = format!("{base}/{name}").parse().unwrap();
        Some(Self::open(url, tempfile::tempdir().unwrap()).await)
    }

    async fn open(url: DatabaseUrl, folder: TempDir) -> Self {
        let store = Store::open(&url).await.unwrap();
        let admin = Token::issue(TokenKind::Admin);
        store
            .ensure_admin_token(&admin, Timestamp::now())
            .await
            .unwrap();
        let actor = Actor {
            token: admin.id(),
            scope: Scope::Admin,
        };
        Self {
            store,
            url,
            admin,
            actor,
            keys: keys(&[("test", 7)]),
            dns: Dns::start().await,
            _folder: Some(folder),
        }
    }

    /// As after a crash and a restart: nothing in memory is kept.
    pub(crate) async fn reopen(&mut self) {
        self.store = Store::open(&self.url).await.unwrap();
    }

    /// Another process on the same database.
    pub(crate) async fn twin(&self) -> Self {
        Self {
            store: Store::open(&self.url).await.unwrap(),
            url: self.url.clone(),
            admin: self.admin.clone(),
            actor: self.actor.clone(),
            keys: self.keys.clone(),
            dns: self.dns.clone(),
            _folder: None,
        }
    }

    /// As a failing disk would: what is stored of the secret's values does not decrypt.
    pub(crate) async fn damage_secret(&self, name: &str) {
        self.spoil_secret(name, "AAAA").await;
    }

    /// Puts a text where the secret's wrapped keys are.
    pub(crate) async fn spoil_secret(&self, name: &str, text: &str) {
        let sql = "UPDATE secret_versions SET wrapped_key = $2 WHERE name = $1";
        let damaged = match &self.url {
            DatabaseUrl::Sqlite(path) => {
                let options = SqliteConnectOptions::new().filename(path);
                let mut raw = SqliteConnection::connect_with(&options).await.unwrap();
                sqlx::query(sql)
                    .bind(name)
                    .bind(text)
                    .execute(&mut raw)
                    .await
                    .unwrap()
                    .rows_affected()
            }
            DatabaseUrl::Postgres(url) => {
                let mut raw = PgConnection::connect(url).await.unwrap();
                sqlx::query(sql)
                    .bind(name)
                    .bind(text)
                    .execute(&mut raw)
                    .await
                    .unwrap()
                    .rows_affected()
            }
        };
        assert!(damaged > 0, "{name}");
    }

    /// Until somebody waits for a change of the cluster.
    pub(crate) async fn awaited(&self, cluster: ClusterId) {
        while self.store.waiting(cluster) == 0 {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn router(&self) -> Router {
        router(Api {
            store: self.store.clone(),
            keys: self.keys.clone(),
            secret_keys: secret_keys(),
            proofs: self.dns.proofs(),
            stopping: CancellationToken::new(),
        })
    }

    /// A cluster `NAME-cluster` and a project `NAME` on it, in a workspace `main` made on demand.
    pub(crate) async fn place(&self, name: &str) -> Place {
        let now = Timestamp::now();
        let main = "main".parse().unwrap();
        self.store
            .create_workspace(&self.actor, &main, "standard", None, now)
            .await
            .unwrap();
        let cluster = format!("{name}-cluster").parse().unwrap();
        let profile = ClusterProfile::default();
        let registered = self
            .store
            .register_cluster(&self.actor, &cluster, &profile, now)
            .await
            .unwrap();
        let Created::New((Cluster { id, .. }, agent)) = registered else {
            panic!("cluster {name}");
        };
        let new = NewProject {
            name: &name.parse().unwrap(),
            cluster: &id.to_string(),
            workspace: None,
        };
        let Ok(Created::New(project)) = self
            .store
            .create_project(&self.actor, &new, None, now)
            .await
            .unwrap()
        else {
            panic!("project {name}");
        };
        Place {
            cluster: id,
            agent,
            project,
        }
    }

    /// A token for the project: some environments, or all.
    pub(crate) async fn ci(&self, project: ProjectId, environments: Option<&[&str]>) -> Token {
        let names =
            environments.map(|names| names.iter().map(|name| name.parse().unwrap()).collect());
        let scope = Scope::Ci {
            project,
            environments: names,
        };
        let new = NewToken {
            scope: &scope,
            expires_at: None,
        };
        self.store
            .issue_token(&self.actor, &new, Timestamp::now())
            .await
            .unwrap()
    }

    /// A person's token for the project.
    pub(crate) async fn user(&self, project: ProjectId, person: &str, role: Role) -> Token {
        let scope = Scope::User {
            person: person.parse().unwrap(),
            project,
            role,
        };
        let new = NewToken {
            scope: &scope,
            expires_at: None,
        };
        let now = Timestamp::now();
        self.store
            .issue_token(&self.actor, &new, now)
            .await
            .unwrap()
    }

    pub(crate) async fn get(&self, token: &Token, path: &str) -> Reply {
        self.ask(Method::GET, Some(token), path, &[], &Value::Null)
            .await
    }

    pub(crate) async fn post(&self, token: &Token, path: &str, body: &impl Serialize) -> Reply {
        self.ask(Method::POST, Some(token), path, &[], body).await
    }

    /// As the agent instance `instance`.
    pub(crate) async fn agent(
        &self,
        place: &Place,
        instance: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Reply {
        let path = format!("/v1/clusters/{}/{path}", place.cluster);
        let mut all = vec![("starform-agent-instance", instance)];
        all.extend(headers);
        self.ask(Method::GET, Some(&place.agent), &path, &all, &Value::Null)
            .await
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        token: Option<&Token>,
        path: &str,
        headers: &[(&str, &str)],
        body: &impl Serialize,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {}", token.reveal()));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Body::from(serde_json::to_vec(body).unwrap());
        let response = self
            .router()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap();
        let (head, body) = response.into_parts();
        let sent = body.collect().await.unwrap().to_bytes().to_vec();
        let plain = match head.headers.get("content-encoding") {
            Some(encoding) if encoding == "zstd" => zstd::decode_all(sent.as_slice()).unwrap(),
            Some(other) => panic!("encoded as {other:?}"),
            None => sent.clone(),
        };
        let text = String::from_utf8(plain).unwrap();
        Reply {
            status: head.status,
            headers: head.headers,
            sent,
            text,
        }
    }
}

impl Reply {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text))
    }

    /// The body, after the status was what it should be.
    pub(crate) fn expect<T: DeserializeOwned>(&self, status: u16) -> T {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.json()
    }

    pub(crate) fn problem(&self, status: u16, code: &str) -> Problem {
        let problem: Problem = self.expect(status);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(
            (problem.status, problem.code.as_str()),
            (status, code),
            "{}",
            self.text
        );
        problem
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}
