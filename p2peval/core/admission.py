"""Whether a well-formed, rightly signed object may come in, and if not, why (protocol.md, Admission).

Size, envelope, canonical form, signature and author were checked before (wire); here come slot, order,
time, membership and budget. What only one side of a task can judge is judged in requester/evaluator.
"""

from __future__ import annotations

from p2peval.core.benchmark import problem
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
from p2peval.core.context import Context
from p2peval.core.messages import (
    BenchmarkAnnouncement,
    BenchmarkSpec,
    CommitmentSet,
    Payload,
    PeerProfile,
    ResultRecord,
    Sealed,
    TaskAnnouncement,
)
from p2peval.core.sync import DIRECTORY
from p2peval.core.types import BenchmarkId
from p2peval.defaults import CLOCK_SKEW, MAX_REPLICAS, TASK_LIFETIME, UNKNOWN_OBJECTS

PASSING = frozenset(
    {
        "auditor_busy",
        "budget",
        "from_the_future",
        "not_a_member",
        "queued",
        "too_early",
        "unasked",
        "uncommitted",
        "unknown_task",
    }
)
"""Reasons that may be gone when the object comes again; all others are for good."""


def refusal(ctx: Context, sealed: Sealed[Payload]) -> str:
    """Reason code for which this object is not admitted, or ""."""
    payload = sealed.payload
    kind = type(payload).__name__
    if ctx.state.in_slot(sealed.signer, kind, "/".join(payload.slot)) is not None:
        return "slot_taken"
    if sealed.signer not in ctx.state.peers and ctx.state.signed_by(sealed.signer) >= UNKNOWN_OBJECTS:
        return "budget"
    match payload:
        case BenchmarkAnnouncement() | PeerProfile():
            return _order_refusal(ctx, payload)
        case BenchmarkSpec():
            return "bad_spec" if problem(payload) else ""
        case TaskAnnouncement():
            return _membership_refusal(ctx, payload.benchmark) or _announcement_refusal(ctx, payload)
        case ResultRecord() | AuditCommitment() | AuditReport() | FraudProof() | LabelsReveal() | Scores():
            return _membership_refusal(ctx, payload.benchmark)
        case TrustStatement() | AuditRequest() | AuditAnswer():
            return _membership_refusal(ctx, payload.benchmark)
        case EquivocationProof() if payload.benchmark != DIRECTORY:
            return _membership_refusal(ctx, payload.benchmark)
        case CommitmentSet():
            return _window_refusal(ctx, payload)
        case _:
            return ""


def benchmark_of(ctx: Context, sealed: Sealed[Payload]) -> BenchmarkId:
    """The benchmark an object belongs to; DIRECTORY for what everybody holds."""
    match sealed.payload:
        case BenchmarkSpec():
            return BenchmarkId(sealed.id)
        case TaskAnnouncement() | ResultRecord() | AuditCommitment() | AuditReport() | FraudProof():
            return sealed.payload.benchmark
        case EquivocationProof() | LabelsReveal() | Scores() | TrustStatement() | AuditRequest() | AuditAnswer():
            return sealed.payload.benchmark
        case BenchmarkAnnouncement() | PeerProfile():
            return DIRECTORY
        case payload:
            announcement = ctx.state.objects.get(payload.task)
            return announcement.benchmark if announcement else DIRECTORY


def _order_refusal(ctx: Context, payload: BenchmarkAnnouncement | PeerProfile) -> str:
    if payload.sequence > ctx.now_ms + CLOCK_SKEW * 1000:
        return "from_the_future"
    held = (
        ctx.state.peers.get(payload.author)
        if isinstance(payload, PeerProfile)
        else ctx.state.names.get(f"{payload.author}/{payload.name}")
    )
    return "superseded" if held is not None and held.sequence >= payload.sequence else ""


def _membership_refusal(ctx: Context, benchmark: BenchmarkId) -> str:
    row = ctx.state.benchmarks.get(benchmark)
    return "" if row is not None and row.joined else "not_a_member"


def _window_refusal(ctx: Context, window: CommitmentSet) -> str:
    """Only who asked closes the window: what others say of it would be kept, and synced to everybody."""
    task = ctx.state.objects.get(window.task)
    if task is None or task.type != TaskAnnouncement.__name__:
        return "unknown_task"
    return "" if task.signer == window.author else "not_its_requester"


def timeliness_refusal(ctx: Context, task: TaskAnnouncement) -> str:
    """Reason for which an announcement, be it new or repeated, is not of now."""
    skew_ms = CLOCK_SKEW * 1000
    if task.created_ms > ctx.now_ms + skew_ms:
        return "from_the_future"
    return "expired" if task.deadline_ms < ctx.now_ms - skew_ms else ""


def _announcement_refusal(ctx: Context, task: TaskAnnouncement) -> str:
    if late := timeliness_refusal(ctx, task):
        return late
    if not task.created_ms < task.deadline_ms <= task.created_ms + 4 * TASK_LIFETIME * 1000:
        return "bad_deadline"
    if not 1 <= task.replicas <= MAX_REPLICAS:
        return "bad_replicas"
    return ""
