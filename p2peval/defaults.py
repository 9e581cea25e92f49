"""Every default p2peval has: its value, its unit, and where it comes from.

Sources: "paper" with its name, "measured" (by us, see shared figures or ``make bench``), "spec", or
"guess". A number that appears twice anywhere else is a defect: name it here.
"""

from __future__ import annotations

from typing import Final

# ── network ───────────────────────────────────────────────────────────────────────────────────────
NETWORK_ID: Final = "p2peval-1"  # name; part of every signed object

# ── objects and admission ─────────────────────────────────────────────────────────────────────────
MAX_OBJECT_BYTES: Final = 64 * 1024  # bytes; nothing larger crosses the seam (architecture, rule 3)
CLOCK_SKEW: Final = 600.0  # seconds tolerated either way; spec

# ── verification ──────────────────────────────────────────────────────────────────────────────────
EPSILON: Final = 0.01  # probability that a lie escapes; spec
DELTA: Final = 0.01  # share of outputs a lie must alter to count; spec
ATOL: Final = 1e-5  # absolute; worst fp32 relative difference across classes measured 8e-7
RTOL: Final = 1e-5  # relative; same source
MAX_ATOL: Final = 1e-3  # cap that no benchmark may exceed; guess
MAX_RTOL: Final = 1e-3  # same

# ── blobs ─────────────────────────────────────────────────────────────────────────────────────────
BLOB_CHUNK: Final = 256 * 1024  # bytes; writes of >= 64 KiB reach 65-89 MB/s, 4 KiB only 9 (measured)

# ── evaluation ────────────────────────────────────────────────────────────────────────────────────
BATCH: Final = 32  # samples per session run; part of the recipe (measured: byte-equal, evaluation.md)

# ── tasks ─────────────────────────────────────────────────────────────────────────────────────────
OFFER_WINDOW: Final = 2.0  # seconds to collect offers when not everyone known has answered; guess
OFFER_LIFETIME: Final = 120.0  # seconds an offer binds its evaluator; guess
MAX_OFFERS: Final = 32  # offers kept per task; spec
REANNOUNCE_AFTER: Final = 15.0  # seconds without an offer before the same announcement is sent again; guess
TASK_LIFETIME: Final = 7 * 86_400.0  # seconds until an announcement expires: five friends sleep; spec (days)
COMMIT_GRACE: Final = 10.0  # seconds beside the benchmark's own limit, for fetching and hashing; guess
FETCH_RATE: Final = 1_000_000  # bytes/s assumed when a window must cover a download; guess
ASSIGN_PATIENCE: Final = 8.0  # seconds to deliver an assignment before another evaluator is asked; guess
REVEAL_WINDOW: Final = 20.0  # seconds from the commitment set to a reveal; guess
DELIVER_PATIENCE: Final = 600.0  # seconds to retry a commitment or reveal: a requester may restart; guess
OUTPUTS_PATIENCE: Final = 60.0  # seconds to fetch revealed outputs before they count as withheld; guess
MAX_ATTEMPTS: Final = 3  # rounds of evaluators for a task; guess
MAX_REPLICAS: Final = 8  # replicas a task may ask for; keeps a record under 64 KiB
MAX_DUTIES: Final = 8  # tasks of others an evaluator has open at once; guess
NEWCOMER_SHARE: Final = 0.10  # of places, to newcomers as one arm; trust.md §4 (measured there)

# ── membership and sync ───────────────────────────────────────────────────────────────────────────
SYNC_BUCKETS: Final = 16  # per benchmark and type; guess
SYNC_INTERVAL: Final = 60.0  # seconds between syncs with one random connected peer; spec (after a split ≤ 60 s)
PROFILE_INTERVAL: Final = 1800.0  # seconds after which a profile is signed anew; guess
JOIN_PATIENCE: Final = 20.0  # seconds to find a benchmark's spec before join gives up; guess
UNKNOWN_OBJECTS: Final = 20  # objects kept of a signer without a profile; spec
MAX_MEMBERSHIPS: Final = 256  # benchmarks in one profile; guess

# ── caps on a benchmark ───────────────────────────────────────────────────────────────────────────
MAX_SAMPLES: Final = 100_000_000  # samples; an 8-byte index and an exact certificate stay cheap; guess
MAX_WIDTH: Final = 1 << 24  # numbers per sample, input or output; guess
MAX_CLASSES: Final = 100_000  # class outputs; guess
MAX_SECONDS: Final = 86_400  # seconds an evaluation may be given; guess
MAX_DIFFERING: Final = 64  # indices of differing samples named in a record; guess
