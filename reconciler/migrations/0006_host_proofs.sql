-- When the record that shows a host to be its project's was last seen; NULL: it is not shown to be.
ALTER TABLE hostnames ADD COLUMN verified_at BIGINT;
-- When it was last asked for; NULL: never.
ALTER TABLE hostnames ADD COLUMN checked_at BIGINT;
