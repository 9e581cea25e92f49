-- Schema 1: one table for each row type of core/state.py, columns named as its fields; what is nested
-- there is JSON text here. Rows are ordered by rowid, the order of their first insertion.

CREATE TABLE objects (
    key TEXT PRIMARY KEY NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    signer TEXT NOT NULL,
    benchmark TEXT NOT NULL,
    slot TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    received REAL NOT NULL,
    envelope BLOB NOT NULL
) STRICT;

CREATE TABLE names (
    key TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    author TEXT NOT NULL,
    title TEXT NOT NULL,
    benchmark TEXT NOT NULL,
    sequence INTEGER NOT NULL
) STRICT;

CREATE TABLE benchmarks (
    key TEXT PRIMARY KEY NOT NULL,
    id TEXT NOT NULL,
    spec TEXT NOT NULL,
    joined INTEGER NOT NULL,
    evaluates INTEGER NOT NULL,
    requests INTEGER NOT NULL
) STRICT;

CREATE TABLE wanted (
    key TEXT PRIMARY KEY NOT NULL,
    id TEXT NOT NULL,
    evaluates INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    reply_id TEXT NOT NULL,
    deadline REAL NOT NULL
) STRICT;

CREATE TABLE peers (
    key TEXT PRIMARY KEY NOT NULL,
    peer TEXT NOT NULL,
    name TEXT NOT NULL,
    addresses TEXT NOT NULL,
    classes TEXT NOT NULL,
    memberships TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    seen REAL NOT NULL
) STRICT;

CREATE TABLE tasks (
    key TEXT PRIMARY KEY NOT NULL,
    id TEXT NOT NULL,
    benchmark TEXT NOT NULL,
    model TEXT NOT NULL,
    model_name TEXT NOT NULL,
    epsilon_nano INTEGER NOT NULL,
    delta_nano INTEGER NOT NULL,
    replicas INTEGER NOT NULL,
    created REAL NOT NULL,
    expires REAL NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    looks INTEGER NOT NULL,
    deadline REAL NOT NULL,
    generation INTEGER NOT NULL,
    reason TEXT NOT NULL,
    record TEXT NOT NULL,
    announcement BLOB NOT NULL
) STRICT;

CREATE TABLE offers (
    key TEXT PRIMARY KEY NOT NULL,
    task TEXT NOT NULL,
    peer TEXT NOT NULL,
    equivalence_class TEXT NOT NULL,
    expires REAL NOT NULL,
    declined TEXT NOT NULL
) STRICT;

CREATE TABLE replicas (
    key TEXT PRIMARY KEY NOT NULL,
    id TEXT NOT NULL,
    task TEXT NOT NULL,
    peer TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    state TEXT NOT NULL,
    assignment BLOB NOT NULL,
    commitment_id TEXT NOT NULL,
    commitment_digest BLOB NOT NULL,
    commitment BLOB NOT NULL,
    commitment_set BLOB NOT NULL,
    reveal BLOB NOT NULL,
    equivalence_class TEXT NOT NULL,
    root BLOB NOT NULL,
    outputs TEXT NOT NULL,
    drawn INTEGER NOT NULL,
    audited INTEGER NOT NULL,
    differing TEXT NOT NULL,
    metrics TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;

CREATE TABLE duties (
    key TEXT PRIMARY KEY NOT NULL,
    task TEXT NOT NULL,
    requester TEXT NOT NULL,
    benchmark TEXT NOT NULL,
    model TEXT NOT NULL,
    model_name TEXT NOT NULL,
    state TEXT NOT NULL,
    assignment TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    deadline REAL NOT NULL,
    generation INTEGER NOT NULL,
    equivalence_class TEXT NOT NULL,
    root BLOB NOT NULL,
    outputs TEXT NOT NULL,
    efficiency TEXT NOT NULL,
    commitment_id TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;

CREATE TABLE results (
    key TEXT PRIMARY KEY NOT NULL,
    task TEXT NOT NULL,
    record TEXT NOT NULL,
    revision INTEGER NOT NULL,
    benchmark TEXT NOT NULL,
    model TEXT NOT NULL,
    model_name TEXT NOT NULL,
    requester TEXT NOT NULL,
    evaluator TEXT NOT NULL,
    evaluators TEXT NOT NULL,
    accepted INTEGER NOT NULL,
    metrics TEXT NOT NULL,
    certificate TEXT NOT NULL,
    standing TEXT NOT NULL,
    finished REAL NOT NULL
) STRICT;

CREATE TABLE evidence (
    key TEXT PRIMARY KEY NOT NULL,
    peer TEXT NOT NULL,
    evidence TEXT NOT NULL
) STRICT;

CREATE TABLE counters (
    key TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    value INTEGER NOT NULL
) STRICT;

-- Effects to perform, oldest first; seq never repeats, so their order survives deletions.
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
