"""Every default p2peval has: its value, its unit, and where it comes from.

Sources: "paper" with its name, "measured" (by us, see shared figures or ``make bench``), "spec", or
"guess". A number that appears twice anywhere else is a defect: name it here.
"""

from __future__ import annotations

from typing import Final

# ── network ───────────────────────────────────────────────────────────────────────────────────────
NETWORK_ID: Final = "p2peval-1"  # name; part of every signed object
DIAL_TIMEOUT: Final = 10.0  # seconds for TCP, Noise and Yamux to one address; guess
MAX_CONNECTIONS: Final = 300  # peers connected at once; 90 MB RSS base + ~0.3 MB each (measured)
PENDING_PER_ADDRESS: Final = 16  # inbound handshakes in flight from one IP address; spec (reliability, 9)
HANDSHAKE_TIMEOUT: Final = 5.0  # seconds an inbound connection has for Noise and Yamux; guess
STREAMS_PER_PEER: Final = 64  # inbound streams of one peer open at once, libp2p's own included; guess
STREAM_PATIENCE: Final = 30.0  # seconds for one read_exactly or write on a stream; guess
REQUEST_PATIENCE: Final = 10.0  # seconds for a request to arrive whole, or its reply to be taken; guess
HANDLER_PATIENCE: Final = 60.0  # seconds a request handler may think; guess
FRAME_CHUNK: Final = 64 * 1024  # bytes asked of Yamux at once; its own frame limit
HEARTBEAT_INTERVAL: Final = 10.0  # seconds between our pings of a connected peer; guess
HEARTBEAT_TIMEOUT: Final = 5.0  # seconds to answer one; guess
HEARTBEAT_MISSES: Final = 2  # in a row until a peer counts as frozen and is dropped; guess
REDIAL_FIRST: Final = 1.0  # seconds until a dropped peer is dialled again; doubles; guess
REDIAL_LAST: Final = 60.0  # seconds, the longest pause between dials of one peer; guess
REDIAL_TRIES: Final = 12  # dials of a dropped peer that is no bootstrap peer (about 8 minutes); guess
MAX_ADDRESSES: Final = 8  # addresses kept per peer; guess
MAX_KNOWN_PEERS: Final = 4096  # peers whose addresses are remembered; guess
GOSSIP_MAX_BYTES: Final = 128 * 1024  # bytes; an object and its envelope with room, far under libp2p's 1 MiB
GOSSIP_RATE: Final = 20.0  # messages/s a node publishes; 8 nodes deliver 100/s whole, 200/s no more (measured)
GOSSIP_BURST: Final = 40  # messages at once; guess
DHT_VALUE_BYTES: Final = 4096  # bytes of a DHT record; spec (libp2p.md, 8)
PROVIDE_PAUSE: Final = 1.2  # seconds between provides: receivers take 10 per 10 s from one peer (libp2p.md, 7)
PROVIDE_INTERVAL: Final = 3600.0  # seconds until a key is provided again; libp2p's records live 24 h
PROVIDE_RETRY: Final = 20.0  # seconds until a provide that nobody confirmed is tried again; guess
MAX_PROVIDED: Final = 512  # keys provided by one node: 10 min of pacing; guess
DHT_NEAREST: Final = 20  # peers of a bucket and of an answer: k; libp2p's BUCKET_SIZE
DHT_HOLDERS: Final = 40  # peers nearest a key that are given it and asked: 20 Sybils nearest hide nothing (measured)
DHT_PARALLEL: Final = 10  # queries at once: alpha; libp2p's ALPHA
DHT_PATIENCE: Final = 5.0  # seconds for one peer to answer one question about providers; guess
DHT_HOP_PATIENCE: Final = 2.0  # seconds for one peer to answer on the way to a key; of 20 % mute ones none hides a key
DHT_ROUNDS: Final = 20  # rounds of questions on the way to a key at most; libp2p's MAX_PEER_LOOKUP_ROUNDS
DHT_WAY: Final = 30.0  # seconds after which no further round begins; libp2p (in the code, without a name)
DHT_BUCKETS: Final = 256  # buckets of a routing table at most; libp2p's MAXIMUM_BUCKETS
DHT_PROVIDERS_KEPT: Final = 20  # providers that a peer keeps of one key, the first who came; libp2p's BUCKET_SIZE
DHT_PROVIDER_LIFETIME: Final = 48 * 3600.0  # seconds until a provider is forgotten; libp2p
FOUND_PROVIDERS: Final = 20  # providers that one search returns at most; guess

