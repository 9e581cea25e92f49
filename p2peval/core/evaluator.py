"""The side of a task that runs it: offer, fetch, run, commit, and reveal once the window is closed."""

from __future__ import annotations

from dataclasses import replace

from p2peval.core import auditor, believing, budget, commitment, membership, unrecorded
from p2peval.core.assignment import commit_window
from p2peval.core.benchmark import fits
from p2peval.core.budget import AT_WORK, Refusal
from p2peval.core.context import Context
from p2peval.core.conviction import is_convicted
from p2peval.core.effects import FetchBlob, RunEvaluation, Stop
from p2peval.core.events import BlobFailed, BlobReady, EvaluationFailed, EvaluationFinished, SendFailed
from p2peval.core.messages import (
    Assignment,
    Cancel,
    Commitment,
    CommitmentSet,
    Decline,
    Offer,
    ResultRecord,
    Reveal,
    Sealed,
    TaskAnnouncement,
)
from p2peval.core.parts import Blob, Efficiency
from p2peval.core.rows import DutyRow, DutyState
from p2peval.core.text import one_line
from p2peval.core.types import AssignmentId, ObjectId, TaskId
from p2peval.defaults import CLOCK_SKEW, DELIVER_PATIENCE, OFFER_LIFETIME, TASK_LIFETIME

MODEL = "model/"
"""Prefix of the effect ids under which an assigned model is fetched."""

INPUTS = "inputs/"
"""Prefix of the effect ids under which the inputs of an assigned task are fetched."""

RUN = "run/"
"""Prefix of the effect ids under which an assigned model is run."""

ALIVE = (*AT_WORK, DutyState.COMMITTED, DutyState.REVEALED)
"""States in which something may still happen to a duty."""

MAY_REVEAL = (DutyState.COMMITTED, DutyState.DONE, DutyState.FAILED)
"""States in which a commitment, if there is one, has not been revealed: better late than never (core/late.py)."""


def on_announcement(ctx: Context, sealed: Sealed[TaskAnnouncement]) -> str:
    """Offer to run it, or say at once why not."""
    announced, task = sealed.payload, TaskId(sealed.id)
    benchmark = ctx.state.benchmarks[announced.benchmark]
    if announced.author == ctx.me or not benchmark.evaluates or unrecorded.is_recorded(ctx.state, task):
        return ""
    held = ctx.state.duties.get(task)
    if held is not None and held.state is not DutyState.FAILED:
        return ""
    refusal = _refusal(ctx, announced)
    if refusal:
        until_ms = int(refusal.until * 1000)
        decline = Decline(ctx.network, ctx.me, task, AssignmentId(""), refusal.reason, until_ms)
        answer: Sealed[Decline] | Sealed[Offer] = ctx.sealer.seal(decline)
    else:
        expires = ctx.now + OFFER_LIFETIME
        equivalence_class = membership.own_class(ctx, benchmark.id)
        answer = ctx.sealer.seal(Offer(ctx.network, ctx.me, task, equivalence_class, int(expires * 1000)))
        duty = DutyRow(
            task=task,
            requester=announced.author,
            benchmark=announced.benchmark,
            model=announced.model,
            model_name=announced.model_name,
            state=DutyState.OFFERED,
            assignment=AssignmentId(""),
            attempt=held.attempt if held else 0,
            deadline=0.0,
            generation=held.generation if held else 0,
            equivalence_class="",
            root=b"",
            outputs=None,
            efficiency=None,
            commitment_id=ObjectId(""),
            reason="",
        )
        _arm(ctx, duty, expires)
    ctx.send(announced.author, answer, task, ctx.now + OFFER_LIFETIME)
    return ""


def _refusal(ctx: Context, announced: TaskAnnouncement) -> Refusal | None:
    spec = ctx.state.benchmarks[announced.benchmark].spec
    if not fits(spec, announced.model):
        return Refusal("model_too_large")
    policy = ctx.policy
    if not policy.runs(spec.limits):
        return Refusal("limits_too_high")
    if policy.accept_from and announced.author not in policy.accept_from:
        return Refusal("requester_not_accepted")
    if is_convicted(ctx.state, announced.author, ctx.now):
        return Refusal("requester_convicted")
    if believing.is_out(ctx.state, announced.author, ctx.now):
        return Refusal("requester_distrusted")
    return budget.refusal(ctx, announced)


