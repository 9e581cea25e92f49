"""What peers say to each other about results of others: audits, proofs, and labels that were held back.

Signed payloads like those of ``messages``, by the same rules.
"""

from __future__ import annotations

from dataclasses import dataclass

from p2peval.core.parts import Blob, MetricReport, TrustEntry
from p2peval.core.types import AssignmentId, BenchmarkId, ObjectId, PeerId, TaskId


@dataclass(frozen=True, slots=True)
class AuditCommitment:
    """An auditor's word on a record of others, before it has seen the outputs: hides what its AuditReport opens."""

    network: str
    author: PeerId
    benchmark: BenchmarkId
    task: TaskId
    record: ObjectId
    digest: bytes

    @property
    def slot(self) -> tuple[str, ...]:
        return (self.record,)


@dataclass(frozen=True, slots=True)
class AuditReport:
    """A blind audit of somebody's result: which samples its author drew, what it saw there, which differ.

    ``rows``: canonical output bytes of its own run at ``indices``, in that order. ``nonce`` opens ``commitment``.
    """

    network: str
    author: PeerId
    benchmark: BenchmarkId
    task: TaskId
    record: ObjectId
    commitment: ObjectId
    equivalence_class: str
    nonce: bytes
    indices: tuple[int, ...]
    rows: tuple[bytes, ...]
    differing: tuple[int, ...]

    @property
    def slot(self) -> tuple[str, ...]:
        return (self.record,)


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """A requester that cannot compute asks ``auditor`` for its own outputs at ``indices``, and shows it no others.

    ``announcement``: of the task. ``indices`` ascend. ``round``: how often this auditor was asked about the task, from
    1. An answer later than ``deadline_ms`` counts nothing.
    """

    network: str
    author: PeerId
    benchmark: BenchmarkId
    task: TaskId
    announcement: bytes
    auditor: PeerId
    round: int
    indices: tuple[int, ...]
    deadline_ms: int

    @property
    def slot(self) -> tuple[str, ...]:
        return (self.task, self.auditor, str(self.round))


@dataclass(frozen=True, slots=True)
class AuditAnswer:
    """What an auditor's own run says at the samples of ``request``: canonical rows, one for each index, in order."""

    network: str
    author: PeerId
    benchmark: BenchmarkId
    task: TaskId
    request: ObjectId
    equivalence_class: str
    rows: tuple[bytes, ...]

    @property
    def slot(self) -> tuple[str, ...]:
        return (self.request,)


@dataclass(frozen=True, slots=True)
class FraudProof:
    """One sample of a signed reveal that does not hold; anyone can re-run it.

    ``row`` at ``index`` opens the root of ``reveal`` by ``path``; ``announcement`` names model and benchmark. The
    verdict is always the reader's own re-run (evaluation.md, rules a–c).
    """

    network: str
    author: PeerId
    benchmark: BenchmarkId
    task: TaskId
    assignment: AssignmentId
    announcement: bytes
    reveal: bytes
    index: int
    row: bytes
    path: tuple[bytes, ...]

    @property
    def slot(self) -> tuple[str, ...]:
        return (self.assignment, str(self.index))


@dataclass(frozen=True, slots=True)
class EquivocationProof:
    """Two envelopes that ``accused`` signed in one slot, ``where``, of the type ``kind``: true for everybody."""

    network: str
    author: PeerId
    benchmark: BenchmarkId
    accused: PeerId
    kind: str
    where: str
    first: bytes
    second: bytes

    @property
    def slot(self) -> tuple[str, ...]:
        return (self.accused, self.kind, self.where)


@dataclass(frozen=True, slots=True)
class LabelsReveal:
    """The author opens the commitment to a benchmark's labels."""

    network: str
    author: PeerId
    benchmark: BenchmarkId
    labels: Blob
    nonce: bytes

    @property
    def slot(self) -> tuple[str, ...]:
        return (self.benchmark,)


@dataclass(frozen=True, slots=True)
class Scores:
    """The author's metrics of a record, while its benchmark's labels are committed and nobody else has them."""

    network: str
    author: PeerId
    benchmark: BenchmarkId
    task: TaskId
    record: ObjectId
    metrics: tuple[MetricReport, ...]

    @property
    def slot(self) -> tuple[str, ...]:
        return (self.record,)


@dataclass(frozen=True, slots=True)
class TrustStatement:
    """First-hand evidence of ``author`` about peers of one benchmark, as of the end of ``epoch``; newest replaces.

    Epoch e ends at unix time (e+1) · EPOCH. ``entries``: one for each peer, sorted by peer, none of the author.
    """

    network: str
    author: PeerId
    benchmark: BenchmarkId
    epoch: int
    entries: tuple[TrustEntry, ...]

    @property
    def slot(self) -> tuple[str, ...]:
        return (self.benchmark, str(self.epoch))