# ── objects and admission ─────────────────────────────────────────────────────────────────────────
MAX_OBJECT_BYTES: Final = 64 * 1024  # bytes; nothing larger crosses the seam (architecture, rule 3)
CLOCK_SKEW: Final = 600.0  # seconds tolerated either way; spec

# ── verification ──────────────────────────────────────────────────────────────────────────────────
EPSILON: Final = 0.005  # wrong accepts per execution that liars serve, in the long run; spec (trust.md §4)
DELTA: Final = 0.02  # share of outputs a lie must alter to count; spec (trust.md §4)
ATOL: Final = 1e-5  # absolute; worst fp32 relative difference across classes measured 8e-7
RTOL: Final = 1e-5  # relative; same source
MAX_ATOL: Final = 1e-3  # cap that no benchmark may exceed; guess
MAX_RTOL: Final = 1e-3  # same
FRAUD_MARGIN: Final = 100  # tolerances that a fraud proof across classes needs at least; evaluation.md
CONDITION_SHARE: Final = 10  # rounding alone must move less than the margin over this; evaluation.md, rule c
SHAKES: Final = 8  # runs with noise in place of rounding, before anybody is blamed; guess
REHEARSED: Final = 8  # samples tried before a task is announced: 14 batches, 3 s of a small transformer; guess
MAX_FRAUD_MARGIN: Final = 1_000_000  # tolerances; guess
MAX_GROUPS: Final = 64  # groups of samples a benchmark may name; guess
MAX_CONDITIONS: Final = 32  # perturbations a benchmark may declare; guess
MAX_AUDIT_ROWS: Final = 64  # rows an audit report may tell; guess
MAX_PROOF_ROW: Final = 32 * 1024  # bytes of a sample's output that a fraud proof can carry; half an object
MAX_PROOF_PATH: Final = 32  # hashes of a Merkle path: 2^32 samples

# ── blobs ─────────────────────────────────────────────────────────────────────────────────────────
BLOB_CHUNK: Final = 256 * 1024  # bytes; writes of >= 64 KiB reach 65-89 MB/s, 4 KiB only 9 (measured)
BLOB_PARTIAL_KEPT: Final = 7 * 86_400.0  # seconds an unfinished download is kept for going on with it; guess
BLOB_RUN: Final = 16  # chunks (4 MiB) asked for at once; two runs in flight hide the round trip; guess
BLOB_MAX_RUN: Final = 64  # chunks a holder gives for one request; guess
BLOB_MAX_CHUNKS: Final = 65_536  # chunks (16 GiB) of a blob; its hashes are then 2 MiB; guess
BLOB_HOLDERS: Final = 4  # holders asked at the same time for one blob; guess
BLOB_STAGGER: Final = 0.25  # seconds until the next holder is asked too: small blobs need only one; guess
BLOB_STALL: Final = 15.0  # seconds a holder may take for its next chunk; guess
BLOB_REPEAT_AFTER: Final = 3.0  # seconds an idle holder waits before it repeats another's run; guess
BLOB_STREAMS_PER_PEER: Final = 4  # blob streams served to one peer at once; guess
BLOB_STREAMS: Final = 32  # blob streams served at once; each holds up to 3 chunks in memory; guess
BLOB_IDLE: Final = 30.0  # seconds a served stream may stay without a request, or not take a chunk; guess

