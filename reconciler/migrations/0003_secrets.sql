-- Secrets: names and versions in the clear, values under keys that the store does not hold. The scope
-- is `environment/<project id>/<environment>` or `cluster/<cluster id>`.
CREATE TABLE secrets (
    scope   TEXT NOT NULL,
    name    TEXT NOT NULL,
    -- The newest version that was ever given; never goes down, so that no version means two values.
    newest  BIGINT NOT NULL,
    -- The oldest version whose value is kept; null: all were removed.
    since   BIGINT,
    PRIMARY KEY (scope, name)
);

CREATE TABLE secret_versions (
    scope        TEXT NOT NULL,
    name         TEXT NOT NULL,
    version      BIGINT NOT NULL,
    -- Which key of the secrets key file wraps the data key.
    key_id       TEXT NOT NULL,
    -- Base64 of nonce, ciphertext and tag (AES-256-GCM): the data key, and the value under it.
    wrapped_key  TEXT NOT NULL,
    ciphertext   TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    -- Who: the id of a token; null: generated.
    created_by   TEXT,
    PRIMARY KEY (scope, name, version),
    FOREIGN KEY (scope, name) REFERENCES secrets (scope, name)
);

CREATE INDEX secret_versions_of_key ON secret_versions (key_id);

-- The X25519 public key that the cluster's agent posted first; values are sealed to no other.
ALTER TABLE clusters ADD COLUMN agent_key TEXT;
