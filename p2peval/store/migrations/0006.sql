-- What evaluators report of their own speed, beside what the requester checked.
ALTER TABLE replicas ADD COLUMN efficiency TEXT NOT NULL DEFAULT 'null';
