-- Evidence with two clocks kept apart, and the streak of results accepted: nobody has one yet (trust.md §2, §4).
UPDATE evidence SET evidence = json_object(
    'alpha_days', json_extract(evidence, '$.alpha'), 'beta_days', json_extract(evidence, '$.beta'),
    'alpha_tasks', json_extract(evidence, '$.alpha'), 'beta_tasks', json_extract(evidence, '$.beta'),
    'resolved', json_extract(evidence, '$.resolved'), 'agreed', json_extract(evidence, '$.agreed'),
    'silent', json_extract(evidence, '$.silent'), 'withheld', json_extract(evidence, '$.withheld'),
    'streak', 0,
    'updated', json_extract(evidence, '$.updated'), 'updated_resolved', json_extract(evidence, '$.updated_resolved')
);

ALTER TABLE results ADD COLUMN certified INTEGER NOT NULL DEFAULT 0;
UPDATE results SET certified = 1
WHERE certificate <> 'null' AND (standing <> 'me' OR task IN (SELECT id FROM tasks));

ALTER TABLE tasks ADD COLUMN certify INTEGER NOT NULL DEFAULT 1;
ALTER TABLE tasks ADD COLUMN known TEXT NOT NULL DEFAULT 'null';
ALTER TABLE replicas ADD COLUMN streak INTEGER NOT NULL DEFAULT 0;
ALTER TABLE replicas ADD COLUMN why TEXT NOT NULL DEFAULT '';
ALTER TABLE replicas ADD COLUMN numbers TEXT NOT NULL DEFAULT '[]';

CREATE TABLE local_evidence (
    key TEXT PRIMARY KEY NOT NULL,
    peer TEXT NOT NULL,
    benchmark TEXT NOT NULL,
    evidence TEXT NOT NULL
) STRICT;

CREATE TABLE statements (
    key TEXT PRIMARY KEY NOT NULL,
    id TEXT NOT NULL,
    rater TEXT NOT NULL,
    benchmark TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    entries TEXT NOT NULL,
    received REAL NOT NULL,
    believed INTEGER NOT NULL
) STRICT;

CREATE TABLE pooled (
    key TEXT PRIMARY KEY NOT NULL,
    peer TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    good REAL NOT NULL,
    bad REAL NOT NULL,
    credibility REAL NOT NULL,
    opinion REAL NOT NULL,
    mass REAL NOT NULL,
    reach REAL NOT NULL
) STRICT;

CREATE TABLE history (
    key TEXT PRIMARY KEY NOT NULL,
    peer TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    reputation REAL NOT NULL,
    low REAL NOT NULL,
    high REAL NOT NULL,
    resolved INTEGER NOT NULL
) STRICT;

CREATE TABLE judgements (
    key TEXT PRIMARY KEY NOT NULL,
    peer TEXT NOT NULL,
    trusted INTEGER NOT NULL,
    at REAL NOT NULL,
    until REAL NOT NULL,
    note TEXT NOT NULL
) STRICT;

CREATE TABLE pet_names (
    key TEXT PRIMARY KEY NOT NULL,
    peer TEXT NOT NULL,
    name TEXT NOT NULL
) STRICT;

-- Blind audits for who cannot compute: panels asked here, and requests of others (core/consult_rows.py).
CREATE TABLE panels (
    key TEXT PRIMARY KEY NOT NULL,
    assignment TEXT NOT NULL,
    task TEXT NOT NULL,
    auditors INTEGER NOT NULL,
    each INTEGER NOT NULL,
    bound REAL NOT NULL,
    undetected REAL NOT NULL,
    known INTEGER NOT NULL,
    accepted INTEGER NOT NULL
) STRICT;

CREATE TABLE consults (
    key TEXT PRIMARY KEY NOT NULL,
    request TEXT NOT NULL,
    assignment TEXT NOT NULL,
    task TEXT NOT NULL,
    auditor TEXT NOT NULL,
    round INTEGER NOT NULL,
    disputed INTEGER NOT NULL,
    state TEXT NOT NULL,
    indices TEXT NOT NULL,
    deadline REAL NOT NULL,
    equivalence_class TEXT NOT NULL,
    rows TEXT NOT NULL,
    differing TEXT NOT NULL
) STRICT;

CREATE TABLE inquiries (
    key TEXT PRIMARY KEY NOT NULL,
    request TEXT NOT NULL,
    requester TEXT NOT NULL,
    benchmark TEXT NOT NULL,
    task TEXT NOT NULL,
    model TEXT NOT NULL,
    indices TEXT NOT NULL,
    deadline REAL NOT NULL,
    began REAL NOT NULL
) STRICT;
