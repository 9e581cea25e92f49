-- Background audits of records that others published (core/watch.py).
CREATE TABLE watches (
    key TEXT PRIMARY KEY NOT NULL,
    task TEXT NOT NULL,
    record TEXT NOT NULL,
    benchmark TEXT NOT NULL,
    assignment TEXT NOT NULL,
    evaluator TEXT NOT NULL,
    requester TEXT NOT NULL,
    model TEXT NOT NULL,
    outputs TEXT NOT NULL,
    root BLOB NOT NULL,
    delta_nano INTEGER NOT NULL,
    state TEXT NOT NULL,
    not_before REAL NOT NULL
) STRICT;
