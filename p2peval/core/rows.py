"""Rows: what a node knows, one frozen dataclass for each table of ``core.state``.

Rows hold no secrets and nothing over 64 KiB. Every row names its own key; times are unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from p2peval.core.messages import BenchmarkSpec
from p2peval.core.parts import Blob, Certificate, Efficiency, Membership, MetricReport
from p2peval.core.types import AssignmentId, BenchmarkId, Cid, ObjectId, PeerId, Seconds, TaskId
from p2peval.trust.evidence import Evidence


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """A signed object as it came. ``bucket``: which of sync's buckets it falls into (core/sync.py)."""

    id: ObjectId
    type: str
    signer: PeerId
    benchmark: BenchmarkId
    slot: str
    bucket: int
    received: Seconds
    envelope: bytes

    @property
    def key(self) -> str:
        return self.id

    def without_envelope(self) -> ObjectRow:
        """As memory holds it. By hand: ``replace`` takes three times as long, and this is done for every message."""
        return ObjectRow(
            self.id, self.type, self.signer, self.benchmark, self.slot, self.bucket, self.received, envelope=b""
        )


@dataclass(frozen=True, slots=True)
class NameRow:
    """An author's claim to a topic name: the newest BenchmarkAnnouncement."""

    name: str
    author: PeerId
    title: str
    benchmark: BenchmarkId
    sequence: int

    @property
    def key(self) -> str:
        return f"{self.author}/{self.name}"


@dataclass(frozen=True, slots=True)
class BenchmarkRow:
    """``labels``: those to which the spec only commits, at its author's or once they are revealed; else None."""

    id: BenchmarkId
    spec: BenchmarkSpec
    joined: bool
    evaluates: bool
    requests: bool
    labels: Blob | None = None

    @property
    def known(self) -> BenchmarkSpec:
        """The spec with whatever labels are known here: what work on the data goes by, and nothing that is signed."""
        return self.spec if self.labels is None else replace(self.spec, labels=self.labels)

    @property
    def key(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class WantedRow:
    """A benchmark asked for (``join``) whose spec has not arrived yet."""

    id: BenchmarkId
    evaluates: bool
    requests: bool
    reply_id: str
    deadline: Seconds

    @property
    def key(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class PeerRow:
    """The newest PeerProfile of a peer."""

    peer: PeerId
    name: str
    addresses: tuple[str, ...]
    classes: tuple[str, ...]
    memberships: tuple[Membership, ...]
    sequence: int
    seen: Seconds

    @property
    def key(self) -> str:
        return self.peer


class TaskState(Enum):
    ANNOUNCED = "announced"
    ASSIGNED = "assigned"
    REVEALING = "revealing"
    AUDITING = "auditing"
    ACCEPTED = "accepted"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task that this node asked for. ``deadline`` is that of the current state.

    ``certify``: its number must carry a certificate of its own, whatever the record of who answers (trust.md §4).
    ``known``: the task whose accepted outputs are the right answer to this one too.
    """

    id: TaskId
    benchmark: BenchmarkId
    model: Blob
    model_name: str
    epsilon_nano: int
    delta_nano: int
    replicas: int
    created: Seconds
    expires: Seconds
    state: TaskState
    attempt: int
    looks: int
    deadline: Seconds
    generation: int
    reason: str
    record: ObjectId
    announcement: bytes
    certify: bool
    known: TaskId | None = None

    @property
    def key(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class OfferRow:
    """What a peer answered to an announcement of ours; ``declined`` holds the reason of a Decline.

    ``expires``: until when an offer binds; of a Decline, from when asking again may help, or 0.
    """

    task: TaskId
    peer: PeerId
    equivalence_class: str
    expires: Seconds
    declined: str

    @property
    def key(self) -> str:
        return f"{self.task}/{self.peer}"


class ReplicaState(Enum):
    ASSIGNED = "assigned"
    COMMITTED = "committed"
    REVEALED = "revealed"
    FETCHED = "fetched"
    AGREES = "agrees"
    DIFFERS = "differs"
    DOUBTFUL = "doubtful"
    SILENT = "silent"
    DECLINED = "declined"
    WITHHELD = "withheld"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class ReplicaRow:
    """One assignment of a task of ours, as the requester sees it, with its envelopes verbatim.

    ``streak``: its evaluator's, when ``drawn`` was set, or before it withheld this; ``why``, ``numbers``: the reason
    for ``drawn``, as data. WITHHELD becomes LATE when it is revealed after all (core/late.py).
    """

    id: AssignmentId
    task: TaskId
    peer: PeerId
    attempt: int
    state: ReplicaState
    assignment: bytes
    commitment_id: ObjectId
    commitment_digest: bytes = b""
    commitment: bytes = b""
    commitment_set: bytes = b""
    reveal: bytes = b""
    equivalence_class: str = ""
    root: bytes = b""
    outputs: Blob | None = None
    drawn: int = 0
    audited: int = 0
    differing: tuple[int, ...] = ()
    metrics: tuple[MetricReport, ...] = ()
    reason: str = ""
    efficiency: Efficiency | None = None
    streak: int = 0
    why: str = ""
    numbers: tuple[tuple[str, float], ...] = ()

    @property
    def key(self) -> str:
        return self.id


class DutyState(Enum):
    OFFERED = "offered"
    FETCHING = "fetching"
    RUNNING = "running"
    COMMITTED = "committed"
    REVEALED = "revealed"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DutyRow:
    """A task of somebody else's, as the evaluator sees it."""

    task: TaskId
    requester: PeerId
    benchmark: BenchmarkId
    model: Blob
    model_name: str
    state: DutyState
    assignment: AssignmentId
    attempt: int
    deadline: Seconds
    generation: int
    equivalence_class: str
    root: bytes
    outputs: Blob | None
    efficiency: Efficiency | None
    commitment_id: ObjectId
    reason: str

    @property
    def key(self) -> str:
        return self.task


@dataclass(frozen=True, slots=True)
class ResultRow:
    """An accepted (or failed) task as its newest ResultRecord tells it.

    ``standing`` is "me" where this node audited it itself, "refuted" where that audit or a proof that it
    re-ran differed, "unauditable" where nobody serves its outputs, else "claimed". ``certified``: the certificate is
    of the asked ε, whoever evaluated; else its requester went by what it had seen of the evaluator before.
    """

    task: TaskId
    record: ObjectId
    revision: int
    benchmark: BenchmarkId
    model: Cid
    model_name: str
    requester: PeerId
    evaluator: PeerId
    evaluators: tuple[PeerId, ...]
    accepted: bool
    metrics: tuple[MetricReport, ...]
    certificate: Certificate | None
    standing: str
    finished: Seconds
    certified: bool = False

    @property
    def key(self) -> str:
        return self.task


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    peer: PeerId
    evidence: Evidence

    @property
    def key(self) -> str:
        return self.peer


@dataclass(frozen=True, slots=True)
class CounterRow:
    """Numbers that must outlive a restart: the last sequence, resolved tasks in all."""

    name: str
    value: int

    @property
    def key(self) -> str:
        return self.name
