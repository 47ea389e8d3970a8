-- One schema for SQLite and Postgres: text and 64-bit integers only. Moments are milliseconds since
-- 1970 (UTC), documents are JSON text, digests are `sha256:<hex>`, flags are 0 or 1.

CREATE TABLE workspaces (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    tier        TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TABLE clusters (
    id                 TEXT PRIMARY KEY,
    name               TEXT NOT NULL UNIQUE,
    profile            TEXT NOT NULL,
    -- The current generation; its document stands in `generations`.
    generation         BIGINT NOT NULL,
    -- Goes up with every accept and every report; whoever waits for either compares it.
    changes            BIGINT NOT NULL,
    created_at         BIGINT NOT NULL,
    -- The one agent instance that may work, until when.
    agent_instance     TEXT,
    agent_lease_until  BIGINT,
    agent_seen_at      BIGINT
);

CREATE TABLE projects (
    id            TEXT PRIMARY KEY,
    workspace_id  TEXT NOT NULL REFERENCES workspaces (id),
    -- A project is pinned to its cluster.
    cluster_id    TEXT NOT NULL REFERENCES clusters (id),
    name          TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    UNIQUE (workspace_id, name)
);

-- An environment is known from its first accepted plan on.
CREATE TABLE environments (
    project_id           TEXT NOT NULL REFERENCES projects (id),
    name                 TEXT NOT NULL,
    protect              BIGINT NOT NULL,
    ephemeral            BIGINT NOT NULL,
    -- Number of the newest report; 0: none.
    report_number        BIGINT NOT NULL,
    reported_generation  BIGINT,
    reported_finished    BIGINT,
    reported_at          BIGINT,
    -- The highest generation that a finished report without a failure was about.
    converged_generation BIGINT,
    PRIMARY KEY (project_id, name)
);

-- Index documents, kept for ever: history and rollback read them.
CREATE TABLE generations (
    cluster_id  TEXT NOT NULL REFERENCES clusters (id),
    generation  BIGINT NOT NULL,
    digest      TEXT NOT NULL,
    document    TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (cluster_id, generation)
);

-- Immutable, by content.
CREATE TABLE bundles (
    digest      TEXT PRIMARY KEY,
    project_id  TEXT NOT NULL REFERENCES projects (id),
    document    TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);

-- What a cluster's agent may fetch: every bundle that was ever accepted for the cluster.
CREATE TABLE cluster_bundles (
    cluster_id  TEXT NOT NULL REFERENCES clusters (id),
    digest      TEXT NOT NULL REFERENCES bundles (digest),
    PRIMARY KEY (cluster_id, digest)
);

CREATE TABLE plans (
    plan_id             TEXT NOT NULL,
    project_id          TEXT NOT NULL REFERENCES projects (id),
    environment         TEXT NOT NULL,
    document            TEXT NOT NULL,
    environment_bundle  TEXT NOT NULL REFERENCES bundles (digest),
    project_bundle      TEXT NOT NULL REFERENCES bundles (digest),
    created_at          BIGINT NOT NULL,
    created_by          TEXT NOT NULL,
    -- The apply that accepted it; a plan is accepted once.
    consumed_by         TEXT,
    PRIMARY KEY (plan_id, project_id)
);

CREATE TABLE applies (
    id             TEXT PRIMARY KEY,
    cluster_id     TEXT NOT NULL REFERENCES clusters (id),
    project_id     TEXT NOT NULL REFERENCES projects (id),
    environment    TEXT NOT NULL,
    plan_id        TEXT NOT NULL,
    revision       TEXT,
    summary        TEXT NOT NULL,
    generation     BIGINT NOT NULL,
    -- pending, progressing, converged, partial
    state          TEXT NOT NULL,
    created_at     BIGINT NOT NULL,
    created_by     TEXT NOT NULL,
    finished_at    BIGINT,
    -- Number of the report that finished it.
    finished_by    BIGINT
);

CREATE INDEX applies_of_environment ON applies (project_id, environment, generation);

-- Numbered per environment from 1, in the order of arrival.
CREATE TABLE reports (
    project_id   TEXT NOT NULL REFERENCES projects (id),
    environment  TEXT NOT NULL,
    number       BIGINT NOT NULL,
    instance     TEXT NOT NULL,
    sequence     BIGINT NOT NULL,
    generation   BIGINT NOT NULL,
    finished     BIGINT NOT NULL,
    document     TEXT NOT NULL,
    received_at  BIGINT NOT NULL,
    PRIMARY KEY (project_id, environment, number)
);

CREATE INDEX reports_of_instance ON reports (project_id, environment, instance, sequence);

CREATE TABLE service_status (
    project_id   TEXT NOT NULL REFERENCES projects (id),
    environment  TEXT NOT NULL,
    service_id   TEXT NOT NULL,
    name         TEXT NOT NULL,
    health       TEXT NOT NULL,
    reason       TEXT,
    generation   BIGINT NOT NULL,
    reported_at  BIGINT NOT NULL,
    PRIMARY KEY (project_id, environment, service_id)
);

CREATE TABLE api_tokens (
    id            TEXT PRIMARY KEY,
    -- admin, ci, cluster
    kind          TEXT NOT NULL,
    -- SHA-256 of the whole token, 64 hex digits.
    hash          TEXT NOT NULL,
    project_id    TEXT REFERENCES projects (id),
    -- JSON list of names; null: all.
    environments  TEXT,
    cluster_id    TEXT REFERENCES clusters (id),
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT,
    revoked_at    BIGINT,
    last_used_at  BIGINT
);

CREATE TABLE audit_log (
    id         TEXT PRIMARY KEY,
    at         BIGINT NOT NULL,
    -- Who: the id of a token.
    actor      TEXT NOT NULL,
    action     TEXT NOT NULL,
    resource   TEXT NOT NULL,
    before     TEXT,
    after      TEXT
);

CREATE TABLE idempotency_keys (
    actor       TEXT NOT NULL,
    key         TEXT NOT NULL,
    -- What was asked for; the same key with another operation is refused.
    operation   TEXT NOT NULL,
    -- The id of what it made.
    resource    TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (actor, key)
);
