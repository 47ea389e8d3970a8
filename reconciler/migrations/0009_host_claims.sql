-- Any number of projects may claim a host; one at most has shown it to be its own (`verified_at`).
CREATE TABLE host_claims (
    host         TEXT NOT NULL,
    project_id   TEXT NOT NULL REFERENCES projects (id),
    created_at   BIGINT NOT NULL,
    verified_at  BIGINT,
    checked_at   BIGINT,
    PRIMARY KEY (host, project_id)
);

INSERT INTO host_claims (host, project_id, created_at, verified_at, checked_at)
SELECT host, project_id, created_at, verified_at, checked_at FROM hostnames;

DROP TABLE hostnames;
ALTER TABLE host_claims RENAME TO hostnames;

CREATE INDEX hostnames_of_project ON hostnames (project_id);
CREATE UNIQUE INDEX hostnames_shown ON hostnames (host) WHERE verified_at IS NOT NULL;
