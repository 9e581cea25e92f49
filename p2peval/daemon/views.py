"""What the local API says: plain values made for people and scripts.

Floats instead of nano units, unix seconds, peer ids beside their names. Views decide nothing and know
neither core's rows nor HTTP. ``ports.Service`` returns them, ``api.py`` writes them as JSON, and the
command line reads them back into these very structs; a field added here goes into ``cli/schemas`` too.
"""

from __future__ import annotations

from msgspec import Struct

Scalar = str | int | float | bool


# ── parts ─────────────────────────────────────────────────────────────────────────────────────────


class PeerName(Struct, frozen=True, kw_only=True):
    """Somebody: the peer id, its pet name here or else the name that it claims (""), whether it is this node."""

    peer: str
    name: str = ""
    me: bool = False


class IntervalView(Struct, frozen=True, kw_only=True):
    low: float
    high: float


class MetricView(Struct, frozen=True, kw_only=True):
    """``status``: "value", "undefined" or "out_of_range"; ``value`` is None unless it is "value".

    ``audit``: what a lie could have moved (None: no certificate). ``sampling``: how far the data speak.
    ``group``: the group of samples, or the perturbation, that it speaks of; "" for all clean samples.
    ``ambiguity``: what near-ties inside the tolerance leave open (None: nothing).
    """

    name: str
    status: str
    value: float | None
    lower_is_better: bool
    audit: IntervalView | None = None
    sampling: IntervalView | None = None
    group: str = ""
    ambiguity: IntervalView | None = None


class CertificateView(Struct, frozen=True, kw_only=True):
    """``audited`` of ``samples`` were re-run: a lie on > delta of them was caught with p ≥ 1 − epsilon.

    ``basis``: "certified" (as sure as was asked, whoever evaluated), "record" (as sure as the record of who evaluated
    needed: over many results the asked bound holds all the same), "sample" (a background audit of this node's) or
    "none". ``streak``: that record, results accepted in a row before, where it is this node's own.
    """

    epsilon: float
    delta: float
    samples: int
    audited: int
    attempts: int
    basis: str
    streak: int | None = None


class BlobView(Struct, frozen=True, kw_only=True):
    cid: str
    size: int


class TensorView(Struct, frozen=True, kw_only=True):
    """``shape`` is that of one sample, without N."""

    name: str
    dtype: str
    shape: tuple[int, ...]


# ── the node ──────────────────────────────────────────────────────────────────────────────────────


class StatusView(Struct, frozen=True, kw_only=True):
    """``started``: unix seconds. ``open_tasks`` are ours, ``open_duties`` those of others we evaluate.

    ``stored_bytes`` and ``quota_bytes`` are of the blob store. ``read_only``: why nothing can be
    written at present, or "".
    """

    version: str
    network: str
    peer: str
    name: str
    pid: int
    started: float
    addresses: tuple[str, ...]
    connected: int
    known: int
    benchmarks: int
    open_tasks: int
    open_duties: int
    workers: int
    stored_bytes: int
    quota_bytes: int
    read_only: str = ""


class IdView(Struct, frozen=True, kw_only=True):
    """``addresses``: full listening multiaddrs with ``/p2p/``."""

    peer: str
    name: str
    network: str
    addresses: tuple[str, ...]


class PeerView(Struct, frozen=True, kw_only=True):
    """A peer that is connected or has sent a profile. ``reputation`` None: a newcomer, no evidence yet.

    ``pet_name``: what this node's operator calls it, ``name``: what it calls itself.
    """

    peer: str
    name: str
    pet_name: str
    connected: bool
    inbound: bool
    rtt_ms: float | None
    addresses: tuple[str, ...]
    benchmarks: tuple[str, ...]
    classes: tuple[str, ...]
    reputation: float | None
    last_seen: float | None


class EventView(Struct, frozen=True, kw_only=True):
    """One line of the feed; ids rise by one, so a gap means lost events. ``time``: unix seconds."""

    id: int
    time: float
    kind: str
    subject: str
    data: dict[str, Scalar]


# ── benchmarks ────────────────────────────────────────────────────────────────────────────────────


class NameClaimView(Struct, frozen=True, kw_only=True):
    """An author's claim to a topic name. ``held``: this node has the spec behind it."""

    name: str
    title: str
    benchmark: str
    author: PeerName
    author_reputation: float | None
    held: bool
    joined: bool
    evaluates: bool
    requests: bool
    members: int


class ConditionView(Struct, frozen=True, kw_only=True):
    """A declared perturbation of all samples."""

    name: str
    kind: str
    level: float
    seed: int


class BenchmarkView(Struct, frozen=True, kw_only=True):
    """A benchmark whose spec this node holds. ``audited``: samples re-run for its own ε and δ.

    ``samples`` are the clean ones and, for each of ``conditions``, as many perturbed ones.
    ``profile``: how models are run, "all" optimisations or "canonical" without any.
    """

    id: str
    name: str
    title: str
    description: str
    license: str
    version: int
    parent: str
    author: PeerName
    task: str
    samples: int
    metrics: tuple[str, ...]
    inputs: BlobView
    labels: BlobView | None
    model_input: TensorView
    model_output: TensorView
    atol: float
    rtol: float
    seconds: int
    memory_mb: int
    model_mb: int
    epsilon: float
    delta: float
    audited: int
    replicas: int
    profile: str
    joined: bool
    evaluates: bool
    requests: bool
    members: tuple[PeerName, ...]
    groups: BlobView | None = None
    group_names: tuple[str, ...] = ()
    conditions: tuple[ConditionView, ...] = ()


