"""Rows of what this node makes of others' word: records to audit, proofs to settle, verdicts that stand.

As in ``rows``: one frozen dataclass for each table, no secrets, nothing over 64 KiB, times in unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from p2peval.core.parts import Blob
from p2peval.core.types import AssignmentId, BenchmarkId, ObjectId, PeerId, Seconds, TaskId


class WatchState(Enum):
    WAITING = "waiting"
    UNDER_WAY = "under_way"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class WatchRow:
    """Somebody else's accepted record, and what this node needs to audit it in the background.

    ``announcement``, ``reveal``: envelopes that a fraud proof repeats. ``reopened``: how often a proof against
    its evaluator made us look again, with a larger draw of its own. ``commitment``: what was published of a
    blind audit before the outputs were fetched, "" for none; ``seen``: its rows, which the report will open.
    ``not_before``: when it may begin, or, under way, when its last job began, or when it was done.
    """

    task: TaskId
    record: ObjectId
    benchmark: BenchmarkId
    assignment: AssignmentId
    evaluator: PeerId
    requester: PeerId
    model: Blob
    outputs: Blob
    root: bytes
    equivalence_class: str
    delta_nano: int
    state: WatchState
    not_before: Seconds
    announcement: bytes
    reveal: bytes
    reopened: int
    commitment: ObjectId
    seen_class: str = ""
    seen: tuple[bytes, ...] = ()

    @property
    def key(self) -> str:
        return self.task


class ProofState(Enum):
    WAITING = "waiting"
    UNDER_WAY = "under_way"


@dataclass(frozen=True, slots=True)
class ProofRow:
    """A fraud proof of somebody else, well-formed, that this node has yet to re-run (core/fraud.py).

    ``not_before``: when it may begin or, once its re-run is under way, when that began.
    """

    id: ObjectId
    signer: PeerId
    accused: PeerId
    benchmark: BenchmarkId
    task: TaskId
    requester: PeerId
    assignment: AssignmentId
    reveal: ObjectId
    equivalence_class: str
    model: Blob
    index: int
    row: bytes
    state: ProofState
    tries: int
    not_before: Seconds

    @property
    def key(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class ConvictionRow:
    """A proof that holds, by this node's own eyes: until ``until`` it does not trust ``peer`` at all.

    ``kind``: "fraud-proof" or "equivocation"; ``where``: the assignment, or the type and slot, that it speaks of.
    """

    proof: ObjectId
    peer: PeerId
    kind: str
    where: str
    at: Seconds
    until: Seconds

    @property
    def key(self) -> str:
        return self.proof


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Somebody's blind audit of a record. ``report``: "" until what was committed to is opened.

    ``audited``: samples it re-ran; ``differing``: how many of them do not hold, as it says.
    """

    record: ObjectId
    auditor: PeerId
    commitment: ObjectId
    digest: bytes
    report: ObjectId
    audited: int = 0
    differing: int = 0

    @property
    def key(self) -> str:
        return f"{self.record}/{self.auditor}"