def on_assignment(ctx: Context, sealed: Sealed[Assignment]) -> str:
    assigned = sealed.payload
    duty = ctx.state.duties.get(assigned.task)
    if assigned.evaluator != ctx.me:
        return "not_for_me"
    if duty is None or duty.requester != sealed.signer:
        return "no_such_offer"
    if duty.state not in (DutyState.OFFERED, DutyState.FAILED) or assigned.attempt <= duty.attempt:
        return "assigned_already"
    if assigned.commit_by_ms < ctx.now_ms - CLOCK_SKEW * 1000:
        return "expired"
    spec = ctx.state.benchmarks[duty.benchmark].spec
    until = ctx.now + commit_window(spec, duty.model)  # by our clock: theirs may be wrong, or lie
    duty = replace(
        duty, state=DutyState.FETCHING, assignment=AssignmentId(sealed.id), attempt=assigned.attempt, reason=""
    )
    _arm(ctx, duty, until)
    others = [peer for peer in membership.members(ctx, duty.benchmark) if peer != duty.requester]
    ctx.notify("duty.assigned", duty.task, requester=duty.requester, model=duty.model_name)
    ctx.do(FetchBlob(f"{INPUTS}{duty.assignment}", spec.inputs, (duty.requester, *others), until))
    return ""


def on_blob(ctx: Context, event: BlobReady | BlobFailed) -> None:
    """The inputs come first, then the model; with both here the evaluation starts."""
    kind, assignment = event.effect_id.split("/", 1)
    duty = _of_assignment(ctx, assignment)
    if duty is None or duty.state is not DutyState.FETCHING:
        return
    if isinstance(event, BlobFailed):
        return _give_up(ctx, duty, f"cannot fetch the {kind}: {event.reason}")
    if kind + "/" == INPUTS:
        until = ctx.now + DELIVER_PATIENCE
        ctx.do(FetchBlob(f"{MODEL}{duty.assignment}", duty.model, (duty.requester,), until))
        return
    ctx.state.duties.put(replace(duty, state=DutyState.RUNNING))
    spec = ctx.state.benchmarks[duty.benchmark].spec
    ctx.do(RunEvaluation(f"{RUN}{duty.assignment}", duty.task, duty.assignment, spec, duty.model, duty.requester))


def on_finished(ctx: Context, event: EvaluationFinished) -> None:
    """Commit to the outputs before anybody else's can be seen."""
    duty = _of_assignment(ctx, event.assignment)
    if duty is None or duty.state is not DutyState.RUNNING:
        return
    budget.charge(ctx, duty)
    budget.learn_pace(ctx, duty)
    samples = ctx.state.benchmarks[duty.benchmark].spec.samples
    digest = commitment.commitment_digest(
        duty.task,
        duty.assignment,
        ctx.me,
        event.equivalence_class,
        samples,
        event.root,
        _nonce(ctx, duty),
    )
    sealed = ctx.seal(Commitment(ctx.network, ctx.me, duty.task, duty.assignment, digest), duty.benchmark)
    duty = replace(
        duty,
        state=DutyState.COMMITTED,
        equivalence_class=event.equivalence_class,
        root=event.root,
        outputs=event.outputs,
        efficiency=event.efficiency,
        commitment_id=sealed.id,
    )
    _arm(ctx, duty, ctx.now + TASK_LIFETIME)  # others may take long, and who does not reveal pays for it
    ctx.send(duty.requester, sealed, duty.assignment, ctx.now + DELIVER_PATIENCE)
    ctx.notify("duty.committed", duty.task, requester=duty.requester)


def on_failed(ctx: Context, event: EvaluationFailed) -> None:
    duty = _of_assignment(ctx, event.assignment)
    if duty is not None and duty.state is DutyState.RUNNING:
        _give_up(ctx, duty, event.reason)


def on_commitment_set(ctx: Context, sealed: Sealed[CommitmentSet]) -> str:
    """Reveal only after our own commitment is in the set, and show that set to everybody ourselves.

    A requester that sends its evaluators different sets thereby signs twice in one slot in public.
    """
    duty = ctx.state.duties.get(sealed.payload.task)
    if duty is None or duty.state not in MAY_REVEAL or sealed.signer != duty.requester:
        return ""
    if duty.commitment_id not in sealed.payload.commitments:
        return ""
    if duty.outputs is None or duty.efficiency is None:
        return ""
    reveal = _reveal(ctx, duty, duty.outputs, duty.efficiency)
    ctx.publish(sealed, duty.benchmark)
    if duty.state is DutyState.COMMITTED:  # else the task is over, and went on without us: our record is at stake still
        _arm(ctx, replace(duty, state=DutyState.REVEALED), ctx.now + 2 * DELIVER_PATIENCE)
    ctx.send(duty.requester, reveal, duty.assignment, ctx.now + DELIVER_PATIENCE)
    ctx.notify("duty.revealed", duty.task, requester=duty.requester)
    return ""


