-- Fraud proofs (core/fraud.py) and what follows from them. Watches of before have no envelopes for a proof to
-- repeat: they go; the records that they were about stay claims.
DELETE FROM watches;
ALTER TABLE watches ADD COLUMN announcement BLOB NOT NULL DEFAULT x'';
ALTER TABLE watches ADD COLUMN reveal BLOB NOT NULL DEFAULT x'';
ALTER TABLE watches ADD COLUMN reopened INTEGER NOT NULL DEFAULT 0;

CREATE TABLE proofs (
    key TEXT PRIMARY KEY NOT NULL,
    id TEXT NOT NULL,
    signer TEXT NOT NULL,
    accused TEXT NOT NULL,
    benchmark TEXT NOT NULL,
    task TEXT NOT NULL,
    requester TEXT NOT NULL,
    assignment TEXT NOT NULL,
    reveal TEXT NOT NULL,
    equivalence_class TEXT NOT NULL,
    model TEXT NOT NULL,
    "index" INTEGER NOT NULL,
    row BLOB NOT NULL,
    state TEXT NOT NULL,
    tries INTEGER NOT NULL,
    not_before REAL NOT NULL
) STRICT;

CREATE TABLE convictions (
    key TEXT PRIMARY KEY NOT NULL,
    proof TEXT NOT NULL,
    peer TEXT NOT NULL,
    kind TEXT NOT NULL,
    "where" TEXT NOT NULL,
    at REAL NOT NULL,
    until REAL NOT NULL
) STRICT;
