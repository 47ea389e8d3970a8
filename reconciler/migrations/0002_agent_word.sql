-- What a cluster's agent said when it last asked: the generation that it has acted upon, and why it
-- refuses what it is served, if it does.
ALTER TABLE clusters ADD COLUMN agent_generation BIGINT;
ALTER TABLE clusters ADD COLUMN agent_refuses TEXT;