def _reveal(ctx: Context, duty: DutyRow, outputs: Blob, efficiency: Efficiency) -> Sealed[Reveal]:
    """The same bytes whenever it is asked for."""
    return ctx.seal(
        Reveal(
            network=ctx.network,
            author=ctx.me,
            task=duty.task,
            assignment=duty.assignment,
            commitment=duty.commitment_id,
            equivalence_class=duty.equivalence_class,
            samples=ctx.state.benchmarks[duty.benchmark].spec.samples,
            root=duty.root,
            nonce=_nonce(ctx, duty),
            outputs=outputs,
            efficiency=efficiency,
        ),
        duty.benchmark,
    )


def on_record(ctx: Context, sealed: Sealed[ResultRecord]) -> None:
    """The requester says that the task is over."""
    auditor.drop(ctx, sealed.payload.task, sealed.signer)
    duty = ctx.state.duties.get(sealed.payload.task)
    if duty is None or duty.requester != sealed.signer:
        return
    if duty.state is DutyState.OFFERED:
        ctx.state.duties.delete(duty.key)
    else:
        _finish(ctx, duty, DutyState.DONE, "")


def on_cancel(ctx: Context, sealed: Sealed[Cancel]) -> str:
    """The requester wants nothing of it any more: stop, and free the place."""
    dropped = auditor.drop(ctx, sealed.payload.task, sealed.signer)
    duty = ctx.state.duties.get(sealed.payload.task)
    if duty is None:
        return "" if dropped else "unknown_task"
    if duty.requester != sealed.signer:
        return "not_its_requester"
    if duty.state is DutyState.OFFERED:
        ctx.state.duties.delete(duty.key)
    else:
        _finish(ctx, duty, DutyState.FAILED, "cancelled by the requester")
    return ""


def on_undelivered(ctx: Context, event: SendFailed) -> None:
    """The requester is gone for good, or refused what we said (too late, window closed)."""
    offered = ctx.state.duties.get(event.about)
    if offered is not None and offered.state is DutyState.OFFERED:
        ctx.state.duties.delete(offered.key)
    duty = _of_assignment(ctx, event.about)
    if duty is not None and duty.state in (DutyState.COMMITTED, DutyState.REVEALED):
        _finish(ctx, duty, DutyState.FAILED, event.refused or "requester unreachable")


def on_deadline(ctx: Context, duty: DutyRow) -> None:
    if duty.state is DutyState.OFFERED:
        return ctx.state.duties.delete(duty.key)
    if duty.state is DutyState.REVEALED and duty.outputs is not None and duty.efficiency is not None:
        # It has what we said and publishes no record: show it to everybody (core/unrecorded.py).
        ctx.publish(_reveal(ctx, duty, duty.outputs, duty.efficiency), duty.benchmark)
        ctx.notify("duty.published", duty.task, requester=duty.requester)
    late = duty.state in AT_WORK
    _finish(
        ctx,
        duty,
        DutyState.FAILED,
        "not done in the time of its assignment" if late else "the requester never answered",
    )


def _nonce(ctx: Context, duty: DutyRow) -> bytes:
    """Hides the root until the reveal; derived, so that a re-commit after a crash is the same bytes."""
    return ctx.secrets.nonce("commitment", duty.task, duty.assignment, duty.attempt)


def _of_assignment(ctx: Context, assignment: str) -> DutyRow | None:
    """The duty of an assignment on which something may still happen."""
    alive = (duty for state in ALIVE for duty in ctx.state.duties.of(state))
    return next((duty for duty in alive if duty.assignment == assignment), None)


def _give_up(ctx: Context, duty: DutyRow, reason: str) -> None:
    decline = Decline(ctx.network, ctx.me, duty.task, duty.assignment, one_line(reason))
    ctx.send(duty.requester, ctx.seal(decline, duty.benchmark), duty.assignment, ctx.now + DELIVER_PATIENCE)
    _finish(ctx, duty, DutyState.FAILED, reason)


def _finish(ctx: Context, duty: DutyRow, state: DutyState, reason: str) -> None:
    if duty.state in (DutyState.DONE, DutyState.FAILED):
        return
    if duty.state in (DutyState.FETCHING, DutyState.RUNNING):
        budget.charge(ctx, duty)
        ctx.do(Stop(tuple(f"{kind}{duty.assignment}" for kind in (INPUTS, MODEL, RUN))))
    ctx.state.duties.put(replace(duty, state=state, reason=reason, deadline=0.0, generation=duty.generation + 1))
    ctx.notify("duty.done" if state is DutyState.DONE else "duty.failed", duty.task, reason=reason)


def _arm(ctx: Context, duty: DutyRow, at: float) -> None:
    duty = ctx.state.duties.put(replace(duty, deadline=at, generation=duty.generation + 1))
    ctx.timer(f"duty/{duty.task}", at, duty.generation)
