//! What a thief of the database would hold: every row of every table, and no value of a secret in it.
//!
//! Effects: databases of their own. Always holds: no table is left out, and bytes are told in hex.

use axum::http::Method;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};
use starform_contract::sealed::AgentKey;
use starform_plan::document::Plans;
use starform_reconciler::{api::body::Secret, store::DatabaseUrl};

use crate::{
    canary::Canary,
    world::{World, on_both},
};

/// With what SQL, JSON and URLs write otherwise.
const VALUE: &str = "canary-Tm3'one \"quoted\" \\ &?=/+ä";
const PULL: &str = "canary-Hs8-pull%20<word>";

impl World {
    /// Each row with the name of its table.
    async fn rows(&self) -> Vec<(String, String)> {
        match &self.url {
            DatabaseUrl::Sqlite(path) => {
                let options = SqliteConnectOptions::new().filename(path);
                sqlite(&mut SqliteConnection::connect_with(&options).await.unwrap()).await
            }
            DatabaseUrl::Postgres(url) => {
                postgres(&mut PgConnection::connect(url).await.unwrap()).await
            }
        }
    }

    /// The tables in which one of these stands, in whatever form.
    async fn tables_with(&self, canaries: &[Canary]) -> Vec<String> {
        let mut tables: Vec<String> = self
            .rows()
            .await
            .into_iter()
            .filter(|(_, row)| {
                let mut canaries = canaries.iter();
                canaries.any(|canary| canary.in_bytes(row.as_bytes()).is_some())
            })
            .map(|(table, _)| table)
            .collect();
        tables.dedup();
        tables
    }
}

async fn sqlite(raw: &mut SqliteConnection) -> Vec<(String, String)> {
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
    let tables: Vec<String> = sqlx::query_scalar(tables)
        .fetch_all(&mut *raw)
        .await
        .unwrap();
    let mut all = Vec::new();
    for table in tables {
        let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info($1)")
            .bind(&table)
            .fetch_all(&mut *raw)
            .await
            .unwrap();
        let told = columns.iter().map(|column| {
            format!("CASE typeof(\"{column}\") WHEN 'blob' THEN hex(\"{column}\") ELSE CAST(coalesce(\"{column}\", '') AS TEXT) END")
        });
        let told: Vec<String> = told.collect();
        let rows = format!("SELECT {} FROM \"{table}\"", told.join(" || char(10) || "));
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(rows))
            .fetch_all(&mut *raw)
            .await
            .unwrap();
        all.extend(of(table, rows));
    }
    all
}

async fn postgres(raw: &mut PgConnection) -> Vec<(String, String)> {
    let tables =
        "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1";
    let tables: Vec<String> = sqlx::query_scalar(tables)
        .fetch_all(&mut *raw)
        .await
        .unwrap();
    let mut all = Vec::new();
    for table in tables {
        let rows = format!("SELECT row_to_json(t)::text FROM \"{table}\" t");
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(rows))
            .fetch_all(&mut *raw)
            .await
            .unwrap();
        // A document's own JSON is text within JSON: told as the column holds it.
        let rows = rows.iter().map(|row| columns_of(row)).collect();
        all.extend(of(table, rows));
    }
    all
}

fn columns_of(row: &str) -> String {
    let row: Value = serde_json::from_str(row).unwrap();
    let columns = row.as_object().unwrap().values();
    let told = columns.map(|column| column.as_str().map_or(column.to_string(), str::to_owned));
    told.collect::<Vec<_>>().join("\n")
}

fn of(table: String, rows: Vec<String>) -> impl Iterator<Item = (String, String)> {
    rows.into_iter().map(move |row| (table.clone(), row))
}

on_both! {
    async fn no_table_holds_a_value_or_a_token(world: World) {
        let place = world.place("shop").await;
        let profile = json!({"profile": {"registry_secret": {"name": "registry"}}});
        let settings = format!("/v1/clusters/{}/settings", place.cluster);
        let set = world.ask(Method::PATCH, Some(&world.admin), &settings, &[], &profile).await;
        assert_eq!(set.status, 200, "{}", set.text);
        let config = json!({"auths": {"registry.example": {"username": "robot", "password": PULL}}});
        let project = place.project.id;
        for (path, value) in [
            (format!("/v1/projects/{project}/environments/production/secrets/stripe-api-key"), VALUE.to_owned()),
            (format!("/v1/clusters/{}/secrets/registry", place.cluster), config.to_string()),
        ] {
            // What is remembered of a request is remembered of its answer.
            let key = [("idempotency-key", path.as_str())];
            let body = json!({"value": value});
            world.ask(Method::PUT, Some(&world.admin), &path, &key, &body).await.expect::<Secret>(200);
        }
        let text = "project shop { environment production branch=main; worker api { image \"a/b:1\"; vars { KEY (secret)stripe-api-key; }; }; }";
        let source = json!({"source": {"files": {"starform.kdl": text}}});
        let plans: Plans = world.post(&world.admin, &format!("/v1/projects/{project}/plans"), &source).await.expect(201);
        let applied = world.post(&world.admin, &format!("/v1/plans/{}/apply", plans.plans[0].plan_id), &json!({})).await;
        assert_eq!(applied.status, 202, "{}", applied.text);
        let key = json!({"public_key": AgentKey::new(&[1; 32]).public().to_string()});
        let to = format!("/v1/clusters/{}/key", place.cluster);
        let held = [("starform-agent-instance", "a")];
        let posted = world.ask(Method::PUT, Some(&place.agent), &to, &held, &key).await;
        assert!(posted.status.is_success() || posted.status == 409, "{}", posted.text);

        let canaries = [VALUE, PULL, world.admin.reveal(), place.agent.reveal()].map(Canary::new);
        assert_eq!(world.tables_with(&canaries).await, [""; 0]);
        // The same look finds what is there, and what must not be.
        let there = world.tables_with(&[Canary::new("stripe-api-key")]).await;
        for table in ["secret_versions", "bundles"] {
            assert!(there.iter().any(|name| name == table), "{table}: {there:?}");
        }
        world.spoil_secret("registry", VALUE).await;
        assert_eq!(world.tables_with(&canaries).await, ["secret_versions"]);
    }
}
