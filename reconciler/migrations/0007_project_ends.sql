-- A deleted project keeps its history and gives its name back. What is unique of a name is the claim:
-- the name itself, or `deleted ID` once it was deleted, which is no name.
ALTER TABLE projects RENAME COLUMN name TO claimed_name;
ALTER TABLE projects ADD COLUMN name TEXT NOT NULL DEFAULT '';
UPDATE projects SET name = claimed_name;
-- Since when nothing of it is wanted any more; null: it stands.
ALTER TABLE projects ADD COLUMN ended_at BIGINT;
-- Since when nothing of it is in its cluster any more.
ALTER TABLE projects ADD COLUMN deleted_at BIGINT;