# ── evaluation ────────────────────────────────────────────────────────────────────────────────────
BATCH: Final = 32  # samples per session run; part of the recipe (measured: byte-equal, evaluation.md)
PROFILE: Final = "all"  # the recipe: "all" optimisations, or "canonical" without any; evaluation.md
MAX_TOML_BYTES: Final = 1024 * 1024  # bytes of a benchmark.toml; 40 000 columns may be named; guess
MAX_DATA_BYTES: Final = 2 * 1024**3  # bytes of a dataset, packed or unpacked; guess
NPY_HEADER: Final = 4096  # bytes before an array's first row at most: 8 sides take 192; numpy.lib.format
PACE_SECONDS: Final = 0.25  # seconds for each self-reported figure of speed; guess
PACE_QUERIES: Final = 200  # runs that such a figure is a quantile of, at most: p99 has two above it; guess
INPUTS_RESIDENT: Final = 64 * 1024**2  # bytes of mapped inputs a worker reads before it lets go of them; guess
MAX_MODEL_NODES: Final = 100_000  # nodes and initialisers of a model, with its subgraphs; guess
MAX_UNPACKED_BYTES: Final = 2 * 1024**3  # bytes of a model's numbers, sparse ones made dense; protobuf's own limit
MAX_GRAPH_DEPTH: Final = 16  # subgraphs within subgraphs; guess
DATA_STEP: Final = 8 * 1024**2  # bytes of a dataset read and written at once; guess
FORTRAN_BYTES: Final = 256 * 1024**2  # bytes of an array by columns, which is turned around in memory; guess
MAX_LEVEL: Final = 1e6  # strength of a perturbation; level_nano stays exact in a float64; computed
MAX_PROBLEM_BYTES: Final = 400  # bytes of one of them, with what stands in the cell; guess
MAX_DATA_PROBLEMS: Final = 20  # problems of a dataset listed at once; guess
DIFFERING_CHECKED: Final = 8  # rows re-run because replicas differ there; spec (trust.md §2)
LIMIT_SECONDS: Final = 60  # seconds a model may run on a benchmark; guess
LIMIT_MEMORY_MB: Final = 2048  # MiB a model may use; guess
LIMIT_MODEL_MB: Final = 64  # MiB of a model file; guess
DATA_MEMORY_MB: Final = 3072  # MiB of addresses to parse a dataset: a mapped file of MAX_DATA_BYTES and 1 GiB; guess
WORKER_SLACK_MB: Final = 256  # MiB of addresses beside a job's own memory and what was mapped at its start; guess
REQUIRE_SANDBOX: Final = False  # most containers lack bubblewrap; missing layers are said; spec (evaluation.md)
ZYGOTE_GRACE: Final = 1.0  # seconds that a zygote gets to end all that it forked, before it is killed; guess
TRIAL_SECONDS: Final = 30.0  # seconds that a worker may take to show that it works; 0.3 (measured), rest slack
LOW_DISK_GB: Final = 1.0  # GB free, below which the disk is as good as full; guess
BWRAP_PROBE: Final = 10.0  # seconds that bubblewrap may take to start something; 0.03 (measured), rest slack
WORKER_FILES: Final = 64  # open files of a worker; guess
WORKER_FRAME: Final = 1024 * 1024  # bytes of a job or an answer on the worker's pipe; guess
WORKER_WORDS: Final = 8 * 1024  # bytes of a worker's reason for failing; 20 problems of 400; guess
WORKER_STDERR: Final = 8 * 1024  # bytes kept of what a worker complains; guess

