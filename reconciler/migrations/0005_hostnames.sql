-- One owner for each host in the whole control plane, first come; `*.` before a host that stands for
-- every host below it.
CREATE TABLE hostnames (
    host        TEXT PRIMARY KEY,
    project_id  TEXT NOT NULL REFERENCES projects (id),
    created_at  BIGINT NOT NULL
);

CREATE INDEX hostnames_of_project ON hostnames (project_id);

-- One row, which whoever claims hosts updates first: claims follow one another, also where the hosts
-- are not equal but one lies below the other.
CREATE TABLE hostname_turns (
    turns  BIGINT NOT NULL
);

INSERT INTO hostname_turns (turns) VALUES (0);