class InviteView(Struct, frozen=True, kw_only=True):
    """``invite``: one string for ``bench join``."""

    invite: str
    benchmark: str
    name: str
    author: PeerName


class ValidateView(Struct, frozen=True, kw_only=True):
    """What ``bench validate`` read in a directory, without a daemon; what is wrong is an error instead.

    ``samples`` counts the clean ones; each condition adds as many. ``per_class``: samples of each class, empty for
    regression; ``per_group``: of each of ``group_names``.
    """

    directory: str
    name: str
    version: int
    task: str
    samples: int
    shape: tuple[int, ...]
    dtype: str
    per_class: tuple[int, ...]
    metrics: tuple[str, ...]
    group_names: tuple[str, ...] = ()
    per_group: tuple[int, ...] = ()
    conditions: tuple[ConditionView, ...] = ()


# ── tasks ─────────────────────────────────────────────────────────────────────────────────────────


class EfficiencyView(Struct, frozen=True, kw_only=True):
    """Self-reported, checked by nobody. ``samples_per_s``: in whole batches, a median; latencies are those of one
    sample at a time; None where it was not measured. ``layers``: of the sandbox, that were on."""

    wall_ms: int
    peak_memory_mb: int
    samples_per_s: float | None
    latency_p50_ms: float | None
    latency_p99_ms: float | None
    layers: tuple[str, ...] = ()


class ReplicaView(Struct, frozen=True, kw_only=True):
    """One assignment. ``state`` as in core.state.ReplicaState; ``reputation`` None: a newcomer.

    ``drawn``: samples to audit, ``audited``: done, ``differing``: indices that differ (up to 64). ``why``: a code for
    ``drawn``, with the ``numbers`` that it rests on, and in words ``because``; "" before anything is drawn.
    ``auditors``: others who ran them where this node cannot, ``objectors`` among them, and ``undetected``: how often a
    lie escapes them.
    """

    id: str
    evaluator: PeerName
    reputation: float | None
    state: str
    attempt: int
    equivalence_class: str
    drawn: int
    audited: int
    differing: tuple[int, ...]
    reason: str
    efficiency: EfficiencyView | None = None
    why: str = ""
    numbers: dict[str, float] = {}
    because: str = ""
    auditors: tuple[PeerName, ...] = ()
    objectors: tuple[PeerName, ...] = ()
    undetected: float | None = None


class StoryLine(Struct, frozen=True, kw_only=True):
    """One line of a task's story, e.g. ("offers", "4   assigned 2 (…Kq9f reputation 0.87)").

    ``done``: it will not change any more (while the task goes on, the last line may).
    """

    step: str
    text: str
    done: bool


class TaskView(Struct, frozen=True, kw_only=True):
    """A task of ours, or the result of somebody else's (``replicas`` is empty then).

    ``state`` as in core.state.TaskState. ``standing``: as on the board, or "" before the end. ``announced_to``:
    members known when it was announced. ``record``: id of the ResultRecord, ``report``: path of the report
    file ("" before the end). ``story``: from ``daemon.story``.
    ``busy_until``: unix seconds from which the first of those who declined says it has room. ``certify``: its number
    must carry a certificate of its own.
    """

    id: str
    benchmark: str
    benchmark_name: str
    model: str
    model_name: str
    requester: PeerName
    state: str
    attempt: int
    wanted: int
    epsilon: float
    delta: float
    samples: int
    created: float
    expires: float
    finished: float | None
    announced_to: int
    offers: int
    declined: int
    replicas: tuple[ReplicaView, ...]
    metrics: tuple[MetricView, ...]
    certificate: CertificateView | None
    standing: str
    reason: str
    record: str
    report: str
    story: tuple[StoryLine, ...] = ()
    busy_until: float | None = None
    certify: bool = False


class PreviewView(Struct, frozen=True, kw_only=True):
    """One evaluation on this machine; nothing was announced, so no audit interval exists."""

    benchmark: str
    benchmark_name: str
    model: str
    model_name: str
    samples: int
    metrics: tuple[MetricView, ...]
    equivalence_class: str
    efficiency: EfficiencyView


class BoardLine(Struct, frozen=True, kw_only=True):
    """``rank`` from 1; None for what others say, which never sets the ranking.

    ``standing``: "me", "trusted", "claimed", "unauditable" or "refuted". ``auditors``: those whose audits make a line
    "trusted", and ``undetected``: the probability that a lie beyond delta escaped them all.
    """

    rank: int | None
    model: str
    model_name: str
    standing: str
    auditors: tuple[PeerName, ...] = ()
    undetected: float | None = None
    metrics: tuple[MetricView, ...]
    certificate: CertificateView | None
    requester: PeerName
    evaluators: tuple[PeerName, ...]
    task: str
    record: str
    finished: float


class BoardView(Struct, frozen=True, kw_only=True):
    benchmark: str
    name: str
    title: str
    primary: str
    lines: tuple[BoardLine, ...]