# ── metrics ───────────────────────────────────────────────────────────────────────────────────────
PROBABILITY_SLACK: Final = 1e-3  # how far a row's probabilities may sum from 1; float32 over 1e5 classes; guess
LOG_LOSS_CLIP: Final = 1e-7  # least probability that log-loss counts: float32 resolves 6e-8 below 1; guess
ECE_BINS: Final = 15  # equal-width bins of the expected calibration error; spec
MAX_REPORTS: Final = 128  # metric reports in one record, groups and conditions included: 13 KB of 64; computed
SAMPLING_LEVEL: Final = 0.95  # of sampling intervals; spec
BOOTSTRAP_RESAMPLES: Final = 1_000  # of a seeded bootstrap; spec
BOOTSTRAP_DRAWS: Final = 50_000_000  # draws of one bootstrap at most: 1 s (measured); larger data have fewer resamples
BOOTSTRAP_LEAST: Final = 50  # resamples below which no interval is said; guess

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
RECORD_REPLICAS: Final = 24  # replicas told in a record: all audited ones (8 in 3 looks), 2 KB each at most; computed
MAX_REVISIONS: Final = 16  # revisions of one record that are kept; guess
MAX_DUTIES: Final = 8  # tasks of others an evaluator has open at once; guess
STRANGERS_PLACES: Final = 4  # of these, to unknown members, while nobody known asks; guess
UNFINISHED_MOST: Final = 4  # tasks of one unmet requester that we did and that have no record yet; guess
UNFINISHED_PAUSE: Final = 60.0  # seconds until such a requester may ask again; guess
KNOWN_LATELY: Final = 600.0  # seconds after a known requester's task for which strangers keep to their share; guess
STRANGERS_SHARE: Final = 0.10  # of one worker's time, to all unknown requesters together; spec (protocol.md)
STRANGERS_BURST: Final = 60.0  # seconds of it that strangers may run ahead of their share; guess
BUSY_PATIENCE: Final = 60.0  # seconds that a requester waits at most because an evaluator says it is busy; guess
COMPUTES: Final = True  # a node runs models unless its operator says that it must not
BACKGROUND_AUDITS: Final = True  # spec (trust.md §1: every node audits what it shows)
BACKGROUND_SHARE: Final = 0.05  # of the time, that background audits work at most, on one core; guess
LONGEST_REST: Final = 6 * 3600.0  # seconds between two background audits at most; guess
WATCH_SAMPLES: Final = 30  # samples re-run of a record that this node did not ask for; spec (trust.md §1)
WATCH_TOP: Final = 20  # lines of a board that are audited in the background; spec (trust.md §1)
WATCH_AGAIN: Final = 3600.0  # seconds until a record whose outputs nobody served is tried again; guess
LABELS_HEADER: Final = 1024  # bytes that a blob of labels may have beside its numbers; NumPy writes 128; guess
WATCH_PAUSE: Final = 10.0  # seconds between two background audits, half to one and a half of it; guess
PROOF_TRIES: Final = 5  # times a fraud proof whose model nobody serves is tried; guess
PROOF_SHARE: Final = 0.2  # of the time, that re-runs of fraud proofs take at most, on one core; guess
PROOFS_HELD: Final = 256  # fraud proofs of all signers that wait to be re-run; guess
PROOFS_WAITING: Final = 8  # fraud proofs of one signer that wait to be re-run; guess
STRANGER_PROOF_PAUSE: Final = 60.0  # seconds between fraud proofs of strangers; spec (protocol.md, budgets)
CONVICTION_DAYS: Final = 180.0  # days that a proof against a peer leaves it no trust; guess (spec: long)
REOPENED: Final = 200  # newest results of a convicted peer that are audited anew; spec (trust.md §2)
MAX_REPORT_ROWS: Final = 32 * 1024  # bytes of rows in an audit report; half an object
ROOT_HONESTY: Final = 0.9  # probability that the audit of a trust root is honest; spec (trust.md §1, its example)
NEWCOMER_SHARE: Final = 0.10  # of places, to newcomers as one arm; trust.md §4 (measured there)

# ── membership and sync ───────────────────────────────────────────────────────────────────────────
SYNC_BUCKETS: Final = 16  # per benchmark and type; guess
SYNC_INTERVAL: Final = 60.0  # seconds between syncs with one random connected peer; spec (after a split ≤ 60 s)
SYNC_ON_JOIN: Final = 4  # connected members whom a newcomer asks at once for what it missed; guess
REFUSED_KEPT: Final = 8192  # ids of refused objects remembered, so that no sync asks for them again; guess
GONE_GRACE: Final = 5.0  # seconds a peer may be away before its open assignments go to others; guess
OBJECT_RETENTION: Final = 30 * 86_400.0  # seconds that what passes between the sides of a task is kept; spec
TIDY_DELAY: Final = 600.0  # seconds after the start until what is too old is forgotten; guess
TIDY_INTERVAL: Final = 86_400.0  # seconds until it is looked for again; guess
PROFILE_INTERVAL: Final = 1800.0  # seconds after which a profile is signed anew; guess
JOIN_PATIENCE: Final = 20.0  # seconds to find a benchmark's spec before join gives up; guess
PROFILE_ADDRESSES: Final = 16  # addresses in one profile; a machine may have more interfaces than that; guess
UNKNOWN_OBJECTS: Final = 20  # objects kept of a signer without a profile; spec
MAX_NAMES: Final = 64  # topic names kept of one author; guess
MAX_MEMBERSHIPS: Final = 256  # benchmarks in one profile; guess

