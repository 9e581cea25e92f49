"""What peers say to each other, as frozen values; ``proto/`` says the same to other languages.

Field names and order equal those of the protobuf messages, so ``wire.codec`` maps them by name.
Every signed payload starts with ``network`` and ``author``; the author must be the envelope's signer.
``slot`` names what the signer may say only once: two ids in one slot are an equivocation.
Numbers are integers; a field called ``…_nano`` is in units of 1e-9. Times are unix milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from p2peval.core.checking import (
    AuditAnswer,
    AuditCommitment,
    AuditReport,
    AuditRequest,
    EquivocationProof,
    FraudProof,
    LabelsReveal,
    Scores,
    TrustStatement,
)
from p2peval.core.parts import (
    Blob,
    Certificate,
    Check,
    Condition,
    Efficiency,
    Limits,
    Membership,
    MetricReport,
    Outcome,
    Range,
    Tensor,
    Tolerance,
    Verification,
)
from p2peval.core.types import AssignmentId, BenchmarkId, ObjectId, PeerId, TaskId
from p2peval.defaults import FRAUD_MARGIN, PROFILE


@dataclass(frozen=True, slots=True)
class BenchmarkSpec:
    """Dataset, metrics, tolerance and limits; its id is the benchmark's. ``metrics[0]`` is primary.

    ``labels`` None means committed labels (``labels_commitment``), revealed by the author later.
    ``parent`` is the id of the version it replaces, or "". ``groups`` holds an int64 per sample, an index
    into ``group_names``. A fraud proof across equivalence classes needs ``fraud_margin`` tolerances.
    ``profile`` names the recipe: "all" or "canonical" (evaluation/recipe.py). With ``conditions``, the samples
    are 1 + len(conditions) blocks of equal length: the clean ones, then each condition's in order.
    """

    network: str
    author: PeerId
    name: str
    title: str
    description: str
    license: str
    version: int
    parent: BenchmarkId
    task: str
    samples: int
    inputs: Blob
    labels: Blob | None
    labels_commitment: bytes
    model_input: Tensor
    model_output: Tensor
    metrics: tuple[str, ...]
    range: Range | None
    tolerance: Tolerance
    limits: Limits
    verification: Verification
    groups: Blob | None = None
    group_names: tuple[str, ...] = ()
    fraud_margin: int = FRAUD_MARGIN
    profile: str = PROFILE
    conditions: tuple[Condition, ...] = ()

    @property
    def slot(self) -> tuple[str, ...]:
        return (self.name, str(self.version))


@dataclass(frozen=True, slots=True)
class BenchmarkAnnouncement:
    """This name, this spec, this author. Replaceable: the highest sequence counts."""

    network: str
    author: PeerId
    name: str
    title: str
    spec: BenchmarkId
    sequence: int

    @property
    def slot(self) -> tuple[str, ...]:
        return (self.name, str(self.sequence))


@dataclass(frozen=True, slots=True)
class PeerProfile:
    """Who I am and what I do here. Replaceable. ``addresses`` are multiaddrs without ``/p2p/``."""

    network: str
    author: PeerId
    name: str
    addresses: tuple[str, ...]
    classes: tuple[str, ...]
    memberships: tuple[Membership, ...]
    cores: int
    memory_mb: int
    sequence: int

    @property
    def slot(self) -> tuple[str, ...]:
        return (str(self.sequence),)


@dataclass(frozen=True, slots=True)
class TaskAnnouncement:
    """One model on one benchmark; its id is the task's. Sent by gossip; expires at ``deadline_ms``."""

    network: str
    author: PeerId
    benchmark: BenchmarkId
    model: Blob
    model_name: str
    epsilon_nano: int
    delta_nano: int
    replicas: int
    created_ms: int
    deadline_ms: int

    @property
    def slot(self) -> tuple[str, ...]:
        return (self.benchmark, str(self.created_ms), self.model.cid)


@dataclass(frozen=True, slots=True)
class Offer:
    network: str
    author: PeerId
    task: TaskId
    equivalence_class: str
    expires_ms: int

    @property
    def slot(self) -> tuple[str, ...]:
        return (self.task, self.equivalence_class, str(self.expires_ms))  # said anew each time: never an equivocation


