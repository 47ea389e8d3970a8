-- When the cluster's agent last asked what it should verify; an older agent never does.
ALTER TABLE clusters ADD COLUMN verifies_at BIGINT;

-- Whether the cluster's own API server would take what a plan writes: asked of its agent, beside the plan.
CREATE TABLE verifications (
    plan_id     TEXT NOT NULL,
    project_id  TEXT NOT NULL REFERENCES projects (id),
    -- Of one question; a plan that is made again asks again.
    id          TEXT NOT NULL UNIQUE,
    cluster_id  TEXT NOT NULL REFERENCES clusters (id),
    asked_at    BIGINT NOT NULL,
    -- After that the agent is asked no more.
    expires_at  BIGINT NOT NULL,
    answered_at BIGINT,
    -- JSON, as the agent sent it.
    verdicts    TEXT,
    PRIMARY KEY (plan_id, project_id)
);

CREATE INDEX verifications_open ON verifications (cluster_id, asked_at) WHERE answered_at IS NULL;
