"""What peers say to each other, as frozen values; ``proto/`` says the same to other languages.

Field names and order equal those of the protobuf messages, so ``wire.codec`` maps them by name.
Every signed payload starts with ``network`` and ``author``; the author must be the envelope's signer.
``slot`` names what the signer may say only once: two ids in one slot are an equivocation.
Numbers are integers; a field called ``…_nano`` is in units of 1e-9. Times are unix milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from p2peval.core.types import AssignmentId, BenchmarkId, Cid, ObjectId, PeerId, TaskId
from p2peval.defaults import FRAUD_MARGIN, PROFILE

# ── parts ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that travel apart. ``root``: RFC 6962 root (32 bytes) over its chunks of 256 KiB."""

    cid: Cid
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Tensor:
    """One named model input or output; ``shape`` is that of a single sample (without N)."""

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tolerance:
    """|a−b| ≤ atol + rtol·|b| per element (evaluation.md, Determinism)."""

    atol_nano: int
    rtol_nano: int


@dataclass(frozen=True, slots=True)
class Limits:
    seconds: int
    memory_mb: int
    model_mb: int


@dataclass(frozen=True, slots=True)
class Verification:
    """ε, δ of the certificate asked for by default, and how many replicas and attempts are allowed."""

    epsilon_nano: int
    delta_nano: int
    replicas: int
    max_attempts: int


@dataclass(frozen=True, slots=True)
class Range:
    """Declared range of a regression target; outputs are clipped to it before metrics."""

    low_nano: int
    high_nano: int


@dataclass(frozen=True, slots=True)
class Interval:
    low_nano: int
    high_nano: int


class Defined(Enum):
    VALUE = 1
    UNDEFINED = 2
    OUT_OF_RANGE = 3


@dataclass(frozen=True, slots=True)
class MetricReport:
    """A metric with what a lie could have moved (``audit``) and how far the sample speaks (``sampling``).

    ``value_nano`` counts only where ``defined`` is VALUE; ``audit`` is None where no certificate exists.
    ``group`` is the group of samples it speaks of, "" for all. ``ambiguity`` is what near-ties inside the
    tolerance could be, None where there are none (evaluation.md, Ambiguity).
    """

    name: str
    defined: Defined
    value_nano: int
    audit: Interval | None
    sampling: Interval | None
    group: str = ""
    ambiguity: Interval | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """A lie on more than δ·n outputs would have been caught with probability ≥ 1−ε (trust.md §1).

    ``epsilon_nano`` is what all looks of this task together have spent.
    """

    epsilon_nano: int
    delta_nano: int
    samples: int
    audited: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Check:
    """The requester's own audit of one reveal; ``nonce`` opens the Assignment's commitment."""

    assignment: AssignmentId
    nonce: bytes
    drawn: int
    differing: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Self-reported by the evaluator, outside every certificate. ``layers``: of the sandbox, that were on.

    ``throughput_milli``: thousandths of samples/s, in whole batches on one thread, a median; ``latency_…_us``:
    quantiles for one sample at a time. 0 where it was not measured.
    """

    wall_ms: int
    peak_memory_mb: int
    layers: tuple[str, ...] = ()
    throughput_milli: int = 0
    latency_p50_us: int = 0
    latency_p99_us: int = 0


@dataclass(frozen=True, slots=True)
class Condition:
    """A declared perturbation of all samples: ``kind`` at strength ``level_nano``, drawn from ``seed``."""

    name: str
    kind: str
    level_nano: int
    seed: int


class Outcome(Enum):
    ACCEPTED = 1
    FAILED = 2


# ── signed payloads ───────────────────────────────────────────────────────────────────────────────


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
class Membership:
    benchmark: BenchmarkId
    evaluates: bool
    requests: bool


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
    | FraudProof
    | EquivocationProof
    | LabelsReveal
    | Scores
)

P_co = TypeVar("P_co", bound=Payload, covariant=True)


@dataclass(frozen=True, slots=True)
class Sealed(Generic[P_co]):
    """A payload whose envelope was checked: who signed it, its id, and the exact envelope bytes."""

    payload: P_co
    signer: PeerId
    id: ObjectId
    envelope: bytes
