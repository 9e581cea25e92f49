-- Blind audits: our own before its report, and those of others (core/blind.py).
ALTER TABLE watches ADD COLUMN "commitment" TEXT NOT NULL DEFAULT '';
ALTER TABLE watches ADD COLUMN seen_class TEXT NOT NULL DEFAULT '';
ALTER TABLE watches ADD COLUMN seen TEXT NOT NULL DEFAULT '[]';

CREATE TABLE audits (
    key TEXT PRIMARY KEY NOT NULL,
    record TEXT NOT NULL,
    auditor TEXT NOT NULL,
    "commitment" TEXT NOT NULL,
    digest BLOB NOT NULL,
    report TEXT NOT NULL,
    audited INTEGER NOT NULL,
    differing INTEGER NOT NULL
) STRICT;
