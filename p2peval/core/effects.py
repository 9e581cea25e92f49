"""What a node wants done. The shell performs them after the commit, in order.

EXTERNAL effects are kept in the outbox until they are done, so that a crash repeats them: at least
once, under the same id, towards receivers that are idempotent. The others are re-created by
``Node.resume`` or repaired by sync, and may be lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from p2peval.core.messages import BenchmarkSpec
from p2peval.core.parts import Blob
from p2peval.core.types import AssignmentId, BenchmarkId, ObjectId, PeerId, Seconds, TaskId

# ── kept in the outbox ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Publish:
    """Gossip an object on a benchmark's topic ("" is the directory)."""

    id: str
    benchmark: BenchmarkId
    type: str
    object: ObjectId
    envelope: bytes


@dataclass(frozen=True, slots=True)
class Send:
    """Deliver an envelope to one peer, retrying until it acknowledges or ``until`` has passed."""

    id: str
    peer: PeerId
    about: str
    envelope: bytes
    until: Seconds


@dataclass(frozen=True, slots=True)
class FetchBlob:
    """Answers with BlobReady or BlobFailed. ``holders`` are asked first, then the DHT's providers."""

    id: str
    blob: Blob
    holders: tuple[PeerId, ...]
    until: Seconds


@dataclass(frozen=True, slots=True)
class RunEvaluation:
    """Answers with EvaluationFinished or EvaluationFailed. ``requester``: None in one that an older version wrote."""

    id: str
    task: TaskId
    assignment: AssignmentId
    spec: BenchmarkSpec
    model: Blob
    requester: PeerId | None = None


@dataclass(frozen=True, slots=True)
class Compare:
    """Audit ``outputs`` of ``evaluator`` at ``drawn`` samples; answers ComparisonFinished or -Failed.

    ``equivalence_class``: that in which the evaluator says it ran. ``drawn`` 0: nothing is run; the answer says whether
    these are the outputs committed to, and their metrics. ``known``: right ones, to compare them with in full then.
    """

    id: str
    task: TaskId
    assignment: AssignmentId
    evaluator: PeerId
    spec: BenchmarkSpec
    model: Blob
    outputs: Blob
    root: bytes
    equivalence_class: str
    others: tuple[Blob, ...]
    nonce: bytes
    drawn: int
    delta_nano: int
    known: Blob | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Run the model at ``indices`` alone, without a look at anybody's outputs; answers Sampled or JobFailed."""

    id: str
    spec: BenchmarkSpec
    model: Blob
    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Read the rows ``indices`` of ``outputs``, each of ``row_bytes``; answers Excerpted or JobFailed."""

    id: str
    outputs: Blob
    row_bytes: int
    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Prove:
    """Of the ``differing`` samples, take that which speaks plainest, with its Merkle path, out of ``outputs``.

    ``rerun`` False: this node cannot run the model, and takes the first. ``announcement`` and ``reveal`` are the
    envelopes that the proof will repeat. Answers Proven or JobFailed.
    """

    id: str
    benchmark: BenchmarkId
    task: TaskId
    assignment: AssignmentId
    evaluator: PeerId
    spec: BenchmarkSpec
    model: Blob
    outputs: Blob
    equivalence_class: str
    differing: tuple[int, ...]
    announcement: bytes
    reveal: bytes
    rerun: bool = True


@dataclass(frozen=True, slots=True)
class Settle:
    """Re-run one sample, of which ``row`` was claimed in ``equivalence_class``; answers Settled or JobFailed."""

    id: str
    spec: BenchmarkSpec
    model: Blob
    index: int
    row: bytes
    equivalence_class: str


@dataclass(frozen=True, slots=True)
class Recall:
    """Read the envelope of an object that is held; answers Recalled, with ``beside`` as it is."""

    id: str
    object: ObjectId
    beside: bytes


External = Publish | Send | FetchBlob | RunEvaluation | Compare | Sample | Excerpt | Prove | Settle | Recall
EXTERNAL: tuple[type, ...] = get_args(External)

# ── not kept ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SetTimer:
    """At ``at``, or at once if that has passed: TimerExpired(key, generation). Replaces an older one."""

    key: str
    at: Seconds
    generation: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Give up these external effects, where they are still under way: nobody wants their answer any more."""

    effects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pull:
    """Fetch these objects from ``peer``; each comes back as MessageReceived."""

    peer: PeerId
    ids: tuple[ObjectId, ...]


@dataclass(frozen=True, slots=True)
class SyncWith:
    """Compare digests with ``peer`` and pull what is missing."""

    peer: PeerId
    benchmarks: tuple[BenchmarkId, ...]


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Listen to a benchmark's topic and tell the DHT that we are a member."""

    benchmark: BenchmarkId


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    benchmark: BenchmarkId


@dataclass(frozen=True, slots=True)
class FindMembers:
    """Look members of a benchmark up in the DHT, connect, and sync with them."""

    benchmark: BenchmarkId


@dataclass(frozen=True, slots=True)
class Learn:
    """Where a peer can be dialled. ``meet``: connect to it, for we share a benchmark."""

    peer: PeerId
    addresses: tuple[str, ...]
    meet: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """Answers a Command or a MessageReceived. ``error`` is "" or a short reason code."""

    reply_id: str
    subject: str
    error: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Notify:
    """One line of the event feed: what happened (``kind``), to what, with plain values."""

    kind: str
    subject: str
    data: tuple[tuple[str, str | int | float | bool], ...] = ()


Effect = External | SetTimer | Stop | Pull | SyncWith | Subscribe | Unsubscribe | FindMembers | Learn | Reply | Notify