# ── caps on a benchmark ───────────────────────────────────────────────────────────────────────────
MAX_SAMPLES: Final = 100_000_000  # samples; an 8-byte index and an exact certificate stay cheap; guess
MAX_WIDTH: Final = 1 << 24  # numbers per sample, input or output; guess
MAX_CLASSES: Final = 100_000  # class outputs; guess
MAX_SECONDS: Final = 86_400  # seconds an evaluation may be given; guess
MAX_DIFFERING: Final = 64  # indices of differing samples named in a record; guess

# ── wire ──────────────────────────────────────────────────────────────────────────────────────────
MAX_GOSSIP_ENVELOPE: Final = 4096  # bytes; larger objects are announced by a notice; spec (gossip carries ids)
MAX_SYNC_IDS: Final = 2048  # ids in one answer, and bucket digests in one question; guess
MAX_SYNC_REQUEST: Final = 512 * 1024  # bytes; 2048 bucket digests of <= 180 bytes fit; computed
MAX_SYNC_REPLY: Final = 1024 * 1024  # bytes; 16 of the largest objects; guess

# ── what people touch: config.toml, local API, command line ───────────────────────────────────────
LISTEN: Final = ("/ip4/0.0.0.0/tcp/4781",)  # multiaddrs; guess
MAX_PEERS: Final = 200  # connections; members known in full view, spec
EVALUATION_WORKERS: Final = 1  # processes; a volunteer keeps the other cores; guess
EVALUATION_MEMORY_MB: Final = 4096  # MiB for one evaluation, whatever its benchmark asks; guess
EVALUATION_DEADLINE: Final = 3600.0  # seconds for one evaluation, whatever its benchmark asks; guess
QUOTA_GB: Final = 10.0  # GB (1e9 bytes) of blobs; guess
RETENTION_DAYS: Final = 30.0  # days that outputs and models are kept after a task; spec
SOCKET_PATH_BYTES: Final = 103  # bytes; sun_path is 108 on Linux and 104 on macOS, with its NUL; spec
API_BODY_BYTES: Final = 64 * 1024  # bytes of a request; requests hold names and paths, never data; guess
API_PING: Final = 5.0  # seconds between comments on an idle event stream, so that a dead end is noticed; guess
API_GRACE: Final = 1.0  # seconds that open requests get when the daemon stops (it has 5 in all); guess
CONNECT_TIMEOUT: Final = 5.0  # seconds for the command line to reach the daemon; guess
STOP_PATIENCE: Final = 15.0  # seconds that `p2peval stop` waits for the daemon to be gone; guess

# ── reports ───────────────────────────────────────────────────────────────────────────────────────
MAX_REPORT_BYTES: Final = 1024 * 1024  # bytes of a report file: two objects in base64 and decoded; computed
MAX_VERIFY_FILES: Final = 10_000  # files looked at in the folders given to `eval verify`; guess
METRIC_ATOL: Final = 2e-9  # absolute difference allowed to a metric computed anew; spec (evaluation.md)
METRIC_RTOL: Final = 1e-9  # relative; same source

# ── the daemon's shell ────────────────────────────────────────────────────────────────────────────
INBOX_KNOWN: Final = 2048  # events of known peers waiting; guess
INBOX_UNKNOWN: Final = 512  # events of strangers waiting; guess
COMMIT_BATCH: Final = 64  # events in one transaction: group commit; 6k commits/s singly (measured)
READ_ONLY_PROBE: Final = 2.0  # seconds between tries to write to a full disk; guess
FEED_KEPT: Final = 10_000  # events remembered for late readers; guess
FEED_BEHIND: Final = 1_000  # events a reader may fall behind; guess
MAX_GET_IDS: Final = 64  # ids asked for in one sync request; proto/p2peval.proto, Get
PULL_TRIES: Final = 3  # times a noticed object is asked for; sync brings it otherwise; guess
PULLS_AT_ONCE: Final = 16  # pulls under way; a flood of notices waits in line; guess
DIALS_AT_ONCE: Final = 8  # peers dialled at the same time; guess
TASK_TIMEOUT: Final = 10.0  # seconds for one task message and its ack; guess
RETRY_FIRST: Final = 0.5  # seconds before the first retry of a delivery; guess
RETRY_MOST: Final = 5.0  # seconds between retries at most; guess
RESUME_GRACE: Final = 5.0  # seconds that an effect performed again after its time gets to find its peer; guess
FETCH_RETRY: Final = 30.0  # seconds between tries to find a blob nobody served; guess
FIND_AGAIN: Final = 2.0  # seconds between look-ups while a benchmark is wanted: a new node knows few peers; guess
FIND_TIMEOUT: Final = 8.0  # seconds for a look-up in the DHT (p99 0.5 s at 24 nodes, measured)
DRAIN_SECONDS: Final = 3.0  # seconds that SIGTERM leaves for what is under way; spec (< 5 s in all)
FETCH_STALL: Final = 600.0  # seconds for one try to fetch a blob from its holders; guess
PREPARE_SECONDS: Final = 600.0  # seconds to parse a benchmark's own data before publishing; guess
WORKER_GRACE: Final = 10.0  # seconds beside a benchmark's limit for scoring and intervals; guess
PEER_SUFFIX: Final = 4  # characters of a peer id that name it at least; spec
REF_PREFIX: Final = 10  # characters of a CID that name it at least: the first 7 are the same for all; guess
DATA_PATIENCE: Final = 60.0  # seconds that `eval run` waits for a benchmark's data to arrive; guess

