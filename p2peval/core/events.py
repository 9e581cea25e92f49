"""What can happen to a node. Every event is small; big things are named by CID."""

from __future__ import annotations

from dataclasses import dataclass

from p2peval.core.messages import BenchmarkSpec, Payload, Sealed
from p2peval.core.parts import Blob, Efficiency, MetricReport
from p2peval.core.types import AssignmentId, BenchmarkId, Cid, ObjectId, PeerId, Seconds, TaskId
from p2peval.core.verdict import Verdict

# ── from peers ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """``via``: who handed it over (not always who signed it). ``reply_id``: "" when nobody waits."""

    sealed: Sealed[Payload]
    via: PeerId
    reply_id: str = ""


@dataclass(frozen=True, slots=True)
class NoticeReceived:
    """Gossip that an object too large for gossip exists; ``via`` has it."""

    via: PeerId
    benchmark: BenchmarkId
    id: ObjectId


@dataclass(frozen=True, slots=True)
class PeerUp:
    peer: PeerId


@dataclass(frozen=True, slots=True)
class PeerDown:
    peer: PeerId


# ── from the shell: answers to effects ────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Introduced:
    """The shell tells the node what its own profile must say (at start, or when addresses change).

    ``classes``: the equivalence class in which it runs each recipe of benchmark.PROFILES, in that order.
    """

    name: str
    addresses: tuple[str, ...]
    classes: tuple[str, ...]
    cores: int
    memory_mb: int


@dataclass(frozen=True, slots=True)
class TimerExpired:
    key: str
    generation: int


@dataclass(frozen=True, slots=True)
class BlobReady:
    effect_id: str
    cid: Cid


@dataclass(frozen=True, slots=True)
class BlobFailed:
    """``ours``: our own disk would not take it; no holder is to blame."""

    effect_id: str
    cid: Cid
    reason: str
    ours: bool = False


@dataclass(frozen=True, slots=True)
class SendFailed:
    """The peer could not be reached in time, or refused (``refused`` then holds its reason)."""

    effect_id: str
    peer: PeerId
    about: str
    refused: str


@dataclass(frozen=True, slots=True)
class EvaluationFinished:
    effect_id: str
    task: TaskId
    assignment: AssignmentId
    equivalence_class: str
    root: bytes
    outputs: Blob
    efficiency: Efficiency


@dataclass(frozen=True, slots=True)
class EvaluationFailed:
    effect_id: str
    task: TaskId
    assignment: AssignmentId
    reason: str


@dataclass(frozen=True, slots=True)
class ComparisonFinished:
    """``differing``: up to 64 indices."""

    effect_id: str
    task: TaskId
    assignment: AssignmentId
    verdict: Verdict
    audited: int
    differing: tuple[int, ...]
    metrics: tuple[MetricReport, ...]


@dataclass(frozen=True, slots=True)
class ComparisonFailed:
    """Our own worker could not do it; nobody else is to blame."""

    effect_id: str
    task: TaskId
    assignment: AssignmentId
    reason: str


@dataclass(frozen=True, slots=True)
class Sampled:
    """Canonical rows of our own run, in the order of the indices asked for."""

    effect_id: str
    equivalence_class: str
    rows: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Excerpted:
    """Claimed rows, in the order of the indices asked for."""

    effect_id: str
    rows: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Proven:
    """A claimed row with its Merkle path, and what the effect said that asked for it."""

    effect_id: str
    benchmark: BenchmarkId
    task: TaskId
    assignment: AssignmentId
    announcement: bytes
    reveal: bytes
    index: int
    row: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """What our own run of one sample says of a claimed row; ``equivalence_class`` is ours."""

    effect_id: str
    verdict: Verdict
    equivalence_class: str


@dataclass(frozen=True, slots=True)
class JobFailed:
    """Our own worker could not do it; nobody else is to blame."""

    effect_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Recalled:
    """``envelope``: b"" where the object is not held any more."""

    effect_id: str
    envelope: bytes
    beside: bytes


# ── from the user ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class PublishBenchmark:
    """``hold_labels``: sign a commitment to the spec's labels instead of their name."""

    reply_id: str
    spec: BenchmarkSpec
    hold_labels: bool = False


@dataclass(frozen=True, slots=True)
class JoinBenchmark:
    """By id; ``holders`` are peers that may have the spec."""

    reply_id: str
    benchmark: BenchmarkId
    evaluates: bool
    requests: bool
    holders: tuple[PeerId, ...]


@dataclass(frozen=True, slots=True)
class LeaveBenchmark:
    reply_id: str
    benchmark: BenchmarkId


@dataclass(frozen=True, slots=True)
class RevealLabels:
    reply_id: str
    benchmark: BenchmarkId


@dataclass(frozen=True, slots=True)
class StartTask:
    """``epsilon_nano``, ``delta_nano``, ``replicas``: 0 takes the benchmark's own.

    ``known``: an accepted task of ours of which ``model`` is a disguise, so that the answer is known.
    """

    reply_id: str
    benchmark: BenchmarkId
    model: Blob
    model_name: str
    epsilon_nano: int
    delta_nano: int
    replicas: int
    certify: bool = False
    known: TaskId | None = None


@dataclass(frozen=True, slots=True)
class CancelTask:
    reply_id: str
    task: TaskId


@dataclass(frozen=True, slots=True)
class JudgePeer:
    """The operator's own word on a peer for ``seconds``: trusted as a root, or never asked; None takes it back."""

    reply_id: str
    peer: PeerId
    trusted: bool | None
    seconds: Seconds
    note: str


@dataclass(frozen=True, slots=True)
class NamePeer:
    """``name``: what this node calls the peer from now on; "" forgets it."""

    reply_id: str
    peer: PeerId
    name: str


Command = (
    PublishBenchmark | RevealLabels | JoinBenchmark | LeaveBenchmark | StartTask | CancelTask | JudgePeer | NamePeer
)

Event = (
    MessageReceived
    | NoticeReceived
    | PeerUp
    | PeerDown
    | Introduced
    | TimerExpired
    | BlobReady
    | BlobFailed
    | SendFailed
    | EvaluationFinished
    | EvaluationFailed
    | ComparisonFinished
    | ComparisonFailed
    | Sampled
    | Excerpted
    | Proven
    | Settled
    | JobFailed
    | Recalled
    | Command
)
