-- A person's token: who it is, and what of the project they may do (admin, developer, viewer).
ALTER TABLE api_tokens ADD COLUMN person TEXT;
ALTER TABLE api_tokens ADD COLUMN role TEXT;

-- Who approved what a plan does in an environment. It holds for every plan of this effect until one of
-- them is applied.
CREATE TABLE approvals (
    id           TEXT PRIMARY KEY,
    project_id   TEXT NOT NULL REFERENCES projects (id),
    environment  TEXT NOT NULL,
    effect_id    TEXT NOT NULL,
    -- The plan that they looked at.
    plan_id      TEXT NOT NULL,
    -- A person's name, or `token ID` of an administrator.
    approver     TEXT NOT NULL,
    approved_at  BIGINT NOT NULL,
    -- The apply that used it up; an approval is used once.
    consumed_by  TEXT
);

CREATE UNIQUE INDEX approvals_in_force ON approvals (project_id, environment, effect_id, approver)
    WHERE consumed_by IS NULL;