# ── demo ──────────────────────────────────────────────────────────────────────────────────────────
DEMO_START: Final = 60.0  # seconds a daemon may take to be ready; 2-4 on two busy cores (measured), rest slack
DEMO_PATIENCE: Final = 60.0  # seconds for each thing that the demo waits for; the slowest takes 3 (measured)

# ── whom to believe, and how much to check (trust.md §3, §4) ──────────────────────────────────────
ALWAYS_CERTIFIED: Final = 50_000  # samples from which every number is certified: it costs ~1 %; spec
OPINIONS: Final = ("p2peval", "none", "own", "eigentrust", "meritrank", "yuma")  # rules for whom to ask
CHECKINGS: Final = ("audit", "quorum-2", "quorum-3", "boinc", "sarmenta", "none")  # rules for how much to check
OPINION: Final = "p2peval"  # rule for whom to ask; the others are baselines (trust/policies.py)
CHECKING: Final = "audit"  # rule for how much to check; likewise
EPOCH: Final = 3600.0  # seconds between two trust statements, and recomputations of reputation; guess
MAX_ENTRIES: Final = 256  # peers in one trust statement: 17 KB of 64; computed
STATEMENTS_KEPT: Final = 4096  # statements held of one benchmark: 70 MB at their largest; guess
STRANGE_STATEMENTS: Final = 512  # of these, of raters in whom nothing speaks for them; guess
STATEMENT_LIFETIME: Final = 30 * 86_400.0  # seconds until a statement that was not renewed is forgotten; spec
HISTORY_KEPT: Final = 168  # epochs of a peer's reputation that are remembered: a week; guess
HISTORY_STEP: Final = 0.005  # change of a reputation that is worth another point in its history; guess
REACHED_EXACTLY: Final = 128  # peers of most reputation mass whose reach is solved for: 0.2 s at 10k (measured)
POOL_PAUSE: Final = 10.0  # seconds between two recomputations of reputation that no epoch's end asks for; guess
LONGEST_JUDGEMENT: Final = 3650 * 86_400.0  # seconds that an operator's word on a peer counts at most; guess
PRE_TRUST: Final = 0.3  # a, the weight of pre-trusted peers in each step; spec (0.3 to 0.5)
SELF_SHARE: Final = 0.8  # of pre-trust that is this node's own, where it has trust roots; spec
ROW_SLACK: Final = 1.0  # w₀, the weight that a whole row of local trust must reach to leave no slack; spec
RESIDUAL: Final = 1e-8  # L1 change at which reputation has converged; spec (float32 stalls near 5e-8)
MAX_STEPS: Final = 10_000  # passes over all edges at most; 52 reach RESIDUAL at a = 0.3, 1833 at 0.01 (computed)
REPAIRED_WITHIN: Final = 1e-7  # L1 distance of repaired reputation from that computed anew, at most; spec
REPAIR_SHARE: Final = 0.02  # of all edges that a repair may walk before a sweep over all is cheaper; guess
REPAIR_LEAST: Final = 100_000  # edges that a repair may walk in any case: 1 ms; guess
REACH_AT_ONCE: Final = 2000  # peers up to which reach is solved for all at once: 0.6 to 0.9 s, busy (measured)
RATER_CAP: Final = 3.0  # counts that one rater may say of one peer at most; trust.md §3 (ablated there)
RATER_SHARE: Final = 0.5  # weight of a credible rater's count beside one of one's own; spec
PRIOR_COUNTS: Final = 2.0  # outcomes that the success rate with strangers weighs as; spec
APART: Final = 0.05  # posterior means' distance from which a claim differs from the consensus; measured (0 to 0.3)
POOL_CAP: Final = 10.0  # counts of all raters together on one peer: Sybils' most; costs honest ones 0 (measured)
CREDIBILITY_PRIOR: Final = 5.0  # peers that a rater must be compared on to earn half its credibility; spec
PATHS_SHOWN: Final = 3  # chains of trust in an explanation; guess
PATH_HOPS: Final = 4  # links of a chain at most; guess
EIGENTRUST_PRE_TRUST: Final = 0.2  # a of the baseline; Kamvar 2003's simulations (trust.md §5)
MERITRANK_ALPHA: Final = 0.15  # probability that a walk ends before a step; its authors' code
MERITRANK_BETA: Final = 0.5  # of reputation lost behind a bridge; guess (the paper leaves it to the use)
MERITRANK_BRIDGE: Final = 0.95  # share of walks to a peer that make another its bridge; TrustChain (their group)
MERITRANK_WALKS: Final = 1000  # walks: standard error <= 0.016; guess
MERITRANK_STEPS: Final = 16  # steps of a walk at most: 7 % of them would go on; guess
MERITRANK_SEED: Final = 20_220_720  # of the walks' randomness; any will do
YUMA_KAPPA: Final = 0.5  # share of stake that makes a consensus; Subtensor's default
CANDIDATES: Final = 8  # available evaluators of which the best opinion is asked; spec
OTHER_CLASS_COST: Final = 0.05  # of the best opinion, that another class may cost: doubt costs a second replica; guess
OPEN_COST: Final = 0.05  # of the best opinion, for each of our tasks that an evaluator still has; guess
SILENCE_COST: Final = 0.10  # of the best opinion, for who never answers: it costs time, and no error; guess
HONEST_SHARE: Final = 0.65  # h, of blind auditors' weight, for who cannot compute itself; spec
MAX_CONSULTED: Final = 256  # samples that one auditor is asked for at once: 10 KB of rows of ten classes; guess
MAX_ROUNDS: Final = 4096  # requests to one auditor about one task; guess
OVERRULED_DAYS: Final = 30.0  # days that an auditor is not asked again whose objection others overruled; guess
INQUIRIES: Final = 8  # requests of others for blind audits that a node has open at once; guess
INQUIRIES_EACH: Final = 2  # of one requester; guess
AUDITORS_LEAST: Final = 10  # blind auditors of an identity without a streak; spec
AUDITORS_MOST: Final = 32  # blind auditors of one result; guess
AUDITOR_SAMPLES: Final = 64  # samples that one blind auditor re-runs at most; keeps a request and its rows small
SARMENTA_FAULTY: Final = 0.2  # f, faulty workers that the baseline "sarmenta" assumes; guess (his largest example)
SARMENTA_SPOT_CHECKS: Final = 0.1  # q, of answers that it spot-checks; Sarmenta 2002
AUDITOR_OVERHEAD: Final = 2  # samples that asking one more blind auditor is worth; guess

# ── evidence (trust.md §2) ────────────────────────────────────────────────────────────────────────
HALF_LIFE_DAYS: Final = 30.0  # days, of agreement; spec
HALF_LIFE_RESOLVED: Final = 50.0  # resolved tasks, of agreement; the longer of both counts; spec
BETA_SLOWER: Final = 4.0  # factor by which disagreement fades slower; spec
ALPHA_CAP: Final = 50.0  # agreements that count at most; spec
WITHHELD_BETA: Final = 0.25  # disagreements that one unrevealed commitment counts; spec
LOWER_QUANTILE: Final = 0.10  # of the posterior, for weights; spec
RETENTION_CHECK: Final = 6 * 3600.0  # seconds between looks for blobs past their retention time; guess