@dataclass(frozen=True, slots=True)
class Decline:
    """``assignment`` is "" when a task is declined before an assignment.

    ``until_ms``: unix time from which asking again may help; 0 where nobody can say.
    """

    network: str
    author: PeerId
    task: TaskId
    assignment: AssignmentId
    reason: str
    until_ms: int = 0

    @property
    def slot(self) -> tuple[str, ...]:
        return (self.task, self.assignment, self.reason, str(self.until_ms))


@dataclass(frozen=True, slots=True)
class Cancel:
    """The requester wants nothing of this task any more: whoever offered or works on it is free, and not blamed."""

    network: str
    author: PeerId
    task: TaskId

    @property
    def slot(self) -> tuple[str, ...]:
        return (self.task,)


@dataclass(frozen=True, slots=True)
class Assignment:
    """``audit_commitment`` = H(audit nonce): the draw is fixed before any output exists."""

    network: str
    author: PeerId
    task: TaskId
    evaluator: PeerId
    attempt: int
    commit_by_ms: int
    audit_commitment: bytes

    @property
    def slot(self) -> tuple[str, ...]:
        return (self.task, self.evaluator, str(self.attempt))


@dataclass(frozen=True, slots=True)
class Commitment:
    """``digest`` binds task, assignment, peer, class, N, root and nonce (core/commitment.py)."""

    network: str
    author: PeerId
    task: TaskId
    assignment: AssignmentId
    digest: bytes

    @property
    def slot(self) -> tuple[str, ...]:
        return (self.assignment,)


@dataclass(frozen=True, slots=True)
class CommitmentSet:
    """The window of this round is closed; only these commitments count."""

    network: str
    author: PeerId
    task: TaskId
    round: int
    commitments: tuple[ObjectId, ...]

    @property
    def slot(self) -> tuple[str, ...]:
        return (self.task, str(self.round))


@dataclass(frozen=True, slots=True)
class Reveal:
    network: str
    author: PeerId
    task: TaskId
    assignment: AssignmentId
    commitment: ObjectId
    equivalence_class: str
    samples: int
    root: bytes
    nonce: bytes
    outputs: Blob
    efficiency: Efficiency

    @property
    def slot(self) -> tuple[str, ...]:
        return (self.assignment,)


@dataclass(frozen=True, slots=True)
class ResultRecord:
    """All of a task, as verbatim envelopes, so that anyone can check it from this alone.

    ``accepted`` names the assignment whose outputs count, or "" when the task failed.
    ``audits`` holds AuditReport envelopes of others.
    """

    network: str
    author: PeerId
    task: TaskId
    benchmark: BenchmarkId
    revision: int
    outcome: Outcome
    accepted: AssignmentId
    metrics: tuple[MetricReport, ...]
    certificate: Certificate | None
    checks: tuple[Check, ...]
    announcement: bytes
    assignments: tuple[bytes, ...]
    commitments: tuple[bytes, ...]
    commitment_sets: tuple[bytes, ...]
    reveals: tuple[bytes, ...]
    audits: tuple[bytes, ...]
    finished_ms: int

    @property
    def slot(self) -> tuple[str, ...]:
        return (self.task, str(self.revision))


Payload = (
    BenchmarkSpec
    | BenchmarkAnnouncement
    | PeerProfile
    | TaskAnnouncement
    | Offer
    | Decline
    | Cancel
    | Assignment
    | Commitment
    | CommitmentSet
    | Reveal
    | ResultRecord
    | AuditCommitment
    | AuditReport
    | AuditRequest
    | AuditAnswer
    | FraudProof
    | EquivocationProof
    | LabelsReveal
    | Scores
    | TrustStatement
)

P_co = TypeVar("P_co", bound=Payload, covariant=True)


@dataclass(frozen=True, slots=True)
class Sealed(Generic[P_co]):
    """A payload whose envelope was checked: who signed it, its id, and the exact envelope bytes."""

    payload: P_co
    signer: PeerId
    id: ObjectId
    envelope: bytes
