"""The auditor's side of a blind audit: run the samples that a requester asks for, say what came of it.

Nothing of the claimed outputs is seen here, nor whose they are: what is answered can only come from running the model,
or from a conspiracy. Work for others is bounded as in ``budget``; who is refused hears it in the acknowledgement.
"""

from __future__ import annotations

from dataclasses import replace

from p2peval.core import budget, membership
from p2peval.core.believing import is_out
from p2peval.core.benchmark import fits, output_bytes
from p2peval.core.blind import most_rows
from p2peval.core.checking import AuditAnswer, AuditRequest
from p2peval.core.consult_rows import InquiryRow
from p2peval.core.context import Context
from p2peval.core.conviction import is_convicted
from p2peval.core.effects import FetchBlob, Sample, Stop
from p2peval.core.events import BlobFailed, BlobReady, JobFailed, Sampled
from p2peval.core.messages import Decline, Sealed, TaskAnnouncement
from p2peval.core.text import one_line
from p2peval.core.types import AssignmentId, PeerId, TaskId
from p2peval.defaults import CLOCK_SKEW, DELIVER_PATIENCE, MAX_CONSULTED
from p2peval.errors import RemoteProtocolError

PREFIX = "inquiry/"
"""Of the effect ids of this side: inquiry/WHAT/REQUEST."""


def on_request(ctx: Context, sealed: Sealed[AuditRequest]) -> str:
    """Begin, or say at once why not."""
    asked = sealed.payload
    if asked.auditor != ctx.me:
        return "not_for_me"
    try:
        announced = ctx.open(asked.announcement, TaskAnnouncement)
    except RemoteProtocolError as error:
        return error.reason
    reason = _problem(ctx, sealed, announced) or _refusal(ctx, sealed)
    if reason:
        return reason
    until = min(asked.deadline_ms / 1000 + CLOCK_SKEW, ctx.now + budget.inquiry_window(ctx, announced.payload))
    row = InquiryRow(
        request=sealed.id,
        requester=sealed.signer,
        benchmark=asked.benchmark,
        task=asked.task,
        model=announced.payload.model,
        indices=asked.indices,
        deadline=until,
        began=0.0,
    )
    ctx.state.inquiries.put(row)
    _fetch(ctx, row, "inputs")
    return ""


def _problem(ctx: Context, sealed: Sealed[AuditRequest], announced: Sealed[TaskAnnouncement]) -> str:
    asked, spec = sealed.payload, ctx.state.benchmarks[sealed.payload.benchmark].spec
    if announced.signer != sealed.signer or TaskId(announced.id) != asked.task:
        return "foreign_task"
    if announced.payload.benchmark != asked.benchmark:
        return "foreign_benchmark"
    if not fits(spec, announced.payload.model):
        return "model_too_large"
    if tuple(sorted(set(asked.indices))) != asked.indices or asked.indices[-1] >= spec.samples:
        return "wrong_indices"
    if len(asked.indices) > most_rows(output_bytes(spec) // spec.samples, MAX_CONSULTED):
        return "too_many_indices"
    return "expired" if asked.deadline_ms < ctx.now_ms - CLOCK_SKEW * 1000 else ""


def _refusal(ctx: Context, sealed: Sealed[AuditRequest]) -> str:
    policy, row = ctx.policy, ctx.state.benchmarks[sealed.payload.benchmark]
    if not row.evaluates or not policy.runs(row.spec.limits):
        return "does_not_evaluate"
    if policy.accept_from and sealed.signer not in policy.accept_from:
        return "requester_not_accepted"
    if is_convicted(ctx.state, sealed.signer, ctx.now):
        return "requester_convicted"
    if is_out(ctx.state, sealed.signer, ctx.now):
        return "requester_distrusted"
    return "" if budget.takes_inquiry(ctx, sealed.signer, sealed.payload.benchmark) else "auditor_busy"


def _fetch(ctx: Context, row: InquiryRow, what: str) -> None:
    blob = row.model if what == "model" else ctx.state.benchmarks[row.benchmark].spec.inputs
    holders = dict.fromkeys((row.requester, *membership.members(ctx, row.benchmark)))
    others = tuple(peer for peer in holders if peer != ctx.me)
    ctx.do(FetchBlob(f"{PREFIX}{what}/{row.request}", blob, others, row.deadline))


def proceed(ctx: Context, event: BlobReady | BlobFailed | Sampled | JobFailed) -> None:
    """Inputs, the model, the run, the answer; one that nobody waits for changes nothing."""
    _, what, request = event.effect_id.split("/", 2)
    row = ctx.state.inquiries.get(request)
    if row is None:
        return
    match event:
        case BlobReady() if what == "inputs":
            _fetch(ctx, row, "model")
        case BlobReady():
            row = ctx.state.inquiries.put(replace(row, began=ctx.now))
            spec = ctx.state.benchmarks[row.benchmark].spec
            ctx.do(Sample(f"{PREFIX}sample/{request}", spec, row.model, row.indices))
        case Sampled():
            answer = AuditAnswer(
                ctx.network, ctx.me, row.benchmark, row.task, row.request, event.equivalence_class, event.rows
            )
            _end(ctx, row, ctx.seal(answer, row.benchmark))
        case _:
            decline = Decline(ctx.network, ctx.me, row.task, AssignmentId(request), one_line(event.reason))
            _end(ctx, row, ctx.seal(decline, row.benchmark))


def drop(ctx: Context, task: TaskId, requester: PeerId) -> bool:
    """Its requester is done with a task: stop what is under way for it. Returns whether anything was."""
    dropped = [row for row in ctx.state.inquiries if (row.task, row.requester) == (task, requester)]
    for row in dropped:
        budget.charge_inquiry(ctx, row)
        ctx.state.inquiries.delete(row.key)
        ctx.do(Stop(tuple(f"{PREFIX}{what}/{row.request}" for what in ("inputs", "model", "sample"))))
        ctx.notify("inquiry.dropped", task, requester=requester)
    return bool(dropped)


def _end(ctx: Context, row: InquiryRow, said: Sealed[AuditAnswer] | Sealed[Decline]) -> None:
    budget.charge_inquiry(ctx, row)
    ctx.state.inquiries.delete(row.key)
    ctx.send(row.requester, said, row.request, min(row.deadline, ctx.now + DELIVER_PATIENCE))
    ctx.notify("inquiry.done", row.task, requester=row.requester, samples=len(row.indices))
