-- Versions of secrets on this cluster up to here may have been given by a store that was since restored
-- from a backup, which forgot them: those that are given from now on are newer.
ALTER TABLE clusters ADD COLUMN secrets_floor BIGINT NOT NULL DEFAULT 0;
