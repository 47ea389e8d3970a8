-- How many units large the load balancer of the cluster's Gateway is; null: nobody says.
ALTER TABLE clusters ADD COLUMN lb_size_units BIGINT;
-- What the agent says of the annotations that it keeps on others' objects.
ALTER TABLE clusters ADD COLUMN agent_annotations TEXT;
